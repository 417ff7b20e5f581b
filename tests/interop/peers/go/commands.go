package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

// commands is the table of everything the contract names, and the extensions of the README.
func (n *node) commands() map[string]command {
	return map[string]command{
		"connect":         n.connect,
		"disconnect":      n.disconnect,
		"identify":        n.identify,
		"ping":            n.ping,
		"peers":           n.peers,
		"subscribe":       n.subscribe,
		"publish":         n.publish,
		"publish-raw":     n.publishRaw,
		"fetch-raw":       n.fetchRaw,
		"meshpeers":       n.meshPeers,
		"provide":         n.provide,
		"findproviders":   n.findProviders,
		"put":             n.put,
		"get":             n.get,
		"findpeer":        n.findPeer,
		"table":           n.table,
		"echo":            n.echo,
		"bench-handshake": n.benchHandshake,
		"bench-perf":      n.benchPerf,
		"bench-rr":        n.benchRR,
		"bench-stream":    n.benchStream,
		"bench-hold":      n.benchHold,
		"release":         n.release,
		"bench-pub":       n.benchPub,
		"bench-fanout":    n.benchFanout,
		"counter":         n.counter,
		"stats":           n.stats,
	}
}

func (n *node) connect(ctx context.Context, r request) (fields, error) {
	start := time.Now()
	id, err := n.dial(ctx, r.Addr)
	if err != nil {
		return nil, err
	}
	return fields{"peerId": id.String(), "ms": ms(start)}, nil
}

func (n *node) disconnect(_ context.Context, r request) (fields, error) {
	id, err := peer.Decode(r.PeerID)
	if err != nil {
		return nil, err
	}
	return nil, n.host.Network().ClosePeer(id)
}

// identify answers with what the remote said on a connection that is open now.
func (n *node) identify(ctx context.Context, r request) (fields, error) {
	id, err := peer.Decode(r.PeerID)
	if err != nil {
		return nil, err
	}
	if n.host.Network().Connectedness(id) != network.Connected {
		return nil, errors.New("not connected")
	}
	deadline := time.Now().Add(10 * time.Second)
	for {
		n.mu.Lock()
		done, ok := n.identified[id]
		n.mu.Unlock()
		if ok {
			protocols := []string{}
			for _, p := range done.Protocols {
				protocols = append(protocols, string(p))
			}
			observed := ""
			if done.ObservedAddr != nil {
				observed = done.ObservedAddr.String()
			}
			return fields{"agent": done.AgentVersion, "protocols": protocols,
				"addrs": texts(done.ListenAddrs), "observed": observed}, nil
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return nil, errors.New("no identify answer")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (n *node) ping(ctx context.Context, r request) (fields, error) {
	id, err := peer.Decode(r.PeerID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := ping.Ping(ctx, n.host, id)
	times := []float64{}
	for len(times) < max(r.N, 1) {
		select {
		case one, ok := <-results:
			if !ok {
				return nil, errors.New("the ping stream ended")
			}
			if one.Error != nil {
				return nil, one.Error
			}
			times = append(times, float64(one.RTT.Nanoseconds())/1000)
		case <-time.After(20 * time.Second):
			return nil, fmt.Errorf("no answer to ping %d", len(times)+1)
		}
	}
	sort.Float64s(times)
	return fields{"p50us": quantile(times, 0.5), "p99us": quantile(times, 0.99), "minUs": times[0]}, nil
}

func (n *node) peers(context.Context, request) (fields, error) {
	return fields{"peers": ids(n.host.Network().Peers())}, nil
}

// quantile takes sorted values; an empty list gives 0.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
