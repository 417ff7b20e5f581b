//! /echo/1.0.0, /rr/1.0.0 and /perf/1.0.0, both sides.

use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::PeerId;
use libp2p::swarm::{Stream, StreamProtocol};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use crate::commands::ms;
use crate::contract::{Fault, Outcome, Request};
use crate::node::{Node, Peer};

const ECHO: &str = "/echo/1.0.0";
const RR: &str = "/rr/1.0.0";
const PERF: &str = "/perf/1.0.0";
pub const SERVED: [StreamProtocol; 3] =
    [StreamProtocol::new(ECHO), StreamProtocol::new(RR), StreamProtocol::new(PERF)];

const BLOCK_BYTES: usize = 64 << 10;
const RR_BYTES: usize = 64;
const MESSAGE_BYTES: usize = 64;
const STREAM_BUDGET: Duration = Duration::from_secs(120);

/// Serves one inbound stream on a task of its own. A failed one is dropped, which resets it.
pub fn serve(protocol: StreamProtocol, stream: Stream) {
    tokio::spawn(async move {
        let served = match protocol.as_ref() {
            ECHO => serve_echo(stream).await,
            RR => serve_rr(stream).await,
            _ => serve_perf(stream).await,
        };
        served.unwrap_or_else(|fault| eprintln!("{protocol}: {fault}"));
    });
}

async fn serve_echo(mut stream: Stream) -> Result<(), Fault> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        let count = stream.read(&mut block).await?;
        if count == 0 {
            return Ok(stream.close().await?);
        }
        stream.write_all(&block[..count]).await?;
        stream.flush().await?;
    }
}

async fn serve_rr(mut stream: Stream) -> Result<(), Fault> {
    let mut block = [0; RR_BYTES];
    stream.read_exact(&mut block).await?;
    stream.write_all(&block).await?;
    Ok(stream.close().await?)
}

async fn serve_perf(mut stream: Stream) -> Result<(), Fault> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).await?;
    discard(&mut stream).await?;
    send_zeros(&mut stream, u64::from_be_bytes(head)).await?;
    Ok(stream.close().await?)
}

async fn discard(stream: &mut (impl AsyncRead + Unpin)) -> Result<u64, Fault> {
    let mut block = vec![0; BLOCK_BYTES];
    let mut total = 0;
    loop {
        match stream.read(&mut block).await? {
            0 => return Ok(total),
            count => total += count as u64,
        }
    }
}

async fn send_zeros(stream: &mut (impl AsyncWrite + Unpin), mut count: u64) -> Result<(), Fault> {
    let block = vec![0; BLOCK_BYTES];
    while count > 0 {
        let part = count.min(BLOCK_BYTES as u64);
        stream.write_all(&block[..part as usize]).await?;
        count -= part;
    }
    Ok(())
}

/// The byte sequence of the echo command: xorshift32, little-endian words.
fn pseudo_random(seed: u32, count: usize) -> Vec<u8> {
    let mut x = seed.max(1);
    let mut bytes = Vec::with_capacity(count + 3);
    while bytes.len() < count {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        bytes.extend(x.to_le_bytes());
    }
    bytes.truncate(count);
    bytes
}

/// Writes while it reads: the other side may stop reading when nobody takes its answer.
pub async fn echo(peer: &Peer, request: Request) -> Outcome {
    let id = peer.target(&request.addr, &request.peer_id).await?;
    let data = pseudo_random(request.seed, request.bytes);
    let start = Instant::now();
    let exchange = async {
        let (mut reader, mut writer) = peer.node.open(id, ECHO).await?.split();
        let write = async {
            for block in data.chunks(BLOCK_BYTES) {
                writer.write_all(block).await?;
            }
            writer.close().await
        };
        let mut back = Vec::with_capacity(data.len());
        let mut limited = (&mut reader).take(data.len() as u64 + 1);
        futures::try_join!(write, limited.read_to_end(&mut back))?;
        Ok::<_, Fault>(back)
    };
    let back = timeout(STREAM_BUDGET, exchange).await.map_err(|_| "the echo took too long")??;
    let took = ms(start);
    if back != data {
        return Err("echo differs from what was sent".into());
    }
    Ok(json!({ "ms": took, "bytes": back.len(), "sha256": hex::encode(Sha256::digest(&back)) }))
}

/// The client side of /perf/1.0.0, once.
pub async fn ask_perf(node: &Node, peer: PeerId, up: u64, down: u64) -> Result<(), Fault> {
    let mut stream = node.open(peer, PERF).await?;
    stream.write_all(&down.to_be_bytes()).await?;
    send_zeros(&mut stream, up).await?;
    stream.close().await?;
    if discard(&mut stream).await? != down {
        return Err("the download had the wrong length".into());
    }
    Ok(())
}

/// One request on a stream of its own.
pub async fn ask_rr(node: &Node, peer: PeerId) -> Result<(), Fault> {
    let mut stream = node.open(peer, RR).await?;
    let mut block = [0; RR_BYTES];
    stream.write_all(&block).await?;
    stream.flush().await?;
    stream.read_exact(&mut block).await?;
    Ok(stream.close().await?)
}

/// A number, eight times.
fn message_of(number: u64) -> [u8; MESSAGE_BYTES] {
    let mut message = [0; MESSAGE_BYTES];
    for part in message.chunks_exact_mut(8) {
        part.copy_from_slice(&number.to_be_bytes());
    }
    message
}

/// Keeps `depth` messages in flight on one stream of the echo protocol; each is a write of its own and has to come back
/// as it was. Gives the time that each took, in µs, and how long all took, in seconds.
pub async fn ask_messages(
    node: &Node,
    peer: PeerId,
    depth: usize,
    duration: Duration,
) -> Result<(Vec<f64>, f64), Fault> {
    let mut stream = node.open(peer, ECHO).await?;
    let mut block = vec![0; BLOCK_BYTES];
    let (mut have, mut next, mut back) = (0, 0, 0);
    let start = Instant::now();
    let mut sent = vec![start; depth]; // of the messages in flight, by number % depth
    let mut times = vec![];
    while next < depth as u64 {
        sent[next as usize] = Instant::now();
        stream.write_all(&message_of(next)).await?;
        next += 1;
    }
    while back < next {
        stream.flush().await?;
        let count = stream.read(&mut block[have..]).await?;
        if count == 0 {
            return Err("the echo ended early".into());
        }
        have += count;
        let mut answers = block[..have].chunks_exact(MESSAGE_BYTES);
        for answer in &mut answers {
            if back == next || answer != message_of(back) {
                return Err("a message came back changed".into());
            }
            let now = Instant::now();
            times.push((now - sent[back as usize % depth]).as_secs_f64() * 1e6);
            back += 1;
            if now - start < duration {
                sent[next as usize % depth] = now;
                stream.write_all(&message_of(next)).await?;
                next += 1;
            }
        }
        let rest = answers.remainder().len();
        block.copy_within(have - rest..have, 0);
        have = rest;
    }
    let seconds = start.elapsed().as_secs_f64();
    stream.close().await?;
    Ok((times, seconds))
}
