"""The stack `local` in the embedded cluster, worked on by the command line as its users do."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import lab
from tests.systems import ROOT, topology_file

PERIMETER = (sys.executable, "-c", "from cli.main import main; main()")
LISTED = (
    "deployments,services,serviceaccounts,configmaps,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,"
    "authorizationpolicies.security.istio.io,peerauthentications.security.istio.io,httproutes.gateway.networking.k8s.io,"
    "virtualservices.networking.istio.io,certificates.cert-manager.io,securitypolicies.gateway.envoyproxy.io"
)
OWN = ("--selector", "applyset.kubernetes.io/part-of")
"""Chooses the objects that perimeter made."""


class Stack:
    """One stack. Where the embedded cluster does not run, it is started."""

    def __init__(self) -> None:
        here = lab.start()
        self._kubectl = (str(here.tools["kubectl"]), "--kubeconfig", str(here.kubeconfig))

    def command(self, word: str, *more: str) -> tuple[str, ...]:
        return (*PERIMETER, word, "local", "--lab", "--with", "kubectl", *more)

    def up(self, system: str = "abc", *, file: Path | None = None) -> str:
        """Deploy a system of `stacks/`, or the one in a file."""
        command = self.command("up", "--no-verify", "--echo", "--topology", str(file or topology_file(system)))
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stderr

    def down(self) -> str:
        done = subprocess.run(self.command("down"), cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stderr

    def killed_after(self, seconds: float, word: str = "up") -> None:
        more = ("--no-verify", "--echo", "--topology", str(topology_file("abc"))) if word == "up" else ()
        process = subprocess.Popen(self.command(word, *more), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def kubectl(self, *words: str) -> str:
        done = subprocess.run([*self._kubectl, *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *words: str) -> dict[str, Any]:
        return json.loads(self.kubectl("get", *words, "--output", "json"))

    def generations(self) -> dict[str, object]:
        found = self.get(LISTED, "--all-namespaces", *OWN)["items"]
        return {
            f"{item['kind']}/{item['metadata'].get('namespace')}/{item['metadata']['name']}": (
                item["metadata"]["uid"],
                item["metadata"].get("generation"),
                item.get("data"),
            )
            for item in found
        }
