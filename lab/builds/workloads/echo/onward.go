package main

import (
	"io"
	"net/http"
	"strings"
	"time"
)

// A caller makes the service call another one by this header: `x-echo-next: GET http://c.abc.svc.cluster.local:8080/c/x`. That is
// for the lab alone: whoever sends it acts as the service.
const nextHeader = "X-Echo-Next"

const nextLimit = 4 * time.Second

// copied is what an application hands on, or a trace ends with it (istio.io, "Distributed Tracing": trace context propagation).
var copied = []string{"Traceparent", "Tracestate", "X-Request-Id"}

// onward is what came back from the service that was called.
type onward struct {
	Status  int         `json:"status"`
	Headers http.Header `json:"headers,omitempty"`
	Body    string      `json:"body,omitempty"`
	Error   string      `json:"error,omitempty"`
}

var caller = &http.Client{
	Timeout:       nextLimit,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// callOn asks the next service in the trace of the request that it was told by.
func callOn(r *http.Request, wanted string) *onward {
	method, address, _ := strings.Cut(wanted, " ")
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		body = strings.NewReader("{}")
	}
	next, err := http.NewRequestWithContext(r.Context(), method, address, body)
	if err != nil {
		return &onward{Error: err.Error()}
	}
	if body != nil {
		next.Header.Set("Content-Type", "application/json")
	}
	for _, name := range copied {
		if values := r.Header.Values(name); len(values) > 0 {
			next.Header[name] = values
		}
	}
	answer, err := caller.Do(next)
	if err != nil {
		return &onward{Error: err.Error()}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, bodyLimit))
	found := &onward{Status: answer.StatusCode, Headers: answer.Header, Body: string(text)}
	if err != nil {
		found.Error = err.Error()
	}
	return found
}
