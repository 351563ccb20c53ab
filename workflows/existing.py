"""Transport from trajectories that are already there: files of other programs and folders of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import AnalysisError
from .distinct_runs import distinct_runs

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from ..database.documents import CandidateDoc, ConductivityDoc, DiffusionDoc
    from ..transport.analysis import DiffusionSettings

SAME_TEMPERATURE = 0.015
"""Relative difference below which runs whose temperature was measured count as replicas at one temperature."""

SAME_THERMOSTAT = 0.1
"""Relative difference up to which runs of one thermostat temperature are replicas, however short they are."""


@dataclass(frozen=True)
class ReadingOptions:
    """What the user knows that the files may not say.

    Parameters
    ----------
    time_step_fs : float or None
        Time step of the integrator in fs.
    frame_interval_fs : float or None
        Time between frames in fs.
    temperatures_k : tuple of float
        One temperature for all files, or one for each; empty takes what the files say.
    species_order : tuple of str
        Elements of the types or names in the files; empty takes what the files say.
    unwrapped : bool
        Whether the positions follow each atom across the boundaries already, in files that do not say so.
    """

    time_step_fs: float | None = None
    frame_interval_fs: float | None = None
    temperatures_k: tuple[float, ...] = ()
    species_order: tuple[str, ...] = ()
    unwrapped: bool = False


@dataclass(frozen=True)
class ExistingRun:
    """One trajectory, read.

    Parameters
    ----------
    source : str
        File name.
    positions_angstrom : (n_frames, n_atoms, 3) array
        Unwrapped positions in Å.
    symbols : tuple of str
        Element of each atom.
    masses_amu : (n_atoms,) array
        Masses in u.
    cell_angstrom : (3, 3) array
        Mean cell vectors as rows, in Å.
    volume_angstrom3 : float
        Mean cell volume in Å³.
    frame_interval_ps : float
        Time between frames in ps.
    temperature_k : float
        Temperature in K.
    is_temperature_exact : bool
        Whether it was stated, and not measured from velocities.
    notes : tuple of str
        What the reader assumed.
    thermostat_k : float or None
        Temperature at which a thermostat held the run, in K, where the file says.
    """

    source: str
    positions_angstrom: NDArray[np.floating]
    symbols: tuple[str, ...]
    masses_amu: NDArray[np.floating]
    cell_angstrom: NDArray[np.floating]
    volume_angstrom3: float
    frame_interval_ps: float
    temperature_k: float
    is_temperature_exact: bool
    notes: tuple[str, ...] = field(default=())
    thermostat_k: float | None = None

    def first_structure(self) -> Structure:
        """Give the first frame as a crystal.

        Returns
        -------
        Structure
            In the mean cell.
        """
        from pymatgen.core import Lattice, Structure

        return Structure(
            Lattice(self.cell_angstrom), list(self.symbols), self.positions_angstrom[0], coords_are_cartesian=True
        )


def read_existing(paths: Sequence[Path], options: ReadingOptions) -> list[ExistingRun]:
    """Read files of other programs, or trajectory folders of our own.

    Parameters
    ----------
    paths : sequence of Path
        The files and folders.
    options : ReadingOptions
        What they may not say.

    Returns
    -------
    list of ExistingRun
        One for each.

    Raises
    ------
    SuperionError
        If one cannot be read, or does not say what is needed.
    """
    if len(options.temperatures_k) not in (0, 1, len(paths)):
        raise AnalysisError(
            f"There are {len(options.temperatures_k)} temperatures for {len(paths)} files; "
            "give one for all, or one for each in the same order."
        )
    temperatures: list[float | None] = [None] * len(paths)
    if options.temperatures_k:
        same = options.temperatures_k * (len(paths) if len(options.temperatures_k) == 1 else 1)
        temperatures = list(same)
    is_unique = len({path.name for path in paths}) == len(set(paths))
    return [
        _read_one(path, kelvin, options, path.name if is_unique else str(path))
        for path, kelvin in zip(paths, temperatures, strict=True)
    ]


def _read_one(path: Path, temperature_k: float | None, options: ReadingOptions, source: str) -> ExistingRun:
    """Read one file or folder."""
    if path.is_dir():
        return _read_own(path)
    from ..dynamics.foreign import read_foreign_trajectory

    read = read_foreign_trajectory(
        path,
        time_step_fs=options.time_step_fs,
        frame_interval_fs=options.frame_interval_fs,
        temperature_k=temperature_k,
        species_order=options.species_order or None,
        unwrapped=options.unwrapped,
    )
    return ExistingRun(
        source=source,
        positions_angstrom=read.positions_angstrom,
        symbols=read.symbols,
        masses_amu=read.masses_amu,
        cell_angstrom=read.mean_cell_angstrom,
        volume_angstrom3=read.volume_angstrom3,
        frame_interval_ps=read.frame_interval_ps,
        temperature_k=read.temperature_k,
        is_temperature_exact=temperature_k is not None,
        notes=read.notes,
        thermostat_k=read.thermostat_temperature_k if temperature_k is None else None,
    )


def _read_own(folder: Path) -> ExistingRun:
    """Read a trajectory folder of our own."""
    from ..dynamics.trajectory import Trajectory

    trajectory = Trajectory(folder)
    return ExistingRun(
        source=folder.name[:12],
        positions_angstrom=trajectory.positions(),
        symbols=trajectory.symbols,
        masses_amu=trajectory.masses_amu,
        cell_angstrom=trajectory.mean_cell_angstrom,
        volume_angstrom3=trajectory.mean_volume_angstrom3,
        frame_interval_ps=trajectory.frame_interval_ps,
        temperature_k=trajectory.protocol.temperature_k,
        is_temperature_exact=True,
    )


def group_by_temperature(runs: Sequence[ExistingRun]) -> list[list[ExistingRun]]:
    """Put replicas together: runs at one temperature, to within the noise of a measured temperature.

    Parameters
    ----------
    runs : sequence of ExistingRun
        The runs.

    Returns
    -------
    list of list of ExistingRun
        Groups, the coldest first.
    """
    groups: list[list[ExistingRun]] = []
    for run in sorted(runs, key=lambda item: item.temperature_k):
        for group in groups:
            if run.temperature_k <= group[0].temperature_k * (1.0 + _tolerance(run, group[0])):
                group.append(run)
                break
        else:
            groups.append([run])
    return groups


def _tolerance(one: ExistingRun, other: ExistingRun) -> float:
    """Return the relative difference that the temperatures of replicas may have."""
    if one.is_temperature_exact and other.is_temperature_exact:
        return 1.0e-6
    if one.thermostat_k is not None and one.thermostat_k == other.thermostat_k:
        return SAME_THERMOSTAT
    return SAME_TEMPERATURE


def _scatter_note(group: Sequence[ExistingRun]) -> str | None:
    """Return the sentence about replicas of one thermostat whose kinetic temperatures differ."""
    kelvins = [run.temperature_k for run in group]
    if max(kelvins) <= min(kelvins) * (1.0 + SAME_TEMPERATURE):
        return None
    return (
        f"{', '.join(run.source for run in group)} count as replicas, as their thermostats held "
        f"{group[0].thermostat_k:g} K; their kinetic temperatures, {', '.join(f'{kelvin:.0f}' for kelvin in kelvins)} "
        "K, scatter as those of short runs do."
    )


def analyze_existing(
    paths: Sequence[Path],
    options: ReadingOptions | None = None,
    *,
    mobile_ion: str | None = None,
    ion_charge: float | None = None,
    equilibration_ps: float | None = None,
    label: str = "",
) -> ConductivityDoc:
    """Derive diffusivities, conductivities and the Arrhenius result from existing trajectories.

    Runs at one temperature count as independent replicas; all runs must be of one material in one atom order.

    Parameters
    ----------
    paths : sequence of Path
        Files of other programs (see `superion.dynamics.foreign`), or trajectory folders of our own.
    options : ReadingOptions, optional
        What the files may not say.
    mobile_ion : str, optional
        Mobile ion, such as Li; guessed where not given.
    ion_charge : float, optional
        Its charge in elementary charges; the usual one where not given.
    equilibration_ps : float, optional
        Time cut from the start of each run in ps; the default of `DiffusionSettings` where not given.
    label : str
        Name of the material; made from the formula where empty.

    Returns
    -------
    ConductivityDoc
        Results per temperature, Arrhenius lines, verdict and known systematic errors.

    Raises
    ------
    SuperionError
        If a file cannot be read, the runs do not belong together, or nothing can be derived from any of them.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from ase.io import write
    >>> walk = np.random.default_rng(1).normal(0.0, 0.1, (800, 8, 3)).cumsum(axis=0)
    >>> crystal = Atoms("Li8S8", cell=[10.0, 10.0, 10.0], pbc=True)
    >>> crystal.positions = np.random.default_rng(2).uniform(0.0, 10.0, (16, 3))
    >>> frames = []
    >>> for step in walk:
    ...     frame = crystal.copy()
    ...     frame.positions[:8] += step
    ...     frames.append(frame)
    >>> file = Path(tempfile.mkdtemp()) / "run.extxyz"
    >>> write(file, frames)
    >>> found = analyze_existing([file], ReadingOptions(frame_interval_fs=20.0, temperatures_k=(800.0,)))
    >>> low, high = found.temperatures[0].tracer.interval_95_cm2_s
    >>> low < 2.5e-5 < high  # (0.1 Å)² / (2 · 0.02 ps)
    True
    """
    from ..makers.conductivity import ConductivitySummaryMaker
    from ..runtime.systematic_errors import SimulatedCase, known_systematic_errors, shortest_fitted_lag_ps
    from ..structures.mobile_ion import resolve_mobile_ion
    from ..transport.analysis import DiffusionSettings

    runs = distinct_runs(read_existing(paths, options or ReadingOptions()))
    _check_same_material(runs)
    structure = runs[0].first_structure()
    ion = resolve_mobile_ion(structure, mobile_ion, ion_charge)
    settings = DiffusionSettings() if equilibration_ps is None else DiffusionSettings(equilibration_ps=equilibration_ps)
    notes = list(dict.fromkeys(f"{run.source}: {note}" for run in runs for note in run.notes))
    groups = group_by_temperature(runs)
    notes += [note for group in groups if (note := _scatter_note(group)) is not None]
    if all(symbol == ion.symbol for symbol in runs[0].symbols):
        notes.append(
            f"The files hold {ion.symbol} only and no framework: no drift is subtracted, and the charge "
            "diffusivity is withheld."
        )
    candidate = _candidate(
        structure, ion.symbol, ion.charge, ion.guessed, label, [*notes, ion.note] if ion.note else notes
    )
    documents = [_diffusion(group, candidate, structure, settings) for group in groups]
    if all(document.result is None for document in documents):
        raise AnalysisError(str(documents[0].failure))
    # The plain function behind the job: nothing here is submitted anywhere.
    summarise = ConductivitySummaryMaker.make.original
    answer: ConductivityDoc = summarise(
        ConductivitySummaryMaker(), candidate, documents, [document.temperature_k for document in documents]
    )
    # How the cell was found is not known here, so nothing can be said against it.
    case = SimulatedCase(
        formula=candidate.formula,
        n_atoms=len(structure),
        potential=None,
        was_disordered=False,
        volume_was_relaxed=True,
        longest_lag_ps=shortest_fitted_lag_ps(answer.temperatures),
    )
    return answer.model_copy(update={"systematic_errors": known_systematic_errors(case)})


def _check_same_material(runs: Sequence[ExistingRun]) -> None:
    """Refuse runs of different materials, which no Arrhenius line connects."""
    first = runs[0]
    for run in runs[1:]:
        if run.symbols != first.symbols:
            raise AnalysisError(
                f"{run.source} and {first.source} hold different atoms, or the same in another order; "
                "analyse one material at a time."
            )


def _candidate(
    structure: Structure, symbol: str, charge: float, guessed: bool, label: str, notes: list[str]
) -> CandidateDoc:
    """Describe the material of the runs."""
    from ..database.documents import CandidateDoc
    from ..runtime.provenance import job_provenance

    formula = structure.composition.reduced_formula
    return CandidateDoc(
        formula=formula,
        label=label or formula,
        provenance=job_provenance(structure),
        notes=notes,
        structure=structure.as_dict(),
        mobile_ion=symbol,
        ion_charge=charge,
        mobile_ion_guessed=guessed,
        origin="existing trajectories",
        was_disordered=False,
    )


def _diffusion(
    group: Sequence[ExistingRun], candidate: CandidateDoc, structure: Structure, settings: DiffusionSettings
) -> DiffusionDoc:
    """Analyse the replicas at one temperature."""
    from ..database.documents import DiffusionDoc
    from ..structures.framework import framework_centres
    from ..transport.analysis import analyze_diffusion
    from ..transport.displacement_run import DisplacementRun

    temperature = float(np.mean([run.temperature_k for run in group]))
    framework = np.asarray(framework_centres(structure, candidate.mobile_ion), dtype=int)
    mobile = np.flatnonzero(np.array(group[0].symbols) == candidate.mobile_ion)
    result, failure = None, None
    try:
        result = analyze_diffusion(
            [
                DisplacementRun(
                    positions_angstrom=run.positions_angstrom,
                    mobile_indices=mobile,
                    framework_indices=framework,
                    masses_amu=run.masses_amu,
                    frame_interval_ps=run.frame_interval_ps,
                    volume_angstrom3=run.volume_angstrom3,
                    temperature_k=temperature,
                    cell_angstrom=run.cell_angstrom,
                )
                for run in group
            ],
            mobile_ion=candidate.mobile_ion,
            ion_charge=candidate.ion_charge,
            settings=settings,
        )
    except AnalysisError as error:
        failure = f"{', '.join(run.source for run in group)}: {error}"
    lengths = [(len(run.positions_angstrom) - 1) * run.frame_interval_ps for run in group]
    return DiffusionDoc(
        formula=candidate.formula,
        label=candidate.label,
        provenance=candidate.provenance,
        trajectory_keys=[run.source for run in group],
        trajectory_folders=[],
        state="completed",
        stop_reasons=["max_length"] * len(group),
        requested_ps=max(lengths),
        completed_ps=lengths,
        temperature_k=temperature,
        result=result,
        failure=failure,
    )
