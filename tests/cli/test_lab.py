"""`perimeter lab` where the embedded cluster cannot be had."""

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.mark.parametrize(("word", "done"), [("start", "started"), ("stop", "stopped"), ("reset", "reset")])
def test_without_root_the_command_that_was_given_is_what_did_not_happen(monkeypatch: pytest.MonkeyPatch, word: str, done: str):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = CliRunner().invoke(app, ["lab", word])
    said = " ".join(result.stderr.split())
    assert result.exit_code == 2
    assert "need root. Run this command as root" in said
    assert said.endswith(f"1 finding; the embedded cluster was not {done}.")
    assert "deployment" not in said
    assert "lab: start" not in said
