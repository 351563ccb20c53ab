"""Units begun by an installation whose files this one cannot read: nothing is lost, and the campaign finishes."""

from __future__ import annotations

import sys
from pathlib import Path

from superion.database.project import find_project
from superion.workflows.campaign.folders import unit_folder
from superion.workflows.campaign.retry import forget_failures
from superion.workflows.dispatch.run_folder import RunFolder

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import lattice_cell, open_campaigns, rows_of, run_here, write_campaign


def test_what_cannot_be_read_is_set_aside_and_computed_again(tmp_path):
    """Half an outcome, and a flow that names a module that is gone."""
    write_campaign(tmp_path, {"c14": lattice_cell(14, 1, "Br"), "c15": lattice_cell(15, 2, "Br")})
    (tmp_path / "kill").touch()
    _, ran = run_here(tmp_path)
    assert ran.counts == {"failed": 2}
    (tmp_path / "kill").unlink()
    project = find_project(tmp_path)
    with open_campaigns(tmp_path) as collections:
        assert forget_failures(collections.load_campaign("lattice"), collections, project) == 2
    rows = rows_of(tmp_path)
    folders = {
        label: RunFolder(unit_folder(project, row["stages"]["probe"]["stage_keys"][0])) for label, row in rows.items()
    }
    outcome = next(iter(folders["c14"].outcome_files().values()))
    half = outcome.read_bytes()[:100]
    outcome.write_bytes(half)
    n_outcomes = len(folders["c15"].outcome_files())
    flow = folders["c15"].read_flow().replace("superion.workflows.stages.probe", "superion.makers.gone")
    folders["c15"].flow_file.write_text(flow)

    events = []
    _, ran = run_here(tmp_path, on_event=events.append)
    assert (ran.state, ran.counts) == ("finished", {"done": 2})
    notices = {event.label: event.message for event in events if event.kind == "notice"}
    assert "JSONDecodeError" in notices["c14"]
    assert "there is no superion.makers.gone." in notices["c15"]
    assert f"; {n_outcomes} outcomes of its jobs were moved to " in notices["c15"]
    for label, kept in {"c14": half, "c15": flow.encode()}.items():
        # All else of a finished unit is gone.
        (place,) = folders[label].set_aside_folder.iterdir()
        assert [path.name for path in folders[label].path.iterdir()] == ["set_aside"]
        assert str(place) in notices[label]
        assert kept in [path.read_bytes() for path in place.rglob("*.json")]
        assert (place / "why.txt").read_text().count("\n") == 1
    assert len(list(folders["c15"].set_aside_folder.rglob("outcomes/*.json"))) == n_outcomes
