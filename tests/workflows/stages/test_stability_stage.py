"""The stability stage with a real, quick potential: bounds, complete sets, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from superion.errors import SettingsError
from superion.potentials.specification import PotentialSpecification
from superion.runtime.competing_phases import PhaseSources, check_sources
from superion.workflows.stages.registry import load_stage
from superion.workflows.stages.stage import StageContext, stage_key

EMT = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT")
"""Metals of known alloys: a real potential that relaxes them in a moment."""


@pytest.fixture(scope="module")
def alloy():
    return Structure(
        Lattice.cubic(3.7), ["Cu", "Cu", "Cu", "Ag"], [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 0]]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Copper and silver, and an alloy of them."""
    path = tmp_path_factory.mktemp("phases")
    for symbol, edge in (("Cu", 3.6), ("Ag", 4.1)):
        Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [symbol], [[0, 0, 0]]).to(str(path / f"{symbol}.cif"))
    Structure.from_spacegroup("P4/mmm", Lattice.tetragonal(2.8, 3.8), ["Cu", "Ag"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(
        str(path / "CuAg.cif")
    )
    return path


def run_stability(structure, root, potential=EMT, ion=("Ag", 1.0), **settings):
    stage = load_stage("stability")
    context = StageContext(potential, *ion, "alloy", checkpoint_root=str(root / "kept"))
    checked = stage.settings_model(**settings)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    (root / "jobs").mkdir(parents=True, exist_ok=True)
    options = {"store": store, "create_folders": True, "root_dir": root / "jobs", "log": False}
    shared = {}
    for declared in stage.shared_flows(structure, checked, context):
        relaxation = declared.make()
        run_locally(relaxation, **options)
        is_there = store.query_one({"uuid": relaxation.uuid}) is not None
        shared[declared.key] = relaxation.output if is_there else None
    flow = stage.make(structure, checked, replace(context, shared=shared))
    run_locally(flow, **options, allow_external_references=True)
    document = flow.output.resolve(store)
    assert document.stage_key == stage_key(stage, structure, checked, context)
    return document, list(store.query({}))


def test_an_incomplete_set_gives_bounds_and_names_what_it_lacks(alloy, folder, tmp_path):
    document, rows = run_stability(alloy, tmp_path, references=["folder"], folder=str(folder))
    above = document.properties["energy_above_hull_ev_per_atom"]
    assert above.value is None
    assert above.bound == "lower"
    assert above.limit == max(0.0, document.details["energy_against_competitors_ev_per_atom"])
    assert not document.details["reference_set_is_complete"]
    # nobody compared a user's own structures with anything
    assert set(document.details["reference_phases_not_verified"]) == set(document.details["reference_phases"])
    assert any("lower bound" in note and "upper bound" in note for note in document.notes)
    for name in ("oxidation_limit_v", "electrochemical_window_v"):
        if name in document.properties and document.properties[name].bound:
            assert document.properties[name].bound == "upper"
    assert sorted(row["name"] for row in rows if row["name"].startswith("reference ")) == [
        "reference Ag",
        "reference Cu",
        "reference CuAg",
    ]


def test_what_is_missing_is_what_the_sources_lack(tmp_path):
    crystals = tmp_path / "crystals"
    crystals.mkdir()
    for symbol, edge in (("Cu", 3.6), ("O", 3.0)):
        crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [symbol], [[0, 0, 0]])
        crystal.to(str(crystals / f"{symbol}.cif"))
    oxide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.2), ["Cu", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    settings = {"references": ["folder"], "folder": str(crystals), "maximum_steps": 3}
    document, _ = run_stability(oxide, tmp_path, ion=("Cu", 1.0), **settings)
    # both ship, and the folder lacks them
    assert document.details["missing_phases"] == ["Cu2O", "CuO"]
    oxide.to(str(crystals / "mine.cif"))
    document, _ = run_stability(oxide, tmp_path, ion=("Cu", 1.0), **settings)
    assert document.details["missing_phases"] == ["Cu2O"]
    assert any("known to be missing: Cu2O" in note for note in document.notes)


def test_a_set_that_is_said_to_be_complete_gives_values(alloy, folder, tmp_path):
    settings = {"references": ["folder"], "folder": str(folder), "folder_is_complete": True}
    document, _ = run_stability(alloy, tmp_path, **settings, energy_error_ev_per_atom=0.02)
    above = document.properties["energy_above_hull_ev_per_atom"]
    assert above.bound is None
    assert above.interval_95[0] <= above.value < above.interval_95[1]
    assert document.details["reference_set_is_complete"]
    assert set(document.details["decomposition"]) <= {"Cu", "Ag", "CuAg"}


@pytest.mark.parametrize("is_complete", [True, False])
def test_nothing_is_claimed_of_a_material_whose_relaxation_was_cut_off(alloy, folder, tmp_path, is_complete):
    stretched = alloy.copy()
    stretched.scale_lattice(1.3 * alloy.volume)
    settings = {"references": ["folder"], "folder": str(folder), "folder_is_complete": is_complete}
    document, _ = run_stability(stretched, tmp_path, **settings, maximum_steps=2)
    assert document.state == "completed"
    assert document.properties == {}
    assert document.details["energy_against_competitors_ev_per_atom"] > 0.0
    assert any("own relaxation did not converge: raise the stage's maximum_steps" in note for note in document.notes)


def test_energies_are_the_potentials_own(alloy, folder, tmp_path):
    """Against ASE and by hand: 3 Cu + Ag, all relaxed."""
    from ase.build import bulk
    from ase.calculators.emt import EMT as Calculator
    from ase.filters import FrechetCellFilter
    from ase.optimize import BFGS

    settings = {"references": ["folder"], "folder": str(folder), "force_tolerance_ev_per_angstrom": 0.001}
    document, _ = run_stability(alloy, tmp_path, **settings)
    energies = {}
    for symbol, edge in (("Cu", 3.6), ("Ag", 4.1)):
        atoms = bulk(symbol, "fcc", a=edge)
        atoms.calc = Calculator()
        BFGS(FrechetCellFilter(atoms), logfile=None).run(fmax=1e-4, steps=100)
        energies[symbol] = atoms.get_potential_energy()
    found = document.details["reference_phases"]
    assert found["Cu"] == pytest.approx(energies["Cu"], abs=1e-3)
    assert found["Ag"] == pytest.approx(energies["Ag"], abs=1e-3)


def test_phases_are_relaxed_once(alloy, folder, tmp_path):
    settings = {"references": ["folder"], "folder": str(folder)}
    first, _ = run_stability(alloy, tmp_path, **settings)
    stamps = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept" / "relaxations").glob("*.json")}
    assert len(stamps) == 4
    second, _ = run_stability(alloy, tmp_path, **settings)
    assert second.properties == first.properties
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps


def test_an_element_without_a_reference_is_told(alloy, folder, tmp_path):
    stranger = alloy.copy()
    stranger.replace(0, "Pt")
    document, _ = run_stability(stranger, tmp_path, references=["folder"], folder=str(folder))
    assert document.state == "completed"
    assert document.properties == {}
    assert any("no reference phase of Pt" in note for note in document.notes)


def test_an_element_that_the_potential_does_not_know_is_a_rejection(tmp_path):
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.14), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    specification = PotentialSpecification(
        name="ase",
        model="superion.potentials.cosine_lattice.CosineLatticeCalculator",
        options={"barriers_ev": {"Li": 0.2}, "spacing_angstrom": 3.0},
    )
    document, _ = run_stability(salt, tmp_path, potential=specification, ion=("Li", 1.0))
    assert document.state == "rejected"
    assert "does not know the element Cl" in document.reason


def test_another_set_of_references_is_another_result(folder, tmp_path):
    model = load_stage("stability").settings_model
    one = model(references=["folder"], folder=str(folder))
    again = model.model_validate(one.model_dump())
    assert one == again
    other = tmp_path / "other"
    other.mkdir()
    for path in Path(folder).iterdir():
        (other / path.name).write_bytes(path.read_bytes())
    assert model(references=["folder"], folder=str(other)).reference_fingerprint == one.reference_fingerprint
    assert model(references=["folder"], folder=str(other)).identity() == one.identity()
    (other / "Ag.cif").unlink()
    assert model(references=["folder"], folder=str(other)).reference_fingerprint != one.reference_fingerprint
    assert model().reference_fingerprint


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"references": ["folder"]}, "give folder too"),
        ({"references": ["folder"], "folder": "no/such/folder"}, "no folder"),
        ({"folder": "."}, "do not name 'folder'"),
        ({"references": []}, "at least 1"),
        ({"references": ["icsd"]}, "shipped"),
    ],
)
def test_settings_that_do_not_fit(settings, message):
    with pytest.raises(ValidationError, match=message):
        load_stage("stability").settings_model(**settings)


def test_the_materials_project_needs_a_key(monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(SettingsError, match="set MP_API_KEY"):
        check_sources(PhaseSources(names=("materials_project",)))


@pytest.mark.slow
def test_chgnet_puts_the_argyrodite_a_little_above_its_neighbours(li6ps5cl, tmp_path):
    """Li6PS5Cl decomposes into Li3PS4, Li2S and LiCl, by some 20 meV per atom in DFT; its window is 1.71 to 2.01 V.

    Y. Zhu, X. He and Y. Mo, ACS Appl. Mater. Interfaces 7, 23685 (2015), 10.1021/acsami.5b07517.
    """
    pytest.importorskip("chgnet")
    chgnet = PotentialSpecification(name="chgnet", device="cpu")
    document, _ = run_stability(li6ps5cl, tmp_path, potential=chgnet, ion=("Li", 1.0))
    above = document.properties["energy_above_hull_ev_per_atom"]
    assert above.bound == "lower"
    assert 0.0 < above.limit < 0.05
    assert set(document.details["decomposition"]) == {"Li3PS4 (gamma)", "Li2S", "LiCl"}
    assert 1.3 < document.properties["reduction_limit_v"].limit < 1.9
    assert 1.9 < document.properties["oxidation_limit_v"].limit < 2.7
