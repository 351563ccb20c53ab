"""A potential that gives NaN fails the units of a campaign; it rejects no material."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import SPACING, lattice_cell, rows_of, run_here, write_campaign


def test_nan_is_a_failure_of_the_potential(tmp_path):
    potential = {
        "name": "ase",
        "model": "support.nan_calculator.NanCalculator",
        "device": "cpu",
        "options": {"wrong": "nan energy", "barriers_ev": {"Li": 0.15, "Cl": 5.0}, "spacing_angstrom": SPACING},
    }
    stages = [{"stage": "validate"}, {"stage": "relax", "maximum_steps": 5}]
    write_campaign(tmp_path, {"c15": lattice_cell(15, 2)}, potential=potential, stages=stages)
    _, ran = run_here(tmp_path, workers=1)
    assert (ran.n_failed, ran.counts) == (1, {"failed": 1})
    reason = rows_of(tmp_path)["c15"]["reason"]
    assert "gives energies that are not numbers" in reason
    assert "ValidationError" not in reason
