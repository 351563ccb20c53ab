"""ASE's integrators: how each is built, saved and restored exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import CalculatorError, PropertyNotImplementedError
from ase.md.bussi import Bussi
from ase.md.langevinbaoab import LangevinBAOAB
from ase.md.nose_hoover_chain import (
    IsotropicMTKBarostat,
    IsotropicMTKNPT,
    NoseHooverChainNVT,
    NoseHooverChainThermostat,
)
from ase.md.verlet import VelocityVerlet

from ...errors import ProtocolError
from ..checkpoint import IntegratorState
from ..ensembles import integrator_name
from ..protocol import MdProtocol
from ..random_stream import export_stream, restore_stream


@dataclass(frozen=True)
class IntegratorSettings:
    """What an integrator needs beyond the atoms.

    Attributes
    ----------
    protocol : MdProtocol
        The settings of the run.
    time_step_fs : float
        Time step in fs.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy: 3N, or 3N - 3 with a conserved total momentum.
    stream : numpy.random.Generator
        Random stream of the thermostat.
    """

    protocol: MdProtocol
    time_step_fs: float
    degrees_of_freedom: int
    stream: np.random.Generator

    @property
    def time_step(self) -> float:
        """Time step in ASE units."""
        return self.time_step_fs * units.fs

    @property
    def effective_atoms(self) -> float:
        """A third of the degrees of freedom: ASE's chains count 3N, which heats a cell with fixed momentum."""
        return self.degrees_of_freedom / 3


class Integrator(ABC):
    """One step of molecular dynamics, with a state that can be saved and restored bit by bit."""

    @abstractmethod
    def step(self) -> None:
        """Move the atoms one time step on."""

    @abstractmethod
    def export_state(self) -> IntegratorState:
        """Copy everything that the next step depends on, beyond positions, momenta and cell."""

    @abstractmethod
    def restore_state(self, state: IntegratorState) -> None:
        """Take over a state that `export_state` gave."""

    def conserved_energy(self) -> float | None:
        """Energy in eV that exact dynamics would conserve; None where there is none."""
        return None


class NveIntegrator(Integrator):
    """Velocity Verlet at constant energy."""

    def __init__(self, atoms: Atoms, settings: IntegratorSettings) -> None:
        self._atoms = atoms
        self._dynamics = VelocityVerlet(atoms, settings.time_step)

    def step(self) -> None:
        """Move the atoms one time step on."""
        self._dynamics.step()

    def export_state(self) -> IntegratorState:
        """Nothing beyond positions and momenta."""
        return {}

    def restore_state(self, state: IntegratorState) -> None:
        """Nothing to take over."""

    def conserved_energy(self) -> float:
        """Total energy in eV."""
        return float(self._atoms.get_total_energy())


class BussiIntegrator(Integrator):
    """Stochastic velocity rescaling (Bussi, Donadio & Parrinello, DOI 10.1063/1.2408420)."""

    def __init__(self, atoms: Atoms, settings: IntegratorSettings) -> None:
        self._atoms = atoms
        self._dynamics = Bussi(
            atoms,
            settings.time_step,
            temperature_K=settings.protocol.temperature_k,
            taut=settings.protocol.thermostat_time_fs * units.fs,
            rng=settings.stream,
        )
        self._dynamics.ndof = settings.degrees_of_freedom
        self._dynamics.target_kinetic_energy = (
            0.5 * settings.degrees_of_freedom * units.kB * settings.protocol.temperature_k
        )

    def step(self) -> None:
        """Move the atoms one time step on."""
        self._dynamics.step()

    def export_state(self) -> IntegratorState:
        """Random stream, and the energy given by the thermostat."""
        return {
            "random_stream": export_stream(self._dynamics.rng),
            "transferred_energy": np.array(self._dynamics.transferred_energy, dtype=np.float64),
        }

    def restore_state(self, state: IntegratorState) -> None:
        """Take over the random stream and the transferred energy."""
        self._dynamics.rng = restore_stream(str(state["random_stream"]))
        self._dynamics.transferred_energy = float(np.asarray(state["transferred_energy"]))

    def conserved_energy(self) -> float:
        """Total energy less the energy that the thermostat gave, in eV."""
        return float(self._atoms.get_total_energy() - self._dynamics.transferred_energy)


class _MomentumConservingLangevin(LangevinBAOAB):
    """BAOAB Langevin dynamics whose friction and noise leave the total momentum at zero.

    The Ornstein-Uhlenbeck step and the mass-weighted projection commute, so the canonical distribution
    of the other 3N - 3 degrees of freedom is exact.
    """

    def _BAOAB_OU(self, drag_gamma_mod: float = 0.0) -> None:
        super()._BAOAB_OU(drag_gamma_mod)
        masses = self.atoms.get_masses()[:, None]
        momenta = self.atoms.get_momenta()
        self.atoms.set_momenta(momenta - masses * (momenta.sum(axis=0) / masses.sum()))


class LangevinIntegrator(Integrator):
    """Langevin dynamics, BAOAB splitting (Leimkuhler & Matthews, DOI 10.1063/1.4802990)."""

    def __init__(self, atoms: Atoms, settings: IntegratorSettings) -> None:
        conserving = settings.degrees_of_freedom < 3 * len(atoms)
        kind = _MomentumConservingLangevin if conserving else LangevinBAOAB
        self._dynamics = kind(
            atoms,
            settings.time_step,
            temperature_K=settings.protocol.temperature_k,
            T_tau=1000.0 * units.fs / settings.protocol.friction_per_ps,
            rng=settings.stream,
        )

    def step(self) -> None:
        """Move the atoms one time step on."""
        self._dynamics.step()

    def export_state(self) -> IntegratorState:
        """Random stream only: accelerations follow from the positions."""
        return {"random_stream": export_stream(self._dynamics.rng)}

    def restore_state(self, state: IntegratorState) -> None:
        """Take over the random stream."""
        self._dynamics.rng = restore_stream(str(state["random_stream"]))


def _chain_state(chain: NoseHooverChainThermostat) -> IntegratorState:
    return {"chain_positions": chain._eta.copy(), "chain_momenta": chain._p_eta.copy()}


def _restore_chain(chain: NoseHooverChainThermostat, state: IntegratorState) -> None:
    chain._eta = np.array(state["chain_positions"], dtype=np.float64)
    chain._p_eta = np.array(state["chain_momenta"], dtype=np.float64)


class NoseHooverChainIntegrator(Integrator):
    """Nosé-Hoover chain of three thermostats (Martyna, Klein & Tuckerman, DOI 10.1063/1.463940)."""

    def __init__(self, atoms: Atoms, settings: IntegratorSettings) -> None:
        options = {
            "temperature_K": settings.protocol.temperature_k,
            "tdamp": settings.protocol.thermostat_time_fs * units.fs,
        }
        self._dynamics = NoseHooverChainNVT(atoms, settings.time_step, **options)
        self._dynamics._thermostat = NoseHooverChainThermostat(
            settings.effective_atoms, self._dynamics.masses, **options
        )

    def step(self) -> None:
        """Move the atoms one time step on."""
        self._dynamics.step()

    def export_state(self) -> IntegratorState:
        """Positions and momenta of the chain."""
        return _chain_state(self._dynamics._thermostat)

    def restore_state(self, state: IntegratorState) -> None:
        """Take over the chain."""
        _restore_chain(self._dynamics._thermostat, state)

    def conserved_energy(self) -> float:
        """Total energy of atoms and chain in eV."""
        atoms = self._dynamics.atoms
        return float(atoms.get_total_energy() + self._dynamics._thermostat.get_thermostat_energy())


class IsotropicNptIntegrator(Integrator):
    """Isotropic Martyna-Tobias-Klein barostat with Nosé-Hoover chains (DOI 10.1063/1.467468).

    The volume fluctuates and the shape of the cell stays, which is all that V(T) needs and cannot shear
    a superionic crystal away.
    """

    def __init__(self, atoms: Atoms, settings: IntegratorSettings) -> None:
        protocol = settings.protocol
        temperature = protocol.temperature_k
        thermostat_time = protocol.thermostat_time_fs * units.fs
        barostat_time = protocol.barostat_time_fs * units.fs
        self._dynamics = IsotropicMTKNPT(
            atoms,
            settings.time_step,
            temperature_K=temperature,
            pressure_au=protocol.pressure_gpa * units.GPa,
            tdamp=thermostat_time,
            pdamp=barostat_time,
        )
        self._dynamics._num_atoms_global = settings.effective_atoms
        self._dynamics._thermostat = NoseHooverChainThermostat(
            settings.effective_atoms, self._dynamics.masses, temperature_K=temperature, tdamp=thermostat_time
        )
        self._dynamics._barostat = IsotropicMTKBarostat(
            settings.effective_atoms, temperature_K=temperature, pdamp=barostat_time
        )

    def step(self) -> None:
        """Move the atoms one time step on."""
        self._dynamics.step()

    def export_state(self) -> IntegratorState:
        """Both chains, the strain and its momentum, and the cell at zero strain."""
        dynamics = self._dynamics
        return {
            **_chain_state(dynamics._thermostat),
            "barostat_chain_positions": dynamics._barostat._xi.copy(),
            "barostat_chain_momenta": dynamics._barostat._p_xi.copy(),
            "strain": np.array(dynamics._eps, dtype=np.float64),
            "strain_momentum": np.array(dynamics._p_eps, dtype=np.float64),
            "reference_cell": dynamics._cell0.copy(),
            "reference_volume": np.array(dynamics._volume0, dtype=np.float64),
        }

    def restore_state(self, state: IntegratorState) -> None:
        """Take over chains, strain and reference cell."""
        dynamics = self._dynamics
        _restore_chain(dynamics._thermostat, state)
        dynamics._barostat._xi = np.array(state["barostat_chain_positions"], dtype=np.float64)
        dynamics._barostat._p_xi = np.array(state["barostat_chain_momenta"], dtype=np.float64)
        dynamics._eps = float(np.asarray(state["strain"]))
        dynamics._p_eps = float(np.asarray(state["strain_momentum"]))
        dynamics._cell0 = np.array(state["reference_cell"], dtype=np.float64)
        dynamics._volume0 = float(np.asarray(state["reference_volume"]))

    def conserved_energy(self) -> float:
        """Energy of atoms, chains and barostat, plus pressure times volume, in eV."""
        dynamics = self._dynamics
        return float(
            dynamics.atoms.get_total_energy()
            + dynamics._thermostat.get_thermostat_energy()
            + dynamics._barostat.get_barostat_energy()
            + dynamics._p_eps**2 / (2 * dynamics._barostat.W)
            + dynamics._pressure_au * dynamics._get_volume()
        )


@dataclass(frozen=True)
class IntegratorKind:
    """An entry of the registry.

    Attributes
    ----------
    build : callable
        Makes the integrator from atoms and settings.
    needs_stress : bool
        Whether the potential must give the stress.
    """

    build: Callable[[Atoms, IntegratorSettings], Integrator]
    needs_stress: bool = False


INTEGRATORS: dict[str, IntegratorKind] = {
    "nve": IntegratorKind(NveIntegrator),
    "nvt/bussi": IntegratorKind(BussiIntegrator),
    "nvt/nose_hoover_chain": IntegratorKind(NoseHooverChainIntegrator),
    "nvt/langevin": IntegratorKind(LangevinIntegrator),
    "npt": IntegratorKind(IsotropicNptIntegrator, needs_stress=True),
}
"""One for each of `superion.dynamics.ensembles.ENSEMBLES`."""


def build_integrator(atoms: Atoms, settings: IntegratorSettings) -> Integrator:
    """Make the integrator that a protocol asks for.

    Parameters
    ----------
    atoms : ase.Atoms
        Atoms with calculator and momenta; the integrator moves them in place.
    settings : IntegratorSettings
        Protocol, time step, degrees of freedom and random stream.

    Returns
    -------
    Integrator
        Ready for its first step.

    Raises
    ------
    ProtocolError
        If the barostat needs a stress that the potential does not give.
    """
    kind = INTEGRATORS[integrator_name(settings.protocol)]
    if kind.needs_stress:
        require_stress(atoms)
    return kind.build(atoms, settings)


def require_stress(atoms: Atoms) -> None:
    """Refuse a calculator that gives no stress.

    Parameters
    ----------
    atoms : ase.Atoms
        Atoms with a calculator.

    Raises
    ------
    ProtocolError
        If the stress cannot be computed.
    """
    try:
        atoms.get_stress()
    except (PropertyNotImplementedError, NotImplementedError, CalculatorError) as error:
        raise ProtocolError(
            f"The calculator {type(atoms.calc).__name__} gives no stress, which an NPT run needs: "
            "use the NVT ensemble or a potential with stresses."
        ) from error
