import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.processes import Tools, run


def test_a_program_runs_to_its_end_and_is_heard():
    assert run(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]) == (3, "out\n", "err\n")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may go between being found and being read
        return False


def test_a_program_ends_when_whoever_started_it_is_killed(tmp_path: Path):
    mark = tmp_path / "mark"
    code = f"from deploy.processes import run; run(['/bin/sh', '-c', 'echo $$ > {mark}; exec sleep 300'])"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    while not mark.exists() or not mark.read_text():
        time.sleep(0.02)
    child = int(mark.read_text())
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    while _runs(child):
        time.sleep(0.02)


def test_a_tool_that_is_not_there_is_named_with_what_to_do():
    with pytest.raises(DeployError, match="no-such-tool: is not on PATH"):
        Tools().find("no-such-tool")


def test_kubectl_and_helm_are_told_the_same_cluster(tmp_path: Path):
    for name in ("kubectl", "helm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    tools = Tools(folder=tmp_path, kubeconfig=Path("/k"), context="here")
    assert tools.kubectl("get") == [str(tmp_path / "kubectl"), "--kubeconfig", "/k", "--context", "here", "get"]
    assert tools.helm("list") == [str(tmp_path / "helm"), "list", "--kubeconfig", "/k", "--kube-context", "here"]
