"""What a trajectory folder says of itself: whose trajectory it is."""

from __future__ import annotations

from pathlib import Path

from ase import Atoms
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .. import __version__
from ..errors import CheckpointError
from ..potentials.specification import PotentialProvenance
from .durable import write_durably
from .engines.provenance import EngineProvenance
from .identity import structure_identity, trajectory_key
from .plan import StepPlan
from .protocol import MdProtocol

DESCRIPTION_FILE = "trajectory.json"

Vector = tuple[float, float, float]


class TrajectoryDescription(BaseModel):
    """The unchanging facts of a trajectory, kept in its folder as ``trajectory.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(default=1, description="version of this layout")
    superion_version: str = Field(default=__version__, description="version of superion that began it")
    key: str = Field(description="identity of the trajectory")
    structure_sha256: str = Field(description="sha256 of the exact structure with atom order")
    potential: PotentialProvenance = Field(description="potential that computes the forces")
    protocol: MdProtocol = Field(description="settings as asked for")
    engine: EngineProvenance | None = Field(
        default=None, description="MD engine that began it; None for ASE before engines were recorded"
    )
    time_step_fs: float = Field(description="time step in fs")
    frame_interval_steps: int = Field(description="steps between frames")
    symbols: tuple[str, ...] = Field(description="chemical symbols in atom order")
    masses_amu: tuple[float, ...] = Field(description="masses in amu")
    periodic: tuple[bool, bool, bool] = Field(description="periodicity along the cell vectors")
    initial_cell_angstrom: tuple[Vector, Vector, Vector] = Field(description="cell vectors at step 0 in Å")
    translation_invariant: bool = Field(description="whether the potential conserves the total momentum (measured)")
    degrees_of_freedom: int = Field(description="degrees of freedom that hold kinetic energy")
    initial_temperature_k: float = Field(description="kinetic temperature at step 0 in K")


def describe(
    atoms: Atoms,
    provenance: PotentialProvenance,
    protocol: MdProtocol,
    plan: StepPlan,
    engine: EngineProvenance,
    *,
    translation_invariant: bool,
    degrees_of_freedom: int,
    initial_temperature_k: float,
) -> TrajectoryDescription:
    """Describe a new trajectory.

    Parameters
    ----------
    atoms : ase.Atoms
        The structure it starts from.
    provenance : PotentialProvenance
        The potential.
    protocol : MdProtocol
        The settings.
    plan : StepPlan
        Time step and frame interval.
    engine : EngineProvenance
        The MD engine.
    translation_invariant : bool
        Whether the total momentum is conserved.
    degrees_of_freedom : int
        Degrees of freedom that hold kinetic energy.
    initial_temperature_k : float
        Kinetic temperature at step 0 in K.

    Returns
    -------
    TrajectoryDescription
        The facts.
    """
    cell = tuple(tuple(float(value) for value in row) for row in atoms.cell.array)
    return TrajectoryDescription(
        key=trajectory_key(atoms, provenance, protocol),
        structure_sha256=structure_identity(atoms),
        potential=provenance,
        protocol=protocol,
        engine=engine,
        time_step_fs=plan.time_step_fs,
        frame_interval_steps=plan.frame_steps,
        symbols=tuple(atoms.get_chemical_symbols()),
        masses_amu=tuple(float(mass) for mass in atoms.get_masses()),
        periodic=tuple(bool(value) for value in atoms.pbc),
        initial_cell_angstrom=cell,
        translation_invariant=translation_invariant,
        degrees_of_freedom=degrees_of_freedom,
        initial_temperature_k=initial_temperature_k,
    )


def save_description(folder: Path, description: TrajectoryDescription) -> None:
    """Write ``trajectory.json`` durably.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    description : TrajectoryDescription
        The facts.
    """
    write_durably(folder / DESCRIPTION_FILE, (description.model_dump_json(indent=1) + "\n").encode())


def load_description(folder: Path) -> TrajectoryDescription | None:
    """Read ``trajectory.json``.

    Parameters
    ----------
    folder : Path
        The trajectory folder.

    Returns
    -------
    TrajectoryDescription or None
        None where there is no such file.

    Raises
    ------
    CheckpointError
        If the file cannot be understood.
    """
    path = folder / DESCRIPTION_FILE
    try:
        return TrajectoryDescription.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise CheckpointError(
            f"The description {path} cannot be understood (it is damaged or from another version of superion): "
            "restore it from a copy, or move the folder away to begin this trajectory anew."
        ) from error


def check_description(
    folder: Path,
    description: TrajectoryDescription,
    atoms: Atoms,
    provenance: PotentialProvenance,
    protocol: MdProtocol,
) -> None:
    """Refuse a folder that holds the trajectory of another structure, potential or protocol.

    Parameters
    ----------
    folder : Path
        The trajectory folder.
    description : TrajectoryDescription
        What the folder says of itself.
    atoms : ase.Atoms
        The structure asked for.
    provenance : PotentialProvenance
        The potential asked for.
    protocol : MdProtocol
        The settings asked for.

    Raises
    ------
    CheckpointError
        Naming what differs.
    """
    if description.key == trajectory_key(atoms, provenance, protocol):
        return
    if description.structure_sha256 != structure_identity(atoms):
        difference = "another structure"
    elif description.potential.identity != provenance.identity:
        difference = f"another potential ({description.potential.name}, {description.potential.model})"
    else:
        difference = "other MD settings"
    raise CheckpointError(
        f"The checkpoint in {folder} belongs to {difference}, so this run cannot continue it: "
        "choose another checkpoint folder, or restore the structure, potential and settings it was made with."
    )
