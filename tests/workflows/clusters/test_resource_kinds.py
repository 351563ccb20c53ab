"""A kind of jobs that another package registers, from the profile to the queues of both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jobflow import Flow, JobStore, Maker, job
from maggma.stores import MemoryStore
from superion.makers.resource_kind import load_resource_kind, resource_kinds
from superion.workflows.campaign.file.json_schema import campaign_json_schema
from superion.workflows.clusters.profile import ClusterProfile
from superion.workflows.dispatch.fireworks_engine.config_files import fireworks_files
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch
from superion.workflows.dispatch.fireworks_engine.submit import unit_workflow
from superion.workflows.dispatch.jobflow_remote_engine.project_file import describe_worker
from superion.workflows.dispatch.queue_engine import UnitTicket
from support.plugin_package import plugin_package

KIND = """
from superion.makers.resource_kind import ResourceKind


class TrainingKind(ResourceKind):
    description = "training of potentials"
    priority = -1
    shares_allocations = False
    uses_potential = False
"""
SLURM = {"scheduler": "slurm", "work_folder": "/scratch/me"}


class TrainingMaker(Maker):
    name = "train"
    resource_kind = "train"

    @job
    def make(self):
        return 1


@pytest.fixture
def _training(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "training_plugin.py").write_text(KIND)
    points = {"superion.resource_kinds": {"train": "training_plugin:TrainingKind"}}
    with plugin_package(tmp_path, points, resource_kinds, load_resource_kind):
        yield


@pytest.mark.usefixtures("_training")
def test_profiles_files_and_engines_know_a_kind_of_another_package(tmp_path):
    resources = {"train": {"gpus": 4, "partition": "big"}}
    profile = ClusterProfile(**SLURM, resources=resources, packing={"train": {"allocations": 2}})
    assert (profile.resources_of("train").gpus, profile.packing_of("train").allocations) == (4, 2)
    dispatch = FireworksDispatch(engine="fireworks", cluster="slurm_gpu", resources={"train": {"gpus": 2}})
    assert dispatch.profile().resources_of("train").gpus == 2
    assert dispatch.profile().resources_of("md").gpus == 1
    settings = campaign_json_schema()["$defs"]["FireworksDispatch"]["properties"]["resources"]
    assert "train" in settings["propertyNames"]["enum"]

    made = TrainingMaker().make()
    ticket = UnitTicket("one", "key", "train", "candidate", "label")
    store = JobStore(MemoryStore())
    (firework,) = unit_workflow(ticket, Flow([made], made.output), store, "ours").fws
    assert firework.spec["_category"].endswith(".ours.train")
    assert firework.spec["_priority"] == -1
    assert "my_fworker_train.yaml" in fireworks_files("ours", profile, "mongodb://host/superion", tmp_path)

    pytest.importorskip("jobflow_remote")
    worker = describe_worker("ours", profile, "train")
    assert (worker["max_jobs"], "batch" in worker) == (2, False)
    assert worker["resources"]["partition"] == "big"


def test_a_kind_that_nobody_registered_is_one_sentence():
    with pytest.raises(ValueError, match="There is no resource kind 'train': known names are analysis, md, relax"):
        ClusterProfile(**SLURM, resources={"train": {"gpus": 4}})
