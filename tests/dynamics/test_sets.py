"""Sets of trajectories: an engine of another package that advances many at once, and ASE's that takes turns."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from conftest import make_cosine_system
from superion.dynamics.durable import DiskFullError
from superion.dynamics.engine import run_md, run_md_set
from superion.dynamics.lock import TrajectoryLock
from superion.dynamics.member import TrajectoryRequest
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.results import MdResult, StopVerdict
from superion.dynamics.trajectory import Trajectory
from superion.errors import LockedTrajectoryError, PotentialError, ProtocolError
from superion.potentials.registry import load_potential

PLUGIN = Path(__file__).parents[1] / "support" / "langevin_plugin"
LIMITS = RunLimits(duration_ps=0.4, segment_ps=0.1)
LANGEVIN = {"engine": "lattice_langevin", "thermostat": "langevin", "time_step_fs": 2.0}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> list[MdResult]:
    """Each of them by itself."""
    potential = load_potential(make_cosine_system(repulsion_ev=0.0).specification)
    root = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(PLUGIN)
        return [run_md(each.atoms, potential, each.protocol, LIMITS, root) for each in wanted(root)]


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install the package with the engine."""
    monkeypatch.syspath_prepend(PLUGIN)


@pytest.fixture
def potential():
    return load_potential(make_cosine_system(repulsion_ev=0.0).specification)


def wanted(root: Path, **rules) -> list[TrajectoryRequest]:
    """Seven trajectories for an engine with four places: two cells, several temperatures, steps and frame intervals."""
    small, large = (make_cosine_system(sites_per_edge=edge, repulsion_ev=0.0).atoms for edge in (3, 4))
    protocols = [
        (small, {"temperature_k": 600}),
        (large, {"temperature_k": 900, "frame_interval_fs": 30.0}),
        (small, {"temperature_k": 900, "time_step_fs": 1.0}),
        (small, {"temperature_k": 600, "replica": 1}),
        (small, {"temperature_k": 600, "seed": 7}),
        (large, {"temperature_k": 700}),
        (small, {"temperature_k": 1200, "friction_per_ps": 5.0}),
    ]
    return [TrajectoryRequest(atoms, MdProtocol(**LANGEVIN | changes), root, **rules) for atoms, changes in protocols]


def assert_same_frames(folder: str | Path, other: str | Path) -> None:
    for name in ("positions", "temperatures", "energies", "steps"):
        assert np.array_equal(getattr(Trajectory(folder), name)(), getattr(Trajectory(other), name)()), name


def test_no_member_feels_who_else_is_in_the_set(potential, unbroken, tmp_path):
    ended = run_md_set(wanted(tmp_path / "set"), potential, LIMITS)
    assert [member.result.segments for member in ended] == [result.segments for result in unbroken]
    assert all(member.result.stop_reason == "max_length" for member in ended)
    assert {member.result.engine.name for member in ended} == {"lattice_langevin"}
    backwards = run_md_set(wanted(tmp_path / "backwards")[::-1], potential, LIMITS)
    assert [member.result.segments for member in backwards[::-1]] == [result.segments for result in unbroken]


def test_members_leave_and_enter_and_the_rest_go_on(potential, unbroken, tmp_path):
    """One converges, one melts, one explodes, one is locked, one is refused: the others are what they are alone."""

    def early(trajectory: Trajectory) -> StopVerdict:
        return StopVerdict(reason="converged" if trajectory.duration_ps >= 0.2 else None)

    def never(trajectory: Trajectory) -> StopVerdict:
        return StopVerdict(reason="melted")

    requests = wanted(tmp_path / "set")
    requests[0] = TrajectoryRequest(requests[0].atoms, requests[0].protocol, tmp_path / "set", stop_rules=[early])
    requests[1] = TrajectoryRequest(requests[1].atoms, requests[1].protocol, tmp_path / "set", health_checks=[never])
    overlong = requests[2].protocol.model_copy(update={"time_step_fs": 60.0, "frame_interval_fs": 60.0})
    requests[2] = TrajectoryRequest(requests[2].atoms, overlong, tmp_path / "set")
    unknown = requests[3].atoms.copy()
    unknown.symbols[0] = "Na"
    requests[3] = TrajectoryRequest(unknown, requests[3].protocol, tmp_path / "set")
    locked = tmp_path / "set" / unbroken[4].key
    locked.mkdir(parents=True)
    with TrajectoryLock(locked):
        ended = run_md_set(requests, potential, LIMITS)
    assert [member.result and member.result.stop_reason for member in ended] == [
        "converged",
        "melted",
        "exploded",
        None,
        None,
        "max_length",
        "max_length",
    ]
    assert isinstance(ended[3].error, PotentialError)
    assert isinstance(ended[4].error, LockedTrajectoryError)
    assert ended[0].result.segments == unbroken[0].segments[:2]
    assert ended[1].result.segments == unbroken[1].segments[:1]
    assert ended[5].result.segments == unbroken[5].segments
    assert ended[6].result.segments == unbroken[6].segments


def forked_life(root: Path, potential, outcome: Path, until) -> bool:
    """Run the set in a forked process and SIGKILL it when `until` says so; True if it was killed before its end."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            ended = run_md_set(wanted(root), potential, LIMITS)
            outcome.write_text(json.dumps([member.result.model_dump(mode="json") for member in ended]))
            code = 0
        finally:
            os._exit(code)
    # left unreaped, so that the signal never meets a stranger's process
    until(lambda: os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_kills_repeat_nothing_and_change_no_bit(potential, unbroken, tmp_path):
    chance = random.Random("set")
    root = tmp_path / "set"
    kills = 0
    for n_segments in (1, 4, 3, 6, 5, 2):

        def until(has_ended, n_more=n_segments):
            goal = len(list(root.glob("*/segment-*.h5md"))) + n_more
            while len(list(root.glob("*/segment-*.h5md"))) < goal and not has_ended():
                time.sleep(0.001)
            time.sleep(chance.uniform(0.0, 0.02))

        kills += forked_life(root, potential, tmp_path / "outcome.json", until)
    assert kills >= 3, "the kills did not hit a run under way"
    safe = {path.relative_to(root): path.stat().st_mtime_ns for path in root.glob("*/segment-*.h5md")}
    ended = run_md_set(wanted(root), potential, LIMITS)
    assert [member.result.segments for member in ended] == [result.segments for result in unbroken]
    assert {name: (root / name).stat().st_mtime_ns for name in safe} == safe
    assert sum(member.result.resumed_from_step > 0 for member in ended) >= 4


def test_a_signal_stops_all_and_those_that_wait_do_not_begin(potential, unbroken, tmp_path):
    def stop(trajectory: Trajectory) -> StopVerdict:
        os.kill(os.getpid(), signal.SIGTERM)
        return StopVerdict()

    requests = wanted(tmp_path / "set")
    requests[1] = TrajectoryRequest(requests[1].atoms, requests[1].protocol, tmp_path / "set", stop_rules=[stop])
    stopped = run_md_set(requests, potential, LIMITS)
    assert [member.result and member.result.stop_reason for member in stopped] == ["signal"] * 4 + [None] * 3
    assert all(member.error is None for member in stopped)
    assert any(member.result.segments[-1].last_step % 10 for member in stopped[:4]), "stopped between two frames"
    finished = run_md_set(wanted(tmp_path / "set"), potential, LIMITS)
    for member, whole in zip(finished, unbroken, strict=True):
        assert member.result.state == "completed"
        assert_same_frames(member.result.folder, whole.folder)


def test_an_error_of_the_engine_ends_those_inside_and_can_be_tried_again(potential, unbroken, tmp_path, monkeypatch):
    from lattice_langevin import LatticeLangevinEngine

    step, counter = LatticeLangevinEngine.step, iter(range(10**6))

    def failing(self, batch):
        if next(counter) == 57:
            raise RuntimeError("device lost")
        return step(self, batch)

    with monkeypatch.context() as patched:
        patched.setattr(LatticeLangevinEngine, "step", failing)
        ended = run_md_set(wanted(tmp_path / "set"), potential, LIMITS)
    reasons = [member.result.stop_reason for member in ended]
    assert reasons == ["error"] * 4 + ["max_length"] * 3
    assert "RuntimeError: device lost" in ended[0].result.message
    finished = run_md_set(wanted(tmp_path / "set"), potential, LIMITS)
    for member, whole in zip(finished, unbroken, strict=True):
        assert_same_frames(member.result.folder, whole.folder)


def test_a_full_disk_stops_those_it_meets(potential, tmp_path, monkeypatch):
    from superion.dynamics import open_segment

    write, counter = open_segment.write_durably, iter(range(1000))

    def filling(path, data):
        if next(counter) == 5:
            raise DiskFullError(28, "No space left on device", str(path))
        write(path, data)

    with monkeypatch.context() as patched:
        patched.setattr(open_segment, "write_durably", filling)
        ended = run_md_set(wanted(tmp_path / "set"), potential, LIMITS)
    assert sorted({member.result.stop_reason for member in ended}) == ["disk_full", "max_length"]
    assert sum(member.result.stop_reason == "disk_full" for member in ended) == 1
    assert not list((tmp_path / "set").glob("*/*.writing"))


def test_ase_takes_them_one_after_the_other(tmp_path):
    system = make_cosine_system()
    potential = load_potential(system.specification)
    protocols = [MdProtocol(temperature_k=800, time_step_fs=2.0, replica=replica) for replica in range(3)]
    requests = [TrajectoryRequest(system.atoms, protocol, tmp_path / "set") for protocol in protocols]
    ended = run_md_set(requests, potential, LIMITS)
    for member, protocol in zip(ended, protocols, strict=True):
        whole = run_md(system.atoms, potential, protocol, LIMITS, tmp_path / "alone")
        assert member.result.segments == whole.segments
        assert (member.result.engine.name, member.result.engine.package) == ("ase", "ase")


class TestRefusals:
    def test_twins(self, potential, tmp_path):
        requests = wanted(tmp_path)
        with pytest.raises(ProtocolError, match="Trajectories 1 and 8 of the set are one and the same"):
            run_md_set([*requests, requests[0]], potential, LIMITS)

    def test_two_engines(self, potential, tmp_path):
        one = wanted(tmp_path)[0]
        other = TrajectoryRequest(one.atoms, MdProtocol(temperature_k=600), tmp_path)
        with pytest.raises(ProtocolError, match="these name ase, lattice_langevin"):
            run_md_set([one, other], potential, LIMITS)

    def test_unknown_engine(self, cosine_system, tmp_path):
        protocol = MdProtocol(temperature_k=600, engine="latice_langevin")
        with pytest.raises(ProtocolError, match="did you mean 'lattice_langevin'"):
            run_md(cosine_system.atoms, load_potential(cosine_system.specification), protocol, LIMITS, tmp_path)

    def test_what_the_engine_cannot_do(self, cosine_system, potential, tmp_path):
        protocol = MdProtocol(**LANGEVIN | {"temperature_k": 600})
        with pytest.raises(PotentialError, match="without repulsion"):
            run_md(cosine_system.atoms, load_potential(cosine_system.specification), protocol, LIMITS, tmp_path)
        bussi = protocol.model_copy(update={"thermostat": "bussi"})
        with pytest.raises(ProtocolError, match="thermostat: langevin"):
            run_md(cosine_system.atoms, potential, bussi, LIMITS, tmp_path)
        assert not list(tmp_path.iterdir())
