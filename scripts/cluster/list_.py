"""`superion cluster list`: which profiles there are."""

from __future__ import annotations

from ..console import results_console, say, write_json
from ..options import JsonOption


def list_profiles(as_json: JsonOption = False) -> None:
    """List the profiles that ship with superion, and your own."""
    from ...workflows.clusters.find import clusters_folder, list_clusters

    infos = list_clusters()
    if as_json:
        write_json([vars(info) for info in infos])
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "scheduler", "whose", "description")
    for info in infos:
        told = f"[red]{escape(info.problem)}[/]" if info.problem else escape(info.description)
        table.add_row(escape(info.name), info.scheduler, info.origin, told)
    results_console().print(table)
    say(f"yours are in {clusters_folder()}; begin one with `superion cluster show NAME > FILE`")
