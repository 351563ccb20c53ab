from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from superion.constants import BOLTZMANN_EV_PER_K
from superion.transport.arrhenius import ArrheniusInput, fit_arrhenius
from superion.workflows.report.figures import (
    arrhenius_figure,
    collective_figure,
    exclusion_notes,
    fit_band,
    msd_figure,
    temperature_colours,
)
from superion.workflows.report.svg import figure_svg


def test_the_band_ends_at_the_published_interval(document):
    arrhenius = document.arrhenius
    temperature = arrhenius.extrapolation_temperature_k
    logarithm, error, quantiles = fit_band(arrhenius, np.array([temperature]))
    sigma = np.exp(logarithm[0]) / temperature
    assert sigma == pytest.approx(arrhenius.extrapolated_value, rel=1e-9)
    for (below, above), interval in zip(
        quantiles, (arrhenius.extrapolated_interval_68, arrhenius.extrapolated_interval_95), strict=True
    ):
        assert sigma * math.exp(-below * error[0]) == pytest.approx(interval[0], rel=1e-9)
        assert sigma * math.exp(above * error[0]) == pytest.approx(interval[1], rel=1e-9)


def test_the_line_goes_through_noise_free_points():
    energy = 0.3
    points = [
        ArrheniusInput(t, 1e5 / t * math.exp(-energy / (BOLTZMANN_EV_PER_K * t)), 1e3 / t)
        for t in (600.0, 800.0, 1000.0)
    ]
    points = [ArrheniusInput(p.temperature_k, p.value, 1e-4 * p.value) for p in points]
    fit = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
    logarithm, _, _ = fit_band(fit, np.array([700.0]))
    assert logarithm[0] == pytest.approx(math.log(1e5) - energy / (BOLTZMANN_EV_PER_K * 700.0), abs=1e-6)


def test_the_plotted_points_are_sigma_times_temperature(document):
    axes = arrhenius_figure(document.arrhenius).axes[0]
    drawn = {
        (round(1000.0 / x, 3), round(y, 6))
        for line in axes.lines
        if line.get_marker() == "o"
        for x, y in zip(*line.get_data(), strict=True)
    }
    for point in document.arrhenius.points:
        if point.used:
            assert (round(point.temperature_k, 3), round(point.value * point.temperature_k * 1e-3, 6)) in drawn


def test_an_excluded_temperature_is_drawn_hollow_with_its_reason(document):
    bounds = {r.temperature_k: r.nernst_einstein.upper_bound_95_ms_cm for r in document.temperatures}
    axes = arrhenius_figure(document.arrhenius, upper_bounds=bounds).axes[0]
    hollow = [line for line in axes.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert len(hollow) == 1
    assert hollow[0].get_xdata()[0] == pytest.approx(2.0)
    assert hollow[0].get_markerfacecolor() == "white"
    labels = axes.get_legend_handles_labels()[1]
    assert any("500 K" in label and "too few hops" in label for label in labels)
    assert exclusion_notes(document.arrhenius) == ["500 K: too few hops (3.2, at least 10 wanted): only an upper bound"]


def test_the_msd_fit_line_has_the_slope_of_the_diffusivity(document):
    result = document.temperatures[-1]
    linear = msd_figure([result]).axes[1]
    thick = max(linear.lines, key=lambda line: line.get_linewidth())
    x, y = thick.get_data()
    slope = (y[-1] - y[0]) / (x[-1] - x[0])
    assert slope == pytest.approx(6e4 * result.tracer.value_cm2_s, rel=1e-9)
    start, end = result.tracer.fit_window_ps
    assert start <= x[0] < x[-1] <= end


def test_colours_get_brighter_with_temperature():
    luminance = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in temperature_colours(6)]
    assert luminance == sorted(luminance)


def test_every_kind_of_result_has_figures(document):
    nothing = fit_arrhenius([ArrheniusInput(500.0, None, None, upper_bound_95=3.0)], quantity="nernst_einstein_ms_cm")
    two = fit_arrhenius(
        [ArrheniusInput(500.0, 1e-6, 2e-7), ArrheniusInput(700.0, 5e-6, 2e-7)], quantity="diffusivity_cm2_s"
    )
    bare = document.temperatures[0].model_copy(
        update={"msd": document.temperatures[0].msd.model_copy(update={"framework_angstrom2": None})}
    )
    for figure in (
        arrhenius_figure(nothing),
        arrhenius_figure(nothing, upper_bounds={500.0: 3.0}),
        arrhenius_figure(two),
        msd_figure([]),
        msd_figure(document.temperatures),
        collective_figure([bare]),
    ):
        assert "<svg" in figure_svg(figure, name="x", title="t", description="d")


def test_a_reason_with_mathematics_in_it_is_drawn_as_text(document):
    points = [ArrheniusInput(700.0, 1.0, 0.1, exclusion_reason=r"$\frac{1}{0$ $ broken")]
    fit = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
    assert "<svg" in figure_svg(arrhenius_figure(fit), name="x", title="t", description="d")


def test_svg_is_reproducible_and_keeps_to_its_own_ids(document):
    def draw(name):
        return figure_svg(msd_figure(document.temperatures), name=name, title="a < b", description='say "d"')

    first, again, other = draw("one"), draw("one"), draw("two")
    assert first == again
    assert first.startswith("<svg")
    assert first.endswith("</svg>")
    assert "a &lt; b" in first
    assert "<metadata" not in first
    assert "<?xml" not in first
    import re

    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, other)]
    assert not ids[0] & ids[1]
    targets = set(re.findall(r'href="#([^"]+)"', first)) | set(re.findall(r"url\(#([^)]+)\)", first))
    assert targets <= ids[0]
    assert not re.search(r'\b(?:width|height)="[0-9.]+pt"', first.split(">", 1)[0])


def test_figures_leave_pyplot_alone(document):
    import matplotlib

    before = dict(matplotlib.rcParams)
    msd_figure(document.temperatures)
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
