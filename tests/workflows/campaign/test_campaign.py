"""A campaign from its file to its rows: submitted, run, changed, disturbed, handed on."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from superion.database.project import find_project
from superion.errors import SettingsError, StoreError
from superion.workflows.campaign.export import export_campaign
from superion.workflows.campaign.find import find_campaign
from superion.workflows.campaign.folders import campaign_folder
from superion.workflows.campaign.import_campaign import import_campaign
from superion.workflows.campaign.lock import campaign_lock
from superion.workflows.campaign.pause import set_paused
from superion.workflows.campaign.retry import forget_failures
from superion.workflows.campaign.runner import run_campaign
from superion.workflows.campaign.status import StatusReader
from superion.workflows.campaign.submit import submit_campaign

sys.path.append(str(Path(__file__).parent / "support"))
import lattice_campaign
from lattice_campaign import PROBE, disturb, lattice_cell, open_campaigns, rows_of, run_here, start, write_campaign

SIGMA, D = "greatest_sigma_300k_ms_cm", "probe_diffusivity_cm2_s"


def four_cells():
    """Four candidates; all of them conduct."""
    return {f"c{n}": lattice_cell(n, seed=n) for n in (14, 17, 20, 23)}


def stage_states(row):
    """State by stage."""
    return {name: stage["state"] for name, stage in row["stages"].items()}


def trajectory_stamps(folder):
    """When each file of the trajectories was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.glob(".superion/trajectories/*/segment*")}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A campaign that nobody disturbed."""
    folder = tmp_path_factory.mktemp("unbroken")
    write_campaign(folder, four_cells())
    events = []
    submitted, ran = run_here(folder, on_event=events.append)
    assert (submitted.n_new, submitted.n_orderings, submitted.is_new) == (4, 4, True)
    assert (ran.state, ran.n_finished, ran.n_failed, ran.counts) == ("finished", 8, 0, {"done": 4})
    assert [event.kind for event in events].count("unit_finished") == 8
    return folder


def test_rows_say_what_was_found(unbroken):
    rows = rows_of(unbroken)
    assert sorted(rows) == ["c14", "c17", "c20", "c23"]
    for row in rows.values():
        assert row["status"] == "done"
        assert stage_states(row) == {"validate": "passed", "probe": "passed"}
        assert row["properties"][SIGMA]["bound"] == "upper"
        assert row["properties"]["mean_atomic_mass_amu"]["value"] == pytest.approx(21.2, abs=0.1)
    # Nothing is left behind of what went well.
    assert not [path for path in (unbroken / ".superion" / "units").rglob("*") if path.is_file()]


def test_the_same_file_twice_computes_nothing(unbroken):
    before, stamps = rows_of(unbroken), trajectory_stamps(unbroken)
    submitted, ran = run_here(unbroken)
    assert (submitted.n_new, submitted.is_new, submitted.changed) == (0, False, ())
    assert ran.n_finished == 0
    assert rows_of(unbroken) == before
    assert trajectory_stamps(unbroken) == stamps


def test_status_from_another_process(unbroken):
    """The store and the heartbeat alone say how far it is."""
    with open_campaigns(unbroken) as collections:
        found = StatusReader("lattice", collections, find_project(unbroken)).read()
        assert (found.state, found.n_candidates, found.counts) == ("finished", 4, {"done": 4})
        assert [(stage.stage, stage.passed, stage.failed) for stage in found.stages] == [
            ("validate", 4, 0),
            ("probe", 4, 0),
        ]
        assert found.remaining_s == 0.0
        assert all(stage.core_seconds_per_unit > 0 for stage in found.stages)
        with pytest.raises(SettingsError, match="did you mean lattice"):
            find_campaign(collections, "latice")
        assert find_campaign(collections).campaign_id == "lattice"


def test_changed_rules_and_longer_runs_reuse_what_is_there(unbroken, tmp_path):
    """A threshold recomputes nothing; a longer run continues; a further candidate adds its own units only."""
    subprocess.run(["cp", "-r", f"{unbroken}/.", str(tmp_path)], check=True)
    content = yaml.safe_load((tmp_path / "campaign.yaml").read_text())
    rows = rows_of(tmp_path)
    ordered = sorted(rows.values(), key=lambda row: -row["properties"][D]["value"])
    best, limit = ordered[0], ordered[0]["properties"][D]["interval_95"][0]
    content["stages"][1] = PROBE | {"rules": [{"property": D, "at_least": limit}]}
    (tmp_path / "campaign.yaml").write_text(yaml.safe_dump(content))
    stamps = trajectory_stamps(tmp_path)
    with open_campaigns(tmp_path) as collections:
        submitted = submit_campaign(tmp_path / "campaign.yaml", collections)
        assert submitted.changed == ("stage probe (rules)",)
    judged = rows_of(tmp_path)
    assert judged[best["label"]]["status"] == "done"
    for label, row in judged.items():
        high = rows[label]["properties"][D]["interval_95"][1]
        assert row["status"] == ("done" if high >= limit else "rejected")
        assert row["properties"] == rows[label]["properties"]
    assert trajectory_stamps(tmp_path) == stamps

    content["stages"][1] = PROBE | {"duration_ps": 3.2}
    (tmp_path / "campaign.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "c26.json").write_text(json.dumps(lattice_cell(26, seed=26).as_dict()))
    submitted, ran = run_here(tmp_path)
    assert (submitted.n_new, submitted.changed) == (1, ("stage probe (settings)", "stage probe (rules)"))
    assert ran.n_finished == 6
    assert ran.counts == {"done": 5}
    continued = trajectory_stamps(tmp_path)
    assert stamps.items() <= continued.items()
    assert len({path.parent for path in continued}) == 5


def test_best_only_go_on_after_all_were_compared(tmp_path):
    """A rule that compares lets the best through; rejected ones say against whom they lost."""
    validate = {"stage": "validate", "rules": [{"keep_best": 1, "by": "mean_atomic_mass_amu"}]}
    cells = {"c14": lattice_cell(14, 1), "c15": lattice_cell(15, 2, "Br")}
    write_campaign(tmp_path, cells, stages=[validate])
    with open_campaigns(tmp_path) as collections:
        submit_campaign(tmp_path / "campaign.yaml", collections, workers=1)
    _, ran = run_here(tmp_path, workers=1)
    assert ran.counts == {"done": 1, "rejected": 1}
    row = rows_of(tmp_path)["c15"]
    assert "not among the best 1 of 2: mean atomic mass" in row["reason"]


def test_one_poisonous_candidate_and_a_full_disk(tmp_path):
    """A candidate that kills its process and one without room on the disk: the others finish, a retry mends both."""
    cells = {"c14": lattice_cell(14, 1), "c15": lattice_cell(15, 2, "Br"), "c16": lattice_cell(16, 3, "I")}
    write_campaign(tmp_path, cells)
    (tmp_path / "c_broken.cif").write_text("data_x\n_cell_length_a nonsense\n")
    content = yaml.safe_load((tmp_path / "campaign.yaml").read_text())
    content["candidates"][0]["paths"] = ["c*.json", "c_broken.cif"]
    (tmp_path / "campaign.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "kill").touch()
    (tmp_path / "full").touch()
    submitted, ran = run_here(tmp_path)
    assert (submitted.n_new, submitted.n_rejected) == (4, 1)
    assert ran.state == "stopped"
    assert "the disk had no room for 1 units" in ran.reason
    assert ran.unwritten == ("probe of c16",)
    assert ran.n_failed == 1
    rows = rows_of(tmp_path)
    assert {label: row["status"] for label, row in rows.items()} == {
        "c14": "done",
        "c15": "failed",
        "c16": "waiting",
        "c_broken": "rejected",
    }
    assert "SIGKILL" in rows["c15"]["reason"]
    assert rows["c_broken"]["reason"]

    # Room again, and the poison gone: what was written off is computed, and nothing else.
    (tmp_path / "full").unlink()
    (tmp_path / "kill").unlink()
    with open_campaigns(tmp_path) as collections:
        record = collections.load_campaign("lattice")
        assert forget_failures(record, collections, find_project(tmp_path)) == 1
        assert forget_failures(record, collections, find_project(tmp_path)) == 0
    _, ran = run_here(tmp_path, workers=1)
    assert (ran.state, ran.n_finished, ran.counts) == ("finished", 2, {"done": 3, "rejected": 1})


def test_a_full_disk_and_a_limit_end_the_run_in_one_sentence(tmp_path):
    """Neither loses anything: with room again, and the limit lowered, the next run finishes."""
    limits = {"minimum_free_disk_gb": 1.0e9}
    file = write_campaign(tmp_path, {"c14": lattice_cell(14, 1)}, stages=[{"stage": "validate"}], limits=limits)
    submitted, ran = run_here(tmp_path)
    assert (submitted.n_new, ran.state, ran.n_failed) == (1, "stopped", 0)
    assert "less than limits.minimum_free_disk_gb" in ran.reason
    file.write_text(file.read_text().replace("1000000000.0", "0.0"))
    project = find_project(tmp_path)
    with open_campaigns(tmp_path) as collections:
        assert submit_campaign(file, collections).changed == ("limits",)
        allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, allowed[1]))
        try:
            with pytest.raises(StoreError) as caught:
                run_campaign("lattice", collections, project, workers=1)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert "\n" not in str(caught.value)
    _, ran = run_here(tmp_path)
    assert (ran.state, ran.counts) == ("finished", {"done": 1})


def test_one_driver_and_a_pause(unbroken):
    """A second driver is told in one sentence; a paused campaign does not start."""
    project = find_project(unbroken)
    with open_campaigns(unbroken) as collections:
        with (
            campaign_lock(campaign_folder(project, "lattice"), "lattice", wait_s=0.0),
            pytest.raises(StoreError, match=f"being run by process {os.getpid()}"),
        ):
            run_campaign("lattice", collections, project, workers=1)
        record = set_paused(collections, collections.load_campaign("lattice"), True)
        with pytest.raises(SettingsError, match="is paused: go on with"):
            run_campaign("lattice", collections, project, workers=1)
        set_paused(collections, record, False)
        assert run_campaign("lattice", collections, project, workers=1).state == "finished"


def same_campaign(folder: Path, unbroken: Path) -> None:
    """Write the undisturbed campaign once more, with the same potential to the letter: a trajectory's key has it."""
    content = write_campaign(folder, four_cells()).read_text()
    (folder / "campaign.yaml").write_text(content.replace(str(folder), str(unbroken)))
    (folder / ".superion").mkdir()


@pytest.mark.parametrize("kind", ["embedded", pytest.param("mongo", marks=[pytest.mark.services, pytest.mark.slow])])
def test_killed_driver_loses_nothing(unbroken, tmp_path, request, kind):
    """SIGKILL to the driver, whose workers notice and leave: the same rows in the end, in both kinds of store."""
    store = [request.getfixturevalue("mongo_uri")] if kind == "mongo" else []
    same_campaign(tmp_path, unbroken)
    # The potential looks there, and would else be done on a machine that is busy with the rest.
    (unbroken / "slow").write_text("0.02")
    try:
        disturb(tmp_path, 0.3, *store, workers_too=False)
    finally:
        (unbroken / "slow").unlink()
    rows = rows_of(tmp_path, *store)
    assert len(rows) == 4
    assert any(row["status"] != "done" for row in rows.values())
    driver = start(tmp_path, *store)
    output, errors = driver.communicate(timeout=600)
    assert driver.returncode == 0, errors.decode()[-2000:]
    assert output.decode().startswith("finished")
    assert rows_of(tmp_path, *store) == rows_of(unbroken)
    assert (tmp_path / ".superion" / "superion.db").exists() == (kind == "embedded")


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_kills_give_the_same_rows(unbroken, tmp_path, seed):
    """Kills at random instants, of the driver alone or of all at once, until the campaign is through."""
    import random

    dice = random.Random(seed)
    same_campaign(tmp_path, unbroken)
    kills = 0
    while disturb(tmp_path, dice.uniform(0.0, 1.0), workers_too=dice.random() < 0.5).returncode != 0:
        kills += 1
    assert kills >= 3
    assert rows_of(tmp_path) == rows_of(unbroken)


def test_export_and_import(unbroken, tmp_path):
    """A colleague's store takes the export in, knows the rows, and computes nothing when it submits the file."""
    (tmp_path / "theirs").mkdir()
    project = find_project(tmp_path / "theirs", create=True)
    archive = tmp_path / "lattice.zip"
    with open_campaigns(unbroken) as collections:
        found = export_campaign(collections.load_campaign("lattice"), collections, archive)
        assert (found.n_candidates, found.n_documents) == (4, 8)
        content = archive.read_bytes()
        with pytest.raises(StoreError, match="is there already: name another one, or pass --overwrite"):
            export_campaign(collections.load_campaign("lattice"), collections, archive)
        export_campaign(collections.load_campaign("lattice"), collections, archive, overwrite=True)
        assert archive.read_bytes() == content
    with lattice_campaign.CampaignCollections.open(project=project) as collections:
        report = import_campaign(archive, collections)
        assert (report.is_new, report.n_candidates, report.n_documents) == (True, 4, 8)
        report = import_campaign(archive, collections)
        assert (report.is_new, report.n_candidates, report.n_documents) == (False, 0, 0)
        # Its file may name any code, so its user must see it first.
        with pytest.raises(SettingsError, match="was imported: read its file"):
            run_campaign("lattice", collections, project)
        assert StatusReader("lattice", collections, None).read().counts == {"done": 4}
        assert submit_campaign(unbroken / "campaign.yaml", collections).n_new == 0
        ran = run_campaign("lattice", collections, project, workers=1)
        assert (ran.state, ran.n_finished, ran.counts) == ("finished", 0, {"done": 4})
    assert rows_of(tmp_path / "theirs") == rows_of(unbroken)
