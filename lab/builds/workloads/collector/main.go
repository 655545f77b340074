// Command collector takes spans over OTLP/gRPC, keeps the last of them in memory, and answers `GET /traces/<trace id>`.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/grpc"
)

const (
	otlp   = ":4317"
	query  = ":8080"
	limit  = 100_000
	header = 10 * time.Second
)

type span struct {
	Trace      string            `json:"trace"`
	Span       string            `json:"span"`
	Parent     string            `json:"parent,omitempty"`
	Service    string            `json:"service"`
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Start      uint64            `json:"start"`
	End        uint64            `json:"end"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

type store struct {
	collector.UnimplementedTraceServiceServer
	lock   sync.Mutex
	traces map[string][]span
	order  []string
	held   int
}

// Export implements the OTLP service.
func (s *store) Export(_ context.Context, request *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	for _, resource := range request.GetResourceSpans() {
		service := texts(resource.GetResource().GetAttributes())["service.name"]
		for _, scope := range resource.GetScopeSpans() {
			for _, found := range scope.GetSpans() {
				s.keep(span{
					Trace: hex.EncodeToString(found.GetTraceId()), Span: hex.EncodeToString(found.GetSpanId()), Parent: hex.EncodeToString(found.GetParentSpanId()),
					Service: service, Name: found.GetName(), Kind: found.GetKind().String(), Start: found.GetStartTimeUnixNano(), End: found.GetEndTimeUnixNano(),
					Attributes: texts(found.GetAttributes()),
				})
			}
		}
	}
	return &collector.ExportTraceServiceResponse{}, nil
}

// keep stores a span and forgets the oldest traces beyond the limit.
func (s *store) keep(found span) {
	if _, known := s.traces[found.Trace]; !known {
		s.order = append(s.order, found.Trace)
	}
	s.traces[found.Trace] = append(s.traces[found.Trace], found)
	for s.held++; s.held > limit && len(s.order) > 1; s.order = s.order[1:] {
		s.held -= len(s.traces[s.order[0]])
		delete(s.traces, s.order[0])
	}
}

func (s *store) find(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	found := s.traces[r.PathValue("trace")]
	s.lock.Unlock()
	if found == nil {
		found = []span{}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(found)
}

func texts(attributes []*common.KeyValue) map[string]string {
	found := make(map[string]string, len(attributes))
	for _, attribute := range attributes {
		switch value := attribute.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			found[attribute.GetKey()] = value.StringValue
		case *common.AnyValue_IntValue:
			found[attribute.GetKey()] = fmt.Sprint(value.IntValue)
		case *common.AnyValue_BoolValue:
			found[attribute.GetKey()] = fmt.Sprint(value.BoolValue)
		}
	}
	return found
}

func main() {
	spans := &store{traces: map[string][]span{}}
	http.HandleFunc("GET /traces/{trace}", spans.find)
	http.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	failed := make(chan error, 2)
	go func() { failed <- receive(spans) }()
	go func() { failed <- (&http.Server{Addr: query, ReadHeaderTimeout: header}).ListenAndServe() }()
	fmt.Fprintln(os.Stderr, "collector:", <-failed)
	os.Exit(1)
}

func receive(spans *store) error {
	listener, err := net.Listen("tcp", otlp)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	collector.RegisterTraceServiceServer(server, spans)
	return server.Serve(listener)
}
