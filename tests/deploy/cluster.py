"""A real kube-apiserver with etcd and the controllers that delete things, for tests: no node, so nothing runs in it."""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.processes import Tools, run
from lab.errors import LabError
from lab.ingredients import present
from tests.ports import held_ports

NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl", "helm")
PLACE = "PERIMETER_TEST_BIN"
"""Environment variable that names a folder of these programs, in place of those that the lab has built."""
CONTROLLERS = "namespace-controller,garbage-collector-controller,serviceaccount-controller,deployment-controller,replicaset-controller"


def programs(folder: Path) -> Path:
    """Return a folder in which the needed programs are, or skip."""
    if chosen := os.environ.get(PLACE):
        found = {path.name: path for path in Path(chosen).expanduser().iterdir()}
    else:
        try:
            found = present()
        except LabError as error:
            pytest.skip(f"{error}; name a folder with {', '.join(NEEDED)} in {PLACE}")
    if missing := [name for name in NEEDED if name not in found]:
        where = chosen or "the lab's cache"
        pytest.skip(f"{where} has no {', '.join(missing)}: `perimeter lab start` builds them, or name another folder in {PLACE}")
    here = folder / "bin"
    here.mkdir()
    for name in NEEDED:
        (here / name).symlink_to(found[name])
    return here


@contextmanager
def cluster(folder: Path) -> Generator[Tools]:
    """Run a control plane on loopback until the context ends."""
    with held_ports(3) as ports, _cluster(folder, *ports) as tools:
        yield tools


@contextmanager
def _cluster(folder: Path, api: int, etcd: int, peer: int) -> Generator[Tools]:
    found = programs(folder)
    token = secrets.token_hex(16)
    _openssl(
        folder,
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=t -addext subjectAltName=IP:127.0.0.1",
    )
    _openssl(folder, "genrsa -out accounts.key 2048")
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [
                    {"name": "test", "cluster": {"server": f"https://127.0.0.1:{api}", "certificate-authority": str(folder / "tls.crt")}}
                ],
                "users": [{"name": "test", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            }
        )
    )
    tools = Tools(folder=found, kubeconfig=kubeconfig, context="test")
    with ExitStack() as stack:
        stack.enter_context(
            _process(
                folder,
                "etcd",
                f"{found}/etcd --data-dir {folder}/etcd --unsafe-no-fsync --log-level error --listen-client-urls http://127.0.0.1:{etcd} "
                f"--advertise-client-urls http://127.0.0.1:{etcd} --listen-peer-urls http://127.0.0.1:{peer} "
                f"--initial-advertise-peer-urls http://127.0.0.1:{peer} --initial-cluster default=http://127.0.0.1:{peer}",
            )
        )
        server = stack.enter_context(
            _process(
                folder,
                "kube-apiserver",
                f"{found}/kube-apiserver --bind-address 127.0.0.1 --advertise-address 127.0.0.1 --secure-port {api} "
                f"--etcd-servers http://127.0.0.1:{etcd} --tls-cert-file {folder}/tls.crt --tls-private-key-file {folder}/tls.key "
                f"--token-auth-file {folder}/tokens.csv --service-account-issuer https://kubernetes.default.svc "
                f"--service-account-key-file {folder}/accounts.key --service-account-signing-key-file {folder}/accounts.key "
                "--service-cluster-ip-range 10.96.0.0/16 --authorization-mode AlwaysAllow --disable-admission-plugins ServiceAccount",
            )
        )
        _wait(server, folder / "kube-apiserver.log", lambda: run(tools.kubectl("get", "--raw", "/readyz"))[1] == "ok")
        stack.enter_context(
            _process(
                folder,
                "kube-controller-manager",
                f"{found}/kube-controller-manager --kubeconfig {kubeconfig} --leader-elect=false --controllers={CONTROLLERS} "
                f"--secure-port 0 --service-account-private-key-file {folder}/accounts.key --root-ca-file {folder}/tls.crt",
            )
        )
        yield tools


@contextmanager
def _process(folder: Path, name: str, command: str) -> Generator["subprocess.Popen[bytes]"]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command.split(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(20)


def _openssl(folder: Path, arguments: str) -> None:
    openssl = shutil.which("openssl") or pytest.skip("openssl is not on PATH")
    subprocess.run([openssl, *arguments.split()], cwd=folder, check=True, capture_output=True)


def _wait(server: "subprocess.Popen[bytes]", log: Path, ready: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"the control plane did not start: {log.read_text()[-4000:]}")
        time.sleep(0.2)
