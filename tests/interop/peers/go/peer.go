package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

const agentVersion = "starling-interop-go/1"

// node is the running libp2p node with everything the commands touch.
type node struct {
	flags flags
	host  host.Host
	dht   *dht.IpfsDHT
	chat  *gossip

	dhtServed atomic.Int64 // DHT messages from others

	mu         sync.Mutex
	identified map[peer.ID]event.EvtPeerIdentificationCompleted
	held       []host.Host
}

func parseKey(s string) (crypto.PrivKey, error) {
	if s == "" {
		key, _, err := crypto.GenerateEd25519Key(nil)
		return key, err
	}
	kind, digits, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) != 32 {
		return nil, fmt.Errorf("--key needs 64 hex digits after the type")
	}
	switch kind {
	case "ed25519":
		key, _, err := crypto.GenerateEd25519Key(strings.NewReader(string(raw)))
		return key, err
	case "secp256k1":
		return crypto.UnmarshalSecp256k1PrivateKey(raw)
	}
	return nil, fmt.Errorf("unknown key type %q", kind)
}

// newHost builds a host without any limit; listen is empty for hosts that only dial.
func newHost(key crypto.PrivKey, sec string, listen []string) (host.Host, error) {
	opts := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.UserAgent(agentVersion),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionManager(connmgr.NullConnMgr{}),
		libp2p.DisableRelay(),
		libp2p.DisableMetrics(),
		libp2p.DisableIdentifyAddressDiscovery(),
		libp2p.Ping(true),
	}
	switch sec {
	case "noise":
		opts = append(opts, libp2p.Security(noise.ID, noise.New))
	case "tls":
		opts = append(opts, libp2p.Security(libp2ptls.ID, libp2ptls.New))
	default:
		return nil, fmt.Errorf("--sec must be noise or tls, not %q", sec)
	}
	if len(listen) == 0 {
		opts = append(opts, libp2p.NoListenAddrs)
	} else {
		opts = append(opts, libp2p.ListenAddrStrings(listen...))
	}
	return libp2p.New(opts...)
}

func newPeer(ctx context.Context, f flags, out *output) (*node, error) {
	key, err := parseKey(f.key)
	if err != nil {
		return nil, err
	}
	listen := f.listen
	if len(listen) == 1 && listen[0] == "none" {
		listen = nil
	}
	h, err := newHost(key, f.sec, listen)
	if err != nil {
		return nil, err
	}
	n := &node{flags: f, host: h, identified: map[peer.ID]event.EvtPeerIdentificationCompleted{}}
	if err := n.watchIdentify(); err != nil {
		return nil, err
	}
	watchConnections(h, out)
	serveStreams(h)
	if f.gossip {
		if n.chat, err = newGossip(ctx, h, f.topics, out); err != nil {
			return nil, err
		}
	}
	if f.kad != "" {
		if n.dht, err = newDHT(h, f, &n.dhtServed); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *node) watchIdentify() error {
	sub, err := n.host.EventBus().Subscribe(new(event.EvtPeerIdentificationCompleted), eventbus.BufSize(1024))
	if err != nil {
		return err
	}
	go func() {
		for e := range sub.Out() {
			done := e.(event.EvtPeerIdentificationCompleted)
			n.mu.Lock()
			n.identified[done.Peer] = done
			n.mu.Unlock()
		}
	}()
	return nil
}

// watchConnections tells when a peer gets its first and loses its last connection.
func watchConnections(h host.Host, out *output) {
	var mu sync.Mutex
	open := map[peer.ID]int{}
	count := func(id peer.ID, delta int, edge int, name string) {
		mu.Lock()
		defer mu.Unlock()
		open[id] += delta
		if open[id] == edge {
			out.emit(fields{"event": name, "peerId": id.String()})
		}
		if open[id] == 0 {
			delete(open, id)
		}
	}
	h.Network().Notify(&network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { count(c.RemotePeer(), 1, 1, "peer:connect") },
		DisconnectedF: func(_ network.Network, c network.Conn) { count(c.RemotePeer(), -1, 0, "peer:disconnect") },
	})
}

func (n *node) addrs() []string {
	all := []string{}
	for _, a := range n.host.Addrs() {
		all = append(all, a.String()+"/p2p/"+n.host.ID().String())
	}
	return all
}

// dial connects to a full address (with /p2p) and waits for identify.
func (n *node) dial(ctx context.Context, addr string) (peer.ID, error) {
	return dialFrom(ctx, n.host, addr)
}

func dialFrom(ctx context.Context, h host.Host, addr string) (peer.ID, error) {
	info, err := peer.AddrInfoFromString(addr)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return info.ID, h.Connect(ctx, *info)
}

// target gives the peer of a command that takes addr or peerId; addr is dialled first.
func (n *node) target(ctx context.Context, r request) (peer.ID, error) {
	if r.Addr != "" {
		return n.dial(ctx, r.Addr)
	}
	return peer.Decode(r.PeerID)
}

func texts(addrs []ma.Multiaddr) []string {
	all := []string{}
	for _, a := range addrs {
		all = append(all, a.String())
	}
	return all
}

func ids(peers []peer.ID) []string {
	all := []string{}
	for _, p := range peers {
		all = append(all, p.String())
	}
	return all
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }
