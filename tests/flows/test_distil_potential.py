"""The distillation flow: what it is made of, what it refuses, and all of it with a quick teacher."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from superion.database.documents.potential import PotentialDoc
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.errors import PotentialError, SettingsError
from superion.flows.distil_potential import DistilPotentialMaker
from superion.flows.plan import plan
from superion.flows.registry import describe_flow
from superion.flows.settings import apply_settings
from superion.makers.active_loop import ActiveLoopMaker, ActiveLoopSettings
from superion.makers.explore import ExploreMaker, WatchSettings
from superion.makers.sample_configurations import SampleConfigurationsMaker
from superion.makers.supercell import SupercellMaker
from superion.makers.train_potential import TrainPotentialMaker
from superion.makers.validate_potential import ValidatePotentialMaker, ValidationSettings
from superion.potentials.model_file import read_model_header
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.potentials.training.settings import TrainingSettings
from superion.potentials.training.verdict import VerdictThresholds
from superion.runtime.resource_kind import resource_kind_of
from superion.runtime.sampling_settings import SamplingSettings
from superion.transport.analysis import DiffusionSettings
from support.labelled_alloy import EMT, alloy_crystal, write_architecture

LENIENT = VerdictThresholds(
    energy_rmse_mev_per_atom=1000.0,
    force_rmse_ev_per_angstrom=2.0,
    own_force_rmse_ev_per_angstrom=2.0,
    stress_rmse_gpa=100.0,
    energy_drift_mev_per_atom_ps=100.0,
    radial_difference=1.0,
    spectrum_difference=1.0,
)


def quick_maker(folder: Path, *, is_restless: bool = False, max_epochs: int = 8, **loop) -> DistilPotentialMaker:
    """A flow that takes a minute on an idle core."""
    protocol = MdSettings(time_step_fs=4.0, frame_interval_fs=20.0)
    return DistilPotentialMaker(
        teacher=EMT,
        size=write_architecture(folder),
        temperatures_k=(300.0, 500.0),
        device="cpu",
        mobile_ion="Cu",
        ion_charge=1.0,
        relax=None,
        supercell=SupercellMaker(minimum_edge_angstrom=7.0),
        sample=SampleConfigurationsMaker(
            settings=SamplingSettings(
                n_frames=30, duration_ps=0.2, skip_ps=0.0, n_distorted=20, volume_strains=(0.02,)
            ),
            protocol=protocol,
        ),
        loop=ActiveLoopMaker(
            settings=ActiveLoopSettings(**{"stable_ps": 0.4, "maximum_rounds": 2, "continued_epochs": 4} | loop),
            train=TrainPotentialMaker(
                settings=TrainingSettings(max_epochs=max_epochs, learning_rate=0.02, batch_size=2)
            ),
            explore=ExploreMaker(
                protocol=protocol,
                limits=RunLimits(segment_ps=0.2),
                watch=WatchSettings(
                    deviation_ratio=1e-6 if is_restless else 10.0,
                    minimum_deviation_ev_per_angstrom=1e-6 if is_restless else 5.0,
                    frames_per_event=4,
                ),
            ),
            validate=ValidatePotentialMaker(
                protocol=protocol,
                thresholds=LENIENT,
                settings=ValidationSettings(
                    teacher_ps=1.0, constant_energy_ps=1.0, own_frames=4, skip_ps=0.1, resolution_thz=2.0
                ),
                diffusion=DiffusionSettings(equilibration_ps=0.0),
            ),
        ),
        checkpoint_root=str(folder / "trajectories"),
    )


def run(flow, folder: Path) -> PotentialDoc:
    folder.mkdir(exist_ok=True)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(flow, store=store, create_folders=True, root_dir=folder, log=False, raise_immediately=True)
    return PotentialDoc.model_validate(flow.output.resolve(store).model_dump())


def test_the_flow_declares_itself_and_hands_its_settings_down():
    described = describe_flow("distil-potential")
    assert described.document == "potential"
    assert {option.name for option in described.options} >= {"teacher", "size", "temperatures", "device", "name"}
    maker = apply_settings(
        DistilPotentialMaker(),
        {"teacher": "chgnet", "temperatures_k": [700, 1000], "device": "cpu", "loop.n_students": 3, "size": "small"},
    )
    flow = maker.make(["Li6PS5Cl"], label="mine")
    jobs = {job.name: job for job, _ in flow.iterflow()}
    assert [resource_kind_of(jobs[f"train round 0, student {member}"]) for member in (1, 2, 3)] == ["train"] * 3
    trainer = jobs["train round 0, student 1"].maker
    assert (trainer.settings.architecture, trainer.settings.device) == ("small", "cpu")
    assert {"explore 1000 K round 0", "explore 1200 K round 0"} <= set(jobs)
    assert jobs["sample configurations"].maker.temperatures_k == (700.0, 1000.0, 1200.0)
    assert jobs["label"].maker.teacher.device == "cpu"
    assert jobs["active loop round 0"].maker.register.potential_name == "mine"


def test_the_plan_names_cell_teacher_and_loop():
    described = plan(
        DistilPotentialMaker(teacher="chgnet", supercell=SupercellMaker(minimum_edge_angstrom=8.0)), ["Li6PS5Cl"]
    )
    assert (described.formula, described.n_atoms, described.mobile_ion) == ("Li6PS5Cl", 52, "Li")
    assert described.potential == "tiny student of chgnet"
    assert "up to 6 rounds" in described.notes[0]


def test_settings_that_make_no_sense_are_one_sentence():
    with pytest.raises(SettingsError, match="no structure to train for"):
        DistilPotentialMaker(teacher="chgnet").make([])
    with pytest.raises(SettingsError, match="There is no architecture 'huge'"):
        DistilPotentialMaker(teacher="chgnet", size="huge").make(["Li6PS5Cl"])
    with pytest.raises(SettingsError, match="temperatures_k holds -5"):
        DistilPotentialMaker(teacher="chgnet", temperatures_k=(-5.0,)).make(["Li6PS5Cl"])
    with pytest.raises(PotentialError, match="no potential 'chgnot'"):
        DistilPotentialMaker(teacher="chgnot").make(["Li6PS5Cl"])


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_the_whole_flow_gives_a_potential_that_can_be_used(tmp_path):
    document = run(quick_maker(tmp_path).make([alloy_crystal()], label="alloy"), tmp_path / "jobs")
    assert (document.name, document.verdict, document.reasons) == ("alloy", "accepted", [])
    assert [one.number for one in document.rounds] == [0]
    assert document.metrics.stable_ps == {"300": 0.4, "500": 0.4, "600": 0.4}
    assert abs(document.metrics.energy_drift_mev_per_atom_ps) < 5.0
    header = read_model_header(document.file.path)
    assert (header.verdict, header.weights_sha256) == ("accepted", document.weights_sha256)
    assert header.domain.temperature_k == (300.0, 500.0)
    assert header.teacher.provenance.model == "ase.calculators.emt.EMT"


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_student_that_never_settles_is_rejected_with_its_reasons(tmp_path):
    maker = quick_maker(tmp_path, is_restless=True, max_epochs=2)
    document = run(maker.make([alloy_crystal()], label="restless"), tmp_path / "jobs")
    assert document.verdict == "rejected"
    assert any("after 2 rounds of training a run at" in reason for reason in document.reasons)
    assert [one.number for one in document.rounds] == [0, 1]
    assert document.rounds[0].n_frames_added > 0
    assert document.rounds[1].n_training_frames > document.rounds[0].n_training_frames
    with pytest.raises(PotentialError, match="was rejected by its validation"):
        load_potential(PotentialSpecification(name="mace", model=document.file.path))


KILLED = """
import sys
from pathlib import Path
sys.path[:0] = [{tests!r}, {flows!r}]
from test_distil_potential import quick_maker, run
from support.labelled_alloy import alloy_crystal
folder = Path({folder!r})
maker = quick_maker(folder, is_restless=True, max_epochs=4)
document = run(maker.make([alloy_crystal()], label="killed"), folder / "jobs")
(folder / "document.json").write_text(document.model_dump_json())
"""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_kill_at_ten_instants_of_the_loop_labels_nothing_twice(tmp_path):
    tests = Path(__file__).parents[1]
    script = KILLED.format(tests=str(tests), flows=str(Path(__file__).parent), folder=str(tmp_path))
    chance = random.Random("loop")
    labels, trainings = tmp_path / "trajectories" / "labels", tmp_path / "trajectories" / "trainings"
    stamps: dict[str, int] = {}
    kills = 0
    while kills < 10 and not (tmp_path / "document.json").exists():
        before = len(list(trainings.glob("*/student.safetensors"))) + len(list(labels.rglob("*.json")))
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stderr=subprocess.DEVNULL)
        # some work is done between two kills, wherever the run is
        while process.poll() is None:
            done = len(list(trainings.glob("*/student.safetensors"))) + len(list(labels.rglob("*.json")))
            if done > before:
                break
            time.sleep(0.05)
        time.sleep(chance.uniform(0.0, 2.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        for path in [*labels.rglob("*.json"), *trainings.glob("*/student.safetensors")]:
            key = str(path)
            assert stamps.setdefault(key, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
    if not (tmp_path / "document.json").exists():
        subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, stderr=subprocess.DEVNULL)
    assert kills >= 3
    for key, stamp in stamps.items():
        assert Path(key).stat().st_mtime_ns == stamp
    document = json.loads((tmp_path / "document.json").read_text())
    assert len(document["rounds"]) == 2
