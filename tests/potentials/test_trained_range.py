"""What is said of a trained potential outside the conditions that it was trained for."""

from __future__ import annotations

import pytest
from ase import Atoms
from superion.potentials.model_header import ModelDomain, ModelHeader
from superion.potentials.trained_range import cautions_of

LICL = Atoms("LiCl", positions=[[0, 0, 0], [2.5, 0, 0]], cell=[5.0, 2.5, 2.5], pbc=True)
DOMAIN = ModelDomain(
    temperature_k=(600.0, 1000.0),
    volume_strain=(-0.02, 0.02),
    compositions=("LiCl",),
    volume_per_atom_angstrom3={"LiCl": LICL.get_volume() / 2},
)


def header(**changes) -> ModelHeader:
    known = {"architecture": {}, "elements": ("Li", "Cl"), "weights_sha256": "0" * 64, "domain": DOMAIN}
    return ModelHeader(**known | changes)


@pytest.mark.parametrize("temperature_k", [None, 600.0, 1000.3])
def test_within_them_nothing_is_said(temperature_k):
    assert cautions_of(header(), "salt", LICL, temperature_k) == []


def test_each_condition_is_named_with_what_was_trained():
    assert cautions_of(header(), "salt", LICL, 1200.0) == [
        "computed outside the range that the potential salt was trained for: 1200 K, trained 600–1000 K"
    ]
    strained = LICL.copy()
    strained.set_cell(LICL.cell.array * 1.02, scale_atoms=True)
    assert cautions_of(header(), "salt", strained, 800.0) == [
        "computed outside the volumes that the potential salt was trained for: +6.1 %, trained -2.0 to +2.0 %"
    ]
    other = Atoms("Li2Cl", positions=[[0, 0, 0], [2, 0, 0], [4, 0, 0]], cell=[6, 3, 3], pbc=True)
    assert cautions_of(header(), "salt", other, 800.0) == [
        "computed outside the compositions that the potential salt was trained for: Li2Cl, trained LiCl"
    ]


def test_a_rejected_one_says_so_and_an_unknown_domain_says_nothing():
    rejected = header(verdict="rejected", reasons=("it exploded.", "it drifts"), domain=ModelDomain())
    assert cautions_of(rejected, "salt", LICL, 5000.0) == [
        "computed with the potential salt although its validation rejected it (it exploded; it drifts)"
    ]
