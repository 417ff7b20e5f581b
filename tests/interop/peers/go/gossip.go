package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	queueCount    = 1 << 20
	textBytesMax  = 256
	publishBudget = 30 * time.Second
)

// gossip is the pubsub side of the node: joined topics, the mesh as traced, and the counter.
type gossip struct {
	meshTracer
	ps    *pubsub.PubSub
	out   *output
	count tally

	mu     sync.Mutex
	topics map[string]*pubsub.Topic
	subs   map[string]*pubsub.Subscription
}

// newGossip keeps the message id of this module's default, which is from ‖ seqno.
func newGossip(ctx context.Context, h host.Host, topics []string, out *output) (*gossip, error) {
	g := &gossip{out: out, topics: map[string]*pubsub.Topic{}, subs: map[string]*pubsub.Subscription{}}
	ps, err := newPubSub(ctx, h, queueCount, &g.meshTracer,
		pubsub.WithDefaultValidator(noteSeqno, pubsub.WithValidatorInline(true)))
	if err != nil {
		return nil, err
	}
	g.ps = ps
	for _, t := range topics {
		if err := g.subscribe(ctx, t); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// newPubSub drops nothing as long as no more than queue messages wait anywhere.
func newPubSub(ctx context.Context, h host.Host, queue int, mesh *meshTracer, more ...pubsub.Option) (*pubsub.PubSub, error) {
	return pubsub.NewGossipSub(ctx, h, append([]pubsub.Option{
		pubsub.WithMessageSignaturePolicy(pubsub.StrictSign),
		pubsub.WithPeerOutboundQueueSize(queue),
		pubsub.WithValidateQueueSize(queue),
		pubsub.WithRawTracer(mesh),
	}, more...)...)
}

// published travels as validator data of a local message, so that publish can tell its seqno.
type published struct{ seqno []byte }

func noteSeqno(_ context.Context, _ peer.ID, m *pubsub.Message) bool {
	if note, ok := m.ValidatorData.(*published); ok {
		note.seqno = m.GetSeqno()
	}
	return true
}

func (g *gossip) topic(name string) (*pubsub.Topic, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t, ok := g.topics[name]; ok {
		return t, nil
	}
	t, err := g.ps.Join(name)
	if err != nil {
		return nil, err
	}
	g.topics[name] = t
	return t, nil
}

func (g *gossip) subscribe(ctx context.Context, name string) error {
	t, err := g.topic(name)
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.subs[name] != nil {
		return nil
	}
	sub, err := t.Subscribe(pubsub.WithBufferSize(queueCount))
	if err != nil {
		return err
	}
	g.subs[name] = sub
	go g.read(ctx, sub)
	return nil
}

func (g *gossip) read(ctx context.Context, sub *pubsub.Subscription) {
	for {
		m, err := sub.Next(ctx)
		if err != nil {
			return
		}
		if m.Local || m.ValidatorData != nil || g.count.take(m) {
			continue
		}
		sum := sha256.Sum256(m.Data)
		f := fields{"event": "msg", "topic": m.GetTopic(), "from": m.GetFrom().String(),
			"seqno": hex.EncodeToString(m.GetSeqno()), "bytes": len(m.Data),
			"sha256": hex.EncodeToString(sum[:]), "t": time.Now().UnixMilli()}
		if len(m.Data) <= textBytesMax && utf8.Valid(m.Data) {
			f["text"] = string(m.Data)
		}
		g.out.emit(f)
	}
}

func (n *node) subscribe(ctx context.Context, r request) (fields, error) {
	if n.chat == nil {
		return nil, errNoGossip
	}
	return nil, n.chat.subscribe(context.WithoutCancel(ctx), r.Topic)
}

func (n *node) publish(ctx context.Context, r request) (fields, error) {
	if n.chat == nil {
		return nil, errNoGossip
	}
	data, err := payload(r)
	if err != nil {
		return nil, err
	}
	t, err := n.chat.topic(r.Topic)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, publishBudget)
	defer cancel()
	note := &published{}
	if err := t.Publish(ctx, data, pubsub.WithValidatorData(note)); err != nil {
		return nil, err
	}
	return fields{"seqno": hex.EncodeToString(note.seqno)}, nil
}

// payload takes `text` or `hex` of a command.
func payload(r request) ([]byte, error) {
	if r.Text != nil {
		return []byte(*r.Text), nil
	}
	if r.Hex == nil {
		return nil, errors.New("text or hex is needed")
	}
	return hex.DecodeString(*r.Hex)
}

func (n *node) meshPeers(_ context.Context, r request) (fields, error) {
	if n.chat == nil {
		return nil, errNoGossip
	}
	return fields{"peers": ids(n.chat.peersOf(r.Topic))}, nil
}

// meshTracer follows GRAFT and PRUNE, because the router does not show its mesh.
type meshTracer struct {
	meshMu sync.Mutex
	mesh   map[string]map[peer.ID]bool
}

func (t *meshTracer) peersOf(topic string) []peer.ID {
	t.meshMu.Lock()
	defer t.meshMu.Unlock()
	all := []peer.ID{}
	for p := range t.mesh[topic] {
		all = append(all, p)
	}
	return all
}

func (t *meshTracer) Graft(p peer.ID, topic string) {
	t.meshMu.Lock()
	defer t.meshMu.Unlock()
	if t.mesh == nil {
		t.mesh = map[string]map[peer.ID]bool{}
	}
	if t.mesh[topic] == nil {
		t.mesh[topic] = map[peer.ID]bool{}
	}
	t.mesh[topic][p] = true
}

func (t *meshTracer) Prune(p peer.ID, topic string) {
	t.meshMu.Lock()
	defer t.meshMu.Unlock()
	delete(t.mesh[topic], p)
}

func (t *meshTracer) Leave(topic string) {
	t.meshMu.Lock()
	defer t.meshMu.Unlock()
	delete(t.mesh, topic)
}

func (t *meshTracer) OnClosedOutboundStream(p peer.ID) {
	t.meshMu.Lock()
	defer t.meshMu.Unlock()
	for _, peers := range t.mesh {
		delete(peers, p)
	}
}

func (t *meshTracer) OnNewOutboundStream(peer.ID, protocol.ID)             {}
func (t *meshTracer) Join(string)                                          {}
func (t *meshTracer) ValidateMessage(*pubsub.Message)                      {}
func (t *meshTracer) DeliverMessage(*pubsub.Message)                       {}
func (t *meshTracer) RejectMessage(*pubsub.Message, string)                {}
func (t *meshTracer) DuplicateMessage(*pubsub.Message)                     {}
func (t *meshTracer) ThrottlePeer(peer.ID)                                 {}
func (t *meshTracer) RecvRPC(*pubsub.RPC)                                  {}
func (t *meshTracer) SendRPC(*pubsub.RPC, peer.ID)                         {}
func (t *meshTracer) SendRPCCompleted(*pubsub.RPC, peer.ID, time.Duration) {}
func (t *meshTracer) DropRPC(*pubsub.RPC, peer.ID)                         {}
func (t *meshTracer) UndeliverableMessage(*pubsub.Message)                 {}
