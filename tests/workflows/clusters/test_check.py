"""The check of a cluster, on the real Slurm and the real database server: ready, and every way of not being ready."""

from __future__ import annotations

import os
import platform
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from superion.potentials.specification import potential_specification
from superion.workflows.clusters.check.host_shell import HostShell
from superion.workflows.clusters.check.probe import versions
from superion.workflows.clusters.check.run import CheckRequest, check_cluster, walltime_findings
from superion.workflows.clusters.check.store_findings import store_findings
from superion.workflows.clusters.check.worker_findings import worker_findings
from superion.workflows.clusters.profile import ClusterHost, ClusterProfile
from superion.workflows.dispatch.queue_engine import Finding

POTENTIAL = potential_specification("ase:ase.calculators.lj.LennardJones")


def profile_in(folder: Path, **changes) -> ClusterProfile:
    small = {"memory_gb": 0.5, "partition": "cpu"}
    resources = {kind: small | changes.pop(kind, {}) for kind in ("relax", "md", "analysis", "train")}
    return ClusterProfile.model_validate(
        {"scheduler": "slurm", "work_folder": str(folder / "work"), "resources": resources, **changes}
    )


def by_subject(findings: Iterable[Finding]) -> dict[str, Finding]:
    """Findings by subject, where `md on HOST: device` is `md: device`."""
    return {finding.subject.replace(f" on {os.uname().nodename}", ""): finding for finding in findings}


def test_a_good_cluster_is_ready_and_left_clean(slurm_cluster, mongo_uri, tmp_path):
    said: list[str] = []
    request = CheckRequest(profile_in(tmp_path), store=mongo_uri, potentials=[POTENTIAL], engine="fireworks")
    found = by_subject(check_cluster(request, said.append))
    assert {finding.state for finding in found.values()} == {"ok"}, found
    assert {"database", "additional store data", "work folder", "analysis: database"} <= set(found)
    for kind in ("relax", "md"):
        assert found[f"{kind}: potential"].message == "ase:ase.calculators.lj.LennardJones computes on cpu"
        assert sys.executable in found[f"{kind}: superion"].message
    assert any("RUNNING" in text or "PENDING" in text for text in said)
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["checks", "progress", "trajectories"]
    assert not list((tmp_path / "work" / "checks").iterdir())


def test_each_failure_says_how_to_mend_it(slurm_cluster, tmp_path):
    """A Python without superion, a partition that does not exist, a time limit beyond the partition's, no database."""
    bare = tmp_path / "python3"
    bare.symlink_to("/usr/bin/python3")
    profile = profile_in(
        tmp_path,
        python=str(bare),
        relax={"time_limit": "00:30:00"},
        md={"partition": "nowhere"},
        analysis={"partition": "short", "time_limit": "01:00:00"},
    )
    away = "mongodb://ann:secret@127.0.0.1:1/superion?serverSelectionTimeoutMS=500"
    said: list[str] = []
    found = by_subject(check_cluster(CheckRequest(profile, store=away), said.append))
    errors = {subject: finding.message for subject, finding in found.items() if finding.state == "error"}
    assert set(errors) == {"database", "md: queue", "analysis: queue", "relax: superion", "train: superion"}
    assert "see that it runs" in errors["database"]
    assert "correct resources.md.partition, now nowhere" in errors["md: queue"]
    assert "correct resources.analysis.time_limit, now 01:00:00" in errors["analysis: queue"]
    assert "does not import it (ModuleNotFoundError" in errors["relax: superion"]
    assert "set `python` in the profile" in errors["relax: superion"]
    assert "secret" not in str(found) + str(said)
    kept = next((tmp_path / "work" / "checks").iterdir())
    assert str(kept) in said[-1]
    for file in kept.rglob("*"):
        assert file.is_dir() or "secret" not in file.read_text()


def test_a_worker_without_the_potential_or_the_gpu(slurm_cluster, mongo_uri, tmp_path):
    """The emulated GPU has no device behind it: a job that asks for it sees none."""
    profile = profile_in(tmp_path, md={"gpus": 1, "partition": "gpu"})
    missing = potential_specification("ase:no_such_package.Calculator")
    potentials = [POTENTIAL, missing]
    request = CheckRequest(profile, store=mongo_uri, potentials=potentials, kinds=["md"], engine="jobflow_remote")
    findings = list(check_cluster(request))
    tried = [finding for finding in findings if finding.subject.endswith(": potential")]
    found = by_subject(findings)
    assert found["md: queue"].state == "ok"
    assert [finding.state for finding in tried] == ["ok", "error"]
    assert "no_such_package" in tried[1].message
    assert "md: database" not in found
    assert found["md: device"].state == "error"
    assert "GPUs asked for: 1, seen by torch: 0" in found["md: device"].message


def test_a_job_that_only_waits_is_taken_back(slurm_cluster, tmp_path):
    """The partition is there, and starts nothing: the check says so and does not wait for ever."""
    slurm_cluster.run("scontrol", "update", "PartitionName=short", "State=DOWN")
    try:
        profile = profile_in(tmp_path, analysis={"partition": "short", "time_limit": "00:02:00"}, stop_margin_s=10)
        request = CheckRequest(profile, kinds=["analysis"], timeout_s=1.5)
        found = by_subject(check_cluster(request))
    finally:
        slurm_cluster.run("scontrol", "update", "PartitionName=short", "State=UP")
    assert found["analysis: queue"].state in ("warning", "error")
    assert "PartitionDown" in found["analysis: queue"].message or "partition" in found["analysis: queue"].message
    slurm_cluster.wait_until_idle()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "work").write_text("a file, no folder")
    found = by_subject(check_cluster(CheckRequest(profile_in(tmp_path), kinds=["md"])))
    assert found["work folder"].state == "error"
    assert "not writable" in found["work folder"].message
    assert found["queue"].state == "skipped"


def test_without_a_queue_processes_are_tried(mongo_uri, tmp_path):
    profile = ClusterProfile(scheduler="shell", work_folder=str(tmp_path / "work"))
    found = by_subject(check_cluster(CheckRequest(profile, store=mongo_uri, kinds=["analysis"])))
    assert {finding.state for finding in found.values()} == {"ok"}, found
    broken = profile.model_copy(update={"python": "/nowhere/python"})
    found = by_subject(check_cluster(CheckRequest(broken, store=mongo_uri, kinds=["analysis"])))
    assert found["analysis: worker"].state == "error"
    assert "/nowhere/python" in found["analysis: worker"].message


def test_where_no_queue_can_be_reached(tmp_path, monkeypatch):
    """A host without Slurm's commands."""
    monkeypatch.setenv("PATH", "/bin")
    for name in ("sbatch",):
        if Path("/bin", name).exists():
            commands = tmp_path / "bin"
            commands.mkdir()
            for command in ("bash", "mkdir", "cat", "df", "tail", "rm"):
                (commands / command).symlink_to(Path("/bin", command))
            monkeypatch.setenv("PATH", str(commands))
    found = by_subject(check_cluster(CheckRequest(profile_in(tmp_path), kinds=["md"])))
    assert found["md: queue"].state == "error"
    assert "run this on a host that reaches the queue" in found["md: queue"].message


def test_stores_that_do_not_serve_a_cluster(tmp_path):
    (nothing,) = store_findings(None)
    assert nothing.state == "error"
    assert "SUPERION_STORE_FILE" in nothing.message
    (embedded,) = store_findings(str(tmp_path / "results.db"))
    assert embedded.state == "error"
    assert "mongodb://host/database" in embedded.message


def test_a_store_without_its_additional_store(mongo_uri, monkeypatch):
    from superion.database import job_store

    monkeypatch.setattr(job_store, "_open_server", _without_additional(job_store._open_server))
    monkeypatch.setitem(job_store._OPENERS_BY_SCHEME, "mongodb://", job_store._open_server)
    found = by_subject(store_findings(mongo_uri))
    assert found["additional store data"].state == "error"
    assert "it is missing" in found["additional store data"].message


def _without_additional(opener):
    def open_without(text):
        store = opener(text)
        store.additional_stores = {}
        return store

    return open_without


@pytest.mark.parametrize(
    ("margin_s", "state"), [(120.0, "ok"), (1200.0, "warning"), (3600.0, "error"), (7200.0, "error")]
)
def test_walltime_against_the_margin(tmp_path, margin_s, state):
    (finding,) = walltime_findings(profile_in(tmp_path, stop_margin_s=margin_s), ["md"])
    assert finding.state == state


def test_versions_that_differ(tmp_path):
    seen = {
        "python": "3.11.0",
        "executable": "/opt/python",
        "host": "node1",
        "versions": {"superion": "0.0.1", "numpy": "1.0"},
        "superion": None,
        "work_folder": "OSError: read-only",
        "store": "StoreError: away",
        "gpus": None,
        "allocation_ends": None,
    }
    profile = profile_in(tmp_path)
    found = {
        finding.subject: finding for finding in worker_findings(profile, "md", seen, potentials=[], needs_store=True)
    }
    assert found["md on node1: versions"].state == "error"
    assert "superion 0.0.1 (here " in found["md on node1: versions"].message
    assert found["md on node1: work folder"].state == "error"
    assert found["md on node1: database"].state == "error"
    assert found["md on node1: potential"].state == "skipped"
    assert found["md on node1: end of the allocation"].state == "warning"


@pytest.mark.parametrize(
    ("gpus", "device", "at_a_time", "state", "words"),
    [
        (2, "cuda:0", 2, "ok", "GPUs seen by torch: 2"),
        (2, "cuda:0", 8, "warning", "8 jobs at a time share 2 GPUs"),
        (2, "cpu", 2, "error", "the potential runs on the CPU"),
        (1, "cuda:0", 1, "error", "GPUs asked for: 2, seen by torch: 1"),
        (None, None, 1, "error", "torch is not there"),
    ],
)
def test_what_a_worker_says_of_its_gpus(tmp_path, gpus, device, at_a_time, state, words):
    seen = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "host": "node1",
        "versions": versions(),
        "superion": None,
        "work_folder": None,
        "store": "not asked",
        "potentials": [(None, device)],
        "gpus": gpus,
        "allocation_ends": 600.0,
    }
    profile = profile_in(tmp_path, md={"gpus": 2}, packing={"md": {"jobs_at_a_time": at_a_time}})
    found = {
        finding.subject: finding
        for finding in worker_findings(profile, "md", seen, potentials=["mace"], needs_store=False)
    }
    assert found["md on node1: device"].state == state
    assert words in found["md on node1: device"].message
    assert found["md on node1: end of the allocation"].state == "ok"


def test_another_host_is_reached_by_ssh(tmp_path, monkeypatch):
    """A program in place of ssh shows what it would be asked: options in order, and one line that bash reads whole."""
    stand_in = tmp_path / "ssh"
    stand_in.write_text(f'#!/bin/bash\nprintf "%s\\n" "$@" > {tmp_path}/asked\neval "${{@: -1}}"\n')
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    shell = HostShell(ClusterHost(address="login.example", user="ann", port=2222, gateway="gate.example"))
    answer = shell.run("read secret; echo \"$secret and $((6 * 7))\" 'it is'", stdin="word\n")
    assert answer.stdout == "word and 42 it is\n"
    asked = (tmp_path / "asked").read_text()
    assert "word" not in asked
    options = asked.splitlines()
    assert options[options.index("-p") + 1] == "2222"
    assert options[options.index("-l") + 1] == "ann"
    assert options[options.index("-J") + 1] == "gate.example"
    assert "BatchMode=yes" in options
