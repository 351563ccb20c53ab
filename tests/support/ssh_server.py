"""A real ssh server on the loopback, whose other side is this machine: commands, files, and connections that break."""

from __future__ import annotations

import asyncio
import getpass
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncssh


class SshServer:
    """A server that lets one key in, and runs commands as the user of the tests.

    Parameters
    ----------
    folder : Path
        Where the user's key goes.
    """

    def __init__(self, folder: Path) -> None:
        self.port = 0
        self.key_file = folder / "ssh_key"
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        user_key = asyncssh.generate_private_key("ssh-ed25519")
        self.key_file.touch(mode=0o600)
        user_key.write_private_key(self.key_file)
        self._may_enter = asyncssh.import_authorized_keys(user_key.export_public_key().decode())
        self._connections: set[asyncssh.SSHServerConnection] = set()
        self._listener: asyncssh.SSHAcceptor | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @property
    def host(self) -> dict[str, Any]:
        """What the profile of a cluster says of it."""
        return {
            "address": "127.0.0.1",
            "port": self.port,
            "user": getpass.getuser(),
            "key_file": str(self.key_file),
        }

    def start(self) -> None:
        """Listen, on the same port as before."""
        self._do(self._listen())

    def go_away(self) -> None:
        """Break all connections, and take no new ones."""
        self._do(self._close())

    def close(self) -> None:
        """End for good."""
        self.go_away()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _listen(self) -> None:
        connections = self._connections

        class Remembering(asyncssh.SSHServer):
            def connection_made(self, connection: asyncssh.SSHServerConnection) -> None:
                connections.add(connection)

        self._listener = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_factory=Remembering,
            server_host_keys=[self._host_key],
            authorized_client_keys=self._may_enter,
            process_factory=_run,
            sftp_factory=True,
            encoding=None,
        )
        self.port = self._listener.get_port()

    async def _close(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in self._connections:
            connection.abort()
        self._connections.clear()


async def _run(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Run one command, which reads nothing."""
    child = await asyncio.create_subprocess_shell(
        process.command or "true",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await child.communicate()
    process.stdout.write(output)
    process.stderr.write(errors)
    process.exit(child.returncode or 0)


@contextmanager
def ssh_server(folder: Path) -> Iterator[SshServer]:
    """A server that listens."""
    server = SshServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.close()
