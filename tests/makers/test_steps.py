"""The other jobs: prepare, relax, supercell, volume, diffusion, summary."""

from __future__ import annotations

import numpy as np
import pytest
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.errors import AnalysisError, StructureError
from superion.makers.conductivity import ConductivitySummaryMaker
from superion.makers.diffusion import DiffusionMaker
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from superion.makers.supercell import SupercellMaker
from superion.makers.volume import VolumeMaker
from superion.potentials.specification import PotentialSpecification
from superion.runtime.stop_criteria import StopCriteria
from superion.transport.ruled_out import greatest_sigma_300k_ms_cm
from superion.workflows.stages.conductivity import ConductivityStageMaker
from superion.workflows.stages.stage_document import StageIdentity


def call(maker, *args):
    """Run a job's body without jobflow around it."""
    return type(maker).make.original(maker, *args)


@pytest.fixture
def argon():
    """A Lennard-Jones crystal, 2 % too wide."""
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.26 * 1.02), ["Ar"], [[0, 0, 0]])
    structure = structure * (2, 2, 2)
    structure.replace(0, "Li")
    return call(PrepareMaker(mobile_ion="Li"), structure, "argon")


LENNARD_JONES = PotentialSpecification(
    name="ase",
    model="ase.calculators.lj.LennardJones",
    options={"sigma": 3.4, "epsilon": 0.0104, "rc": 9.0, "smooth": True},
)


def test_prepare_orders_and_names_the_ion():
    from superion.structures.read import read_structure

    document = call(PrepareMaker(), read_structure("Li6PS5Cl"), "argyrodite", "Li6PS5Cl.cif", ["a remark"])
    assert document.was_disordered
    assert (document.mobile_ion, document.ion_charge, document.mobile_ion_guessed) == ("Li", 1.0, True)
    assert Structure.from_dict(document.structure).is_ordered
    assert document.notes[0] == "a remark"
    assert any("guessed" in note for note in document.notes)
    assert any("Ewald" in note for note in document.ordering_notes)
    with pytest.raises(StructureError, match="holds no Na"):
        call(PrepareMaker(mobile_ion="Na"), read_structure("Li6PS5Cl"))


def test_relax_reaches_its_tolerance_and_is_kept(argon, tmp_path):
    maker = RelaxMaker(potential=LENNARD_JONES, force_tolerance_ev_per_angstrom=0.002, checkpoint_root=str(tmp_path))
    document = call(maker, argon)
    assert document.converged
    assert document.max_force_ev_per_angstrom < 0.002
    assert document.volume_change_percent < -1.0
    relaxed = Structure.from_dict(document.structure)
    given = Structure.from_dict(argon.structure)
    assert [site.specie for site in relaxed] == [site.specie for site in given]
    assert document.energy_ev_per_atom == pytest.approx(document.energy_ev / len(relaxed))

    atoms = AseAtomsAdaptor.get_atoms(relaxed)
    from superion.potentials.registry import load_potential

    atoms.calc = load_potential(LENNARD_JONES).calculator()
    assert atoms.get_potential_energy() == pytest.approx(document.energy_ev, abs=1e-9)

    kept = list((tmp_path / "relaxations").iterdir())
    assert len(kept) == 1
    stamp = kept[0].stat().st_mtime_ns
    again = call(maker, argon)
    assert kept[0].stat().st_mtime_ns == stamp
    plain = {"mode": "json", "exclude": {"provenance"}}
    assert again.model_dump(**plain) == document.model_dump(**plain)
    call(RelaxMaker(potential=LENNARD_JONES, relax_cell=False, checkpoint_root=str(tmp_path)), argon)
    assert len(list((tmp_path / "relaxations").iterdir())) == 2


def test_unfinished_relaxation_says_so(argon, tmp_path):
    maker = RelaxMaker(
        potential=LENNARD_JONES, force_tolerance_ev_per_angstrom=1e-7, maximum_steps=3, checkpoint_root=str(tmp_path)
    )
    document = call(maker, argon)
    assert not document.converged
    assert "stopped after 3 steps" in document.notes[0]


def test_supercell_is_wide_enough(argon):
    document = call(SupercellMaker(minimum_edge_angstrom=15.0), argon)
    assert min(Structure.from_dict(document.structure).lattice.abc) >= 15.0
    assert f"{len(Structure.from_dict(document.structure))} atoms" in document.notes[-1]
    with pytest.raises(StructureError, match="maximum"):
        call(SupercellMaker(minimum_edge_angstrom=50.0, maximum_atoms=100), argon)


def test_volume_is_the_mean_of_the_late_cells(argon, tmp_path):
    tight = RelaxMaker(potential=LENNARD_JONES, force_tolerance_ev_per_angstrom=5e-4, checkpoint_root=str(tmp_path))
    relaxed = call(tight, argon)
    cold = argon.model_copy(update={"structure": relaxed.structure})
    maker = VolumeMaker(
        potential=LENNARD_JONES,
        protocol=MdSettings(ensemble="npt", time_step_fs=4.0, frame_interval_fs=20.0, barostat_time_fs=500.0),
        limits=RunLimits(duration_ps=6.0),
        checkpoint_root=str(tmp_path),
    )
    document = call(maker, cold, 40.0)
    trajectory = Trajectory(tmp_path / document.extra["volume_trajectory_key"])
    cells = trajectory.cells()
    expected = cells[int(0.4 * len(cells)) :].mean(axis=0)
    heated = Structure.from_dict(document.structure)
    assert np.allclose(heated.lattice.matrix, expected)
    assert np.allclose(heated.frac_coords, Structure.from_dict(cold.structure).frac_coords)
    assert heated.volume > Structure.from_dict(cold.structure).volume
    assert "of NPT" in document.notes[-1]


def cosine_runs(system, tmp_path, temperatures, **changes):
    """Trajectories of the analytic conductor."""
    candidate = call(PrepareMaker(), AseAtomsAdaptor.get_structure(system.atoms), "cosine")
    maker = MdMaker(
        potential=system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=4.0),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(tmp_path),
    )
    return candidate, [call(maker, candidate, temperature, replica) for temperature, replica in temperatures]


def test_diffusion_keeps_failed_replicas_out_of_fits(cosine_system, tmp_path):
    candidate, runs = cosine_runs(cosine_system, tmp_path, [(1500.0, 0), (1500.0, 1)])
    both = call(DiffusionMaker(), candidate, runs, 1500.0)
    assert both.result.n_replicas == 2
    assert both.result.usable
    assert both.state == "completed"

    melted = runs[1].model_copy(
        update={"run": runs[1].run.model_copy(update={"state": "failed", "stop_reason": "melted", "message": "gone."})}
    )
    one = call(DiffusionMaker(), candidate, [runs[0], melted], 1500.0)
    assert one.state == "failed"
    assert one.result.n_replicas == 1
    assert not one.result.usable
    assert "melted" in one.result.exclusion_reason
    assert "melted" in one.result.flags

    none = call(DiffusionMaker(), candidate, [melted], 1500.0)
    assert none.result is None
    assert none.failure == "melted: gone."

    missing = call(DiffusionMaker(), candidate, [runs[0], None], 1500.0)
    assert missing.state == "failed"
    assert missing.result.usable
    assert "1 of 2 replicas" in missing.notes[0]
    assert call(DiffusionMaker(), candidate, [None], 1500.0).failure.startswith("no trajectory")
    with pytest.raises(AnalysisError, match="a job before it failed"):
        call(DiffusionMaker(), None, [None], 1500.0)


def test_summary_fits_what_the_transport_layer_fits(cosine_system, tmp_path):
    from superion.transport.arrhenius import fit_arrhenius
    from superion.transport.arrhenius_points import arrhenius_inputs

    temperatures = [800.0, 1100.0, 1500.0]
    candidate, runs = cosine_runs(cosine_system, tmp_path, [(temperature, 0) for temperature in temperatures])
    documents = [call(DiffusionMaker(), candidate, [run], run.protocol.temperature_k) for run in runs]
    summary = call(ConductivitySummaryMaker(), candidate, [*documents, None], [*temperatures, 2000.0])
    points = arrhenius_inputs(summary.temperatures, "nernst_einstein_ms_cm")
    direct = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
    assert summary.activation_energy_ev == pytest.approx(direct.activation_energy_ev, rel=1e-12)
    assert summary.sigma_300k_interval_95_ms_cm == pytest.approx(direct.extrapolated_interval_95, rel=1e-9)
    assert summary.temperature_failures == {"2000": "its job failed"}
    assert summary.state == "failed"
    with pytest.raises(AnalysisError, match="a job before it failed"):
        call(ConductivitySummaryMaker(), None, [None], [300.0])


def test_what_would_be_faster_in_the_cold_is_bounded_and_not_extrapolated(cosine_system, tmp_path):
    """Results of two temperatures under each other's name: the activation energy comes out negative."""
    candidate, runs = cosine_runs(cosine_system, tmp_path, [(800.0, 0), (1500.0, 0)])
    found = [call(DiffusionMaker(), candidate, [run], run.protocol.temperature_k) for run in runs]
    documents = [
        document.model_copy(update={"result": document.result.model_copy(update={"temperature_k": temperature})})
        for document, temperature in zip(found, (1500.0, 800.0), strict=True)
    ]
    summary = call(ConductivitySummaryMaker(), candidate, documents, [1500.0, 800.0])
    assert summary.activation_energy_ev < 0.0
    assert (
        summary.sigma_300k_ms_cm is summary.sigma_300k_interval_68_ms_cm is summary.sigma_300k_interval_95_ms_cm is None
    )
    bounds = {
        result.temperature_k: greatest_sigma_300k_ms_cm(
            result.nernst_einstein.upper_bound_95_ms_cm, result.temperature_k, 0.1
        )
        for result in summary.temperatures
    }
    assert summary.sigma_300k_upper_bound_ms_cm == min(bounds.values())
    assert "no ion moves faster in the cold" in summary.verdict
    identity = StageIdentity(stage="conductivity", stage_key="k")
    row = call(ConductivityStageMaker(), identity, candidate, summary)
    # Nothing that an impossible line says can be ranked by.
    assert set(row.properties) == {"sigma_300k_ms_cm"}
    sigma = row.properties["sigma_300k_ms_cm"]
    assert (sigma.value, sigma.bound, sigma.limit) == (None, "upper", summary.sigma_300k_upper_bound_ms_cm)
    assert f"{summary.activation_energy_ev:.2g} ±" in sigma.note
    assert row.details["activation_energy_ev"] == summary.activation_energy_ev
    assert any("not positive" in note for note in row.notes)


def test_summary_of_nothing_says_so(argon):
    summary = call(ConductivitySummaryMaker(), argon, [None, None], [600.0, 900.0])
    assert summary.state == "failed"
    assert summary.sigma_300k_ms_cm is None
    assert summary.sigma_300k_upper_bound_ms_cm is None
    assert "no result at 600 K, 900 K" in summary.verdict


def test_makers_survive_a_store_and_a_decoder():
    """Every Maker travels as JSON, as queue managers need."""
    from monty.json import MontyDecoder
    from superion.flows.conductivity import ConductivityMaker
    from superion.workflows.dispatch.codec import decode_flow, encode_flow

    maker = ConductivityMaker(volume=VolumeMaker(), n_replicas=2)
    assert MontyDecoder().process_decoded(maker.as_dict()).as_dict() == maker.as_dict()
    flow = maker.make("Li6PS5Cl")
    copy = decode_flow(encode_flow(flow))
    assert [job.uuid for job, _ in copy.iterflow()] == [job.uuid for job, _ in flow.iterflow()]
    assert [job.maker.as_dict() for job, _ in copy.iterflow()] == [job.maker.as_dict() for job, _ in flow.iterflow()]


def test_documents_pass_between_jobs(cosine_system, tmp_path):
    """Prepare and supercell through a store: references resolve to the documents themselves."""
    prepare = PrepareMaker().make(AseAtomsAdaptor.get_structure(cosine_system.atoms), "cosine")
    supercell = SupercellMaker(minimum_edge_angstrom=9.0).make(prepare.output)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(Flow([prepare, supercell]), store=store, root_dir=tmp_path, log=False)
    assert store.get_output(supercell.uuid)["label"] == "cosine"
    assert store.get_output(prepare.uuid)["provenance"]["job_uuid"] == prepare.uuid
