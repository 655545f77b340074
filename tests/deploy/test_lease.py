import os
import subprocess
import sys

import pytest

from deploy.api import connect
from deploy.errors import DeployError
from deploy.lease import held, holder, is_dead
from deploy.processes import Tools, run
from deploy.state import Store

pytestmark = pytest.mark.xdist_group("cluster")


def test_a_process_that_runs_is_not_dead_and_one_that_ended_is():
    me = holder()
    assert not is_dead(me)
    machine, _pid, *rest = me.split("/")
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_dead("/".join([machine, str(ended.pid), *rest]))


def test_a_process_with_the_number_of_a_dead_one_is_another_process():
    machine, pid, _started, rest = holder().split("/")
    assert int(pid) == os.getpid()
    assert is_dead(f"{machine}/{pid}/1/{rest}")


@pytest.mark.parametrize("other", ["elsewhere/1/2/3", "", "nonsense"])
def test_nothing_is_known_of_processes_elsewhere(other: str):
    assert not is_dead(other)


def test_a_lease_is_held_by_one_run_and_lost_by_a_dead_one(tools: Tools):
    with connect(tools) as api:
        store = Store(api, "lease", "dev")
        store.prepare()
        with held(api, "lease-dev", print) as still_held:
            assert still_held()
            path = "/apis/coordination.k8s.io/v1/namespaces/perimeter/leases/lease-dev"
            lease = api.request("GET", path)
            assert lease["spec"]["holderIdentity"].startswith(holder().partition("/")[0])
            with pytest.raises(DeployError, match="another run is deploying"), held(api, "lease-dev", print):
                pass
            dead = holder().replace(f"/{os.getpid()}/", f"/{os.getpid()}/1")
            api.request("PUT", path, {**api.request("GET", path), "spec": {**lease["spec"], "holderIdentity": dead}})
            with held(api, "lease-dev", print) as taken:
                assert taken()
        store.forget()
    code, _, _ = run(tools.kubectl("get", "namespace", "perimeter"))
    assert code
