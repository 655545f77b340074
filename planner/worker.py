"""Worker (stand-in until the real planner lands)."""

import asyncio
import json
import runpy
import sys
import os

import pulumi
import pulumi.runtime
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import resource_pb2 as r

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIG = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
OUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"


def clean(v):
    if isinstance(v, dict):
        s = v.get(SIG)
        if s == SECRET:
            return {SIG: SECRET, "plaintext": '"[secret]"'}
        if s == OUT:
            inner = clean(v["value"]) if "value" in v else UNKNOWN
            return {SIG: SECRET, "plaintext": '"[secret]"'} if v.get("secret") else inner
        return {k: clean(x) for k, x in v.items()}
    if isinstance(v, list):
        return [clean(x) for x in v]
    if isinstance(v, float) and v.is_integer():
        return int(v)
    return v


class Monitor:
    def __init__(self, request):
        self.q = request
        self.resources = {}

    def GetDeploymentInfo(self, req):
        return r.DeploymentInfo(supportedFeatures=[v for v in r.ResourceMonitorFeature.values() if v and v != 14])

    def SupportsFeature(self, req):
        return r.SupportsFeatureResponse(hasSupport=req.id in {"secrets", "resourceReferences", "outputValues", "aliasSpecs", "deletedWith"})

    def RegisterResource(self, req):
        chain = ""
        if req.parent:
            t = req.parent.split("::")[2]
            chain = "" if t == "pulumi:pulumi:Stack" else t + "$"
        urn = f"urn:pulumi:{self.q['stack']}::{self.q['project']}::{chain}{req.type}::{req.name}"
        if urn in self.resources:
            raise Exception(f"Duplicate resource URN '{urn}'; try giving it a unique name")
        inputs = clean(json_format.MessageToDict(req.object))
        self.resources[urn] = {
            "urn": urn, "custom": req.custom, "type": req.type, "inputs": inputs, "outputs": inputs if req.custom else {},
            "parent": req.parent, "dependencies": sorted(req.dependencies),
            "propertyDependencies": {k: list(d.urns) for k, d in sorted(req.propertyDependencies.items())},
            "provider": req.provider, "ignoreChanges": list(req.ignoreChanges), "retainOnDelete": bool(req.retainOnDelete), "protect": bool(req.protect),
        }
        return r.RegisterResourceResponse(urn=urn, id="" if self.q["mode"] == "pessimistic" else f"{req.name}-id", object=req.object)

    def RegisterResourceOutputs(self, req):
        self.resources[req.urn]["outputs"] = clean(json_format.MessageToDict(req.outputs))
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, req):
        return empty_pb2.Empty()

    def Invoke(self, req):
        raise Exception(f"unknown invoke {req.tok}")


class Engine:
    def Log(self, req):
        print(req.message, file=sys.stderr)
        return empty_pb2.Empty()

    def SetRootResource(self, req):
        from pulumi.runtime.proto import engine_pb2
        return engine_pb2.SetRootResourceResponse()

    def GetRootResource(self, req):
        from pulumi.runtime.proto import engine_pb2
        return engine_pb2.GetRootResourceResponse()


def main():
    q = json.loads(sys.stdin.read())
    m = Monitor(q)
    os.chdir(q["root"])
    sys.path.insert(0, q["root"])
    pulumi.runtime.set_all_config(q["config"])
    pulumi.runtime.configure(pulumi.runtime.Settings(q["project"], q["stack"], monitor=m, engine=Engine(), parallel=1, dry_run=True, organization="organization", root_directory=q["root"]))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: runpy.run_path("__main__.py", run_name="__main__")))
    print()
    print(json.dumps(list(m.resources.values())))


main()
