//! The table of everything the contract names, and the commands about connections.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt};
use serde_json::json;
use tokio::time::timeout;

use crate::contract::{Outcome, Request};
use crate::counter::quantile;
use crate::node::Peer;
use crate::{bench, counter, fanout, gossip, kad, services, stats};

const PING_BYTES: usize = 32;
const PING_BUDGET: Duration = Duration::from_secs(20);

pub async fn run(peer: &Arc<Peer>, request: Request) -> Outcome {
    match request.cmd.as_str() {
        "connect" => connect(peer, request).await,
        "disconnect" => disconnect(peer, request).await,
        "identify" => identify(peer, request).await,
        "ping" => ping(peer, request).await,
        "peers" => peers(peer).await,
        "subscribe" => gossip::subscribe(peer, request).await,
        "publish" => gossip::publish(peer, request).await,
        "meshpeers" => gossip::mesh_peers(peer, request).await,
        "provide" => kad::provide(peer, request).await,
        "findproviders" => kad::find_providers(peer, request).await,
        "put" => kad::put(peer, request).await,
        "get" => kad::get(peer, request).await,
        "findpeer" => kad::find_peer(peer, request).await,
        "table" => kad::table(peer).await,
        "echo" => services::echo(peer, request).await,
        "bench-handshake" => bench::handshake(peer, request).await,
        "bench-perf" => bench::perf(peer, request).await,
        "bench-rr" => bench::rr(peer, request).await,
        "bench-stream" => bench::stream(peer, request).await,
        "bench-hold" => bench::hold(peer, request).await,
        "release" => bench::release(peer).await,
        "bench-pub" => bench::publish(peer, request).await,
        "bench-fanout" => fanout::fanout(peer, request).await,
        "counter" => counter::counter(peer, request).await,
        "stats" => stats::stats(peer).await,
        unknown => Err(format!("unknown command {unknown:?}").into()),
    }
}

pub fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

async fn connect(peer: &Peer, request: Request) -> Outcome {
    let start = Instant::now();
    let id = peer.node.connect(&request.addr).await?;
    Ok(json!({ "peerId": id.to_string(), "ms": ms(start) }))
}

async fn disconnect(peer: &Peer, request: Request) -> Outcome {
    peer.node.disconnect(request.peer_id.parse()?).await?;
    Ok(json!({}))
}

async fn identify(peer: &Peer, request: Request) -> Outcome {
    let info = peer.node.identified(request.peer_id.parse()?).await?;
    Ok(json!({
        "agent": info.agent_version,
        "protocols": info.protocols.iter().map(|p| p.as_ref()).collect::<Vec<_>>(),
        "addrs": info.listen_addrs,
        "observed": info.observed_addr,
    }))
}

/// Pings on one stream of its own; the ping behaviour answers others and keeps its own rhythm beside it.
async fn ping(peer: &Peer, request: Request) -> Outcome {
    let mut stream = peer.node.open(request.peer_id.parse()?, "/ipfs/ping/1.0.0").await?;
    let mut times = vec![];
    for i in 0..request.n.max(1) {
        let mut sent = [0; PING_BYTES];
        sent[..8].copy_from_slice(&(i as u64).to_le_bytes());
        let mut back = [0; PING_BYTES];
        let start = Instant::now();
        timeout(PING_BUDGET, async {
            stream.write_all(&sent).await?;
            stream.flush().await?;
            stream.read_exact(&mut back).await
        })
        .await
        .map_err(|_| format!("no answer to ping {}", i + 1))??;
        if back != sent {
            return Err("a ping came back changed".into());
        }
        times.push(ms(start) * 1000.0);
    }
    stream.close().await?;
    times.sort_by(f64::total_cmp);
    Ok(json!({ "p50us": quantile(&times, 0.5), "p99us": quantile(&times, 0.99), "minUs": times[0] }))
}

async fn peers(peer: &Peer) -> Outcome {
    let peers: Vec<String> =
        peer.node.act(|driver| driver.swarm.connected_peers().map(|id| id.to_string()).collect()).await?;
    Ok(json!({ "peers": peers }))
}
