//! A running node: how its swarm is built, and what other tasks can ask of it.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use futures::StreamExt;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{NetworkBehaviour, Swarm, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, Transport, gossipsub, identify, kad as dht, noise, ping, swarm, tcp, tls, yamux,
};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::timeout;

use crate::contract::{Fault, Output};
use crate::driver::{Action, Driver};
use crate::flags::{Flags, Security};
use crate::streams::Opener;
use crate::{gossip, kad, services, streams};

const AGENT_VERSION: &str = "starling-interop-rust/1";
const DIAL_BUDGET: Duration = Duration::from_secs(20);
const IDENTIFY_BUDGET: Duration = Duration::from_secs(10);
const HANDSHAKE_BUDGET: Duration = Duration::from_secs(10);
const IDLE_FOREVER: Duration = Duration::from_secs(365 * 24 * 3600);
const STREAMS_MAX: usize = 4096;
const EVENT_BUFFER_COUNT: usize = 256;

#[derive(NetworkBehaviour)]
pub struct Behaviour {
    pub identify: identify::Behaviour,
    pub ping: ping::Behaviour,
    pub streams: streams::Behaviour,
    pub kad: Toggle<dht::Behaviour<dht::store::MemoryStore>>,
    pub gossip: Toggle<gossipsub::Behaviour>,
}

/// The node of the program, with what its commands keep between them.
pub struct Peer {
    pub node: Node,
    pub addrs: Vec<String>,
    pub security: Security,
    pub held: Mutex<Vec<Node>>,
}

impl Peer {
    pub async fn start(flags: Flags, output: Output) -> Result<Self, Fault> {
        let security = flags.security;
        let (node, addrs) = Node::start(flags, output).await?;
        Ok(Peer { node, addrs, security, held: Mutex::default() })
    }

    /// The peer of a command that takes `addr` or `peerId`; `addr` is dialled first.
    pub async fn target(&self, addr: &str, peer_id: &str) -> Result<PeerId, Fault> {
        if addr.is_empty() { Ok(peer_id.parse()?) } else { self.node.connect(addr).await }
    }
}

/// A handle on the task that drives a swarm. The task and all connections end with the last handle.
#[derive(Clone)]
pub struct Node {
    id: PeerId,
    actions: mpsc::UnboundedSender<Action>,
    opener: Opener,
}

impl Node {
    /// Gives the full addresses too, once every listener has said where it listens.
    pub async fn start(flags: Flags, output: Output) -> Result<(Self, Vec<String>), Fault> {
        let mut swarm = swarm(&flags)?;
        let addrs = listen(&mut swarm, &flags.listen).await?;
        let id = *swarm.local_peer_id();
        let opener = swarm.behaviour().streams.opener();
        let (actions, receiver) = mpsc::unbounded_channel();
        tokio::spawn(Driver::new(swarm, flags.kad, output).run(receiver));
        let full = addrs.into_iter().map(|addr| addr.with(Protocol::P2p(id)).to_string()).collect();
        Ok((Node { id, actions, opener }, full))
    }

    pub fn id(&self) -> PeerId {
        self.id
    }

    /// Runs the action on the task of the swarm.
    pub async fn act<R: Send + 'static>(
        &self,
        action: impl FnOnce(&mut Driver) -> R + Send + 'static,
    ) -> Result<R, Fault> {
        let (sender, receiver) = oneshot::channel();
        let boxed: Action = Box::new(move |driver| drop(sender.send(action(driver))));
        self.actions.send(boxed).map_err(|_| "the node has ended")?;
        Ok(receiver.await.map_err(|_| "the node has ended")?)
    }

    /// Connects to a full address (with /p2p); a connection that stands already is enough.
    pub async fn connect(&self, addr: &str) -> Result<PeerId, Fault> {
        let addr: Multiaddr = addr.parse()?;
        let Some(Protocol::P2p(peer)) = addr.iter().last() else {
            return Err(format!("{addr} does not end with /p2p").into());
        };
        let opts = DialOpts::peer_id(peer).condition(PeerCondition::Always).addresses(vec![addr]).build();
        let dialled = self.act(move |driver| driver.dial(peer, opts)).await?;
        timeout(DIAL_BUDGET, dialled).await.map_err(|_| "the dial took too long")???;
        Ok(peer)
    }

    /// What the peer has said on a connection that is open now.
    pub async fn identified(&self, peer: PeerId) -> Result<identify::Info, Fault> {
        let identified = self.act(move |driver| driver.identified(peer)).await??;
        let info = timeout(IDENTIFY_BUDGET, identified).await.map_err(|_| "no identify answer")?;
        Ok(info.map_err(|_| "the connection ended before identify")?)
    }

    pub async fn disconnect(&self, peer: PeerId) -> Result<(), Fault> {
        let closed = self.act(move |driver| driver.disconnect(peer)).await?;
        Ok(timeout(DIAL_BUDGET, closed).await.map_err(|_| "the connection does not end")??)
    }

    pub async fn open(&self, peer: PeerId, protocol: &'static str) -> Result<swarm::Stream, Fault> {
        self.opener.open(peer, swarm::StreamProtocol::new(protocol)).await
    }
}

fn swarm(flags: &Flags) -> Result<Swarm<Behaviour>, Fault> {
    let key = &flags.key;
    let id = key.public().to_peer_id();
    let behaviour = Behaviour {
        identify: identify::Behaviour::new(
            identify::Config::new("interop/1".into(), key.public()).with_agent_version(AGENT_VERSION.into()),
        ),
        ping: ping::Behaviour::default(),
        streams: streams::Behaviour::new(&services::SERVED, services::serve),
        kad: flags.kad.clone().map(|name| kad::behaviour(id, name, flags.kad_client)).transpose()?.into(),
        gossip: flags.topics.as_ref().map(|topics| gossip::behaviour(key, topics)).transpose()?.into(),
    };
    // A stream is used while its only protocol is still being agreed on, as go and js do.
    let config = swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_FOREVER)
        .with_substream_upgrade_protocol_override(Version::V1Lazy)
        .with_max_negotiating_inbound_streams(STREAMS_MAX)
        .with_notify_handler_buffer_size(NonZeroUsize::new(EVENT_BUFFER_COUNT).expect("not zero"))
        .with_per_connection_event_buffer_size(EVENT_BUFFER_COUNT);
    Ok(Swarm::new(transport(key, flags.security)?, behaviour, id, config))
}

fn transport(key: &Keypair, security: Security) -> Result<Boxed<(PeerId, StreamMuxerBox)>, Fault> {
    let mut muxer = yamux::Config::default();
    muxer.set_max_num_streams(STREAMS_MAX);
    let upgrade = tcp::tokio::Transport::new(tcp::Config::default()).upgrade(Version::V1Lazy);
    Ok(match security {
        Security::Noise => {
            upgrade.authenticate(noise::Config::new(key)?).multiplex(muxer).timeout(HANDSHAKE_BUDGET).boxed()
        }
        Security::Tls => {
            upgrade.authenticate(tls::Config::new(key)?).multiplex(muxer).timeout(HANDSHAKE_BUDGET).boxed()
        }
    })
}

/// Addresses of listeners are told to others as external ones too: the DHT sends only those to where it provides.
async fn listen(swarm: &mut Swarm<Behaviour>, wanted: &[String]) -> Result<Vec<Multiaddr>, Fault> {
    let mut open = HashSet::new();
    for addr in wanted {
        open.insert(swarm.listen_on(addr.parse()?)?);
    }
    let mut addrs = vec![];
    while !open.is_empty() {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr { listener_id, address } => {
                open.remove(&listener_id);
                swarm.add_external_address(address.clone());
                addrs.push(address);
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                return Err(format!("a listener ended: {reason:?}").into());
            }
            _ => {}
        }
    }
    Ok(addrs)
}
