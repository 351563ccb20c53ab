"""A relaxation that is stopped or killed goes on where it was, in the steps that would have followed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ase.calculators.lj import LennardJones
from ase.filters import FrechetCellFilter
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from monty.serialization import dumpfn
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.makers.prepare import PrepareMaker
from superion.makers.relax import RelaxMaker
from superion.potentials.specification import PotentialSpecification
from superion.runtime import stop_request
from superion.runtime.resumable_fire import FireState, ResumableFIRE
from superion.runtime.walltime import JOB_END_VARIABLE, STOP_MARGIN_VARIABLE

ARGON = {"sigma": 3.4, "epsilon": 0.0104, "rc": 9.0, "smooth": True}
SETTINGS = {
    "potential": PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones", options=ARGON),
    "force_tolerance_ev_per_angstrom": 1e-4,
    "maximum_steps": 400,
}


@pytest.fixture(autouse=True)
def no_stop_yet(monkeypatch):
    monkeypatch.setattr(stop_request, "_stop_was_requested", False)


@pytest.fixture
def structure():
    """A Lennard-Jones crystal, 2 % too wide and out of place."""
    found = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.26 * 1.02), ["Ar"], [[0, 0, 0]]) * (2, 2, 2)
    found.replace(0, "Li")
    shifts = np.random.default_rng(5).normal(scale=0.1, size=(len(found), 3))
    for index, shift in enumerate(shifts):
        found.translate_sites([index], shift, frac_coords=False)
    return found


@pytest.fixture
def candidate(structure):
    return PrepareMaker.make.original(PrepareMaker(mobile_ion="Li"), structure, "argon")


def optimizer_of(structure, relax_cell):
    atoms = AseAtomsAdaptor.get_atoms(structure)
    atoms.calc = LennardJones(**ARGON)
    return ResumableFIRE(FrechetCellFilter(atoms) if relax_cell else atoms, logfile=None), atoms


@pytest.mark.parametrize("relax_cell", [True, False])
def test_the_same_steps_follow(structure, relax_cell):
    """Through a file, to the last bit but for what the potential's neighbour list adds."""
    whole, at_once = optimizer_of(structure, relax_cell)
    whole.run(fmax=0.0, steps=40)
    first, _ = optimizer_of(structure, relax_cell)
    first.run(fmax=0.0, steps=17)
    second, in_two = optimizer_of(structure, relax_cell)
    second.restore(FireState.model_validate_json(first.state().model_dump_json()))
    second.run(fmax=0.0, steps=40)
    assert second.nsteps == whole.nsteps == 40
    np.testing.assert_allclose(in_two.positions, at_once.positions, rtol=0, atol=1e-11)
    np.testing.assert_allclose(in_two.cell.array, at_once.cell.array, rtol=0, atol=1e-11)
    assert (second.dt, second.a, second.Nsteps) == (whole.dt, whole.a, whole.Nsteps)


RELAX = """
import sys
from monty.serialization import loadfn
from superion.makers import relax
from superion.makers.relax import RelaxationStopped, RelaxMaker
from superion.runtime.stop_request import stop_was_requested

relax.STATE_INTERVAL_S = 0.0
given = loadfn(sys.argv[1])
try:
    RelaxMaker(**given["settings"]).document_of(given["candidate"])
except RelaxationStopped:
    assert stop_was_requested()
    sys.exit(17)
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 17), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_stopped_process_loses_no_steps(candidate, tmp_path, number, status):
    """By SIGTERM not one, by SIGKILL none that was kept; and what comes out is what one run gives."""
    given = tmp_path / "given.json"
    settings = SETTINGS | {
        "checkpoint_root": str(tmp_path / "pieces"),
        "force_tolerance_ev_per_angstrom": 1e-9,
        "maximum_steps": 60,
    }
    dumpfn({"candidate": candidate, "settings": settings}, given)
    command = [sys.executable, "-W", "ignore", "-c", RELAX, str(given)]
    process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})
    state_path = None
    while process.poll() is None:
        found = list((tmp_path / "pieces" / "relaxations").glob("*.state"))
        if found and FireState.model_validate_json(found[0].read_text()).n_steps >= 10:
            state_path = found[0]
            process.send_signal(number)
            break
        time.sleep(0.01)
    assert process.wait(timeout=400) == status
    kept = FireState.model_validate_json(state_path.read_text())
    assert 10 <= kept.n_steps < 60
    document = RelaxMaker(**settings).document_of(candidate)
    assert not state_path.exists()
    whole = RelaxMaker(**settings | {"checkpoint_root": str(tmp_path / "whole")}).document_of(candidate)
    assert document.energy_ev == pytest.approx(whole.energy_ev, abs=1e-9)
    assert (document.n_steps, document.converged) == (whole.n_steps, whole.converged)
    assert document.n_steps > kept.n_steps


def test_the_end_of_the_allocation_replaces_the_job(candidate, tmp_path, monkeypatch):
    """The continuation is for the next process, and every process takes a step at least."""
    hard = {"force_tolerance_ev_per_angstrom": 1e-15, "maximum_steps": 100_000}
    maker = RelaxMaker(**SETTINGS | hard, checkpoint_root=str(tmp_path / "t"))
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    # what takes seconds to load is loaded before the time runs
    quick = RelaxMaker(**SETTINGS | {"maximum_steps": 1}, checkpoint_root=str(tmp_path / "quick"))
    run_locally(Flow([quick.make(candidate)]), store=store, root_dir=tmp_path, log=False)
    monkeypatch.setenv(STOP_MARGIN_VARIABLE, "0")
    n_steps = [0]
    for _ in range(2):
        monkeypatch.setenv(JOB_END_VARIABLE, str(time.time() + 1.5))
        with pytest.raises(KeyboardInterrupt, match="continues from its checkpoints"):
            run_locally(Flow([maker.make(candidate)]), store=store, root_dir=tmp_path, log=False)
        (path,) = (tmp_path / "t" / "relaxations").iterdir()
        n_steps.append(FireState.model_validate_json(path.read_text()).n_steps)
        assert stop_request.stop_was_requested()
        stop_request._stop_was_requested = False
    assert 0 < n_steps[1] < n_steps[2]


def test_a_damaged_state_is_begun_anew(candidate, tmp_path):
    maker = RelaxMaker(**SETTINGS, checkpoint_root=str(tmp_path / "t"))
    first = maker.document_of(candidate)
    (path,) = (tmp_path / "t" / "relaxations").iterdir()
    path.unlink()
    path.with_suffix(".state").write_text('{"n_steps": 3')
    assert maker.document_of(candidate).n_steps == first.n_steps
