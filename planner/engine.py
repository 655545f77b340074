"""Pulumi's `Engine` service: what a program tells its user, and the urn of its stack."""

from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from planner.recorder import Recorder
from planner.refusal import Context


class Engine(engine_pb2_grpc.EngineServicer):
    """Takes what a program tells its user."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._root = ""

    def Log(self, request: engine_pb2.LogRequest, context: Context = None) -> Empty:
        """Take a message. An error makes the plan fail, as it makes an update fail."""
        if request.severity >= engine_pb2.ERROR:
            where = f"{request.urn}: " if request.urn else ""
            self._recorder.finding(f"{where}the program logged an error: {request.message}")
        elif request.severity >= engine_pb2.INFO and not request.ephemeral:
            self._recorder.message(f"{'warning' if request.severity == engine_pb2.WARNING else 'info'}: {request.message}")
        return Empty()

    def GetRootResource(self, request: engine_pb2.GetRootResourceRequest, context: Context = None) -> engine_pb2.GetRootResourceResponse:
        """Answer the urn of the stack's resource."""
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: engine_pb2.SetRootResourceRequest, context: Context = None) -> engine_pb2.SetRootResourceResponse:
        """Take the urn of the stack's resource."""
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def StartDebugging(self, request: engine_pb2.StartDebuggingRequest, context: Context = None) -> Empty:
        """Ignore a debugger."""
        return Empty()

    def RequirePulumiVersion(
        self, request: engine_pb2.RequirePulumiVersionRequest, context: Context = None
    ) -> engine_pb2.RequirePulumiVersionResponse:
        """Accept every version: there is no engine that could be too old."""
        return engine_pb2.RequirePulumiVersionResponse()
