"""Protocol, limits, time step and plan."""

from __future__ import annotations

import pytest
from ase.build import bulk
from ase.data import chemical_symbols
from hypothesis import given
from hypothesis import strategies as st
from superion.dynamics.engines.ase_integrators import INTEGRATORS
from superion.dynamics.ensembles import ENSEMBLES, integrator_name, langevin_flag
from superion.dynamics.plan import frame_interval_steps, plan_steps
from superion.dynamics.protocol import MdProtocol, RunLimits, make_limits, make_protocol
from superion.dynamics.time_step import default_time_step_fs
from superion.errors import ProtocolError, StructureError


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"temperature_k": -300}, "temperature_k = -300"),
        ({"temperature_k": 0}, "temperature_k = 0"),
        ({"temperature_k": float("nan")}, "temperature_k = nan"),
        ({"temperature_k": float("inf")}, "temperature_k = inf"),
        ({"temperature_k": "hot"}, "temperature_k = 'hot'"),
        ({"temperature_k": 300, "time_step_fs": 0}, "time_step_fs = 0"),
        ({"temperature_k": 300, "thermostat": "berendsen"}, "thermostat = 'berendsen'"),
        ({"temperature_k": 300, "replica": -1}, "replica = -1"),
        ({"temperature_k": 300, "tempreture": 1}, "no setting 'tempreture'"),
        ({}, "needs the setting 'temperature_k'"),
    ],
)
def test_senseless_protocol_is_one_sentence(settings, words):
    with pytest.raises(ProtocolError, match=words) as caught:
        make_protocol(**settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("settings", [{"duration_ps": 0}, {"duration_ps": -1}, {"segment_ps": 0}, {"max_runtime_s": 0}])
def test_senseless_limits_are_one_sentence(settings):
    with pytest.raises(ProtocolError, match=next(iter(settings))):
        make_limits(**settings)


def test_sensible_settings_pass():
    assert make_protocol(temperature_k=600).temperature_k == 600
    assert make_limits(duration_ps=5).duration_ps == 5


@pytest.mark.parametrize(
    ("symbols", "step"), [("H O", 0.5), ("Li P S Cl", 1.0), ("O Zr", 1.0), ("Na Cl", 2.0), ("Ag I", 2.0), ("D O", 0.5)]
)
def test_lightest_element_sets_the_time_step(symbols, step):
    assert default_time_step_fs(symbols.split()) == step


@given(st.lists(st.sampled_from(chemical_symbols[1:]), min_size=1), st.sampled_from(chemical_symbols[1:]))
def test_another_element_never_lengthens_the_time_step(symbols, more):
    assert default_time_step_fs([*symbols, more]) <= default_time_step_fs(symbols)


@pytest.mark.parametrize("symbols", [[], ["X"], ["Xx"]])
def test_no_element_no_time_step(symbols):
    with pytest.raises(StructureError):
        default_time_step_fs(symbols)


@given(st.floats(0.1, 5.0), st.floats(0.5, 200.0), st.floats(0.01, 50.0), st.floats(0.01, 500.0), st.integers(0, 10**6))
def test_plans_are_whole(time_step, interval, segment, duration, step):
    protocol = MdProtocol(temperature_k=300, time_step_fs=time_step, frame_interval_fs=interval)
    plan = plan_steps(bulk("Cu"), protocol, RunLimits(duration_ps=duration, segment_ps=segment))
    assert plan.frame_steps == frame_interval_steps(protocol, time_step) >= 1
    assert plan.segment_steps % plan.frame_steps == 0
    assert plan.total_steps % plan.frame_steps == 0
    assert plan.picoseconds(plan.total_steps) >= duration - 0.51 * time_step / 1000
    assert plan.picoseconds(plan.total_steps - plan.frame_steps) < duration + 0.51 * time_step / 1000
    if step < plan.total_steps:
        boundary = plan.next_boundary(step)
        assert step < boundary <= plan.total_steps
        assert plan.is_boundary(boundary)
        assert not any(plan.is_boundary(each) for each in range(step + 1, min(boundary, step + 50)))


def test_every_protocol_has_an_integrator():
    names = {
        integrator_name(MdProtocol(temperature_k=300, ensemble=ensemble, thermostat=thermostat))
        for ensemble in ("nvt", "nve", "npt")
        for thermostat in ("bussi", "nose_hoover_chain", "langevin")
    }
    assert names == set(ENSEMBLES) == set(INTEGRATORS)


def test_langevin_flag_states_threshold_and_reason():
    def flag(**settings):
        return langevin_flag(MdProtocol(temperature_k=300, **settings))

    assert flag(thermostat="langevin", friction_per_ps=1.0) is None
    assert flag(thermostat="bussi", friction_per_ps=50.0) is None
    assert flag(ensemble="nve", thermostat="langevin", friction_per_ps=50.0) is None
    text = flag(thermostat="langevin", friction_per_ps=10.0)
    assert "above 1/ps" in text
    assert "Kramers" in text
    assert "48 %" in text  # sqrt(1 + (10 / 4π)²) - 10 / 4π
