// Command echo answers every request with what it received, so that a probe sees what reached a service. It takes the flags
// of podinfo that matter here, and stands in its place.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const (
	grace  = 20 * time.Second // longer than any timeout of a system that is asked
	header = 10 * time.Second
)

func main() {
	port := flag.Int("port", 9898, "HTTP/1.1, HTTP/2 without TLS, and WebSocket")
	grpcPort := flag.Int("grpc-port", 9999, "gRPC; 0 for none")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 2)

	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	web := &http.Server{Addr: fmt.Sprintf(":%d", *port), Handler: http.HandlerFunc(answer), Protocols: protocols, ReadHeaderTimeout: header}
	go func() { failed <- web.ListenAndServe() }()

	rpc := rpcServer()
	if *grpcPort != 0 {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", *grpcPort))
		if err != nil {
			fail(err)
		}
		go func() { failed <- rpc.Serve(listener) }()
	}

	select {
	case err := <-failed:
		fail(err)
	case <-ctx.Done():
		rest, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		context.AfterFunc(rest, rpc.Stop)
		_ = web.Shutdown(rest)
		rpc.GracefulStop()
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "echo:", err)
	os.Exit(1)
}
