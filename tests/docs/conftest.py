"""A project with one finished run of the analytic conductor, in which the commands of the pages are tried."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from ase.io import write
from conftest import make_cosine_system
from superion.configs import __file__ as configs_file
from superion.scripts.cli import main


@dataclass(frozen=True)
class TriedProject:
    """Where the run lies, and the names that commands refer to."""

    folder: Path
    run: str
    document: str
    trajectory_key: str


@pytest.fixture(scope="session")
def tried_project(tmp_path_factory: pytest.TempPathFactory) -> TriedProject:
    """One real run from the command line: four short trajectories on the cosine lattice, in parallel processes."""
    folder = tmp_path_factory.mktemp("project")
    system = make_cosine_system(barrier_ev=0.08)
    write(folder / "toy.extxyz", system.atoms)
    options = system.specification.options
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SUPERION_STORE", raising=False)
        status = main(
            [
                *["run", "conductivity", "toy.extxyz", "--name", "toy", "--temperatures", "700,1000"],
                *["--potential", f"ase:{system.specification.model}", "--duration-ps", "4"],
                *["--set", f"potential.options={options}", "--set", "relax=false"],
                *["--set", "supercell.minimum_edge_angstrom=9", "--set", "md.time_step_fs=4"],
                *["--set", "diffusion.equilibration_ps=0.2"],
            ]
        )
        assert status == 0
        from superion.database.job_store import open_job_store
        from superion.database.queries import list_documents

        store = open_job_store(create=False)
        document = list_documents(store, doc_type="conductivity")[0].uuid
        store.close()
    key = next(path.name for path in (folder / ".superion" / "trajectories").iterdir() if len(path.name) == 64)
    example = Path(configs_file).parent / "structures" / "Li6PS5Cl.cif"
    for name in ("my_crystal.cif", "crystal.cif"):  # what the pages call a user's own file
        shutil.copy(example, folder / name)
    return TriedProject(folder, "toy", document, key)
