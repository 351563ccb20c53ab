"""The jobs of the stage that asks whether a material is stable against its competitors."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

from jobflow import Flow, JobConfig, OnMissing, Response

from ..database.documents import CandidateDoc, RelaxDoc, StageDoc
from ..database.properties import PropertyEstimate
from ..errors import AnalysisError
from ..potentials.registry import load_potential
from ..potentials.specification import PotentialSpecification
from ..structures.reference_phases import ReferencePhase, phases_known_to_be_missing
from ..structures.stability import (
    ElectrochemicalWindow,
    HullDistance,
    PhaseEnergy,
    Product,
    VoltageLimit,
    electrochemical_window,
    empty_systems,
    hull_distance,
    missing_elements,
)
from .atoms import as_structure
from .checkpoint_root import default_checkpoint_root
from .competing_phases import PhaseSources, competing_phases
from .maker import Maker
from .plain_name import plain_name
from .relax import RelaxationStopped, RelaxMaker, kept_relaxation
from .stage_document import StageIdentity, bounded, estimate, stage_candidate, stage_document, unknown_elements
from .timed_job import job

_ONE_SIDED_95 = 1.6448536269514722
_TWO_SIDED_95 = 1.959963984540054


@dataclass
class ReferencePhaseMaker(Maker):
    """Relax one competing phase, once per potential, however many processes ask for it at a time.

    Parameters
    ----------
    name : str
        First part of the job's name; the phase follows.
    relax : RelaxMaker
        How it is relaxed; it keeps its results beside the trajectories.
    """

    resource_kind: ClassVar[str] = "relax"

    name: str = "reference"
    relax: RelaxMaker = field(default_factory=RelaxMaker)

    @job(output_schema=RelaxDoc)
    def make(self, phase: ReferencePhase) -> RelaxDoc | Response:
        """Relax one phase.

        Parameters
        ----------
        phase : ReferencePhase
            The phase.

        Returns
        -------
        RelaxDoc or Response
            Its relaxed structure and energy; a relaxation that was kept is read. Or the continuation that replaces this
            job where it was interrupted.
        """
        try:
            return self.relaxed(phase)
        except RelaxationStopped:
            return Response(output=None, replace=self.make(phase))

    def relaxed(self, phase: ReferencePhase) -> RelaxDoc:
        """Relax one phase, or read what was kept of it.

        Parameters
        ----------
        phase : ReferencePhase
            The phase.

        Returns
        -------
        RelaxDoc
            Its relaxed structure and energy.
        """
        maker = self._maker(phase)
        with _one_at_a_time(self.kept(phase)):
            # it looks for what was kept first
            return maker.document_of(self._candidate(phase))

    @property
    def root(self) -> Path:
        """Folder in which relaxations are kept."""
        return Path(self.relax.checkpoint_root) if self.relax.checkpoint_root else default_checkpoint_root()

    def kept(self, phase: ReferencePhase) -> Path:
        """Name the file in which the relaxation of a phase is kept.

        Parameters
        ----------
        phase : ReferencePhase
            The phase.

        Returns
        -------
        Path
            The file, there or not.
        """
        maker = self._maker(phase)
        potential = load_potential(maker.potential or PotentialSpecification())
        return maker.kept_path(as_structure(self._candidate(phase).structure), potential)

    def has(self, phase: ReferencePhase) -> bool:
        """Say whether the relaxation of a phase is there.

        Parameters
        ----------
        phase : ReferencePhase
            The phase.

        Returns
        -------
        bool
            Not where its file lacks its numbers.
        """
        return kept_relaxation(self.kept(phase)) is not None

    def _maker(self, phase: ReferencePhase) -> RelaxMaker:
        """Keep the box of a molecule as it is."""
        return replace(self.relax, relax_cell=self.relax.relax_cell and not phase.is_molecule)

    def _candidate(self, phase: ReferencePhase) -> CandidateDoc:
        """Wrap a phase as `RelaxMaker` takes it; no ion of it moves."""
        symbol = min(phase.elements)
        return stage_candidate(phase.structure, symbol, 1.0, phase.name)


@contextmanager
def _one_at_a_time(kept: Path) -> Iterator[None]:
    """Let one process relax while the others wait for what it will keep."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@dataclass
class CompetingPhasesMaker(Maker):
    """Have the competitors of a material relaxed that the potential has not relaxed before, a job for each.

    Parameters
    ----------
    name : str
        Name of the job.
    reference : ReferencePhaseMaker
        How competitors are relaxed.
    sources : PhaseSources
        Where competitors come from.
    """

    name: str = "competing phases"
    reference: ReferencePhaseMaker = field(default_factory=ReferencePhaseMaker)
    sources: PhaseSources = field(default_factory=PhaseSources)

    @job
    def make(self, candidate: CandidateDoc, relaxation: RelaxDoc) -> Response:
        """Prepare the comparison of one material.

        Parameters
        ----------
        candidate : CandidateDoc
            The material.
        relaxation : RelaxDoc
            Its relaxation: competitors are not worth relaxing where that failed.

        Returns
        -------
        Response
            Names of the competitors, and the jobs that relax those that wait for it.
        """
        found = competing_phases(_symbols(candidate), self.sources, self.reference.root)
        waiting = [phase for phase in found.phases if not self.reference.has(phase)]
        names = {"phases": [phase.name for phase in found.phases], "waiting": [phase.name for phase in waiting]}
        if not waiting:
            return Response(output=names)
        jobs = []
        for phase in waiting:
            one = self.reference.make(phase)
            one.name = plain_name(f"{self.reference.name} {phase.name}")
            jobs.append(one)
        return Response(output=names, detour=Flow(jobs, name="competing phases"))


@dataclass
class StabilityStageMaker(Maker):
    """Compare a relaxed material with its relaxed competitors.

    Parameters
    ----------
    name : str
        Name of the job.
    reference : ReferencePhaseMaker
        How competitors were relaxed.
    sources : PhaseSources
        Where competitors come from.
    tolerance_ev_per_atom : float
        Energy that a decomposition may gain before a voltage counts as outside the window.
    energy_error_ev_per_atom : float or None
        Standard error to assume for the energy above hull; None assumes none.
    """

    name: str = "hull"
    reference: ReferencePhaseMaker = field(default_factory=ReferencePhaseMaker)
    sources: PhaseSources = field(default_factory=PhaseSources)
    tolerance_ev_per_atom: float = 0.05
    energy_error_ev_per_atom: float | None = None

    @job(output_schema=StageDoc, config=JobConfig(on_missing_references=OnMissing.NONE))
    def make(
        self,
        identity: StageIdentity,
        candidate: CandidateDoc,
        relaxation: RelaxDoc | None,
        prepared: dict[str, list[str]] | None,
    ) -> StageDoc:
        """Find energy above hull, decomposition and electrochemical window.

        Parameters
        ----------
        identity : StageIdentity
            Which stage result it is.
        candidate : CandidateDoc
            The structure that the stage started from.
        relaxation : RelaxDoc or None
            Its relaxation; None where that failed.
        prepared : dict or None
            What `CompetingPhasesMaker` gave; None where it failed.

        Returns
        -------
        StageDoc
            Properties: bounds where the competitors are not all that there are.

        Raises
        ------
        AnalysisError
            If a job before failed for a reason that is not the structure's.
        """
        if relaxation is None or prepared is None:
            potential = self.reference.relax.potential or PotentialSpecification()
            reason = unknown_elements(as_structure(candidate.structure), potential)
            if reason is None:
                raise AnalysisError("There is no energy to compare, because a job before failed.")
            return stage_document(identity, candidate, rejected=reason)
        structure = as_structure(relaxation.structure)
        symbols = _symbols(candidate)
        found = competing_phases(symbols, self.sources, self.reference.root)
        # a phase whose job failed was not kept: it is missing, and so the set is not complete
        there = [phase for phase in found.phases if self.reference.has(phase)]
        failed = [phase.name for phase in found.phases if phase not in there]
        documents = {phase.name: self.reference.relaxed(phase) for phase in there}
        energies = [PhaseEnergy(phase.name, phase.formula, documents[phase.name].energy_ev_per_atom) for phase in there]
        notes = list(relaxation.notes)
        notes += [f"reference phase {name}: {note}" for name, document in documents.items() for note in document.notes]
        if failed:
            notes.append(f"reference phases whose relaxation failed, so that they are missing: {', '.join(failed)}")
        is_complete = found.is_complete and not failed
        details: dict[str, Any] = {
            "reference_phases": {phase.name: phase.energy_ev_per_atom for phase in energies},
            "reference_set_is_complete": is_complete,
            "reference_phases_not_verified": [phase.name for phase in there if phase.verified is None],
        }
        properties: dict[str, PropertyEstimate] = {}
        if missing := missing_elements(symbols, energies):
            notes.append(f"no energy above hull, since there is no reference phase of {', '.join(missing)}")
        else:
            if not is_complete:
                # a source that is said to be complete lacks only what failed
                there_or_failed = [phase.formula for phase in found.phases]
                known = [] if found.is_complete else phases_known_to_be_missing(symbols, there_or_failed)
                details["missing_phases"] = known
                details["empty_systems"] = empty_systems(symbols, energies)
                notes.append(_incomplete(details["missing_phases"], details["empty_systems"]))
            phase = PhaseEnergy(candidate.label, structure.composition.formula, relaxation.energy_ev_per_atom)
            distance = hull_distance(phase, energies)
            if relaxation.converged:
                properties["energy_above_hull_ev_per_atom"] = self._hull_property(distance, is_complete)
            else:
                # it lies too high by nobody knows how much: "at least" and "at most" would both be wrong
                notes.append(
                    "no energy above hull and no window, since the material's own relaxation did not converge: raise "
                    "the stage's maximum_steps"
                )
            details["energy_against_competitors_ev_per_atom"] = distance.energy_ev_per_atom
            details["decomposition"] = _listed(distance.products)
            try:
                window = electrochemical_window(
                    phase,
                    energies,
                    candidate.mobile_ion,
                    candidate.ion_charge,
                    tolerance_ev_per_atom=self.tolerance_ev_per_atom,
                )
            except AnalysisError as error:
                notes.append(f"no electrochemical window: {error}")
            else:
                if relaxation.converged:
                    properties |= self._window_properties(window, is_complete)
                details["window"] = _window_details(window, self.tolerance_ev_per_atom)
        return stage_document(
            identity,
            candidate,
            properties=properties,
            structure=structure,
            details=details,
            source_uuids=[relaxation.provenance.job_uuid],
            notes=notes,
            potential=relaxation.provenance.potential,
        )

    def _hull_property(self, distance: HullDistance, is_complete: bool) -> PropertyEstimate:
        """Give the energy above hull, or its lower bound."""
        above, error = distance.above_hull_ev_per_atom, self.energy_error_ev_per_atom
        if is_complete:
            if error is None:
                return estimate(above, note="no error of the potential is assumed")
            ends = [(max(0.0, above - k * error), above + k * error) for k in (1.0, _TWO_SIDED_95)]
            return estimate(above, ends[0], ends[1], note=f"assumes a standard error of {error:g} eV/atom")
        limit = above if error is None else max(0.0, distance.energy_ev_per_atom - _ONE_SIDED_95 * error)
        return bounded("lower", limit, "the reference phases are incomplete: a phase that is missing raises it")

    def _window_properties(
        self, window: ElectrochemicalWindow | None, is_complete: bool
    ) -> dict[str, PropertyEstimate]:
        """Give the window, or the bounds within which it lies."""
        gain = f"decomposition gains less than {self.tolerance_ev_per_atom:g} eV/atom inside it"
        missing = f"{gain}; the reference phases are incomplete: a phase that is missing narrows it"
        if window is None:
            note = f"it decomposes at every voltage by more than {self.tolerance_ev_per_atom:g} eV/atom"
            return {"electrochemical_window_v": estimate(0.0, note=note)}
        reduction, oxidation = window.reduction.voltage_v, window.oxidation.voltage_v
        if is_complete:
            return {
                "reduction_limit_v": estimate(reduction, note=gain),
                "oxidation_limit_v": estimate(oxidation, note=gain),
                "electrochemical_window_v": estimate(window.width_v, note=gain),
            }
        return {
            "reduction_limit_v": bounded("lower", reduction, missing),
            "oxidation_limit_v": bounded("upper", oxidation, missing),
            "electrochemical_window_v": bounded("upper", window.width_v, missing),
        }


def _symbols(candidate: CandidateDoc) -> list[str]:
    """Name the elements of a material."""
    return sorted({site.specie.symbol for site in as_structure(candidate.structure)})


def _incomplete(missing: Sequence[str], empty: Sequence[str]) -> str:
    """Say what the reference set lacks."""
    parts = []
    if missing:
        parts.append(f"known to be missing: {', '.join(missing)}")
    if empty:
        parts.append(f"no phase at all of {', '.join(empty)}")
    detail = f" ({'; '.join(parts)})" if parts else ""
    return f"energy above hull is a lower bound and the window an upper bound, by an incomplete reference set{detail}"


def _listed(products: Sequence[Product]) -> dict[str, float]:
    """Give products as plain JSON."""
    return {product.name: product.atomic_fraction for product in products}


def _limit_details(limit: VoltageLimit) -> dict[str, Any]:
    return {"voltage_v": limit.voltage_v, "products": _listed(limit.products)}


def _window_details(window: ElectrochemicalWindow | None, tolerance: float) -> dict[str, Any]:
    """Give the window as plain JSON."""
    if window is None:
        return {"tolerance_ev_per_atom": tolerance}
    return {
        "tolerance_ev_per_atom": tolerance,
        "reduction": _limit_details(window.reduction),
        "oxidation": _limit_details(window.oxidation),
    }
