"""The parts of a campaign's report: counting, marks, lines, drawings."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.constants import BOLTZMANN_EV_PER_K
from superion.database.properties import PropertyEstimate
from superion.database.ranking import pareto_front
from superion.workflows.report.campaign.arrhenius_overlay import OverlaySeries, arrhenius_overlay, overlay_line
from superion.workflows.report.campaign.estimate_marks import Mark, mark_of
from superion.workflows.report.campaign.figure_text import drawn_text
from superion.workflows.report.campaign.funnel import OUTCOMES, funnel_steps, kind_of_reason
from superion.workflows.report.campaign.funnel_chart import funnel_figure
from superion.workflows.report.campaign.links import page_name
from superion.workflows.report.campaign.measured_figure import measured_figure
from superion.workflows.report.campaign.pareto_figure import pareto_figure
from superion.workflows.report.campaign.structure_view import structure_svg
from superion.workflows.report.campaign.value_text import estimate_text
from superion.workflows.report.svg import figure_svg
from support.reported_campaign import STAGES, TEMPERATURES, demo_rows, rock_salt, stage_documents

ROWS = demo_rows()
DOCUMENTS = stage_documents(ROWS)


def test_nobody_is_lost_in_the_funnel():
    rows = ROWS
    steps = funnel_steps(ROWS, STAGES)
    assert steps[0].n_entered == len(rows)
    for before, after in itertools.pairwise(steps):
        assert after.n_entered == before.counts["passed"]
    out = sum(step.counts["rejected"] + step.counts["failed"] for step in steps)
    assert out == sum(row.status in ("rejected", "failed") for row in rows)
    for step in steps:
        assert sum(r.n_candidates for r in step.reasons) == step.counts["rejected"] + step.counts["failed"]


def test_reasons_that_differ_in_numbers_are_one():
    probe = funnel_steps(ROWS, STAGES)[3]
    assert [(reason.n_candidates, reason.outcome) for reason in probe.reasons] == [(3, "rejected")]
    assert "greatest σ(300 K) is at most … mS/cm" in probe.reasons[0].text
    assert kind_of_reason("Li3PO4 holds 'x y' at -1.5e-3 Å") == "Li3PO4 holds '…' at … Å"


def test_the_bars_of_the_chart_are_the_counts():
    steps = funnel_steps(ROWS, STAGES)
    axes = funnel_figure(steps).axes[0]
    drawn = sum(patch.get_width() for patch in axes.patches)
    assert drawn == sum(step.n_entered for step in steps)
    assert len([o for o in OUTCOMES if any(step.counts[o] for step in steps)]) == len(axes.containers)


def test_an_overlay_line_goes_through_its_points_and_its_value():
    document = next(d for d in DOCUMENTS if d.stage_key == "conductivity-1")
    line = overlay_line(document)
    assert [point.temperature_k for point in line.points] == sorted(TEMPERATURES)
    series = OverlaySeries("a", (line,), document.properties["sigma_300k_ms_cm"])
    axes = arrhenius_overlay([series]).axes[0]
    fit = max((one for one in axes.lines if len(one.get_xdata()) > 50), key=lambda one: len(one.get_xdata()))
    x, y = (np.asarray(data, dtype=float) for data in fit.get_data())
    assert y[-1] == pytest.approx(0.3 * document.properties["sigma_300k_ms_cm"].value, rel=1e-9)
    slope = np.polyfit(x / 1000.0, np.log(y), 1)[0]
    assert -slope * BOLTZMANN_EV_PER_K == pytest.approx(0.21, rel=1e-6)
    for point in line.points:
        expected = np.interp(1000.0 / point.temperature_k, x, np.log(y))
        assert math.log(1e-3 * point.temperature_k * point.sigma_ms_cm) == pytest.approx(expected, abs=1e-3)


def test_bounds_in_the_overlay_are_hollow():
    document = next(d for d in DOCUMENTS if d.stage_key == "conductivity-7")
    line = overlay_line(document)
    assert all(point.is_bound and not point.is_used for point in line.points)
    axes = arrhenius_overlay([OverlaySeries("b", (line,), document.properties["sigma_300k_ms_cm"])]).axes[0]
    single = [one for one in axes.lines if len(one.get_xdata()) == 1]
    assert len(single) == len(TEMPERATURES) + 1
    assert {one.get_markerfacecolor() for one in single} == {"white"}
    assert len(axes.texts) == len(TEMPERATURES) + 1  # one arrow each


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("temperature_k", "sigma_ms_cm", "sigma_interval_68_ms_cm", "sigma_upper_bound_95_ms_cm", "usable")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=5) | ANYTHING, max_size=4) | ANYTHING)
def test_details_of_a_stranger_never_break_the_overlay(listed):
    line = overlay_line(DOCUMENTS[0].model_copy(update={"details": {"temperatures": listed}}))
    assert line is None or all(point.temperature_k > 0 and point.sigma_ms_cm > 0 for point in line.points)


@pytest.mark.parametrize(
    ("name", "estimate", "mark"),
    [
        ("sigma_300k_ms_cm", PropertyEstimate(bound="upper", limit=0.1), Mark(0.1, open_end=-1)),
        ("electrochemical_window_v", PropertyEstimate(bound="lower", limit=2.0), Mark(2.0, open_end=1)),
        ("sigma_300k_ms_cm", PropertyEstimate(value=0.0), None),
        ("sigma_300k_ms_cm", PropertyEstimate(bound="lower", limit=math.inf), None),
        ("activation_energy_ev", PropertyEstimate(value=0.0), Mark(0.0)),
        ("sigma_300k_ms_cm", None, None),
    ],
    ids=["upper", "lower", "zero", "infinite", "zero_energy", "nothing"],
)
def test_marks(name, estimate, mark):
    assert mark_of(name, estimate) == mark


def test_a_bar_never_reaches_zero_on_a_logarithmic_axis():
    mark = mark_of("sigma_300k_ms_cm", PropertyEstimate(value=1.0, interval_68=(0.0, math.inf)))
    assert mark.position - mark.below > 0.0
    assert mark.above == 0.0


def test_values_and_bounds_as_text():
    assert estimate_text(None) == "–"
    assert estimate_text(PropertyEstimate(value=0.25)) == "0.250"
    assert estimate_text(PropertyEstimate(bound="lower", limit=5.0)) == "> 5.00"
    assert estimate_text(PropertyEstimate(value=0.03, bound="lower", limit=0.03)) == "0.0300 (> 0.0300)"


def test_the_pareto_panels_mark_the_front():
    rows = [row for row in ROWS if row.status == "done"]
    names = ("sigma_300k_ms_cm", "activation_energy_ev", "electrochemical_window_v")
    front = {row.key for row in pareto_front(rows, names).front}
    figure = pareto_figure(rows, names, on_front=front, places={row.key: n for n, row in enumerate(rows, start=1)})
    assert len(figure.axes) == 2
    full = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    expected = {(r.properties[names[0]].value, r.properties[names[1]].value) for r in rows if r.key in front}
    drawn = {(float(x), float(y)) for line in full for x, y in zip(*line.get_data(), strict=True)}
    # a candidate without both values, or with a bound, stands where its marks say
    assert drawn == {pair for pair in expected if None not in pair}
    assert "better" in " ".join(text.get_text() for text in figure.axes[0].texts)


def test_many_points_are_marked_by_triangles():
    done = [row for row in ROWS if row.status == "done"]
    rows = [
        row.model_copy(update={"key": f"{row.key}-{copy}"})
        for copy in range(40)
        for row in done
        if "electrochemical_window_v" in row.properties
    ]
    axes = pareto_figure(rows, ("sigma_300k_ms_cm", "electrochemical_window_v"), on_front=()).axes[0]
    assert {line.get_marker() for line in axes.lines if len(line.get_xdata()) > 10} == {"v"}


def test_measured_against_computed_shows_values_and_bounds():
    rows = [row for row in ROWS if "sigma_300k_ms_cm" in row.measured]
    axes = measured_figure(rows, "sigma_300k_ms_cm").axes[0]
    assert axes.get_xlim() == axes.get_ylim()
    by_marker = {line.get_marker(): line for line in axes.lines if line.get_marker() in ("o", "s")}
    assert len(by_marker["o"].get_xdata()) == 5
    assert by_marker["s"].get_xydata().tolist() == [[1e-7, 2e-5]]
    assert "mS cm⁻¹" in axes.get_xlabel()


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=60))
def test_any_name_can_be_drawn(text):
    import matplotlib
    from matplotlib.figure import Figure

    drawn = drawn_text(text)
    assert len(drawn.replace(r"\$", "$")) <= 32
    figure = Figure(figsize=(2, 1))
    figure.text(0.1, 0.5, drawn)
    with matplotlib.rc_context():
        assert "<svg" in figure_svg(figure, name="x", title=text, description=text)


@given(st.text(max_size=100))
def test_page_names_are_plain(text):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}\.html", page_name(text))


def test_page_names_keep_candidates_apart():
    assert len({page_name(name) for name in ("ab", "ab ", "../ab", "AB.html", "")}) == 5


def test_a_cell_is_drawn_with_its_images_and_legend():
    svg = structure_svg(rock_salt(), name="c", title="<LiCl>", mobile_ion="Li")
    # 14 Li on corners and faces, 13 Cl on edges and in the middle, 2 in the legend
    assert svg.count("<circle") == 14 + 13 + 2
    assert "&lt;LiCl&gt;" in svg
    assert "Li (mobile)" in svg
    assert svg == structure_svg(rock_salt(), name="c", title="<LiCl>", mobile_ion="Li")


def test_the_view_keeps_left_and_right():
    lattice = Lattice.from_parameters(4, 5, 6, 80, 95, 100)
    cell = Structure(lattice, ["Li"], [[0.2, 0.3, 0.4]])
    from superion.workflows.report.campaign.structure_view import _view

    view = _view(lattice.matrix)
    assert np.allclose(view.T @ view, np.eye(3))
    assert np.linalg.det(view) == pytest.approx(1.0)
    assert (lattice.matrix @ view)[2, 1] > 0.9 * lattice.c
    assert "nan" not in structure_svg(cell, name="c", title="t")
