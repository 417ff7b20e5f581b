package main

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
)

const holdersAtOnce = 16

// dialer is a host with a key of its own that listens nowhere.
func (n *node) dialer() (host.Host, error) {
	key, _, err := crypto.GenerateEd25519Key(nil)
	if err != nil {
		return nil, err
	}
	return newHost(key, n.flags.sec, nil)
}

// together runs work in count goroutines and gives the first error.
func together(count int, work func(int) error) error {
	errs := make([]error, count)
	var wg sync.WaitGroup
	for i := range count {
		wg.Add(1)
		go func() {
			defer wg.Done()
			errs[i] = work(i)
		}()
	}
	wg.Wait()
	return errors.Join(errs...)
}

// benchHandshake counts connections that got as far as an identify answer.
func (n *node) benchHandshake(ctx context.Context, r request) (fields, error) {
	hosts := make([]host.Host, max(r.Dialers, 1))
	for i := range hosts {
		h, err := n.dialer()
		if err != nil {
			return nil, err
		}
		defer h.Close()
		hosts[i] = h
	}
	counts := make([]int, len(hosts))
	start := time.Now()
	end := start.Add(time.Duration(r.Seconds * float64(time.Second)))
	err := together(len(hosts), func(i int) error {
		for time.Now().Before(end) {
			id, err := dialFrom(ctx, hosts[i], r.Addr)
			if err != nil {
				return err
			}
			if err := hosts[i].Network().ClosePeer(id); err != nil {
				return err
			}
			counts[i]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	total := 0
	for _, c := range counts {
		total += c
	}
	return fields{"count": total, "perSec": float64(total) / time.Since(start).Seconds()}, nil
}

func (n *node) benchPerf(ctx context.Context, r request) (fields, error) {
	id, err := n.target(ctx, r)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	if err := askPerf(ctx, n.host, id, r.Up, r.Down); err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	return fields{"seconds": seconds, "gbps": float64(r.Up+r.Down) * 8 / 1e9 / seconds}, nil
}

// benchRR asks once before the clock starts, so that the protocol is known and negotiation is lazy.
func (n *node) benchRR(ctx context.Context, r request) (fields, error) {
	id, err := n.target(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := askRR(ctx, n.host, id); err != nil {
		return nil, err
	}
	times := make([][]float64, max(r.Depth, 1))
	start := time.Now()
	end := start.Add(time.Duration(r.Seconds * float64(time.Second)))
	err = together(len(times), func(i int) error {
		for {
			began := time.Now()
			if began.After(end) {
				return nil
			}
			if err := askRR(ctx, n.host, id); err != nil {
				return err
			}
			times[i] = append(times[i], float64(time.Since(began).Nanoseconds())/1000)
		}
	})
	if err != nil {
		return nil, err
	}
	seconds := time.Since(start).Seconds()
	all := []float64{}
	for _, t := range times {
		all = append(all, t...)
	}
	sort.Float64s(all)
	return fields{"perSec": float64(len(all)) / seconds, "p50us": quantile(all, 0.5), "p99us": quantile(all, 0.99)}, nil
}

func (n *node) benchStream(ctx context.Context, r request) (fields, error) {
	id, err := n.target(ctx, r)
	if err != nil {
		return nil, err
	}
	times, seconds, err := askMessages(ctx, n.host, id, max(r.Depth, 1), r.Seconds)
	if err != nil {
		return nil, err
	}
	slices.Sort(times)
	return fields{"perSec": float64(len(times)) / seconds, "p50us": quantile(times, 0.5), "p99us": quantile(times, 0.99)}, nil
}

// benchHold needs a host for each connection: one host keeps one connection to a peer.
func (n *node) benchHold(ctx context.Context, r request) (fields, error) {
	next := make(chan struct{}, r.N)
	for range r.N {
		next <- struct{}{}
	}
	close(next)
	opened := 0
	err := together(holdersAtOnce, func(int) error {
		for range next {
			h, err := n.dialer()
			if err != nil {
				return err
			}
			n.mu.Lock()
			n.held = append(n.held, h)
			n.mu.Unlock()
			if _, err := dialFrom(ctx, h, r.Addr); err != nil {
				return err
			}
			n.mu.Lock()
			opened++
			n.mu.Unlock()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fields{"n": opened}, nil
}

func (n *node) release(context.Context, request) (fields, error) {
	n.mu.Lock()
	held := n.held
	n.held = nil
	n.mu.Unlock()
	for _, h := range held {
		h.Close()
	}
	return fields{"n": len(held)}, nil
}

// benchPub relies on the deep outbound queues of newGossip: nothing is dropped below 2^20 messages.
func (n *node) benchPub(ctx context.Context, r request) (fields, error) {
	if n.chat == nil {
		return nil, errNoGossip
	}
	t, err := n.chat.topic(r.Topic)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	for range r.N {
		data := make([]byte, max(r.Size, 8))
		now := float64(time.Now().UnixNano()) / 1e6
		binary.BigEndian.PutUint64(data, math.Float64bits(now))
		if err := t.Publish(ctx, data); err != nil {
			return nil, err
		}
	}
	return fields{"seconds": time.Since(start).Seconds()}, nil
}
