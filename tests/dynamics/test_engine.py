from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.constraints import FixAtoms
from superion.dynamics.durable import DiskFullError
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.results import MdProgress, StopVerdict
from superion.dynamics.segment_file import read_checkpoint
from superion.dynamics.trajectory import Trajectory
from superion.errors import (
    CheckpointError,
    LockedTrajectoryError,
    PotentialError,
    ProtocolError,
    SuperionError,
    TrajectoryError,
)
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from support.step_clock import let_steps_take

BEGUN_BEFORE_ENGINES = Path(__file__).parent / "data" / "begun_before_engines"
HOT = MdProtocol(temperature_k=800, time_step_fs=2.0)
SHORT = RunLimits(duration_ps=0.2, segment_ps=0.04)


@pytest.fixture
def cosine(cosine_system):
    return cosine_system.atoms, load_potential(cosine_system.specification)


@pytest.fixture
def emt():
    return load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))


def must_not_compute(potential):
    """The same potential, but asking it for a calculator is an error."""

    def refuse():
        raise AssertionError("the potential was loaded")

    potential.calculator = refuse
    return potential


def same_frames(one: Path, other: Path) -> bool:
    first, second = Trajectory(one), Trajectory(other)
    return all(
        np.array_equal(getattr(first, name)(), getattr(second, name)())
        for name in ("positions", "temperatures", "energies", "steps")
    )


def test_run_ends_at_its_length(cosine, tmp_path):
    atoms, potential = cosine
    before = atoms.copy()
    result = run_md(atoms, potential, HOT, SHORT, tmp_path)
    assert (result.state, result.stop_reason) == ("completed", "max_length")
    assert result.completed_ps == pytest.approx(0.2)
    assert result.n_frames == 11
    assert [segment.first_step for segment in result.segments] == [0, 30, 50, 70, 90]
    assert [segment.last_step for segment in result.segments] == [20, 40, 60, 80, 100]
    assert Path(result.folder) == tmp_path / result.key
    assert atoms == before
    assert not atoms.has("momenta")


def test_satisfied_request_returns_at_once(cosine, tmp_path):
    atoms, potential = cosine
    first = run_md(atoms, potential, HOT, SHORT, tmp_path)
    again = run_md(atoms, must_not_compute(potential), HOT, SHORT, tmp_path)
    assert again.segments == first.segments
    assert (again.state, again.stop_reason) == ("completed", "max_length")
    shorter = run_md(atoms, potential, HOT, SHORT.model_copy(update={"duration_ps": 0.1}), tmp_path)
    assert (shorter.state, shorter.stop_reason) == ("completed", "max_length")
    assert shorter.n_frames == 11


def test_longer_request_continues(cosine, tmp_path):
    atoms, potential = cosine
    run_md(atoms, potential, HOT, RunLimits(duration_ps=0.08, segment_ps=0.04), tmp_path / "a")
    longer = run_md(atoms, potential, HOT, SHORT, tmp_path / "a")
    whole = run_md(atoms, potential, HOT, SHORT, tmp_path / "b")
    assert longer.resumed_from_step == 40
    assert longer.segments == whole.segments


def test_trajectory_begun_before_there_were_engines_continues(cosine, tmp_path):
    """Made at commit 3afd6bd, by the loop that knew ASE only."""
    atoms, potential = cosine
    shutil.copytree(BEGUN_BEFORE_ENGINES, tmp_path, dirs_exist_ok=True)
    (folder,) = tmp_path.iterdir()
    begun = Trajectory(folder)
    result = run_md(atoms, potential, HOT, SHORT, tmp_path)
    assert (result.key, result.resumed_from_step, result.stop_reason) == (folder.name, 20, "max_length")
    assert result.segments[:1] == begun.segments
    assert result.engine is None
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_writing_options_do_not_change_the_trajectory(cosine, tmp_path):
    atoms, potential = cosine
    one = run_md(atoms, potential, HOT, SHORT, tmp_path / "a")
    limits = RunLimits(duration_ps=0.2, segment_ps=0.1, compression="none", store_velocities=True)
    other = run_md(atoms, potential, HOT, limits, tmp_path / "b")
    assert one.key == other.key
    assert same_frames(one.folder, other.folder)


def test_seeds_and_replicas_are_independent(cosine, tmp_path):
    atoms, potential = cosine
    finals = []
    for change in ({}, {"seed": 7}, {"replica": 1}):
        result = run_md(atoms, potential, HOT.model_copy(update=change), SHORT, tmp_path)
        finals.append(Trajectory(result.folder).positions()[-1])
    assert np.abs(finals[0] - finals[1]).max() > 0.01
    assert np.abs(finals[0] - finals[2]).max() > 0.01
    assert np.abs(finals[1] - finals[2]).max() > 0.01


def test_given_momenta_start_the_run(cosine, tmp_path):
    atoms, potential = cosine
    momenta = np.random.default_rng(0).normal(size=(len(atoms), 3))
    atoms.set_momenta(momenta)
    limits = SHORT.model_copy(update={"store_velocities": True})
    result = run_md(atoms, potential, HOT, limits, tmp_path)
    trajectory = Trajectory(result.folder)
    first = trajectory.velocities()[0] * trajectory.masses_amu[:, None]
    scale = first[0, 0] / momenta[0, 0]
    assert first == pytest.approx(momenta * scale, rel=1e-5, abs=1e-6)


def test_motion_of_the_whole_is_taken_off_given_momenta(emt, tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.set_momenta(np.random.default_rng(0).normal(size=(4, 3)) + 3.0)
    result = run_md(atoms, emt, MdProtocol(temperature_k=300, ensemble="nve"), RunLimits(duration_ps=0.02), tmp_path)
    checkpoint = read_checkpoint(Path(result.folder) / result.segments[0].file)
    assert np.abs(checkpoint.momenta.sum(axis=0)).max() < 1e-10


class TestStopRules:
    def test_rule_ends_the_run_as_completed(self, cosine, tmp_path):
        def converged_late(trajectory: Trajectory) -> StopVerdict:
            done = trajectory.n_frames >= 5
            return StopVerdict(
                reason="converged" if done else None, message="seen", estimate={"n": trajectory.n_frames}
            )

        atoms, potential = cosine
        result = run_md(atoms, potential, HOT, SHORT, tmp_path, stop_rules=[converged_late])
        assert (result.state, result.stop_reason, result.message) == ("completed", "converged", "seen")
        assert result.completed_ps == pytest.approx(0.08)
        assert [entry["estimate"]["n"] for entry in result.history] == [3, 5]
        assert [entry["step"] for entry in result.history] == [20, 40]
        again = run_md(atoms, must_not_compute(potential), HOT, SHORT, tmp_path, stop_rules=[converged_late])
        assert again.model_dump(exclude={"wall_time_s", "resumed_from_step"}) == result.model_dump(
            exclude={"wall_time_s", "resumed_from_step"}
        )

    def test_tighter_rule_continues_a_converged_trajectory(self, cosine, tmp_path):
        atoms, potential = cosine
        loose = run_md(atoms, potential, HOT, SHORT, tmp_path, stop_rules=[lambda t: StopVerdict(reason="converged")])
        assert loose.completed_ps == pytest.approx(0.04)
        tight = run_md(atoms, potential, HOT, SHORT, tmp_path, stop_rules=[lambda t: StopVerdict()])
        assert tight.stop_reason == "max_length"
        assert tight.segments[0] == loose.segments[0]
        assert tight.resumed_from_step == 20

    def test_no_rule_stops_before_the_minimum(self, cosine, tmp_path):
        atoms, potential = cosine
        limits = SHORT.model_copy(update={"minimum_ps": 0.1})
        rule = [lambda t: StopVerdict(reason="ruled_out")]
        result = run_md(atoms, potential, HOT, limits, tmp_path, stop_rules=rule)
        assert (result.state, result.stop_reason) == ("completed", "ruled_out")
        assert result.completed_ps == pytest.approx(0.12)
        assert len(result.history) == 3

    def test_health_check_fails_the_run_and_keeps_it(self, cosine, tmp_path):
        atoms, potential = cosine
        check = [lambda t: StopVerdict(reason="melted" if t.duration_ps > 0.1 else None, message="It melted.")]
        result = run_md(atoms, potential, HOT, SHORT, tmp_path, health_checks=check)
        assert (result.state, result.stop_reason, result.message) == ("failed", "melted", "It melted.")
        assert result.n_frames == 7
        again = run_md(atoms, must_not_compute(potential), HOT, SHORT, tmp_path, health_checks=check)
        assert again.stop_reason == "melted"

    def test_health_check_holds_before_the_minimum(self, cosine, tmp_path):
        atoms, potential = cosine
        limits = SHORT.model_copy(update={"minimum_ps": 0.2})
        check = [lambda t: StopVerdict(reason="melted")]
        assert run_md(atoms, potential, HOT, limits, tmp_path, health_checks=check).stop_reason == "melted"

    def test_numpy_estimates_are_stored_as_plain_numbers(self, cosine, tmp_path):
        atoms, potential = cosine
        estimate = {"a": np.float64(1.5), "b": np.arange(3), "c": (1, 2)}
        rule = [lambda t: StopVerdict(estimate=estimate)]
        result = run_md(atoms, potential, HOT, SHORT, tmp_path, stop_rules=rule)
        assert result.history[0]["estimate"] == {"a": 1.5, "b": [0, 1, 2], "c": [1, 2]}
        assert Trajectory(result.folder).history == result.history


class TestCleanStop:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
    @pytest.mark.parametrize("thermostat", ["bussi", "nose_hoover_chain", "langevin"])
    def test_signal_stops_at_the_next_step_and_continues_exactly(self, cosine, tmp_path, number, thermostat):
        atoms, potential = cosine
        protocol = HOT.model_copy(update={"thermostat": thermostat})
        handlers = [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGUSR1)]
        stopped = run_md(atoms, SignalAtStep(potential, 57, number), protocol, SHORT, tmp_path / "a")
        assert [signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGUSR1)] == handlers
        assert (stopped.state, stopped.stop_reason) == ("partial", "signal")
        assert signal.Signals(number).name in stopped.message
        assert 40 < stopped.segments[-1].last_step < 60
        assert stopped.segments[-1].last_step % 10 != 0
        finished = run_md(atoms, potential, protocol, SHORT, tmp_path / "a")
        whole = run_md(atoms, potential, protocol, SHORT, tmp_path / "b")
        assert finished.state == "completed"
        assert not [flag for flag in finished.flags if "last bits" in flag]
        assert same_frames(finished.folder, whole.folder)
        assert [entry["step"] for entry in finished.history] == [entry["step"] for entry in whole.history]

    def test_stop_between_two_frames_keeps_the_state(self, cosine, tmp_path):
        """Stopped again and again within one frame interval, the run still gets to its end."""
        atoms, potential = cosine
        for _ in range(5):
            stopped = run_md(atoms, SignalAtStep(potential, 4, signal.SIGTERM), HOT, SHORT, tmp_path / "a")
            assert stopped.state == "partial"
        assert sum(segment.n_frames == 0 for segment in stopped.segments) >= 2
        finished = run_md(atoms, potential, HOT, SHORT, tmp_path / "a")
        whole = run_md(atoms, potential, HOT, SHORT, tmp_path / "b")
        assert same_frames(finished.folder, whole.folder)

    @pytest.mark.parametrize("evaluation", [1, 3, 4, 5])
    def test_stop_at_the_very_start(self, cosine, tmp_path, evaluation):
        atoms, potential = cosine
        for _ in range(2):
            stopped = run_md(atoms, SignalAtStep(potential, evaluation, signal.SIGTERM), HOT, SHORT, tmp_path / "a")
            assert (stopped.state, stopped.stop_reason) == ("partial", "signal")
        finished = run_md(atoms, potential, HOT, SHORT, tmp_path / "a")
        whole = run_md(atoms, potential, HOT, SHORT, tmp_path / "b")
        assert same_frames(finished.folder, whole.folder)

    def test_wall_time_stops_the_run(self, cosine, tmp_path, monkeypatch):
        atoms, potential = cosine
        let_steps_take(monkeypatch, 0.01)
        limits = RunLimits(duration_ps=1000.0, max_runtime_s=0.3)
        result = run_md(atoms, potential, HOT, limits, tmp_path)
        assert (result.state, result.stop_reason) == ("partial", "walltime")
        assert 0 < result.completed_ps < 1000

    def test_skinned_neighbour_list_is_flagged(self, emt, tmp_path):
        atoms = bulk("Cu", cubic=True) * (2, 2, 2)
        protocol = MdProtocol(temperature_k=900)
        limits = RunLimits(duration_ps=1.0, segment_ps=1.0)
        stopped = run_md(atoms, SignalAtStep(emt, 450, signal.SIGTERM), protocol, limits, tmp_path)
        assert stopped.state == "partial"
        flagged = [flag for flag in stopped.flags if "last bits" in flag]
        finished = run_md(atoms, emt, protocol, limits, tmp_path)
        assert [flag for flag in finished.flags if "last bits" in flag] == flagged
        whole = run_md(atoms, emt, protocol, limits, tmp_path / "whole")
        # either the stop said so, or the trajectory is the same to the last bit
        assert flagged or same_frames(finished.folder, whole.folder)

    def test_outside_the_main_thread_only_the_wall_time_counts(self, cosine, tmp_path):
        atoms, potential = cosine
        results = []
        limits = SHORT.model_copy(update={"max_runtime_s": 60.0})
        thread = threading.Thread(target=lambda: results.append(run_md(atoms, potential, HOT, limits, tmp_path)))
        thread.start()
        thread.join()
        assert results[0].state == "completed"


class SignalAtStep:
    """A potential that sends a signal to its own process at a given force evaluation."""

    def __init__(self, potential, evaluation: int, number: signal.Signals) -> None:
        self._potential = potential
        self._evaluation = evaluation
        self._number = number

    def __getattr__(self, name: str):
        return getattr(self._potential, name)

    def calculator(self):
        calculator = self._potential.calculator()
        compute, counter = calculator.calculate, iter(range(1, 10**9))

        def counting(*arguments, **options):
            compute(*arguments, **options)
            if next(counter) == self._evaluation:
                os.kill(os.getpid(), self._number)

        calculator.calculate = counting
        return calculator


class Spoiled:
    """A potential that goes wrong at a given force evaluation."""

    def __init__(self, potential, evaluation: int, spoil) -> None:
        self._potential = potential
        self._evaluation = evaluation
        self._spoil = spoil

    def __getattr__(self, name: str):
        return getattr(self._potential, name)

    def calculator(self):
        calculator = self._potential.calculator()
        compute, counter = calculator.calculate, iter(range(1, 10**9))

        def spoiled(*arguments, **options):
            compute(*arguments, **options)
            if next(counter) >= self._evaluation:
                self._spoil(calculator.results)

        calculator.calculate = spoiled
        return calculator


class TestHealth:
    def test_exploding_forces_stop_the_run_and_keep_its_frames(self, cosine, tmp_path):
        atoms, potential = cosine

        def explode(results):
            results["forces"] = np.full_like(results["forces"], 1e5)

        result = run_md(atoms, Spoiled(potential, 57, explode), HOT, SHORT, tmp_path)
        assert (result.state, result.stop_reason) == ("failed", "exploded")
        assert result.n_frames == 6  # all up to step 50
        trajectory = Trajectory(result.folder)
        assert np.isfinite(trajectory.positions()).all()
        whole = run_md(atoms, potential, HOT, SHORT, tmp_path / "whole")
        assert np.array_equal(trajectory.positions(), Trajectory(whole.folder).positions()[:6])
        again = run_md(atoms, must_not_compute(potential), HOT, SHORT, tmp_path)
        assert again.stop_reason == "exploded"
        assert again.message == result.message

    def test_explosion_at_the_start_leaves_no_frame(self, cosine, tmp_path):
        atoms, potential = cosine

        def explode(results):
            results["forces"] = np.full_like(results["forces"], 1e5)

        result = run_md(atoms, Spoiled(potential, 1, explode), HOT, SHORT, tmp_path)
        assert (result.state, result.stop_reason, result.n_frames) == ("failed", "exploded", 0)
        assert result.mean_temperature_k is None
        assert result.mean_volume_angstrom3 == pytest.approx(atoms.get_volume())

    def test_too_long_a_time_step_is_found(self, emt, tmp_path):
        atoms = bulk("Cu", cubic=True) * (2, 2, 2)
        protocol = MdProtocol(temperature_k=600, ensemble="nve", time_step_fs=40.0, frame_interval_fs=40.0)
        result = run_md(atoms, emt, protocol, RunLimits(duration_ps=10.0), tmp_path)
        assert result.state == "failed"
        assert result.stop_reason in {"exploded", "temperature_runaway"}
        assert "time step" in result.message

    def test_collapse_under_pressure_is_found(self, cosine_system, tmp_path):
        atoms = cosine_system.atoms
        options = dict(cosine_system.specification.options)
        options |= {"bulk_modulus_gpa": 5.0, "volume_angstrom3_per_atom": atoms.get_volume() / len(atoms)}
        potential = load_potential(cosine_system.specification.model_copy(update={"options": options}))
        protocol = HOT.model_copy(update={"ensemble": "npt", "pressure_gpa": 50.0, "barostat_time_fs": 100.0})
        result = run_md(atoms, potential, protocol, RunLimits(duration_ps=5.0), tmp_path)
        assert (result.state, result.stop_reason) == ("failed", "volume_collapse")

    @pytest.mark.parametrize(("evaluation", "n_frames"), [(5, 1), (57, 6)])
    def test_failing_calculator_is_reported_and_tried_again(self, cosine, tmp_path, evaluation, n_frames):
        atoms, potential = cosine

        def fail(results):
            raise RuntimeError("out of\nmemory")

        result = run_md(atoms, Spoiled(potential, evaluation, fail), HOT, SHORT, tmp_path)
        assert (result.state, result.stop_reason) == ("failed", "error")
        assert "RuntimeError: out of memory" in result.message
        assert result.n_frames == n_frames
        finished = run_md(atoms, potential, HOT, SHORT, tmp_path)
        whole = run_md(atoms, potential, HOT, SHORT, tmp_path / "whole")
        assert finished.state == "completed"
        assert same_frames(finished.folder, whole.folder)


class TestBadInput:
    def test_less_than_one_step(self, cosine, tmp_path):
        with pytest.raises(ProtocolError, match="zero steps"):
            run_md(*cosine, HOT, RunLimits(duration_ps=1e-5), tmp_path)

    def test_constraints(self, cosine, tmp_path):
        atoms, potential = cosine
        atoms.set_constraint(FixAtoms([0]))
        with pytest.raises(ProtocolError, match="constraints"):
            run_md(atoms, potential, HOT, SHORT, tmp_path)

    def test_single_atom(self, emt, tmp_path):
        with pytest.raises(ProtocolError, match="one atom"):
            run_md(bulk("Cu"), emt, MdProtocol(temperature_k=300), SHORT, tmp_path)

    def test_unknown_element(self, cosine, tmp_path):
        atoms, potential = cosine
        atoms.symbols[0] = "Na"
        with pytest.raises(PotentialError, match="Na"):
            run_md(atoms, potential, HOT, SHORT, tmp_path)

    def test_potential_that_fails_at_the_start(self, cosine, tmp_path):
        atoms, potential = cosine

        def fail(results):
            raise RuntimeError("out of\nmemory")

        with pytest.raises(PotentialError, match="RuntimeError: out of memory"):
            run_md(atoms, Spoiled(potential, 1, fail), HOT, SHORT, tmp_path)
        assert run_md(atoms, potential, HOT, SHORT, tmp_path).state == "completed"

    def test_barostat_without_stress(self, tmp_path):
        potential = load_potential(
            PotentialSpecification(
                name="ase",
                model="ase.calculators.harmonic.SpringCalculator",
                options={
                    "ideal_positions": bulk("Cu", cubic=True).positions.tolist(),
                    "k": 5.0,
                },
            )
        )
        protocol = MdProtocol(temperature_k=300, ensemble="npt")
        with pytest.raises(ProtocolError, match="stress"):
            run_md(bulk("Cu", cubic=True), potential, protocol, SHORT, tmp_path)

    @pytest.mark.parametrize("change", ["structure", "potential", "protocol"])
    def test_checkpoint_of_something_else(self, cosine_system, tmp_path, change):
        """The folder of one trajectory under the key of another, as after a wrong copy."""
        atoms = cosine_system.atoms
        specification, protocol = cosine_system.specification, HOT
        first = run_md(atoms, load_potential(specification), protocol, SHORT, tmp_path / "a")
        if change == "structure":
            atoms = atoms.copy()
            atoms.positions[0, 0] += 0.01
        elif change == "potential":
            options = specification.options | {"repulsion_ev": 0.9}
            specification = specification.model_copy(update={"options": options})
        else:
            protocol = protocol.model_copy(update={"temperature_k": 801.0})
        second = run_md(atoms, load_potential(specification), protocol, SHORT, tmp_path / "b")
        Path(second.folder).rename(tmp_path / "aside")
        Path(first.folder).rename(second.folder)
        before = {path: path.read_bytes() for path in Path(second.folder).iterdir()}
        with pytest.raises(CheckpointError, match=change if change != "protocol" else "settings") as caught:
            run_md(atoms, load_potential(specification), protocol, SHORT, tmp_path / "b")
        assert "\n" not in str(caught.value)
        assert {path: path.read_bytes() for path in Path(second.folder).iterdir()} == before

    def test_locked_folder(self, cosine, tmp_path):
        from superion.dynamics.lock import TrajectoryLock

        atoms, potential = cosine
        result = run_md(atoms, potential, HOT, SHORT, tmp_path)
        with TrajectoryLock(Path(result.folder)), pytest.raises(LockedTrajectoryError, match=str(os.getpid())):
            run_md(atoms, potential, HOT, SHORT, tmp_path)

    def test_folder_that_cannot_be_made(self, cosine, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(TrajectoryError, match="cannot be written"):
            run_md(*cosine, HOT, SHORT, tmp_path / "file")


class TestDisk:
    def test_too_little_room_stops_before_the_segment(self, cosine, tmp_path, monkeypatch):
        from superion.dynamics import durable

        atoms, potential = cosine
        first = run_md(atoms, potential, HOT, RunLimits(duration_ps=0.08, segment_ps=0.04), tmp_path)
        usage = durable.shutil.disk_usage(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(durable.shutil, "disk_usage", lambda path: usage._replace(free=1000))
            full = run_md(atoms, potential, HOT, SHORT, tmp_path)
        assert (full.state, full.stop_reason) == ("partial", "disk_full")
        assert "free some space" in full.message
        assert full.segments == first.segments
        finished = run_md(atoms, potential, HOT, SHORT, tmp_path)
        assert finished.state == "completed"
        assert finished.segments == run_md(atoms, potential, HOT, SHORT, tmp_path / "whole").segments

    def test_disk_that_fills_up_while_writing(self, cosine, tmp_path, monkeypatch):
        from superion.dynamics import open_segment

        atoms, potential = cosine
        write, counter = open_segment.write_durably, iter(range(100))

        def filling(path, data):
            if next(counter) == 2:
                raise DiskFullError(28, "No space left on device", str(path))
            write(path, data)

        with monkeypatch.context() as patched:
            patched.setattr(open_segment, "write_durably", filling)
            full = run_md(atoms, potential, HOT, SHORT, tmp_path)
        assert (full.state, full.stop_reason) == ("partial", "disk_full")
        assert len(full.segments) == 2
        assert not list(Path(full.folder).glob("*.writing"))
        finished = run_md(atoms, potential, HOT, SHORT, tmp_path)
        assert finished.segments == run_md(atoms, potential, HOT, SHORT, tmp_path / "whole").segments


class TestDamage:
    @pytest.fixture
    def done(self, cosine, tmp_path):
        atoms, potential = cosine
        result = run_md(atoms, potential, HOT, SHORT, tmp_path)
        return atoms, potential, result

    @pytest.mark.parametrize("index", [1, 4])
    def test_truncated_segment_is_named_and_left_alone(self, done, tmp_path, index):
        atoms, potential, result = done
        path = Path(result.folder) / result.segments[index].file
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        longer = SHORT.model_copy(update={"duration_ps": 0.4})
        with pytest.raises(SuperionError, match=path.name) as caught:
            run_md(atoms, potential, HOT, longer, tmp_path)
        assert "\n" not in str(caught.value)
        assert "move it" in str(caught.value)
        assert path.read_bytes() == whole[: len(whole) // 2]
        with pytest.raises(TrajectoryError, match=path.name):
            Trajectory(result.folder).positions()
        path.write_bytes(whole)
        assert run_md(atoms, potential, HOT, longer, tmp_path).segments[:5] == result.segments

    def test_last_segments_moved_away_are_computed_again(self, done, tmp_path):
        atoms, potential, result = done
        for segment in result.segments[3:]:
            (Path(result.folder) / segment.file).rename(tmp_path / segment.file)
        again = run_md(atoms, potential, HOT, SHORT, tmp_path)
        assert again.resumed_from_step == 60
        assert again.segments == result.segments

    def test_missing_segment_in_the_middle_is_refused(self, done, tmp_path):
        atoms, potential, result = done
        (Path(result.folder) / result.segments[2].file).rename(tmp_path / "away")
        with pytest.raises(TrajectoryError, match=result.segments[2].file):
            run_md(atoms, potential, HOT, SHORT, tmp_path)

    def test_flipped_bit_in_the_last_segment_is_found(self, done, tmp_path):
        atoms, potential, result = done
        path = Path(result.folder) / result.segments[-1].file
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        with pytest.raises(TrajectoryError, match="sha256"):
            run_md(atoms, potential, HOT, SHORT, tmp_path)
        with pytest.raises(TrajectoryError, match=path.name):
            Trajectory(result.folder).verify()

    def test_manifest_is_rebuilt_from_the_segments(self, done, tmp_path):
        atoms, potential, result = done
        (Path(result.folder) / "manifest.json").unlink()
        assert run_md(atoms, must_not_compute(potential), HOT, SHORT, tmp_path).segments == result.segments

    @pytest.mark.parametrize("name", ["manifest.json", "trajectory.json"])
    def test_unreadable_description_is_one_sentence(self, done, tmp_path, name):
        atoms, potential, result = done
        (Path(result.folder) / name).write_text("{")
        with pytest.raises(TrajectoryError, match=name):
            run_md(atoms, potential, HOT, SHORT, tmp_path)


def test_progress_is_reported(cosine, tmp_path):
    atoms, potential = cosine
    beats: list[MdProgress] = []
    result = run_md(atoms, potential, HOT, SHORT, tmp_path, on_progress=beats.append)
    assert beats[0].completed_ps == pytest.approx(0.002)
    assert beats[-1].completed_ps == beats[-1].requested_ps == pytest.approx(0.2)
    assert {beat.key for beat in beats} == {result.key}
    assert beats[-1].ps_per_hour > 0
    assert len(beats) < 20
    rule = [lambda trajectory: StopVerdict(reason="converged")]
    run_md(atoms, potential, HOT, SHORT, tmp_path / "early", stop_rules=rule, on_progress=beats.append)
    assert beats[-1].completed_ps == beats[-1].requested_ps == pytest.approx(0.04), "over: no more is asked for"


def test_strong_friction_and_odd_intervals_are_flagged(cosine, tmp_path):
    atoms, potential = cosine
    protocol = MdProtocol(
        temperature_k=800, thermostat="langevin", friction_per_ps=10.0, time_step_fs=1.5, frame_interval_fs=20.0
    )
    result = run_md(atoms, potential, protocol, RunLimits(duration_ps=0.03), tmp_path)
    assert any("friction of 10/ps" in flag for flag in result.flags)
    assert any("19.5 fs" in flag for flag in result.flags)
    assert result.frame_interval_ps == pytest.approx(0.0195)


def test_drift_of_the_conserved_energy_is_reported(cosine, tmp_path):
    atoms, potential = cosine
    limits = RunLimits(duration_ps=0.4)
    drifts = {
        name: run_md(atoms, potential, HOT.model_copy(update={"thermostat": name}), limits, tmp_path)
        for name in ("bussi", "langevin")
    }
    assert abs(drifts["bussi"].energy_drift_mev_per_atom_ps) < 5.0
    assert drifts["langevin"].energy_drift_mev_per_atom_ps is None


def test_emt_is_history_free_between_regular_checkpoints(emt, tmp_path):
    """A calculator with a neighbour list of its own: continued at every segment it equals the unbroken run."""
    atoms = bulk("Cu", cubic=True) * (2, 2, 2)
    protocol = MdProtocol(temperature_k=900)
    for duration in (0.1, 0.2, 0.3):
        pieces = run_md(atoms, emt, protocol, RunLimits(duration_ps=duration, segment_ps=0.1), tmp_path / "a")
    whole = run_md(atoms, emt, protocol, RunLimits(duration_ps=0.3, segment_ps=0.1), tmp_path / "b")
    assert pieces.segments == whole.segments
