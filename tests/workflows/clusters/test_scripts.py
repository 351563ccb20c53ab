"""What the queues are given: complete scripts, accepted by bash, by the real Slurm, and by qtoolkit's checks."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml
from superion.errors import SettingsError
from superion.runtime.resource_kind import resource_kinds
from superion.workflows.clusters.find import load_cluster
from superion.workflows.clusters.fireworks_adapter import to_queue_adapter
from superion.workflows.clusters.profile import ClusterProfile
from superion.workflows.clusters.qtoolkit_resources import to_qresources

QUEUES = ("slurm_cpu", "slurm_gpu", "pbs")
FULL = {
    "description": "everything",
    "work_folder": "$HOME/superion",
    "setup": ["module load cuda/12.4", "source ~/superion/bin/activate"],
    "environment": {"OMP_NUM_THREADS": 2, "SUPERION_STORE_FILE": "$HOME/.superion_store"},
    "resources": {
        "md": {
            "cores": 6,
            "gpus": 2,
            "memory_gb": 17.5,
            "time_limit": "2-12:00:00",
            "partition": "gpu",
            "account": "a1234",
            "nodes": 2,
        }
    },
}


def full_profile(scheduler: str) -> ClusterProfile:
    options = (
        {"constraint": "a100", "exclusive": None} if scheduler == "slurm" else {"l filesystems": "home", "V": None}
    )
    more = {"options": options, **({"qos": "normal"} if scheduler == "slurm" else {})}
    md = {**FULL["resources"]["md"], **more}
    return ClusterProfile.model_validate({**FULL, "scheduler": scheduler, "resources": {"md": md}})


def fireworks_script(profile: ClusterProfile, kind: str, folder) -> str:
    return to_queue_adapter(profile, kind, "exec python -m pilot", job_name="superion-md-1").get_script_str(str(folder))


def qtoolkit_script(profile: ClusterProfile, kind: str) -> str:
    qtoolkit_io = pytest.importorskip("qtoolkit.io")
    scheduler = {"slurm": qtoolkit_io.SlurmIO, "pbs": qtoolkit_io.PBSIO, "shell": qtoolkit_io.ShellIO}[
        profile.scheduler
    ]
    resources = to_qresources(profile.resources_of(kind), "superion-md-1", profile.scheduler)
    return scheduler().get_submission_script("python -m pilot", resources)


def directives(script: str) -> dict[str, str]:
    """The head of a script, as the queue reads it: directives up to the first command."""
    found = {}
    for line in script.splitlines():
        if line.startswith(("#SBATCH", "#PBS")):
            found |= [_directive(line.split(maxsplit=1)[1])]
        elif line.strip() and not line.startswith("#"):
            break
    return found


def _directive(words: str) -> tuple[str, str]:
    if words.startswith("--"):
        return words.partition("=")[0], words.partition("=")[2]
    option, _, rest = words.partition(" ")
    name, equals, value = rest.partition("=")
    return (f"{option} {name}", value) if equals and option in ("-l", "-W") else (option, rest)


def assert_bash_reads(script: str) -> None:
    answer = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert script.startswith("#!/bin/bash")
    assert "$$" not in script


@pytest.mark.parametrize("kind", resource_kinds())
@pytest.mark.parametrize("name", QUEUES)
def test_shipped_profiles_give_complete_scripts(name, kind, tmp_path):
    profile = load_cluster(name)
    for script in (fireworks_script(profile, kind, tmp_path), qtoolkit_script(profile, kind)):
        assert_bash_reads(script)
        assert "python -m pilot" in script
        assert not re.search(r"SUPERION_STORE(?![A-Z_])", script)
        found = directives(script)
        partition = profile.resources_of(kind).partition
        assert (partition or "") == found.get("--partition", found.get("-q", ""))
        assert {"--time", "--nodes", "--cpus-per-task"} <= set(found) or {"-l walltime", "-l select"} <= set(found)


def test_slurm_is_asked_for_everything_by_fireworks(tmp_path):
    script = fireworks_script(full_profile("slurm"), "md", tmp_path)
    assert_bash_reads(script)
    found = directives(script)
    assert found == {
        "--nodes": "2",
        "--ntasks-per-node": "1",
        "--cpus-per-task": "6",
        "--gres": "gpu:2",
        "--mem": "17920M",
        "--time": "60:00:00",
        "--partition": "gpu",
        "--account": "a1234",
        "--qos": "normal",
        "--constraint": "a100",
        "--exclusive": "",
        "--no-requeue": "",
        "--job-name": "superion-md-1",
        "--output": "superion-md-1-%j.out",
        "--error": "superion-md-1-%j.error",
    }
    commands = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert commands == [
        "module load cuda/12.4",
        "source ~/superion/bin/activate",
        'export SUPERION_PROGRESS_FOLDER="$HOME/superion/progress"',
        'export SUPERION_STOP_MARGIN_S="120"',
        'export OMP_NUM_THREADS="2"',
        'export SUPERION_STORE_FILE="$HOME/.superion_store"',
        f"cd {tmp_path}",
        "exec python -m pilot",
    ]


def test_who_wants_allocations_back_under_their_old_number_gets_them(tmp_path):
    profile = full_profile("slurm").with_resources({"md": {"options": {"requeue": None}}})
    found = directives(fireworks_script(profile, "md", tmp_path))
    assert "--requeue" in found
    assert "--no-requeue" not in found


def test_pbs_is_asked_for_everything_by_fireworks(tmp_path):
    script = fireworks_script(full_profile("pbs"), "md", tmp_path)
    assert_bash_reads(script)
    assert directives(script) == {
        "-N": "superion-md-1",
        "-q": "gpu",
        "-A": "a1234",
        "-l select": "2:ncpus=6:mpiprocs=1:ngpus=2:mem=17920mb",
        "-l walltime": "60:00:00",
        "-l filesystems": "home",
        "-r": "n",
        "-V": "",
        "-o": f"{tmp_path}/",
        "-e": f"{tmp_path}/",
    }
    assert script.index("module load") > script.index("#PBS -V")


def test_every_field_reaches_qtoolkit():
    slurm = directives(qtoolkit_script(full_profile("slurm"), "md"))
    memory_mb_per_core = -(-17920 // 6)
    assert slurm == {
        "--partition": "gpu",
        "--job-name": "superion-md-1",
        "--nodes": "2",
        "--ntasks-per-node": "1",
        "--cpus-per-task": "6",
        "--mem-per-cpu": str(memory_mb_per_core),
        "--time": "2-12:0:0",
        "--account": "a1234",
        "--gres": "gpu:2",
        "--qos": "normal",
        "--constraint": "a100",
        "--exclusive": "",
    }
    pbs = directives(qtoolkit_script(full_profile("pbs"), "md"))
    assert pbs["-l select"] == "2:ncpus=6:mpiprocs=1:ngpus=2:mem=17920mb"
    assert (pbs["-q"], pbs["-A"], pbs["-l walltime"]) == ("gpu", "a1234", "60:0:0")
    assert (pbs["-l filesystems"], pbs["-V"]) == ("home", "")


def test_pbs_without_a_gpu_needs_no_words_of_ours():
    script = qtoolkit_script(load_cluster("pbs"), "relax")
    assert directives(script)["-l select"] == "1:ncpus=4:mpiprocs=1:ompthreads=4:mem=12288mb"


def test_a_shell_reserves_nothing():
    profile = load_cluster("local")
    assert_bash_reads(qtoolkit_script(profile, "md"))
    with pytest.raises(SettingsError, match="no queue"):
        to_queue_adapter(profile, "md", "rlaunch rapidfire")


def test_an_adapter_comes_back_from_its_file(tmp_path):
    from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

    for scheduler in ("slurm", "pbs"):
        adapter = to_queue_adapter(full_profile(scheduler), "md", "rlaunch rapidfire")
        file = tmp_path / f"{scheduler}.yaml"
        adapter.to_file(str(file))
        assert yaml.safe_load(file.read_text())["_fw_name"] == "CommonAdapter"
        again = CommonAdapter.from_file(str(file))
        assert again.get_script_str("/tmp") == adapter.get_script_str("/tmp")


@pytest.mark.parametrize("name", ["slurm_cpu", "slurm_gpu"])
@pytest.mark.parametrize("kind", resource_kinds())
def test_slurm_takes_what_is_rendered(kind, name, slurm_cluster, tmp_path):
    """The real Slurm: its partitions are those of the shipped GPU profile."""
    profile = load_cluster(name)
    for script in (fireworks_script(profile, kind, tmp_path), qtoolkit_script(profile, kind)):
        file = tmp_path / "script.sh"
        file.write_text(script)
        answer = slurm_cluster.run("sbatch", "--test-only", str(file))
        assert "to start at" in answer.stderr
    nowhere = profile.with_resources({kind: {"partition": "nowhere"}})
    file.write_text(fireworks_script(nowhere, kind, tmp_path))
    assert "invalid partition" in slurm_cluster.run("sbatch", "--test-only", str(file), check=False).stderr


def test_a_rendered_script_runs_with_its_variables(slurm_cluster, tmp_path):
    profile = ClusterProfile(
        scheduler="slurm",
        work_folder=str(tmp_path / "runs"),
        setup=["FIRST=one"],
        environment={"SECOND": "$FIRST and two"},
        resources={"analysis": {"memory_gb": 0.5, "options": {"comment": "from a test"}}},
    )
    adapter = to_queue_adapter(profile, "analysis", 'echo "$SECOND $SUPERION_PROGRESS_FOLDER" > seen')
    script = tmp_path / "script.sh"
    script.write_text(adapter.get_script_str(str(tmp_path)))
    job = slurm_cluster.run("sbatch", "--parsable", f"--chdir={tmp_path}", str(script)).stdout.strip()
    slurm_cluster.wait_for_state(job, "COMPLETED")
    assert (tmp_path / "seen").read_text() == f"one and two {tmp_path}/runs/progress\n"
    assert "Comment=from a test" in slurm_cluster.run("scontrol", "show", "job", job).stdout
