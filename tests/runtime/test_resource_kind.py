"""Every job of our flows asks for the right kind of resources."""

import jobflow
import pytest
from jobflow import Maker
from superion.errors import SettingsError
from superion.flows.conductivity import ConductivityMaker
from superion.makers.volume import VolumeMaker
from superion.runtime.resource_kind import resource_kind_of, resource_kinds


@jobflow.job
def _plain():
    return 1


class _Greedy(Maker):
    name = "greedy"
    resource_kind = "everything"

    @jobflow.job
    def make(self):
        return 1


def test_jobs_that_use_a_potential_do_not_ask_for_one_core_of_analysis():
    flow = ConductivityMaker(temperatures_k=(1000.0,), volume=VolumeMaker()).make("Li6PS5Cl")
    kinds = {job.name: resource_kind_of(job) for job, _ in flow.iterflow()}
    assert kinds.pop("relax") == "relax"
    assert {name for name, kind in kinds.items() if kind == "md"} == {"MD 1000 K", "volume 1000 K"}
    assert set(kinds.values()) <= set(resource_kinds())


def test_a_job_without_a_kind_is_an_analysis_and_one_of_an_unknown_kind_is_refused():
    assert resource_kind_of(_plain()) == "analysis"
    with pytest.raises(SettingsError, match="no resource kind 'everything': known names are analysis, md, relax"):
        resource_kind_of(_Greedy().make())
