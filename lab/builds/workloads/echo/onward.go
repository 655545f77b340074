package main

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A caller makes the service call another one by this header: `x-echo-next: GET http://c.abc.svc.cluster.local:8080/c/x`, or
// `POST grpc://ledger.banking.svc.cluster.local:9090/b.v1.Ledger/Post`. That is for the lab alone: whoever sends it acts as the service.
const (
	nextHeader = "X-Echo-Next"
	rpcScheme  = "grpc://"
)

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

// callOn asks the next service that a request names, in the trace of that request; it returns nil where none is named.
func callOn(ctx context.Context, told http.Header) *onward {
	wanted := told.Get(nextHeader)
	if wanted == "" {
		return nil
	}
	method, address, _ := strings.Cut(wanted, " ")
	if rest, found := strings.CutPrefix(address, rpcScheme); found {
		return callRPC(ctx, told, rest)
	}
	return callWeb(ctx, told, method, address)
}

func callWeb(ctx context.Context, told http.Header, method, address string) *onward {
	var body io.Reader
	if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		body = strings.NewReader("{}")
	}
	next, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return &onward{Error: err.Error()}
	}
	if body != nil {
		next.Header.Set("Content-Type", "application/json")
	}
	for _, name := range copied {
		if values := told.Values(name); len(values) > 0 {
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

// callRPC sends one empty message, and asks to be told in metadata what arrived.
func callRPC(ctx context.Context, told http.Header, address string) *onward {
	ctx, cancel := context.WithTimeout(ctx, nextLimit)
	defer cancel()
	host, method, _ := strings.Cut(address, "/")
	connection, err := grpc.NewClient("passthrough:///"+host, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		return &onward{Error: err.Error()}
	}
	defer connection.Close()

	sent := metadata.Pairs(tellHeader, "metadata")
	for _, name := range copied {
		sent.Append(name, told.Values(name)...)
	}
	var headers, trailers metadata.MD
	var answer mem.BufferSlice
	err = connection.Invoke(metadata.NewOutgoingContext(ctx, sent), "/"+method, mem.BufferSlice{}, &answer,
		grpc.ForceCodecV2(raw{encoding.GetCodecV2("proto")}), grpc.Header(&headers), grpc.Trailer(&trailers))
	answer.Free()
	if err != nil && len(headers)+len(trailers) == 0 {
		return &onward{Error: err.Error()} // nobody answered
	}
	said := status.Convert(err)
	found := &onward{Status: http.StatusOK, Headers: http.Header{}}
	for name, values := range metadata.Join(headers, trailers) {
		for _, value := range values {
			if strings.HasSuffix(name, "-bin") {
				value = base64.StdEncoding.EncodeToString([]byte(value))
			}
			found.Headers.Add(name, value)
		}
	}
	found.Headers.Set("Grpc-Status", strconv.Itoa(int(said.Code())))
	if said.Message() != "" {
		found.Headers.Set("Grpc-Message", said.Message())
	}
	return found
}
