"""The options of `superion query` that properties bring along, such as --min-sigma."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any

import typer
from typer.core import TyperCommand

_TEMPLATE = "where"
"""An option of the command that takes a text and may be left out."""
_META = "superion.thresholds"


class ThresholdCommand(TyperCommand):
    """A command that takes the option of each property that declares one, superion's own and those of plug-ins."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options of the command, with those of the properties at the end.

        Parameters
        ----------
        ctx : click.Context
            The call.

        Returns
        -------
        list of click.Parameter
            The options.
        """
        own = super().get_params(ctx)
        text = next(parameter for parameter in own if parameter.name == _TEMPLATE)
        return [*own, *_threshold_options(text)]


def given_thresholds(context: typer.Context) -> dict[str, str]:
    """Give what the user asked of properties by their own options.

    Parameters
    ----------
    context : typer.Context
        The call.

    Returns
    -------
    dict of str to str
        By name of the property, the worst value that is accepted, as the user wrote it.
    """
    found: dict[str, str] = context.meta.get(_META, {})
    return found


def _threshold_options(text: Any) -> list[Any]:
    """Make the options after one that takes a text, for typer has no public way to make one at run time."""
    from ..database.properties import PROPERTIES

    options = []
    for name, definition in PROPERTIES.items():
        if definition.query_option is None:
            continue
        end = "Least" if definition.better == "higher" else "Greatest"
        option = copy(text)
        option.name, option.opts = name, [definition.query_option]
        option.metavar = f"'NUMBER {definition.unit}'"
        option.help = f"{end} {definition.label.partition(' / ')[0]}, with its unit."
        option.expose_value, option.callback = False, partial(_keep, name)
        options.append(option)
    return options


def _keep(name: str, context: Any, _parameter: Any, text: str | None) -> None:
    if text is not None:
        context.meta.setdefault(_META, {})[name] = text
