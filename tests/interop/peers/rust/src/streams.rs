//! Streams of the contract's own protocols. libp2p-stream, which serves such streams too, negotiates one outbound
//! stream at a time and drops an inbound one while the application has not yet taken the one before; requests
//! in flight side by side, as the benchmarks have them, need neither.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, Stream, StreamProtocol, SubstreamProtocol, THandlerInEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::{mpsc, oneshot};

use crate::contract::Fault;

/// What a connection is asked for: a protocol, and where the stream goes.
type Wanted = (StreamProtocol, oneshot::Sender<io::Result<Stream>>);
type Connections = HashMap<PeerId, Vec<(ConnectionId, mpsc::UnboundedSender<Wanted>)>>;

/// Opens streams on the connections that the behaviour knows, from any task.
#[derive(Clone, Default)]
pub struct Opener(Arc<Mutex<Connections>>);

impl Opener {
    pub async fn open(&self, peer: PeerId, protocol: StreamProtocol) -> Result<Stream, Fault> {
        let (sender, receiver) = oneshot::channel();
        {
            let connections = self.lock();
            let (_, handler) = connections.get(&peer).and_then(|all| all.first()).ok_or("not connected")?;
            handler.send((protocol, sender)).map_err(|_| "the connection is gone")?;
        }
        Ok(receiver.await.map_err(|_| "the connection ended")??)
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().expect("no holder of the lock panics")
    }
}

/// Gets every inbound stream of a served protocol, on the task of its connection.
pub type Serve = fn(StreamProtocol, Stream);

pub struct Behaviour {
    served: Arc<[StreamProtocol]>,
    serve: Serve,
    opener: Opener,
}

impl Behaviour {
    pub fn new(served: &[StreamProtocol], serve: Serve) -> Self {
        Behaviour { served: served.into(), serve, opener: Opener::default() }
    }

    pub fn opener(&self) -> Opener {
        self.opener.clone()
    }

    fn handler(&self, id: ConnectionId, peer: PeerId) -> Handler {
        let (sender, wanted) = mpsc::unbounded_channel();
        self.opener.lock().entry(peer).or_default().push((id, sender));
        Handler { served: self.served.clone(), serve: self.serve, wanted }
    }

    fn forget(&self, id: ConnectionId, peer: PeerId) {
        let mut connections = self.opener.lock();
        if let Some(all) = connections.get_mut(&peer) {
            all.retain(|(known, _)| *known != id);
            if all.is_empty() {
                connections.remove(&peer);
            }
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Infallible;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(id, peer))
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        Ok(self.handler(id, peer))
    }

    fn on_swarm_event(&mut self, event: FromSwarm) {
        if let FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, .. }) = event {
            self.forget(connection_id, peer_id);
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: Infallible) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Infallible, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

pub struct Handler {
    served: Arc<[StreamProtocol]>,
    serve: Serve,
    wanted: mpsc::UnboundedReceiver<Wanted>,
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Infallible;
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = oneshot::Sender<io::Result<Stream>>;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade> {
        SubstreamProtocol::new(Upgrade(self.served.to_vec()), ())
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, Self::OutboundOpenInfo, Infallible>> {
        match self.wanted.poll_recv(cx) {
            Poll::Ready(Some((protocol, sender))) => {
                Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                    protocol: SubstreamProtocol::new(Upgrade(vec![protocol]), sender),
                })
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<Upgrade, Upgrade, (), Self::OutboundOpenInfo>) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: (protocol, stream),
                ..
            }) => (self.serve)(protocol, stream),
            // Who does not wait for the stream any more has dropped the receiver: the stream is dropped too.
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: (_, stream),
                info: sender,
            }) => drop(sender.send(Ok(stream))),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: sender, error }) => {
                drop(sender.send(Err(io::Error::other(error.to_string()))))
            }
            _ => {}
        }
    }
}

/// Gives the stream as it is, together with the protocol that was agreed on.
pub struct Upgrade(Vec<StreamProtocol>);

impl UpgradeInfo for Upgrade {
    type Info = StreamProtocol;
    type InfoIter = std::vec::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Upgrade {
    type Output = (StreamProtocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}

impl OutboundUpgrade<Stream> for Upgrade {
    type Output = (StreamProtocol, Stream);
    type Error = Infallible;
    type Future = Ready<Result<Self::Output, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, protocol: StreamProtocol) -> Self::Future {
        ready(Ok((protocol, stream)))
    }
}
