"""Finding selection rules by name: ours and those of other packages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ...errors import SettingsError
from ...plugins import PluginGroup
from .rule import SelectionRule

RULES: PluginGroup[SelectionRule] = PluginGroup("superion.selection_rules", "selection rule", SelectionRule)
"""The entry points by which any package registers a rule."""


_UNNAMED = ("best", "threshold")
"""Rules that campaign files need not name: these wrote them before there were others."""


@cache
def rule_names() -> tuple[str, ...]:
    """List the names of all rules.

    Returns
    -------
    tuple of str
        Sorted names.

    Examples
    --------
    >>> {"best", "threshold"} <= set(rule_names())
    True
    """
    return RULES.names()


@cache
def load_rule(name: str) -> type[SelectionRule]:
    """Load a rule by name.

    Parameters
    ----------
    name : str
        Its name in the campaign file.

    Returns
    -------
    type of SelectionRule
        The rule; its instances hold settings.

    Raises
    ------
    SettingsError
        If there is none, the nearest known one being named, or its package does not load.

    Examples
    --------
    >>> load_rule("best").compares
    True
    """
    return RULES.load(name)


@cache
def loaded_rules() -> Mapping[str, type[SelectionRule]]:
    """Load all rules; one whose package does not load is left out.

    Returns
    -------
    mapping of str to type of SelectionRule
        By name.
    """
    found = {}
    for name in rule_names():
        try:
            found[name] = load_rule(name)
        except SettingsError:
            # Said where a file names it.
            continue
    return found


def rule_of(settings: Mapping[str, Any]) -> SelectionRule:
    """Make a rule of what a campaign file says.

    Parameters
    ----------
    settings : mapping
        Settings with the name as `rule`; without it, the rule is told by the settings that it alone has.

    Returns
    -------
    SelectionRule
        Checked.

    Raises
    ------
    SettingsError
        If no rule is named, or none of that name is registered.
    ValidationError
        If the rule does not take these settings.

    Examples
    --------
    >>> rule_of({"keep_best": 3, "by": "sigma_300k_ms_cm"}).rule
    'best'
    """
    name = settings["rule"] if "rule" in settings else _told_by(settings)
    if not isinstance(name, str):
        given = f"not {name!r}" if name is not None else "and this one has none"
        raise SettingsError(f"Each rule needs 'rule: NAME', {given}: there are {', '.join(rule_names())}.")
    return load_rule(name).model_validate(dict(settings))


def _told_by(settings: Mapping[str, Any]) -> str | None:
    """Find the one of superion's own rules that has most of these settings for its own; others must be named."""
    shares = {name: len(load_rule(name).telling_settings & set(settings)) for name in _UNNAMED}
    likely = max(shares, key=lambda name: shares[name], default=None)
    return likely if likely is not None and shares[likely] else None
