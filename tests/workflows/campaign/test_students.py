"""Campaigns whose molecular dynamics is computed with students of their potential."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from superion.database.documents import PotentialDoc, StageDoc, TrajectoryDoc
from superion.database.project import find_project
from superion.database.queries import iterate_documents
from superion.potentials.model_header import ModelDomain
from superion.workflows.campaign.plan.make import plan_campaign
from superion.workflows.campaign.prepared import prepare_campaign
from superion.workflows.campaign.runner import run_campaign
from superion.workflows.campaign.session import CampaignSession
from superion.workflows.campaign.student_groups import GroupMember, GroupMembers
from superion.workflows.campaign.student_training import KIND
from superion.workflows.campaign.submit import submit_campaign
from superion.workflows.stages.shared_flow import SharedFlow, unit_of_shared
from support.student import RegisterFileMaker, write_student

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import PROBE, lattice_cell, open_campaigns, rows_of, run_here, write_campaign

TEACHER = {
    "name": "ase",
    "model": "superion.potentials.cosine_lattice.CosineLatticeCalculator",
    "device": "cpu",
    "options": {
        "barriers_ev": {"Li": 0.15, "Cl": 5.0, "Br": 5.0},
        "spacing_angstrom": 3.0,
        "offsets": {"Cl": [0.5, 0.5, 0.5], "Br": [0.5, 0.5, 0.5]},
        "repulsion_ev": 1.0,
    },
}
SHORT = PROBE | {"duration_ps": 0.16, "minimum_ps": 0.0, "segment_ps": 0.16, "temperature_k": 600.0}
STAGES = [{"stage": "validate"}, {"stage": "relax", "relax_cell": False}, SHORT]
QUICK_TRAINING = {
    "relax": False,
    "supercell.minimum_edge_angstrom": 0,
    "sample.settings": {"n_frames": 14, "duration_ps": 0.2, "skip_ps": 0.0, "volume_strains": [], "n_distorted": 12},
    "loop.settings": {"maximum_rounds": 1, "stable_ps": 0.2},
    "loop.train.settings": {"max_epochs": 2, "fewest_frames": 5},
    "loop.validate.settings": {"teacher_ps": 0.0, "constant_energy_ps": 0.1, "own_frames": 2, "skip_ps": 0.0},
}
SMALLEST = """\
description: for tests
r_max: 4.0
num_channels: 4
num_interactions: 1
max_ell: 1
correlation: 2
"""


def member(name: str, formula: str, elements: tuple[str, ...]) -> GroupMember:
    return GroupMember(name, f"label of {name}", formula, elements, f"fingerprint of {name}")


def test_a_family_is_a_chemical_system_and_learns_from_as_many_compositions_as_there_is_room_for():
    members = GroupMembers("screening")
    sulfide, others = ("Cl", "Li", "P", "S"), ("Br", "Li", "P", "S")
    members._members = {
        one.candidate_id: one
        for one in (
            member("a", "Li6PS5Cl", sulfide),
            member("b", "Li6PS5Cl", sulfide),
            member("c", "Li5PS4Cl2", sulfide),
            member("d", "Li6PS5Br", others),
            member("e", "Li7PS5Cl2", sulfide),
        )
    }

    def chosen(per, candidate, n_most, out=()):
        return [one.candidate_id for one in members.chosen(per, candidate, n_most, is_out=lambda name: name in out)]

    assert members.identity("family", "a") == ("Cl-Li-P-S", {"elements": list(sulfide)})
    assert members.identity("family", "b") == members.identity("family", "c")
    assert members.identity("family", "d") != members.identity("family", "a")
    assert members.identity("candidate", "b") == ("label of b", {"candidate": "b"})
    assert members.identity("campaign", "b") == ("screening", {"campaign": "screening"})
    assert chosen("family", "a", 3) == ["a", "c", "e"]
    assert chosen("family", "a", 9) == ["a", "c", "e", "b"]
    assert chosen("family", "a", 9, out={"c"}) == ["a", "e", "b"]
    assert chosen("candidate", "a", 9) == ["a"]
    assert chosen("campaign", "d", 2) == ["d", "c"]


def store_student(collections, path: Path) -> None:
    """Put a student into the store as the shared work that the campaign waits for."""
    from jobflow import run_locally

    campaign = prepare_campaign(collections.load_campaign("lattice"), store=collections.jobs)
    session = CampaignSession(campaign, collections)
    session.load()
    unit = next(unit for unit in session.state.next_units())
    # The stage with students, whose first unit is not there yet, for the structure as it was submitted.
    structure = session.structures([unit])[unit.stage_key]
    group = session._group_of(type("At", (), {"stage_index": 2, "candidate_id": unit.candidate_id})(), structure)
    (declared,) = campaign.shared_flows(2, structure, "label", group)
    assert (declared.flow.kind, declared.flow.label) == (KIND, "Cl-Li")
    work = SharedFlow(declared.flow.key, KIND, declared.flow.label, make=lambda: RegisterFileMaker().make(str(path)))
    flow = unit_of_shared(work, campaign.context(2, "label"))
    run_locally(flow, store=collections.jobs, create_folders=False, ensure_success=True, log=False)


def test_dynamics_takes_the_student_of_the_store_and_relaxation_the_teacher(tmp_path):
    model = write_student(
        tmp_path / "models" / "lattice.safetensors",
        elements=("Li", "Cl"),
        domain=ModelDomain(temperature_k=(300.0, 500.0), compositions=("LiCl",)).model_dump(),
    )
    (tmp_path / ".superion").mkdir()
    cells = {"c6": lattice_cell(6, seed=1)}
    students = {"distil": TEACHER, "device": "cpu", "spot_check_ps": 0.04}
    stages = [{"stage": "validate"}, {"stage": "relax", "relax_cell": False, "maximum_steps": 5}, SHORT]
    path = write_campaign(tmp_path, cells, potential=students, stages=stages)
    with open_campaigns(tmp_path) as collections:
        submit_campaign(path, collections, workers=1)
        store_student(collections, model)
        # A copy of the store elsewhere has no such path.
        model.unlink()
        report = run_campaign("lattice", collections, find_project(tmp_path), workers=1)
        assert (report.state, report.counts) == ("finished", {"done": 1}), rows_of(tmp_path)
        (student,) = iterate_documents(collections.jobs, PotentialDoc)
        trajectories = list(iterate_documents(collections.jobs, TrajectoryDoc))
        assert {one.provenance.potential.weights_sha256 for one in trajectories} == {student.weights_sha256}
        caution = "computed outside the range that the potential lattice was trained for: 600 K, trained 300–500 K"
        assert [one.notes for one in trajectories] == [[caution]]
        probes = [one for one in iterate_documents(collections.jobs, StageDoc) if one.stage == "probe"]
        for probe in probes:
            assert caution in probe.notes
            (series,) = probe.details["force_errors"]
            assert series["times_ps"] == pytest.approx([0.04, 0.08, 0.12, 0.16])
            assert len(series["drift_interval_95_mev_per_angstrom_ps"]) == 2
            assert any(note.startswith("600 K: force error against ase:superion.potentials") for note in probe.notes)
        relaxed = [one for one in iterate_documents(collections.jobs, StageDoc) if one.stage == "relax"]
        assert {one.provenance.potential.name for one in relaxed} == {"ase"}
    assert list((tmp_path / ".superion" / "potentials").glob("*.safetensors"))


@pytest.mark.slow
def test_a_rejected_student_fails_the_units_that_need_it_and_force_takes_it(tmp_path):
    model = write_student(
        tmp_path / "models" / "lattice.safetensors",
        elements=("Li", "Cl"),
        verdict="rejected",
        reasons=["it exploded after 12 ps"],
        domain={},
    )
    (tmp_path / ".superion").mkdir()
    students = {"distil": TEACHER, "device": "cpu", "spot_check_ps": None}
    stages = [{"stage": "validate"}, {"stage": "relax", "relax_cell": False, "maximum_steps": 2}, SHORT]
    path = write_campaign(tmp_path, {"c6": lattice_cell(6, seed=1)}, potential=students, stages=stages)
    with open_campaigns(tmp_path) as collections:
        submit_campaign(path, collections, workers=1)
        store_student(collections, model)
        report = run_campaign("lattice", collections, find_project(tmp_path), workers=1)
        assert report.counts == {"failed": 1}
        assert "was rejected (it exploded after 12 ps)" in rows_of(tmp_path)["c6"]["reason"]
        write_campaign(tmp_path, {}, potential=students | {"force": True}, stages=stages)
        submit_campaign(path, collections, workers=1)
        report = run_campaign("lattice", collections, find_project(tmp_path), workers=1)
        assert report.counts == {"done": 1}, rows_of(tmp_path)
        (trajectory,) = iterate_documents(collections.jobs, TrajectoryDoc)
        assert trajectory.notes[0].startswith("computed with the potential lattice although its validation rejected it")


def test_a_plan_says_that_students_are_not_there_yet(tmp_path):
    path = write_campaign(tmp_path, {"c6": lattice_cell(6, seed=1)}, potential={"distil": TEACHER}, stages=STAGES)
    from superion.workflows.campaign.file.load import load_campaign_file

    planned = plan_campaign(load_campaign_file(path), tmp_path)
    assert any("times their dynamics with the teacher" in note for note in planned.notes)
    (students,) = planned.shared_works
    assert (students.stage, students.kind, students.n_works, students.n_reused) == ("probe", KIND, 1, 0)
    assert planned.stages[2].core_hours is not None


@pytest.mark.slow
def test_one_student_is_trained_for_each_family_and_found_again(tmp_path):
    (tmp_path / "smallest.yaml").write_text(SMALLEST)
    cells = {"c6": lattice_cell(6, seed=1), "c7": lattice_cell(7, seed=2), "c8": lattice_cell(6, seed=3, anion="Br")}
    students = {
        "distil": TEACHER,
        "size": str(tmp_path / "smallest.yaml"),
        "device": "cpu",
        "force": True,
        "settings": QUICK_TRAINING,
    }
    write_campaign(tmp_path, cells, potential=students, stages=STAGES)
    events: list = []
    _, ran = run_here(tmp_path, workers=1, on_event=events.append)
    assert (ran.state, ran.counts) == ("finished", {"done": 3}), rows_of(tmp_path)
    trained = [event.label for event in events if (event.kind, event.stage) == ("unit_finished", KIND)]
    assert sorted(trained) == ["Br-Li", "Cl-Li"]
    with open_campaigns(tmp_path) as collections:
        documents = {one.name.split("-ase-")[0]: one for one in iterate_documents(collections.jobs, PotentialDoc)}
        assert set(documents) == {"Br-Li", "Cl-Li"}
        assert set(documents["Cl-Li"].elements) == {"Cl", "Li"}
        used = {
            one.provenance.potential.weights_sha256
            for one in iterate_documents(collections.jobs, TrajectoryDoc)
            if one.provenance.potential.name == "mace" and one.label in cells
        }
        assert used >= {one.weights_sha256 for one in documents.values()}
    _, again = run_here(tmp_path, workers=1)
    assert again.n_finished == 0
