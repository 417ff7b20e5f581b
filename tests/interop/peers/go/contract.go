package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// fields is one JSON object of the contract.
type fields map[string]any

// output writes one JSON object a line; every line is flushed.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func newOutput(w io.Writer) *output { return &output{w: w} }

func (o *output) emit(f fields) {
	line, err := json.Marshal(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "encode:", err)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w.Write(append(line, '\n'))
}

// request is one command line; every field that any command knows stands here.
type request struct {
	ID      any     `json:"id"`
	Cmd     string  `json:"cmd"`
	Addr    string  `json:"addr"`
	PeerID  string  `json:"peerId"`
	N       int     `json:"n"`
	Topic   string  `json:"topic"`
	Text    *string `json:"text"`
	Hex     *string `json:"hex"`
	Key     *string `json:"key"`
	KeyHex  *string `json:"keyhex"`
	Value   string  `json:"value"`
	Seconds float64 `json:"seconds"`
	Dialers int     `json:"dialers"`
	Up      uint64  `json:"up"`
	Down    uint64  `json:"down"`
	Depth   int     `json:"depth"`
	Size    int     `json:"size"`
	Count   int     `json:"count"`
	Warm    int     `json:"warm"`
	On      bool    `json:"on"`
	Bytes   int     `json:"bytes"`
	Seed    uint32  `json:"seed"`
	Mode    string  `json:"mode"`
	From    string  `json:"from"`
	Seqno   string  `json:"seqno"`
}

type command func(context.Context, request) (fields, error)

// serve reads commands until stdin ends or quit; commands run side by side.
func serve(ctx context.Context, in io.Reader, out *output, commands map[string]command) {
	scan := bufio.NewScanner(in)
	scan.Buffer(make([]byte, 64<<10), 16<<20)
	for scan.Scan() {
		if len(scan.Bytes()) == 0 {
			continue
		}
		var req request
		if err := json.Unmarshal(scan.Bytes(), &req); err != nil {
			out.emit(fields{"id": req.ID, "ok": false, "error": err.Error()})
			continue
		}
		if req.Cmd == "quit" {
			out.emit(fields{"id": req.ID, "ok": true})
			return
		}
		go func() {
			answer, err := run(ctx, req, commands)
			if err != nil {
				answer = fields{"ok": false, "error": err.Error()}
			} else {
				answer["ok"] = true
			}
			answer["id"] = req.ID
			out.emit(answer)
		}()
	}
}

func run(ctx context.Context, req request, commands map[string]command) (fields, error) {
	c, ok := commands[req.Cmd]
	if !ok {
		return nil, fmt.Errorf("unknown command %q", req.Cmd)
	}
	answer, err := c(ctx, req)
	if err != nil {
		return nil, err
	}
	if answer == nil {
		answer = fields{}
	}
	return answer, nil
}

var errNoDHT = errors.New("started without --kad")
var errNoGossip = errors.New("started without --topics")
