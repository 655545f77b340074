package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// A caller asks by this header to be told what arrived: what an answer of HTTP says in its body comes in metadata, which an answer
// that fails has too. Not unasked, for a proxy that keeps headers in a small buffer (nginx: 4 KiB) would refuse them.
const (
	tellHeader   = "X-Echo-Tell"
	toldMetadata = "x-echo-bin" // base64 on the wire (gRPC over HTTP/2, Binary-Header)
)

const rpcStatusLast = int(codes.Unauthenticated)

// rpcServer answers the health protocol, and every other method of every service with the messages it was sent.
func rpcServer() *grpc.Server {
	server := grpc.NewServer(grpc.UnknownServiceHandler(mirror), grpc.ForceServerCodecV2(raw{encoding.GetCodecV2("proto")}))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	return server
}

func mirror(_ any, stream grpc.ServerStream) error {
	found := arrived(stream)
	if !wait(stream.Context(), found.Headers) {
		return status.FromContextError(stream.Context().Err()).Err()
	}
	found.attempt = try(found.Headers)
	found.Next = callOn(stream.Context(), found.Headers)
	said := metadata.MD{}
	if found.Headers.Get(tellHeader) != "" {
		text, err := json.Marshal(found)
		if err != nil {
			return err
		}
		said.Set(toldMetadata, string(text))
	}
	if found.Failed {
		return refuse(stream, said, codes.Code(found.rpc))
	}
	if err := stream.SetHeader(said); err != nil {
		return err
	}
	for {
		var message mem.BufferSlice
		if err := stream.RecvMsg(&message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}

// arrived returns what is known of a call before its first message.
func arrived(stream grpc.ServerStream) received {
	found := received{Service: os.Getenv("HOSTNAME"), Method: http.MethodPost, Protocol: "HTTP/2.0", Headers: http.Header{}}
	found.Path, _ = grpc.MethodFromServerStream(stream)
	if from, ok := peer.FromContext(stream.Context()); ok {
		found.From = from.Addr.String()
	}
	fields, _ := metadata.FromIncomingContext(stream.Context())
	for name, values := range fields {
		for _, value := range values {
			if name == ":authority" {
				found.Host = value
			} else {
				found.Headers.Add(name, value)
			}
		}
	}
	return found
}

// refuse ends a call with a status in the one frame of the answer, where proxies look for it: no metadata may be sent before
// (grpc-go, http2Server.writeStatus).
func refuse(stream grpc.ServerStream, said metadata.MD, code codes.Code) error {
	for {
		var message mem.BufferSlice
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		message.Free()
	}
	if code == codes.OK {
		code = codes.Unavailable
	}
	stream.SetTrailer(said)
	return status.Error(code, "told to fail")
}

// raw passes bytes through untouched, whatever they mean, and leaves known messages to the codec of Protocol Buffers.
type raw struct{ encoding.CodecV2 }

func (c raw) Marshal(value any) (mem.BufferSlice, error) {
	if message, ok := value.(mem.BufferSlice); ok {
		message.Ref()
		return message, nil
	}
	return c.CodecV2.Marshal(value)
}

func (c raw) Unmarshal(data mem.BufferSlice, value any) error {
	if message, ok := value.(*mem.BufferSlice); ok {
		data.Ref()
		*message = data
		return nil
	}
	return c.CodecV2.Unmarshal(data, value)
}
