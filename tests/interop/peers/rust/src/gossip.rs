//! Gossipsub and its commands.

use std::time::Duration;

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, Message, MessageAuthenticity, MessageId, PublishError, TopicHash,
    ValidationMode,
};
use libp2p::identity::Keypair;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::contract::{Fault, NO_GOSSIP, Outcome, Request};
use crate::counter::epoch_ms;
use crate::driver::Driver;
use crate::node::Peer;

const MESSAGE_BYTES_MAX: usize = 4 << 20;
const QUEUE_COUNT: usize = 1 << 20;
const QUEUE_STAY: Duration = Duration::from_secs(120);
const TEXT_BYTES_MAX: usize = 256;
const SEQNO_BYTES: usize = 8;

/// Nothing that is accepted is dropped later: queues are deep, and a message may wait long in them.
pub fn behaviour(key: &Keypair, topics: &[String]) -> Result<Behaviour, Fault> {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Strict)
        .message_id_fn(message_id)
        .max_transmit_size(MESSAGE_BYTES_MAX)
        .connection_handler_queue_len(QUEUE_COUNT)
        .publish_queue_duration(QUEUE_STAY)
        .forward_queue_duration(QUEUE_STAY)
        .build()?;
    let mut behaviour = Behaviour::new(MessageAuthenticity::Signed(key.clone()), config)?;
    for topic in topics {
        behaviour.subscribe(&IdentTopic::new(topic))?;
    }
    Ok(behaviour)
}

/// from ‖ seqno, as the other implementations have it.
fn message_id(message: &Message) -> MessageId {
    let mut id = message.source.map(|source| source.to_bytes()).unwrap_or_default();
    id.extend(message.sequence_number.unwrap_or_default().to_be_bytes());
    id.into()
}

/// The msg event.
pub fn event(message: &Message) -> Value {
    let mut line = json!({
        "event": "msg",
        "topic": message.topic.as_str(),
        "from": message.source.map(|source| source.to_string()),
        "seqno": message.sequence_number.map(|seqno| hex::encode(seqno.to_be_bytes())),
        "bytes": message.data.len(),
        "sha256": hex::encode(Sha256::digest(&message.data)),
        "t": epoch_ms() as u64,
    });
    if message.data.len() <= TEXT_BYTES_MAX {
        if let Ok(text) = std::str::from_utf8(&message.data) {
            line["text"] = text.into();
        }
    }
    line
}

pub fn gossip_of(driver: &mut Driver) -> Result<&mut Behaviour, Fault> {
    Ok(driver.swarm.behaviour_mut().gossip.as_mut().ok_or(NO_GOSSIP)?)
}

pub async fn subscribe(peer: &Peer, request: Request) -> Outcome {
    let topic = IdentTopic::new(request.topic);
    peer.node.act(move |driver| Ok::<_, Fault>(gossip_of(driver)?.subscribe(&topic)?)).await??;
    Ok(json!({}))
}

/// Where nobody listens rust-libp2p refuses to publish; for the others that is a message that reaches nobody.
pub async fn publish(peer: &Peer, request: Request) -> Outcome {
    let data = match (request.text, request.hex) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(digits)) => hex::decode(digits)?,
        (None, None) => return Err("text or hex is needed".into()),
    };
    let topic = TopicHash::from_raw(request.topic);
    let publish = move |driver: &mut Driver| Ok::<_, Fault>(gossip_of(driver)?.publish(topic, data));
    match peer.node.act(publish).await?? {
        Ok(id) => Ok(json!({ "seqno": hex::encode(&id.0[id.0.len() - SEQNO_BYTES..]) })),
        Err(PublishError::NoPeersSubscribedToTopic) => Ok(json!({})),
        Err(error) => Err(error.into()),
    }
}

pub async fn mesh_peers(peer: &Peer, request: Request) -> Outcome {
    let topic = TopicHash::from_raw(request.topic);
    let list = move |driver: &mut Driver| {
        let all = gossip_of(driver)?.mesh_peers(&topic).map(|id| id.to_string());
        Ok::<Vec<String>, Fault>(all.collect())
    };
    Ok(json!({ "peers": peer.node.act(list).await?? }))
}
