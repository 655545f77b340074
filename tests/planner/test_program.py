"""What a plan holds, compared with what the engine writes for the same program."""

import json
import subprocess
import sys
from pathlib import Path

from planner.plan import Mode, Plan
from planner.program import plan_program
from planner.wire import UNKNOWN
from tests.planner.running import HERE, KNOWN_SECRET, UNKNOWN_SECRET, by_name, plan

EVERYTHING = "urn:pulumi:dev::everything"
SYSTEM = f"{EVERYTHING}::test:system:System"
CLUSTER = f"{EVERYTHING}::pulumi:providers:kubernetes::cluster"


def test_the_stack_comes_first_and_is_everyones_ancestor():
    stack, *others = plan("everything").resources
    assert stack == {
        "urn": f"{EVERYTHING}::pulumi:pulumi:Stack::everything-dev",
        "custom": False,
        "type": "pulumi:pulumi:Stack",
        "inputs": {},
        "outputs": stack["outputs"],
    }
    parents = {resource["urn"]: resource.get("parent") for resource in others if resource["type"] != "pulumi:providers:pulumi-python"}
    assert all(parent == stack["urn"] or parent in parents for parent in parents.values())


def test_stack_and_project_are_those_of_the_urns():
    assert (plan("everything").stack, plan("everything").project) == ("dev", "everything")


def test_a_urn_holds_the_types_of_all_ancestors_but_the_stack():
    assert by_name("everything")["orders"]["urn"] == f"{SYSTEM}$test:workload:Service::orders"
    assert (
        by_name("everything")["orders-account"]["urn"]
        == f"{SYSTEM}$test:workload:Service$kubernetes:core/v1:ServiceAccount::orders-account"
    )


def test_every_resource_comes_after_what_it_refers_to():
    seen: set[str] = set()
    for resource in plan("everything").resources:
        before = {*resource.get("dependencies", ()), *(urn for urns in resource.get("propertyDependencies", {}).values() for urn in urns)}
        before |= {resource[key] for key in ("parent", "deletedWith") if key in resource}
        before |= {resource["provider"].rpartition("::")[0]} if "provider" in resource else set()
        assert before <= seen
        seen.add(resource["urn"])


def test_a_custom_resource_has_the_programs_properties_as_inputs_and_as_outputs():
    account = by_name("everything")["orders-account"]
    assert account == {
        "urn": f"{SYSTEM}$test:workload:Service$kubernetes:core/v1:ServiceAccount::orders-account",
        "custom": True,
        "type": "kubernetes:core/v1:ServiceAccount",
        "inputs": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "orders", "namespace": "shop"}},
        "outputs": {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "orders", "namespace": "shop"}},
        "parent": f"{SYSTEM}$test:workload:Service::orders",
        "provider": f"{CLUSTER}::{UNKNOWN}",
        "propertyDependencies": {"apiVersion": [], "kind": [], "metadata": []},
        "sourcePosition": "project:///__main__.py#27",
    }


def test_numbers_keep_their_kind_and_empty_values_their_place():
    assert by_name("everything")["orders-service"]["inputs"]["spec"] == {
        "ports": [{"port": 80, "targetPort": 8080}],
        "type": "LoadBalancer",
        "weight": 0.25,
    }
    assert by_name("everything")["settings"]["inputs"]["binaryData"] == {"empty": "", "nothing": None}
    assert '"weight":0.25' in plan("everything").to_json()
    assert '"targetPort":8080}' in plan("everything").to_json()


def test_a_component_has_its_props_as_inputs_and_what_it_registers_as_outputs():
    orders = by_name("everything")["orders"]
    assert orders["inputs"] == {"name": "orders", "port": 80, "token": KNOWN_SECRET}
    assert orders["outputs"] == {"address": UNKNOWN, "ip": UNKNOWN}
    assert not orders["custom"]
    assert "provider" not in orders
    assert "id" not in orders


def test_exports_are_the_stacks_outputs():
    assert plan("everything").resources[0]["outputs"] == {
        "name": UNKNOWN,
        "password": KNOWN_SECRET,
        "stock": {"labels": {"app": "stock"}, "tiers": ["edge", "data"]},
    }


def test_dependencies_are_known_by_property_where_values_are_not():
    policy = by_name("everything")["policy"]
    service = f"{SYSTEM}$test:workload:Service$kubernetes:core/v1:Service::orders-service"
    key = f"{EVERYTHING}::pulumi-python:dynamic:Resource::signing"
    assert policy["inputs"]["metadata"]["annotations"] == {"key": UNKNOWN, "service": UNKNOWN}
    assert policy["propertyDependencies"] == {
        "apiVersion": [],
        "kind": [],
        "metadata": [key, service],
        "spec": [f"{EVERYTHING}::kubernetes:core/v1:Secret::login"],
    }


def test_depending_on_a_component_is_depending_on_its_children():
    stock = [urn for urn in by_name("everything")["policy"]["dependencies"] if "::stock-" in urn]
    assert stock == [
        f"{SYSTEM}$test:workload:Service$kubernetes:core/v1:Service::stock-service",
        f"{SYSTEM}$test:workload:Service$kubernetes:core/v1:ServiceAccount::stock-account",
    ]


def test_options_are_kept_under_the_names_of_a_stack_export():
    policy = by_name("everything")["policy"]
    names = (
        "protect",
        "ignoreChanges",
        "retainOnDelete",
        "deletedWith",
        "deleteBeforeReplace",
        "replaceOnChanges",
        "customTimeouts",
        "aliases",
    )
    assert {name: policy[name] for name in names} == {
        "protect": True,
        "ignoreChanges": ["metadata.annotations"],
        "retainOnDelete": True,
        "deletedWith": by_name("everything")["orders-account"]["urn"],
        "deleteBeforeReplace": True,
        "replaceOnChanges": ["spec"],
        "customTimeouts": {"create": 5400, "delete": 10},
        "aliases": [
            f"{EVERYTHING}::kubernetes:security.istio.io/v1:AuthorizationPolicy::old-policy",
            f"{EVERYTHING}::kubernetes:security.istio.io/v1:AuthorizationPolicy::rootless",
        ],
    }
    assert not set(names) & by_name("everything")["settings"].keys()


def test_an_explicit_provider_is_a_resource_that_others_refer_to():
    provider = by_name("everything")["cluster"]
    assert provider["type"] == "pulumi:providers:kubernetes"
    assert provider["inputs"] == {"__internal": {}, "kubeconfig": "{}", "namespace": "shop", "version": provider["inputs"]["version"]}
    assert provider["outputs"] == {"kubeconfig": "{}", "namespace": "shop", "version": provider["inputs"]["version"]}
    assert by_name("everything")["login"]["provider"] == f"{provider['urn']}::{provider['id']}"


def test_a_resource_without_a_provider_gets_a_default_one_with_the_config_of_its_package():
    resources = plan("default_provider").resources
    provider = next(resource for resource in resources if resource["type"] == "pulumi:providers:kubernetes")
    version = provider["inputs"]["version"]
    assert provider["urn"] == f"urn:pulumi:dev::default-provider::pulumi:providers:kubernetes::default_{version.replace('.', '_')}"
    assert "parent" not in provider
    assert provider["inputs"] == {"__internal": {}, "namespace": "shop", "kubeconfig": KNOWN_SECRET, "version": version}
    assert {resource["provider"] for resource in resources if resource["type"] == "kubernetes:core/v1:ConfigMap"} == {
        f"{provider['urn']}::{UNKNOWN}"
    }


def test_a_program_may_live_below_the_projects_folder_and_take_defaults_from_the_projects_file():
    settings = by_name("default_provider")["settings"]
    assert settings["inputs"]["data"] == {"size": "2", "zone": "north"}
    assert settings["sourcePosition"] == "project:///program/__main__.py#7"


def test_a_dynamic_resource_keeps_its_code_to_itself():
    key = by_name("everything")["signing"]
    assert key["type"] == "pulumi-python:dynamic:Resource"
    assert key["inputs"] == key["outputs"] == {"__provider": KNOWN_SECRET, "bits": 256}
    assert key["provider"] == f"{EVERYTHING}::pulumi:providers:pulumi-python::default::{UNKNOWN}"


def test_the_provider_of_dynamic_resources_is_told_the_whole_configuration():
    """As the engine does, which `pulumi up` has shown; every other default provider is told its own."""
    provider = by_name("everything")["default"]
    assert provider["type"] == "pulumi:providers:pulumi-python"
    assert provider["inputs"]
    assert all(":" in key for key in provider["inputs"])


def test_what_is_only_read_is_external_and_known_by_its_id():
    found = by_name("everything")["cluster-info"]
    assert (found["id"], found["external"], found["inputs"]) == ("kube-public/cluster-info", True, {})
    assert "outputs" not in found
    assert by_name("everything")["settings"]["inputs"]["data"]["copied"] == UNKNOWN


def test_what_is_adopted_is_known_by_the_id_it_has():
    adopted = by_name("everything")["adopted"]
    assert (adopted["id"], adopted["importID"]) == ("shop/a", "shop/a")


def test_config_has_the_values_and_the_types_that_the_engine_gives_it():
    data = by_name("everything")["settings"]["inputs"]["data"]
    assert {key: data[key] for key in ("replicas", "ratio", "verbose", "switch", "tiers")} == {
        "replicas": "3",
        "ratio": "0.5",
        "verbose": "True",
        "switch": "on",
        "tiers": "edge,data",
    }
    assert data["limits"] == KNOWN_SECRET


def test_config_given_by_the_caller_wins():
    made = plan_program(HERE / "programs" / "default_provider", "dev", {"zone": "south", "kubernetes:namespace": "other"})
    provider, settings = made.resources[1], made.resources[-1]
    assert provider["inputs"]["namespace"] == "other"
    assert settings["inputs"]["data"] == {"size": "2", "zone": "south"}


def test_a_program_learns_that_it_is_previewed_and_what_it_prints_is_passed_on():
    assert plan("everything").messages == ("planned by organization everything dev True",)


def test_no_secret_is_ever_in_a_plan():
    for mode in (Mode.PESSIMISTIC, Mode.OPTIMISTIC):
        made = plan_program(
            HERE / "programs" / "everything", "dev", {"password": "correct-horse", "kubernetes:token": "battery"}, mode=mode
        )
        text = made.to_json()
        for secret in ("hunter2", "correct-horse", "root-of-all", "AAAAAAAA", "made on deploy"):
            assert secret not in text


def test_a_secret_whose_value_is_unknown_stays_unknown():
    assert by_name("unknown_secret")["holder"]["inputs"] == {"whole": UNKNOWN_SECRET, "part": UNKNOWN_SECRET, "known": KNOWN_SECRET}


def test_without_a_deployment_ids_and_outputs_are_unknown():
    policy, service = by_name("everything")["policy"], by_name("everything")["orders-service"]
    assert policy["inputs"]["spec"]["uid"] == UNKNOWN
    assert "id" not in policy
    assert service["outputs"]["metadata"] == {"labels": {"app": "orders"}, "name": UNKNOWN, "namespace": "shop"}
    assert "name" not in service["inputs"]["metadata"]


def test_an_optimistic_plan_has_declared_stand_ins_in_their_place():
    optimistic = by_name("everything", mode=Mode.OPTIMISTIC)
    service, policy = optimistic["orders-service"], optimistic["policy"]
    name = service["outputs"]["metadata"]["name"]
    assert name.startswith("orders-service-")
    assert service["id"] == f"shop/{name}"
    assert service["outputs"]["status"]["loadBalancer"]["ingress"][0]["ip"] == optimistic["orders"]["outputs"]["ip"]
    assert policy["inputs"]["metadata"]["annotations"] == {"key": UNKNOWN, "service": name}
    assert policy["inputs"]["spec"]["uid"] == "login"
    assert optimistic["signing"]["id"] == "signing-id"
    assert optimistic["login"]["provider"] == f"{CLUSTER}::cluster-id"


def test_modes_agree_on_everything_that_a_program_says_itself():
    pessimistic, optimistic = plan("everything"), plan("everything", mode=Mode.OPTIMISTIC)
    assert (pessimistic.mode, optimistic.mode) == (Mode.PESSIMISTIC, Mode.OPTIMISTIC)
    assert {resource["urn"] for resource in pessimistic.resources} == {resource["urn"] for resource in optimistic.resources}


def test_planning_twice_gives_the_same_text():
    again = plan_program(HERE / "programs" / "everything", "dev")
    assert again.to_json() == plan("everything").to_json()


def test_only_lines_of_the_project_itself_are_kept(tmp_path: Path):
    package = tmp_path / "venv" / "site-packages"
    package.mkdir(parents=True)
    (tmp_path / "Pulumi.yaml").write_text("name: a\nruntime: python\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("")
    part = "import pulumi\n\nclass Part(pulumi.ComponentResource):\n    def __init__(self, name):\n        super().__init__('t:i:Part', name)\n"
    (package / "installed.py").write_text(f"{part}\ndef make(name):\n    Part(name)\n")
    (tmp_path / "__main__.py").write_text(
        "import sys\nsys.path.append('venv/site-packages')\nimport installed\ninstalled.Part('a')\ninstalled.make('b')\n"
    )
    positions = {
        resource["urn"].rpartition("::")[2]: resource.get("sourcePosition") for resource in plan_program(tmp_path, "dev").resources
    }
    assert positions == {"a-dev": None, "a": "project:///__main__.py#4", "b": None}


def test_transforms_of_resource_component_and_stack_apply_in_this_order():
    part = by_name("transforms")["part"]
    assert part["inputs"] == {"size": 3, "key": KNOWN_SECRET, "own": "part", "group": "part"}
    assert part["protect"] is True
    assert by_name("transforms")["group"]["inputs"] == {"group": "group"}


def test_progress_is_told_while_resources_are_registered():
    counts: list[int] = []
    plan_program(HERE / "programs" / "everything", "dev", progress=counts.append)
    assert counts
    assert counts == sorted(counts)
    assert counts[-1] == len(plan("everything").resources)


def test_the_planner_is_imported_without_pulumi():
    code = "import sys, planner.plan, planner.program, planner.pack; print([name for name in ('pulumi', 'grpc', 'google.protobuf') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_monitor_answers_over_a_socket_as_it_does_in_the_programs_process(tmp_path: Path):
    records: dict[str, list[object]] = {}
    for transport in ("socket", "object"):
        file = tmp_path / transport
        command = [sys.executable, str(HERE / "transport.py"), transport, str(file)]
        subprocess.run(command, cwd=HERE / "programs" / "everything", check=True, timeout=120)
        records[transport] = sorted((record for line in file.read_text().splitlines() for record in json.loads(line)), key=json.dumps)
    assert records["socket"] == records["object"]
    assert len(records["socket"]) > len(plan("everything").resources)


def test_a_plan_is_a_frozen_value():
    assert Plan.from_json(plan("everything").to_json()) == plan("everything")
