package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// A caller asks for a slow, a failing or a large answer by these headers, and by the last for one that lets the scripts of an
// origin read it and do whatever else browsers ask for.
const (
	delayHeader  = "X-Echo-Delay"
	statusHeader = "X-Echo-Status"
	bytesHeader  = "X-Echo-Bytes"
	corsHeader   = "X-Echo-Cors"
)

const (
	bodyLimit  = 64 << 10
	paddingMax = 64 << 20
)

// received is a request as it arrived. Path is as it stood in the request line, nothing decoded.
type received struct {
	Service  string      `json:"service"`
	Method   string      `json:"method"`
	Path     string      `json:"path"`
	Query    string      `json:"query"`
	Host     string      `json:"host"`
	Protocol string      `json:"protocol"`
	From     string      `json:"from"`
	Headers  http.Header `json:"headers"`
	Body     string      `json:"body,omitempty"`
	Padding  string      `json:"padding,omitempty"`
	Said     http.Header `json:"said,omitempty"`
	Next     *onward     `json:"next,omitempty"`
	attempt
}

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

func answer(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path == "/healthz" || r.URL.Path == "/readyz" || r.URL.Path == "/livez":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"OK"}`)
	case websocket.IsWebSocketUpgrade(r):
		repeat(w, r)
	default:
		report(w, r)
	}
}

func report(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if !wait(r.Context(), r.Header) {
		return
	}
	found := received{
		Service: os.Getenv("HOSTNAME"), Method: r.Method, Path: rawPath(r.RequestURI), Query: r.URL.RawQuery, Host: r.Host,
		Protocol: r.Proto, From: r.RemoteAddr, Headers: r.Header, Body: string(body),
	}
	if size, err := strconv.Atoi(r.Header.Get(bytesHeader)); err == nil && size > 0 {
		found.Padding = string(bytes.Repeat([]byte("."), min(size, paddingMax)))
	}
	status, err := strconv.Atoi(r.Header.Get(statusHeader))
	if err != nil || status < 200 || status > 599 {
		status = http.StatusOK
	}
	if found.attempt = try(r.Header); found.Failed {
		status = found.status
		if found.rpc != 0 {
			w.Header().Set("Grpc-Status", strconv.Itoa(int(found.rpc)))
		}
	}
	found.Next = callOn(r.Context(), r.Header)
	if origin := r.Header.Get(corsHeader); origin != "" {
		found.Said = toBrowsers(origin)
		maps.Copy(w.Header(), found.Said)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(found)
}

// toBrowsers says all that a server can say to browsers (Fetch, 3.2.3), by values that no gateway of a test system would choose.
func toBrowsers(origin string) http.Header {
	return http.Header{
		"Access-Control-Allow-Origin":          {origin},
		"Access-Control-Allow-Credentials":     {"true"},
		"Access-Control-Expose-Headers":        {corsHeader},
		"Access-Control-Allow-Methods":         {"X-ECHO"},
		"Access-Control-Allow-Headers":         {corsHeader},
		"Access-Control-Allow-Private-Network": {"true"},
		"Access-Control-Max-Age":               {"86397"},
	}
}

// wait holds an answer back for as long as its caller asks, and says whether anybody still waits for it.
func wait(ctx context.Context, headers http.Header) bool {
	delay, err := time.ParseDuration(headers.Get(delayHeader))
	if err != nil {
		return true
	}
	select {
	case <-time.After(delay):
		return true
	case <-ctx.Done():
		return false
	}
}

func rawPath(target string) string {
	path, _, _ := bytes.Cut([]byte(target), []byte("?"))
	return string(path)
}

// repeat sends every message of a WebSocket back.
func repeat(w http.ResponseWriter, r *http.Request) {
	socket, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer socket.Close()
	for {
		kind, message, err := socket.ReadMessage()
		if err != nil {
			return
		}
		if socket.WriteMessage(kind, message) != nil {
			return
		}
	}
}
