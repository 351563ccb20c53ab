"""`superion cluster` as users meet it."""

from __future__ import annotations

import getpass
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ADDRESS = "mongodb://ann:secret@127.0.0.1:1/superion?serverSelectionTimeoutMS=300"


@pytest.fixture(autouse=True)
def _own_profiles(tmp_path, monkeypatch):
    monkeypatch.setenv("SUPERION_CLUSTERS", str(tmp_path / "clusters"))


def test_list_and_show(cli, tmp_path):
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters" / "mine.yaml").write_text("scheduler: slurm\nwork_folder: /scratch\ndescription: our own\n")
    infos = cli("cluster", "list", "--json").json()
    assert [info["name"] for info in infos] == ["local", "mine", "pbs", "slurm_cpu", "slurm_gpu"]
    assert "our own" in cli("cluster", "list").out
    shown = cli("cluster", "show", "slurm_gpu").out
    assert shown.startswith("# A Slurm cluster with GPU nodes")
    assert yaml.safe_load(shown)["scheduler"] == "slurm"
    assert cli("cluster", "show", "mine", "--json").json()["stop_margin_s"] == 120.0
    assert "#PBS -l select=1:ncpus=4:mpiprocs=1:ngpus=1" in cli("cluster", "show", "pbs", "--script", "md").out
    cli("cluster", "show", "slurm_gpoo").assert_sentence("did you mean 'slurm_gpu'")
    cli("cluster", "show", "pbs", "--script", "mdd").assert_sentence("analysis, md, relax")


def test_init_says_what_is_missing(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115
    cli("cluster", "init").assert_sentence("add --engine, one of fireworks, jobflow_remote")
    cli("cluster", "init", "--engine", "fireworks").assert_sentence("add --cluster")
    cli("cluster", "init", "--engine", "fireworks", "--cluster", "slurm_cpu").assert_sentence("add --store")
    cli("cluster", "init", "--engine", "firework").assert_sentence("no engine 'firework'")
    where = ("--cluster", "slurm_cpu", "--folder", tmp_path / "fw")
    cli("cluster", "init", "--engine", "fireworks", *where, "--store", "x.db").assert_sentence("MongoDB server")
    assert not (tmp_path / "fw").exists()


def test_init_asks_at_a_terminal(tmp_path):
    """A real terminal: the address is not shown while it is typed."""
    import pty

    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "superion.scripts.cli", "cluster", "init", "--folder", str(tmp_path / "fw")],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={name: value for name, value in os.environ.items() if not name.startswith("SUPERION_STORE")},
    )
    os.close(terminal)
    try:
        shown = b""
        for question, answer in (("engine", "fireworks"), ("cluster profile", "slurm_cpu"), ("address", ADDRESS)):
            shown += read_until(controller, question, ": ")
            os.write(controller, f"{answer}\n".encode())
        shown += read_until(controller, "flows of your own: `qlaunch")
        assert process.wait(timeout=300) == 0, shown.decode()
    finally:
        process.kill()
        process.wait()
        os.close(controller)
    assert yaml.safe_load((tmp_path / "fw" / "my_launchpad.yaml").read_text())["host"] == ADDRESS
    assert "slurm_cpu" in shown.decode()
    assert "secret" not in shown.decode()


def read_until(controller: int, *words: str) -> bytes:
    """What a program writes to its terminal, until all words have come, one after the other."""
    import select

    shown, start = b"", 0
    for word in words:
        while (found := shown.find(word.encode(), start)) < 0:
            ready, _, _ = select.select([controller], [], [], 300)
            assert ready, f"no {word!r} in {shown.decode()}"
            shown += os.read(controller, 4096)
        start = found + len(word)
    return shown


def test_init_fireworks_writes_private_files_once(cli, tmp_path):
    folder = tmp_path / "fw"
    arguments = ("cluster", "init", "--engine", "fireworks", "--cluster", "pbs", "--store", ADDRESS, "--folder", folder)
    first = cli(*arguments)
    assert first.code == 0
    assert "warning: The launchpad's database" in first.err
    assert "secret" not in first.out + first.err
    names = {path.name for path in folder.iterdir()}
    kinds = ("relax", "md", "analysis", "train")
    assert names == {"FW_config.yaml", "my_launchpad.yaml", "store_address", "my_fworker.yaml", "my_qadapter.yaml"} | {
        f"my_{what}_{kind}.yaml" for what in ("fworker", "qadapter") for kind in kinds
    }
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        if path.name not in ("my_launchpad.yaml", "store_address"):
            assert "secret" not in path.read_text()
    worker = yaml.safe_load((folder / "my_fworker_md.yaml").read_text())
    assert worker["category"] == f"superion.{getpass.getuser()}.pbs.md"
    cli(*arguments).assert_sentence("already", "--force")
    assert cli(*arguments, "--force").code == 0


def test_init_fireworks_without_a_queue_writes_no_adapters(cli, tmp_path):
    where = ("--cluster", "local", "--store", ADDRESS, "--folder", tmp_path / "fw")
    done = cli("cluster", "init", "--engine", "fireworks", *where)
    assert done.code == 0
    assert "fireworks_engine.pilot --worker-file" in done.out + done.err
    assert not list((tmp_path / "fw").glob("my_qadapter*"))
    assert (tmp_path / "fw" / "my_fworker_md.yaml").exists()


def test_init_jobflow_remote_writes_a_project_that_loads(cli, mongo_uri, tmp_path, monkeypatch):
    pytest.importorskip("jobflow_remote")
    folder = tmp_path / "projects"
    where = ("--cluster", "slurm_gpu", "--store", mongo_uri, "--folder", folder, "--project", "demo")
    answer = cli("cluster", "init", "--engine", "jobflow_remote", *where)
    assert answer.code == 0, answer.err
    assert f"`JFREMOTE_PROJECTS_FOLDER={folder} jf -p demo runner start`" in answer.err
    file = folder / "demo.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    content = yaml.safe_load(file.read_text())
    assert set(content["workers"]) == {f"slurm_gpu_{kind}" for kind in ("relax", "md", "analysis", "train")}
    assert "data" in content["jobstore"]["additional_stores"]
    listed = subprocess.run(
        [str(Path(sys.executable).parent / "jf"), "project", "list"],
        capture_output=True,
        text=True,
        env={**os.environ, "JFREMOTE_PROJECTS_FOLDER": str(folder), "COLUMNS": "120"},
    )
    assert "demo" in listed.stdout, listed.stdout + listed.stderr
    cli("cluster", "init", "--engine", "jobflow_remote", *where).assert_sentence("already")


def test_check_tells_and_counts(cli, slurm_cluster, mongo_uri, tmp_path):
    text = (
        "scheduler: slurm\nwork_folder: {work}\nresources: {{md: {{memory_gb: 0.5}}, relax: {{partition: nowhere}}}}\n"
    )
    (tmp_path / "mine.yaml").write_text(text.format(work=tmp_path / "work"))
    one = (tmp_path / "mine.yaml", "--store", mongo_uri, "--engine", "fireworks")
    ready = cli("cluster", "check", *one, "--kind", "md")
    assert ready.code == 0, ready.out + ready.err
    assert "is ready." in ready.out
    assert "launchpad" in ready.out
    answer = cli("cluster", "check", *one, "--kind", "relax", "--json")
    assert answer.code == 1
    report = answer.json()
    assert report["ready"] is False
    wrong = [finding for finding in report["findings"] if finding["state"] == "error"]
    assert [finding["subject"] for finding in wrong] == ["relax: queue"]
    assert json.dumps(report)
    cli("cluster", "check", "local", "--kind", "mdd").assert_sentence("analysis, md, relax")


def test_check_of_a_campaign_file(cli, slurm_cluster, mongo_uri, tmp_path):
    """Cluster, resources, engine and potential are the campaign's."""
    text = "scheduler: slurm\nwork_folder: {work}\nresources: {{md: {{memory_gb: 0.5}}}}\n"
    (tmp_path / "mine.yaml").write_text(text.format(work=tmp_path / "work"))
    campaign = {
        "name": "demo",
        "candidates": [{"kind": "files", "paths": ["*.cif"]}],
        "mobile_ion": "Li",
        "potential": "ase:ase.calculators.lj.LennardJones",
        "stages": [{"stage": "validate"}, {"stage": "relax"}],
        "dispatch": {
            "engine": "fireworks",
            "cluster": str(tmp_path / "mine.yaml"),
            "resources": {"md": {"partition": "short", "time_limit": "00:02:00"}},
        },
    }
    file = tmp_path / "campaign.yaml"
    file.write_text(yaml.safe_dump(campaign))
    one = ("--campaign", file, "--store", mongo_uri, "--kind", "md")
    report = cli("cluster", "check", *one, "--json").json()
    told = {
        finding["subject"].partition(" on ")[0] + finding["subject"].rpartition(":")[2]: finding
        for finding in report["findings"]
    }
    assert told["md potential"]["message"] == "ase:ase.calculators.lj.LennardJones computes on cpu"
    assert "00:02:00 is not longer than stop_margin_s" in json.dumps(report)
    assert any(finding["subject"] == "launchpad" for finding in report["findings"])
    assert report["ready"] is False
    cli("cluster", "check", "local", *one).assert_sentence("leave local out")
    cli("cluster", "check").assert_sentence("Name a cluster")
    file.write_text(yaml.safe_dump({**campaign, "dispatch": {}}))
    cli("cluster", "check", *one).assert_sentence("names no cluster")
