"""The figures of a conductivity result: mean-squared displacements and the Arrhenius line.

Pure functions from results to matplotlib figures; they touch no global matplotlib state and no file.
Colours keep their order in grey print and for colour-blind readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...constants import BOLTZMANN_EV_PER_K, CM2_PER_S_FROM_ANGSTROM2_PER_PS
from .numbers import format_interval, format_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ...transport.results import ArrheniusPoint, ArrheniusResult, Bounds, DiffusionResult

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.5,
    "axes.edgecolor": "#5b6470",
    "axes.linewidth": 0.8,
    "axes.labelcolor": "#22282f",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e7eb",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": "#5b6470",
    "ytick.color": "#5b6470",
    "xtick.labelcolor": "#22282f",
    "ytick.labelcolor": "#22282f",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "mathtext.default": "regular",
}
"""The look shared by all figures (matplotlib rc parameters)."""

INK = "#123a5e"
"""Colour of the fit and of the points in it."""

BAND = "#4f8fc0"
"""Colour of the interval bands."""

EXCLUDED = "#b8500f"
"""Colour of points that stand outside the fit."""

COLLECTIVE = "#00745a"
"""Colour of the collective conductivity."""

_LONGEST_REASON = 64


def temperature_colours(n_temperatures: int) -> list[tuple[float, float, float, float]]:
    """Colours from cold (dark) to hot (bright), monotonic in lightness.

    Parameters
    ----------
    n_temperatures : int
        How many.

    Returns
    -------
    list of tuple
        RGBA colours.
    """
    import matplotlib

    positions = np.array([0.35]) if n_temperatures == 1 else np.linspace(0.05, 0.8, n_temperatures)
    return [tuple(float(c) for c in matplotlib.colormaps["plasma"](x)) for x in positions]  # type: ignore[misc]


def msd_figure(results: Sequence[DiffusionResult]) -> Figure:
    """Draw the tracer mean-squared displacement at each temperature, on logarithmic and on linear axes.

    The bands are one standard error.  Thick lines are the fits over the lag times that entered them; the
    dotted guide has slope 1, which diffusive motion follows on logarithmic axes.

    Parameters
    ----------
    results : sequence of DiffusionResult
        One per temperature, in any order.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    ordered = sorted(results, key=lambda result: result.temperature_k)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 3.9), layout="constrained")
        logarithmic, linear = figure.subplots(1, 2)
        for result, colour in zip(ordered, temperature_colours(len(ordered)), strict=True):
            lag, msd, error = _positive_curve(result)
            if not lag.size:
                continue
            label = f"{result.temperature_k:g} K" + ("" if result.usable else " (not in the fit)")
            line_style = "-" if result.usable else (0, (3, 2))
            for axes in (logarithmic, linear):
                low = msd - error
                if axes is logarithmic:
                    low = np.maximum(low, 0.03 * msd)
                axes.fill_between(lag, low, msd + error, color=colour, alpha=0.16, linewidth=0)
                axes.plot(lag, msd, color=colour, linewidth=1.1, linestyle=line_style, label=label)
                _draw_fit(axes, result, lag, msd, colour)
        logarithmic.set_xscale("log")
        logarithmic.set_yscale("log")
        _draw_unit_slope(logarithmic, ordered)
        logarithmic.set_title("Logarithmic: slope 1 is diffusion")
        linear.set_title("Linear, with the fitted windows")
        linear.set_xlim(left=0)
        linear.set_ylim(bottom=0)
        for axes in (logarithmic, linear):
            axes.set_xlabel("lag time (ps)")
            axes.set_ylabel("tracer MSD (Å$^2$)")
        if linear.get_legend_handles_labels()[0]:
            linear.legend(loc="upper left", reverse=True)
    return figure


def collective_figure(results: Sequence[DiffusionResult]) -> Figure:
    """Draw the collective displacement of the mobile ions, and the displacement of the framework.

    Parameters
    ----------
    results : sequence of DiffusionResult
        One per temperature, in any order.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    ordered = sorted(results, key=lambda result: result.temperature_k)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9.4, 3.6), layout="constrained")
        collective, framework = figure.subplots(1, 2)
        has_framework = False
        for result, colour in zip(ordered, temperature_colours(len(ordered)), strict=True):
            lag = np.asarray(result.msd.lag_ps)
            label = f"{result.temperature_k:g} K"
            if result.msd.collective_angstrom2 is not None:
                collective.plot(
                    lag, np.asarray(result.msd.collective_angstrom2), color=colour, linewidth=1.2, label=label
                )
            if result.msd.framework_angstrom2 is not None:
                has_framework = True
                framework.plot(
                    lag, np.asarray(result.msd.framework_angstrom2), color=colour, linewidth=1.2, label=label
                )
        collective.set_title("Collective motion of the ions (charge transport)")
        collective.set_ylabel("collective MSD per ion (Å$^2$)")
        framework.set_title("Framework (flat in a solid)")
        framework.set_ylabel("framework MSD (Å$^2$)")
        for axes in (collective, framework):
            axes.set_xlabel("lag time (ps)")
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
        if not has_framework:
            framework.text(0.5, 0.5, "not recorded", transform=framework.transAxes, ha="center", color="#5b6470")
        if collective.get_legend_handles_labels()[0]:
            collective.legend(loc="upper left", reverse=True)
    return figure


def arrhenius_figure(
    arrhenius: ArrheniusResult,
    *,
    upper_bounds: Mapping[float, float] | None = None,
    collective: ArrheniusResult | None = None,
) -> Figure:
    """Draw the Arrhenius line with its statistical bands, extrapolated; excluded points drawn hollow with the reason.

    Parameters
    ----------
    arrhenius : ArrheniusResult
        The fit of ln(σT) or ln D.
    upper_bounds : mapping of float to float, optional
        Temperature in K to 95 % upper bound, in the unit of the points, for temperatures whose value is withheld.
    collective : ArrheniusResult, optional
        A second fit in the same unit, drawn without bands.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    import matplotlib
    from matplotlib.figure import Figure

    is_conductivity = arrhenius.quantity != "diffusivity_cm2_s"
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.4, 4.7), layout="constrained")
        axes = figure.subplots()
        axes.set_yscale("log")
        coldest = arrhenius.extrapolation_temperature_k
        temperatures = [point.temperature_k for point in arrhenius.points]
        hottest = max([*temperatures, coldest * 1.01])
        extrapolates = arrhenius.extrapolated_value is not None
        coldest_shown = min([coldest, *temperatures]) if extrapolates or not temperatures else min(temperatures)
        inverse = np.linspace(1.0 / hottest, 1.0 / coldest_shown, 240)

        if arrhenius.log_prefactor is not None and arrhenius.activation_energy_ev is not None:
            _draw_line(axes, arrhenius, inverse, [p.temperature_k for p in arrhenius.points if p.used])
        if collective is not None and collective.log_prefactor is not None:
            _draw_collective(axes, collective, inverse, is_conductivity)
        _draw_points(axes, arrhenius.points, upper_bounds or {}, is_conductivity)
        if extrapolates:
            _draw_extrapolation(axes, arrhenius, is_conductivity)

        axes.set_xlabel("1000 / T  (1/K)")
        axes.set_ylabel("σT  (S K/cm)" if is_conductivity else "D  (cm$^2$/s)")
        low, high = 1000.0 * inverse[0], 1000.0 * inverse[-1]
        margin = 0.06 * (high - low) or 0.05
        axes.set_xlim(low - margin, high + margin)
        add_temperature_axis(axes, [*temperatures, *([coldest] if extrapolates else [])])
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="lower left")
    return figure


def fit_band(
    arrhenius: ArrheniusResult, temperature_k: np.ndarray
) -> tuple[np.ndarray, np.ndarray | None, tuple[Bounds, Bounds]]:
    """Evaluate an Arrhenius fit and its standard error in the logarithm.

    Parameters
    ----------
    arrhenius : ArrheniusResult
        A fit with prefactor and activation energy.
    temperature_k : numpy.ndarray, shape (n,)
        Temperatures in K.

    Returns
    -------
    logarithm : numpy.ndarray, shape (n,)
        ln(σT) with σ in mS/cm and T in K, or ln D with D in cm²/s.
    standard_error : numpy.ndarray, shape (n,), or None
        Its standard error, with the covariance of slope and intercept; None where the fit has no covariance.
    quantiles : tuple of tuple of float
        How many standard errors lie below and above the line, for the 68 % and the 95 % interval, as the fit's own
        extrapolation has them.
    """
    if arrhenius.log_prefactor is None or arrhenius.activation_energy_ev is None:
        raise ValueError("the fit has no line")
    inverse_energy = 1.0 / (BOLTZMANN_EV_PER_K * np.asarray(temperature_k, dtype=float))
    logarithm = arrhenius.log_prefactor - arrhenius.activation_energy_ev * inverse_energy
    quantiles: list[Bounds] = [(1.0, 1.0), (1.96, 1.96)]
    if arrhenius.covariance is None:
        return logarithm, None, (quantiles[0], quantiles[1])
    (c_aa, c_ae), (_, c_ee) = arrhenius.covariance
    standard_error = np.sqrt(np.maximum(c_aa - 2.0 * inverse_energy * c_ae + inverse_energy**2 * c_ee, 0.0))
    there = 1.0 / (BOLTZMANN_EV_PER_K * arrhenius.extrapolation_temperature_k)
    line_there = arrhenius.log_prefactor - arrhenius.activation_energy_ev * there
    if arrhenius.quantity != "diffusivity_cm2_s":
        line_there -= float(np.log(arrhenius.extrapolation_temperature_k))
    error_there = float(np.sqrt(max(c_aa - 2.0 * there * c_ae + there**2 * c_ee, 0.0)))
    # The band uses the quantiles of the published interval, so figure and table cannot disagree.
    for position, bounds in enumerate((arrhenius.extrapolated_interval_68, arrhenius.extrapolated_interval_95)):
        if bounds is not None and error_there > 0.0 and 0.0 < bounds[0] < bounds[1] < np.inf:
            below = (line_there - float(np.log(bounds[0]))) / error_there
            above = (float(np.log(bounds[1])) - line_there) / error_there
            quantiles[position] = (below, above)
    return logarithm, standard_error, (quantiles[0], quantiles[1])


def exclusion_notes(arrhenius: ArrheniusResult) -> list[str]:
    """Say for each excluded temperature why it is not in the fit.

    Parameters
    ----------
    arrhenius : ArrheniusResult
        The fit.

    Returns
    -------
    list of str
        For example ``600 K: too few hops``.
    """
    return [
        f"{point.temperature_k:g} K: {point.exclusion_reason or 'no reason given'}"
        for point in arrhenius.points
        if not point.used
    ]


def add_temperature_axis(axes: Axes, temperatures: Sequence[float]) -> None:
    """Name the temperatures in K along the top, leaving out those that would overlap.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes over 1000/T.
    temperatures : sequence of float
        Temperatures in K.
    """
    low, high = axes.get_xlim()
    chosen: list[float] = []
    for temperature in sorted(set(temperatures)):
        x = 1000.0 / temperature
        if all(abs(x - 1000.0 / other) > 0.075 * (high - low) for other in chosen):
            chosen.append(temperature)
    top = axes.secondary_xaxis("top")
    top.set_xticks([1000.0 / temperature for temperature in chosen], [f"{t:g} K" for t in chosen])
    top.minorticks_off()


def _positive_curve(result: DiffusionResult) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lags, MSD and errors without the zero lag, which logarithmic axes cannot show."""
    lag = np.asarray(result.msd.lag_ps, dtype=float)
    msd = np.asarray(result.msd.tracer_angstrom2, dtype=float)
    error = np.asarray(result.msd.tracer_error_angstrom2, dtype=float)
    keep = (lag > 0.0) & (msd > 0.0) & np.isfinite(msd)
    return lag[keep], msd[keep], np.nan_to_num(error[keep])


def _draw_fit(axes: Axes, result: DiffusionResult, lag: np.ndarray, msd: np.ndarray, colour: Any) -> None:
    """Draw the fitted slope over its window, through the middle of the curve there."""
    estimate = result.tracer
    if estimate.value_cm2_s is None or estimate.fit_window_ps is None:
        return
    start, end = estimate.fit_window_ps
    inside = (lag >= start) & (lag <= end)
    if inside.sum() < 2:
        return
    slope = 6.0 * estimate.value_cm2_s / CM2_PER_S_FROM_ANGSTROM2_PER_PS
    offset = float(np.mean(msd[inside] - slope * lag[inside]))
    grid = np.linspace(lag[inside][0], lag[inside][-1], 60)
    line = slope * grid + offset
    axes.plot(grid[line > 0.0], line[line > 0.0], color=colour, linewidth=3.2, alpha=0.55, solid_capstyle="butt")


def _draw_unit_slope(axes: Axes, results: Sequence[DiffusionResult]) -> None:
    """Draw a dotted line of slope 1 above the hottest curve."""
    if not results:
        return
    lag, msd, _ = _positive_curve(results[-1])
    if lag.size < 2:
        return
    guide = 2.2 * msd[-1] * lag / lag[-1]
    start = lag.size // 3
    axes.plot(lag[start:], guide[start:], color="#5b6470", linestyle=":", linewidth=1.2)
    middle = (start + lag.size) // 2
    axes.annotate(
        "slope 1",
        (lag[middle], guide[middle]),
        xytext=(-6, 4),
        textcoords="offset points",
        ha="right",
        fontsize=8.5,
        color="#5b6470",
    )


def _plotted(value: Any, temperature_k: Any, is_conductivity: bool) -> Any:
    """Turn a conductivity in mS/cm into σT in S K/cm; leave a diffusivity as it is."""
    return value * temperature_k * 1.0e-3 if is_conductivity else value


def _draw_line(axes: Axes, arrhenius: ArrheniusResult, inverse: np.ndarray, used: Sequence[float]) -> None:
    """Draw the fit: solid over the simulated temperatures, dashed where it extrapolates, with its bands."""
    temperature = 1.0 / inverse
    logarithm, error, (q68, q95) = fit_band(arrhenius, temperature)
    unit = 1.0e-3 if arrhenius.quantity != "diffusivity_cm2_s" else 1.0
    x = 1000.0 * inverse
    if error is not None:
        for (below, above), alpha, label in ((q95, 0.18, "95 % statistical"), (q68, 0.36, "68 % statistical")):
            axes.fill_between(
                x,
                unit * np.exp(logarithm - below * error),
                unit * np.exp(logarithm + above * error),
                color=BAND,
                alpha=alpha,
                linewidth=0,
                label=label,
            )
    energy = arrhenius.activation_energy_ev
    label = f"fit, $E_a$ = {format_number(energy)} eV"
    line = unit * np.exp(logarithm)
    axes.plot(x, line, color=INK, linewidth=1.4, linestyle=(0, (4, 3)))
    if used:
        # Solid only between the temperatures that the fit rests on.
        inside = (temperature >= min(used) * (1 - 1e-9)) & (temperature <= max(used) * (1 + 1e-9))
        axes.plot(x[inside], line[inside], color=INK, linewidth=1.8, label=label)


def _draw_collective(axes: Axes, collective: ArrheniusResult, inverse: np.ndarray, is_conductivity: bool) -> None:
    """Draw the collective fit and its points, without bands."""
    logarithm, _, _ = fit_band(collective, 1.0 / inverse)
    unit = 1.0e-3 if is_conductivity else 1.0
    axes.plot(
        1000.0 * inverse,
        unit * np.exp(logarithm),
        color=COLLECTIVE,
        linewidth=1.2,
        linestyle=(0, (1, 1.6)),
        label=f"collective, $E_a$ = {format_number(collective.activation_energy_ev)} eV",
    )
    used = [point for point in collective.points if point.used and point.value is not None]
    axes.plot(
        [1000.0 / point.temperature_k for point in used],
        [_plotted(point.value, point.temperature_k, is_conductivity) for point in used],
        linestyle="none",
        marker="s",
        markersize=5,
        markerfacecolor="white",
        markeredgecolor=COLLECTIVE,
    )


def _draw_points(
    axes: Axes, points: Sequence[ArrheniusPoint], upper_bounds: Mapping[float, float], is_conductivity: bool
) -> None:
    """Draw used points full with error bars, excluded ones hollow, upper bounds as arrows."""
    used = [point for point in points if point.used and point.value is not None]
    if used:
        axes.errorbar(
            [1000.0 / point.temperature_k for point in used],
            [_plotted(point.value, point.temperature_k, is_conductivity) for point in used],
            yerr=_error_bars(used, is_conductivity),
            fmt="o",
            markersize=6.5,
            color=INK,
            capsize=3,
            elinewidth=1.1,
            zorder=4,
        )
    for point in points:
        if point.used:
            continue
        x = 1000.0 / point.temperature_k
        label = f"{point.temperature_k:g} K out: {_short(point.exclusion_reason)}"
        if point.value is not None and point.value > 0.0:
            y = _plotted(point.value, point.temperature_k, is_conductivity)
            axes.errorbar(
                [x],
                [y],
                yerr=_error_bars([point], is_conductivity),
                fmt="o",
                markersize=6.5,
                markerfacecolor="white",
                color=EXCLUDED,
                capsize=3,
                elinewidth=1.1,
                zorder=5,
                label=label,
            )
        elif point.temperature_k in upper_bounds and upper_bounds[point.temperature_k] > 0.0:
            y = _plotted(upper_bounds[point.temperature_k], point.temperature_k, is_conductivity)
            axes.plot(
                [x], [y], marker="v", markersize=8, markerfacecolor="white", color=EXCLUDED, linestyle="none", zorder=5
            )
            axes.plot([], [], marker="v", markerfacecolor="white", color=EXCLUDED, linestyle="none", label=label)
        else:
            axes.plot([], [], marker="x", color=EXCLUDED, linestyle="none", label=label)


def _error_bars(points: Sequence[ArrheniusPoint], is_conductivity: bool) -> np.ndarray:
    """One standard error each way, cut so that a bar never reaches zero on the logarithmic axis."""
    bars = np.zeros((2, len(points)))
    for column, point in enumerate(points):
        value = float(_plotted(point.value, point.temperature_k, is_conductivity))
        error = float(_plotted(point.standard_error or 0.0, point.temperature_k, is_conductivity))
        bars[:, column] = min(error, 0.95 * value), error
    return bars


def _draw_extrapolation(axes: Axes, arrhenius: ArrheniusResult, is_conductivity: bool) -> None:
    """Mark the extrapolated value with its intervals and write it out."""
    temperature = arrhenius.extrapolation_temperature_k
    value = arrhenius.extrapolated_value
    if value is None or value <= 0.0:
        return
    x = 1000.0 / temperature
    for bounds, width in ((arrhenius.extrapolated_interval_95, 1.2), (arrhenius.extrapolated_interval_68, 3.4)):
        if bounds is not None and bounds[0] > 0.0 and np.isfinite(bounds[1]):
            ends = [_plotted(end, temperature, is_conductivity) for end in bounds]
            axes.plot([x, x], ends, color=INK, linewidth=width, solid_capstyle="butt", zorder=4)
    y = _plotted(value, temperature, is_conductivity)
    axes.plot([x], [y], marker="D", markersize=7, markerfacecolor="white", color=INK, linestyle="none", zorder=6)
    symbol, unit = ("σ", "mS/cm") if is_conductivity else ("D", "cm²/s")
    lines = [f"{symbol}({temperature:g} K) = {format_number(value)} {unit}"]
    if arrhenius.extrapolated_interval_68 is not None:
        lines.append(f"68 %: {format_interval(arrhenius.extrapolated_interval_68)}")
    if arrhenius.extrapolated_interval_95 is not None:
        lines.append(f"95 %: {format_interval(arrhenius.extrapolated_interval_95)}")
    axes.annotate(
        "\n".join(lines),
        (0.985, 0.975),
        xycoords="axes fraction",
        ha="right",
        va="top",
        fontsize=9.5,
        linespacing=1.45,
        color=INK,
        bbox={"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": "#c8d3dd", "linewidth": 0.8},
        zorder=7,
    )


def _short(reason: str | None) -> str:
    """Cut a reason to a legend's length and take the sense of mathematics from its dollar signs."""
    text = " ".join((reason or "no reason given").split())
    if len(text) > _LONGEST_REASON:
        text = text[: _LONGEST_REASON - 1].rstrip() + "…"
    return text.replace("$", r"\$")
