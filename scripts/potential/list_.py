"""`superion potential list`: kinds of potentials, and those that were trained here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..console import results_console, say, write_json
from ..options import JsonOption, StoreOption

if TYPE_CHECKING:
    from ...database.student_potentials import StudentPotential
    from ...potentials.registry import PotentialInfo


def list_potentials_command(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the registered potentials, installed or not, and those trained in this project."""
    from ...potentials.registry import list_potentials

    infos, students = list_potentials(), _students(store)
    if as_json:
        write_json([*infos, *(_row(student) for student in students)])
        return
    _print_kinds(infos)
    if students:
        results_console().print()
        _print_students(students)


def _students(store: str | None) -> list[StudentPotential]:
    """List what was trained here; a store that cannot be read hides no registered potential."""
    from ...errors import StoreError
    from ...workflows.student_names import StudentNames

    try:
        return StudentNames(location=store).listed()
    except StoreError as error:
        if store is not None:
            raise
        say(f"warning: {error}")
        return []


def _row(student: StudentPotential) -> dict[str, Any]:
    """Give a trained potential as the list has it in JSON."""
    document = student.document
    held_out = document.metrics.held_out
    return {
        "name": document.name,
        "description": f"trained here: {document.architecture}, {document.verdict}",
        "installed": True,
        "install_command": "",
        "trained": True,
        "verdict": document.verdict,
        "architecture": document.architecture,
        "teacher": document.teacher_name,
        "elements": document.elements,
        "weights_sha256": document.weights_sha256,
        "force_rmse_mev_per_angstrom": None if held_out is None else held_out.force_rmse_mev_per_angstrom,
        "uuid": student.uuid,
    }


def _print_kinds(infos: list[PotentialInfo]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in ("name", "installed", "torch-sim", "description", "to install"):
        table.add_column(title, overflow="fold")
    for info in infos:
        table.add_row(
            info.name,
            f"{info.package_version or 'yes'}" if info.installed else "no",
            "yes" if info.supports_torch_sim else "no",
            escape(info.description),
            "" if info.installed else escape(info.install_command),
        )
    results_console().print(table)


def _print_students(students: list[StudentPotential]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from ...workflows.report.numbers import format_number

    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    for title in ("trained here", "verdict", "teacher", "architecture", "elements", "force error (meV/Å)"):
        table.add_column(title, overflow="fold")
    for student in students:
        document = student.document
        held_out = document.metrics.held_out
        table.add_row(
            escape(document.name),
            document.verdict,
            escape(document.teacher_name),
            escape(document.architecture),
            " ".join(document.elements),
            format_number(None if held_out is None else held_out.force_rmse_mev_per_angstrom),
        )
    results_console().print(table)
