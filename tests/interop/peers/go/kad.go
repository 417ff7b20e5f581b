package main

import (
	"context"
	"encoding/hex"
	"errors"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	pb "github.com/libp2p/go-libp2p-kad-dht/pb"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	mh "github.com/multiformats/go-multihash"
)

const lookupBudget = 60 * time.Second

// anything accepts every record and prefers the first one seen.
type anything struct{}

func (anything) Validate(string, []byte) error        { return nil }
func (anything) Select(string, [][]byte) (int, error) { return 0, nil }

func newDHT(h host.Host, f flags, served *atomic.Int64) (*dht.IpfsDHT, error) {
	mode := dht.ModeServer
	if f.kadMode == "client" {
		mode = dht.ModeClient
	}
	return dht.New(h,
		dht.ProtocolPrefix("/interop"), // any but the public one, which insists on its own validators
		dht.V1ProtocolOverride(protocol.ID(f.kad)),
		dht.Mode(mode),
		dht.Validator(anything{}),
		dht.OnRequestHook(func(context.Context, network.Stream, *pb.Message) { served.Add(1) }),
	)
}

// recordKey takes `key` or `keyhex` of a command as raw bytes.
func recordKey(r request) ([]byte, error) {
	if r.KeyHex != nil {
		return hex.DecodeString(*r.KeyHex)
	}
	if r.Key == nil {
		return nil, errors.New("key or keyhex is needed")
	}
	return []byte(*r.Key), nil
}

// providerKey gives the multihash a provider command asks for; keyhex is taken as it stands.
func providerKey(r request) (cid.Cid, error) {
	raw, err := recordKey(r)
	if err != nil {
		return cid.Undef, err
	}
	hash := mh.Multihash(raw)
	if r.KeyHex == nil {
		if hash, err = mh.Sum(raw, mh.SHA2_256, -1); err != nil {
			return cid.Undef, err
		}
	}
	return cid.NewCidV1(cid.Raw, hash), nil
}

func (n *node) provide(ctx context.Context, r request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	key, err := providerKey(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupBudget)
	defer cancel()
	start := time.Now()
	if err := n.dht.Provide(ctx, key, true); err != nil {
		return nil, err
	}
	return fields{"providers": []string{n.host.ID().String()}, "ms": ms(start)}, nil
}

func (n *node) findProviders(ctx context.Context, r request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	key, err := providerKey(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupBudget)
	defer cancel()
	start := time.Now()
	found := []string{}
	for info := range n.dht.FindProvidersAsync(ctx, key, 0) {
		found = append(found, info.ID.String())
	}
	return fields{"providers": found, "ms": ms(start)}, nil
}

func (n *node) put(ctx context.Context, r request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	key, err := recordKey(r)
	if err != nil {
		return nil, err
	}
	value, err := hex.DecodeString(r.Value)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupBudget)
	defer cancel()
	start := time.Now()
	if err := n.dht.PutValue(ctx, string(key), value); err != nil {
		return nil, err
	}
	return fields{"ms": ms(start)}, nil
}

func (n *node) get(ctx context.Context, r request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	key, err := recordKey(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupBudget)
	defer cancel()
	start := time.Now()
	value, err := n.dht.GetValue(ctx, string(key))
	if err != nil {
		return nil, err
	}
	return fields{"value": hex.EncodeToString(value), "ms": ms(start)}, nil
}

func (n *node) findPeer(ctx context.Context, r request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	id, err := peer.Decode(r.PeerID)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookupBudget)
	defer cancel()
	start := time.Now()
	info, err := n.dht.FindPeer(ctx, id)
	if err != nil {
		return nil, err
	}
	return fields{"addrs": texts(info.Addrs), "ms": ms(start)}, nil
}

func (n *node) table(context.Context, request) (fields, error) {
	if n.dht == nil {
		return nil, errNoDHT
	}
	return fields{"size": n.dht.RoutingTable().Size()}, nil
}
