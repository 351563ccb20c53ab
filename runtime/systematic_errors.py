"""What is known of the errors that a statistical interval leaves out, each with its source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..database.documents import SystematicError
from ..potentials.model_file import SUFFIX as STUDENT_SUFFIX
from ..potentials.specification import PotentialProvenance
from ..transport.hidden_back_hops import NEGLIGIBLE, hidden_back_hop_factor
from ..transport.results import DiffusionResult

SOFT_POTENTIALS = frozenset({"chgnet", "matgl"})
"""Universal potentials trained on relaxation paths only; early MACE models belong here by name."""

_EARLY_MACE_MODELS = frozenset({"small", "medium", "large"})
"""Names of the MACE-MP-0 models."""

UNIVERSAL_POTENTIALS = frozenset({"mace", "chgnet", "sevennet", "matgl"})

CONVERGED_CELL_ATOMS = 400
"""Below this number of atoms even Li10GeP2S12 depends on the cell."""


@dataclass(frozen=True)
class SimulatedCase:
    """What the known errors depend on.

    Parameters
    ----------
    formula : str
        Reduced formula.
    n_atoms : int
        Atoms in the simulated cell.
    potential : PotentialProvenance or None
        The potential, where it is known.
    was_disordered : bool
        Whether partial occupancies were ordered.
    volume_was_relaxed : bool
        Whether the cell at temperature came from constant-pressure dynamics.
    longest_lag_ps : float or None
        Longest lag in ps that the shortest of the runs could be fitted to, where it is known.
    """

    formula: str
    n_atoms: int
    potential: PotentialProvenance | None
    was_disordered: bool
    volume_was_relaxed: bool
    longest_lag_ps: float | None = None


def known_systematic_errors(case: SimulatedCase) -> list[SystematicError]:
    """List the known systematic errors that bear on a result.

    Parameters
    ----------
    case : SimulatedCase
        What was simulated.

    Returns
    -------
    list of SystematicError
        One sentence each, with its source.

    References
    ----------
    .. [1] B. Deng et al., npj Comput. Mater. (2025), 10.1038/s41524-024-01500-6.
    .. [2] X. He, Y. Zhu, A. Epstein & Y. Mo, npj Comput. Mater. 4, 18 (2018), 10.1038/s41524-018-0074-y.
    """
    errors = [*_of_potential(case), *_of_cell(case), *_of_ordering(case), *_of_length(case), *_of_method(case)]
    return [SystematicError(source=source, statement=statement) for source, statement in errors]


def shortest_fitted_lag_ps(results: Iterable[DiffusionResult]) -> float | None:
    """Find the longest lag that the shortest of the runs could be fitted to.

    Parameters
    ----------
    results : iterable of DiffusionResult
        Results that enter the answer.

    Returns
    -------
    float or None
        Lag in ps; None where no run was fitted.
    """
    lags = [result.tracer.fit_window_ps[1] for result in results if result.tracer.fit_window_ps is not None]
    return min(lags, default=None)


def _of_potential(case: SimulatedCase) -> list[tuple[str, str]]:
    if case.potential is not None and (case.potential.model or "").endswith(STUDENT_SUFFIX):
        return [
            (
                "potential",
                f"The potential {case.potential.model} was trained from another one: it repeats the errors of its "
                "teacher and adds its own, of which `superion potential show` lists those that were measured.",
            )
        ]
    if case.potential is None or case.potential.name not in UNIVERSAL_POTENTIALS:
        return [("potential", "The error of this potential is not known to superion: compare its forces with DFT.")]
    found = [
        (
            "potential",
            "Universal potentials give D within about 0.4 to 1.9 times AIMD at AIMD temperatures (MACE-MPA-0, four "
            "materials), and σ(300 K) often 2 to 10 times above experiment; rank orders are safer than values.",
        )
    ]
    model = (case.potential.model or "").lower()
    is_early_mace = case.potential.name == "mace" and model in _EARLY_MACE_MODELS
    if case.potential.name in SOFT_POTENTIALS or is_early_mace:
        found.append(
            (
                "potential",
                "Universal potentials of the first generation (M3GNet, CHGNet, MACE-MP-0) soften the energy surface "
                "and over-estimate D (npj Comput. Mater. 2025, 10.1038/s41524-024-01500-6).",
            )
        )
    return found


def _of_cell(case: SimulatedCase) -> list[tuple[str, str]]:
    if case.n_atoms >= CONVERGED_CELL_ATOMS:
        return []
    return [
        (
            "cell_size",
            f"A cell of {case.n_atoms} atoms is small: with MACE-MPA-0, Li10GeP2S12 gave σ(300 K) = 66 mS/cm in 100 "
            "atoms and 41 to 47 mS/cm from 400 atoms on; with MACE-MP-0 small, Li6PS5Cl gave 29.6 mS/cm in 52 atoms "
            "(50 ps) and 5.57 mS/cm in 416 atoms (200 ps). Argyrodites and garnets want thousands of atoms.",
        )
    ]


def _of_ordering(case: SimulatedCase) -> list[tuple[str, str]]:
    found = []
    if case.was_disordered:
        found.append(
            (
                "ordering",
                "One arrangement of the partly occupied sites was simulated; another may conduct differently.",
            )
        )
    if case.formula == "Li6PS5Cl":
        found.append(
            (
                "ordering",
                "S/Cl order decides over Li6PS5Cl: a moment tensor potential gave D(300 K) = 1.2e-9 cm²/s ordered and "
                "2.2e-7 cm²/s half disordered (arXiv 2407.04126).",
            )
        )
    return found


def _of_length(case: SimulatedCase) -> list[tuple[str, str]]:
    if case.longest_lag_ps is None:
        return []
    factor = hidden_back_hop_factor(case.longest_lag_ps)
    if factor < NEGLIGIBLE:
        return []
    return [
        (
            "run_length",
            f"The shortest run shows displacements over at most {case.longest_lag_ps:.2g} ps: hops that are taken back "
            f"after a picosecond would look like diffusion in it, and overstate D up to about {factor:.1f} times "
            "beyond the interval given (measured on synthetic walks). Runs of 15 ps and more tell them apart.",
        )
    ]


def _of_method(case: SimulatedCase) -> list[tuple[str, str]]:
    found = [
        (
            "method",
            "The extrapolation to 300 K assumes the mechanism and the phase seen at the simulated temperatures, in a "
            "defect-free crystal with classical nuclei.",
        )
    ]
    if not case.volume_was_relaxed:
        found.append(("method", "The cell is the relaxed one: thermal expansion, which raises D, is left out."))
    return found
