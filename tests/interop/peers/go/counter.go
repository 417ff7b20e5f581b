package main

import (
	"context"
	"encoding/binary"
	"math"
	"sort"
	"sync"
	"time"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
)

// tally counts messages while it is on; latencies come from the time in the first 8 bytes.
type tally struct {
	mu          sync.Mutex
	on          bool
	count       int
	bytes       int
	distinct    map[string]struct{}
	first, last int64
	latencies   []float64
}

// take says whether the message was counted, so that no event is to be written.
func (t *tally) take(m *pubsub.Message) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.on {
		return false
	}
	now := time.Now()
	if t.count == 0 {
		t.first = now.UnixMilli()
	}
	t.last = now.UnixMilli()
	t.count++
	t.bytes += len(m.Data)
	t.distinct[string(m.From)+string(m.Seqno)] = struct{}{}
	if len(m.Data) >= 8 {
		sent := math.Float64frombits(binary.BigEndian.Uint64(m.Data))
		t.latencies = append(t.latencies, float64(now.UnixNano())/1e6-sent)
	}
	return true
}

func (n *node) counter(_ context.Context, r request) (fields, error) {
	if n.chat == nil {
		return nil, errNoGossip
	}
	t := &n.chat.count
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.On {
		t.on, t.count, t.bytes, t.first, t.last = true, 0, 0, 0, 0
		t.distinct, t.latencies = map[string]struct{}{}, nil
		return nil, nil
	}
	t.on = false
	sort.Float64s(t.latencies)
	return fields{"count": t.count, "distinct": len(t.distinct), "bytes": t.bytes,
		"firstMs": t.first, "lastMs": t.last,
		"p50ms": quantile(t.latencies, 0.5), "p99ms": quantile(t.latencies, 0.99)}, nil
}
