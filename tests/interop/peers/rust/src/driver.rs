//! The task of a swarm: its events, and who waits for which.

use std::collections::HashMap;

use futures::StreamExt;
use libp2p::identify;
use libp2p::kad::{self, QueryId, QueryResult};
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, Swarm, SwarmEvent};
use libp2p::{PeerId, gossipsub};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::contract::{Fault, Output};
use crate::counter::Counter;
use crate::gossip;
use crate::node::{Behaviour, BehaviourEvent};

/// Work for the task of the swarm.
pub type Action = Box<dyn FnOnce(&mut Driver) + Send>;

pub type Taker = Box<dyn FnMut(&gossipsub::Message) + Send>;

type Dialled = Result<(), Fault>;

pub struct Driver {
    pub swarm: Swarm<Behaviour>,
    pub counter: Counter,
    /// Takes every message in the place of the counter and of events.
    pub taker: Option<Taker>,
    /// DHT messages that others have sent.
    pub dht_served: u64,
    /// Where the results of queries go; the channel ends with the query.
    pub queries: HashMap<QueryId, mpsc::UnboundedSender<QueryResult>>,
    output: Output,
    kad_name: Option<String>,
    dialling: HashMap<ConnectionId, (PeerId, oneshot::Sender<Dialled>)>,
    peers: HashMap<PeerId, identify::Info>,
    identifying: HashMap<PeerId, Vec<oneshot::Sender<identify::Info>>>,
    closing: HashMap<PeerId, Vec<oneshot::Sender<()>>>,
}

impl Driver {
    pub fn new(swarm: Swarm<Behaviour>, kad_name: Option<String>, output: Output) -> Self {
        Driver {
            swarm,
            counter: Counter::default(),
            taker: None,
            dht_served: 0,
            queries: HashMap::new(),
            output,
            kad_name,
            dialling: HashMap::new(),
            peers: HashMap::new(),
            identifying: HashMap::new(),
            closing: HashMap::new(),
        }
    }

    pub async fn run(mut self, mut actions: mpsc::UnboundedReceiver<Action>) {
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                action = actions.recv() => match action {
                    Some(action) => action(&mut self),
                    None => return,
                },
            }
        }
    }

    pub fn dial(&mut self, peer: PeerId, opts: DialOpts) -> oneshot::Receiver<Dialled> {
        let (sender, receiver) = oneshot::channel();
        if self.swarm.is_connected(&peer) {
            drop(sender.send(Ok(())));
            return receiver;
        }
        let connection = opts.connection_id();
        match self.swarm.dial(opts) {
            Ok(()) => drop(self.dialling.insert(connection, (peer, sender))),
            Err(error) => drop(sender.send(Err(error.into()))),
        }
        receiver
    }

    pub fn identified(&mut self, peer: PeerId) -> Result<oneshot::Receiver<identify::Info>, Fault> {
        if !self.swarm.is_connected(&peer) {
            return Err("not connected".into());
        }
        let (sender, receiver) = oneshot::channel();
        match self.peers.get(&peer) {
            Some(info) => drop(sender.send(info.clone())),
            None => self.identifying.entry(peer).or_default().push(sender),
        }
        Ok(receiver)
    }

    pub fn disconnect(&mut self, peer: PeerId) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        match self.swarm.disconnect_peer_id(peer) {
            Ok(()) => self.closing.entry(peer).or_default().push(sender),
            Err(()) => drop(sender.send(())),
        }
        receiver
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::ConnectionEstablished { peer_id, num_established, .. } => {
                self.on_connected(peer_id);
                if num_established.get() == 1 {
                    self.output.emit(json!({ "event": "peer:connect", "peerId": peer_id.to_string() }));
                }
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } => {
                self.peers.remove(&peer_id);
                self.identifying.remove(&peer_id);
                self.output.emit(json!({ "event": "peer:disconnect", "peerId": peer_id.to_string() }));
                for waiting in self.closing.remove(&peer_id).unwrap_or_default() {
                    let _ = waiting.send(());
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                if let Some((_, waiting)) = self.dialling.remove(&connection_id) {
                    drop(waiting.send(Err(error.into())));
                }
            }
            _ => {}
        }
    }

    /// Whoever has dialled first: a connection to the peer stands.
    fn on_connected(&mut self, peer: PeerId) {
        for (_, (_, waiting)) in self.dialling.extract_if(|_, (wanted, _)| *wanted == peer) {
            drop(waiting.send(Ok(())));
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Identify(identify::Event::Received { peer_id, info, .. }) => {
                self.on_identified(peer_id, info)
            }
            BehaviourEvent::Kad(kad::Event::InboundRequest { .. }) => self.dht_served += 1,
            BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed { id, result, step, .. }) => {
                // Who has heard enough has dropped the receiver.
                if let Some(waiting) = self.queries.get(&id) {
                    drop(waiting.send(result));
                }
                if step.last {
                    self.queries.remove(&id);
                }
            }
            BehaviourEvent::Gossip(gossipsub::Event::Message { message, .. }) => {
                if let Some(take) = &mut self.taker {
                    take(&message);
                } else if !self.counter.take(&message) {
                    self.output.emit(gossip::event(&message));
                }
            }
            _ => {}
        }
    }

    /// The DHT does not learn by itself where a peer that has dialled this node listens.
    fn on_identified(&mut self, peer: PeerId, info: identify::Info) {
        if let (Some(name), Some(kad)) = (&self.kad_name, self.swarm.behaviour_mut().kad.as_mut()) {
            if info.protocols.iter().any(|protocol| protocol.as_ref() == name) {
                for addr in &info.listen_addrs {
                    kad.add_address(&peer, addr.clone());
                }
            }
        }
        for waiting in self.identifying.remove(&peer).unwrap_or_default() {
            drop(waiting.send(info.clone()));
        }
        self.peers.insert(peer, info);
    }
}
