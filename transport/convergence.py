"""Decide whether the diffusivity is known well enough to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .flags import TOO_SHORT
from .results import DiffusionResult

GROWTH = 1.2
"""Ratio of the lengths of successive looks."""

MINIMUM_PS = 30.0
"""Length below which a run never counts as converged: back-hops that last picoseconds hide in shorter ones."""


@dataclass(frozen=True)
class ConvergenceVerdict:
    """Whether a target was met, and how far off it is.

    Parameters
    ----------
    converged : bool
        Whether the run may end.
    relative_error : float or None
        Relative error reached; None where the value is withheld.
    target_relative_error : float
        Relative error asked for.
    length_factor : float or None
        By how much longer the run would have to be, by the 1/√length rule; 1 when converged.
    message : str
        One sentence for the user.
    """

    converged: bool
    relative_error: float | None
    target_relative_error: float
    length_factor: float | None
    message: str


def convergence_verdict(
    result: DiffusionResult, target_relative_error: float, minimum_ps: float = MINIMUM_PS
) -> ConvergenceVerdict:
    """Compare the relative error of the tracer diffusivity with its target.

    Parameters
    ----------
    result : DiffusionResult
        Analysis of the run so far.
    target_relative_error : float
        Relative error at which the run may end.
    minimum_ps : float
        Mean length of the runs, in ps, below which they may not end.

    Returns
    -------
    ConvergenceVerdict
        The verdict; never converged while the value is withheld, unusable, or from a run too short to
        tell diffusion from vibration.
    """
    error = result.tracer.relative_error
    if result.tracer.value_cm2_s is None or error is None:
        reason = result.tracer.withheld_reason or "the value is withheld"
        return ConvergenceVerdict(False, None, target_relative_error, None, f"D is not known yet: {reason}.")
    if not result.usable:
        return ConvergenceVerdict(
            False, error, target_relative_error, None, f"D is not usable yet: {result.exclusion_reason}."
        )
    if TOO_SHORT in result.flags:
        # Fast rattling is easy to know well; its small error says nothing of the slow motion that carries charge.
        return ConvergenceVerdict(False, error, target_relative_error, None, f"D is not known yet: {TOO_SHORT}.")
    if result.duration_ps < minimum_ps * result.n_replicas:
        message = (
            f"relative error of D {error:.0%}, but slow back-hops can hide in runs shorter than {minimum_ps:g} ps."
        )
        return ConvergenceVerdict(False, error, target_relative_error, None, message)
    if error <= target_relative_error:
        return ConvergenceVerdict(
            True,
            error,
            target_relative_error,
            1.0,
            f"relative error of D {error:.0%} meets the target of {target_relative_error:.0%}.",
        )
    factor = (error / target_relative_error) ** 2
    return ConvergenceVerdict(
        False,
        error,
        target_relative_error,
        factor,
        f"relative error of D {error:.0%}, target {target_relative_error:.0%}: about {factor:.1f} times as long.",
    )


def confirmed(verdict: ConvergenceVerdict, previous: ConvergenceVerdict | None) -> ConvergenceVerdict:
    """Let a target count as met only when two looks in a row say so.

    The error that an analysis estimates has an error of its own, and is small where chance makes it so. A run that ends
    at the first look that meets the target ends too often on such a dip, and its interval is then too narrow.

    Parameters
    ----------
    verdict : ConvergenceVerdict
        Verdict of this look.
    previous : ConvergenceVerdict or None
        Verdict of the look before; None at the first.

    Returns
    -------
    ConvergenceVerdict
        The verdict; not converged where the look before was not.

    Examples
    --------
    >>> met = ConvergenceVerdict(True, 0.18, 0.2, 1.0, "relative error of D 18% meets the target of 20%.")
    >>> confirmed(met, None).converged, confirmed(met, met).converged
    (False, True)
    """
    if not verdict.converged or (previous is not None and previous.converged):
        return verdict
    message = f"{verdict.message.rstrip('.')}; the next look, at {GROWTH:g} times the length, must confirm it."
    return replace(verdict, converged=False, length_factor=GROWTH, message=message)


def is_look_due(n_frames: int, previous_look_frames: int, minimum_frames: int = 50) -> bool:
    """Whether the trajectory has grown enough since the last look to be analysed again.

    Looks at geometrically growing lengths cost little in all, and their number, which the correction for repeated
    looks must pay for, grows only with the logarithm of the length.

    Parameters
    ----------
    n_frames : int
        Frames now.
    previous_look_frames : int
        Frames at the last look; 0 before the first.
    minimum_frames : int
        Frames before the first look.

    Returns
    -------
    bool
        Whether to look.

    Examples
    --------
    >>> is_look_due(100, 0), is_look_due(110, 100), is_look_due(120, 100)
    (True, False, True)
    """
    return n_frames >= minimum_frames and n_frames >= math.ceil(GROWTH * previous_look_frames - 1e-9)
