//! The DHT and its commands.

use std::collections::BTreeSet;
use std::time::Instant;

use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{
    Behaviour, Config, GetClosestPeersError, GetProvidersOk, GetRecordOk, Mode, QueryId, QueryResult, Quorum,
    Record, RecordKey,
};
use libp2p::swarm::StreamProtocol;
use libp2p::{PeerId, identify};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use crate::commands::ms;
use crate::contract::{Fault, NO_DHT, Outcome, Request};
use crate::driver::Driver;
use crate::node::Peer;

const RECORDS_MAX: usize = 1 << 20;
const VALUE_BYTES_MAX: usize = 64 << 10;
const PROVIDERS_PER_KEY_MAX: usize = 1 << 10;
const SHA2_256: [u8; 2] = [0x12, 0x20];

/// The store takes every record, whatever its namespace, and every address.
pub fn behaviour(id: PeerId, name: String, client: bool) -> Result<Behaviour<MemoryStore>, Fault> {
    let store = MemoryStore::with_config(
        id,
        MemoryStoreConfig {
            max_records: RECORDS_MAX,
            max_value_bytes: VALUE_BYTES_MAX,
            max_providers_per_key: PROVIDERS_PER_KEY_MAX,
            max_provided_keys: RECORDS_MAX,
        },
    );
    let config = Config::new(StreamProtocol::try_from_owned(name)?);
    let mut behaviour = Behaviour::with_config(id, store, config);
    behaviour.set_mode(Some(if client { Mode::Client } else { Mode::Server }));
    Ok(behaviour)
}

/// `key` or `keyhex` of a command as raw bytes.
fn record_key(request: &Request) -> Result<Vec<u8>, Fault> {
    if let Some(digits) = &request.keyhex {
        return Ok(hex::decode(digits)?);
    }
    Ok(request.key.as_ref().ok_or("key or keyhex is needed")?.as_bytes().to_vec())
}

/// The multihash that a provider command asks for; keyhex is taken as it stands.
fn provider_key(request: &Request) -> Result<RecordKey, Fault> {
    let raw = record_key(request)?;
    if request.keyhex.is_some() {
        return Ok(raw.into());
    }
    Ok([&SHA2_256[..], &Sha256::digest(&raw)].concat().into())
}

/// Starts a query; its results come through the channel, which ends with it.
async fn query(
    peer: &Peer,
    start: impl FnOnce(&mut Behaviour<MemoryStore>) -> Result<QueryId, Fault> + Send + 'static,
) -> Result<mpsc::UnboundedReceiver<QueryResult>, Fault> {
    let begin = move |driver: &mut Driver| {
        let kad = driver.swarm.behaviour_mut().kad.as_mut().ok_or(NO_DHT)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        driver.queries.insert(start(kad)?, sender);
        Ok(receiver)
    };
    peer.node.act(begin).await?
}

pub async fn provide(peer: &Peer, request: Request) -> Outcome {
    let key = provider_key(&request)?;
    let start = Instant::now();
    let mut results = query(peer, |kad| Ok(kad.start_providing(key)?)).await?;
    while let Some(result) = results.recv().await {
        if let QueryResult::StartProviding(ended) = result {
            ended?;
        }
    }
    Ok(json!({ "providers": [peer.node.id().to_string()], "ms": ms(start) }))
}

pub async fn find_providers(peer: &Peer, request: Request) -> Outcome {
    let key = provider_key(&request)?;
    let start = Instant::now();
    let mut results = query(peer, |kad| Ok(kad.get_providers(key))).await?;
    let mut found = BTreeSet::new();
    while let Some(result) = results.recv().await {
        if let QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) = result {
            found.extend(providers.iter().map(PeerId::to_string));
        }
    }
    Ok(json!({ "providers": found, "ms": ms(start) }))
}

pub async fn put(peer: &Peer, request: Request) -> Outcome {
    let record = Record::new(record_key(&request)?, hex::decode(&request.value)?);
    let start = Instant::now();
    let mut results = query(peer, |kad| Ok(kad.put_record(record, Quorum::One)?)).await?;
    while let Some(result) = results.recv().await {
        if let QueryResult::PutRecord(ended) = result {
            ended?;
        }
    }
    Ok(json!({ "ms": ms(start) }))
}

/// The first record is the answer; the query is not followed further.
pub async fn get(peer: &Peer, request: Request) -> Outcome {
    let key: RecordKey = record_key(&request)?.into();
    let start = Instant::now();
    let mut results = query(peer, |kad| Ok(kad.get_record(key))).await?;
    while let Some(result) = results.recv().await {
        if let QueryResult::GetRecord(found) = result {
            if let GetRecordOk::FoundRecord(found) = found? {
                return Ok(json!({ "value": hex::encode(&found.record.value), "ms": ms(start) }));
            }
        }
    }
    Err("the record was not found".into())
}

/// rust-libp2p has no lookup of one peer: who is looked for is the closest one to its own id, if it exists.
/// A peer that is connected has told its addresses already.
pub async fn find_peer(peer: &Peer, request: Request) -> Outcome {
    let wanted: PeerId = request.peer_id.parse()?;
    let start = Instant::now();
    if let Ok(identify::Info { listen_addrs, .. }) = peer.node.identified(wanted).await {
        return Ok(json!({ "addrs": listen_addrs, "ms": ms(start) }));
    }
    let mut results = query(peer, move |kad| Ok(kad.get_closest_peers(wanted))).await?;
    while let Some(result) = results.recv().await {
        if let QueryResult::GetClosestPeers(ended) = result {
            let peers = match ended {
                Ok(found) => found.peers,
                Err(GetClosestPeersError::Timeout { peers, .. }) => peers,
            };
            if let Some(found) = peers.into_iter().find(|found| found.peer_id == wanted) {
                return Ok(json!({ "addrs": found.addrs, "ms": ms(start) }));
            }
        }
    }
    Err("the peer was not found".into())
}

pub async fn table(peer: &Peer) -> Outcome {
    let count = |driver: &mut Driver| {
        let kad = driver.swarm.behaviour_mut().kad.as_mut().ok_or(NO_DHT)?;
        Ok::<_, Fault>(kad.kbuckets().map(|bucket| bucket.num_entries()).sum::<usize>())
    };
    Ok(json!({ "size": peer.node.act(count).await?? }))
}
