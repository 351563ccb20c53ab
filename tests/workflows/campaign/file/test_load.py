"""Campaign files: what is right, and how every mistake is told with its line."""

from __future__ import annotations

import random
import re
from importlib import resources
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from superion.errors import SettingsError
from superion.structures.read import bundled_structures
from superion.workflows.campaign.file.load import load_campaign_file, parse_campaign
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.campaign.file.problems import CampaignFileError
from superion.workflows.selection.best import BestRule
from superion.workflows.selection.threshold import ThresholdRule
from support.campaign_text import GOOD

SHIPPED = sorted((Path(str(resources.files("superion.configs"))) / "campaigns").glob("*.yaml"))


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if words in line)


def test_reads_a_good_file():
    campaign = parse_campaign(GOOD)
    assert [source.kind for source in campaign.candidates] == ["files", "table", "substitution"]
    assert [entry.stage for entry in campaign.stages] == ["validate", "relax", "probe", "conductivity"]
    assert campaign.stages[1].settings.maximum_steps == 50
    threshold, best = campaign.stages[2].rules
    assert isinstance(threshold, ThresholdRule)
    assert isinstance(best, BestRule)
    assert (threshold.at_least, best.keep_best) == (0.01, 10)
    assert campaign.potential.options["spacing_angstrom"] == 3.0
    assert campaign.ranked_by() == "sigma_300k_ms_cm"


def test_stages_inherit_the_md_settings_and_may_override_them():
    probe, conductivity = parse_campaign(GOOD).stages[2:]
    assert (probe.settings.md.time_step_fs, probe.settings.md.seed) == (2.0, 7)
    assert (conductivity.settings.md.time_step_fs, conductivity.settings.md.seed) == (1.0, 7)


def test_survives_a_round_trip_through_plain_data():
    campaign = parse_campaign(GOOD)
    assert CampaignFile.model_validate(campaign.model_dump()) == campaign
    assert CampaignFile.model_validate_json(campaign.model_dump_json()) == campaign


@pytest.mark.parametrize("text", ["chgnet", "mace:medium-mpa-0"])
def test_takes_a_potential_by_name(text):
    name, _, model = text.partition(":")
    potential = parse_campaign(re.sub(r"potential: .*", f"potential: {text}", GOOD)).potential
    assert (potential.name, potential.model) == (name, model or None)


@pytest.mark.parametrize("short", [True, False], ids=["short", "long"])
def test_finds_a_model_file_from_the_folder_of_the_campaign(tmp_path, short):
    (tmp_path / "my.model").write_text("weights")
    given_as = "mace:my.model" if short else "{name: mace, model: my.model}"
    file = tmp_path / "campaign.yaml"
    text = GOOD.replace("maximum_steps: 50", f"maximum_steps: 50\n    potential: {given_as}")
    file.write_text(re.sub(r"^potential: .*", f"potential: {given_as}", text, flags=re.MULTILINE))
    campaign = load_campaign_file(file)
    assert {campaign.potential.model, campaign.stages[1].potential.model} == {str((tmp_path / "my.model").resolve())}


def test_finds_a_folder_of_a_stage_from_the_folder_of_the_campaign(tmp_path):
    (tmp_path / "phases").mkdir()
    (tmp_path / "phases" / "a.cif").write_bytes(bundled_structures()["Li6PS5Cl"].read_bytes())
    stage = "- stage: stability\n    references: [folder]\n    folder: phases\n  - stage: conductivity"
    file = tmp_path / "campaign.yaml"
    file.write_text(GOOD.replace("- stage: conductivity", stage))
    assert load_campaign_file(file).stages[3].settings.folder == str((tmp_path / "phases").resolve())


def test_what_a_stage_finds_wrong_by_itself_has_a_line_too(tmp_path):
    (tmp_path / "empty").mkdir()
    stage = "- stage: stability\n    references: [folder]\n    folder: empty\n  - stage: conductivity"
    text = GOOD.replace("- stage: conductivity", stage)
    with pytest.raises(
        CampaignFileError, match=f"line {line_of(text, 'stage: stability')}: .*holds no structure files"
    ):
        parse_campaign(text, base_folder=tmp_path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_campaigns_are_right(path):
    assert load_campaign_file(path).name == path.stem


MISTAKES = {
    # what is replaced, by what, words of the line that must be named, words of the sentence
    "unknown key": ("limits:\n", "limit:\n", "limit:", ["'limit'", "'limits'"]),
    "unknown key of a source": ("paths:", "pathes:", "pathes:", ["'pathes' in candidates[1]", "'paths'"]),
    "unknown key of a stage": ("temperature_k:", "temprature_k:", "temprature_k", ["stages[3]", "'temperature_k'"]),
    "unknown key of a rule": ("at_least:", "atleast:", "atleast", ["stages[3].rules[1]", "'at_least'"]),
    "unknown key of a best rule": ("keep_best:", "keep_bests:", "keep_bests", ["stages[3].rules[2]", "'keep_best'"]),
    "unknown key of md": ("  seed: 7", "  sed: 7", "  sed: 7", ["md", "'seed'"]),
    "unknown key of a stage's md": ("      time_step_fs: 1", "      time_step: 1", "time_step: 1", ["'time_step_fs'"]),
    "unknown key of a column": ("unit: S/cm", "units: S/cm", "units:", ["sigma_300k_ms_cm", "'unit'"]),
    "unknown kind": ("kind: table", "kind: tabel", "kind: tabel", ["'tabel'", "'table'"]),
    "unknown stage": ("stage: relax", "stage: relaxe", "stage: relaxe", ["'relaxe'", "'relax'"]),
    "unknown potential": ('"name": "ase"', '"name": "asse"', "potential", ["'asse'", "'ase'"]),
    "potential of a stage without": (
        "- stage: validate\n",
        "- stage: validate\n    potential: chgnet\n",
        "    potential: chgnet",
        ["the stage 'validate' computes without a potential"],
    ),
    "unknown potential of a stage": (
        "maximum_steps: 50",
        "potential: chgnat",
        "potential: chgnat",
        ["'chgnat'", "'chgnet'"],
    ),
    "unknown key of a stage's potential": (
        "maximum_steps: 50",
        "potential: {name: chgnet, devise: cpu}",
        "devise",
        ["stages[2].potential", "'device'"],
    ),
    "unknown property": ("property: greatest_", "property: greatst_", "greatst_", ["'greatest_sigma_300k_ms_cm'"]),
    "unknown ranking": ("  by: sigma_300k_ms_cm", "  by: sigma", "by: sigma", ["'sigma'", "did you mean"]),
    "unknown measured property": (
        "      sigma_300k_ms_cm: {",
        "      sigma: {",
        "      sigma: {",
        ["'sigma', did you mean 'sigma_300k_ms_cm'?"],
    ),
    "unknown engine": ("engine: local", "engine: cloud", "engine: cloud", ["'cloud'", "local"]),
    "unit that does not fit": ("unit: S/cm", "unit: eV", "unit: eV", ["eV", "mS/cm"]),
    "no kind": ("- kind: table\n    path:", "- path:", "- path:", ["kind: NAME", "files"]),
    "no stage name": ("- stage: relax\n    maximum", "- maximum", "- maximum", ["stage: NAME", "relax"]),
    "no name": ("name: demo\n", "", "description", ["'name' is missing"]),
    "not a number": ("temperature_k: 900", "temperature_k: hot", "hot", ["stages[3].temperature_k", "'hot'"]),
    "negative": ("temperature_k: 900", "temperature_k: -3", "-3", ["stages[3].temperature_k", "-3"]),
    "zero": ("keep_best: 10", "keep_best: 0", "keep_best: 0", ["greater than 0"]),
    "two sides": ("at_least: 0.01", "at_least: 0.01\n        at_most: 3", "- property", ["exactly one"]),
    "no side": ("        at_least: 0.01\n", "", "- property", ["exactly one"]),
    "two best": ("keep_best: 10", "keep_best: 10\n        keep_fraction: 0.5", "- keep_best", ["exactly one"]),
    "property of a later stage": (
        "property: greatest_sigma_300k_ms_cm",
        "property: activation_energy_ev",
        "property: activation",
        ["no stage up to 'probe' finds 'activation_energy_ev'"],
    ),
    "ranking by what no stage finds": (
        "  by: sigma_300k_ms_cm",
        "  by: electrochemical_window_v",
        "by: electro",
        ["no stage of this campaign finds"],
    ),
    "stage twice": ("stage: relax\n    maximum_steps: 50", "stage: validate #", "- stage: validate #", ["second time"]),
    "not an ion": ("mobile_ion: Li", "mobile_ion: Lithium", "Lithium", ["'Lithium'"]),
    "ion of no usual charge": ("mobile_ion: Li", "mobile_ion: Fe", "mobile_ion: Fe", ["ion_charge", "Fe2+"]),
    "no charge": ("mobile_ion: Li", "mobile_ion: Li\nion_charge: 0", "ion_charge", ["charge"]),
    "not a name": ("name: demo", "name: my campaign", "name: my", ["my campaign"]),
    "number as name": ("name: demo", "name: 12", "name: 12", ["name"]),
    "no candidates": (GOOD[GOOD.index("candidates:") : GOOD.index("mobile_ion")], "candidates: []\n", "candidates", []),
    "no element": ("{S: Se}", "{S: Q}", "maps:", ["'Q'"]),
    "impossible fraction": ("{S: Se}", "{S: {Se: 1.5}}", "{S: {Se: 1.5}}", []),
    "list for a mapping": ("ordering:\n  n_orderings: 2\n  seed: 3", "ordering: [1, 2]", "ordering:", ["ordering"]),
    "mapping for a list": ("temperatures_k: [700, 900]", "temperatures_k: {a: 1}", "temperatures_k", ["list"]),
    "word for a stage": ("- stage: validate\n", "- validate\n", "- validate", ["stages[1]"]),
    "twice the same temperature": ("[700, 900]", "[700, 700]", "temperatures_k", ["twice"]),
    "weight below zero": ("    sigma_300k_ms_cm: 2", "    sigma_300k_ms_cm: -2", "ms_cm: -2", ["above zero"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_tells_a_mistake_with_its_line(name):
    old, new, where, words = MISTAKES[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    with pytest.raises(CampaignFileError) as caught:
        parse_campaign(text, "file.yaml")
    expected = line_of(text, where.splitlines()[0]) if "\n" not in where else text[: text.index(where)].count("\n") + 1
    assert expected in [problem.line for problem in caught.value.problems]
    problem = next(problem for problem in caught.value.problems if problem.line == expected)
    for word in words:
        assert word in problem.sentence
    assert "\n" not in str(caught.value)


def test_a_rule_is_named_as_it_is_written():
    text = GOOD.replace("at_least: 0.01", "at_least: 0.01\n        at_most: 3")
    with pytest.raises(CampaignFileError) as caught:
        parse_campaign(text)
    (problem,) = caught.value.problems
    assert problem.place == "stages[3].rules[1]"
    assert problem.sentence.startswith("stages[3].rules[1]: a threshold needs exactly one")


def test_tells_all_mistakes_at_once():
    text = GOOD.replace("seed: 3", "sed: 3").replace("workers: 2", "workers: -2").replace("name: demo\n", "")
    with pytest.raises(CampaignFileError, match="2 more mistakes") as caught:
        parse_campaign(text, "file.yaml")
    assert [problem.line for problem in caught.value.problems] == sorted(
        [1, line_of(text, "sed: 3"), line_of(text, "workers")]
    )


@pytest.mark.parametrize("text", ["- a\n- b\n", "word\n", "3\n", "&anchor\n", "null\n"])
def test_refuses_what_is_no_mapping(text):
    with pytest.raises(CampaignFileError, match="line 1"):
        parse_campaign(text)


def test_says_that_there_is_no_file(tmp_path):
    with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
        load_campaign_file(tmp_path / "nowhere.yaml")
    with pytest.raises(SettingsError, match="is a folder"):
        load_campaign_file(tmp_path)


# ------------------------------------------------------------------ any settings


@given(
    n_orderings=st.integers(-5, 200),
    seed=st.integers(-3, 10),
    workers=st.none() | st.integers(-2, 2000),
    fraction=st.floats(-1, 2),
    limit=st.none() | st.floats(-10, 1e6),
)
def test_accepts_exactly_what_makes_sense(n_orderings, seed, workers, fraction, limit):
    data = yaml.safe_load(GOOD)
    data["ordering"] = {"n_orderings": n_orderings, "seed": seed}
    data["dispatch"]["workers"] = workers
    data["stages"][2]["rules"][1] = {"keep_fraction": fraction, "by": "greatest_sigma_300k_ms_cm"}
    data["limits"]["maximum_core_hours"] = limit
    makes_sense = (
        1 <= n_orderings <= 100
        and seed >= 0
        and (workers is None or 1 <= workers <= 1024)
        and 0 < fraction <= 1
        and (limit is None or limit > 0)
    )
    text = yaml.safe_dump(data, sort_keys=False)
    if makes_sense:
        campaign = parse_campaign(text)
        assert campaign.ordering.n_orderings == n_orderings
        assert campaign.stages[2].rules[1].keep_fraction == pytest.approx(fraction)
    else:
        with pytest.raises(CampaignFileError):
            parse_campaign(text)


def mappings(data, place=()):
    """Places of all mappings whose keys are settings."""
    if isinstance(data, dict):
        if not set(place) & {"options", "maps", "weights", "measured"}:
            yield place
        for key, value in data.items():
            yield from mappings(value, (*place, key))
    elif isinstance(data, list):
        for index, value in enumerate(data):
            yield from mappings(value, (*place, index))


SECTIONS = list(mappings(yaml.safe_load(GOOD)))


@given(
    place=st.sampled_from(SECTIONS),
    key=st.text("abcdefghijklmnopqrstuvwxyz_", min_size=3, max_size=15).map("x_{}".format),
)
def test_refuses_an_unknown_key_anywhere(place, key):
    data = yaml.safe_load(GOOD)
    inner = data
    for step in place:
        inner = inner[step]
    inner[key] = "anything"
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=False)
    with pytest.raises(CampaignFileError) as caught:
        parse_campaign(text)
    line = line_of(text, f"{key}: anything")
    assert any(
        problem.line == line and f"'{key}'" in problem.sentence and "did you mean" in problem.sentence
        for problem in caught.value.problems
    )


# ------------------------------------------------------------------ hostile files

TOKENS = ["[", "]", "{", "}", ":", "-", "\t", "&a ", "*a ", "!!python/object:os.system ", "'", '"', "|", ">", "%", "@"]
TOKENS += [".nan", "1e999", "-1", "null", "\0", "é", "\u2028", "#", "?", "<<: ", "9" * 400, "true", "[[[[", "\r", "~"]


def mutated(text: str, seed: int) -> str | bytes:
    """Change a file in one to three ways that depend on the seed alone."""
    generator = random.Random(seed)
    for _ in range(generator.randint(1, 3)):
        lines = text.splitlines(keepends=True)
        here, there = generator.randrange(len(lines)), generator.randrange(len(lines))
        position = generator.randrange(len(text))
        way = generator.randrange(9)
        if way == 0:
            del lines[here]
            text = "".join(lines)
        elif way == 1:
            lines.insert(there, lines[here])
            text = "".join(lines)
        elif way == 2:
            lines[here], lines[there] = lines[there], lines[here]
            text = "".join(lines)
        elif way == 3:
            text = text[:position] + generator.choice(TOKENS) + text[position:]
        elif way == 4:
            text = text[:position] + text[position + generator.randint(1, 30) :]
        elif way == 5:
            text = text[: max(1, position)]
        elif way == 6:
            lines[here] = re.sub(r": .*", f": {generator.choice(TOKENS)}", lines[here])
            text = "".join(lines)
        elif way == 7:
            lines[here] = re.sub(r"(\w)(\w)", r"\2\1", lines[here], count=1)
            text = "".join(lines)
        else:
            lines[here] = " " * generator.randint(0, 7) + lines[here].lstrip()
            text = "".join(lines)
        text = text or "x"
    if seed % 10 == 9:
        raw = bytearray(text.encode())
        raw[generator.randrange(len(raw))] = generator.randrange(256)
        return bytes(raw)
    return text


@pytest.mark.parametrize("tens", range(10))
def test_a_hundred_mutated_files_give_typed_errors(tens):
    for seed in range(10 * tens, 10 * tens + 10):
        source = GOOD if seed % 2 else SHIPPED[seed // 2 % len(SHIPPED)].read_text(encoding="utf-8")
        text = mutated(source, seed)
        try:
            parse_campaign(text, "mutated.yaml")
        except CampaignFileError as error:
            n_lines = len(text.splitlines())
            for problem, sentence in zip(error.problems, error.sentences(), strict=True):
                assert 1 <= problem.line <= n_lines + 1
                assert re.match(rf"mutated\.yaml, line {problem.line}: \S", sentence)
                assert "\n" not in sentence
                assert len(sentence) < 900


def test_most_mutations_are_mistakes():
    wrong = 0
    for seed in range(100):
        source = GOOD if seed % 2 else SHIPPED[seed // 2 % len(SHIPPED)].read_text(encoding="utf-8")
        try:
            parse_campaign(mutated(source, seed))
        except CampaignFileError:
            wrong += 1
    assert wrong >= 60


def test_python_users_get_pydantic_errors():
    with pytest.raises(ValidationError):
        CampaignFile.model_validate({"name": "x"})
