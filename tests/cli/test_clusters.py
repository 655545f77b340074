from pathlib import Path

import pytest

import lab
from cli import clusters
from cli.clusters import Choice, running
from cli.errors import UsageError


@pytest.fixture(autouse=True)
def no_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "current", lambda: None)


def current(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(clusters, "_current_context", lambda: name)


def test_the_current_context_is_never_taken_without_being_named(monkeypatch: pytest.MonkeyPatch):
    current(monkeypatch, "production")
    with pytest.raises(UsageError, match="'production', which is not taken without being named") as caught:
        running(Choice(), {})
    assert "--context production" in str(caught.value)
    assert "--lab" in str(caught.value)


def test_a_cluster_that_is_named_is_taken_and_the_program_is_told_of_it(monkeypatch: pytest.MonkeyPatch):
    current(monkeypatch, "production")
    found = running(Choice(context="test", kubeconfig=Path("/k")), {"perimeter:context": "other"})
    assert found is not None
    assert (found.tools.context, found.tools.kubeconfig) == ("test", Path("/k"))
    assert found.config == {"perimeter:context": "test", "perimeter:kubeconfig": "/k"}


def test_a_stack_file_may_name_the_cluster(monkeypatch: pytest.MonkeyPatch):
    current(monkeypatch, "production")
    found = running(Choice(), {"perimeter:context": "test"})
    assert found is not None
    assert found.tools.context == "test"


def test_the_embedded_cluster_is_started_where_there_is_nothing_else_and_root(monkeypatch: pytest.MonkeyPatch):
    current(monkeypatch, "")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert running(Choice(), {}) is None
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(UsageError, match="needs root"):
        running(Choice(), {})


def test_the_embedded_cluster_may_be_named_beside_a_current_context(monkeypatch: pytest.MonkeyPatch):
    current(monkeypatch, "production")
    assert running(Choice(use_lab=True), {"perimeter:context": "test"}) is None


@pytest.mark.parametrize(
    ("choice", "given"),
    [
        (Choice(use_lab=True, use_kind=True), "--lab, --kind"),
        (Choice(use_lab=True, context="test"), "--lab, --context"),
        (Choice(use_lab=True, kubeconfig=Path("/k")), "--lab, --kubeconfig"),
        (Choice(use_kind=True, context="test"), "--kind, --context"),
        (Choice(use_kind=True, kubeconfig=Path("/k")), "--kind, --kubeconfig"),
        (
            Choice(use_lab=True, use_kind=True, context="test", kubeconfig=Path("/k")),
            "--lab, --kind, --context, --kubeconfig",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_options_that_name_two_clusters_are_refused(choice: Choice, given: str):
    with pytest.raises(UsageError, match=f"^{given}: each names another cluster. Keep one"):
        running(choice, {})


def test_kind_is_taken_in_place_of_what_the_stack_names():
    found = running(Choice(use_kind=True), {"perimeter:context": "test"})
    assert found is not None
    assert found.tools.context == "kind-perimeter"


@pytest.mark.parametrize("cloud", ["aks", "eks"])
def test_where_a_stack_makes_its_own_cluster_the_embedded_one_is_not_taken_in_its_place(monkeypatch: pytest.MonkeyPatch, cloud: str):
    monkeypatch.setattr(lab, "current", lambda: pytest.fail("it was looked for"))
    with pytest.raises(UsageError, match=rf"The stack makes a cluster of its own \({cloud}\).*Name its context"):
        running(Choice(), {"perimeter:cluster": cloud})
    named = running(Choice(context="abc-dev"), {"perimeter:cluster": cloud})
    assert named is not None
    assert named.tools.context == "abc-dev"


def test_a_stack_makes_no_cluster_unless_it_says_so():
    assert clusters.made({}) is None
    assert clusters.made({"perimeter:cluster": "existing"}) is None
