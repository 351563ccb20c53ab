"""Work that several units share, in a campaign that is killed, fails, and is tried again, on every engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure

sys.path.append(str(Path(__file__).parent / "support"))
from any_engine import ENGINES, campaign_on
from cluster_campaign import wait_for
from installed_stage import installed_stage
from lattice_campaign import lattice_cell, rows_of

VALUE = "mean_atomic_mass_amu"


@pytest.mark.parametrize(
    "engine", [ENGINES[0], *(pytest.param(engine, marks=pytest.mark.slow) for engine in ENGINES[1:])]
)
def test_it_is_done_once_and_units_wait_for_it_or_say_why_they_cannot(engine, tmp_path, request):
    pytest.importorskip("jobflow_remote")
    database = None if engine == "local" else request.getfixturevalue("database")
    folder, notes = tmp_path / "campaign", tmp_path / "notes"
    notes.mkdir()

    def counts() -> dict[str, int]:
        return {path.name: path.stat().st_size for path in notes.iterdir() if path.stat().st_size}

    def write(**settings) -> None:
        cells = {f"c{index}": lattice_cell(6 + index, seed=index, anion=anion) for index, anion in enumerate(anions)}
        campaign.write(cells, [{"stage": "sharing", "folder": str(notes), **settings}])

    anions = ("Cl", "Br", "Cl")
    for name in ("hang-7", "broken-8"):
        (notes / name).touch()
    with (
        installed_stage(tmp_path / "plugin", "sharing", "sharing_stage:SharingStage"),
        campaign_on(engine, folder, database) as campaign,
    ):
        write()
        campaign.start()
        wait_for(lambda: (notes / "begun-7").exists(), "what all share has begun")
        campaign.wait_for_documents("member", 1)
        campaign.kill()
        assert not [name for name in counts() if name.startswith("sharer")]

        (notes / "hang-7").unlink()
        (notes / "broken-7").touch()
        events = []
        report = campaign.finish(events)
        failed = [(event.stage, event.label) for event in events if event.kind == "unit_failed"]
        assert failed.count(("square", "seven")) == 1
        assert report.counts == {"failed": 3}
        reasons = {row["reason"] for row in rows_of(folder, database).values()}
        assert reasons == {"it needs the square of seven, which failed: member: ValueError: member 7 is broken"}
        assert not [name for name in counts() if name.startswith("sharer")]

        (notes / "broken-7").unlink()
        # Three units and two squares.
        assert campaign.retry() == 5
        report = campaign.finish()
        assert (report.state, report.counts) == ("finished", {"done": 3})
        rows = rows_of(folder, database)
        # It did without the square that failed.
        assert [rows[f"c{n}"]["properties"][VALUE]["value"] for n in range(3)] == [49.0 + 81.0, 49.0, 49.0 + 81.0]
        done = counts()
        assert {name: done[name] for name in ("begun-7", "ended-7", "begun-9", "ended-9")} == {
            "begun-7": 3,
            "ended-7": 1,
            "begun-9": 1,
            "ended-9": 1,
        }
        assert {done[f"sharer-c{n}"] for n in range(3)} == {1}

        # Other units of other settings find it in the store.
        write(factor=2.0)
        assert campaign.finish().counts == {"done": 3}
        rows = rows_of(folder, database)
        assert [rows[f"c{n}"]["properties"][VALUE]["value"] for n in range(3)] == [260.0, 98.0, 260.0]
        again = counts()
        assert {name for name in again if again[name] != done[name]} == {f"sharer-c{n}" for n in range(3)}


def test_competing_phases_are_relaxed_once_for_all_candidates(tmp_path):
    phases = tmp_path / "phases"
    phases.mkdir()
    for symbol, edge in (("Cu", 3.6), ("Ag", 4.1), ("Au", 4.1)):
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [symbol], [[0, 0, 0]]).to(phases / f"{symbol}.cif")
    places = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    alloys = {
        f"c{n}": Structure(Lattice.cubic(3.8), symbols, places)
        for n, symbols in enumerate((["Cu", "Ag", "Ag", "Ag"], ["Cu", "Cu", "Ag", "Ag"], ["Cu", "Au", "Au", "Au"]))
    }
    stage = {"stage": "stability", "references": ["folder"], "folder": str(phases)}
    with campaign_on("local", tmp_path / "campaign", None) as campaign:
        potential = {"name": "ase", "model": "ase.calculators.emt.EMT", "device": "cpu"}
        campaign.write(alloys, [stage], potential=potential, mobile_ion="Cu+")
        events = []
        assert campaign.finish(events).counts == {"done": 3}
        done = [(event.stage, event.label) for event in events if event.kind == "unit_finished"]
        assert sorted(done) == [
            *(("reference phase", symbol) for symbol in ("Ag", "Au", "Cu")),
            *(("stability", f"c{n}") for n in range(3)),
        ]
        assert done.index(("reference phase", "Cu")) < done.index(("stability", "c0"))
    rows = rows_of(tmp_path / "campaign")
    assert all(row["properties"]["energy_above_hull_ev_per_atom"]["bound"] == "lower" for row in rows.values())
