"""Plans: counts, work, cost, and what the store has already."""

from __future__ import annotations

import copy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from pymatgen.io.ase import AseAtomsAdaptor
from superion.potentials.specification import PotentialSpecification
from superion.structures.read import read_structure
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.campaign.plan.documents import TimedCell
from superion.workflows.campaign.plan.make import plan_campaign
from superion.workflows.campaign.plan.stand_in import stand_in
from superion.workflows.campaign.plan.timing import fit_step_time, time_potential
from superion.workflows.stages.registry import load_stage
from support.campaign_text import COSINE_POTENTIAL, GOOD

PROBE = {"minimum_edge_angstrom": 0, "md": {"time_step_fs": 2}, "duration_ps": 4, "segment_ps": 1, "minimum_ps": 1}


def campaign(**changes) -> CampaignFile:
    data = {
        "name": "demo",
        "candidates": [{"kind": "files", "paths": ["*.cif"]}],
        "mobile_ion": "Li",
        "potential": COSINE_POTENTIAL,
        # 18 Li and 27 S
        "stages": [{"stage": "validate", "must_be_neutral": False}, {"stage": "probe", **PROBE}],
    }
    return CampaignFile.model_validate({**data, **changes})


def salt(edge: float, cation: str, anion: str) -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.fixture
def folder(tmp_path, cosine_system):
    cosine_system.atoms.write(tmp_path / "cosine.cif")
    cosine_system.atoms.write(tmp_path / "same.cif")
    salt(5.64, "Na", "Cl").to(str(tmp_path / "na.cif"))
    (tmp_path / "bad.cif").write_text("nothing")
    return tmp_path


def test_counts_candidates_work_and_cost(folder):
    planned = plan_campaign(campaign(dispatch={"workers": 4}), folder)
    assert (planned.n_candidates, planned.n_known, planned.n_without_mobile_ion) == (2, 0, 1)
    (source,) = planned.sources
    assert (source.n_read, source.n_duplicates, source.n_rejected) == (3, 1, 1)
    assert [item.identifier for item in planned.rejected] == ["bad.cif", "na.cif"]
    validate, probe = planned.stages
    assert (validate.n_units, validate.n_steps, validate.core_hours) == (1, 0, 0.0)
    # 4 ps in steps of 2 fs; the one without Li is turned away
    assert (probe.n_units, probe.n_reused, probe.n_steps) == (1, 0, 2000)
    assert planned.timings[0].n_atoms == 45
    assert planned.core_hours == pytest.approx(2000 * planned.timings[0].seconds_per_step / 3600)
    assert planned.wall_hours == pytest.approx(planned.core_hours / 4)


def test_says_what_would_exceed_a_limit(folder):
    planned = plan_campaign(campaign(limits={"maximum_core_hours": 1e-9}), folder)
    assert any("limits.maximum_core_hours" in note for note in planned.notes)


def test_without_a_timing_there_is_no_cost(folder):
    planned = plan_campaign(campaign(), folder, with_timing=False)
    assert planned.core_hours is None
    assert all(stage.core_hours is None for stage in planned.stages)


def test_a_potential_that_does_not_work_is_a_note(folder):
    planned = plan_campaign(campaign(potential={"name": "ase", "model": "no.such.Calculator"}), folder)
    assert planned.core_hours is None
    assert planned.stages[1].n_steps > 0
    assert any("no timing" in note for note in planned.notes)
    # Of one stage alone: the others have their cost, the whole has none.
    validate = {"stage": "validate", "must_be_neutral": False}
    relax = {"stage": "relax", "potential": "ase:no.such.Calculator"}
    planned = plan_campaign(campaign(stages=[validate, relax, {"stage": "probe", **PROBE}]), folder)
    assert [stage.core_hours is None for stage in planned.stages] == [False, True, False]
    assert planned.stages[2].core_hours == pytest.approx(2000 * planned.timings[0].seconds_per_step / 3600)
    assert planned.core_hours is None


def test_orders_a_sample_of_the_disordered(tmp_path):
    structure = salt(5.4, "Li", "Cl")
    structure.replace_species({"Li": {"Li": 0.5, "Na": 0.5}})
    structure.to(str(tmp_path / "half.cif"))
    planned = plan_campaign(campaign(ordering={"n_orderings": 3}), tmp_path, with_timing=False)
    assert (planned.ordering.n_disordered, planned.ordering.n_sampled, planned.ordering.n_failed) == (1, 1, 0)
    assert planned.ordering.seconds_per_candidate > 0
    assert planned.stages[0].n_units == 3
    stages = [{"stage": name} for name in ("validate", "relax", "percolation")]
    ordering = {"n_orderings": 3, "keep_lowest": 2}
    planned = plan_campaign(campaign(ordering=ordering, stages=stages), tmp_path, with_timing=False)
    assert [stage.n_units for stage in planned.stages] == [3, 3, 2]


def test_counts_what_the_store_has(folder, monkeypatch):
    """A finished stage of a submitted campaign is not counted as work again; one with other settings is."""
    from jobflow import run_locally
    from superion.database.campaigns import CampaignCollections
    from superion.workflows.campaign.prepared import PreparedCampaign

    monkeypatch.chdir(folder)
    wanted = campaign()
    (folder / "na.cif").unlink()
    with CampaignCollections.open(folder / "results.db") as collections:
        assert [stage.n_reused for stage in plan_campaign(wanted, folder, collections, with_timing=False).stages] == [
            0,
            0,
        ]
        structure = read_structure(folder / "cosine.cif")
        flow = PreparedCampaign("demo", wanted).make_flow(0, structure, "cosine")
        run_locally(flow, store=collections.jobs, ensure_success=True, log=False)
        planned = plan_campaign(wanted, folder, collections, with_timing=False)
        assert [stage.n_reused for stage in planned.stages] == [1, 0]
        other = campaign(stages=[{"stage": "validate", "maximum_atoms": 399}])
        assert plan_campaign(other, folder, collections, with_timing=False).stages[0].n_reused == 0


def test_counts_shared_work_once(tmp_path):
    """Two materials of the same elements share their competing phases, and no other stage shares anything."""
    for edge in (5.1, 5.6):
        salt(edge, "Li", "Cl").to(str(tmp_path / f"{edge}.cif"))
    stages = [{"stage": "validate"}, {"stage": "stability"}]
    planned = plan_campaign(campaign(stages=stages), tmp_path, with_timing=False)
    (shared,) = planned.shared_works
    assert (shared.stage, shared.kind, shared.n_reused, shared.core_hours) == ("stability", "reference phase", 0, None)
    assert shared.n_steps == 40 * shared.n_works > 0


def test_every_stage_can_estimate_its_work():
    data = copy.deepcopy(yaml.safe_load(GOOD))
    prepared = CampaignFile.model_validate(data)
    structure = stand_in(read_structure("Li6PS5Cl"))
    from superion.workflows.campaign.prepared import PreparedCampaign

    campaign = PreparedCampaign("demo", prepared)
    for index, entry in enumerate(prepared.stages):
        parts = load_stage(entry.stage).estimated_steps(structure, entry.settings, campaign.context(index, "x"))
        assert all(steps > 0 and atoms >= len(structure) for steps, atoms in parts)


@given(st.floats(0.05, 1.0), st.floats(0.3, 1.0))
def test_a_stand_in_has_the_atoms_of_the_composition(lithium, chlorine):
    corners = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
    centres = [[0.5, 0.5, 0.5], [0, 0, 0.5], [0.5, 0, 0], [0, 0.5, 0]]
    species = [{"Li": lithium}] * 4 + [{"Cl": chlorine}] * 4
    found = stand_in(Structure(Lattice.cubic(5.4), species, corners + centres))
    assert found.is_ordered
    assert found.composition["Cl"] == max(1, round(4 * chlorine))
    assert found.composition["Li"] == max(1, round(4 * lithium))


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(1e-6, 10)), min_size=1, max_size=4))
def test_a_step_never_takes_negative_time(timings):
    line = fit_step_time([TimedCell(formula="", n_atoms=n, seconds_per_step=s) for n, s in timings])
    assert line.seconds(1) > 0
    assert line.seconds(2000) >= line.seconds(1)


def test_times_cells_of_the_wanted_sizes(cosine_system):
    structure = AseAtomsAdaptor.get_structure(cosine_system.atoms)
    timings, notes = time_potential(PotentialSpecification(**COSINE_POTENTIAL), [structure], [45, 90])
    assert [timed.n_atoms for timed in timings] == [45, 90]
    assert notes == []
