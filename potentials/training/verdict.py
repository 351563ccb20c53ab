"""Accepted or rejected, with reasons: a verdict that can fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VerdictThresholds(BaseModel):
    """What a student must reach to be accepted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    energy_rmse_mev_per_atom: float = Field(default=10.0, gt=0, description="largest error of energies, in meV/atom")
    force_rmse_ev_per_angstrom: float = Field(
        default=0.15, gt=0, description="largest error of force components on held-out frames, in eV/Å"
    )
    own_force_rmse_ev_per_angstrom: float = Field(
        default=0.2, gt=0, description="largest error of force components on frames of the student's own runs, in eV/Å"
    )
    stress_rmse_gpa: float = Field(default=0.5, gt=0, description="largest error of stress components, in GPa")
    energy_drift_mev_per_atom_ps: float = Field(
        default=1.0, gt=0, description="largest drift of the energy at constant energy and volume, in meV/atom/ps"
    )
    radial_difference: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="largest fraction of neighbours at other distances than with the teacher, for any pair of elements",
    )
    spectrum_difference: float = Field(
        default=0.25,
        gt=0,
        le=1,
        description="largest fraction of the vibrational density of states at other frequencies than the teacher's",
    )
    compare_diffusivity: bool = Field(
        default=True, description="whether the diffusivities must agree within their joint 95 % interval"
    )


class Comparison(BaseModel):
    """One number, what it was measured against, and whether it passed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="what was measured, with its unit")
    value: float | None = Field(description="the number; None where it could not be measured")
    limit: float | None = Field(default=None, description="the largest value that is accepted")
    passed: bool | None = Field(description="whether it is accepted; None where it could not be judged")
    reason: str = Field(default="", description="clause for the reader where it failed or could not be judged")


class StudentVerdict(BaseModel):
    """The outcome of a validation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verdict: Literal["accepted", "rejected"] = Field(description="accepted or rejected")
    reasons: tuple[str, ...] = Field(default=(), description="why it was rejected, a clause each")
    notes: tuple[str, ...] = Field(default=(), description="what could not be judged, a clause each")
    comparisons: tuple[Comparison, ...] = Field(default=(), description="all that was measured")


def at_most(name: str, value: float | None, limit: float) -> Comparison:
    """Compare a number with its limit.

    Parameters
    ----------
    name : str
        What was measured, with its unit in words.
    value : float or None
        The number; None, and NaN, could not be measured and do not pass.
    limit : float
        The largest value that is accepted.

    Returns
    -------
    Comparison
        With a reason where it does not pass.

    Examples
    --------
    >>> at_most("force error in eV/Å", 0.3, 0.15).reason
    'the force error in eV/Å is 0.3, above 0.15'
    """
    if value is None or value != value:
        return Comparison(name=name, value=None, limit=limit, passed=False, reason=f"the {name} could not be measured")
    passed = value <= limit
    reason = "" if passed else f"the {name} is {value:.3g}, above {limit:g}"
    return Comparison(name=name, value=value, limit=limit, passed=passed, reason=reason)


def judge(comparisons: Sequence[Comparison], further_reasons: Sequence[str] = ()) -> StudentVerdict:
    """Accept a student if nothing that was judged failed.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What was measured.
    further_reasons : sequence of str
        Reasons to reject it that are no numbers, such as a run that ended early.

    Returns
    -------
    StudentVerdict
        The verdict with its reasons.

    Examples
    --------
    >>> judge([at_most("force error in eV/Å", 0.1, 0.15)]).verdict
    'accepted'
    >>> judge([], ["it exploded at 1000 K"]).verdict
    'rejected'
    """
    reasons = [*further_reasons, *(one.reason for one in comparisons if one.passed is False)]
    notes = [one.reason for one in comparisons if one.passed is None and one.reason]
    return StudentVerdict(
        verdict="rejected" if reasons else "accepted",
        reasons=tuple(reasons),
        notes=tuple(notes),
        comparisons=tuple(comparisons),
    )
