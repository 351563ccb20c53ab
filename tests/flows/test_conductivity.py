"""The conductivity flow: five lines with plain jobflow, the known barrier back, failures kept to themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import make_cosine_system
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.database.documents import ConductivityDoc
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.errors import PotentialError, ProtocolError, SettingsError, StructureError
from superion.flows.conductivity import ConductivityMaker
from superion.flows.plan import plan
from superion.makers.md import MdMaker
from superion.makers.relax import RelaxMaker
from superion.makers.supercell import SupercellMaker
from superion.makers.volume import VolumeMaker
from superion.potentials.specification import PotentialSpecification
from superion.runtime.stop_criteria import StopCriteria
from superion.workflows.dispatch.local import run_flow_locally


def memory_store():
    return JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})


def cosine_maker(system, root, **changes):
    """A flow for the analytic conductor: quick, and its barrier is known."""
    settings = {
        "potential": system.specification,
        "temperatures_k": (800.0, 1100.0, 1500.0),
        "relax": None,
        "supercell": SupercellMaker(minimum_edge_angstrom=9.0),
        "md": MdMaker(
            protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
            limits=RunLimits(duration_ps=12.0, segment_ps=3.0),
            stop=StopCriteria(target_relative_error=None),
        ),
        "checkpoint_root": str(root),
    }
    return ConductivityMaker(**settings | changes)


def long_enough(system, root, **changes):
    """The flow with runs in which the coldest temperature has hops enough, whichever way a run goes."""
    maker = cosine_maker(system, root, **changes)
    return replace(maker, md=replace(maker.md, limits=RunLimits(duration_ps=24.0, segment_ps=8.0)))


def run(flow, folder):
    """Run a flow as the README tells, and give its document."""
    store = memory_store()
    run_locally(flow, store=store, create_folders=True, root_dir=folder, log=False)
    return flow.output.resolve(store), store


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished flow: its document, its store and the folders."""
    base = tmp_path_factory.mktemp("flow")
    system = make_cosine_system(barrier_ev=0.2)
    flow = long_enough(system, base / "trajectories").make(system.atoms, label="cosine")
    document, store = run(flow, base / "jobs")
    return document, store, base, system


def test_known_barrier_comes_back(finished):
    document, *_ = finished
    assert isinstance(document, ConductivityDoc)
    assert document.state == "completed"
    assert document.temperature_failures == {}
    assert [result.temperature_k for result in document.temperatures] == [800.0, 1100.0, 1500.0]
    assert all(result.usable for result in document.temperatures)
    error = document.activation_energy_error_ev
    assert abs(document.activation_energy_ev - 0.2) < 2.5 * error
    assert error < 0.08
    low, high = document.sigma_300k_interval_68_ms_cm
    assert low < document.sigma_300k_ms_cm < high
    assert document.sigma_300k_upper_bound_ms_cm is None


def test_document_says_where_it_comes_from(finished):
    document, store, _, system = finished
    provenance = document.provenance
    assert provenance.potential.name == "ase"
    assert len(provenance.potential.weights_sha256) == 64
    assert provenance.seeds == [42]
    assert provenance.job_uuid in {row["uuid"] for row in store.query({}, ["uuid"])}
    assert document.label == "cosine"
    assert (document.mobile_ion, document.ion_charge) == ("Li", 1.0)
    assert document.n_atoms == len(system.atoms)
    assert {error.source for error in document.systematic_errors} == {"potential", "cell_size", "run_length", "method"}
    assert f"{document.n_atoms} atoms" in document.verdict
    assert "demonstration" in document.verdict
    assert any("guessed" in note for note in document.notes)


def test_no_document_carries_frames(finished):
    _, store, *_ = finished
    for row in store.query({}, load=True):
        assert len(str(row["output"])) < 100_000


def test_same_request_computes_nothing_twice(finished, tmp_path):
    document, _, base, system = finished
    before = {path: path.stat().st_mtime_ns for path in (base / "trajectories").rglob("segment*")}
    assert before
    flow = long_enough(system, base / "trajectories").make(system.atoms, label="cosine")
    again, store = run(flow, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (base / "trajectories").rglob("segment*")} == before
    assert again.model_dump(exclude={"provenance"}) == document.model_dump(exclude={"provenance"})
    resumed = [row["output"]["run"]["resumed_from_step"] for row in store.query({"output.doc_type": "trajectory"})]
    assert resumed == [6000, 6000, 6000]


def test_one_job_for_all_trajectories_gives_the_same(finished, tmp_path):
    document, _, base, system = finished
    flow = long_enough(system, base / "trajectories", pack_trajectories=True).make(system.atoms, label="cosine")
    names = [job.name for job, _ in flow.iterflow()]
    assert names.index("MD pack") < names.index("MD 800 K")
    again, store = run(flow, tmp_path)
    assert again.model_dump(exclude={"provenance"}) == document.model_dump(exclude={"provenance"})
    assert store.count({"output.doc_type": "trajectory"}) == 3


def test_an_unknown_md_engine_is_refused_at_once(cosine_system):
    maker = ConductivityMaker(md=MdMaker(protocol=MdSettings(engine="asse")))
    with pytest.raises(ProtocolError, match="did you mean 'ase'"):
        maker.make(cosine_system.atoms)


def test_replicas_are_independent_and_combined(tmp_path):
    system = make_cosine_system(barrier_ev=0.15)
    maker = cosine_maker(system, tmp_path / "t", temperatures_k=(1000.0,), n_replicas=2)
    flow = maker.make(system.atoms)
    names = [job.name for job, _ in flow.iterflow()]
    assert "MD 1000 K, replica 1" in names
    assert "MD 1000 K, replica 2" in names
    document, store = run(flow, tmp_path / "jobs")
    keys = {row["output"]["run"]["key"] for row in store.query({"output.doc_type": "trajectory"})}
    assert len(keys) == 2
    result = document.temperatures[0]
    assert result.n_replicas == 2
    assert document.activation_energy_ev is None
    assert document.sigma_300k_upper_bound_ms_cm > 0
    assert "no σ(300 K)" in document.verdict


def test_one_failing_temperature_leaves_the_others_alive(tmp_path):
    """At 40,000 K the framework leaves its sites; the other temperatures give the result."""
    system = make_cosine_system(barrier_ev=0.2)
    maker = cosine_maker(system, tmp_path / "t", temperatures_k=(1000.0, 1500.0, 40_000.0))
    document, _ = run(maker.make(system.atoms), tmp_path / "jobs")
    assert document.state == "failed"
    assert set(document.temperature_failures) == {"40000"}
    reason = document.temperature_failures["40000"]
    assert any(word in reason for word in ("melted", "exploded", "temperature_runaway"))
    assert document.activation_energy_ev is not None
    excluded = [point for point in document.arrhenius.points if not point.used]
    assert [point.temperature_k for point in excluded] == [40_000.0]
    assert excluded[0].exclusion_reason == reason
    assert "40000 K" in document.verdict


def test_a_crashing_job_leaves_the_others_alive(tmp_path):
    """A temperature whose files are damaged fails with its reason; the summary still comes."""
    system = make_cosine_system(barrier_ev=0.2)
    root = tmp_path / "t"
    flow = cosine_maker(system, root, temperatures_k=(1000.0, 1500.0)).make(system.atoms)
    store = memory_store()
    run_locally(flow, store=store, create_folders=True, root_dir=tmp_path / "first", log=False)
    for row in store.query({"output.doc_type": "trajectory"}):
        if row["output"]["protocol"]["temperature_k"] == 1500.0:
            folder = root / row["output"]["run"]["key"]
    segment = sorted(folder.glob("segment*"))[0]
    segment.write_bytes(segment.read_bytes()[:1000])
    document, _ = run(
        cosine_maker(system, root, temperatures_k=(1000.0, 1500.0)).make(system.atoms), tmp_path / "again"
    )
    assert set(document.temperature_failures) == {"1500"}
    assert [result.temperature_k for result in document.temperatures] == [1000.0]


def test_a_failing_relaxation_is_told_once(tmp_path):
    """One cause, one failure; all that needs it is left out."""
    system = make_cosine_system()
    stranger = system.specification.model_copy(
        update={"options": system.specification.options | {"barriers_ev": {"Na": 0.1}}}
    )
    maker = cosine_maker(system, tmp_path / "t", potential=stranger, relax=RelaxMaker(), temperatures_k=(600.0, 900.0))
    report = run_flow_locally(maker.make(system.atoms), memory_store(), tmp_path / "run", workers=1)
    assert report.state == "failed"
    assert [(job.name, job.is_root_cause) for job in report.failures] == [("relax", True)]
    assert "does not know the elements Li, S" in report.failures[0].reason
    skipped = {job.name for job in report.jobs if job.status == "skipped"}
    assert skipped == {"supercell", "MD 600 K", "MD 900 K", "diffusion 600 K", "diffusion 900 K", "conductivity"}


def test_volume_at_temperature_is_used_in_production(tmp_path):
    """Production runs in the NPT run's mean cell, which the known equation of state predicts.

    The cosine term bears no stress: K (V/V0 - 1) = N kT/V plus the repulsion, so V = 1.07 V(start) at the least.
    """
    system = make_cosine_system(barrier_ev=0.2)
    per_atom = system.atoms.get_volume() / len(system.atoms)
    elastic = {"bulk_modulus_gpa": 20.0, "volume_angstrom3_per_atom": 1.03 * per_atom}
    potential = system.specification.model_copy(update={"options": system.specification.options | elastic})
    npt = VolumeMaker(
        protocol=MdSettings(ensemble="npt", time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=6.0),
    )
    maker = cosine_maker(system, tmp_path / "t", potential=potential, volume=npt, temperatures_k=(1000.0,))
    assert [run.ensemble for run in maker.plan(system.atoms).trajectories] == ["npt", "nvt"]
    flow = maker.make(system.atoms)
    assert "volume 1000 K" in [job.name for job, _ in flow.iterflow()]
    document, store = run(flow, tmp_path / "jobs")
    result = document.temperatures[0]
    heated = next(
        row["output"] for row in store.query({"output.doc_type": "candidate"}) if row["name"] == "volume 1000 K"
    )
    assert result.volume_angstrom3 == pytest.approx(Structure.from_dict(heated["structure"]).volume, rel=1e-6)
    assert 1.06 < result.volume_angstrom3 / system.atoms.get_volume() < 1.12
    assert not any("thermal expansion" in error.statement for error in document.systematic_errors)


def test_takes_structures_atoms_paths_and_names(tmp_path):
    system = make_cosine_system()
    structure = AseAtomsAdaptor.get_structure(system.atoms)
    path = tmp_path / "my-crystal.cif"
    structure.to(filename=str(path))
    maker = cosine_maker(system, tmp_path)
    for given in (system.atoms, structure, path, str(path)):
        first = next(iter(maker.make(given).iterflow()))[0]
        assert first.function_args[0].composition == structure.composition
    assert maker.plan(path).label == "my-crystal"
    shipped = next(iter(ConductivityMaker().make("Li6PS5Cl").iterflow()))[0]
    assert shipped.function_args[0].composition.reduced_formula == "Li6PS5Cl"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"temperatures_k": ()}, SettingsError, "temperatures_k is empty"),
        ({"temperatures_k": (600.0, -3.0)}, SettingsError, "must be positive"),
        ({"temperatures_k": (600.0, 600.0)}, SettingsError, "twice"),
        ({"n_replicas": 0}, SettingsError, "n_replicas is 0"),
        ({"mobile_ion": "Na"}, StructureError, "holds no Na"),
        ({"potential": PotentialSpecification(name="chgnett")}, PotentialError, "did you mean 'chgnet'"),
    ],
)
def test_refuses_what_makes_no_sense_before_anything_runs(tmp_path, changes, error, words):
    system = make_cosine_system()
    maker = cosine_maker(system, tmp_path, **changes)
    with pytest.raises(error, match=words):
        maker.make(system.atoms)
    with pytest.raises(error, match=words):
        plan(maker, system.atoms)


def test_plan_tells_what_will_happen():
    described = plan(ConductivityMaker(temperatures_k=(700.0, 900.0), n_replicas=2), "Li6PS5Cl", seconds_per_step=0.1)
    assert described.n_atoms_input == 52
    assert described.minimum_edge_angstrom >= 12.0
    assert len(described.trajectories) == 4
    assert described.n_steps == 4 * 100_000
    assert described.cost_core_hours == pytest.approx(4 * 100_000 * 0.1 / 3600)
    assert described.jobs.count("diffusion 700 K") == 1
    assert any("Ewald" in note for note in described.notes)


@pytest.mark.parametrize("form", ["string", "fields"])
def test_a_potential_by_name_runs_with_plain_jobflow(form, cosine_system, tmp_path):
    potentials = {
        "string": "ase:ase.calculators.lj.LennardJones",
        "fields": cosine_system.specification.model_dump(),
    }
    maker = cosine_maker(
        cosine_system,
        tmp_path / "trajectories",
        potential=potentials[form],
        temperatures_k=(300.0,),
        md=MdMaker(limits=RunLimits(duration_ps=0.5, segment_ps=0.5), stop=StopCriteria(target_relative_error=None)),
    )
    assert isinstance(maker.potential, PotentialSpecification)
    document, _ = run(maker.make(cosine_system.atoms), tmp_path / "jobs")
    assert document.provenance.potential.name == "ase"
    assert document.provenance.potential.model == maker.potential.model


@pytest.mark.parametrize(
    "maker", [ConductivityMaker, MdMaker, RelaxMaker, VolumeMaker], ids=lambda maker: maker.__name__
)
def test_every_maker_takes_a_potential_by_name(maker):
    wanted = PotentialSpecification(name="chgnet", model="0.3.0")
    assert maker(potential="chgnet:0.3.0").potential == wanted
    assert maker(potential={"name": "chgnet", "model": "0.3.0"}).potential == wanted
    assert maker.from_dict(maker(potential="chgnet:0.3.0").as_dict()).potential == wanted
    with pytest.raises(SettingsError, match="cannot be 7: give a name such as 'chgnet'"):
        maker(potential=7)
