"""Potentials that are trained further, and judged anew: what is refused, and both for real with a quick teacher."""

from __future__ import annotations

from pathlib import Path

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from superion.database.documents.potential import PotentialDoc
from superion.errors import SettingsError
from superion.flows.finetune_potential import FinetunePotentialMaker
from superion.flows.plan import plan
from superion.flows.registry import describe_flow
from superion.flows.settings import apply_settings
from superion.flows.validate_potential import ValidatePotentialFlowMaker
from superion.potentials.model_file import read_model_header
from superion.potentials.training.labelled_frames import write_labelled_frames
from support.labelled_alloy import EMT, alloy_crystal, labelled_alloy
from support.student import write_student

QUICK = {
    "relax": False,
    "supercell.minimum_edge_angstrom": 7.0,
    "mobile_ion": "Cu",
    "sample.settings": {"n_frames": 12, "duration_ps": 0.1, "skip_ps": 0.0, "n_distorted": 10, "volume_strains": []},
    "sample.protocol": {"time_step_fs": 4.0, "frame_interval_fs": 20.0},
    "explore.protocol": {"time_step_fs": 4.0, "frame_interval_fs": 20.0},
    "explore.limits": {"duration_ps": 0.2, "segment_ps": 0.2},
    "explore.watch": {"minimum_deviation_ev_per_angstrom": 50.0, "contact_fraction": 0.1},
    "validate.protocol": {"time_step_fs": 4.0, "frame_interval_fs": 20.0},
    "validate.settings": {"teacher_ps": 0.0, "constant_energy_ps": 0.1, "own_frames": 2, "skip_ps": 0.0},
}


def outcome_of(flow) -> PotentialDoc:
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    responses = run_locally(flow, store=store, create_folders=True, ensure_success=True, log=False)
    return responses[flow.output.uuid][1].output


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("model") / "alloy.safetensors"
    return write_student(path, elements=("Cu", "Au"), domain={"compositions": ("Cu3Au",)})


def test_their_options_are_those_of_the_commands():
    finetune, validate = describe_flow("finetune-potential"), describe_flow("validate-potential")
    assert {option.name for option in finetune.options} == {"model", "replay", "name", "device"}
    assert {option.name for option in validate.options} >= {"potential", "teacher", "temperatures", "device"}
    assert finetune.document == validate.document == "potential"
    assert finetune.usage == "superion run finetune-potential FRAMES"


def test_what_cannot_be_judged_or_trained_is_refused(tmp_path, model):
    frames = tmp_path / "frames.extxyz"
    frames.touch()
    with pytest.raises(SettingsError, match="no model to start from"):
        FinetunePotentialMaker().make(frames)
    with pytest.raises(SettingsError, match="Only MACE models"):
        FinetunePotentialMaker(model="chgnet:0.3.0").make(frames)
    with pytest.raises(SettingsError, match=r"no file of labelled frames 'nowhere\.extxyz'"):
        FinetunePotentialMaker(model=f"mace:{model}").make("nowhere.extxyz")
    with pytest.raises(SettingsError, match="no file of frames to replay"):
        FinetunePotentialMaker(model=f"mace:{model}", replay_frames="old.extxyz").make(frames)
    with pytest.raises(SettingsError, match="no potential to judge"):
        ValidatePotentialFlowMaker().make(alloy_crystal())
    with pytest.raises(SettingsError, match=r"chgnet:0\.3\.0 is no model file of superion"):
        ValidatePotentialFlowMaker(potential="chgnet:0.3.0").make(alloy_crystal())


def test_their_plans_name_what_they_make(tmp_path, model):
    frames = tmp_path / "frames.extxyz"
    frames.touch()
    described = plan(FinetunePotentialMaker(model=f"mace:{model}"), frames)
    assert (described.label, described.jobs) == ("frames-finetuned", ("label", "train", "register model file"))
    validate = ValidatePotentialFlowMaker(potential=f"mace:{model}", teacher=EMT, mobile_ion="Cu+")
    assert plan(validate, alloy_crystal()).potential == "alloy, compared with ase:ase.calculators.emt.EMT"


@pytest.mark.slow
def test_a_potential_that_knows_nothing_is_rejected_anew_and_keeps_its_weights(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    maker = ValidatePotentialFlowMaker(
        potential=f"mace:{model}",
        teacher=EMT,
        temperatures_k=(300.0,),
        device="cpu",
        checkpoint_root=str(tmp_path / "trajectories"),
    )
    document = outcome_of(apply_settings(maker, QUICK | {"mobile_ion": "Cu+"}).make(alloy_crystal()))
    before, after = read_model_header(model), read_model_header(document.file.path)
    assert (before.verdict, document.verdict, after.verdict) == ("accepted", "rejected", "rejected")
    assert before.weights_sha256 == document.weights_sha256 == after.weights_sha256
    assert any("force error on held-out frames" in reason for reason in document.reasons)
    assert document.metrics.held_out.force_rmse_mev_per_angstrom > 100.0
    assert document.domain.compositions == ("Cu3Au",)


@pytest.mark.slow
def test_a_potential_is_trained_further_and_is_unvalidated(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    frames = tmp_path / "frames.extxyz"
    write_labelled_frames(frames, labelled_alloy(20, tmp_path / "labels"))
    maker = FinetunePotentialMaker(
        model=f"mace:{model}", potential_name="better", device="cpu", checkpoint_root=str(tmp_path / "trajectories")
    )
    document = outcome_of(apply_settings(maker, {"train.settings.max_epochs": 2}).make(frames))
    assert (document.name, document.verdict, document.n_training_frames) == ("better", "unvalidated", 20)
    assert document.weights_sha256 != read_model_header(model).weights_sha256
    assert set(document.elements) == {"Au", "Cu"}
    assert Path(document.file.path).parent == tmp_path / "potentials"
