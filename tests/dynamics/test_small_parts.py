"""Streams, threads, signals, durable files and step checks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from superion.dynamics.durable import DiskFullError, remove_leftovers, reserve, write_durably
from superion.dynamics.health import HealthLimits, HealthWatch, StepStates
from superion.dynamics.random_stream import export_stream, random_stream, restore_stream
from superion.dynamics.stop_request import StopRequest
from superion.dynamics.threads import THREAD_VARIABLES, thread_environment


@given(st.integers(0, 2**63), st.integers(0, 100), st.integers(0, 20))
def test_restored_stream_goes_on_with_the_same_numbers(seed, replica, used):
    stream = random_stream(seed, replica, "thermostat")
    stream.standard_normal(used)
    stream.integers(0, 10, dtype=np.uint32)  # leaves half a 64-bit number buffered
    twin = restore_stream(export_stream(stream))
    assert np.array_equal(stream.standard_normal((3, 5)), twin.standard_normal((3, 5)))
    assert stream.standard_gamma(4.5) == twin.standard_gamma(4.5)
    assert stream.integers(0, 10, dtype=np.uint32) == twin.integers(0, 10, dtype=np.uint32)


def test_streams_differ():
    draws = {
        random_stream(seed, replica, purpose).random()
        for seed in (1, 2)
        for replica in (0, 1)
        for purpose in ("velocities", "thermostat")
    }
    assert len(draws) == 8


def test_thread_environment_sets_every_library():
    assert thread_environment(3, {"A": "b"}) == {"A": "b"} | dict.fromkeys(THREAD_VARIABLES, "3")


@pytest.mark.slow
@pytest.mark.parametrize("order", ["use(1); import torch", "import torch; use(1)"])
def test_torch_keeps_to_one_thread(order):
    code = f"from superion.dynamics.threads import use_threads as use; {order}; print(torch.get_num_threads())"
    environment = {name: value for name, value in os.environ.items() if name not in THREAD_VARIABLES}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "1"


def test_signal_and_former_handler():
    calls = []
    former = signal.signal(signal.SIGUSR1, lambda *_: calls.append(1))
    try:
        with StopRequest() as stop:
            assert stop.reason() is None
            os.kill(os.getpid(), signal.SIGUSR1)
            assert stop.reason() == "signal"
            assert stop.signal_name == "SIGUSR1"
        os.kill(os.getpid(), signal.SIGUSR1)
        assert calls == [1]
    finally:
        signal.signal(signal.SIGUSR1, former)


def test_wall_time():
    with StopRequest(max_runtime_s=3600.0) as stop:
        assert stop.reason() is None
    with StopRequest(max_runtime_s=0.02) as stop:
        time.sleep(0.03)
        assert stop.reason() == "walltime"


class TestDurable:
    def test_reserved_room_is_cut_to_the_file(self, tmp_path):
        path = tmp_path / "file"
        reserve(path, 100_000)
        assert [each.stat().st_size for each in tmp_path.iterdir()] == [100_000]
        write_durably(path, b"short")
        assert path.read_bytes() == b"short"
        assert list(tmp_path.iterdir()) == [path]

    def test_replaces_as_a_whole(self, tmp_path):
        path = tmp_path / "file"
        write_durably(path, b"long content")
        write_durably(path, b"new")
        assert path.read_bytes() == b"new"

    def test_no_room_predicted(self, tmp_path):
        with pytest.raises(DiskFullError):
            reserve(tmp_path / "file", 10**18)
        assert not list(tmp_path.iterdir())

    def test_leftovers_go(self, tmp_path):
        (tmp_path / "a.writing").write_text("")
        (tmp_path / "b").write_text("")
        remove_leftovers(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["b"]

    @pytest.mark.skipif(os.getuid() != 0, reason="mounting a small disk needs root")
    def test_a_disk_that_is_really_full(self, tmp_path):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(tmp_path)], capture_output=True, check=False
        )
        if mounted.returncode:
            pytest.skip("this system does not allow mounting")
        try:
            path = tmp_path / "file"
            write_durably(path, b"safe")
            (tmp_path / "ballast").write_bytes(b"x" * (2 << 20))
            with pytest.raises(DiskFullError):
                reserve(path, 1 << 20)
            with pytest.raises(DiskFullError):
                write_durably(path, b"y" * (2 << 20))
            assert path.read_bytes() == b"safe"
            assert not list(tmp_path.glob("*.writing"))
        finally:
            subprocess.run(["umount", str(tmp_path)], check=True)


class TestHealthWatch:
    limits = HealthLimits(reference_temperature_k=600, degrees_of_freedom=150, initial_volume_angstrom3=1000.0)
    watch = HealthWatch([limits, HealthLimits(600, 150, 0.0), limits])

    def states(self, **changes) -> StepStates:
        """A set of three healthy members, the last one changed."""
        fine = {
            "largest_force_ev_per_angstrom": 1.0,
            "potential_energy_ev": -200.0,
            "largest_move_angstrom": 0.02,
            "temperature_k": 650.0,
            "volume_angstrom3": 1010.0,
        }
        return StepStates.of(**{name: [value, value, changes.get(name, value)] for name, value in fine.items()})

    @pytest.mark.parametrize("changes", [{}, {"temperature_k": 1700.0}, {"largest_force_ev_per_angstrom": 500.0}])
    def test_a_healthy_step(self, changes):
        assert self.watch.unhealthy(self.states(**changes)) == []
        assert self.watch.verdict(2, 7, self.states(**changes)).reason is None

    @pytest.mark.parametrize(
        ("name", "value", "reason"),
        [
            *[("largest_force_ev_per_angstrom", value, "exploded") for value in (np.nan, np.inf, 501.0)],
            *[("potential_energy_ev", value, "exploded") for value in (np.nan, np.inf, -np.inf)],
            *[("largest_move_angstrom", value, "exploded") for value in (np.nan, 0.6)],
            *[("temperature_k", value, "temperature_runaway") for value in (np.nan, 1900.0)],
            *[("volume_angstrom3", value, "volume_collapse") for value in (400.0, 2100.0, np.nan)],
        ],
    )
    def test_only_the_member_that_fails_is_found(self, name, value, reason):
        states = self.states(**{name: value})
        assert self.watch.unhealthy(states) == [2]
        assert [self.watch.verdict(member, 7, states).reason for member in range(3)] == [None, None, reason]

    def test_geometry_alone(self):
        thrown = self.states(potential_energy_ev=np.nan, largest_move_angstrom=0.6)
        assert self.watch.geometry_verdict(2, 7, thrown).reason == "exploded"
        assert self.watch.geometry_verdict(2, 7, self.states(potential_energy_ev=np.nan)).reason is None

    def test_small_cells_fluctuate_more(self):
        assert HealthLimits(600, 3, 0.0).highest_temperature_k > 5000
        assert self.limits.highest_temperature_k == pytest.approx(1800)

    def test_cold_runs_may_warm_up(self):
        assert HealthLimits(10, 150, 0.0).highest_temperature_k == pytest.approx(1010)
