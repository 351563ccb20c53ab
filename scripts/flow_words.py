"""The words after `superion run FLOW`: inputs of the flow, and options that only the flow knows."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ..errors import SettingsError, StoreError

if TYPE_CHECKING:
    from ..database.queries import StoredDocument
    from ..flows.declaration import FlowDescription, FlowInput

_ID = re.compile(r"[0-9a-f]{4}[0-9a-f-]*")
"""The uuid of a document, or its first characters."""


@dataclass(frozen=True)
class ResolvedInput:
    """An input as the user named it, and what the flow's `make` takes for it.

    Parameters
    ----------
    text : str
        What the user wrote.
    value : object
        Name of a file or example, a crystal with its origin, a document, or a list of these.
    """

    text: str
    value: Any


def split_words(
    words: Sequence[str], flow: FlowDescription, known_options: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """Tell inputs from options that the command itself does not know.

    Parameters
    ----------
    words : sequence of str
        What the command left over, such as ``["a.cif", "--dopant", "Cl"]``.
    flow : FlowDescription
        The flow.
    known_options : sequence of str
        Options of the command itself, with their dashes, to name the nearest one.

    Returns
    -------
    tuple of (list of str, dict of str to str)
        Inputs, and values of the flow's options by name.

    Raises
    ------
    typer.BadParameter
        If the flow has no such option, or its value is missing.
    """
    declared = [option.name for option in flow.options]
    inputs: list[str] = []
    options: dict[str, str] = {}
    remaining = iter(words)
    for word in remaining:
        if not word.startswith("-") or word == "-":
            inputs.append(word)
            continue
        given, separator, value = word.partition("=")
        name = given.removeprefix("--")
        if not given.startswith("--") or name not in declared:
            near = difflib.get_close_matches(given, [*known_options, *(f"--{one}" for one in declared)], n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise typer.BadParameter(f"No such option of the flow {flow.name}: {given}{hint}")
        if not separator:
            following = next(remaining, None)
            if following is None:
                raise typer.BadParameter(f"Option {given} requires an argument.")
            value = following
        options[name] = value
    return inputs, options


def overrides_of(flow: FlowDescription, options: Mapping[str, Any]) -> dict[str, Any]:
    """Turn options into the settings that they are short forms of.

    Parameters
    ----------
    flow : FlowDescription
        The flow.
    options : mapping of str to object
        Values by name of the option; None values are left out.

    Returns
    -------
    dict of str to object
        Values by dotted name of the setting.

    Raises
    ------
    SettingsError
        If the flow has no such option.
    """
    settings = {option.name: option.setting for option in flow.options}
    given = {name: value for name, value in options.items() if value is not None}
    unknown = next((name for name in given if name not in settings), None)
    if unknown is not None:
        has = ", ".join(f"--{name}" for name in settings) or "none of its own"
        raise SettingsError(
            f"The flow {flow.name} has no option --{unknown}; it has {has}, and `superion flow show {flow.name}` lists "
            "the settings for --set."
        )
    # in the order declared: the potential before what is changed in it
    return {setting: given[name] for name, setting in settings.items() if name in given}


def resolve_inputs(words: Sequence[str], flow: FlowDescription, store: str | None) -> tuple[ResolvedInput, ...]:
    """Find what the user means by the inputs of a flow.

    Parameters
    ----------
    words : sequence of str
        Files, shipped examples, or ids of documents.
    flow : FlowDescription
        The flow, which declares what it takes.
    store : str or None
        Store in which ids are looked up; None for the project's own.

    Returns
    -------
    tuple of ResolvedInput
        One for each declared input.

    Raises
    ------
    SettingsError
        If there are too few or too many, or one is of the wrong kind.
    """
    declared = flow.inputs
    takes = " ".join(one.shown for one in declared) or "no input"
    if len(words) < len(declared):
        missing = declared[len(words)]
        raise SettingsError(
            f"The flow {flow.name} takes {takes}, and no {missing.name} is given; give it: {missing.description}."
        )
    if len(words) > len(declared) and not (declared and declared[-1].is_list):
        raise SettingsError(
            f"The flow {flow.name} takes {takes}, and '{words[len(declared)]}' is one too many; leave it out."
        )
    resolved = []
    for position, one in enumerate(declared):
        own = words[position:] if one.is_list else words[position : position + 1]
        values = [_value(word, one, store) for word in own]
        resolved.append(ResolvedInput(" ".join(own), values if one.is_list else values[0]))
    return tuple(resolved)


def _value(word: str, wanted: FlowInput, store: str | None) -> Any:
    """Find one input: a document where one is wanted or named by its id, else the word for the flow to read."""
    if wanted.doc_type is None and (Path(word).exists() or not _ID.fullmatch(word)):
        return word
    stored = _find(word, wanted, store)
    document = stored.document
    if wanted.doc_type is not None:
        if document.doc_type != wanted.doc_type:
            raise SettingsError(
                f"As {wanted.name} a document of kind '{wanted.doc_type}' is wanted, and {word} is a "
                f"'{document.doc_type}'; `superion list --type {wanted.doc_type}` shows those there are."
            )
        return document
    crystal = document.crystal()
    if not crystal:
        raise SettingsError(
            f"The document {word} is a '{document.doc_type}' and holds no crystal; give one that does, such as the "
            "result of a relaxation, or a structure file."
        )
    from ..flows.structure_input import ReadStructure
    from ..structures.plain_structure import structure_from_plain

    return ReadStructure(structure_from_plain(crystal), document.label, f"document {stored.uuid}")


def _find(word: str, wanted: FlowInput, store: str | None) -> StoredDocument:
    from .find_document import find_document

    try:
        return find_document(word, store)
    except StoreError as error:
        if wanted.doc_type is not None:
            raise
        raise SettingsError(f"There is no structure file '{word}', and no document of that id: {error}") from None
