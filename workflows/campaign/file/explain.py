"""From pydantic's complaints to sentences with lines, and with the nearest known key where one is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from .problems import Problem
from .yaml_document import YamlDocument, nearest


@cache
def campaign_schema() -> dict[str, Any]:
    """Give the JSON Schema of campaign files, made once.

    Returns
    -------
    dict
        The schema.
    """
    from .json_schema import campaign_json_schema

    return campaign_json_schema()


def explain(
    error: ValidationError, document: YamlDocument, schema: Callable[[], dict[str, Any]] = campaign_schema
) -> list[Problem]:
    """Turn the errors of the schema into problems of the file.

    Parameters
    ----------
    error : pydantic.ValidationError
        What the model raised.
    document : YamlDocument
        The file.
    schema : callable
        Gives the model's JSON Schema; the campaign's unless told otherwise.

    Returns
    -------
    list of Problem
        One for each error, without repetitions.
    """
    problems = []
    for details in error.errors(include_url=False):
        place = _place_in_file(details["loc"], document.data)
        if details["type"] == "value_error" and not _is_written(document.data, place):
            # What a model says as a whole: the last step is the tag of a union.
            place = place[:-1]
        if details["type"] == "too_short" and _value_at(document.data, place):
            # Its items are wrong, and each of them is told of.
            continue
        # A campaign's schema loads every stage and source: only these two need it.
        needs_schema = details["type"] in ("extra_forbidden", "missing")
        problems.append(
            Problem(
                line=document.line_of(place),
                place=written_place(place),
                sentence=_sentence(details, place, document.data, schema() if needs_schema else {}),
            )
        )
    return list(dict.fromkeys(problems))


def _place_in_file(location: Sequence[str | int], data: Any) -> tuple[str | int, ...]:
    """Follow an error's location through the data, leaving out the tags of unions."""
    place: list[str | int] = []
    for position, step in enumerate(location):
        last = position == len(location) - 1
        if isinstance(data, dict) and isinstance(step, str):
            if step in data:
                data = data[step]
            elif not last:
                # The name of a union's member, or a value that the file does not have.
                continue
            place.append(step)
        elif isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
            data = data[step]
            place.append(step)
    return tuple(place)


def _value_at(data: Any, place: Sequence[str | int]) -> Any:
    for step in place:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _is_written(data: Any, place: Sequence[str | int]) -> bool:
    """Whether the last step of a place is one of the file."""
    within = _value_at(data, place[:-1])
    return not place or not isinstance(within, dict) or place[-1] in within


def written_place(place: Sequence[str | int]) -> str:
    """Write a place as a reader would.

    Parameters
    ----------
    place : sequence of str or int
        Keys, and positions from 0.

    Returns
    -------
    str
        Such as ``stages[1].rules[2].at_most``, positions counted from 1.

    Examples
    --------
    >>> written_place(("stages", 0, "rules", 1, "at_most"))
    'stages[1].rules[2].at_most'
    """
    text = ""
    for step in place:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def _sentence(details: ErrorDetails, place: Sequence[str | int], data: Any, schema: dict[str, Any]) -> str:
    """Say what is wrong and how to mend it."""
    where = written_place(place)
    kind, key = details["type"], str(details["loc"][-1]) if details["loc"] else ""
    if kind == "extra_forbidden":
        known = sorted(_properties(schema, place[:-1], data))
        parent = written_place(place[:-1])
        within = f" in {parent}" if parent else ""
        near = nearest(key, known)
        return f"there is no setting '{key}'{within}" + (f", did you mean '{near}'?" if near else ": remove it")
    if kind == "missing":
        description = _properties(schema, place[:-1], data).get(key, {}).get("description", "")
        parent = written_place(place[:-1])
        within = f" in {parent}" if parent else ""
        return f"the setting '{key}' is missing{within}" + (f" ({description})" if description else "") + ": give it"
    message = details["msg"].removeprefix("Value error, ")
    if kind in ("campaign", "stage_name", "ion"):
        return message
    if kind == "too_short":
        return f"{where} is empty: give at least one item"
    message = message[:1].lower() + message[1:].rstrip(".").replace("valid tuple", "valid list")
    shown = "" if isinstance(details["input"], dict | list | tuple) else f" cannot be {_short(details['input'])}"
    if kind == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where or 'the file'}{shown}: {message}; correct it"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _properties(schema: dict[str, Any], place: Sequence[str | int], data: Any) -> dict[str, dict[str, Any]]:
    """Collect the settings that the schema knows at a place, by name."""
    found: dict[str, dict[str, Any]] = {}
    for part in _at(schema, schema, tuple(place), data):
        found |= part.get("properties", {})
    return found


def _at(
    root: dict[str, Any], part: dict[str, Any], place: tuple[str | int, ...], data: Any
) -> Iterator[dict[str, Any]]:
    """Give the parts of the schema that describe a place; of alternatives, those that the data may mean."""
    if "$ref" in part:
        yield from _at(root, root["$defs"][part["$ref"].rsplit("/", 1)[1]], place, data)
        return
    for alternative in (*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())):
        if _may_mean(root, alternative, data):
            yield from _at(root, alternative, place, data)
    if not place:
        yield part
        return
    step, rest = place[0], place[1:]
    if isinstance(step, int) and isinstance(part.get("items"), dict):
        inner = data[step] if isinstance(data, list) and step < len(data) else None
        yield from _at(root, part["items"], rest, inner)
    elif isinstance(step, str):
        inner = data.get(step) if isinstance(data, dict) else None
        if step in part.get("properties", {}):
            yield from _at(root, part["properties"][step], rest, inner)
        elif isinstance(part.get("additionalProperties"), dict):
            yield from _at(root, part["additionalProperties"], rest, inner)


def _may_mean(root: dict[str, Any], alternative: dict[str, Any], data: Any) -> bool:
    """Whether the data does not contradict a fixed value of the alternative, such as its `kind`."""
    if "$ref" in alternative:
        alternative = root["$defs"][alternative["$ref"].rsplit("/", 1)[1]]
    if not isinstance(data, dict):
        return True
    return all(
        "const" not in value or name not in data or data[name] == value["const"]
        for name, value in alternative.get("properties", {}).items()
    )
