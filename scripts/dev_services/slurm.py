"""A Slurm on this machine: munged, slurmctld and one slurmd for each emulated node, on the loopback only."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .processes import ServiceError, end_process, is_ours, locked, read_record, write_record
from .slurm_configuration import CGROUP_CONFIGURATION, SlurmLayout, gpu_configuration, slurm_configuration
from .slurm_programs import find_program, program_path, provide_programs

SERVICES = Path(__file__).resolve().parents[2] / ".services"
START_TIMEOUT_S = 30.0
MEMORY_MB_PER_CPU = 4096

PORTS = range(20_000, 30_000)
"""Below the ports that systems lend to outgoing connections, so that a daemon finds its own again after a restart."""

LONGEST_SOCKET_PATH = 107
"""Bytes of a Unix socket's path."""


def slurm_folder(state: str | None) -> Path:
    """Name the folder of the instance's files."""
    return Path(state).resolve() if state else SERVICES / "slurm"


def slurm_start(state: str | None, *, nodes: int | None = None, cpus: int | None = None, gpus: int = 0) -> None:
    """Start what does not run, and print how to reach it; a second start revives daemons that have died."""
    provide_programs(SERVICES)
    folder = slurm_folder(state)
    with locked(folder):
        record = read_record(folder)
        running = _running(record)
        wanted = {
            "nodes": nodes or (record["settings"]["nodes"] if running else 1),
            "cpus": cpus or (record["settings"]["cpus"] if running else os.cpu_count() or 1),
            "gpus": gpus or (record["settings"]["gpus"] if running else 0),
        }
        if running and wanted != record["settings"]:
            have = ", ".join(f"{name}: {number}" for name, number in record["settings"].items())
            raise ServiceError(f"A Slurm of another size runs in {folder} ({have}): stop it first.")
        if not running:
            record = {"settings": wanted, "processes": {}, **_new_ports(wanted["nodes"])}
        layout = _layout(folder, record)
        if not running:
            _prepare(layout)
        try:
            _start_processes(layout, record)
        except ServiceError:
            _stop_processes(folder, record)
            raise
    print(f"export SLURM_CONF={layout.file}")


def slurm_stop(state: str | None) -> None:
    """End the jobs and the daemons that `start` began."""
    folder = slurm_folder(state)
    record = read_record(folder)
    running = bool(_running(record))
    if record:
        _stop_processes(folder, record)
    with contextlib.suppress(FileNotFoundError):
        (folder / "process.json").unlink()
    print("stopped" if running else "not running")


def slurm_status(state: str | None) -> None:
    """Say which daemons run, and what is in the queue; exit status 0 if all do."""
    folder = slurm_folder(state)
    record = read_record(folder)
    running = _running(record)
    if not running:
        raise ServiceError("slurm: not running")
    missing = [name for name in record["processes"] if name not in running]
    if missing:
        raise ServiceError(f"slurm: {', '.join(missing)} not running, `start` brings it back ({folder})")
    layout = _layout(folder, record)
    print(f"slurm: running ({len(layout.node_names)} nodes); export SLURM_CONF={layout.file}")
    for program in ("sinfo", "squeue"):
        print(subprocess.run([find_program(program)], capture_output=True, text=True, env=_environment(layout)).stdout)


# -- the instance --------------------------------------------------------------------------------------------


def _new_ports(n_nodes: int) -> dict[str, Any]:
    """Choose ports on which nobody listens."""
    chosen: list[int] = []
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        chosen.append(port)
        if len(chosen) == n_nodes + 1:
            return {"controller_port": chosen[0], "node_ports": chosen[1:]}
    raise ServiceError(f"No {n_nodes + 1} ports are free between {PORTS.start} and {PORTS.stop}.")


def _layout(folder: Path, record: dict[str, Any]) -> SlurmLayout:
    cpus = record["settings"]["cpus"]
    return SlurmLayout(
        folder=folder,
        host=socket.gethostname().partition(".")[0],
        user=pwd.getpwuid(os.geteuid()).pw_name,
        controller_port=record["controller_port"],
        node_ports=record["node_ports"],
        cpus=cpus,
        memory_mb=cpus * MEMORY_MB_PER_CPU,
        gpus=record["settings"]["gpus"],
    )


def _prepare(layout: SlurmLayout) -> None:
    """Make the folders, the key and the configuration of a new instance; an old one's queue is forgotten."""
    if len(os.fsencode(layout.munge_socket)) > LONGEST_SOCKET_PATH:
        raise ServiceError(f"The path {layout.folder} is too long for a socket in it: give a shorter one by --state.")
    for name in ("state", "log", "munge", *(f"spool/{node}" for node in layout.node_names)):
        (layout.folder / name).mkdir(parents=True, exist_ok=True)
    for file in layout.gpu_files:
        file.parent.mkdir(exist_ok=True)
        file.touch()
    for left in (layout.folder / "state").iterdir():
        left.unlink() if left.is_file() else None
    # munged wants its folder closed to writers, and open to those who look for the socket
    (layout.folder / "munge").chmod(0o711)
    key = layout.folder / "munge" / "munge.key"
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    layout.file.write_text(slurm_configuration(layout))
    layout.file.with_name("cgroup.conf").write_text(CGROUP_CONFIGURATION)
    layout.file.with_name("gres.conf").write_text(gpu_configuration(layout))


def _commands(layout: SlurmLayout) -> dict[str, list[str]]:
    """Give the command of each daemon, in the order in which they start; each stays in the foreground."""
    munge = layout.folder / "munge"
    commands = {
        "munged": [
            find_program("munged"),
            "--foreground",
            "--force",
            f"--key-file={munge / 'munge.key'}",
            f"--socket={layout.munge_socket}",
            f"--pid-file={munge / 'munged.pid'}",
            f"--log-file={munge / 'munged.log'}",
            f"--seed-file={munge / 'munge.seed'}",
            "--num-threads=4",
        ],
        "slurmctld": [find_program("slurmctld"), "-D", "-f", str(layout.file)],
    }
    for node in layout.node_names:
        commands[f"slurmd-{node}"] = [find_program("slurmd"), "-D", "-N", node, "-f", str(layout.file)]
    return commands


def _environment(layout: SlurmLayout) -> dict[str, str]:
    return {**os.environ, "PATH": program_path(), "SLURM_CONF": str(layout.file)}


# -- its processes -------------------------------------------------------------------------------------------


def _running(record: dict[str, Any] | None) -> list[str]:
    """Name the daemons that run."""
    return [name for name, process in record["processes"].items() if is_ours(process)] if record else []


def _start_processes(layout: SlurmLayout, record: dict[str, Any]) -> None:
    started: dict[str, subprocess.Popen[bytes]] = {}
    for name, command in _commands(layout).items():
        if is_ours(record["processes"].get(name)):
            continue
        with open(_output(layout, name), "ab") as log:
            started[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=layout.folder,
                env=_environment(layout),
                start_new_session=True,
            )
        mark = next(word for word in reversed(command) if str(layout.folder) in word)
        record["processes"][name] = {"pid": started[name].pid, "mark": mark}
        write_record(layout.folder, record)
        if name == "munged":
            _wait_until(layout.munge_socket.is_socket, layout, started)
        elif name == "slurmctld":
            _wait_until(lambda: _answers(layout), layout, started)
    _wait_until(lambda: _nodes_are_up(layout), layout, started)


def _output(layout: SlurmLayout, name: str) -> Path:
    return layout.folder / "log" / f"{name}.out"


def _answers(layout: SlurmLayout) -> bool:
    answer = subprocess.run(
        [find_program("scontrol"), "ping"], capture_output=True, text=True, env=_environment(layout)
    )
    return answer.returncode == 0 and " is UP" in answer.stdout


def _nodes_are_up(layout: SlurmLayout) -> bool:
    """Tell whether every node has said that it is there; one that was taken out by hand counts too."""
    command = [find_program("scontrol"), "show", "node", "--oneliner"]
    lines = subprocess.run(command, capture_output=True, text=True, env=_environment(layout)).stdout.splitlines()
    ready = [
        line
        for line in lines
        if "SlurmdStartTime=None" not in line
        and "UNKNOWN" not in line
        and "NOT_RESPONDING" not in line
        and "*" not in next((word for word in line.split() if word.startswith("State=")), "*")
    ]
    return len(ready) == len(layout.node_names)


def _wait_until(ready: Callable[[], bool], layout: SlurmLayout, started: dict[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        for name, process in started.items():
            if process.poll() is not None:
                output = _output(layout, name)
                last = (output.read_text(errors="replace").strip().splitlines() or ["no message"])[-1]
                raise ServiceError(f"{name} ended while it started ({last}): see {output}.")
        if time.monotonic() > deadline:
            raise ServiceError(f"Slurm did not come up in {START_TIMEOUT_S:g} s: see {layout.folder / 'log'}.")
        time.sleep(0.05)


def _stop_processes(folder: Path, record: dict[str, Any]) -> None:
    """End the jobs, then the daemons, then what a killed daemon left behind."""
    layout = _layout(folder, record)
    running = _running(record)
    if "slurmctld" in running and any(name.startswith("slurmd-") for name in running):
        environment = _environment(layout)
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(
                [find_program("scancel"), "--user", layout.user], capture_output=True, env=environment, timeout=10
            )
        deadline = time.monotonic() + 10.0
        while _processes_of_jobs(layout) and time.monotonic() < deadline:
            time.sleep(0.1)
    for name in reversed(record["processes"]):
        end_process(record["processes"][name])
    for pid in _processes_of_jobs(layout):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _processes_of_jobs(layout: SlurmLayout) -> list[int]:
    """Give the numbers of the processes of this instance's jobs: Slurm's steps and what they began."""
    found = []
    ours = f"SLURM_CONF={layout.file}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            is_step = (process / "comm").read_text().strip() == "slurmstepd"
        except OSError:
            continue
        if ours in variables and (is_step or any(line.startswith(b"SLURM_JOB_ID=") for line in variables)):
            found.append(int(process.name))
    return found
