"""Core-seconds of a campaign's jobs, whoever computed them and whether or not somebody looked on."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from superion.workflows.campaign.heartbeat import StageTiming
from superion.workflows.campaign.used_times import UsedTimes


def job(uuid, index=1, *, wall=10.0, cpu=0.0, stage="probe", **output):
    usage = {"wall_time_s": wall, "cpu_time_s": cpu}
    return {"uuid": uuid, "index": index, "metadata": {"stage": stage, "usage": usage}, "output": output}


def test_parts_of_a_job_count_each_and_a_unit_with_its_document():
    used = UsedTimes()
    used.add([job("a", 1), job("a", 2, wall=5.0), job("b", wall=1.0, cpu=4.0, stage_key="k", state="completed")])
    assert used.core_seconds == 19.0
    assert used.timings == {"probe": StageTiming(n_units=1, core_seconds=19.0)}


def test_what_failed_took_time_and_is_no_unit():
    used = UsedTimes()
    used.add([job("b", stage_key="k", state="failed"), {"uuid": "c", "index": 1}])
    assert used.timings == {"probe": StageTiming(n_units=0, core_seconds=10.0)}


JOBS = [job(name, index, wall=float(index), stage_key=name, state="completed") for name in "abc" for index in (1, 2)]


@given(st.lists(st.lists(st.sampled_from(JOBS))))
def test_nothing_counts_twice_however_it_is_read(portions):
    used = UsedTimes()
    for portion in portions:
        used.add(portion)
    seen = {(one["uuid"], one["index"]) for portion in portions for one in portion}
    assert used.core_seconds == sum(index for _, index in seen)
    assert sum(timing.n_units for timing in used.timings.values()) == len({name for name, _ in seen})
