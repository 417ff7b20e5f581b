//! Counts messages instead of telling of each.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use libp2p::PeerId;
use libp2p::gossipsub::Message;
use serde_json::json;

use crate::contract::{Outcome, Request};
use crate::node::Peer;

/// Latencies come from the time in the first 8 bytes.
#[derive(Default)]
pub struct Counter {
    on: bool,
    count: usize,
    bytes: usize,
    distinct: HashSet<(Option<PeerId>, Option<u64>)>,
    first_ms: u64,
    last_ms: u64,
    latencies_ms: Vec<f64>,
}

impl Counter {
    /// Whether the message was counted, so that no event is to be written.
    pub fn take(&mut self, message: &Message) -> bool {
        if !self.on {
            return false;
        }
        let now = epoch_ms();
        if self.count == 0 {
            self.first_ms = now as u64;
        }
        self.last_ms = now as u64;
        self.count += 1;
        self.bytes += message.data.len();
        self.distinct.insert((message.source, message.sequence_number));
        if let Some(sent) = message.data.first_chunk() {
            self.latencies_ms.push(now - f64::from_be_bytes(*sent));
        }
        true
    }
}

pub async fn counter(peer: &Peer, request: Request) -> Outcome {
    let taken = peer.node.act(move |driver| {
        let fresh = Counter { on: request.on, ..Counter::default() };
        std::mem::replace(&mut driver.counter, fresh)
    });
    let mut taken = taken.await?;
    if request.on {
        return Ok(json!({}));
    }
    taken.latencies_ms.sort_by(f64::total_cmp);
    Ok(json!({
        "count": taken.count, "distinct": taken.distinct.len(), "bytes": taken.bytes,
        "firstMs": taken.first_ms, "lastMs": taken.last_ms,
        "p50ms": quantile(&taken.latencies_ms, 0.5), "p99ms": quantile(&taken.latencies_ms, 0.99),
    }))
}

/// Takes sorted values; an empty list gives 0.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let index = (q * sorted.len() as f64) as usize;
    sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

pub fn epoch_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|t| t.as_secs_f64() * 1000.0).unwrap_or_default()
}
