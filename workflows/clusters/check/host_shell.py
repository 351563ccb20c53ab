"""Commands on the host that reaches the queue: this one, or another one by ssh."""

from __future__ import annotations

import os
import shlex
import subprocess

from ..profile import ClusterHost

CONNECT_TIMEOUT_S = 15
COMMAND_TIMEOUT_S = 90.0


class HostShell:
    """Runs lines of bash where the queue is.

    Parameters
    ----------
    host : ClusterHost or None
        Another host; None for this one.

    Examples
    --------
    >>> HostShell(None).run("echo -n $((6 * 7))").stdout
    '42'
    """

    def __init__(self, host: ClusterHost | None) -> None:
        self.host = host

    @property
    def name(self) -> str:
        """What to call the host in a sentence."""
        return self.host.address if self.host else "this machine"

    def run(
        self, line: str, *, stdin: str = "", timeout_s: float = COMMAND_TIMEOUT_S
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of bash.

        Parameters
        ----------
        line : str
            The line.
        stdin : str
            What it can read; secrets go this way, never into the line.
        timeout_s : float
            How long it may take, in s.

        Returns
        -------
        CompletedProcess
            With status 255 and words in `stderr` where it did not end, or the host was not reached.
        """
        command = ["bash", "-c", line] if self.host is None else [*self._ssh(self.host), f"bash -c {shlex.quote(line)}"]
        try:
            return subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
                env={**os.environ, "LC_ALL": "C"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            told = f"no answer in {timeout_s:g} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            return subprocess.CompletedProcess(command, 255, "", told)

    @staticmethod
    def _ssh(host: ClusterHost) -> list[str]:
        command = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_TIMEOUT_S}"]
        options = {"-p": host.port, "-i": host.key_file, "-J": host.gateway, "-l": host.user}
        for option, value in options.items():
            if value is not None:
                command += [option, str(value)]
        return [*command, host.address]


def last_line(answer: subprocess.CompletedProcess[str]) -> str:
    """Give what a command said last, for a sentence.

    Parameters
    ----------
    answer : CompletedProcess
        What came of it.

    Returns
    -------
    str
        Its last line.
    """
    lines = (answer.stderr.strip() or answer.stdout.strip()).splitlines()
    return lines[-1].strip().rstrip(".") if lines else f"status {answer.returncode}, no message"
