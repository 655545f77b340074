package main

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// A caller makes tries fail by the first header, `x-echo-fail: times=2;status=503`: the first tries with one request id that this
// instance sees, or all of them without `times`; `grpc-status=14` fails as gRPC does. By the second it asks how many tries with a
// request id this instance saw. Both are the same whether HTTP or gRPC is spoken.
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

// attempt is one try: how many there were with its request id, and how it fails, if it does.
type attempt struct {
	Tries  int  `json:"tries,omitempty"`
	Failed bool `json:"failed,omitempty"`

	status int    // of HTTP
	rpc    uint32 // of gRPC; 0 where the rule names none
}

// try counts a try and says whether and how it fails, or says how many there were.
func try(headers http.Header) attempt {
	rule, id := headers.Get(failHeader), headers.Get(idHeader)
	if asked := headers.Get(triesHeader); rule == "" && asked != "" {
		return attempt{Tries: tries.of(asked)}
	}
	if rule == "" || id == "" {
		return attempt{}
	}
	made := attempt{Tries: tries.add(id), status: http.StatusOK}
	times := made.Tries
	for _, part := range strings.Split(rule, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		number, err := strconv.Atoi(value)
		switch {
		case err != nil:
		case name == "times":
			times = number
		case name == "status" && number >= http.StatusOK && number < 600:
			made.status = number
		case name == "grpc-status" && number > 0 && number <= rpcStatusLast:
			made.rpc = uint32(number)
		}
	}
	made.Failed = made.Tries <= times
	return made
}
