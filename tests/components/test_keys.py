"""API keys of consumers."""

import base64
import subprocess
import sys

from pulumi.dynamic.dynamic import serialize_provider

from components.keys import BYTES, KeyProvider


def test_every_key_is_new_and_long() -> None:
    provider = KeyProvider()
    first, second = (provider.create({"consumer": "bob", "rotation": "1"}).outs or {} for _ in range(2))
    assert first["key"] != second["key"]
    assert len(base64.urlsafe_b64decode(first["key"] + "=")) == BYTES


def test_a_key_stays_until_its_rotation_changes() -> None:
    provider = KeyProvider()
    old = {"consumer": "bob", "rotation": "1", "key": "x"}
    assert provider.diff("id", old, {"consumer": "bob", "rotation": "1", "key": None}).changes is False
    rotated = provider.diff("id", old, {"consumer": "bob", "rotation": "2", "key": None})
    assert (rotated.changes, rotated.replaces) == (True, ["rotation"])


def test_the_provider_is_written_the_same_way_by_every_run_and_can_be_read_by_another_process() -> None:
    written = serialize_provider(KeyProvider())
    assert written == serialize_provider(KeyProvider())
    script = (
        "import base64, sys, dill; provider = dill.loads(base64.b64decode(sys.argv[1]));"
        "print(provider.diff('id', {'rotation': '1'}, {'rotation': '1'}).changes)"
    )
    answer = subprocess.run([sys.executable, "-c", script, written], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
