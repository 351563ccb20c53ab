"""Hull distances and electrochemical windows: by hand, against pymatgen's grand-potential diagram, and as bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.analysis.phase_diagram import GrandPotentialPhaseDiagram, PDEntry, PhaseDiagram
from pymatgen.core import Composition, Element
from superion.errors import AnalysisError
from superion.structures.stability import (
    PhaseEnergy,
    electrochemical_window,
    empty_systems,
    hull_distance,
    missing_elements,
)

LI, S, P = PhaseEnergy("Li", "Li", -1.9), PhaseEnergy("S", "S", -4.1), PhaseEnergy("P", "P", -5.4)
LI2S = PhaseEnergy("Li2S", "Li2S", -4.0)
KNOWN = [LI, S, P, LI2S, PhaseEnergy("P2S5", "P2S5", -4.75), PhaseEnergy("Li3P", "Li3P", -3.5)]
PHASE = PhaseEnergy("Li3PS4", "Li3PS4", -4.45)


def entry(phase):
    composition = Composition(phase.formula)
    return PDEntry(composition, phase.energy_ev_per_atom * composition.num_atoms, name=phase.name)


def test_distance_and_products_by_hand():
    found = hull_distance(PHASE, KNOWN)
    # Li3PS4 -> 3/2 Li2S + 1/2 P2S5
    mixture = (1.5 * 3 * -4.0 + 0.5 * 7 * -4.75) / 8
    assert found.energy_ev_per_atom == pytest.approx(-4.45 - mixture)
    assert found.above_hull_ev_per_atom == 0.0
    assert {product.name: product.atomic_fraction for product in found.products} == pytest.approx(
        {"Li2S": 4.5 / 8, "P2S5": 3.5 / 8}, abs=1e-5
    )


def test_window_of_a_binary_by_hand():
    window = electrochemical_window(LI2S, [LI, S], "Li", 1.0)
    # Li2S -> 2 Li + S, per electron
    assert window.oxidation.voltage_v == pytest.approx(-(3 * -4.0 - 2 * -1.9 - -4.1) / 2)
    assert window.reduction.voltage_v == pytest.approx(0.0)
    assert [product.name for product in window.oxidation.products] == ["S"]
    divalent = electrochemical_window(PhaseEnergy("MgS", "MgS", -5.0), [PhaseEnergy("Mg", "Mg", -1.5), S], "Mg", 2.0)
    assert divalent.oxidation.voltage_v == pytest.approx(-(2 * -5.0 - -1.5 - -4.1) / 2)


@pytest.mark.parametrize("inside", [True, False])
def test_window_agrees_with_the_grand_potential_diagram(inside):
    window = electrochemical_window(PHASE, KNOWN, "Li", 1.0)
    width = window.width_v
    assert width > 0.1
    voltages = (
        np.linspace(window.reduction.voltage_v + 0.02 * width, window.oxidation.voltage_v - 0.02 * width, 5)
        if inside
        else np.array([window.reduction.voltage_v - 0.02, window.oxidation.voltage_v + 0.02])
    )
    for voltage in voltages:
        diagram = GrandPotentialPhaseDiagram(
            [entry(phase) for phase in [*KNOWN, PHASE]], {Element("Li"): LI.energy_ev_per_atom - voltage}
        )
        names = {stable.original_entry.name for stable in diagram.stable_entries}
        assert ("Li3PS4" in names) == inside


def test_products_at_the_limits():
    window = electrochemical_window(PHASE, KNOWN, "Li", 1.0)
    assert {product.name for product in window.reduction.products} == {"Li2S", "P"}
    assert {product.name for product in window.oxidation.products} == {"P2S5", "S"}


def test_what_lies_above_the_hull_has_no_window_without_a_tolerance():
    above = PhaseEnergy("Li3PS4", "Li3PS4", hull_energy(PHASE.formula) + 0.02)
    assert hull_distance(above, KNOWN).above_hull_ev_per_atom == pytest.approx(0.02)
    assert electrochemical_window(above, KNOWN, "Li", 1.0) is None
    assert electrochemical_window(above, KNOWN, "Li", 1.0, tolerance_ev_per_atom=0.019) is None
    assert electrochemical_window(above, KNOWN, "Li", 1.0, tolerance_ev_per_atom=0.03).width_v > 0


def hull_energy(formula):
    return PhaseDiagram([entry(phase) for phase in KNOWN]).get_hull_energy_per_atom(Composition(formula))


@given(
    st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=5),
    st.lists(st.floats(-0.8, 0.3), min_size=5, max_size=5),
    st.sampled_from([0.0, 0.05, 0.3]),
)
@settings(max_examples=30)
def test_a_competitor_more_never_lowers_the_distance_nor_widens_the_window(amounts, energies, tolerance):
    """This is why an incomplete set bounds: the energy above hull from below, the window from above."""
    competitors = [LI, S, P, LI2S]
    before = hull_distance(PHASE, competitors)
    window = electrochemical_window(PHASE, competitors, "Li", 1.0, tolerance_ev_per_atom=tolerance)
    for (li, p, s), formation in zip(amounts, energies, strict=False):
        if li + p + s == 0:
            continue
        formula = "".join(f"{symbol}{n}" for symbol, n in (("Li", li), ("P", p), ("S", s)) if n)
        if len(Composition(formula)) == 1:
            continue
        energy = (li * -1.9 + p * -5.4 + s * -4.1) / (li + p + s) + formation
        competitors = [*competitors, PhaseEnergy(formula, formula, energy)]
        after = hull_distance(PHASE, competitors)
        assert after.energy_ev_per_atom >= before.energy_ev_per_atom - 1e-9
        narrower = electrochemical_window(PHASE, competitors, "Li", 1.0, tolerance_ev_per_atom=tolerance)
        if window is None:
            assert narrower is None
        elif narrower is not None:
            assert narrower.width_v <= window.width_v + 1e-6
            assert narrower.reduction.voltage_v >= window.reduction.voltage_v - 1e-6
            assert narrower.oxidation.voltage_v <= window.oxidation.voltage_v + 1e-6
        before, window = after, narrower


def test_what_is_missing_is_named():
    assert missing_elements(["Li", "P", "S", "Cl"], KNOWN) == ["Cl"]
    assert "Cl-Li" in empty_systems(["Li", "P", "S", "Cl"], KNOWN)
    assert "Li-S" not in empty_systems(["Li", "P", "S"], KNOWN)
    with pytest.raises(AnalysisError, match="no reference phase of P"):
        hull_distance(PHASE, [LI, S])


def test_windows_that_make_no_sense():
    with pytest.raises(AnalysisError, match="mobile cation"):
        electrochemical_window(LI2S, KNOWN, "S", -2.0)
    with pytest.raises(AnalysisError, match="nothing but Li"):
        electrochemical_window(LI, KNOWN, "Li", 1.0)
