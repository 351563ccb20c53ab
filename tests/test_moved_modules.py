"""Modules that have moved are still found by their old names, as queued jobs and stored documents name them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.flows.conductivity import ConductivityMaker
from superion.flows.distil_potential import DistilPotentialMaker
from superion.makers.md import MdMaker
from superion.makers.prepare import PrepareMaker
from superion.moved_modules import MOVED_MODULES, serve_old_names
from superion.potentials.specification import PotentialSpecification
from superion.runtime.stop_criteria import StopCriteria
from superion.workflows.dispatch.codec import decode_flow, encode_flow
from superion.workflows.stages.registry import load_stage
from superion.workflows.stages.stage import StageContext

LITHIUM = Structure(Lattice.cubic(4.0), ["Li"], [[0, 0, 0]])


def as_written_before(text: str) -> str:
    """Put the old names of modules into a serialised flow."""
    for old, new in MOVED_MODULES.items():
        text = text.replace(f'"{new}"', f'"{old}"')
    return text


def unit_of(name: str) -> Flow:
    """Build a stage's flow as a campaign does."""
    stage = load_stage(name)
    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.14), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    context = StageContext(PotentialSpecification(), "Li", 1.0, "salt")
    return stage.make(salt, stage.settings_model(), context)


@pytest.mark.parametrize(("old", "new"), MOVED_MODULES.items())
def test_both_names_give_the_same_module(old: str, new: str) -> None:
    spec = importlib.import_module(new).__spec__
    assert importlib.import_module(old) is importlib.import_module(new)
    assert importlib.import_module(new).__spec__ is spec, "a module keeps its own name"
    package, _, name = old.rpartition(".")
    assert getattr(importlib.import_module(package), name) is importlib.import_module(new)


def test_an_old_name_may_come_first_in_a_process() -> None:
    code = (
        "from superion.makers.stop_criteria import StopCriteria as old\n"
        "from superion.runtime.stop_criteria import StopCriteria as new\n"
        "from superion.makers import job_end\n"
        "print(old is new, old.__module__, job_end.__name__)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split() == ["True", "superion.runtime.stop_criteria", "superion.runtime.walltime"]


def test_names_that_never_were_are_not_found() -> None:
    assert importlib.util.find_spec("superion.makers.never_was") is None
    with pytest.raises(ModuleNotFoundError, match="never_was"):
        importlib.import_module("superion.makers.never_was")


def test_the_finder_stands_in_the_import_system_once() -> None:
    before = list(sys.meta_path)
    serve_old_names()
    assert sys.meta_path == before


@pytest.mark.parametrize(
    "flow", [ConductivityMaker().make(LITHIUM), DistilPotentialMaker().make([LITHIUM])], ids=["conductivity", "distil"]
)
def test_a_queued_flow_that_names_old_modules_is_read(flow: Flow) -> None:
    text = encode_flow(flow)
    old = as_written_before(text)
    assert "superion.makers.stop_criteria" in old or "superion.makers.sampling_settings" in old
    assert json.loads(encode_flow(decode_flow(old))) == json.loads(text)


def test_a_queued_job_that_names_old_modules_runs(cosine_system: Any, tmp_path: Path) -> None:
    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    prepare = PrepareMaker().make(structure, "cosine")
    maker = MdMaker(
        potential=cosine_system.specification,
        protocol=MdSettings(time_step_fs=4.0, frame_interval_fs=40.0),
        limits=RunLimits(duration_ps=0.4, segment_ps=0.2),
        stop=StopCriteria(target_relative_error=None),
        checkpoint_root=str(tmp_path),
    )
    dynamics = maker.make(prepare.output, 1000.0)
    old = as_written_before(encode_flow(Flow([prepare, dynamics])))
    assert "superion.makers.stop_criteria" in old
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    outputs = run_locally(decode_flow(old), store=store, ensure_success=True)
    assert outputs[dynamics.uuid][1].output.run.state == "completed"


@pytest.mark.parametrize(
    ("name", "old_module"),
    [
        ("validate", "stage_validation"),
        ("relax", "stage_relaxation"),
        ("probe", "stage_probe"),
        ("conductivity", "stage_conductivity"),
    ],
)
def test_a_queued_unit_of_a_campaign_that_names_old_modules_is_read(name: str, old_module: str) -> None:
    text = encode_flow(unit_of(name))
    old = as_written_before(text)
    assert f"superion.makers.{old_module}" in old
    assert "superion.makers.stage_document" in old
    assert json.loads(encode_flow(decode_flow(old))) == json.loads(text)


def test_a_queued_unit_of_a_campaign_that_names_old_modules_runs() -> None:
    unit = unit_of("validate")
    store = JobStore(MemoryStore())
    run_locally(decode_flow(as_written_before(encode_flow(unit))), store=store, ensure_success=True)
    assert unit.output.resolve(store).stage == "validate"
