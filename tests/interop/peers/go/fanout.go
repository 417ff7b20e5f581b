package main

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	fanoutTopic  = "fanout"
	numberBytes  = 8
	controlCount = 1024 // room in queues for what is not a message
	linkBudget   = 30 * time.Second
	linkPoll     = 10 * time.Millisecond
	stall        = 10 * time.Second       // without a delivery for that long, the rest is lost
	linger       = 200 * time.Millisecond // what comes twice may come after everything else
)

// deliveries is what the subscribers of a fan-out got. take comes from the reader of each.
type deliveries struct {
	seen            [][]bool
	count, distinct atomic.Int64
	goal            atomic.Int64
	reached         chan time.Time
}

func newDeliveries(subscribers, messages int) *deliveries {
	d := &deliveries{seen: make([][]bool, subscribers), reached: make(chan time.Time, 1)}
	for i := range d.seen {
		d.seen[i] = make([]bool, messages)
	}
	return d
}

func (d *deliveries) take(subscriber int, data []byte) {
	d.count.Add(1)
	seen := d.seen[subscriber]
	if len(data) < numberBytes {
		return
	}
	number := binary.BigEndian.Uint64(data)
	if number >= uint64(len(seen)) || seen[number] {
		return
	}
	seen[number] = true
	if d.distinct.Add(1) == d.goal.Load() {
		d.reached <- time.Now()
	}
}

// aim comes before the publications; messages are those of each subscriber, all that came before included.
func (d *deliveries) aim(messages int) { d.goal.Store(int64(messages * len(d.seen))) }

// wait tells when the aim was reached, or the present when deliveries have ceased before.
func (d *deliveries) wait() time.Time {
	for before := int64(-1); before != d.count.Load(); {
		before = d.count.Load()
		select {
		case at := <-d.reached:
			return at
		case <-time.After(stall):
		}
	}
	return time.Now()
}

// fanout is a publisher and its subscribers, each with a host of its own.
type fanout struct {
	mesh  meshTracer
	hosts []host.Host
	topic *pubsub.Topic // of the publisher
}

func newFanout(ctx context.Context, sec string, subscribers, queue int, to *deliveries) (*fanout, error) {
	f := &fanout{}
	if err := f.publish(ctx, sec, queue); err != nil {
		return f, err
	}
	for i := range subscribers {
		if err := f.subscribe(ctx, sec, queue, func(data []byte) { to.take(i, data) }); err != nil {
			return f, err
		}
	}
	return f, f.link(ctx)
}

func (f *fanout) close() {
	for _, h := range f.hosts {
		h.Close()
	}
}

func (f *fanout) join(ctx context.Context, sec string, listen []string, queue int, mesh *meshTracer, more ...pubsub.Option) (*pubsub.Topic, error) {
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil {
		return nil, err
	}
	h, err := newHost(key, sec, listen)
	if err != nil {
		return nil, err
	}
	f.hosts = append(f.hosts, h)
	ps, err := newPubSub(ctx, h, queue, mesh, more...)
	if err != nil {
		return nil, err
	}
	return ps.Join(fanoutTopic)
}

// publish makes the publisher, who is in the mesh without reading. Who is not in its mesh has no other way to the
// messages, so it floods, as the other stacks do by default.
func (f *fanout) publish(ctx context.Context, sec string, queue int) (err error) {
	f.topic, err = f.join(ctx, sec, []string{"/ip4/127.0.0.1/tcp/0"}, queue, &f.mesh, pubsub.WithFloodPublish(true))
	if err != nil {
		return err
	}
	_, err = f.topic.Relay()
	return err
}

func (f *fanout) subscribe(ctx context.Context, sec string, queue int, take func([]byte)) error {
	topic, err := f.join(ctx, sec, nil, queue, &meshTracer{})
	if err != nil {
		return err
	}
	sub, err := topic.Subscribe(pubsub.WithBufferSize(queue))
	if err != nil {
		return err
	}
	go func() {
		for {
			m, err := sub.Next(ctx)
			if err != nil {
				return
			}
			take(m.Data)
		}
	}()
	return nil
}

// link ends when everyone is connected to the publisher, which knows it as a subscriber and has its mesh.
func (f *fanout) link(ctx context.Context) error {
	to := peer.AddrInfo{ID: f.hosts[0].ID(), Addrs: f.hosts[0].Addrs()}
	ctx, cancel := context.WithTimeout(ctx, linkBudget)
	defer cancel()
	wanted := len(f.hosts) - 1
	err := together(wanted, func(i int) error { return f.hosts[i+1].Connect(ctx, to) })
	if err != nil {
		return err
	}
	for len(f.topic.ListPeers()) < wanted || f.inMesh() < min(wanted, pubsub.GossipSubDlo) {
		if ctx.Err() != nil {
			return errors.New("the mesh does not come about")
		}
		time.Sleep(linkPoll)
	}
	return nil
}

func (f *fanout) inMesh() int { return len(f.mesh.peersOf(fanoutTopic)) }

// send publishes messages that carry their numbers.
func (f *fanout) send(ctx context.Context, from, to, size int) error {
	for number := from; number < to; number++ {
		data := make([]byte, max(size, numberBytes))
		binary.BigEndian.PutUint64(data, uint64(number))
		if err := f.topic.Publish(ctx, data); err != nil {
			return err
		}
	}
	return nil
}

// benchFanout counts after a warm-up. Queues hold every message of the run, so none is dropped.
func (n *node) benchFanout(ctx context.Context, r request) (fields, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := r.Warm + max(r.Count, 1)
	got := newDeliveries(max(r.N, 1), all)
	f, err := newFanout(ctx, n.flags.sec, max(r.N, 1), all+controlCount, got)
	defer f.close()
	if err != nil {
		return nil, err
	}
	if r.Warm > 0 {
		got.aim(r.Warm)
		if err := f.send(ctx, 0, r.Warm, r.Size); err != nil {
			return nil, err
		}
		got.wait()
	}
	count, distinct := got.count.Load(), got.distinct.Load()
	cpu, err := cpuMs()
	if err != nil {
		return nil, err
	}
	start := time.Now()
	got.aim(all)
	if err := f.send(ctx, r.Warm, all, r.Size); err != nil {
		return nil, err
	}
	seconds := got.wait().Sub(start).Seconds()
	after, err := cpuMs()
	if err != nil {
		return nil, err
	}
	time.Sleep(linger)
	return fields{"seconds": seconds, "deliveries": got.count.Load() - count, "distinct": got.distinct.Load() - distinct,
		"cpuMs": after - cpu, "mesh": f.inMesh()}, nil
}
