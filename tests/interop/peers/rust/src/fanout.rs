//! One publisher and its subscribers in one process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use libp2p::gossipsub::{Message, TopicHash};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::bench::{STAMP_BYTES, all, publish_all};
use crate::contract::{Fault, Outcome, Output, Request};
use crate::driver::Taker;
use crate::flags::{Flags, Security};
use crate::gossip;
use crate::node::{Node, Peer};
use crate::stats::cpu_ms;

const TOPIC: &str = "fanout";
const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";
/// Links below which gossipsub makes more.
const MESH_LOW: usize = 5;
const LINK_BUDGET: Duration = Duration::from_secs(30);
const LINK_POLL: Duration = Duration::from_millis(10);
/// Without a delivery for that long, the rest is lost.
const STALL: Duration = Duration::from_secs(10);
/// What comes twice may come after everything else.
const LINGER: Duration = Duration::from_millis(200);

/// What all subscribers got together.
#[derive(Default)]
struct Counts {
    deliveries: AtomicUsize,
    distinct: AtomicUsize,
    goal: AtomicUsize,
}

struct Deliveries {
    counts: Arc<Counts>,
    subscribers: usize,
    reached: mpsc::UnboundedReceiver<Instant>,
}

impl Deliveries {
    /// With what takes the messages of each subscriber.
    fn new(subscribers: usize, messages: usize) -> (Self, Vec<Taker>) {
        let counts = Arc::new(Counts::default());
        let (sender, reached) = mpsc::unbounded_channel();
        let takers = (0..subscribers).map(|_| taker(counts.clone(), sender.clone(), messages)).collect();
        (Deliveries { counts, subscribers, reached }, takers)
    }

    /// Before the publications; `messages` are those of each subscriber, all that came before included.
    fn aim(&self, messages: usize) {
        self.counts.goal.store(messages * self.subscribers, Ordering::SeqCst);
    }

    /// When the aim was reached; the present when deliveries have ceased before.
    async fn wait(&mut self) -> Instant {
        loop {
            let (before, _) = self.counted();
            if let Ok(Some(at)) = timeout(STALL, self.reached.recv()).await {
                return at;
            }
            if self.counted().0 == before {
                return Instant::now();
            }
        }
    }

    /// All of them, and those that did not come before.
    fn counted(&self) -> (usize, usize) {
        (self.counts.deliveries.load(Ordering::SeqCst), self.counts.distinct.load(Ordering::SeqCst))
    }
}

fn taker(counts: Arc<Counts>, reached: mpsc::UnboundedSender<Instant>, messages: usize) -> Taker {
    let mut seen = vec![false; messages];
    Box::new(move |message: &Message| {
        counts.deliveries.fetch_add(1, Ordering::SeqCst);
        let number = message.data.first_chunk().map(|bytes| u64::from_be_bytes(*bytes) as usize);
        let Some(seen) = number.and_then(|number| seen.get_mut(number)) else { return };
        if std::mem::replace(seen, true) {
            return;
        }
        let distinct = counts.distinct.fetch_add(1, Ordering::SeqCst) + 1;
        if distinct == counts.goal.load(Ordering::SeqCst) {
            let _ = reached.send(Instant::now());
        }
    })
}

fn stamp(number: usize) -> [u8; STAMP_BYTES] {
    (number as u64).to_be_bytes()
}

async fn join(security: Security, listen: &[&str]) -> Result<(Node, Vec<String>), Fault> {
    let mut flags = Flags::dialer(security);
    flags.topics = Some(vec![TOPIC.into()]);
    flags.listen = listen.iter().map(|addr| addr.to_string()).collect();
    Node::start(flags, Output::muted()).await
}

/// How many the publisher knows to be subscribed, and how many of them are in its mesh.
async fn known(publisher: &Node) -> Result<(usize, usize), Fault> {
    let count = publisher.act(|driver| {
        let (gossip, topic) = (gossip::gossip_of(driver)?, TopicHash::from_raw(TOPIC));
        let subscribed = gossip.all_peers().filter(|(_, topics)| topics.contains(&&topic)).count();
        Ok((subscribed, gossip.mesh_peers(&topic).count()))
    });
    count.await?
}

/// Until everyone is connected to the publisher, which knows it as a subscriber and has its mesh.
async fn link(publisher: &Node, addr: &str, subscribers: &[Node]) -> Result<(), Fault> {
    let dials = subscribers.iter().cloned().map(|node| {
        let addr = addr.to_owned();
        tokio::spawn(async move { node.connect(&addr).await })
    });
    all(dials.collect()).await?;
    let wanted = subscribers.len();
    let settled = async {
        loop {
            let (subscribed, mesh) = known(publisher).await?;
            if subscribed >= wanted && mesh >= wanted.min(MESH_LOW) {
                return Ok(());
            }
            sleep(LINK_POLL).await;
        }
    };
    timeout(LINK_BUDGET, settled).await.map_err(|_| "the mesh does not come about")?
}

/// Messages carry their numbers. The ones of the warm-up come before the first that is counted.
pub async fn fanout(peer: &Peer, request: Request) -> Outcome {
    let (warm, last) = (request.warm, request.warm + request.count.max(1));
    let (mut deliveries, takers) = Deliveries::new(request.n.max(1), last);
    let (publisher, addrs) = join(peer.security, &[LISTEN]).await?;
    let mut subscribers = vec![];
    for taker in takers {
        let (node, _) = join(peer.security, &[]).await?;
        node.act(move |driver| driver.taker = Some(taker)).await?;
        subscribers.push(node);
    }
    link(&publisher, addrs.first().ok_or("the publisher listens nowhere")?, &subscribers).await?;
    let topic = TopicHash::from_raw(TOPIC);
    if warm > 0 {
        deliveries.aim(warm);
        publish_all(&publisher, topic.clone(), 0..warm, request.size, stamp).await?;
        deliveries.wait().await;
    }
    let before = deliveries.counted();
    let (cpu_before, start) = (cpu_ms(), Instant::now());
    deliveries.aim(last);
    publish_all(&publisher, topic, warm..last, request.size, stamp).await?;
    let seconds = (deliveries.wait().await - start).as_secs_f64();
    let cpu = cpu_ms() - cpu_before;
    sleep(LINGER).await;
    let after = deliveries.counted();
    let (_, mesh) = known(&publisher).await?;
    Ok(json!({
        "seconds": seconds, "deliveries": after.0 - before.0, "distinct": after.1 - before.1, "cpuMs": cpu, "mesh": mesh,
    }))
}
