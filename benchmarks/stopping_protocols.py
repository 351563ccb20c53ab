"""What a screening protocol spends on stored trajectories, and what it finds: for `sequential_stopping.py`.

Every run is replayed; then the flow of the stage itself, on the folders that the replay leaves, makes the documents.
A stage of one candidate knows nothing of the others, so each is computed once, and the campaign's rules and ranking are
put to any choice of them afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Structure
from stopping_replay import ReplayedEnd, StoredRun, replay
from superion.database.documents.candidate_summary import CandidateSummary
from superion.database.documents.stage import StageDoc
from superion.database.properties import PropertyEstimate
from superion.database.ranking.by_property import rank_by_property
from superion.dynamics.engine import run_md
from superion.dynamics.manifest import load_manifest
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.errors import TrajectoryError
from superion.makers import diffusion
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.runtime import stop_rules
from superion.runtime.atoms import ase_atoms
from superion.runtime.stop_criteria import StopCriteria
from superion.structures.supercell import expand_to_minimum_edge
from superion.transport.analysis import analyze_diffusion
from superion.workflows.selection.rule import JudgedCandidate, SelectionRule
from superion.workflows.stages.conductivity import ConductivitySettings, ConductivityStage
from superion.workflows.stages.probe import ProbeSettings, ProbeStage
from superion.workflows.stages.stage import Stage, StageContext

StageSettings = TypeVar("StageSettings", ProbeSettings, ConductivitySettings)

NEVER: dict[str, Any] = {"target_relative_error": None, "target_sigma_300k_ms_cm": None}
"""Settings of a stage whose runs all go to their full length."""


@dataclass(frozen=True)
class Material:
    """One candidate as the stages take it.

    Parameters
    ----------
    name : str
        Its name, unique in the set.
    structure : Structure
        Ordered structure.
    mobile_ion : str
        Element symbol.
    ion_charge : float
        Its charge in elementary charges.
    potential : PotentialSpecification
        Its potential.
    md : MdSettings or None
        Its dynamics, in place of those that the stages name; None takes theirs.
    """

    name: str
    structure: Structure
    mobile_ion: str
    ion_charge: float
    potential: PotentialSpecification
    md: MdSettings | None = None

    def with_dynamics(self, settings: StageSettings) -> StageSettings:
        """Give the settings of a stage with the material's own dynamics."""
        return settings if self.md is None else settings.model_copy(update={"md": self.md})

    def runs(self, settings: ProbeSettings | ConductivitySettings) -> list[StoredRun]:
        """List the trajectories of a stage.

        Parameters
        ----------
        settings : ProbeSettings or ConductivitySettings
            Settings of the stage.

        Returns
        -------
        list of StoredRun
            One per temperature and replica.
        """
        cell = expand_to_minimum_edge(self.structure, settings.minimum_edge_angstrom, settings.maximum_atoms)
        potential = load_potential(self.potential)
        md = self.with_dynamics(settings).md
        if isinstance(settings, ProbeSettings):
            protocols = [md.at(settings.temperature_k)]
        else:
            replicas = range(settings.n_replicas)
            protocols = [md.at(value, replica) for value in settings.temperatures_k for replica in replicas]
        return [StoredRun(cell, self.mobile_ion, self.ion_charge, potential, protocol) for protocol in protocols]


@dataclass(frozen=True)
class Way:
    """How runs end in both stages.

    Parameters
    ----------
    probe : ProbeSettings or None
        Settings of the probe; None leaves it out.
    conductivity : ConductivitySettings or None
        Settings of the conductivity stage; None leaves it out.
    """

    probe: ProbeSettings | None
    conductivity: ConductivitySettings | None


@dataclass(frozen=True)
class Outcome:
    """What one candidate costs and shows, should it go through both stages.

    Parameters
    ----------
    probe_steps : int
        MD steps of the probe.
    total_steps : int
        MD steps of all its trajectories; what the second stage continues counts once.
    probe_ends, conductivity_ends : tuple of ReplayedEnd
        How the runs ended.
    probe_properties, properties : dict
        What the probe found, and what both did.
    temperatures : list of dict
        Numbers of the conductivity stage by temperature.
    """

    probe_steps: int
    total_steps: int
    probe_ends: tuple[ReplayedEnd, ...]
    conductivity_ends: tuple[ReplayedEnd, ...]
    probe_properties: dict[str, PropertyEstimate]
    properties: dict[str, PropertyEstimate]
    temperatures: list[dict[str, Any]]


# ------------------------------------------------------------------------------------------------- one candidate


def run_in_full(material: Material, settings: ConductivitySettings, library: Path) -> None:
    """Run every trajectory of a stage to its full length, or find it there.

    Parameters
    ----------
    material : Material
        The candidate.
    settings : ConductivitySettings
        Temperatures, length and segments.
    library : Path
        Folder of the trajectories.

    Raises
    ------
    TrajectoryError
        If a run does not get there.
    """
    for run in material.runs(settings):
        limits = RunLimits(duration_ps=settings.duration_ps, segment_ps=settings.segment_ps)
        result = run_md(ase_atoms(run.cell), run.potential, run.protocol, limits, library)
        if result.stop_reason != "max_length":
            raise TrajectoryError(
                f"{material.name} at {run.protocol.temperature_k:g} K did not reach {settings.duration_ps:g} ps: "
                f"{result.message}"
            )


@contextlib.contextmanager
def remembered_analysis() -> Iterator[None]:
    """Analyse each length of each trajectory once while this lasts: several ways to stop look at the same ones."""
    known: dict[Any, Any] = {}

    def analyse(runs: Sequence[Any], **options: Any) -> Any:
        frames = tuple((run.n_frames, run.temperature_k, run.positions_angstrom[-1].tobytes()) for run in runs)
        key = (frames, options["mobile_ion"], options["ion_charge"], options["settings"])
        if key not in known:
            known[key] = analyze_diffusion(runs, **options)
        return known[key]

    stop_rules.analyze_diffusion = diffusion.analyze_diffusion = analyse
    try:
        yield
    finally:
        stop_rules.analyze_diffusion = diffusion.analyze_diffusion = analyze_diffusion


def follow(material: Material, way: Way, library: Path) -> Outcome:
    """Take one candidate through both stages, on stored trajectories.

    Parameters
    ----------
    material : Material
        The candidate.
    way : Way
        How its runs end.
    library : Path
        Folder of its full-length trajectories; only read.

    Returns
    -------
    Outcome
        Steps spent and properties found.

    Raises
    ------
    TrajectoryError
        If a stored trajectory is too short, or the engine does not end where the replay does.
    """
    with tempfile.TemporaryDirectory(prefix="replayed-") as name:
        root = Path(name)
        properties: dict[str, PropertyEstimate] = {}
        temperatures: list[dict[str, Any]] = []
        probe_ends: tuple[ReplayedEnd, ...] = ()
        conductivity_ends: tuple[ReplayedEnd, ...] = ()
        if way.probe is not None:
            probe_ends, document = _stage(ProbeStage(), way.probe, material, library, root)
            properties |= document.properties
        probe_properties, probe_steps = dict(properties), _steps_in(root)
        if way.conductivity is not None:
            conductivity_ends, document = _stage(ConductivityStage(), way.conductivity, material, library, root)
            properties |= document.properties
            temperatures = document.details["temperatures"] if document.details else []
        return Outcome(
            probe_steps=probe_steps,
            total_steps=_steps_in(root),
            probe_ends=probe_ends,
            conductivity_ends=conductivity_ends,
            probe_properties=probe_properties,
            properties=properties,
            temperatures=temperatures,
        )


def _steps_in(root: Path) -> int:
    """Add up the lengths of all trajectories in a folder."""
    return sum(load_manifest(path.parent, path.parent.name).last_step for path in root.glob("*/manifest.json"))


def _stage(
    stage: Stage, settings: ProbeSettings | ConductivitySettings, material: Material, library: Path, root: Path
) -> tuple[tuple[ReplayedEnd, ...], StageDoc]:
    """Replay the runs of a stage, then let its own flow judge them."""
    settings = material.with_dynamics(settings)
    stop = StopCriteria(
        target_relative_error=settings.target_relative_error,
        target_sigma_300k_ms_cm=settings.target_sigma_300k_ms_cm,
        minimum_barrier_ev=settings.minimum_barrier_ev,
    )
    runs = material.runs(settings)
    ends = tuple(replay(run, settings.run_limits(), stop, settings.analysis, library, root) for run in runs)
    context = StageContext(
        potential=material.potential,
        mobile_ion=material.mobile_ion,
        ion_charge=material.ion_charge,
        label=material.name,
        checkpoint_root=str(root),
    )
    document = _run(stage.make(material.structure, settings, context), root)
    for run, end in zip(runs, ends, strict=True):
        n_steps = load_manifest(root / run.key, run.key).last_step
        if n_steps != end.n_steps:
            raise TrajectoryError(
                f"The replay of {material.name} at {run.protocol.temperature_k:g} K ended at step {end.n_steps}, and "
                f"the engine went to step {n_steps}: they do not follow the same rules."
            )
    return ends, document


def _run(flow: Flow, root: Path) -> StageDoc:
    """Run a flow in this process and give its document."""
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    jobs = root / "jobs"
    jobs.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run_locally(flow, store=store, log=False, root_dir=jobs, create_folders=True, ensure_success=True)
    output = flow.output.resolve(store)
    shutil.rmtree(jobs)
    return output if isinstance(output, StageDoc) else StageDoc.model_validate(output)


# --------------------------------------------------------------------------------------------------- many candidates


@dataclass(frozen=True)
class Screened:
    """What a whole screening spent and found.

    Parameters
    ----------
    steps : dict of str to int
        MD steps by candidate.
    ranked : list of str
        Who came through the rules, best first.
    survivors : list of str
        Who came through the rules, in order of name.
    """

    steps: dict[str, int] = field(default_factory=dict)
    ranked: list[str] = field(default_factory=list)
    survivors: list[str] = field(default_factory=list)


def screen(
    outcomes: Mapping[str, Outcome], rules: Sequence[SelectionRule], *, by: str = "sigma_300k_ms_cm"
) -> Screened:
    """Put the rules after the probe, and the ranking, to what candidates cost and show.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        What each would cost and show, by name.
    rules : sequence of SelectionRule
        Rules after the probe; who fails one spends no step of the second stage.
    by : str
        Property that ranks the survivors.

    Returns
    -------
    Screened
        Steps and ranking.
    """
    alive = sorted(outcomes)
    for rule in rules:
        verdicts = rule.judge({name: JudgedCandidate(outcomes[name].probe_properties) for name in alive})
        alive = [name for name in alive if verdicts[name].kept]
    ranked = rank_by_property([_row(name, outcomes[name].properties) for name in alive], by).ranked
    kept = set(alive)
    return Screened(
        steps={name: found.total_steps if name in kept else found.probe_steps for name, found in outcomes.items()},
        ranked=[entry.row.candidate_id for entry in ranked],
        survivors=alive,
    )


def _row(name: str, properties: Mapping[str, PropertyEstimate]) -> CandidateSummary:
    return CandidateSummary(
        key=f"replay/{name}",
        campaign_id="replay",
        candidate_id=name,
        label=name,
        formula="",
        elements=[],
        n_elements=0,
        origins=[],
        status="done",
        properties=dict(properties),
        updated_at=datetime.now(UTC),
    )
