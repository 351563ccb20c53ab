"""The JSON Schema says of a file what the models say."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml
from superion.database.properties import PROPERTIES
from superion.database.property_names import ranked_names
from superion.potentials.registry import POTENTIALS
from superion.workflows.campaign.file.json_schema import campaign_json_schema
from superion.workflows.campaign.file.yaml_document import read_yaml
from superion.workflows.candidates.registry import source_kinds
from superion.workflows.stages.registry import load_stage, stage_names
from support.campaign_text import GOOD

SHIPPED = sorted((Path(str(resources.files("superion.configs"))) / "campaigns").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema():
    return campaign_json_schema()


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_accepts_good_files(validator):
    assert validator.is_valid(yaml.safe_load(GOOD))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_accepts_shipped_files(validator, path):
    validator.validate(read_yaml(path.read_bytes()).data)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("limits:", "limit:"),
        ("temperature_k: 900", "temprature_k: 900"),
        ("temperature_k: 900", "temperature_k: hot"),
        ("stage: relax", "stage: relaxe"),
        ("kind: table", "kind: tabel"),
        ("at_least: 0.01", "at_leest: 0.01"),
        ("name: demo\n", ""),
        ("property: greatest_sigma_300k_ms_cm", "property: greatest_sigma_300k"),
        ("by: greatest_sigma_300k_ms_cm", "by: volume_change_percent"),
        ("by: sigma_300k_ms_cm", "by: volume_change_percent"),
        ("    sigma_300k_ms_cm: 2", "    sigma: 2"),
        ("      sigma_300k_ms_cm: {", "      sigma: {"),
    ],
)
def test_refuses_what_the_models_refuse(validator, old, new):
    assert not validator.is_valid(yaml.safe_load(GOOD.replace(old, new, 1)))


def descriptions(part, place=""):
    """Give every setting with its description."""
    if isinstance(part, dict):
        for name, value in part.get("properties", {}).items():
            yield f"{place}.{name}", value.get("description")
        for key, value in part.items():
            yield from descriptions(value, f"{place}/{key}" if key in part.get("$defs", {}) else place)
    elif isinstance(part, list):
        for value in part:
            yield from descriptions(value, place)


def test_describes_every_setting(schema):
    found = list(descriptions(schema)) + [
        pair for name, part in schema["$defs"].items() for pair in descriptions(part, name)
    ]
    assert len(found) > 60
    assert [name for name, text in found if not text] == []


def test_completes_every_stage_and_source(schema):
    for name in stage_names():
        entry = schema["$defs"][f"stage_{name}"]
        stage = load_stage(name)
        common = {"stage", "rules"} | ({"potential"} if stage.uses_potential else set())
        assert set(entry["properties"]) == common | set(stage.settings_model.model_fields)
        assert entry["additionalProperties"] is False
    kinds = {
        schema["$defs"][item["$ref"].rsplit("/", 1)[1]]["properties"]["kind"]["const"]
        for item in schema["properties"]["candidates"]["items"]["anyOf"]
    }
    assert kinds == set(source_kinds())


def test_completes_properties_and_potentials(schema):
    defined = schema["$defs"]
    assert defined["ThresholdRule"]["properties"]["property"]["enum"] == [*PROPERTIES]
    assert defined["BestRule"]["properties"]["by"]["enum"] == [*ranked_names()]
    ranking = defined["RankingSettings"]["properties"]
    ranked = {"type": "string", "enum": [*ranked_names()]}
    assert ranking["by"]["anyOf"][0] == ranked
    assert ranking["weights"]["propertyNames"]["enum"] == ranked["enum"]
    assert ranking["pareto"]["anyOf"][0]["items"] == ranked
    tables = [part for part in defined.values() if "measured" in part.get("properties", {})]
    assert [part["properties"]["measured"]["propertyNames"]["enum"] for part in tables] == [[*PROPERTIES]]
    named = {"enum": [*POTENTIALS.names()]}
    assert named in defined["PotentialSpecification"]["properties"]["name"]["anyOf"]
    assert named in defined["DistilledPotential"]["properties"]["distil"]["anyOf"]
    assert {"enum": [*POTENTIALS.names()]} in schema["properties"]["potential"]["anyOf"]


@pytest.mark.parametrize(
    "potential",
    [
        "chgnet",
        "mace:medium-mpa-0",
        {"name": "chgnet", "device": "cpu"},
        {"distil": "chgnet"},
        {"distil": {"name": "mace", "model": "small"}, "size": "small", "per": "candidate", "spot_check_ps": None},
    ],
)
def test_accepts_a_potential_in_every_form(validator, potential):
    data = {**yaml.safe_load(GOOD), "potential": potential}
    data["stages"][1]["potential"] = potential
    assert validator.is_valid(data)


@pytest.mark.parametrize(
    "potential",
    [{"name": 5}, {"model": "small", "nam": "mace"}, {"distil": "chgnet", "per": "material"}, {"size": "tiny"}],
)
def test_refuses_a_potential_that_is_none(validator, potential):
    assert not validator.is_valid({**yaml.safe_load(GOOD), "potential": potential})


def test_takes_the_name_of_a_potential_that_was_trained_here(validator):
    assert validator.is_valid({**yaml.safe_load(GOOD), "potential": {"name": "argyrodite", "device": "cpu"}})
