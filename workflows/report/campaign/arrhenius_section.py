"""The Arrhenius lines of the best candidates as a section of a campaign's report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..html_parts import Markup, figure, section
from ..svg import figure_svg
from .arrhenius_overlay import MOST_SERIES, OverlaySeries, arrhenius_overlay, overlay_line
from .section import CampaignSection
from .view import LEFT, CampaignView

if TYPE_CHECKING:
    from ....database.campaigns import CampaignCollections
    from ....database.documents.candidate_summary import CandidateSummary

_SEARCHED_FOR_OVERLAY = 60
"""Candidates, best first, among which those with conductivities are sought for the Arrhenius figure."""


class ArrheniusSection(CampaignSection):
    """Conductivities of the best candidates against temperature."""

    position = 10

    def build(self, view: CampaignView, collections: CampaignCollections) -> Markup:
        """Build the section.

        Parameters
        ----------
        view : CampaignView
            The campaign.
        collections : CampaignCollections
            The store, which holds the conductivities at each temperature.

        Returns
        -------
        Markup
            HTML; empty where no candidate has conductivities.
        """
        return _figure_section(_series(view, collections))


def _figure_section(overlay: Sequence[OverlaySeries]) -> Markup:
    """Build the Arrhenius figure of several candidates."""
    if not overlay:
        return Markup("")
    names = ", ".join(one.label for one in overlay)
    svg = figure_svg(
        arrhenius_overlay(overlay),
        name="arrhenius-overlay",
        title="Arrhenius lines of the best candidates",
        description=f"Conductivity times temperature against inverse temperature, with lines to 300 K, for {names}.",
    )
    caption = (
        f"Conductivity times temperature against inverse temperature of the best {len(overlay)} candidates that have "
        "conductivities; the number is the rank. Filled points enter the fits, hollow ones do not; arrows mark 95 % "
        "upper bounds; thin lines extrapolate; the hollow mark at 300 K is the value over all orderings with its 95 % "
        "interval."
    )
    return section("Temperature dependence", figure(svg, caption))


def _series(view: CampaignView, collections: CampaignCollections) -> list[OverlaySeries]:
    """Find the best candidates that have conductivities at several temperatures, or at one."""
    series: list[OverlaySeries] = []
    for row in view.best_first()[:_SEARCHED_FOR_OVERLAY]:
        keys = [key for stage in row.stages.values() for key in stage.stage_keys]
        documents = collections.latest_stage_docs(keys)
        lines = [line for key in keys if key in documents and (line := overlay_line(documents[key])) is not None]
        if not lines:
            continue
        series.append(OverlaySeries(_legend(view, row), tuple(lines), row.properties.get("sigma_300k_ms_cm")))
        if len(series) == MOST_SERIES:
            break
    return series


def _legend(view: CampaignView, row: CandidateSummary) -> str:
    place = view.places.get(row.key)
    if place is not None:
        return f"{place}  {row.label}"
    return f"{row.label} ({row.status})" if row.status in LEFT else row.label
