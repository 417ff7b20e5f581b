package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/proto"
)

const (
	meshProtocol   protocol.ID = "/meshsub/1.1.0"
	rpcBytesMax                = 4 << 20
	strangerStay               = 5 * time.Second
	secp256k1Order             = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
)

// stranger is a throw-away host without a router that talks gossipsub by hand.
type stranger struct {
	host host.Host
	key  crypto.PrivKey
	peer peer.ID
	rpcs chan *pb.RPC
}

// newStranger has a fresh key of the node's own type, connects and reads what the peer sends it.
func (n *node) newStranger(ctx context.Context, addr string) (*stranger, error) {
	own, err := parseKey(n.flags.key)
	if err != nil {
		return nil, err
	}
	key, err := freshLike(own)
	if err != nil {
		return nil, err
	}
	h, err := newHost(key, n.flags.sec, nil)
	if err != nil {
		return nil, err
	}
	s := &stranger{host: h, key: key, rpcs: make(chan *pb.RPC, 1024)}
	h.SetStreamHandler(meshProtocol, s.read)
	if s.peer, err = dialFrom(ctx, h, addr); err != nil {
		h.Close()
		return nil, err
	}
	return s, nil
}

func (s *stranger) read(stream network.Stream) {
	in := bufio.NewReader(stream)
	for {
		size, err := binary.ReadUvarint(in)
		if err != nil || size > rpcBytesMax {
			return
		}
		body := make([]byte, size)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		rpc := &pb.RPC{}
		if proto.Unmarshal(body, rpc) == nil {
			s.rpcs <- rpc
		}
	}
}

func (s *stranger) send(ctx context.Context, rpc *pb.RPC) error {
	body, err := proto.Marshal(rpc)
	if err != nil {
		return err
	}
	stream, err := s.host.NewStream(ctx, s.peer, meshProtocol)
	if err != nil {
		return err
	}
	_, err = stream.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	return err
}

// publishRaw sends one message, built by hand. The mode says what is wrong with it; with `good` it
// has to arrive, which proves that the path works.
func (n *node) publishRaw(ctx context.Context, r request) (fields, error) {
	data, err := payload(r)
	if err != nil {
		return nil, err
	}
	s, err := n.newStranger(ctx, r.Addr)
	if err != nil {
		return nil, err
	}
	time.AfterFunc(strangerStay, func() { s.host.Close() })
	m, err := rawMessage(s.key, s.host.ID(), r.Topic, data, r.Mode)
	if err != nil {
		return nil, err
	}
	if err := s.send(ctx, &pb.RPC{Publish: []*pb.Message{m}}); err != nil {
		return nil, err
	}
	return fields{"from": s.host.ID().String(), "seqno": hex.EncodeToString(m.Seqno)}, nil
}

// fetchRaw asks for a message by the id from ‖ seqno with IWANT. It does so after the peer has opened
// its own stream, because an answer needs one.
func (n *node) fetchRaw(ctx context.Context, r request) (fields, error) {
	from, err := peer.Decode(r.From)
	if err != nil {
		return nil, err
	}
	seqno, err := hex.DecodeString(r.Seqno)
	if err != nil {
		return nil, err
	}
	s, err := n.newStranger(ctx, r.Addr)
	if err != nil {
		return nil, err
	}
	defer s.host.Close()
	stay := strangerStay
	if r.Seconds > 0 {
		stay = time.Duration(r.Seconds * float64(time.Second))
	}
	ctx, cancel := context.WithTimeout(ctx, stay)
	defer cancel()
	asked := false
	for {
		select {
		case rpc := <-s.rpcs:
			for _, m := range rpc.Publish {
				if string(m.From) == string(from) && string(m.Seqno) == string(seqno) {
					sum := sha256.Sum256(m.Data)
					return fields{"bytes": len(m.Data), "sha256": hex.EncodeToString(sum[:])}, nil
				}
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("no message for that id; the peer opened a stream: %v", asked)
		}
		if !asked {
			asked = true
			id := string(from) + string(seqno)
			want := &pb.ControlMessage{Iwant: []*pb.ControlIWant{{MessageIDs: []string{id}}}}
			if err := s.send(ctx, &pb.RPC{Control: want}); err != nil {
				return nil, err
			}
		}
	}
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
	switch mode {
	case "no-seqno":
		m.Seqno = nil
	case "short-seqno":
		m.Seqno = seqno[4:]
	}
	plain, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	if m.Signature, err = key.Sign(append([]byte("libp2p-pubsub:"), plain...)); err != nil {
		return nil, err
	}
	switch mode {
	case "good", "wrong-from", "no-seqno", "short-seqno":
	case "high-s":
		if m.Signature, err = withHighS(m.Signature); err != nil {
			return nil, err
		}
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

// withHighS gives the other valid form of a secp256k1 signature: s becomes n - s.
func withHighS(signature []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(signature, &pair); err != nil {
		return nil, err
	}
	order, _ := new(big.Int).SetString(secp256k1Order, 16)
	if pair.S.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		return nil, errors.New("the signature has a high s already")
	}
	pair.S.Sub(order, pair.S)
	return asn1.Marshal(pair)
}
