"""scripts/dev-services: starts once, stops its own process only, keeps its files together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "dev-services"
NOT_INSTALLED = 3


def dev_services(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    clean = {key: value for key, value in os.environ.items() if key != "MONGO_URI"}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, env={**clean, **environment}
    )


def test_script_is_executable():
    assert os.access(SCRIPT, os.X_OK)
    assert "mongo" in dev_services("--help").stdout


@pytest.mark.services
def test_start_twice_stop_twice(tmp_path):
    state = ("--state", str(tmp_path / "mongo"))
    assert dev_services("mongo", "status", *state).returncode == 1
    first = dev_services("mongo", "start", *state)
    if first.returncode == NOT_INSTALLED:
        pytest.skip(first.stderr)
    try:
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("mongodb://127.0.0.1:")
        assert dev_services("mongo", "start", *state).stdout == first.stdout
        assert dev_services("mongo", "status", *state).returncode == 0
        record = json.loads((tmp_path / "mongo" / "process.json").read_text())
        command = Path(f"/proc/{record['pid']}/cmdline")
        if command.exists():
            assert b"--sync-on-commit" in command.read_bytes()
    finally:
        assert dev_services("mongo", "stop", *state).stdout == "stopped\n"
    assert dev_services("mongo", "stop", *state).stdout == "not running\n"
    assert dev_services("mongo", "status", *state).returncode == 1


def test_stop_leaves_alone_what_is_not_ours(tmp_path):
    """A recorded number that now belongs to another process is not ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as innocent:
        record = {"pid": innocent.pid, "port": 1, "mark": str(tmp_path / "data"), "uri": "mongodb://127.0.0.1:1/x"}
        (tmp_path / "process.json").write_text(json.dumps(record))
        assert dev_services("mongo", "stop", "--state", str(tmp_path)).stdout == "not running\n"
        assert innocent.poll() is None
        innocent.communicate(b"\n")
    assert innocent.returncode == 0


def test_a_server_that_the_environment_names_is_used(tmp_path):
    uri = "mongodb://ann:s3cret@127.0.0.1:1/db"
    state = ("--state", str(tmp_path))
    assert dev_services("mongo", "start", *state, MONGO_URI=uri).stdout == uri + "\n"
    status = dev_services("mongo", "status", *state, MONGO_URI=uri)
    assert status.returncode == 1
    assert "127.0.0.1:1" in status.stderr
    assert "s3cret" not in status.stderr + status.stdout
    assert dev_services("mongo", "stop", *state, MONGO_URI=uri).returncode == 0
    assert not list(tmp_path.iterdir())
