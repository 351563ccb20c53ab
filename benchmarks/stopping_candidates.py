"""Candidates whose true order is known, for `sequential_stopping.py`: the analytic conductor with many barriers.

Every candidate is a simple cubic lattice of 64 sites, 3 Å apart, with copper ions on some of them and a framework of
iodine, in the cosine potential of `superion.potentials.cosine_lattice`. Its barrier B sets the rate of hops; the soft
repulsion lets ions pass each other, so each hops nearly by itself, and transition state theory with the harmonic
frequency ν = (1/a) √(B/2m) of a site and the density n of ions gives

    σ = n e² a² ν exp(-B/kT) / kT

Barriers are solved for so that the σ(300 K) are quantiles of what was measured of lithium conductors: as many good ones
among the candidates as there are among real ones. Three densities of ions, dealt out at random, give the same σ(300 K)
by different barriers, so that the order at the temperature of a probe is not the order at 300 K. Copper and iodine are
heavy enough for a time step of 20 fs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pymatgen.core import Lattice, Structure
from scipy.optimize import brentq
from superion.constants import BOLTZMANN_EV_PER_K, CM2_PER_S_FROM_ANGSTROM2_PER_PS, ROOM_TEMPERATURE_K
from superion.dynamics.protocol import MdSettings
from superion.potentials.specification import PotentialSpecification
from superion.transport.conductivity import conductivity_per_diffusivity

MOBILE_ION = "Cu"
MASS_AMU = 63.546
SITES_PER_EDGE = 4
SPACING_ANGSTROM = 3.0
EDGE_ANGSTROM = SITES_PER_EDGE * SPACING_ANGSTROM
ION_COUNTS = (20, 40, 60)
_ANGSTROM2_PER_PS2 = 9648.533
"""One eV per amu, in (Å/ps)²."""

OBELIX_LOG10_SIGMA_MS_CM = (
    *(-14.38, -7.0, -6.66, -5.0, -4.07, -3.27, -2.7, -2.24, -1.93, -1.63, -1.31),
    *(-0.99, -0.76, -0.54, -0.37, -0.21, -0.08, 0.08, 0.49, 0.72, 1.4),
)
"""log10 of the measured room-temperature σ in mS/cm at the quantiles 0, 5 %, …, 100 % of the 478 rows of the training
split of OBELiX (Therrien et al., arXiv 2502.14234, CC BY 4.0); its 29 upper bounds count as values."""


def sample_log10_sigmas(number: int) -> list[float]:
    """Take evenly spaced quantiles of the measured conductivities, best first.

    Parameters
    ----------
    number : int
        How many.

    Returns
    -------
    list of float
        log10 of σ(300 K) in mS/cm.

    Examples
    --------
    >>> sample_log10_sigmas(2)
    [-0.21, -3.27]
    """
    shares = 1.0 - (np.arange(number) + 0.5) / number
    known = np.linspace(0.0, 1.0, len(OBELIX_LOG10_SIGMA_MS_CM))
    return [round(float(value), 6) for value in np.interp(shares, known, OBELIX_LOG10_SIGMA_MS_CM)]


def theory_sigma_ms_cm(barrier_ev: float, n_ions: int, temperature_k: float) -> float:
    """Give the conductivity by transition state theory, each hop independent of the others.

    Parameters
    ----------
    barrier_ev : float
        Barrier B in eV.
    n_ions : int
        Ions on the 64 sites.
    temperature_k : float
        Temperature in K.

    Returns
    -------
    float
        Conductivity in mS/cm.

    Examples
    --------
    >>> round(theory_sigma_ms_cm(0.25, 40, 300.0), 1)
    11.8
    """
    attempts_per_ps = math.sqrt(barrier_ev / (2.0 * MASS_AMU) * _ANGSTROM2_PER_PS2) / SPACING_ANGSTROM
    thermal_ev = BOLTZMANN_EV_PER_K * temperature_k
    angstrom2_per_ps = SPACING_ANGSTROM**2 * attempts_per_ps * math.exp(-barrier_ev / thermal_ev)
    return nernst_einstein_ms_cm(angstrom2_per_ps * CM2_PER_S_FROM_ANGSTROM2_PER_PS, n_ions, temperature_k)


def nernst_einstein_ms_cm(diffusivity_cm2_s: float, n_ions: int, temperature_k: float) -> float:
    """Turn a diffusivity into a conductivity of a candidate.

    Parameters
    ----------
    diffusivity_cm2_s : float
        Diffusivity in cm²/s.
    n_ions : int
        Ions on the 64 sites.
    temperature_k : float
        Temperature in K.

    Returns
    -------
    float
        Conductivity in mS/cm.

    Examples
    --------
    >>> round(nernst_einstein_ms_cm(1e-5, 40, 1000.0), 1)
    430.4
    """
    return diffusivity_cm2_s * conductivity_per_diffusivity(n_ions, 1.0, EDGE_ANGSTROM**3, temperature_k)


@dataclass(frozen=True)
class AnalyticCandidate:
    """A candidate of known barrier.

    Parameters
    ----------
    number : int
        Its number, which also seeds its dynamics and the places of its ions.
    log10_sigma_300k : float
        log10 of its σ(300 K) in mS/cm by transition state theory.
    n_ions : int
        Ions on the 64 sites.
    """

    number: int
    log10_sigma_300k: float
    n_ions: int

    @property
    def label(self) -> str:
        """Name of the candidate."""
        return f"candidate {self.number:04d}"

    @cached_property
    def barrier_ev(self) -> float:
        """Barrier in eV that gives the conductivity."""

        def miss(barrier_ev: float) -> float:
            sigma = theory_sigma_ms_cm(barrier_ev, self.n_ions, ROOM_TEMPERATURE_K)
            return math.log10(sigma) - self.log10_sigma_300k

        # From kT at 300 K up the conductivity falls with the barrier.
        return round(float(brentq(miss, 0.03, 3.0)), 6)

    @cached_property
    def potential(self) -> PotentialSpecification:
        """The potential with that barrier."""
        return PotentialSpecification(
            name="ase",
            model="superion.potentials.cosine_lattice.CosineLatticeCalculator",
            device="cpu",
            dtype="float64",
            options={
                "barriers_ev": {MOBILE_ION: self.barrier_ev, "I": 5.0},
                "spacing_angstrom": SPACING_ANGSTROM,
                "offsets": {"I": [0.5, 0.5, 0.5]},
                "repulsion_ev": 1.0,
            },
        )

    @cached_property
    def structure(self) -> Structure:
        """The crystal: ions on some of their sites, iodine on every third body centre."""
        grid = np.stack(np.meshgrid(*[np.arange(SITES_PER_EDGE)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        order = np.random.default_rng(self.number).permutation(len(grid))
        ions = grid[np.sort(order[: self.n_ions])]
        iodine = grid[grid.sum(axis=1) % 3 == 0] + 0.5
        return Structure(
            Lattice.cubic(EDGE_ANGSTROM),
            [MOBILE_ION] * len(ions) + ["I"] * len(iodine),
            np.vstack([ions, iodine]) / SITES_PER_EDGE,
        )

    @property
    def md(self) -> MdSettings:
        """Its dynamics: friction makes an ion stop at the site it comes to, as theory assumes."""
        return MdSettings(
            thermostat="langevin", friction_per_ps=5.0, time_step_fs=20.0, frame_interval_fs=40.0, seed=self.number
        )


def make_candidates(number: int, set_number: int = 0) -> list[AnalyticCandidate]:
    """Make a set of candidates.

    Parameters
    ----------
    number : int
        How many.
    set_number : int
        Another set has other densities for the same conductivities, and other dynamics.

    Returns
    -------
    list of AnalyticCandidate
        Best first by transition state theory.

    Examples
    --------
    >>> sorted(candidate.n_ions for candidate in make_candidates(4))
    [20, 20, 40, 60]
    """
    counts = np.random.default_rng([2026, set_number]).permutation(np.resize(ION_COUNTS, number))
    return [
        AnalyticCandidate(1000 * set_number + index, log10_sigma, int(n_ions))
        for index, (log10_sigma, n_ions) in enumerate(zip(sample_log10_sigmas(number), counts, strict=True))
    ]


def density_corrections(n_ions: Sequence[int], log10_ratios: Sequence[float]) -> dict[int, float]:
    """Find by how much the ions of each density depart from independent hops.

    Ions that meet, and hops that go on or turn back, change the conductivity by a factor. It is measured as the median,
    over all full-length runs with that number of ions, of measured over predicted conductivity, and shifts the true
    σ(300 K) of all of them alike.

    Parameters
    ----------
    n_ions : sequence of int
        Number of ions of each run.
    log10_ratios : sequence of float
        log10 of measured over predicted conductivity of each run.

    Returns
    -------
    dict of int to float
        Shift of log10 σ by number of ions.

    Examples
    --------
    >>> density_corrections([20, 20, 20, 60], [-0.2, -0.3, -0.1, 0.0])
    {20: -0.2, 60: 0.0}
    """
    ratios, counts = np.asarray(log10_ratios), np.asarray(n_ions)
    return {int(count): float(np.median(ratios[counts == count])) for count in sorted(set(n_ions))}
