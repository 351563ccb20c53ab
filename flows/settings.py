"""Settings of a flow as dotted names, such as `md.time_step_fs`, applied with checks onto its Makers."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ..errors import SettingsError
from ..potentials.specification import PotentialSpecification, potential_specification
from ..runtime.maker import Maker

_HIDDEN = frozenset({"name"})
"""Fields that name jobs; a flow decides over them."""


class SettingInfo(BaseModel):
    """One setting of a flow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    value: Any
    type: str
    description: str


def apply_settings(maker: Maker, settings: Mapping[str, Any]) -> Maker:
    """Give a Maker with some settings changed; the one given stays as it is.

    Parameters
    ----------
    maker : Maker
        A flow.
    settings : mapping of str to Any
        Values by dotted name, or nested mappings as in a preset. The names of settings groups may be left out
        where that is clear: `md.time_step_fs` means `md.protocol.time_step_fs`. `potential` takes a name, or a name
        and a model as `mace:medium-mpa-0`. An optional sub-maker, such as `volume`, is switched on by true or by one
        of its settings and off by null.

    Returns
    -------
    Maker
        The changed copy.

    Raises
    ------
    SettingsError
        If there is no such setting, the nearest known one being named, or its value does not fit.

    Examples
    --------
    >>> from superion.flows.conductivity import ConductivityMaker
    >>> apply_settings(ConductivityMaker(), {"md.time_step_fs": 1.5}).md.protocol.time_step_fs
    1.5
    """
    for name, value in flatten(settings).items():
        maker = _with(maker, name.split("."), value, name)
    return maker


def parse_assignment(text: str) -> tuple[str, Any]:
    """Split `name=value` as typed on a command line.

    Parameters
    ----------
    text : str
        Such as `md.time_step_fs=1` or `temperatures_k=600,800,1000`.

    Returns
    -------
    tuple of str and Any
        The dotted name, and the value as YAML reads it.

    Raises
    ------
    SettingsError
        If there is no name or no `=`.

    Examples
    --------
    >>> parse_assignment("md.stop.target_relative_error=0.1")
    ('md.stop.target_relative_error', 0.1)
    """
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise SettingsError(f"The setting '{text}' is not of the form name=value, such as md.time_step_fs=1.")
    try:
        return name.strip(), yaml.safe_load(value)
    except yaml.YAMLError:
        return name.strip(), value


def list_settings(maker: Maker) -> list[SettingInfo]:
    """List every setting of a flow with its value and description.

    Parameters
    ----------
    maker : Maker
        A flow.

    Returns
    -------
    list of SettingInfo
        In the order in which the flow declares them; sub-makers that are switched off appear with their defaults.
    """
    return list(_walk(maker, ""))


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested settings into dotted ones.

    Parameters
    ----------
    settings : mapping of str to Any
        Nested or dotted.
    prefix : str
        Put before every name.

    Returns
    -------
    dict of str to Any
        Dotted names with plain values.
    """
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        # `options` hold a calculator's own arguments: a value, not a level.
        if isinstance(value, Mapping) and not name.endswith("options"):
            flat |= flatten(value, f"{name}.")
        else:
            flat[name] = value
    return flat


# ------------------------------------------------------------------ one setting


def _with(owner: Any, path: list[str], value: Any, full_name: str) -> Any:
    """Give a copy of a Maker or a settings group with one setting changed."""
    head, *rest = path
    fields = _fields(owner)
    if head not in fields:
        group = _group_with(owner, head)
        if group is None:
            raise _unknown(owner, full_name, len(path))
        head, rest = group, path
    if not rest:
        return _replace(owner, head, _converted(fields[head], value, full_name), full_name)
    inner = getattr(owner, head)
    if inner is None:
        inner = _default_of(fields[head])
    if isinstance(inner, Mapping):
        # free arguments, as those of a calculator: one more, or one changed
        return _replace(owner, head, {**inner, ".".join(rest): value}, full_name)
    if not (isinstance(inner, BaseModel | Maker)):
        raise SettingsError(
            f"The setting '{full_name}' goes too deep: {'.'.join(full_name.split('.')[: -len(rest)])} "
            "has no settings of its own."
        )
    return _replace(owner, head, _with(inner, rest, value, full_name), full_name)


def _replace(owner: Any, name: str, value: Any, full_name: str) -> Any:
    """Give a copy with one field changed, checked where the owner can check."""
    if isinstance(owner, BaseModel):
        fields = {key: getattr(owner, key) for key in type(owner).model_fields}
        try:
            return type(owner).model_validate(fields | {name: value})
        except ValidationError as error:
            raise _misfit(full_name, value, error) from None
    return dataclasses.replace(owner, **{name: value})


def _converted(hint: Any, value: Any, full_name: str) -> Any:
    """Turn a value from YAML or a command line into a field's type."""
    inner = _single(hint)
    if inner is PotentialSpecification and isinstance(value, str):
        return potential_specification(value)
    if _is_maker(inner):
        return _switched(hint, value, full_name)
    if typing.get_origin(inner) is tuple:
        value = _as_list(value)
    try:
        return TypeAdapter(hint).validate_python(value)
    except ValidationError as error:
        raise _misfit(full_name, value, error) from None


def _switched(hint: Any, value: Any, full_name: str) -> Any:
    """Switch an optional sub-maker on or off."""
    if value is True:
        return _single(hint)()
    if value is not None and value is not False:
        raise SettingsError(f"The setting '{full_name}' is a whole step: give one of its own settings.")
    if type(None) not in typing.get_args(hint):
        raise SettingsError(f"The step '{full_name}' cannot be left out: give one of its own settings.")
    return None


def _as_list(value: Any) -> Any:
    """Read `600,800` or a single number as a list."""
    if isinstance(value, str):
        return [yaml.safe_load(part) for part in re.split(r"[,\s]+", value.strip()) if part]
    return [value] if isinstance(value, int | float) else value


def _misfit(name: str, value: Any, error: ValidationError) -> SettingsError:
    """Say in one sentence why a value does not fit."""
    reason = error.errors()[0]["msg"]
    return SettingsError(f"The setting '{name}' cannot be {value!r}: {reason[0].lower()}{reason[1:]}.")


def _unknown(owner: Any, full_name: str, depth: int) -> SettingsError:
    """Say that there is no such setting, and name the nearest."""
    parts = full_name.split(".")
    prefix = ".".join(parts[: len(parts) - depth])
    known = {info.name for info in _walk(owner, f"{prefix}." if prefix else "")}
    known |= {short for name in known if (short := _shortened(name, prefix))}
    near = difflib.get_close_matches(full_name, known, n=1, cutoff=0.0)
    hint = f": did you mean '{near[0]}'?" if near else "."
    return SettingsError(f"There is no setting '{full_name}'{hint}")


def _shortened(name: str, prefix: str) -> str:
    """Leave the settings group out of a name, as a user may."""
    parts = name.split(".")
    return ".".join([*parts[:-2], parts[-1]]) if len(parts) - len(prefix.split(".")) >= 1 and len(parts) > 2 else ""


# ------------------------------------------------------------------ the tree


def _fields(owner: Any) -> dict[str, Any]:
    """Give the type of every setting that a Maker or a settings group has."""
    if isinstance(owner, BaseModel):
        return {name: info.annotation for name, info in type(owner).model_fields.items()}
    hints = typing.get_type_hints(type(owner))
    return {field.name: hints[field.name] for field in dataclasses.fields(owner) if field.name not in _HIDDEN}


def _single(hint: Any) -> Any:
    """Take the one type out of `type | None`."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        others = [option for option in typing.get_args(hint) if option is not type(None)]
        return others[0] if len(others) == 1 else hint
    return hint


def _is_maker(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, Maker)


def _is_group(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, BaseModel)


def _default_of(hint: Any) -> Any:
    """Make a sub-maker or settings group that is switched off."""
    inner = _single(hint)
    return inner() if _is_maker(inner) or _is_group(inner) else None


def _group_with(owner: Any, name: str) -> str | None:
    """Find the one settings group of a Maker that has a setting of this name."""
    if not isinstance(owner, Maker):
        return None
    groups = [
        field
        for field, hint in _fields(owner).items()
        if _is_group(_single(hint))
        and _single(hint) is not PotentialSpecification
        and name in _single(hint).model_fields
    ]
    return groups[0] if len(groups) == 1 else None


def _walk(owner: Any, prefix: str) -> Iterator[SettingInfo]:
    """List the settings of a Maker or a settings group, deep first."""
    descriptions = _descriptions(owner)
    for name, hint in _fields(owner).items():
        inner = _single(hint)
        value = getattr(owner, name)
        if _is_maker(inner) or _is_group(inner):
            optional = type(None) in typing.get_args(hint)
            if optional:
                whole = None if value is None or _is_maker(inner) else value.model_dump(mode="json")
                shown = value is not None if _is_maker(inner) else whole
                yield SettingInfo(
                    name=prefix + name,
                    value=shown,
                    type="on or off" if _is_maker(inner) else f"{inner.__name__} or null",
                    description=descriptions.get(name, ""),
                )
            if value is None and not _is_maker(inner):
                continue
            yield from _walk(value if value is not None else _default_of(hint), f"{prefix}{name}.")
        else:
            plain = list(value) if isinstance(value, tuple) else value
            yield SettingInfo(
                name=prefix + name, value=plain, type=_type_name(hint), description=descriptions.get(name, "")
            )


def _type_name(hint: Any) -> str:
    """Write a type as a user reads it."""
    if inspect.isclass(hint) and not typing.get_args(hint):
        return hint.__name__
    return re.sub(r"\b(?:typing|types)\.|NoneType", lambda found: "None" if "None" in found[0] else "", str(hint))


def _descriptions(owner: Any) -> dict[str, str]:
    """Give the description of every setting: a group's own, or the Parameters section of a Maker's docstring."""
    if isinstance(owner, BaseModel):
        return {name: info.description or "" for name, info in type(owner).model_fields.items()}
    text = inspect.cleandoc(type(owner).__doc__ or "")
    section = re.search(r"Parameters\n-+\n(.*?)(?:\n\n[A-Z][^\n]*\n-+\n|\Z)", text, re.DOTALL)
    found: dict[str, str] = {}
    for match in re.finditer(r"^(\w+) : [^\n]*\n((?:[ ]+[^\n]*\n?)+)", section[1] if section else "", re.MULTILINE):
        found[match[1]] = " ".join(match[2].split())
    return found
