"""A trained potential in the terminal: what it learnt from, its errors, and whether it may be trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .presenter import Presenter

if TYPE_CHECKING:
    from rich.console import Console

    from ...database.documents.potential import PotentialDoc

Row = tuple[str, str]


class PotentialPresenter(Presenter):
    """Trained potentials."""

    def print(self, document: PotentialDoc, console: Console) -> None:
        """Print a trained potential for a reader.

        Parameters
        ----------
        document : PotentialDoc
            The potential.
        console : rich.console.Console
            Where to.
        """
        colours = {"accepted": "green", "rejected": "red", "unvalidated": "yellow"}
        from rich.markup import escape

        console.print(f"[bold]{escape(document.name)}[/]  [{colours[document.verdict]}]{document.verdict}[/]")
        for title, text in (*training_rows(document), *metric_rows(document)):
            console.print(f"{title:<24} {text}", markup=False, soft_wrap=not console.is_terminal)
        for reason in document.reasons:
            console.print(f"{document.verdict}: {reason}", markup=False, soft_wrap=not console.is_terminal)
        for note in document.notes:
            console.print(f"note: {note}", markup=False, soft_wrap=not console.is_terminal)

    def result(self, values: Mapping[str, Any]) -> str:
        """Write the name and the force error.

        Parameters
        ----------
        values : mapping of str to object
            Listed columns.

        Returns
        -------
        str
            As far as they are known.

        Examples
        --------
        >>> PotentialPresenter().result({"name": "argyrodite", "force_error_mev_per_angstrom": 67.2})
        'argyrodite, force error 67.2 meV/Å'
        """
        from ..report.numbers import format_number

        parts = [values["name"]] if "name" in values else []
        if "force_error_mev_per_angstrom" in values:
            parts.append(f"force error {format_number(values['force_error_mev_per_angstrom'])} meV/Å")
        return ", ".join(parts)


def training_rows(document: PotentialDoc) -> Iterator[Row]:
    """Say what a potential is and what it learnt from.

    Parameters
    ----------
    document : PotentialDoc
        The potential.

    Yields
    ------
    tuple of str
        A title and a text each.
    """
    yield "architecture", document.architecture
    teacher, domain = document.teacher, document.domain
    if teacher.provenance is not None:
        model = f", model {teacher.provenance.model}" if teacher.provenance.model else ""
        yield "teacher", f"{teacher.provenance.name}{model} ({teacher.provenance.weights_sha256[:16]})"
    elif teacher.label:
        yield "teacher", f"labels from a file ({teacher.label})"
    yield "licence of the teacher", teacher.licence or "not known"
    yield "elements", ", ".join(document.elements)
    if document.n_training_frames is not None:
        rounds = f", {len(document.rounds)} rounds" if document.rounds else ""
        yield "training set", f"{document.n_training_frames} frames{rounds}"
    if domain.temperature_k is not None:
        yield "temperatures", f"{domain.temperature_k[0]:g} to {domain.temperature_k[1]:g} K"
    if domain.volume_strain is not None:
        low, high = (100.0 * strain for strain in domain.volume_strain)
        yield "volume", f"{low:+.3g} to {high:+.3g} %"
    if domain.compositions:
        yield "compositions", ", ".join(domain.compositions)
    yield "weights, sha256", document.weights_sha256
    yield "model file", f"{document.file.size_bytes:,} bytes, sha256 {document.file.sha256}"


def metric_rows(document: PotentialDoc) -> Iterator[Row]:
    """Say what validation measured.

    Parameters
    ----------
    document : PotentialDoc
        The potential.

    Yields
    ------
    tuple of str
        A title and a text each.
    """
    from ..report.numbers import format_interval, format_number

    metrics = document.metrics
    for title, errors in (("held-out frames", metrics.held_out), ("its own dynamics", metrics.own_dynamics)):
        if errors is not None:
            stress = "" if errors.stress_rmse_gpa is None else f", {format_number(errors.stress_rmse_gpa)} GPa"
            yield (
                title,
                f"{format_number(errors.energy_rmse_mev_per_atom)} meV/atom, "
                f"{format_number(errors.force_rmse_mev_per_angstrom)} meV/Å{stress} on {errors.n_frames} frames (RMSE)",
            )
    if metrics.energy_drift_mev_per_atom_ps is not None:
        yield "energy drift (NVE)", f"{format_number(metrics.energy_drift_mev_per_atom_ps)} meV/atom/ps"
    if metrics.radial_distribution_distance is not None:
        yield "radial distribution", f"{format_number(metrics.radial_distribution_distance)} from the teacher's"
    if metrics.vibrational_distance is not None:
        yield "vibrational spectrum", f"{format_number(metrics.vibrational_distance)} from the teacher's"
    for one in metrics.diffusivities:
        student = f"{format_number(one.student_cm2_s)} {format_interval(one.student_interval_95_cm2_s)}"
        teacher = f"{format_number(one.teacher_cm2_s)} {format_interval(one.teacher_interval_95_cm2_s)}"
        yield f"D at {one.temperature_k:g} K", f"{student} cm²/s, teacher {teacher} cm²/s (95 %)"
    for temperature, length_ps in metrics.stable_ps.items():
        yield f"stable at {temperature} K", f"{length_ps:g} ps"
