"""Rules that can cut nobody, because a stage only ever bounds what they go by."""

from __future__ import annotations

from collections.abc import Iterator

from ....database.properties import PROPERTIES
from ...stages.registry import load_stage
from ..rules import BestRule, Rule
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


def _why_idle(campaign: CampaignFile, index: int, rule: Rule) -> str | None:
    """Say why a rule of the stage at this position can cut nobody; None where it can."""
    name = rule.by if isinstance(rule, BestRule) else rule.property
    found = [
        (entry.stage, load_stage(entry.stage).bounds_only(entry.settings).get(name))
        for entry in campaign.stages[: index + 1]
        if name in load_stage(entry.stage).properties
    ]
    sides = {side for _, side in found}
    if None in sides or len(sides) != 1:
        return None
    stage, side = found[-1]
    finds = f"the stage '{stage}' finds only {side} bounds of '{name}'"
    if isinstance(rule, BestRule):
        others = _with_values(campaign, index)
        instead = f"go by '{others[0]}' instead, or leave it out" if others else "leave it out"
        return f"this rule can cut no candidate: {finds}, and none of them shows who is better; {instead}"
    # An upper bound may fall short of at_least and never goes beyond at_most; a lower bound the other way round.
    given, other = ("at_least", "at_most") if rule.at_least is not None else ("at_most", "at_least")
    if given == ("at_least" if side == "upper" else "at_most"):
        return None
    beyond = "below" if side == "upper" else "above"
    return (
        f"this rule can cut no candidate: {finds}, and the value may lie anywhere {beyond} its bound; "
        f"give {other}, or leave it out"
    )


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
