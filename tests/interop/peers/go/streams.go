package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

const (
	echoProtocol protocol.ID = "/echo/1.0.0"
	rrProtocol   protocol.ID = "/rr/1.0.0"
	perfProtocol protocol.ID = "/perf/1.0.0"

	blockBytes   = 64 << 10
	rrBytes      = 64
	messageBytes = 64
	streamBudget = 120 * time.Second
)

func serveStreams(h host.Host) {
	h.SetStreamHandler(echoProtocol, finish(func(s network.Stream) error {
		_, err := io.CopyBuffer(struct{ io.Writer }{s}, struct{ io.Reader }{s}, make([]byte, blockBytes))
		return err
	}))
	h.SetStreamHandler(rrProtocol, finish(func(s network.Stream) error {
		var block [rrBytes]byte
		if _, err := io.ReadFull(s, block[:]); err != nil {
			return err
		}
		_, err := s.Write(block[:])
		return err
	}))
	h.SetStreamHandler(perfProtocol, finish(servePerf))
}

// finish resets a stream whose handler failed and closes it otherwise.
func finish(handle func(network.Stream) error) network.StreamHandler {
	return func(s network.Stream) {
		if err := handle(s); err != nil {
			s.Reset()
			return
		}
		s.Close()
	}
}

func servePerf(s network.Stream) error {
	var head [8]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return err
	}
	if _, err := discard(s); err != nil {
		return err
	}
	return sendZeros(s, binary.BigEndian.Uint64(head[:]))
}

func discard(r io.Reader) (uint64, error) {
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r}, make([]byte, blockBytes))
	return uint64(n), err
}

func sendZeros(w io.Writer, count uint64) error {
	block := make([]byte, blockBytes)
	for count > 0 {
		n := min(count, blockBytes)
		if _, err := w.Write(block[:n]); err != nil {
			return err
		}
		count -= n
	}
	return nil
}

// pseudoRandom is the byte sequence of the echo command: xorshift32, little-endian words.
func pseudoRandom(seed uint32, count int) []byte {
	x := seed
	if x == 0 {
		x = 1
	}
	out := make([]byte, (count+3)/4*4)
	for i := 0; i < len(out); i += 4 {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		binary.LittleEndian.PutUint32(out[i:], x)
	}
	return out[:count]
}

// echo writes while it reads: the other side may stop reading when nobody takes its answer.
func (n *node) echo(ctx context.Context, r request) (fields, error) {
	id, err := n.target(ctx, r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, streamBudget)
	defer cancel()
	data := pseudoRandom(r.Seed, r.Bytes)
	start := time.Now()
	s, err := n.host.NewStream(ctx, id, echoProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	s.SetDeadline(time.Now().Add(streamBudget))
	wrote := make(chan error, 1)
	go func() {
		for rest := data; len(rest) > 0; {
			k := min(len(rest), blockBytes)
			if _, err := s.Write(rest[:k]); err != nil {
				wrote <- err
				return
			}
			rest = rest[k:]
		}
		wrote <- s.CloseWrite()
	}()
	back, err := io.ReadAll(io.LimitReader(s, int64(len(data))+1))
	if err != nil {
		return nil, err
	}
	took := ms(start)
	if err := <-wrote; err != nil {
		return nil, err
	}
	if !bytes.Equal(back, data) {
		return nil, errors.New("echo differs from what was sent")
	}
	sum := sha256.Sum256(back)
	return fields{"ms": took, "bytes": len(back), "sha256": hex.EncodeToString(sum[:])}, nil
}

// askPerf runs the client side of /perf/1.0.0 once.
func askPerf(ctx context.Context, h host.Host, id peer.ID, up, down uint64) error {
	s, err := h.NewStream(ctx, id, perfProtocol)
	if err != nil {
		return err
	}
	defer s.Reset()
	var head [8]byte
	binary.BigEndian.PutUint64(head[:], down)
	if _, err := s.Write(head[:]); err != nil {
		return err
	}
	if err := sendZeros(s, up); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	got, err := discard(s)
	if err != nil {
		return err
	}
	if got != down {
		return errors.New("the download had the wrong length")
	}
	return nil
}

// askRR is one request on a stream of its own.
func askRR(ctx context.Context, h host.Host, id peer.ID) error {
	s, err := h.NewStream(ctx, id, rrProtocol)
	if err != nil {
		return err
	}
	var block, back [rrBytes]byte
	if _, err := s.Write(block[:]); err == nil {
		_, err = io.ReadFull(s, back[:])
	}
	if err != nil {
		s.Reset()
		return err
	}
	return s.Close()
}

// messageOf is a number, eight times.
func messageOf(number uint64) (message [messageBytes]byte) {
	for i := 0; i < messageBytes; i += 8 {
		binary.BigEndian.PutUint64(message[i:], number)
	}
	return message
}

// askMessages keeps depth messages in flight on one stream of the echo protocol; each is a write of its own and has
// to come back as it was. It gives the time that each took, in µs, and how long all took, in seconds.
func askMessages(ctx context.Context, h host.Host, id peer.ID, depth int, seconds float64) ([]float64, float64, error) {
	s, err := h.NewStream(ctx, id, echoProtocol)
	if err != nil {
		return nil, 0, err
	}
	defer s.Reset()
	sent := make([]time.Time, depth) // of the messages in flight, by number % depth
	times := []float64{}
	start := time.Now()
	end := start.Add(time.Duration(seconds * float64(time.Second)))
	next, back := uint64(0), uint64(0)
	send := func(now time.Time) error {
		message := messageOf(next)
		sent[next%uint64(depth)] = now
		next++
		_, err := s.Write(message[:])
		return err
	}
	for range depth {
		if err := send(time.Now()); err != nil {
			return nil, 0, err
		}
	}
	answers := bufio.NewReaderSize(s, blockBytes)
	for back < next {
		var answer [messageBytes]byte
		if _, err := io.ReadFull(answers, answer[:]); err != nil {
			return nil, 0, err
		}
		if answer != messageOf(back) {
			return nil, 0, errors.New("a message came back changed")
		}
		now := time.Now()
		times = append(times, float64(now.Sub(sent[back%uint64(depth)]).Nanoseconds())/1000)
		back++
		if now.Before(end) {
			if err := send(now); err != nil {
				return nil, 0, err
			}
		}
	}
	took := time.Since(start).Seconds()
	return times, took, s.CloseWrite()
}
