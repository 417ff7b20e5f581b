//! rust-peer speaks the Starling peer contract on top of rust-libp2p.

mod bench;
mod commands;
mod contract;
mod counter;
mod driver;
mod fanout;
mod flags;
mod gossip;
mod kad;
mod node;
mod services;
mod stats;
mod streams;

use std::io::BufRead;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;

use contract::{Fault, Output, Request};
use flags::Flags;
use node::Peer;

fn main() {
    let flags = Flags::parse(std::env::args().skip(1)).unwrap_or_else(|fault| fail(2, &fault));
    let runtime = runtime(flags.threads).unwrap_or_else(|fault| fail(1, &fault.into()));
    runtime.block_on(run(flags)).unwrap_or_else(|fault| fail(1, &fault));
    // Nothing is left to be written, and connections end with the process.
    std::process::exit(0);
}

fn fail(code: i32, fault: &Fault) -> ! {
    eprintln!("rust-peer: {fault}");
    std::process::exit(code);
}

/// One thread is the runtime without a scheduler between threads; the main thread does no work beside it.
fn runtime(threads: usize) -> std::io::Result<tokio::runtime::Runtime> {
    if threads > 1 {
        return tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

async fn run(flags: Flags) -> Result<(), Fault> {
    let output = Output::default();
    let bootstrap = flags.bootstrap.clone();
    let peer = Arc::new(Peer::start(flags, output.clone()).await?);
    output.emit(json!({
        "event": "ready", "peerId": peer.node.id().to_string(), "addrs": peer.addrs,
        "pid": std::process::id(), "startMs": stats::ms_since_process_start(),
    }));
    for addr in bootstrap {
        if let Err(fault) = peer.node.connect(&addr).await {
            eprintln!("bootstrap: {fault}");
        }
    }
    serve(peer, output).await;
    Ok(())
}

/// Reads commands until stdin ends or `quit`; commands run side by side.
async fn serve(peer: Arc<Peer>, output: Output) {
    let mut lines = stdin_lines();
    while let Some(line) = lines.recv().await {
        if line.is_empty() {
            continue;
        }
        let request: Request = match serde_json::from_str(&line) {
            Ok(request) => request,
            Err(error) => {
                output.emit(json!({ "id": null, "ok": false, "error": error.to_string() }));
                continue;
            }
        };
        if request.cmd == "quit" {
            output.emit(json!({ "id": request.id, "ok": true }));
            return;
        }
        let (peer, output) = (peer.clone(), output.clone());
        tokio::spawn(async move {
            let id = request.id.clone();
            output.answer(id, commands::run(&peer, request).await);
        });
    }
}

/// A thread of its own reads, because a read of stdin cannot be given up.
fn stdin_lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
