"""A campaign whose file is submitted with changes while it runs."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from pymatgen.core import Lattice, Structure
from superion.database.project import find_project
from superion.workflows.campaign.runner import run_campaign
from superion.workflows.campaign.submit import submit_campaign

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import open_campaigns, write_campaign


def mixed_salt() -> Structure:
    """Half of its cations are sodium; there are several ways to order them."""
    half = {"Li": 0.5, "Na": 0.5}
    cell = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.4), [half, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    cell.make_supercell([2, 1, 1])
    return cell


def test_the_run_stops_and_the_next_one_goes_by_the_new_file(tmp_path):
    file = write_campaign(tmp_path, {"c1": mixed_salt()}, stages=[{"stage": "validate"}])
    project = find_project(tmp_path, create=True)
    with open_campaigns(tmp_path) as collections:
        submit_campaign(file, collections, workers=1)

        def change(event):
            if event.kind == "started":
                file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"ordering": {"n_orderings": 3}}))
                assert submit_campaign(file, collections, workers=1).changed == ("ordering",)

        ran = run_campaign("lattice", collections, project, workers=1, on_event=change)
        assert (ran.state, ran.counts) == ("stopped", {"waiting": 1})
        assert ran.reason == "the campaign file was changed, which counts for the next run"
        (row,) = collections.iter_rows("lattice")
        assert len(row.orderings) == 3
        assert [len(stage.stage_keys) for stage in row.stages.values()] == [3]
        # What the first run had begun by the old file is found by the second one.
        again = run_campaign("lattice", collections, project, workers=1)
        assert (again.state, ran.n_finished + again.n_finished, again.counts) == ("finished", 3, {"done": 1})
