import base64
import json

from deploy.applyset import PART_OF, identity, member_kinds, parent_metadata
from deploy.drift import without_foreign_fields
from deploy.items import Key, Sort
from deploy.objects import manifest
from deploy.removal import order, plan
from deploy.state import Made, Memory
from planner.plan import Known
from planner.wire import SECRET, SIGNATURE


def sealed(value: object) -> dict[str, object]:
    return {SIGNATURE: SECRET, "plaintext": json.dumps(value)}


def test_a_manifest_holds_secrets_as_the_server_keeps_them_so_that_applying_it_again_changes_nothing():
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"key": sealed("hush")}, "data": {"b": "YQ=="}}
    body = manifest(inputs, "set")
    assert "stringData" not in body
    assert body["data"] == {"b": "YQ==", "key": base64.b64encode(b"hush").decode()}


def test_a_manifest_carries_the_label_of_the_set_beside_its_own_and_the_plan_does_not():
    inputs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "labels": {"app": "a"}}}
    assert manifest(inputs, "set")["metadata"]["labels"] == {"app": "a", PART_OF: "set"}
    assert inputs["metadata"] == {"name": "a", "labels": {"app": "a"}}


def test_the_id_of_a_set_is_the_one_that_the_specification_prescribes():
    # Computed with: printf my-set.ns.Secret. | openssl dgst -sha256 -binary | basenc --base64url
    assert identity(Key("", "Secret", "ns", "my-set")) == "applyset-AdIAM14ONLga45dklF83xy-BAHCBk38fdzv5PHJqEcs-v1"


def test_the_parent_of_a_set_says_which_kinds_and_namespaces_its_members_have():
    parent = Key("", "Secret", "perimeter", "shop-dev")
    members = [Key("apps", "Deployment", "shop", "a"), Key("", "ConfigMap", "shop", "a"), Key("", "Namespace", "", "shop")]
    metadata = parent_metadata(parent, members)
    assert metadata["annotations"]["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap,Deployment.apps,Namespace"
    assert metadata["annotations"]["applyset.kubernetes.io/additional-namespaces"] == "shop"
    assert member_kinds({"metadata": metadata}) == [("", "ConfigMap"), ("apps", "Deployment"), ("", "Namespace")]


def managed(manager: str, fields: dict[str, object], operation: str = "Update") -> dict[str, object]:
    return {"manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields}


def test_fields_that_a_person_added_with_kubectl_go():
    live = {
        "metadata": {
            "name": "a",
            "annotations": {"ours": "1", "sidecar.istio.io/inject": "false"},
            "managedFields": [
                managed("perimeter", {"f:metadata": {"f:annotations": {"f:ours": {}}}}, "Apply"),
                managed("kubectl-patch", {"f:metadata": {"f:annotations": {"f:sidecar.istio.io/inject": {}}}}),
            ],
        },
    }
    cleaned = without_foreign_fields(live)
    assert cleaned is not None
    assert cleaned["metadata"]["annotations"] == {"ours": "1"}
    assert live["metadata"]["annotations"]["sidecar.istio.io/inject"] == "false"


def test_entries_of_lists_that_a_person_added_go_and_others_stay():
    ports = [{"port": 80, "protocol": "TCP"}, {"port": 15000, "protocol": "TCP"}]
    live = {
        "spec": {"ports": ports},
        "metadata": {
            "managedFields": [
                managed("perimeter", {"f:spec": {"f:ports": {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}}}, "Apply"),
                managed("kubectl-edit", {"f:spec": {"f:ports": {'k:{"port":15000,"protocol":"TCP"}': {}}}}),
            ]
        },
    }
    cleaned = without_foreign_fields(live)
    assert cleaned is not None
    assert cleaned["spec"]["ports"] == ports[:1]


def test_a_mapping_that_a_person_put_there_stays_with_what_is_ours_inside():
    ours, theirs = {"f:rateLimit": {"f:local": {"f:rules": {}}}}, {"f:rateLimit": {".": {}, "f:local": {}, "f:global": {}}}
    live = {
        "spec": {"rateLimit": {"local": {"rules": [1]}, "global": {}}},
        "metadata": {"managedFields": [managed("perimeter", {"f:spec": ours}, "Apply"), managed("kubectl-replace", {"f:spec": theirs})]},
    }
    cleaned = without_foreign_fields(live)
    assert cleaned is not None
    assert cleaned["spec"] == {"rateLimit": {"local": {"rules": [1]}}}


def test_fields_of_controllers_stay():
    managed_fields = [
        managed("perimeter", {"f:spec": {"f:template": {}}}, "Apply"),
        managed("kube-controller-manager", {"f:spec": {"f:replicas": {}}}),
        {**managed("kubectl-edit", {"f:status": {"f:phase": {}}}), "subresource": "status"},
    ]
    live = {"spec": {"replicas": 3, "template": {}}, "status": {"phase": "x"}, "metadata": {"managedFields": managed_fields}}
    assert without_foreign_fields(live) is None


def made(kind: str, name: str, namespace: str = "", after: tuple[str, ...] = (), group: str = "") -> Made:
    return Made(sort=Sort.OBJECT, key=Key(group, kind, namespace, name), after=frozenset(after))


def test_removal_is_the_reverse_and_a_namespace_goes_after_everything_in_it():
    leaving = {"ns": made("Namespace", "shop"), "crd": made("Definition", "d"), "cr": made("Shirt", "one", "shop", ("crd",))}
    assert order(leaving) == {"ns": {"cr"}, "crd": {"cr"}, "cr": set()}


def test_what_carries_the_sets_label_and_is_in_no_memory_is_removed_too_unless_it_is_in_the_plan():
    lost, kept = Key("", "ConfigMap", "shop", "lost"), Key("", "ConfigMap", "shop", "kept")
    leaving = plan({"ns": made("Namespace", "shop")}, [lost, kept], {kept})
    assert {each.key for each in leaving.values()} == {Key("", "Namespace", "", "shop"), lost}
    assert order(leaving)["ns"] == {f"found:{lost}"}


def test_a_memory_is_read_as_it_was_written_and_its_text_does_not_show_secrets():
    memory = Memory(
        made={"urn": made("Namespace", "shop", after=("x",))},
        releases={"r": "digest"},
        outputs={"k": Known(id="1", outputs={"key": "hush"})},
    )
    assert Memory.from_bytes(memory.to_bytes()) == memory
    assert memory.to_bytes() == memory.to_bytes()
    assert "hush" not in repr(memory)
