"""A cross-check by pymatgen-analysis-diffusion's DiffusionAnalyzer, fed with our arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AnalysisError
from .displacement_run import DisplacementRun

if TYPE_CHECKING:
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer


@dataclass(frozen=True)
class AnalyzerResult:
    """What the library says.  Its standard deviations are left out: they are far too small to be error bars.

    Parameters
    ----------
    diffusivity_cm2_s : float
        Tracer diffusivity in cm²/s.
    charge_diffusivity_cm2_s : float
        Charge diffusivity in cm²/s.
    haven_ratio : float
        Their ratio.
    conductivity_ms_cm : float
        Nernst-Einstein conductivity in mS/cm.  The library takes the number of electrons in the outermost subshell
        for the charge: right for Li, Na and K, wrong for F or O.
    charge_conductivity_ms_cm : float
        Conductivity from the charge diffusivity in mS/cm, with the same charge.
    """

    diffusivity_cm2_s: float
    charge_diffusivity_cm2_s: float
    haven_ratio: float
    conductivity_ms_cm: float
    charge_conductivity_ms_cm: float


def cross_check(
    run: DisplacementRun, symbols: Sequence[str], mobile_ion: str, *, smoothed: str = "max", min_obs: int = 30
) -> AnalyzerResult:
    """Analyse a run with pymatgen-analysis-diffusion.

    Parameters
    ----------
    run : DisplacementRun
        The run, with its cell.
    symbols : sequence of str
        Element of each atom.
    mobile_ion : str
        Element symbol of the mobile ion, such as "Li".
    smoothed : str
        How the library averages over time origins: "max" or "constant".
    min_obs : int
        Observations behind the longest lag, for "max".

    Returns
    -------
    AnalyzerResult
        The library's numbers.

    Raises
    ------
    AnalysisError
        The run has no cell or no framework, or is too short for the library.

    References
    ----------
    Y. Mo, S. P. Ong and G. Ceder, Chem. Mater. 24, 15 (2012), 10.1021/cm203303y.
    """
    try:
        analyzer = diffusion_analyzer(run, symbols, mobile_ion, smoothed=smoothed, min_obs=min_obs)
    except ValueError as error:
        raise AnalysisError(f"DiffusionAnalyzer cannot use this run ({error}); give a longer one.") from None
    return AnalyzerResult(
        diffusivity_cm2_s=float(analyzer.diffusivity),
        charge_diffusivity_cm2_s=float(analyzer.chg_diffusivity),
        haven_ratio=float(analyzer.haven_ratio),
        conductivity_ms_cm=float(analyzer.conductivity),
        charge_conductivity_ms_cm=float(analyzer.chg_conductivity),
    )


def diffusion_analyzer(
    run: DisplacementRun, symbols: Sequence[str], mobile_ion: str, *, smoothed: str = "max", min_obs: int = 30
) -> DiffusionAnalyzer:
    """Build the library's analyzer from unwrapped positions.

    Parameters
    ----------
    run : DisplacementRun
        The run, with its cell.
    symbols : sequence of str
        Element of each atom.
    mobile_ion : str
        Element symbol of the mobile ion.
    smoothed : str
        "max" or "constant".
    min_obs : int
        Observations behind the longest lag, for "max".

    Returns
    -------
    DiffusionAnalyzer
        The library's object; it takes the drift from all other atoms, unweighted.

    Raises
    ------
    AnalysisError
        The run has no cell, or nothing but mobile ions.
    """
    from pymatgen.analysis.diffusion.analyzer import DiffusionAnalyzer
    from pymatgen.core import Structure

    if run.cell_angstrom is None:
        raise AnalysisError("DiffusionAnalyzer needs the cell; give cell_angstrom with the run.")
    if len(symbols) != run.positions_angstrom.shape[1]:
        raise AnalysisError(
            f"There are {len(symbols)} symbols for {run.positions_angstrom.shape[1]} atoms; give one for each."
        )
    if all(symbol == mobile_ion for symbol in symbols) or mobile_ion not in symbols:
        raise AnalysisError(
            f"DiffusionAnalyzer needs both {mobile_ion} and framework atoms; name an element of the structure."
        )
    positions = np.asarray(run.positions_angstrom, dtype=np.float64)
    structure = Structure(run.cell_angstrom, list(symbols), positions[0], coords_are_cartesian=True)
    return DiffusionAnalyzer(
        structure,
        np.swapaxes(positions - positions[0], 0, 1),
        mobile_ion,
        run.temperature_k,
        time_step=run.frame_interval_ps * 1000.0,
        step_skip=1,
        smoothed=smoothed,
        min_obs=min_obs,
    )
