"""Rules that can cut nobody are found, and no rule that can cut somebody is called idle."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion.database.properties import PROPERTIES, PropertyEstimate
from superion.workflows.campaign.file.idle_rules import idle_rules
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.selection.best import BestRule
from superion.workflows.selection.rule import JudgedCandidate
from superion.workflows.selection.threshold import ThresholdRule
from superion.workflows.stages.registry import load_stage, stage_names

BOUNDED = [("probe", "greatest_sigma_300k_ms_cm", "upper")] + [
    ("stability", name, side) for name, side in load_stage("stability").bounds_only(
        load_stage("stability").settings_model()
    ).items()
]  # fmt: skip


def campaign_with(stage: str, rule: dict, **settings) -> CampaignFile:
    return CampaignFile.model_validate(
        {
            "name": "demo",
            "candidates": [{"kind": "files", "paths": ["*.cif"]}],
            "mobile_ion": "Li",
            "potential": "chgnet",
            "stages": [{"stage": "relax"}] * (stage != "relax") + [{"stage": stage, **settings, "rules": [rule]}],
        }
    )


def sentences(*arguments, **settings) -> list[str]:
    return [sentence for _, sentence in idle_rules(campaign_with(*arguments, **settings))]


def best_rules(name: str) -> list[dict]:
    return (
        []
        if PROPERTIES[name].better == "neither"
        else [{"keep_best": 2, "by": name}, {"keep_fraction": 0.5, "by": name}]
    )


def test_it_names_the_place_and_what_to_go_by_instead():
    found = list(idle_rules(campaign_with("probe", {"keep_best": 20, "by": "greatest_sigma_300k_ms_cm"})))
    assert found == [
        (
            ("stages", 1, "rules", 0),
            "this rule can cut no candidate: the stage 'probe' finds only upper bounds of 'greatest_sigma_300k_ms_cm', "
            "and none of them shows who is better; go by 'probe_diffusivity_cm2_s' instead, or leave it out",
        )
    ]


def idle_for(name: str, side: str, at: float) -> list[dict]:
    """Rules that a bound of this side cannot break."""
    return [*best_rules(name), {"property": name, "at_least" if side == "lower" else "at_most": at}]


@pytest.mark.parametrize(("stage", "name", "side"), BOUNDED)
def test_they_are_found(stage, name, side):
    assert all(sentences(stage, rule) for rule in idle_for(name, side, 1.0))


@given(
    bounded=st.sampled_from(BOUNDED),
    limits=st.lists(st.floats(0.0, 10.0), min_size=1, max_size=6),
    at=st.floats(0.0, 10.0),
)
def test_they_cut_nobody_whatever_the_bounds_are(bounded, limits, at):
    _, name, side = bounded
    candidates = {
        str(number): JudgedCandidate({name: PropertyEstimate(bound=side, limit=limit)})
        for number, limit in enumerate(limits)
    }
    *best, threshold = idle_for(name, side, at)
    for rule in [*(BestRule(**one) for one in best), ThresholdRule(**threshold)]:
        assert all(verdict.kept for verdict in rule.judge(candidates).values())


@pytest.mark.parametrize(("stage", "name", "side"), BOUNDED)
def test_a_threshold_on_the_side_of_the_bound_is_not_idle(stage, name, side):
    rule = {"property": name, "at_least" if side == "upper" else "at_most": 1.0}
    assert sentences(stage, rule) == []
    beyond = PropertyEstimate(bound=side, limit=0.5 if side == "upper" else 2.0)
    assert not ThresholdRule(**rule).verdict_on(beyond).kept


def test_references_that_may_be_complete_give_values(tmp_path):
    rule = {"keep_best": 3, "by": "energy_above_hull_ev_per_atom"}
    Structure(Lattice.cubic(3.5), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(str(tmp_path / "Li.cif"))
    folder = {"references": ["shipped", "folder"], "folder": str(tmp_path)}
    assert sentences("stability", rule, **folder)
    assert sentences("stability", rule, **folder, folder_is_complete=True) == []
    assert sentences("stability", rule, references=["materials_project"]) == []


def test_a_property_with_values_is_never_called_idle():
    for stage in stage_names():
        bounded = load_stage(stage).bounds_only(load_stage(stage).settings_model())
        names = [name for name in load_stage(stage).properties if name not in bounded]
        thresholds = [{"property": name, side: 1.0} for name, side in product(names, ("at_least", "at_most"))]
        for rule in [*thresholds, *(rule for name in names for rule in best_rules(name))]:
            assert sentences(stage, rule) == []


def test_what_stages_bound_they_find():
    for stage in map(load_stage, stage_names()):
        assert set(stage.bounds_only(stage.settings_model())) <= set(stage.properties)
