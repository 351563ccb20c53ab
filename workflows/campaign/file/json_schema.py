"""The campaign file as JSON Schema, with the settings of every stage, source and rule, so that editors complete it."""

from __future__ import annotations

import copy
from typing import Any

from pydantic.json_schema import models_json_schema

from ....errors import SettingsError
from ....potentials.registry import POTENTIALS
from ...candidates.registry import load_source, source_kinds
from ...candidates.source import CandidateSource
from ...dispatch.settings import ENGINES, DispatchSettings, engine_names
from ...selection.registry import loaded_rules
from ...selection.rule import SelectionRule
from ...stages.registry import load_stage, stage_names
from ...stages.stage import Stage
from .model import CampaignFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""The JSON Schema dialect that pydantic writes."""


def campaign_json_schema() -> dict[str, Any]:
    """Describe the campaign file as JSON Schema.

    Stages, sources and rules of other packages are included; one that does not load is left out.

    Returns
    -------
    dict
        Plain JSON.

    Examples
    --------
    >>> schema = campaign_json_schema()
    >>> sorted(schema["required"])
    ['candidates', 'mobile_ion', 'name', 'potential', 'stages']
    """
    stages, sources, engines, rules = _loaded_stages(), _loaded_sources(), _loaded_engines(), loaded_rules()
    models: list[type[Any]] = [CampaignFile, *engines, *rules.values()]
    models += [stage.settings_model for stage in stages] + [source.settings_model for source in sources]
    unique = list(dict.fromkeys(models))
    references, shared = models_json_schema([(model, "validation") for model in unique])
    definitions: dict[str, Any] = shared["$defs"]

    def definition(model: type[Any]) -> dict[str, Any]:
        return definitions[references[(model, "validation")]["$ref"].rsplit("/", 1)[1]]

    top = copy.deepcopy(definition(CampaignFile))
    common = definitions["StageEntry"]["properties"]
    distilled = _reference("DistilledPotential")
    top["properties"]["potential"] = _potential(top["properties"]["potential"], distilled)
    common["potential"] = _potential(common["potential"], distilled, {"type": "null"})
    teacher = definitions["DistilledPotential"]["properties"]
    teacher["distil"] = _potential(teacher["distil"])
    common["rules"]["items"] = {"anyOf": [references[(rule, "validation")] for rule in rules.values()]}
    for name, rule in rules.items():
        _describe_rule(definition(rule), name, rule)
    for stage in stages:
        definitions[f"stage_{stage.name}"] = _stage_entry(stage, definition(stage.settings_model), common)
    top["properties"]["stages"]["items"] = {"anyOf": [_reference(f"stage_{stage.name}") for stage in stages]}
    top["properties"]["candidates"]["items"] = {
        "anyOf": [references[(source.settings_model, "validation")] for source in sources]
    }
    for source in sources:
        _describe_kind(definition(source.settings_model), source)
    top["properties"]["dispatch"]["anyOf"] = [references[(engine, "validation")] for engine in engines]
    for name in ("$ref", "allOf"):
        top["properties"]["dispatch"].pop(name, None)
    # Registered names are completed; that of a potential that was trained here is any other.
    named = definitions["PotentialSpecification"]["properties"]["name"]
    named["anyOf"] = [{"enum": [*POTENTIALS.names()]}, {"type": named.pop("type")}]
    top["$defs"] = _reachable(top, definitions)
    for part in (top, *top["$defs"].values()):
        # Of a class's documentation the first sentence: an editor shows no examples in Python.
        part["description"] = part.get("description", "").split("\n\n")[0].replace("\n", " ")
    return {"$schema": DIALECT, "title": "superion campaign", **{k: v for k, v in top.items() if k != "title"}}


def _stage_entry(stage: Stage, settings: dict[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    """Put a stage's name, settings and what all stages take beside each other, as the file has them."""
    return {
        "type": "object",
        "title": stage.name,
        "description": stage.description,
        "properties": {
            "stage": {"const": stage.name, "description": stage.description},
            **({"potential": common["potential"]} if stage.uses_potential else {}),
            **settings.get("properties", {}),
            "rules": common["rules"],
        },
        "required": ["stage", *settings.get("required", [])],
        "additionalProperties": False,
    }


def _potential(described: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Let a potential be a name, which is completed, a name with its model or of a trained one, or a mapping."""
    named = [{"enum": [*POTENTIALS.names()]}, {"type": "string"}, _reference("PotentialSpecification")]
    return {"description": described.get("description", ""), "anyOf": [*named, *others]}


def _describe_kind(definition: dict[str, Any], source: CandidateSource) -> None:
    definition["description"] = source.description
    definition["properties"]["kind"] = {"const": source.kind, "description": source.description}
    definition["required"] = list(dict.fromkeys(["kind", *definition.get("required", [])]))


def _describe_rule(definition: dict[str, Any], name: str, rule: type[SelectionRule]) -> None:
    definition["properties"]["rule"] = {"const": name, "description": rule.description}
    if not rule.telling_settings:
        definition["required"] = list(dict.fromkeys(["rule", *definition.get("required", [])]))


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _reachable(top: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Keep only the definitions that the schema refers to."""
    kept: dict[str, Any] = {}
    waiting: list[Any] = [top]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            name = str(item.get("$ref", "")).rsplit("/", 1)[-1]
            if name in definitions and name not in kept:
                kept[name] = definitions[name]
                waiting.append(definitions[name])
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return dict(sorted(kept.items()))


def _loaded_stages() -> list[Stage]:
    found = []
    for name in stage_names():
        try:
            found.append(load_stage(name))
        except SettingsError:
            continue
    return found


def _loaded_sources() -> list[CandidateSource]:
    found = []
    for kind in source_kinds():
        try:
            found.append(load_source(kind))
        except SettingsError:
            continue
    return found


def _loaded_engines() -> list[type[DispatchSettings]]:
    found = []
    for name in engine_names():
        try:
            found.append(ENGINES.load(name))
        except SettingsError:
            continue
    return found
