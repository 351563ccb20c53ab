"""The potential ranks a candidate's orderings: by what was found alone, and no setting computes anything twice."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.database.properties import PropertyEstimate
from superion.workflows.campaign.decisions import CampaignState, CandidateEntry, StageOutcome, StageStep
from superion.workflows.campaign.ordering_rank import ENERGY, rank_orderings

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import PROBE, SPACING, lattice_cell, rows_of, run_here, write_campaign

SIGMA = "sigma_300k_ms_cm"


def value(energy, error=None):
    interval = None if error is None else (energy - error, energy + error)
    return PropertyEstimate(value=energy, interval_95=interval)


def test_a_relaxation_that_was_cut_off_leaves_nothing_out_by_its_own_energy():
    energies = [value(-3.0), value(-3.2), PropertyEstimate(value=-2.9, note="cut off after 500 steps")]
    ranked = rank_orderings(energies, keep_lowest=1)
    assert [ordering.left_out is None for ordering in ranked] == [False, True, True]
    # It is at most so high, which is enough to leave out what is higher.
    low = PropertyEstimate(value=-3.3, note="cut off after 500 steps")
    assert rank_orderings([value(-3.0), low], keep_lowest=1)[0].left_out is not None


def steps(keep_lowest):
    return [StageStep(name, (), lambda f, n=name: f"{n}({f})", keep_lowest) for name in ("relax", "conductivity")]


def relaxed(name, energy):
    return StageOutcome(f"relax({name})", "completed", None, {ENERGY: value(energy)}, f"{name}'")


def state_with(outcomes, keep_lowest, names="abcde"):
    state = CampaignState(steps(keep_lowest))
    state.add_candidates([CandidateEntry("x", tuple(names))])
    for outcome in outcomes:
        state.add_outcome(outcome)
    state.refresh()
    return state


def test_the_lowest_go_on_and_the_others_say_why_not():
    energies = dict(zip("abcde", (-3.100, -3.112, -3.0, -3.110, -3.102), strict=True))
    outcomes = [relaxed(name, energy) for name, energy in energies.items()]
    found = state_with(outcomes, 2).decision("x")
    assert found.kept == (False, True, False, True, False)
    assert [rank.rank for rank in found.ranks] == [4, 1, 5, 2, 3]
    assert [rank.energy_ev_per_atom for rank in found.ranks] == list(energies.values())
    assert found.ranks[0].left_out == "ordering 4 of 5 by energy: 12 meV/atom above the lowest"
    assert found.ranks[1].left_out is None
    assert found.stages["relax"].notes == ["left out 3 of 5 orderings by their energy"]
    assert [unit.stage_key for unit in found.missing] == ["conductivity(b')", "conductivity(d')"]
    everyone = state_with(outcomes, None).decision("x")
    assert everyone.kept == (True,) * 5
    assert [rank.rank for rank in everyone.ranks] == [4, 1, 5, 2, 3]


def test_what_is_left_out_is_no_part_of_the_aggregate():
    outcomes = []
    for name, energy, volume, sigma in (("a", -3.0, 90.0, 1e9), ("b", -3.2, 1.0, 1.0), ("c", -3.1, 3.0, 4.0)):
        first = relaxed(name, energy)
        outcomes.append(replace(first, properties={**first.properties, "volume_change_percent": value(volume)}))
        outcomes.append(StageOutcome(f"conductivity({name}')", "completed", None, {SIGMA: value(sigma)}))
    found = state_with(outcomes, 2, "abc").decision("x")
    assert found.status == "done"
    assert found.properties[SIGMA].value == pytest.approx(2.0)
    assert found.properties["volume_change_percent"].value == pytest.approx(2.0)
    assert found.properties[ENERGY].value == -3.2


def test_nobody_is_ranked_before_all_have_ended_and_a_lost_one_does_not_count():
    outcomes = [relaxed("a", -3.0), relaxed("b", -3.1)]
    waiting = state_with(outcomes, 1, "abc")
    assert waiting.decision("x").kept == (True,) * 3
    assert [unit.stage_key for unit in waiting.next_units()] == ["relax(c)"]
    waiting.add_outcome(StageOutcome("relax(c)", "failed", "its process died"))
    waiting.refresh()
    found = waiting.decision("x")
    assert found.kept == (False, True, False)
    assert [rank.left_out for rank in found.ranks] == [
        "ordering 2 of 2 by energy: 100 meV/atom above the lowest",
        None,
        "failed in the stage relax: its process died",
    ]
    # Retried, and now the lowest.
    waiting.forget_outcome("relax(c)")
    waiting.refresh()
    waiting.add_outcome(relaxed("c", -3.3))
    waiting.refresh()
    assert waiting.decision("x").kept == (False, False, True)


def test_one_that_is_lost_later_keeps_its_rank():
    outcomes = [relaxed("a", -3.0), relaxed("b", -3.1)]
    outcomes += [
        StageOutcome("conductivity(a')", "rejected", "it melted"),
        StageOutcome("conductivity(b')", "completed"),
    ]
    found = state_with(outcomes, None, "ab").decision("x")
    assert found.ranks[0].rank == 2
    assert found.ranks[0].left_out == "rejected in the stage conductivity: it melted"


def test_fewer_than_are_kept_all_go_on():
    outcomes = [relaxed("a", -3.0), relaxed("b", -2.0), StageOutcome("relax(c)", "rejected", "it collapsed")]
    assert state_with(outcomes, 2, "abc").decision("x").kept == (True, True, False)


def test_what_is_not_certain_stays():
    energies = [value(-3.10), value(-3.09, error=0.02), value(-3.00, error=0.02), None, value(-3.10)]
    found = rank_orderings(energies, keep_lowest=1)
    assert [ordering.left_out is None for ordering in found] == [True, True, False, True, True]
    assert [ordering.rank for ordering in found] == [1, 3, 4, None, 1]


@given(
    st.lists(st.sampled_from([-3.2, -3.1, -3.05, -3.0, -2.5, None]), min_size=1, max_size=7),
    st.one_of(st.none(), st.integers(1, 8)),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_orderings_changes_nothing(energies, keep_lowest, dice):
    names = [f"{index}" for index in range(len(energies))]
    outcomes = [
        StageOutcome(f"relax({name})", "rejected", "lost") if energy is None else relaxed(name, energy)
        for name, energy in zip(names, energies, strict=True)
    ]
    one = state_with(outcomes, keep_lowest, names).decision("x")
    shuffled = list(names)
    dice.shuffle(shuffled)
    other = state_with(outcomes, keep_lowest, shuffled).decision("x")
    assert (one.status, one.reason, one.properties) == (other.status, other.reason, other.properties)
    for what in ("ranks", "kept"):
        first, second = (dict(zip(n, getattr(d, what), strict=True)) for n, d in ((names, one), (shuffled, other)))
        assert first == second
    if any(energy is not None for energy in energies):
        left = [energy for energy, rank in zip(energies, one.ranks, strict=True) if rank.left_out is None]
        out = [energy for energy, rank in zip(energies, one.ranks, strict=True) if energy and rank.left_out]
        assert len(left) >= min(keep_lowest or 99, sum(energy is not None for energy in energies))
        assert all(max(left) < energy for energy in out)


@given(
    st.lists(st.floats(-4, -3), min_size=1, max_size=6, unique=True),
    st.one_of(st.none(), st.integers(1, 6)),
    st.one_of(st.none(), st.integers(1, 6)),
)
def test_a_changed_number_computes_only_what_is_not_there(energies, before, after):
    names = [f"{index}" for index in range(len(energies))]
    outcomes = [relaxed(name, energy) for name, energy in zip(names, energies, strict=True)]
    first = state_with(outcomes, before, names)
    found = [StageOutcome(u.stage_key, "completed", None, {SIGMA: value(2.0)}) for u in first.next_units()]
    second = state_with([*outcomes, *found], after, names)
    asked = [unit.stage_key for unit in second.next_units()]
    assert not {outcome.stage_key for outcome in found} & set(asked)
    n_before, n_after = (min(n or 99, len(energies)) for n in (before, after))
    assert len(asked) == max(0, n_after - n_before)


def disordered_cell() -> Structure:
    """Five ions in their places, and a sixth in one of three: three orderings, of three energies by their repulsion."""
    cell = lattice_cell(5, seed=1)
    taken = {tuple(np.round(site.frac_coords, 3)) for site in cell if site.specie.symbol == "Li"}
    grid = np.stack(np.meshgrid(*[np.arange(3)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) / 3.0
    free = [position for position in grid if tuple(np.round(position, 3)) not in taken]
    chosen = [free[0], free[5], free[-1]]
    anion = next(
        position + 0.5 / 3
        for position in grid
        if not any(np.allclose(position + 0.5 / 3, site.frac_coords, atol=1e-3) for site in cell)
    )
    species = [*(site.specie for site in cell), "Cl", *({"Li": 1 / 3} for _ in chosen)]
    positions = [*(site.frac_coords for site in cell), anion, *chosen]
    return Structure(Lattice.cubic(3 * SPACING), species, positions)


def test_a_campaign_goes_on_with_the_lowest_and_a_higher_number_adds_to_it(tmp_path):
    """Real relaxations and dynamics: the rows hold energies and ranks, and nothing is ordered or computed twice."""
    relax = {"stage": "relax", "relax_cell": False, "maximum_steps": 400, "greatest_displacement": 5.0}
    ordering = {"n_orderings": 3, "keep_lowest": 1, "composition_tolerance": 0.9}
    stages = [relax, {**PROBE, "duration_ps": 0.8}]
    path = write_campaign(tmp_path, {"c1": disordered_cell()}, stages=stages, ordering=ordering)
    content = yaml.safe_load(path.read_text())
    # As far as the next ions, so that the orderings differ in energy.
    content["potential"]["options"]["repulsion_range_angstrom"] = 4.4
    path.write_text(yaml.safe_dump(content))
    _, ran = run_here(tmp_path, workers=1)
    assert (ran.state, ran.n_finished, ran.n_failed) == ("finished", 4, 0)
    (row,) = rows_of(tmp_path).values()
    orderings = row["orderings"]
    assert sorted(ordering["energy_rank"] for ordering in orderings) == [1, 2, 3]
    assert min(o["energy_ev_per_atom"] for o in orderings) == row["properties"][ENERGY]["value"]
    assert [o["kept"] for o in orderings] == [o["energy_rank"] == 1 for o in orderings]
    assert all((o["left_out"] is None) == o["kept"] for o in orderings)
    assert len(row["stages"]["probe"]["stage_keys"]) == 1

    content["ordering"]["keep_lowest"] = 2
    path.write_text(yaml.safe_dump(content))
    submitted, ran = run_here(tmp_path, workers=1)
    assert submitted.changed == ("ordering",)
    assert (ran.state, ran.n_finished) == ("finished", 1)
    (more,) = rows_of(tmp_path).values()
    assert [o["kept"] for o in more["orderings"]] == [o["energy_rank"] <= 2 for o in orderings]

    content["ordering"]["keep_lowest"] = 1
    path.write_text(yaml.safe_dump(content))
    _, ran = run_here(tmp_path, workers=1)
    assert ran.n_finished == 0
    (again,) = rows_of(tmp_path).values()
    assert again == row
