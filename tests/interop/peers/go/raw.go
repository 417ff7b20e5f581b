package main

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"
)

const meshProtocol protocol.ID = "/meshsub/1.1.0"

// publishRaw sends one message, built by hand, over a throw-away host that has no router. The mode
// says what is wrong with it; with `good` it has to arrive, which proves that the path works.
func (n *node) publishRaw(ctx context.Context, r request) (fields, error) {
	data, err := payload(r)
	if err != nil {
		return nil, err
	}
	key, err := parseKey(n.flags.key)
	if err != nil {
		return nil, err
	}
	key, err = freshLike(key)
	if err != nil {
		return nil, err
	}
	h, err := newHost(key, n.flags.sec, nil)
	if err != nil {
		return nil, err
	}
	h.SetStreamHandler(meshProtocol, func(s network.Stream) { io.Copy(io.Discard, s) })
	id, err := dialFrom(ctx, h, r.Addr)
	if err != nil {
		h.Close()
		return nil, err
	}
	m, err := rawMessage(key, h.ID(), r.Topic, data, r.Mode)
	if err != nil {
		h.Close()
		return nil, err
	}
	body, err := proto.Marshal(&pb.RPC{Publish: []*pb.Message{m}})
	if err != nil {
		h.Close()
		return nil, err
	}
	s, err := h.NewStream(ctx, id, meshProtocol)
	if err != nil {
		h.Close()
		return nil, err
	}
	if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...)); err != nil {
		h.Close()
		return nil, err
	}
	time.AfterFunc(5*time.Second, func() { h.Close() })
	return fields{"from": h.ID().String(), "seqno": hex.EncodeToString(m.Seqno)}, nil
}

// freshLike gives a new key of the same type.
func freshLike(key crypto.PrivKey) (crypto.PrivKey, error) {
	fresh, _, err := crypto.GenerateKeyPair(int(key.Type()), 0)
	return fresh, err
}

func rawMessage(key crypto.PrivKey, from peer.ID, topic string, data []byte, mode string) (*pb.Message, error) {
	seqno := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	m := &pb.Message{From: []byte(from), Data: data, Seqno: seqno, Topic: &topic}
	if mode == "wrong-from" { // signed by our key, but in the name of somebody else
		other, err := freshLike(key)
		if err != nil {
			return nil, err
		}
		id, err := peer.IDFromPrivateKey(other)
		if err != nil {
			return nil, err
		}
		m.From = []byte(id)
	}
	if mode == "no-seqno" {
		m.Seqno = nil
	}
	plain, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	if m.Signature, err = key.Sign(append([]byte("libp2p-pubsub:"), plain...)); err != nil {
		return nil, err
	}
	switch mode {
	case "good", "wrong-from", "no-seqno":
	case "no-signature":
		m.Signature = nil
	case "bad-signature":
		m.Signature[len(m.Signature)-1] ^= 1
	case "bad-data":
		m.Data = append([]byte("x"), data...)
	case "no-from":
		m.From = nil
	default:
		return nil, fmt.Errorf("unknown mode %q", mode)
	}
	return m, nil
}
