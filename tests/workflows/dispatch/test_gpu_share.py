"""Jobs that share an allocation with several GPUs, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from superion.workflows.dispatch.gpu_share import VISIBLE, device_of_place, take_a_gpu

JOB = (
    "import os, sys; from superion.workflows.dispatch.gpu_share import take_a_gpu; take_a_gpu(os.environ); "
    "print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); sys.stdin.read()"
)


@contextmanager
def jobs(folder, number, allocation="71", devices="4,5") -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that each take a GPU and keep it until they are ended."""
    environment = {**os.environ, "TMPDIR": str(folder), "SLURM_JOB_ID": allocation, "CUDA_VISIBLE_DEVICES": devices}
    command = [sys.executable, "-c", JOB]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    started = [subprocess.Popen(command, env=environment, **pipes) for _ in range(number)]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def device(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip()


def test_jobs_of_an_allocation_spread_over_its_gpus_and_a_killed_one_leaves_its_place(tmp_path):
    with jobs(tmp_path, 2) as both:
        first, second = (device(process) for process in both)
        assert {first, second} == {"4", "5"}
        both[0].kill()
        both[0].wait()
        with jobs(tmp_path, 1) as (third,), jobs(tmp_path, 1, allocation="72") as (elsewhere,):
            assert device(third) == first
            assert device(elsewhere) == "4"


def test_more_jobs_than_gpus_share_evenly(tmp_path):
    with jobs(tmp_path, 4) as four:
        assert sorted(device(process) for process in four) == ["4", "4", "5", "5"]


@pytest.mark.parametrize(
    ("visible", "given"),
    [
        ("0,1,2", ["0", "1", "2", "0"]),
        ("GPU-a, GPU-b", ["GPU-a", "GPU-b", "GPU-a", "GPU-b"]),
        ("", [None] * 4),
        ("0", [None] * 4),
        ("GPU-a,", [None] * 4),
    ],
)
def test_places_share_what_there_is_in_turn(visible, given):
    assert [device_of_place({VISIBLE: visible}, place) for place in range(4)] == given


@pytest.mark.parametrize(
    "given",
    [{"SLURM_JOB_ID": "1", "CUDA_VISIBLE_DEVICES": "3"}, {"SLURM_JOB_ID": "1"}, {"CUDA_VISIBLE_DEVICES": "0,1"}],
)
def test_one_gpu_or_none_or_no_queue_is_left_as_it_is(given):
    environment = dict(given)
    take_a_gpu(environment)
    assert environment == given
