package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A caller makes tries fail by the first header, `x-echo-fail: times=2;status=503`: the first tries with one request id that this
// instance sees, or all of them without `times`; `grpc-status=14` fails as gRPC does. By the second it asks how many tries with a
// request id this instance saw.
const (
	failHeader  = "X-Echo-Fail"
	triesHeader = "X-Echo-Tries"
	idHeader    = "X-Request-Id"
)

const triesLimit = 4096

// tally counts tries by request id. It forgets them all when there are too many.
type tally struct {
	lock sync.Mutex
	seen map[string]int
}

var tries = tally{seen: map[string]int{}}

func (t *tally) add(id string) int {
	t.lock.Lock()
	defer t.lock.Unlock()
	if len(t.seen) >= triesLimit {
		clear(t.seen)
	}
	t.seen[id]++
	return t.seen[id]
}

func (t *tally) of(id string) int {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.seen[id]
}

// try counts a try and says whether it fails, with which status, and with which of gRPC.
func try(r *http.Request, found *received) (status int, grpc string) {
	rule, id := r.Header.Get(failHeader), r.Header.Get(idHeader)
	if asked := r.Header.Get(triesHeader); rule == "" && asked != "" {
		found.Tries = tries.of(asked)
	}
	if rule == "" || id == "" {
		return 0, ""
	}
	found.Tries = tries.add(id)
	status, times := http.StatusOK, found.Tries
	for _, part := range strings.Split(rule, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		number, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case name == "times":
			times = number
		case name == "status" && number >= http.StatusOK && number < 600:
			status = number
		case name == "grpc-status":
			grpc = value
		}
	}
	if found.Failed = found.Tries <= times; !found.Failed {
		return 0, ""
	}
	return status, grpc
}
