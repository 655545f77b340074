"""Runs the program in the current folder against the monitor: over sockets, as a real engine is reached, or as an object of its process."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from planner.deployment import Deployment
from planner.engine import Engine
from planner.monitor import Monitor
from planner.plan import Mode
from planner.project import load_program
from planner.recorder import Recorder
from planner.worker import run

transport, file = sys.argv[1:]
program = load_program(Path.cwd(), "dev", {})
deployment = Deployment(
    project=program.project,
    stack=program.stack,
    organization=program.organization,
    root=str(program.root),
    config=program.config,
    secret_keys=frozenset(program.secret_keys),
    mode=Mode.PESSIMISTIC,
)
with open(file, "w", encoding="utf-8") as records:
    recorder = Recorder(records, lambda count: None)
    monitor, engine = Monitor(deployment, recorder), Engine(recorder)
    if transport == "object":
        run(deployment, program.entry, monitor, engine, recorder)
    else:
        server = grpc.server(ThreadPoolExecutor(16))
        resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
        engine_pb2_grpc.add_EngineServicer_to_server(engine, server)
        address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        run(deployment, program.entry, address, address, recorder)
        server.stop(None)
