"""The stages that need no reference phases: what they find, what they reject, and what their keys depend on."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import make_cosine_system
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pydantic import ValidationError
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.database.documents import StageDoc
from superion.database.properties import PROPERTIES
from superion.dynamics.protocol import MdSettings
from superion.potentials.specification import PotentialSpecification
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.read import read_structure
from superion.transport.convergence import MINIMUM_PS, is_look_due
from superion.workflows.stages.probe import ProbeSettings
from superion.workflows.stages.registry import load_stage, stage_names
from superion.workflows.stages.stage import StageContext, stage_key, stage_key_of_fingerprint

OURS = ("conductivity", "percolation", "probe", "relax", "stability", "validate")
LENNARD_JONES = PotentialSpecification(
    name="ase",
    model="ase.calculators.lj.LennardJones",
    options={"sigma": 3.4, "epsilon": 0.0104, "rc": 9.0, "smooth": True},
)
MD = {"md": {"time_step_fs": 4.0, "frame_interval_fs": 40.0}, "minimum_edge_angstrom": 9.0, "segment_ps": 2.0}


def run_stage(name, structure, folder, *, settings=None, potential=LENNARD_JONES, ion=("Li", 1.0), label="sample"):
    """Run one stage as a campaign does, and give its document and all that was stored."""
    stage = load_stage(name)
    context = StageContext(potential, *ion, label, campaign_id="try", checkpoint_root=str(folder / "kept"))
    checked = stage.settings_model(**(settings or {}))
    flow = stage.make(structure, checked, context)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    (folder / "jobs").mkdir(parents=True, exist_ok=True)
    run_locally(flow, store=store, create_folders=True, root_dir=folder / "jobs", log=False)
    document = flow.output.resolve(store)
    assert isinstance(document, StageDoc)
    assert document.stage == name
    assert document.stage_key == stage_key(stage, structure, checked, context)
    assert set(document.properties) <= set(stage.properties)
    assert (document.state == "rejected") == (document.reason is not None) == (document.structure is None)
    return document, list(store.query({}))


@pytest.fixture
def salt():
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.14), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture
def argon():
    """A Lennard-Jones crystal, 2 % too wide, with one atom that counts as mobile."""
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.26 * 1.02), ["Ar"], [[0, 0, 0]]) * (2, 2, 2)
    structure.replace(0, "Li")
    return structure


def cosine_cell(**changes):
    system = make_cosine_system(**changes)
    return AseAtomsAdaptor.get_structure(system.atoms), system.specification


@pytest.mark.parametrize("name", OURS)
def test_every_stage_is_found_and_says_what_it_does(name):
    stage = load_stage(name)
    assert name in stage_names()
    assert stage.name == name
    assert stage.description
    assert set(stage.properties) <= set(PROPERTIES)
    fields = stage.settings_model.model_fields
    assert all(field.description for field in fields.values())
    stage.settings_model()
    with pytest.raises(ValidationError):
        stage.settings_model(no_such_setting=1)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("probe", "bcb08d6610b72e790f21dc23bca94e12324aca292ec2d00b576529dd12198aeb"),
        ("conductivity", "1c307b86c7f0ecb3423064a8cd2602d457e378e78e64ec3d78837fddea3df617"),
    ],
)
def test_results_from_before_there_were_md_engines_keep_their_keys(name, key):
    stage = load_stage(name)
    potential = PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones")
    context = StageContext(potential, "Li", 1.0, "one")

    def key_with(settings):
        return stage_key_of_fingerprint(stage, "0" * 64, settings, context)

    plain = stage.settings_model()
    assert key_with(plain) == key_with(stage.settings_model(md={"engine": "ase"})) == key
    # a copy is not checked: no other engine is registered here
    assert key_with(plain.model_copy(update={"md": MdSettings(engine="another")})) != key


@pytest.mark.parametrize("name", ["probe", "conductivity"])
def test_an_unknown_md_engine_is_refused(name):
    with pytest.raises(ValidationError, match="did you mean 'ase'"):
        load_stage(name).settings_model(md={"engine": "asse"})


def test_packed_trajectories_are_the_same_trajectories():
    stage = load_stage("conductivity")
    context = StageContext(
        PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones"), "Li", 1.0, "one"
    )
    alone, packed = (stage.settings_model(pack_trajectories=packed) for packed in (False, True))
    assert len({stage_key_of_fingerprint(stage, "0" * 64, one, context) for one in (alone, packed)}) == 1
    names = [job.name for job, _ in stage.make(read_structure("Li6PS5Cl"), packed, context).iterflow()]
    assert "MD pack" in names


@pytest.mark.parametrize("name", OURS)
def test_key_depends_on_what_is_computed_and_on_no_name(name, salt):
    stage = load_stage(name)
    settings = stage.settings_model()
    one = StageContext(LENNARD_JONES, "Li", 1.0, "one")
    key = stage_key(stage, salt, settings, one)
    assert key == stage_key(stage, salt, settings, StageContext(LENNARD_JONES, "Li", 1.0, "two", "other", "elsewhere"))
    assert key != stage_key(stage, salt, settings, StageContext(LENNARD_JONES, "Cl", -1.0, "one"))
    assert key != stage_key(stage, salt * (1, 1, 2), settings, one)
    other = StageContext(PotentialSpecification(name="chgnet"), "Li", 1.0, "one")
    assert (key != stage_key(stage, salt, settings, other)) == stage.uses_potential


def test_weights_that_are_trained_anew_have_another_key(tmp_path, salt):
    stage = load_stage("relax")
    keys = []
    for place, weights in (("my.model", b"old"), ("moved.model", b"old"), ("my.model", b"trained anew")):
        (tmp_path / place).write_bytes(weights)
        potential = PotentialSpecification(name="mace", model=str(tmp_path / place))
        keys.append(stage_key(stage, salt, stage.settings_model(), StageContext(potential, "Li", 1.0, "one")))
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("name", ["probe", "conductivity"])
def test_a_longer_run_has_another_key(name, salt):
    stage = load_stage(name)
    context = StageContext(LENNARD_JONES, "Li", 1.0, "one")
    keys = {stage_key(stage, salt, stage.settings_model(duration_ps=length), context) for length in (20.0, 40.0)}
    assert len(keys) == 2


@pytest.mark.parametrize("name", OURS)
def test_plan_knows_the_work_without_the_potential(name, salt):
    stage = load_stage(name)
    context = StageContext(PotentialSpecification(name="chgnet"), "Li", 1.0, "salt")
    parts = stage.estimated_steps(salt, stage.settings_model(), context)
    assert all(steps > 0 and atoms > 0 for steps, atoms in parts)
    assert bool(parts) == (name in ("relax", "stability", "probe", "conductivity"))


def test_validate_reads_off_what_needs_no_simulation(salt, tmp_path):
    document, rows = run_stage("validate", salt, tmp_path)
    assert document.state == "completed"
    assert document.properties["mean_atomic_mass_amu"].value == pytest.approx((6.94 + 35.45) / 2, abs=0.01)
    assert document.properties["mobile_ion_density_per_angstrom3"].value == pytest.approx(4 / 5.14**3)
    assert document.properties["element_cost_usd_per_kg"].value > 0
    assert len(rows) == 1
    assert rows[0]["metadata"]["campaign_id"] == "try"
    assert rows[0]["metadata"]["stage_key"] == document.stage_key
    assert structure_fingerprint(Structure.from_dict(document.structure)) == structure_fingerprint(salt)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("ion", "It holds no Na."),
        ("size", "Its cell holds 8 atoms, more than the 4 allowed."),
        ("charge", "Li4Cl3 is not charge-balanced: with Cl -1, Li +1 the cell carries +1"),
        ("metal", "It is elemental Li, in which no ion carries charge."),
        ("sign", "Its charges balance only with Li +1, not -1."),
        ("overlap", "are only"),
    ],
)
def test_validate_rejects_with_one_sentence(salt, tmp_path, change, reason):
    ion, settings = ("Li", 1.0), {}
    if change == "ion":
        ion = ("Na", 1.0)
    elif change == "size":
        settings = {"maximum_atoms": 4}
    elif change == "charge":
        salt.remove_sites([4])
    elif change == "metal":
        salt = Structure(Lattice.cubic(3.51), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    elif change == "sign":
        ion = ("Li", -1.0)
    else:
        salt.append("Cl", [0.05, 0, 0])
    document, _ = run_stage("validate", salt, tmp_path, ion=ion, settings=settings)
    assert document.state == "rejected"
    assert reason in document.reason
    assert document.properties == {}


def test_relax_hands_the_relaxed_structure_on(argon, tmp_path):
    document, rows = run_stage("relax", argon, tmp_path, settings={"force_tolerance_ev_per_angstrom": 0.002})
    assert document.state == "completed"
    assert document.properties["volume_change_percent"].value < -1.0
    relaxed = Structure.from_dict(document.structure)
    assert relaxed.volume < argon.volume
    assert document.properties["energy_ev_per_atom"].value < 0
    assert document.source_uuids == [row["uuid"] for row in rows if row["name"] == "relax"]
    assert document.provenance.campaign_id == "try"


def test_relax_rejects_a_collapse(argon, tmp_path):
    settings = {"greatest_shrinkage_percent": 1.0, "force_tolerance_ev_per_angstrom": 0.002}
    document, _ = run_stage("relax", argon, tmp_path, settings=settings)
    assert document.state == "rejected"
    assert document.reason.startswith("Its volume changed by -")
    assert document.details["volume_change_percent"] < -1.0


def test_relax_rejects_an_element_that_the_potential_does_not_know(salt, tmp_path):
    _, specification = cosine_cell()
    document, _ = run_stage("relax", salt, tmp_path, potential=specification)
    assert document.state == "rejected"
    assert "does not know the element Cl" in document.reason


def test_probe_gives_a_diffusivity_and_the_bound_that_it_allows(tmp_path):
    cell, specification = cosine_cell(barrier_ev=0.15)
    settings = MD | {"duration_ps": 12.0, "target_sigma_300k_ms_cm": None, "target_relative_error": None}
    document, rows = run_stage("probe", cell, tmp_path, settings=settings, potential=specification)
    assert document.state == "completed"
    diffusivity = document.properties["probe_diffusivity_cm2_s"]
    low, high = diffusivity.interval_95
    assert 0 < low < diffusivity.value < high
    greatest = document.properties["greatest_sigma_300k_ms_cm"]
    assert greatest.bound == "upper"
    assert greatest.value is None
    assert document.details["stop_reason"] == "max_length"
    assert document.details["n_steps"] == 3000
    assert len(document.source_uuids) == 2
    assert all(len(str(row["output"])) < 60_000 for row in rows)


def test_probe_lets_a_non_conductor_leave_early(tmp_path):
    cell, specification = cosine_cell(barrier_ev=3.0)
    settings = MD | {"duration_ps": 40.0, "target_sigma_300k_ms_cm": 300.0, "minimum_barrier_ev": 0.3}
    document, _ = run_stage("probe", cell, tmp_path, settings=settings, potential=specification)
    assert document.state == "completed"
    assert document.details["stop_reason"] == "ruled_out"
    assert document.details["completed_ps"] < 30.0
    assert document.properties["greatest_sigma_300k_ms_cm"].limit < 300.0
    assert document.properties["probe_diffusivity_cm2_s"].bound == "upper"
    assert any("ended early" in note for note in document.notes)


@pytest.mark.parametrize("if_melted", ["keep", "reject"])
def test_probe_of_what_melts(tmp_path, if_melted):
    cell, specification = cosine_cell(barrier_ev=0.2)
    settings = MD | {"duration_ps": 8.0, "temperature_k": 40_000.0, "if_melted": if_melted}
    document, _ = run_stage("probe", cell, tmp_path, settings=settings, potential=specification)
    assert document.details["state"] == "failed"
    if document.details["stop_reason"] == "melted" and if_melted == "keep":
        assert document.state == "completed"
        assert document.properties == {}
        assert any("melted" in note for note in document.notes)
    else:
        assert document.state == "rejected"
        assert "molecular dynamics ended as" in document.reason


def test_a_probe_of_the_usual_length_has_no_time_to_converge():
    """The looks of a run of many segments, and the first two in a row that are long enough."""
    settings = ProbeSettings()
    per_ps = 1000.0 / settings.md.frame_interval_fs
    looks, n_frames = [], 0
    for length_ps in np.arange(settings.segment_ps, 100.0, settings.segment_ps):
        if is_look_due(round(length_ps * per_ps) + 1, n_frames):
            looks.append(float(length_ps))
            n_frames = round(length_ps * per_ps) + 1
    first, second = [look for look in looks if look - settings.analysis.equilibration_ps >= MINIMUM_PS][:2]
    assert (first, second) == (34.0, 42.0)
    assert settings.duration_ps < first
    assert "42 ps" in ProbeSettings.model_fields["target_relative_error"].description


def test_a_longer_probe_continues_the_trajectory(tmp_path):
    cell, specification = cosine_cell(barrier_ev=0.15)
    settings = MD | {"duration_ps": 4.0, "target_sigma_300k_ms_cm": None, "target_relative_error": None}
    first, _ = run_stage("probe", cell, tmp_path, settings=settings, potential=specification)
    second, rows = run_stage("probe", cell, tmp_path, settings=settings | {"duration_ps": 6.0}, potential=specification)
    assert first.stage_key != second.stage_key
    assert first.details["trajectory_key"] == second.details["trajectory_key"]
    (run,) = [row["output"]["run"] for row in rows if row["name"].startswith("probe")]
    assert run["resumed_from_step"] == 1000
    assert second.details["completed_ps"] == pytest.approx(6.0)


@pytest.mark.parametrize("name", ["probe", "conductivity"])
def test_a_cell_that_would_be_too_large_is_rejected_before_any_work(name, salt, tmp_path):
    document, rows = run_stage(name, salt, tmp_path, settings={"maximum_atoms": 10})
    assert document.state == "rejected"
    assert "more than the 10 allowed" in document.reason
    assert len(rows) == 1


def test_conductivity_comes_with_its_interval(tmp_path):
    cell, specification = cosine_cell(barrier_ev=0.2)
    settings = MD | {
        "temperatures_k": (700.0, 1000.0, 1500.0),
        "duration_ps": 12.0,
        "target_sigma_300k_ms_cm": None,
        "target_relative_error": None,
    }
    document, rows = run_stage("conductivity", cell, tmp_path, settings=settings, potential=specification)
    assert document.state == "completed"
    sigma = document.properties["sigma_300k_ms_cm"]
    assert sigma.interval_95[0] < sigma.interval_68[0] < sigma.value < sigma.interval_68[1] < sigma.interval_95[1]
    energy = document.properties["activation_energy_ev"]
    error = (energy.interval_68[1] - energy.interval_68[0]) / 2
    assert abs(energy.value - 0.2) < 2.5 * error
    assert [row["temperature_k"] for row in document.details["temperatures"]] == [700.0, 1000.0, 1500.0]
    assert document.details["conductivity_uuid"] in {row["uuid"] for row in rows}
    assert all(row["metadata"]["stage"] == "conductivity" for row in rows)


def test_conductivity_of_one_temperature_is_a_bound(tmp_path):
    cell, specification = cosine_cell(barrier_ev=0.2)
    settings = MD | {"temperatures_k": (1000.0,), "duration_ps": 6.0, "target_sigma_300k_ms_cm": None}
    document, _ = run_stage("conductivity", cell, tmp_path, settings=settings, potential=specification)
    sigma = document.properties["sigma_300k_ms_cm"]
    assert sigma.value is None
    assert sigma.bound == "upper"
    assert "activation_energy_ev" not in document.properties


def test_what_survives_at_no_temperature_is_rejected(tmp_path):
    cell, specification = cosine_cell(barrier_ev=0.2)
    settings = MD | {"temperatures_k": (40_000.0, 60_000.0), "duration_ps": 8.0}
    document, _ = run_stage("conductivity", cell, tmp_path, settings=settings, potential=specification)
    assert document.state == "rejected"
    assert "at no temperature" in document.reason


def test_percolation_of_a_rock_salt(salt, tmp_path):
    pytest.importorskip("bvlain")
    document, _ = run_stage("percolation", salt, tmp_path, settings={"resolution_angstrom": 0.3})
    assert document.state == "completed"
    assert set(document.properties) == set(load_stage("percolation").properties)
    heights = [document.properties[name].value for name in sorted(document.properties)]
    assert heights[0] == pytest.approx(heights[2], abs=2e-3)


def test_percolation_without_a_path_or_parameters_cuts_nobody(salt, argon, tmp_path):
    pytest.importorskip("bvlain")
    closed, _ = run_stage(
        "percolation", salt, tmp_path / "a", settings={"resolution_angstrom": 0.4, "greatest_barrier_ev": 0.01}
    )
    assert closed.properties["percolation_barrier_3d_ev"].bound == "lower"
    assert closed.properties["percolation_barrier_3d_ev"].limit == 0.01
    unknown, _ = run_stage("percolation", argon, tmp_path / "b")
    assert unknown.state == "completed"
    assert unknown.properties == {}
    assert "no bond-valence barriers" in unknown.notes[0]


def test_a_missing_package_is_told_before_anything_runs(monkeypatch):
    stage = load_stage("percolation")
    settings = stage.settings_model()
    pytest.importorskip("bvlain")
    assert stage.problems_here(settings) == []
    # As where it is not installed.
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (sentence,) = stage.problems_here(settings)
    assert "superion[bvse]" in sentence
    assert load_stage("validate").problems_here(load_stage("validate").settings_model()) == []
