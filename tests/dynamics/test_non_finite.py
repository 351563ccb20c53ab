"""Where numbers end in a run: the potential failed, unless the dynamics had thrown an atom out of place before."""

from __future__ import annotations

import pytest
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.errors import NonFiniteResultError
from superion.potentials.registry import load_potential
from support.nan_calculator import WRONG, nan_specification

LIMITS = RunLimits(duration_ps=0.2, segment_ps=0.1)


def ensemble_for(wrong):
    """Stress matters to a barostat only."""
    return {"ensemble": "npt"} if wrong == "nan stress" else {}


@pytest.mark.parametrize("wrong", WRONG)
def test_at_the_first_step_it_is_an_error(cosine_system, tmp_path, wrong):
    potential = load_potential(nan_specification(cosine_system.specification, wrong))
    protocol = MdProtocol(temperature_k=800, **ensemble_for(wrong))
    with pytest.raises(NonFiniteResultError, match="not numbers"):
        run_md(cosine_system.atoms, potential, protocol, LIMITS, tmp_path)


@pytest.mark.parametrize("wrong", WRONG)
def test_later_the_run_fails_and_keeps_what_it_has(cosine_system, tmp_path, wrong):
    potential = load_potential(nan_specification(cosine_system.specification, wrong, after=80))
    protocol = MdProtocol(temperature_k=800, frame_interval_fs=10, **ensemble_for(wrong))
    result = run_md(cosine_system.atoms, potential, protocol, LIMITS, tmp_path)
    assert (result.state, result.stop_reason) == ("failed", "error")
    assert "not numbers" in result.message
    assert 0 < Trajectory(result.folder).n_frames < 21
    again = run_md(cosine_system.atoms, potential, protocol, LIMITS, tmp_path)
    assert again.completed_ps > result.completed_ps, "a failure of the potential is tried again"


def test_after_an_explosion_it_is_the_explosion(cosine_system, tmp_path):
    specification = nan_specification(cosine_system.specification, "nan forces", after=10, kick_ev_per_angstrom=400.0)
    # so hot that the kick alone is no runaway temperature
    protocol = MdProtocol(temperature_k=20_000, time_step_fs=2.0)
    result = run_md(cosine_system.atoms, load_potential(specification), protocol, LIMITS, tmp_path)
    assert (result.state, result.stop_reason) == ("failed", "exploded")
    assert "moved" in result.message
