"""The slurm.conf of a Slurm for tests: every daemon on this machine, as one user, all files in one folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PARTITIONS = {
    "cpu": "Default=YES MaxTime=1-00:00:00 DefaultTime=00:10:00",
    "gpu": "Default=NO MaxTime=1-00:00:00 DefaultTime=00:10:00",
    "short": "Default=NO MaxTime=00:02:00 DefaultTime=00:01:00 PriorityTier=10",
}
"""Partitions and their limits; each has all nodes."""


@dataclass(frozen=True)
class SlurmLayout:
    """What differs from one test instance to another.

    Parameters
    ----------
    folder : Path
        Where all its files are.
    host : str
        Name of this machine.
    user : str
        Whom the daemons run as.
    controller_port : int
        Port of slurmctld.
    node_ports : sequence of int
        Port of each node's slurmd; as many as there are nodes.
    cpus : int
        CPUs that each node says it has, more than there are if that helps a test.
    memory_mb : int
        Memory in MB that each node says it has.
    gpus : int
        GPUs that each node says it has; there is no device behind them.
    """

    folder: Path
    host: str
    user: str
    controller_port: int
    node_ports: Sequence[int]
    cpus: int
    memory_mb: int
    gpus: int

    @property
    def file(self) -> Path:
        """The configuration's file."""
        return self.folder / "slurm.conf"

    @property
    def munge_socket(self) -> Path:
        """Socket of the authentication service."""
        return self.folder / "munge" / "munge.socket"

    @property
    def gpu_files(self) -> list[Path]:
        """Empty files that stand for the GPUs of a node."""
        return [self.folder / "gpus" / f"gpu{number}" for number in range(self.gpus)]

    @property
    def node_names(self) -> list[str]:
        """Names of the nodes: n1, n2, and so on."""
        return [f"n{number}" for number in range(1, len(self.node_ports) + 1)]


def slurm_configuration(layout: SlurmLayout) -> str:
    """Write the slurm.conf of a test instance."""
    folder = layout.folder
    settings = {
        "ClusterName": "superion_test",
        "SlurmctldHost": f"{layout.host}(127.0.0.1)",
        "SlurmctldPort": layout.controller_port,
        "SlurmUser": layout.user,
        "SlurmdUser": layout.user,
        # nobody outside this machine reaches it
        "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
        "AuthType": "auth/munge",
        "AuthInfo": f"socket={layout.munge_socket}",
        "CredType": "cred/munge",
        # everything in one folder
        "StateSaveLocation": folder / "state",
        "SlurmdSpoolDir": f"{folder}/spool/%n",
        "SlurmctldPidFile": folder / "slurmctld.pid",
        "SlurmdPidFile": f"{folder}/slurmd.%n.pid",
        "JobCompType": "jobcomp/filetxt",
        "JobCompLoc": folder / "log" / "completed_jobs.txt",
        # a container has neither control groups nor an accounting database
        "ProctrackType": "proctrack/linuxproc",
        "TaskPlugin": "task/none",
        "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        # nodes are what this file says, whatever the machine has
        "SlurmdParameters": "config_overrides",
        "PropagateResourceLimits": "NONE",
        "GresTypes": "gpu",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "DefMemPerCPU": 200,
        # a test does not wait: jobs start at once, and end soon after they are asked to
        "SchedulerType": "sched/backfill",
        "SchedulerParameters": "batch_sched_delay=0,sched_interval=5,bf_interval=5,default_queue_depth=1000",
        "PriorityType": "priority/basic",
        "KillWait": 5,
        "SlurmdTimeout": 30,
        "SlurmctldTimeout": 30,
        "ReturnToService": 2,
        # jobs that ended are told of for so many seconds, as on a real cluster
        "MinJobAge": 300,
        "MaxJobCount": 20_000,
        "MaxArraySize": 2001,
        # a request that no node can meet is refused when it is made, in place of waiting for ever
        "EnforcePartLimits": "ALL",
    }
    lines = [f"{name}={value}" for name, value in settings.items()]
    gpus = f" Gres=gpu:{layout.gpus}" if layout.gpus else ""
    for name, port in zip(layout.node_names, layout.node_ports, strict=True):
        lines.append(
            f"NodeName={name} NodeHostname={layout.host} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={layout.cpus} RealMemory={layout.memory_mb}{gpus} State=UNKNOWN"
        )
    lines += [f"PartitionName={name} Nodes=ALL State=UP {limits}" for name, limits in PARTITIONS.items()]
    return "\n".join(lines) + "\n"


def gpu_configuration(layout: SlurmLayout) -> str:
    """Write the gres.conf of a test instance: Slurm counts the GPUs of a node by files, and looks no further."""
    names = ",".join(layout.node_names)
    return "".join(f"NodeName={names} Name=gpu File={file}\n" for file in layout.gpu_files)


CGROUP_CONFIGURATION = "CgroupPlugin=cgroup/v1\n"
"""The cgroup.conf: nothing here uses control groups, and this plugin, unlike the one that Slurm would choose by itself,
does not mind where a container has none, or read-only ones."""
