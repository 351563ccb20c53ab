"""A rule that another package registers, compares and learns: in decisions, in the file, and in a campaign."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from superion.database.properties import PropertyEstimate
from superion.errors import SettingsError
from superion.workflows.campaign.decisions import CampaignState, CandidateEntry, StageOutcome, StageStep
from superion.workflows.campaign.file.explain import campaign_schema
from superion.workflows.campaign.file.json_schema import campaign_json_schema
from superion.workflows.campaign.file.load import parse_campaign
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.campaign.file.problems import CampaignFileError
from superion.workflows.selection.registry import load_rule, loaded_rules, rule_names
from superion.workflows.selection.rule import Verdict
from support.campaign_text import GOOD
from support.plugin_package import plugin_package

sys.path.append(str(Path(__file__).parent / "support"))
sys.path.append(str(Path(__file__).parents[1] / "campaign" / "support"))
from exploring_rule import ExploringRule
from lattice_campaign import PROBE, lattice_cell, rows_of, run_here, write_campaign

BARRIER, SIGMA = "percolation_barrier_3d_ev", "sigma_300k_ms_cm"
# Without the comparison of a later stage, which would wait for ever.
ALONE = GOOD.replace("      - keep_best: 10\n        by: greatest_sigma_300k_ms_cm\n", "")
POINTS = {"superion.selection_rules": {"explore": "exploring_rule:ExploringRule"}}


@pytest.fixture
def _explore(tmp_path):
    with plugin_package(tmp_path, POINTS, rule_names, load_rule, loaded_rules, campaign_schema):
        yield


def found(state: CampaignState, stage: str, name: str, number: float, values: dict[str, float]) -> None:
    """Let a stage find a property, or fail where the number is none."""
    key = f"{stage}({name})"
    estimates = {SIGMA if stage == "last" else BARRIER: PropertyEstimate(value=number)} if name in values else {}
    state.add_outcome(
        StageOutcome(key, "completed" if estimates else "failed", None if estimates else "died", estimates)
    )
    state.refresh()


def test_a_rule_that_learns_chooses_one_after_the_other():
    """The best promise fails, the second disappoints, the third is good enough, and the fourth is never computed."""
    rule = ExploringRule(promise=BARRIER, result=SIGMA, enough=1.0)
    steps = [
        StageStep("first", (rule,), lambda fingerprint: f"first({fingerprint})"),
        StageStep("last", (), lambda fingerprint: f"last({fingerprint})"),
    ]
    promises = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.0}
    state = CampaignState(steps)
    state.add_candidates(CandidateEntry(name, (name,)) for name in promises)
    state.refresh()
    for name, promise in promises.items():
        found(state, "first", name, promise, promises)
    results = {"b": 0.1, "c": 2.0}
    for name in ("a", "b", "c"):
        assert [unit.stage_key for unit in state.wanted_units()] == [f"last({name})"]
        assert state.decision("d").reason == f"waits for {name}"
        found(state, "last", name, results.get(name, 0.0), results)
    assert not state.wanted_units()
    assert {name: state.decision(name).status for name in promises} == {
        "a": "failed",
        "b": "done",
        "c": "done",
        "d": "rejected",
    }
    # From the same outcomes at once, the same decisions.
    again = CampaignState(steps)
    for name in promises:
        for stage in ("first", "last"):
            if (outcome := state.outcome(f"{stage}({name})")) is not None:
                again.add_outcome(outcome)
    again.add_candidates(CandidateEntry(name, (name,)) for name in promises)
    again.refresh()
    assert all(again.decision(name) == state.decision(name) for name in promises)


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        (lambda candidates: candidates["nobody"], "fails \\(KeyError"),
        (lambda candidates: {}, "says nothing of the candidate a"),
        (lambda candidates: {"a": Verdict(not candidates["a"].is_over)}, "keeps changing its verdicts"),
    ],
)
def test_a_rule_that_does_not_work_is_one_sentence(verdicts, words):
    class Broken(ExploringRule):
        def judge(self, candidates):
            return verdicts(candidates)

    rule = Broken(promise=BARRIER, result=SIGMA, enough=1.0)
    state = CampaignState([StageStep("first", (rule,), lambda fingerprint: f"first({fingerprint})")])
    state.add_candidates([CandidateEntry("a", ("a",))])
    state.add_outcome(StageOutcome("first(a)", "completed"))
    with pytest.raises(SettingsError, match=words):
        state.refresh()


@pytest.mark.usefixtures("_explore")
def test_the_file_names_it_and_editors_complete_it():
    rules = "    rules:\n      - {rule: explore, promise: volume_change_percent, result: sigma_300k_ms_cm, enough: 1}\n"
    text = ALONE.replace("    maximum_steps: 50\n", f"    maximum_steps: 50\n{rules}")
    campaign = parse_campaign(text)
    (rule,) = campaign.stages[1].rules
    assert isinstance(rule, ExploringRule)
    assert CampaignFile.model_validate_json(campaign.model_dump_json()) == campaign
    schema = campaign_json_schema()["$defs"]["ExploringRule"]
    assert schema["properties"]["rule"]["const"] == "explore"
    assert "rule" in schema["required"]
    for old, new, words in (
        ("promise: volume_change_percent", "promise: sigma_300k_ms_cm", "no stage up to 'relax' finds 'sigma_300k"),
        ("enough: 1", "enough: 1, enuogh: 2", "did you mean 'enough'"),
        ("rule: explore", "rule: explode", "did you mean 'explore'"),
    ):
        with pytest.raises(CampaignFileError, match=words):
            parse_campaign(text.replace(old, new))


@pytest.mark.usefixtures("_explore")
def test_no_comparison_waits_for_a_rule_that_holds_candidates_back():
    rules = "    rules:\n      - {rule: explore, promise: volume_change_percent, result: sigma_300k_ms_cm, enough: 1}\n"
    with pytest.raises(CampaignFileError, match="'explore' before it lets them go on one after the other"):
        parse_campaign(GOOD.replace("    maximum_steps: 50\n", f"    maximum_steps: 50\n{rules}"))


@pytest.mark.usefixtures("_explore")
def test_a_campaign_computes_only_what_the_rule_asks_for(tmp_path):
    rule = {"rule": "explore", "promise": "mobile_ion_density_per_angstrom3", "result": "probe_diffusivity_cm2_s"}
    stages = [{"stage": "validate", "rules": [rule | {"enough": 0.0}]}, PROBE]
    write_campaign(tmp_path, {"c14": lattice_cell(14, 1), "c17": lattice_cell(17, 2)}, stages=stages)
    _, ran = run_here(tmp_path)
    assert (ran.state, ran.n_finished, ran.counts) == ("finished", 3, {"done": 1, "rejected": 1})
    rows = rows_of(tmp_path)
    assert rows["c17"]["status"] == "done"
    assert rows["c14"]["reason"].endswith("is good enough")
