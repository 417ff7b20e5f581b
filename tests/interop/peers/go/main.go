// Command go-peer speaks the Starling peer contract on top of go-libp2p.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
)

// flags is the command line of the contract.
type flags struct {
	listen    []string
	key       string
	sec       string
	kad       string
	kadMode   string
	topics    []string
	gossip    bool
	bootstrap []string
	threads   int
}

// list collects a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(v string) error { *l = append(*l, v); return nil }

func parseFlags(args []string) (flags, error) {
	var f flags
	var listen, bootstrap list
	var topics string
	set := flag.NewFlagSet("go-peer", flag.ContinueOnError)
	set.Var(&listen, "listen", "address to listen on, or none")
	set.StringVar(&f.key, "key", "", "ed25519:<hex> or secp256k1:<hex>")
	set.StringVar(&f.sec, "sec", "noise", "noise or tls")
	set.StringVar(&f.kad, "kad", "", "DHT protocol id")
	set.StringVar(&f.kadMode, "kad-mode", "server", "server or client")
	set.StringVar(&topics, "topics", "", "topics to subscribe to, separated by commas")
	set.Var(&bootstrap, "bootstrap", "address to dial at start")
	set.IntVar(&f.threads, "threads", 1, "worker threads")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	set.Visit(func(v *flag.Flag) { f.gossip = f.gossip || v.Name == "topics" })
	for _, t := range strings.Split(topics, ",") {
		if t != "" {
			f.topics = append(f.topics, t)
		}
	}
	f.listen, f.bootstrap = listen, bootstrap
	if len(f.listen) == 0 {
		f.listen = []string{"/ip4/127.0.0.1/tcp/0"}
	}
	if f.kadMode != "server" && f.kadMode != "client" {
		return f, fmt.Errorf("--kad-mode must be server or client, not %q", f.kadMode)
	}
	return f, nil
}

func main() {
	f, err := parseFlags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	runtime.GOMAXPROCS(f.threads)
	ctx, cancel := context.WithCancel(context.Background())
	out := newOutput(os.Stdout)
	p, err := newPeer(ctx, f, out)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start:", err)
		os.Exit(1)
	}
	out.emit(fields{"event": "ready", "peerId": p.host.ID().String(), "addrs": p.addrs(),
		"pid": os.Getpid(), "startMs": msSinceProcessStart()})
	for _, a := range f.bootstrap {
		if _, err := p.dial(ctx, a); err != nil {
			fmt.Fprintln(os.Stderr, "bootstrap:", err)
		}
	}
	serve(ctx, os.Stdin, out, p.commands())
	cancel()
	p.host.Close()
}
