package main

import (
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

// rpcServer answers the health protocol, and every other method of every service with the messages it was sent.
func rpcServer() *grpc.Server {
	server := grpc.NewServer(grpc.UnknownServiceHandler(mirror), grpc.ForceServerCodecV2(raw{encoding.GetCodecV2("proto")}))
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	return server
}

func mirror(_ any, stream grpc.ServerStream) error {
	if method, ok := grpc.MethodFromServerStream(stream); ok {
		_ = stream.SetHeader(metadata.Pairs("x-echo-method", method))
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
