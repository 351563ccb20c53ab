"""A stage of somebody else's, found by its entry point in an installed distribution."""

from __future__ import annotations

import sys
import textwrap

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure
from superion.errors import SettingsError
from superion.potentials.specification import PotentialSpecification
from superion.workflows.stages import registry
from superion.workflows.stages.stage import StageContext, stage_key

MODULE = '''
"""A stage that counts atoms."""

from dataclasses import dataclass

from jobflow import Maker, job
from pydantic import Field
from superion.database.documents import StageDoc
from superion.database.properties import PropertyEstimate
from superion.runtime.atoms import as_structure
from superion.workflows.stages.stage_document import stage_document
from superion.workflows.stages.assembly import assemble, candidate_of, identity_of
from superion.workflows.stages.stage import Stage, StageSettings


class CountSettings(StageSettings):
    """How to count."""

    factor: float = Field(default=1.0, gt=0, description="what the count is multiplied with")


@dataclass
class CountMaker(Maker):
    """Count atoms."""

    name: str = "count"
    factor: float = 1.0

    @job(output_schema=StageDoc)
    def make(self, identity, candidate):
        """Count."""
        n_atoms = len(as_structure(candidate.structure))
        return stage_document(
            identity,
            candidate,
            properties={"mean_atomic_mass_amu": PropertyEstimate(value=self.factor * n_atoms)},
        )


class CountStage(Stage):
    """Counts atoms."""

    name = "count_atoms"
    description = "count the atoms of the cell"
    settings_model = CountSettings
    properties = ("mean_atomic_mass_amu",)
    uses_potential = False

    def make(self, structure, settings, context):
        """Build the one job."""
        identity = identity_of(self, structure, settings, context)
        return assemble(
            identity, [], CountMaker(factor=settings.factor).make(identity, candidate_of(structure, context)), context
        )
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A distribution on the path, as pip would leave it; one of its stages is broken."""
    (tmp_path / "counting_stage.py").write_text(textwrap.dedent(MODULE))
    information = tmp_path / "counting_stage-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: counting-stage\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[superion.stages]\ncount_atoms = counting_stage:CountStage\nbroken_one = counting_stage:NoSuchStage\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.stage_names.cache_clear()
    registry.load_stage.cache_clear()
    yield
    sys.modules.pop("counting_stage", None)
    registry.stage_names.cache_clear()
    registry.load_stage.cache_clear()


def test_it_is_listed_loaded_and_run(installed, tmp_path):
    assert {"count_atoms", "validate", "conductivity"} <= set(registry.stage_names())
    stage = registry.load_stage("count_atoms")
    structure = Structure(Lattice.cubic(3.51), ["Li", "Li"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    context = StageContext(PotentialSpecification(), "Li", 1.0, "lithium")
    settings = stage.settings_model(factor=3.0)
    flow = stage.make(structure, settings, context)
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(flow, store=store, create_folders=True, root_dir=tmp_path, log=False)
    document = flow.output.resolve(store)
    assert document.properties["mean_atomic_mass_amu"].value == 6.0
    assert document.stage_key == stage_key(stage, structure, settings, context)
    assert document.stage_key != stage_key(stage, structure, stage.settings_model(), context)


def test_a_broken_one_says_whose_fault_it_is(installed):
    with pytest.raises(SettingsError, match=r"'broken_one' of counting_stage:NoSuchStage does not load"):
        registry.load_stage("broken_one")


def test_an_unknown_one_names_the_nearest(installed):
    with pytest.raises(SettingsError, match="did you mean 'count_atoms'"):
        registry.load_stage("count_atom")
