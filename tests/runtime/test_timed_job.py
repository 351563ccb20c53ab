"""Jobs of superion's Makers that jobflow alone would not run as written."""

from __future__ import annotations

from jobflow import Flow, JobStore, Response, run_locally
from maggma.stores import MemoryStore
from pydantic import BaseModel
from superion.runtime.timed_job import job


class Total(BaseModel):
    """A number."""

    value: int


@job(output_schema=Total)
def count(number):
    """Count a number."""
    return Total(value=number)


@job(output_schema=Total)
def fan(numbers):
    """Leave the counting to others."""
    counts = [count(number) for number in numbers]
    return Response(replace=Flow(counts, output=counts[-1].output))


@job
def double(total):
    """Double a total."""
    return 2 * total.value


def test_a_job_with_a_schema_may_be_replaced_by_a_flow(tmp_path):
    store = JobStore(MemoryStore())
    whole = fan([1, 2, 3])
    last = double(whole.output)
    run_locally(Flow([whole, last], output=last.output), store=store, log=False, root_dir=tmp_path, ensure_success=True)
    assert store.get_output(last.uuid) == 6
