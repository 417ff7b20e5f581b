//! The lines of the contract: what comes in, what goes out.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};

pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The fields of an answer, without `id` and `ok`.
pub type Outcome = Result<Value, Fault>;

pub const NO_DHT: &str = "started without --kad";
pub const NO_GOSSIP: &str = "started without --topics";

/// One command line; every field that any command knows stands here.
#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Request {
    pub id: Value,
    pub cmd: String,
    pub addr: String,
    pub peer_id: String,
    pub n: usize,
    pub topic: String,
    pub text: Option<String>,
    pub hex: Option<String>,
    pub key: Option<String>,
    pub keyhex: Option<String>,
    pub value: String,
    pub seconds: f64,
    pub dialers: usize,
    pub up: u64,
    pub down: u64,
    pub depth: usize,
    pub size: usize,
    pub count: usize,
    pub warm: usize,
    pub on: bool,
    pub bytes: usize,
    pub seed: u32,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            id: Value::Null,
            cmd: String::new(),
            addr: String::new(),
            peer_id: String::new(),
            n: 0,
            topic: String::new(),
            text: None,
            hex: None,
            key: None,
            keyhex: None,
            value: String::new(),
            seconds: 1.0,
            dialers: 1,
            up: 0,
            down: 0,
            depth: 1,
            size: 0,
            count: 1,
            warm: 0,
            on: false,
            bytes: 0,
            seed: 0,
        }
    }
}

/// Writes one JSON object a line; every line is flushed. A muted one writes nothing.
#[derive(Clone)]
pub struct Output(Option<Arc<Mutex<std::io::Stdout>>>);

impl Default for Output {
    fn default() -> Self {
        Output(Some(Arc::new(Mutex::new(std::io::stdout()))))
    }
}

impl Output {
    pub fn muted() -> Self {
        Output(None)
    }

    pub fn emit(&self, line: Value) {
        let Some(stdout) = &self.0 else { return };
        let mut stdout = stdout.lock().expect("no writer panics");
        let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        if let Err(error) = written {
            eprintln!("stdout: {error}");
        }
    }

    pub fn answer(&self, id: Value, outcome: Outcome) {
        let mut line = match outcome {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => Default::default(),
            Err(fault) => {
                return self.emit(json!({ "id": id, "ok": false, "error": fault.to_string() }));
            }
        };
        line.insert("id".into(), id);
        line.insert("ok".into(), true.into());
        self.emit(Value::Object(line));
    }
}
