package main

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const clockTicksPerSecond = 100

func (n *node) stats(context.Context, request) (fields, error) {
	cpu, err := cpuMs()
	if err != nil {
		return nil, err
	}
	return fields{"rssKb": rssKb(), "cpuMs": cpu, "conns": len(n.host.Network().Conns()),
		"dhtServed": n.dhtServed.Load()}, nil
}

// cpuMs is what the process has used.
func cpuMs() (float64, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return float64(u.Utime.Sec+u.Stime.Sec)*1000 + float64(u.Utime.Usec+u.Stime.Usec)/1000, nil
}

func rssKb() int {
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb
		}
	}
	return 0
}

// msSinceProcessStart has the resolution of the kernel's clock tick, 10 ms.
func msSinceProcessStart() float64 {
	stat, _ := os.ReadFile("/proc/self/stat")
	up, _ := os.ReadFile("/proc/uptime")
	_, after, _ := strings.Cut(string(stat), ") ")
	words, upWords := strings.Fields(after), strings.Fields(string(up))
	if len(words) < 20 || len(upWords) == 0 {
		return 0
	}
	ticks, _ := strconv.ParseFloat(words[19], 64)
	seconds, _ := strconv.ParseFloat(upWords[0], 64)
	return max(0, (seconds-ticks/clockTicksPerSecond)*1000)
}
