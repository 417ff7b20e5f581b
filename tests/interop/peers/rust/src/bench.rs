//! The bench commands: they drive the node and count.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use libp2p::gossipsub::{PublishError, TopicHash};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::commands::ms;
use crate::contract::{Fault, Outcome, Output, Request};
use crate::counter::{epoch_ms, quantile};
use crate::driver::Driver;
use crate::flags::Flags;
use crate::gossip;
use crate::node::{Node, Peer};
use crate::services::{ask_messages, ask_perf, ask_rr};

const HOLDERS_AT_ONCE: usize = 16;
const PUBLISHES_AT_ONCE: usize = 32;
pub const STAMP_BYTES: usize = 8;

async fn dialer(peer: &Peer) -> Result<Node, Fault> {
    let (node, _) = Node::start(Flags::dialer(peer.security), Output::muted()).await?;
    Ok(node)
}

/// Waits for tasks that run on every worker thread; gives what each gave, or the first error.
pub async fn all<R>(tasks: Vec<JoinHandle<Result<R, Fault>>>) -> Result<Vec<R>, Fault> {
    try_join_all(tasks).await?.into_iter().collect()
}

/// Counts connections that got as far as an identify answer.
pub async fn handshake(peer: &Peer, request: Request) -> Outcome {
    let mut nodes = vec![];
    for _ in 0..request.dialers.max(1) {
        nodes.push(dialer(peer).await?);
    }
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(request.seconds);
    let loops = nodes.into_iter().map(|node| {
        let addr = request.addr.clone();
        tokio::spawn(async move {
            let mut count = 0;
            while Instant::now() < end {
                let id = node.connect(&addr).await?;
                node.identified(id).await?;
                node.disconnect(id).await?;
                count += 1;
            }
            Ok(count)
        })
    });
    let count: u64 = all(loops.collect()).await?.iter().sum();
    Ok(json!({ "count": count, "perSec": count as f64 / start.elapsed().as_secs_f64() }))
}

pub async fn perf(peer: &Peer, request: Request) -> Outcome {
    let id = peer.target(&request.addr, &request.peer_id).await?;
    let start = Instant::now();
    ask_perf(&peer.node, id, request.up, request.down).await?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({ "seconds": seconds, "gbps": (request.up + request.down) as f64 * 8.0 / 1e9 / seconds }))
}

/// Asks once before the clock starts, so that the connection has settled.
pub async fn rr(peer: &Peer, request: Request) -> Outcome {
    let id = peer.target(&request.addr, &request.peer_id).await?;
    ask_rr(&peer.node, id).await?;
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(request.seconds);
    let loops = (0..request.depth.max(1)).map(|_| {
        let node = peer.node.clone();
        tokio::spawn(async move {
            let mut times = vec![];
            loop {
                let began = Instant::now();
                if began > end {
                    return Ok(times);
                }
                ask_rr(&node, id).await?;
                times.push(ms(began) * 1000.0);
            }
        })
    });
    let mut times: Vec<f64> = all(loops.collect()).await?.concat();
    let seconds = start.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    Ok(json!({
        "perSec": times.len() as f64 / seconds, "p50us": quantile(&times, 0.5), "p99us": quantile(&times, 0.99),
    }))
}

pub async fn stream(peer: &Peer, request: Request) -> Outcome {
    let id = peer.target(&request.addr, &request.peer_id).await?;
    let duration = Duration::from_secs_f64(request.seconds);
    let (mut times, seconds) = ask_messages(&peer.node, id, request.depth.max(1), duration).await?;
    times.sort_unstable_by(f64::total_cmp);
    Ok(json!({
        "perSec": times.len() as f64 / seconds, "p50us": quantile(&times, 0.5), "p99us": quantile(&times, 0.99),
    }))
}

/// Needs a node for each connection: each has a key of its own.
pub async fn hold(peer: &Arc<Peer>, request: Request) -> Outcome {
    let free = Arc::new(Semaphore::new(HOLDERS_AT_ONCE));
    let holders = (0..request.n).map(|_| {
        let (peer, free, addr) = (peer.clone(), free.clone(), request.addr.clone());
        tokio::spawn(async move {
            let _turn = free.acquire().await?;
            let node = dialer(&peer).await?;
            let id = node.connect(&addr).await?;
            node.identified(id).await?;
            peer.held.lock().await.push(node);
            Ok(())
        })
    });
    let opened = all(holders.collect()).await?;
    Ok(json!({ "n": opened.len() }))
}

pub async fn release(peer: &Peer) -> Outcome {
    let held = std::mem::take(&mut *peer.held.lock().await);
    Ok(json!({ "n": held.len() }))
}

pub async fn publish(peer: &Peer, request: Request) -> Outcome {
    let topic = TopicHash::from_raw(request.topic);
    let start = Instant::now();
    publish_all(&peer.node, topic, 0..request.n, request.size, |_| epoch_ms().to_be_bytes()).await?;
    Ok(json!({ "seconds": start.elapsed().as_secs_f64() }))
}

/// Messages that begin with the stamps of their numbers. Relies on the deep queues of the gossip module; a full one is
/// waited for.
pub async fn publish_all(
    node: &Node,
    topic: TopicHash,
    mut numbers: Range<usize>,
    size: usize,
    stamp: fn(usize) -> [u8; STAMP_BYTES],
) -> Result<(), Fault> {
    while !numbers.is_empty() {
        let topic = topic.clone();
        let batch = numbers.start..numbers.end.min(numbers.start + PUBLISHES_AT_ONCE);
        numbers.start += node.act(move |driver| publish_some(driver, topic, batch, size, stamp)).await??;
    }
    Ok(())
}

/// How many of the batch were accepted before a queue was full.
fn publish_some(
    driver: &mut Driver,
    topic: TopicHash,
    batch: Range<usize>,
    size: usize,
    stamp: fn(usize) -> [u8; STAMP_BYTES],
) -> Result<usize, Fault> {
    let gossip = gossip::gossip_of(driver)?;
    for number in batch.clone() {
        let mut data = vec![0; size.max(STAMP_BYTES)];
        data[..STAMP_BYTES].copy_from_slice(&stamp(number));
        match gossip.publish(topic.clone(), data) {
            Ok(_) => {}
            Err(PublishError::AllQueuesFull(_)) => return Ok(number - batch.start),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(batch.len())
}
