"""`superion doctor`: what is installed, what is missing, and the command that gets it."""

from __future__ import annotations

from typing import Annotated

import typer

from .console import results_console, write_json
from .options import JsonOption, StoreOption

_COLOURS = {"ok": "green", "note": "yellow", "missing": "yellow", "broken": "red"}


def doctor(
    store: StoreOption = None,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what needs torch (a few seconds).")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check Python, packages, potentials, devices, store and disk."""
    from .doctor_checks import run_checks

    findings = run_checks(store=store, with_torch=not quick)
    broken = [finding for finding in findings if finding.status == "broken"]
    if as_json:
        write_json({"can_run": not broken, "findings": [vars(finding) for finding in findings]})
    else:
        from rich.markup import escape

        console = results_console()
        subject = None
        for finding in findings:
            if finding.subject != subject:
                subject = finding.subject
                console.print(f"\n[bold]{escape(subject)}[/]")
            colour = _COLOURS[finding.status]
            console.print(f"  [{colour}]{finding.status:<8}[/] {escape(finding.text)}", soft_wrap=True)
            if finding.remedy:
                console.print(f"           → {escape(finding.remedy)}", soft_wrap=True)
        verdict = "superion can run here." if not broken else "superion cannot run here until what is broken is mended."
        console.print(f"\n[bold]{verdict}[/]")
    if broken:
        raise typer.Exit(1)
