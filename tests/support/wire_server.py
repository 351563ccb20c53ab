"""A MongoDB-wire server of a test's own: with TLS or users, killed and started again on the same port."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / ".services" / "mongo" / "environment" / "bin" / "secantusd-py"


def free_port() -> int:
    """Ask the system for a port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class WireServer:
    """A server with its files under one folder; ask for the fixture `mongo_server` first, which installs it."""

    folder: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Address of the database superion, without any options."""
        return f"mongodb://127.0.0.1:{self.port}/superion"

    def start(self, *options: str) -> None:
        """Start it, with further options, on its port and with the data that is there."""
        if not PROGRAM.exists():
            pytest.skip("the MongoDB-wire server is not installed")
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "secantusd.toml").touch()
        command = [str(PROGRAM), "--config", "secantusd.toml", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--storage-path", "data", "--sync-on-commit", "--log-level", "WARNING", *self.options, *options]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(self.folder)},
                start_new_session=True,
            )
        deadline = time.monotonic() + 300
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
                return
            except OSError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it politely, where it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()
