"""Thermodynamic stability from energies of one potential: energy above hull, decomposition, electrochemical window.

All energies must come from the same potential, so that its errors cancel as far as they can. Competing phases that
nobody thought of can only lower the hull. So the energy above a hull of known phases is a lower bound of the true one,
and the electrochemical window an upper bound.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pymatgen.core import Composition, Element

from ..errors import AnalysisError


@dataclass(frozen=True)
class PhaseEnergy:
    """The energy of one phase.

    Parameters
    ----------
    name : str
        Name of the phase, such as "Li2S".
    formula : str
        Its formula.
    energy_ev_per_atom : float
        Potential energy in eV per atom, relaxed.
    """

    name: str
    formula: str
    energy_ev_per_atom: float


@dataclass(frozen=True)
class Product:
    """A phase among the products of a decomposition.

    Parameters
    ----------
    name : str
        Name of the phase.
    atomic_fraction : float
        Part of all atoms that are in it.
    """

    name: str
    atomic_fraction: float


@dataclass(frozen=True)
class HullDistance:
    """Where a phase lies above or below the hull of its competitors.

    Parameters
    ----------
    energy_ev_per_atom : float
        Energy of the phase minus that of its competitors at the same composition, in eV per atom. Negative: no
        mixture of the competitors is as low.
    products : tuple of Product
        The mixture of competitors that is lowest at its composition.
    """

    energy_ev_per_atom: float
    products: tuple[Product, ...]

    @property
    def above_hull_ev_per_atom(self) -> float:
        """Energy above the hull of the competitors and the phase itself, in eV per atom; never negative."""
        return max(0.0, self.energy_ev_per_atom)


@dataclass(frozen=True)
class VoltageLimit:
    """A voltage at which a phase begins to decompose, and into what.

    Parameters
    ----------
    voltage_v : float
        Voltage against the mobile metal in V.
    products : tuple of Product
        What forms beyond it, apart from the mobile metal that is taken up or given off.
    """

    voltage_v: float
    products: tuple[Product, ...]


@dataclass(frozen=True)
class ElectrochemicalWindow:
    """Between which voltages a phase does not decompose.

    Parameters
    ----------
    reduction : VoltageLimit
        Lower end.
    oxidation : VoltageLimit
        Upper end.
    """

    reduction: VoltageLimit
    oxidation: VoltageLimit

    @property
    def width_v(self) -> float:
        """Width in V."""
        return self.oxidation.voltage_v - self.reduction.voltage_v


def hull_distance(phase: PhaseEnergy, competitors: Sequence[PhaseEnergy]) -> HullDistance:
    """Compare a phase with the best mixture of its competitors.

    Parameters
    ----------
    phase : PhaseEnergy
        The phase.
    competitors : sequence of PhaseEnergy
        Phases of its elements, with every element itself among them.

    Returns
    -------
    HullDistance
        Energy above the competitors' hull, and the mixture on it.

    Raises
    ------
    AnalysisError
        If an element of the phase is not among the competitors.

    Examples
    --------
    >>> known = [PhaseEnergy("Li", "Li", -1.9), PhaseEnergy("S", "S", -4.0), PhaseEnergy("Li2S", "Li2S", -4.0)]
    >>> found = hull_distance(PhaseEnergy("Li2S2", "Li2S2", -3.9), known)
    >>> round(found.energy_ev_per_atom, 3), [product.name for product in found.products]
    (0.1, ['Li2S', 'S'])
    """
    composition = Composition(phase.formula)
    diagram = _diagram(composition, competitors)
    energy = float(diagram.get_hull_energy_per_atom(composition))
    return HullDistance(phase.energy_ev_per_atom - energy, _products(diagram, composition))


def electrochemical_window(
    phase: PhaseEnergy,
    competitors: Sequence[PhaseEnergy],
    mobile_ion: str,
    ion_charge: float,
    *,
    tolerance_ev_per_atom: float = 0.0,
) -> ElectrochemicalWindow | None:
    """Find the voltages between which a phase does not decompose by taking up or giving off its mobile metal.

    The diagram is open to the mobile metal: at its chemical potential μ a phase is stable where no mixture of the
    others, with as much of the metal as it likes, has a lower grand potential. The voltage is −(μ − μ0) / z, with μ0 of
    the metal and z the charge of its ion. With a tolerance the phase counts as stable as long as its decomposition
    gains no more than that. Competitors can only narrow the window, whatever the tolerance.

    Parameters
    ----------
    phase : PhaseEnergy
        The phase.
    competitors : sequence of PhaseEnergy
        Phases of its elements, with every element itself among them.
    mobile_ion : str
        Element symbol of the mobile metal.
    ion_charge : float
        Charge of its ion in elementary charges, positive.
    tolerance_ev_per_atom : float
        Energy per atom of the phase that its decomposition may gain.

    Returns
    -------
    ElectrochemicalWindow or None
        None where the phase decomposes at every voltage.

    Raises
    ------
    AnalysisError
        If an element is not among the competitors, or the mobile ion is no cation or the only element.

    References
    ----------
    W. D. Richards et al., Chem. Mater. 28, 266 (2016), 10.1021/acs.chemmater.5b04082.
    Y. Zhu, X. He and Y. Mo, ACS Appl. Mater. Interfaces 7, 23685 (2015), 10.1021/acsami.5b07517.

    Examples
    --------
    >>> known = [PhaseEnergy("Li", "Li", -1.9), PhaseEnergy("S", "S", -4.0)]
    >>> window = electrochemical_window(PhaseEnergy("Li2S", "Li2S", -4.0), known, "Li", 1.0)
    >>> round(window.reduction.voltage_v, 3), round(window.oxidation.voltage_v, 3)
    (0.0, 2.1)
    """
    composition = Composition(phase.formula)
    if ion_charge <= 0:
        raise AnalysisError(f"A voltage against {mobile_ion} needs a mobile cation: its charge is {ion_charge:+g}.")
    rest = Composition({element: amount for element, amount in composition.items() if element.symbol != mobile_ion})
    if not rest.num_atoms:
        raise AnalysisError(f"{phase.formula} is nothing but {mobile_ion}: it has no electrochemical window.")
    diagram = _diagram(composition, competitors)
    metal = Element(mobile_ion)
    metal_energy = float(diagram.el_refs[metal].energy_per_atom)
    own_amount = float(composition[metal])
    own_energy = (phase.energy_ev_per_atom - tolerance_ev_per_atom) * composition.num_atoms
    lowest, highest = (-math.inf, rest), (metal_energy, composition)
    for other in diagram.get_critical_compositions(rest, Composition(mobile_ion)):
        if other.num_atoms - other[metal] < 1e-8 * other.num_atoms:
            continue
        # The same amount of everything else, with another amount of the metal.
        scaled = other * (rest.num_atoms / (other.num_atoms - other[metal]))
        surplus = float(scaled[metal]) - own_amount
        energy = float(diagram.get_hull_energy(scaled))
        if abs(surplus) < 1e-6 * composition.num_atoms:
            if energy < own_energy - 1e-9 * composition.num_atoms:
                return None
            continue
        potential = (energy - own_energy) / surplus
        if surplus < 0:
            lowest = max(lowest, (potential, scaled), key=lambda limit: limit[0])
        else:
            highest = min(highest, (potential, scaled), key=lambda limit: limit[0])
    if lowest[0] > highest[0]:
        return None

    def limit(potential: float, products: Composition) -> VoltageLimit:
        known = tuple(product for product in _products(diagram, products) if product.name != mobile_ion)
        return VoltageLimit((metal_energy - potential) / ion_charge, known)

    return ElectrochemicalWindow(reduction=limit(*highest), oxidation=limit(*lowest))


def missing_elements(elements: Iterable[str], competitors: Sequence[PhaseEnergy]) -> list[str]:
    """Name the elements of which there is no reference, without which there is no hull.

    Parameters
    ----------
    elements : iterable of str
        Element symbols.
    competitors : sequence of PhaseEnergy
        The phases that are known.

    Returns
    -------
    list of str
        Sorted symbols.
    """
    there = {system[0] for phase in competitors if len(system := chemical_system(phase.formula)) == 1}
    return sorted(set(elements) - there)


def empty_systems(elements: Iterable[str], competitors: Sequence[PhaseEnergy]) -> list[str]:
    """List the chemical systems inside that of a phase in which no competitor is known.

    Parameters
    ----------
    elements : iterable of str
        Element symbols.
    competitors : sequence of PhaseEnergy
        The phases that are known.

    Returns
    -------
    list of str
        Such as "Cl-P", from binaries to the full system.

    Examples
    --------
    >>> empty_systems(["Li", "S"], [PhaseEnergy("Li", "Li", -1.9), PhaseEnergy("S", "S", -4.0)])
    ['Li-S']
    """
    there = {chemical_system(phase.formula) for phase in competitors}
    symbols = sorted(set(elements))
    return [
        "-".join(system)
        for size in range(2, len(symbols) + 1)
        for system in itertools.combinations(symbols, size)
        if system not in there
    ]


def chemical_system(formula: str) -> tuple[str, ...]:
    """Give the elements of a formula.

    Parameters
    ----------
    formula : str
        Such as "Li2S".

    Returns
    -------
    tuple of str
        Sorted symbols.
    """
    return tuple(sorted(element.symbol for element in Composition(formula)))


def _diagram(composition: Composition, competitors: Sequence[PhaseEnergy]) -> Any:
    """Build pymatgen's phase diagram of the competitors inside the chemical system of a composition."""
    from pymatgen.analysis.phase_diagram import PDEntry, PhaseDiagram

    symbols = {element.symbol for element in composition}
    inside = [phase for phase in competitors if set(chemical_system(phase.formula)) <= symbols]
    missing = missing_elements(symbols, inside)
    if missing:
        raise AnalysisError(f"There is no reference phase of {', '.join(missing)}, so there is no hull.")
    entries = []
    for phase in inside:
        formula = Composition(phase.formula)
        entries.append(PDEntry(formula, phase.energy_ev_per_atom * formula.num_atoms, name=phase.name))
    return PhaseDiagram(entries, elements=[Element(symbol) for symbol in sorted(symbols)])


def _products(diagram: Any, composition: Composition) -> tuple[Product, ...]:
    """Name the phases on the hull at a composition, the most plentiful first."""
    parts = sorted(diagram.get_decomposition(composition).items(), key=lambda item: (-item[1], item[0].name))
    return tuple(Product(entry.name, round(float(amount), 6)) for entry, amount in parts if amount > 1e-6)
