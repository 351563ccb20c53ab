"""A stage whose flow grows while it runs, in a campaign that is killed, fails, and is tried again, on every engine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "support"))
from any_engine import campaign_on
from cluster_campaign import wait_for
from installed_stage import installed_stage
from lattice_campaign import lattice_cell, rows_of

QUICK = [("local", 8)]
LONG = [
    ("local", 1),
    ("local", 100),
    ("fireworks", 1),
    ("fireworks", 6),
    ("fireworks", 100),
    ("jobflow_remote", 5),
    ("jobflow_remote", 100),
]


@pytest.mark.parametrize(
    ("engine", "n_members"), [*QUICK, *(pytest.param(*long, marks=pytest.mark.slow) for long in LONG)]
)
def test_a_fan_out_is_killed_fails_and_goes_on_with_nothing_done_twice(engine, n_members, tmp_path, request):
    pytest.importorskip("jobflow_remote")
    # Member that hangs, and fails when it does not.
    held_up = min(3, n_members - 1)
    database = None if engine == "local" else request.getfixturevalue("database")
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / f"hang-{held_up}").touch()

    with (
        installed_stage(tmp_path / "plugin", "growing", "growing_stage:GrowingStage"),
        campaign_on(engine, tmp_path / "campaign", database) as campaign,
    ):
        stage = {"stage": "growing", "n_members": n_members, "folder": str(notes)}
        campaign.write({"c0": lattice_cell(6, seed=0)}, [stage])
        campaign.start()
        others = {f"ended-{number}" for number in range(n_members) if number != held_up}
        wait_for(lambda: (notes / f"begun-{held_up}").exists(), "one is held up")
        campaign.wait_for_documents("member", n_members - 1)
        assert not (notes / "summary").exists()
        campaign.kill()
        (notes / f"hang-{held_up}").unlink()
        (notes / f"broken-{held_up}").touch()
        report = campaign.finish()
        assert (report.state, report.n_finished, report.n_failed) == ("finished", 0, 1)
        row = rows_of(tmp_path / "campaign", database)["c0"]
        assert (row["status"], row["reason"]) == (
            "failed",
            f"member: ValueError: member {held_up} is broken",
        )
        (notes / f"broken-{held_up}").unlink()
        assert campaign.retry() == 1
        report = campaign.finish()
        assert (report.state, report.n_finished, report.n_failed) == ("finished", 1, 0)
        row = rows_of(tmp_path / "campaign", database)["c0"]
        if kinds := campaign.kinds():
            # Each to the workers of its kind, though all come of a job of another.
            expected = {"fan": "analysis", "member": "md", "note": "relax", "summary": "analysis"}
            assert {name: kinds[name] for name in expected} == {name: {kind} for name, kind in expected.items()}
    assert row["status"] == "done"
    assert row["properties"]["mean_atomic_mass_amu"]["value"] == sum(n**2 for n in range(n_members))
    counts = {path.name: path.stat().st_size for path in notes.iterdir()}
    # Killed, broken, and well.
    assert counts.pop(f"begun-{held_up}") == 3
    assert set(counts.values()) == {1}
    assert set(counts) == others | {f"ended-{held_up}", "fan", "detour", "addition", "summary"} | {
        name.replace("ended", "begun") for name in others
    }
