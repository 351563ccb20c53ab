"""Rules that can cut nobody, because a stage only ever bounds what they go by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from ....database.properties import PROPERTIES
from ...selection.rule import SelectionRule
from ...stages.registry import load_stage
from .model import CampaignFile


def idle_rules(campaign: CampaignFile) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find the rules of a campaign that no candidate can ever break.

    A rule cuts only what is certain. Of two upper bounds neither value is certainly the better, so a rule for the best
    by a property that is only ever bounded keeps everyone; a threshold does so where the bound leaves its side open.

    Parameters
    ----------
    campaign : CampaignFile
        A checked campaign.

    Yields
    ------
    tuple
        The place of the rule in the file, as keys and list positions, and one sentence without a final stop.
    """
    for index, entry in enumerate(campaign.stages):
        for position, rule in enumerate(entry.rules):
            sentence = _why_idle(campaign, index, rule)
            if sentence is not None:
                yield ("stages", index, "rules", position), sentence


def _why_idle(campaign: CampaignFile, index: int, rule: SelectionRule) -> str | None:
    """Say why a rule of the stage at this position can cut nobody; None where it can."""
    bounds: dict[str, Literal["upper", "lower"]] = {}
    stages = []
    for name in rule.judged_properties().values():
        found = [
            (entry.stage, load_stage(entry.stage).bounds_only(entry.settings).get(name))
            for entry in campaign.stages[: index + 1]
            if name in load_stage(entry.stage).properties
        ]
        stage, side = found[-1]
        if side is not None and {one for _, one in found} == {side}:
            bounds[name] = side
            stages.append(f"the stage '{stage}' finds only {side} bounds of '{name}'")
    clause = rule.why_idle(bounds, _with_values(campaign, index)) if bounds else None
    return None if clause is None else f"this rule can cut no candidate: {' and '.join(stages)}, and {clause}"


def _with_values(campaign: CampaignFile, index: int) -> list[str]:
    """Name the properties that say who is better and are known by then with values, those of the last stages first."""
    names: dict[str, None] = {}
    for entry in reversed(campaign.stages[: index + 1]):
        stage = load_stage(entry.stage)
        bounded = stage.bounds_only(entry.settings)
        names |= {
            name: None
            for name in stage.properties
            if name not in bounded and name in PROPERTIES and PROPERTIES[name].better != "neither"
        }
    return list(names)
