"""A kind of jobs that another package registers, from the profile to the queues of both engines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jobflow import Flow, JobStore, Maker, job
from maggma.stores import MemoryStore
from superion.runtime.resource_kind import load_resource_kind, resource_kinds
from superion.workflows.campaign.file.json_schema import campaign_json_schema
from superion.workflows.clusters.profile import ClusterProfile
from superion.workflows.dispatch.fireworks_engine.config_files import fireworks_files
from superion.workflows.dispatch.fireworks_engine.settings import FireworksDispatch
from superion.workflows.dispatch.fireworks_engine.submit import unit_workflow
from superion.workflows.dispatch.jobflow_remote_engine.project_file import describe_worker
from superion.workflows.dispatch.queue_engine import UnitTicket
from support.plugin_package import plugin_package

KIND = """
from superion.runtime.resource_kind import ResourceKind


class DensityFunctionalKind(ResourceKind):
    description = "density-functional calculations"
    priority = -1
    shares_allocations = False
    uses_potential = False
"""
SLURM = {"scheduler": "slurm", "work_folder": "/scratch/me"}


class DensityFunctionalMaker(Maker):
    name = "dft"
    resource_kind = "dft"

    @job
    def make(self):
        return 1


@pytest.fixture
def _dft(tmp_path: Path) -> Iterator[None]:
    (tmp_path / "dft_plugin.py").write_text(KIND)
    points = {"superion.resource_kinds": {"dft": "dft_plugin:DensityFunctionalKind"}}
    with plugin_package(tmp_path, points, resource_kinds, load_resource_kind):
        yield


@pytest.mark.usefixtures("_dft")
def test_profiles_files_and_engines_know_a_kind_of_another_package(tmp_path):
    resources = {"dft": {"gpus": 4, "partition": "big"}}
    profile = ClusterProfile(**SLURM, resources=resources, packing={"dft": {"allocations": 2}})
    assert (profile.resources_of("dft").gpus, profile.packing_of("dft").allocations) == (4, 2)
    dispatch = FireworksDispatch(engine="fireworks", cluster="slurm_gpu", resources={"dft": {"gpus": 2}})
    assert dispatch.profile().resources_of("dft").gpus == 2
    assert dispatch.profile().resources_of("md").gpus == 1
    settings = campaign_json_schema()["$defs"]["FireworksDispatch"]["properties"]["resources"]
    assert "dft" in settings["propertyNames"]["enum"]

    made = DensityFunctionalMaker().make()
    ticket = UnitTicket("one", "key", "dft", "candidate", "label")
    store = JobStore(MemoryStore())
    (firework,) = unit_workflow(ticket, Flow([made], made.output), store, "ours").fws
    assert firework.spec["_category"].endswith(".ours.dft")
    assert firework.spec["_priority"] == -1
    assert "my_fworker_dft.yaml" in fireworks_files("ours", profile, "mongodb://host/superion", tmp_path)

    pytest.importorskip("jobflow_remote")
    worker = describe_worker("ours", profile, "dft")
    assert (worker["max_jobs"], "batch" in worker) == (2, False)
    assert worker["resources"]["partition"] == "big"


def test_a_kind_that_nobody_registered_is_one_sentence():
    with pytest.raises(ValueError, match="There is no resource kind 'dft': known names are analysis, md, relax"):
        ClusterProfile(**SLURM, resources={"dft": {"gpus": 4}})
