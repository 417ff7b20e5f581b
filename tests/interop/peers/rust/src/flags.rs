//! The command line of the contract.

use libp2p::identity::{Keypair, ed25519, secp256k1};

use crate::contract::Fault;

#[derive(Clone, Copy, PartialEq)]
pub enum Security {
    Noise,
    Tls,
}

pub struct Flags {
    pub listen: Vec<String>,
    pub key: Keypair,
    pub security: Security,
    pub kad: Option<String>,
    pub kad_client: bool,
    pub topics: Option<Vec<String>>,
    pub bootstrap: Vec<String>,
    pub threads: usize,
}

impl Flags {
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Fault> {
        let mut flags = Flags::dialer(Security::Noise);
        while let Some(word) = words.next() {
            // A flag may be written with one dash or two, and with its value after a space or after "=".
            let name = word.trim_start_matches('-');
            let (name, value) = match name.split_once('=') {
                Some((name, value)) => (name.to_owned(), value.to_owned()),
                None => (name.to_owned(), words.next().ok_or(format!("{word} needs a value"))?),
            };
            flags.take(&name, value)?;
        }
        if flags.listen.is_empty() {
            flags.listen.push("/ip4/127.0.0.1/tcp/0".into());
        }
        flags.listen.retain(|addr| addr != "none");
        Ok(flags)
    }

    /// A fresh key, no listener, no DHT, no gossip: what the bench commands dial with.
    pub fn dialer(security: Security) -> Self {
        Flags {
            listen: vec![],
            key: Keypair::generate_ed25519(),
            security,
            kad: None,
            kad_client: false,
            topics: None,
            bootstrap: vec![],
            threads: 1,
        }
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Fault> {
        match name {
            "listen" => self.listen.push(value),
            "key" => self.key = key(&value)?,
            "sec" => {
                self.security = match value.as_str() {
                    "noise" => Security::Noise,
                    "tls" => Security::Tls,
                    _ => return Err(format!("--sec must be noise or tls, not {value:?}").into()),
                }
            }
            "kad" => self.kad = Some(value),
            "kad-mode" => {
                self.kad_client = match value.as_str() {
                    "server" => false,
                    "client" => true,
                    _ => return Err(format!("--kad-mode must be server or client, not {value:?}").into()),
                }
            }
            "topics" => {
                self.topics = Some(value.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect())
            }
            "bootstrap" => self.bootstrap.push(value),
            "threads" => self.threads = value.parse()?,
            _ => return Err(format!("unknown flag --{name}").into()),
        }
        Ok(())
    }
}

fn key(text: &str) -> Result<Keypair, Fault> {
    let (kind, digits) = text.split_once(':').ok_or("--key needs a type and a colon")?;
    let mut raw = hex::decode(digits)?;
    match kind {
        "ed25519" => Ok(ed25519::Keypair::from(ed25519::SecretKey::try_from_bytes(&mut raw)?).into()),
        "secp256k1" => Ok(secp256k1::Keypair::from(secp256k1::SecretKey::try_from_bytes(&mut raw)?).into()),
        _ => Err(format!("unknown key type {kind:?}").into()),
    }
}
