"""What a comparison is worth, in plain sentences."""

from __future__ import annotations

from ..properties import PROPERTIES, Interval
from .results import LEAST_ROWS, AgreementReport, BaselineComparison, ValueErrors


def agreement_in_words(report: AgreementReport) -> str:
    """Say what a comparison shows and what it does not, with its n.

    Parameters
    ----------
    report : AgreementReport
        The comparison.

    Returns
    -------
    str
        A few sentences; all numbers are those of the report.
    """
    sentences = [_order(report), *(_against(report, entry) for entry in report.baselines)]
    if report.errors is not None:
        sentences.append(_errors(report.errors))
    return " ".join(sentence for sentence in sentences if sentence)


def _order(report: AgreementReport) -> str:
    found = report.agreement
    rho = found.spearman_rho
    if rho.value is None or rho.interval_95 is None or rho.null_95 is None or rho.p_value is None:
        if found.n < LEAST_ROWS:
            return f"With n = {found.n} of {report.n_measured} measured rows there is nothing to correlate yet."
        return f"Bounds and ties leave no order to compare over the n = {found.n} rows."
    reach = max(abs(end) for end in rho.null_95)
    start = (
        f"Over n = {found.n} of {report.n_measured} measured materials ρ = {rho.value:.2f} "
        f"({interval_text(rho.interval_95)}); chance alone reaches ±{reach:.2f} at this n."
    )
    if rho.p_value >= 0.05:
        return f"{start} No agreement in order is shown, and none is ruled out (p = {rho.p_value:.2g})."
    if rho.value < 0.0:
        return f"{start} The order is opposite to what was expected, more than by chance (p = {rho.p_value:.2g})."
    return f"{start} The order agrees better than by chance (p = {rho.p_value:.2g})."


def _against(report: AgreementReport, entry: BaselineComparison) -> str:
    name, found = quantity(entry.agreement.property), entry.rho_difference
    if found.value is None or found.interval_95 is None:
        return ""
    low, high = found.interval_95
    verdict = f"is shown neither better nor worse than {name}"
    if low > 0.0:
        verdict = f"gives a better order than {name}"
    elif high < 0.0:
        verdict = f"gives a worse order than {name}"
    return (
        f"Computed {quantity(report.computed)} {verdict}: Δρ = {found.value:+.2f} ({interval_text(found.interval_95)}) "
        f"over the n = {entry.n_common} rows with both."
    )


def _errors(errors: ValueErrors) -> str:
    rms, constant = errors.root_mean_square, errors.constant_root_mean_square
    unit = "decades" if errors.unit == "log10" else errors.unit
    if rms.value is None:
        return ""
    text = f"Values are off by {rms.value:.2f} {unit} (root mean square, n = {errors.n})"
    found = errors.root_mean_square_difference
    if constant is None or found.interval_95 is None:
        return f"{text}."
    low, high = found.interval_95
    verdict = "which is no clear difference"
    if high < 0.0:
        verdict = "so that they are better than a constant"
    elif low > 0.0:
        verdict = "so that they are worse than a constant"
    return f"{text}, one constant for all by {constant:.2f}, {verdict}."


def quantity(name: str) -> str:
    """Name a property for a reader, without its unit.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    str
        Its label.

    Examples
    --------
    >>> quantity("percolation_barrier_1d_ev")
    '1D bond-valence barrier'
    """
    return PROPERTIES[name].label.split(" / ")[0]


def interval_text(interval: Interval) -> str:
    """Write a 95 % interval of a correlation.

    Parameters
    ----------
    interval : tuple of float
        Its ends.

    Returns
    -------
    str
        With two digits.

    Examples
    --------
    >>> interval_text((-0.104, 0.872))
    '95 %: -0.10 to 0.87'
    """
    return f"95 %: {interval[0]:.2f} to {interval[1]:.2f}"
