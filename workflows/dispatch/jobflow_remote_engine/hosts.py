"""The hosts of a project's workers: one connection to each, kept open."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Iterator

from jobflow_remote.config.base import BatchConfig, Project, WorkerBase
from jobflow_remote.remote.host import BaseHost, RemoteHost

from ....errors import StoreError


class Hosts:
    """Connections to the hosts of workers.

    Parameters
    ----------
    project : Project
        The project.
    """

    def __init__(self, project: Project) -> None:
        self.project = project
        self._open: list[BaseHost] = []

    def of(self, worker: str) -> BaseHost:
        """Give the host of a worker, connected.

        Parameters
        ----------
        worker : str
            Name of the worker.

        Returns
        -------
        BaseHost
            The host; workers on the same one share it.

        Raises
        ------
        StoreError
            If it cannot be reached.
        """
        wanted = self.worker(worker).get_host()
        for host in self._open:
            if host == wanted:
                wanted = host
                break
        else:
            self._open.append(wanted)
        if not wanted.is_connected:
            try:
                wanted.connect()
            except Exception as error:
                # Whatever ssh raises.
                self._open.remove(wanted)
                raise StoreError(
                    f"The host of the worker {worker} cannot be reached ({type(error).__name__}: {error}): see that "
                    "`ssh` reaches it without asking for anything."
                ) from error
        if isinstance(wanted, RemoteHost):
            # Fabric would hand what the user types to the other side, also on a connection that it made anew.
            wanted.connection.config.run.in_stream = False
        return wanted

    def worker(self, name: str) -> WorkerBase:
        """Give a worker of the project.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        WorkerBase
            The worker.

        Raises
        ------
        StoreError
            If the project has none of that name any more.
        """
        if name not in self.project.workers:
            raise StoreError(
                f"The jobflow-remote project {self.project.name} has no worker {name} any more, but jobs that went to "
                "it: put it back into the project file."
            )
        return self.project.workers[name]

    def batch_of(self, name: str) -> BatchConfig:
        """Give the settings by which jobs of a worker share allocations.

        Parameters
        ----------
        name : str
            Name of a batch worker.

        Returns
        -------
        BatchConfig
            The settings.

        Raises
        ------
        StoreError
            If its jobs have allocations of their own.
        """
        batch = self.worker(name).batch
        if batch is None:
            raise StoreError(f"The worker {name} is no batch worker any more: put `batch` back into the project file.")
        return batch

    def run(self, worker: str, command: str) -> str:
        """Run a command on the host of a worker.

        Parameters
        ----------
        worker : str
            Name of the worker.
        command : str
            Lines of shell.

        Returns
        -------
        str
            What it printed.

        Raises
        ------
        StoreError
            If the host cannot be reached.
        """
        with self.reaching(worker) as host:
            output, _, _ = host.execute(command)
        return output

    @contextlib.contextmanager
    def reaching(self, worker: str) -> Iterator[BaseHost]:
        """Use the host of a worker; what its connection raises comes as one kind of error.

        Parameters
        ----------
        worker : str
            Name of the worker.

        Yields
        ------
        BaseHost
            The host, connected.

        Raises
        ------
        StoreError
            If it cannot be reached, or the connection fails meanwhile.
        """
        host = self.of(worker)
        try:
            yield host
        except FileNotFoundError:
            # An answer.
            raise
        except Exception as error:
            # ssh's errors have no base class but Exception.
            raise StoreError(f"The host of the worker {worker} does not answer ({type(error).__name__}).") from error

    def touch(self, worker: str, folders: Iterable[str], name: str) -> None:
        """Put an empty file into folders that exist, as new as now.

        Parameters
        ----------
        worker : str
            Name of the worker.
        folders : iterable of str
            Folders on its host.
        name : str
            Name of the file.
        """
        listed = [shlex.quote(folder) for folder in folders]
        for start in range(0, len(listed), 200):
            words = " ".join(listed[start : start + 200])
            self.run(worker, f'for d in {words}; do [ -d "$d" ] && touch "$d/{name}"; done; true')

    def close(self) -> None:
        """Let go of all connections."""
        for host in self._open:
            with contextlib.suppress(Exception):
                host.close()
        self._open.clear()
