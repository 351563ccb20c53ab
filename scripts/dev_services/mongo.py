"""The MongoDB-wire server: SecantusDB in an environment of its own, never a dependency of the product."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from .processes import (
    NOT_INSTALLED,
    ServiceError,
    answers,
    end_process,
    free_port,
    is_ours,
    locked,
    read_record,
    write_record,
)

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / ".services"
SECANTUS = "SecantusDB==0.7.0b3"
START_TIMEOUT_S = 60.0


def find_uv() -> str | None:
    """Find uv on the path or in the project's environment."""
    found = shutil.which("uv")
    own = ROOT / ".venv" / "bin" / "uv"
    return found or (str(own) if own.exists() else None)


def install(requirement: str, environment: Path) -> None:
    """Make an environment with one package in it, unless it is there."""
    done = environment / f"installed-{requirement.replace('==', '-')}"
    with locked(environment.parent):
        if done.exists():
            return
        shutil.rmtree(environment, ignore_errors=True)
        own_python = ROOT / ".venv" / "bin" / "python"
        python = str(own_python if own_python.exists() else sys.executable)
        uv = find_uv()
        inside = str(environment / "bin" / "python")
        if uv:
            steps = [
                [uv, "venv", "--quiet", "--python", python, str(environment)],
                [uv, "pip", "install", "--quiet", "--python", inside, requirement],
            ]
        else:
            steps = [
                [python, "-m", "venv", str(environment)],
                [inside, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
            ]
        for step in steps:
            answer = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if answer.returncode != 0:
                shutil.rmtree(environment, ignore_errors=True)
                last = (answer.stdout.strip().splitlines() or ["no message"])[-1]
                raise ServiceError(
                    f"{requirement} cannot be installed ({last}): connect to a package index, "
                    "or set MONGO_URI to a MongoDB server.",
                    NOT_INSTALLED,
                )
        done.touch()


def mongo_folder(state: str | None) -> Path:
    """Name the folder of the server's files."""
    return Path(state).resolve() if state else SERVICES / "mongo"


def mongo_start(state: str | None) -> None:
    """Start the server where it does not run, and print its address."""
    if os.environ.get("MONGO_URI"):
        print(os.environ["MONGO_URI"])
        return
    environment = SERVICES / "mongo" / "environment"
    install(SECANTUS, environment)
    folder = mongo_folder(state)
    with locked(folder):
        record = read_record(folder)
        if is_ours(record) and answers("127.0.0.1", record["port"]):
            print(record["uri"])
            return
        if is_ours(record):
            end_process(record)
        data = folder / "data"
        data.mkdir(parents=True, exist_ok=True)
        settings = folder / "secantusd.toml"
        settings.touch()
        port = free_port()
        command = [str(environment / "bin" / "secantusd-py"), "--config", str(settings), "--host", "127.0.0.1"]
        command += ["--port", str(port), "--storage-path", str(data), "--sync-on-commit", "--log-level", "WARNING"]
        with open(folder / "server.log", "ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "HOME": str(folder)},
                start_new_session=True,
            )
        record = {"pid": process.pid, "port": port, "mark": str(data), "uri": f"mongodb://127.0.0.1:{port}/superion"}
        write_record(folder, record)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not answers("127.0.0.1", port):
            if process.poll() is not None:
                raise ServiceError(f"The server ended while it started: see {folder / 'server.log'}.")
            if time.monotonic() > deadline:
                end_process(record)
                raise ServiceError(f"The server did not answer in {START_TIMEOUT_S:g} s: see {folder / 'server.log'}.")
            time.sleep(0.05)
    print(record["uri"])


def mongo_stop(state: str | None) -> None:
    """End the server that `start` began."""
    if os.environ.get("MONGO_URI"):
        print("MONGO_URI is set: that server is not ours to stop", file=sys.stderr)
        return
    folder = mongo_folder(state)
    record = read_record(folder)
    if is_ours(record):
        end_process(record)
        print("stopped")
    else:
        print("not running")
    with contextlib.suppress(FileNotFoundError):
        (folder / "process.json").unlink()


def mongo_status(state: str | None) -> None:
    """Say whether the server runs; exit status 0 if it does."""
    uri = os.environ.get("MONGO_URI")
    if uri:
        parts = urlsplit(uri)
        running = answers(parts.hostname or "127.0.0.1", parts.port or 27017)
        shown = f"{parts.hostname}:{parts.port or 27017} (MONGO_URI)"
    else:
        record = read_record(mongo_folder(state))
        running = is_ours(record) and answers("127.0.0.1", record["port"])
        shown = f"{record['uri']} (process {record['pid']})" if running else "mongo"
    if not running:
        raise ServiceError(f"{shown}: not running")
    print(f"{shown}: running")
