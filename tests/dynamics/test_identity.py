from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from hypothesis import given
from hypothesis import strategies as st
from superion.dynamics.identity import structure_identity, trajectory_key
from superion.dynamics.protocol import MdProtocol, RunLimits
from superion.potentials.specification import PotentialProvenance

POTENTIAL = PotentialProvenance(
    name="mace",
    model="small",
    weights_sha256="a" * 64,
    package="mace-torch",
    package_version="0.3.16",
    dtype="float32",
    device="cpu",
)
PROTOCOL = MdProtocol(temperature_k=600)


def crystal() -> Atoms:
    return bulk("NaCl", "rocksalt", a=5.64)


KEY = trajectory_key(crystal(), POTENTIAL, PROTOCOL)

STRUCTURE_CHANGES = {
    "position by one bit": lambda a: a.positions.__setitem__((1, 0), np.nextafter(a.positions[1, 0], 9)),
    "cell by one bit": lambda a: a.cell.__setitem__((0, 1), np.nextafter(a.cell[0, 1], 9)),
    "element": lambda a: a.symbols.__setitem__(1, "Br"),
    "periodicity": lambda a: a.set_pbc([True, True, False]),
    "mass": lambda a: a.set_masses([22.0, 35.0]),
    "momenta": lambda a: a.set_momenta([[0, 0, 1], [0, 0, -1]]),
    "charges": lambda a: a.set_initial_charges([1, -1]),
    "moments": lambda a: a.set_initial_magnetic_moments([1, 0]),
}

PROTOCOL_CHANGES = [
    (PROTOCOL, {"temperature_k": 601.0}),
    (PROTOCOL, {"thermostat": "nose_hoover_chain"}),
    (PROTOCOL, {"thermostat": "langevin"}),
    (PROTOCOL, {"ensemble": "nve"}),
    (PROTOCOL, {"ensemble": "npt"}),
    (PROTOCOL, {"thermostat_time_fs": 50.0}),
    (PROTOCOL, {"time_step_fs": 1.0}),
    (PROTOCOL, {"frame_interval_fs": 40.0}),
    (PROTOCOL, {"seed": 43}),
    (PROTOCOL, {"replica": 1}),
    (PROTOCOL, {"engine": "another"}),
    (MdProtocol(temperature_k=600, thermostat="langevin"), {"friction_per_ps": 2.0}),
    (MdProtocol(temperature_k=600, thermostat="nose_hoover_chain"), {"thermostat_time_fs": 50.0}),
    (MdProtocol(temperature_k=600, ensemble="npt"), {"pressure_gpa": 1.0}),
    (MdProtocol(temperature_k=600, ensemble="npt"), {"barostat_time_fs": 500.0}),
    (MdProtocol(temperature_k=600, ensemble="npt"), {"thermostat_time_fs": 500.0}),
]


def test_key_is_a_stable_sha256():
    # a change here orphans every trajectory on every disk: raise IDENTITY_VERSION and say so in the change log
    assert KEY == "7af028d28b146eb40e3df633abf94795983c8737dc46a4c184649b42a0e0787b"
    assert trajectory_key(crystal(), POTENTIAL.model_copy(), PROTOCOL.model_copy()) == KEY


@pytest.mark.parametrize("change", STRUCTURE_CHANGES)
def test_every_change_of_the_structure_changes_the_key(change):
    atoms = crystal()
    STRUCTURE_CHANGES[change](atoms)
    assert trajectory_key(atoms, POTENTIAL, PROTOCOL) != KEY


def test_atom_order_counts():
    swapped = crystal()[[1, 0]]
    assert trajectory_key(swapped, POTENTIAL, PROTOCOL) != KEY


def test_what_is_no_part_of_the_structure_does_not_count():
    atoms = crystal()
    atoms.info["name"] = "salt"
    atoms.set_tags([1, 2])
    atoms.set_momenta(np.zeros((2, 3)))
    atoms.positions[0] = [-0.0, 0.0, -0.0]
    assert structure_identity(atoms) == structure_identity(crystal())


@pytest.mark.parametrize(("base", "change"), PROTOCOL_CHANGES, ids=str)
def test_every_change_of_the_dynamics_changes_the_key(base, change):
    changed = base.model_copy(update=change)
    assert trajectory_key(crystal(), POTENTIAL, changed) != trajectory_key(crystal(), POTENTIAL, base)


@pytest.mark.parametrize("change", [{"weights_sha256": "b" * 64}, {"dtype": "float64"}], ids=str)
def test_weights_and_precision_count(change):
    assert trajectory_key(crystal(), POTENTIAL.model_copy(update=change), PROTOCOL) != KEY


@pytest.mark.parametrize("change", [{"device": "cuda:0"}, {"model": "copy.model"}, {"package_version": "9"}], ids=str)
def test_where_the_weights_lie_does_not_count(change):
    assert trajectory_key(crystal(), POTENTIAL.model_copy(update=change), PROTOCOL) == KEY


@pytest.mark.parametrize(
    ("base", "change"),
    [
        (PROTOCOL, {"friction_per_ps": 5.0}),
        (PROTOCOL, {"pressure_gpa": 5.0}),
        (PROTOCOL, {"barostat_time_fs": 5.0}),
        (MdProtocol(temperature_k=600, ensemble="nve"), {"thermostat": "langevin"}),
        (MdProtocol(temperature_k=600, ensemble="npt"), {"thermostat": "langevin"}),
        (MdProtocol(temperature_k=600, thermostat="langevin"), {"thermostat_time_fs": 5.0}),
    ],
    ids=str,
)
def test_settings_of_other_ensembles_do_not_count(base, change):
    changed = base.model_copy(update=change)
    assert trajectory_key(crystal(), POTENTIAL, changed) == trajectory_key(crystal(), POTENTIAL, base)


def test_default_time_step_equals_the_same_one_given():
    assert trajectory_key(crystal(), POTENTIAL, PROTOCOL.model_copy(update={"time_step_fs": 2.0})) == KEY


def test_limits_are_no_argument():
    """Length, rules and writing options cannot enter: the function does not know them."""
    import inspect

    assert set(inspect.signature(trajectory_key).parameters) == {"atoms", "provenance", "protocol"}
    assert not set(RunLimits.model_fields) & set(MdProtocol.model_fields)


protocols = st.builds(
    MdProtocol,
    temperature_k=st.floats(1, 5000),
    ensemble=st.sampled_from(["nvt", "nve", "npt"]),
    thermostat=st.sampled_from(["bussi", "nose_hoover_chain", "langevin"]),
    time_step_fs=st.sampled_from([None, 0.5, 1.0, 2.0]),
    seed=st.integers(0, 2**64),
    replica=st.integers(0, 1000),
)


@given(protocols, protocols)
def test_keys_are_equal_only_for_equal_dynamics(one, other):
    def dynamics(protocol):
        thermostat = protocol.thermostat if protocol.ensemble == "nvt" else ""
        step = protocol.time_step_fs or 2.0
        return protocol.temperature_k, protocol.ensemble, thermostat, step, protocol.seed, protocol.replica

    same = trajectory_key(crystal(), POTENTIAL, one) == trajectory_key(crystal(), POTENTIAL, other)
    assert same == (dynamics(one) == dynamics(other))


@given(protocols)
def test_key_survives_the_way_through_json(protocol):
    back = MdProtocol.model_validate_json(protocol.model_dump_json())
    assert trajectory_key(crystal(), POTENTIAL, back) == trajectory_key(crystal(), POTENTIAL, protocol)
