"""Students that a campaign trains, as its file asks for them: who uses them, and the messages for mistakes."""

from __future__ import annotations

import re

import pytest
import yaml
from superion.database.job_store import open_job_store
from superion.database.project import find_project
from superion.workflows.campaign.file.load import load_campaign_file, parse_campaign
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.campaign.file.problems import CampaignFileError
from superion.workflows.campaign.prepared import PreparedCampaign
from support.campaign_text import GOOD
from support.student import register_student, write_student


def with_potential(potential: str, text: str = GOOD) -> str:
    return re.sub(r"potential: .*", f"potential: {potential}", text, count=1)


def sentence_of(text: str) -> str:
    with pytest.raises(CampaignFileError) as caught:
        parse_campaign(text, "demo.yaml")
    return caught.value.sentences()[0]


def test_stages_with_dynamics_use_students_and_others_their_teacher():
    campaign = parse_campaign(with_potential("{distil: chgnet, size: small}"))
    users = {entry.stage: campaign.distillation_of(entry) is not None for entry in campaign.stages}
    assert users == {"validate": False, "relax": False, "probe": True, "conductivity": True}
    assert {campaign.potential_of(entry).name for entry in campaign.stages} == {"chgnet"}
    assert campaign.student_temperatures_k(campaign.potential) == (700.0, 900.0)
    (used,) = campaign.used_potentials()
    assert (used.place, used.subject, used.specification.name) == (("potential", "distil"), "the teacher", "chgnet")
    assert CampaignFile.model_validate(campaign.model_dump()) == campaign


def test_one_stage_alone_may_ask_for_students():
    content = yaml.safe_load(GOOD)
    content["stages"][3]["potential"] = {"distil": "chgnet", "temperatures_k": [800, 600, 800]}
    campaign = CampaignFile.model_validate(content)
    probe, conductivity = campaign.stages[2:]
    assert campaign.distillation_of(probe) is None
    assert campaign.student_temperatures_k(campaign.distillation_of(conductivity)) == (600.0, 800.0)
    assert [used.subject for used in campaign.used_potentials()] == [
        "the potential",
        "the teacher of the stage 'conductivity'",
    ]


def test_keys_say_how_students_are_trained_and_nothing_of_where():
    def keys(potential: str) -> list[str]:
        campaign = PreparedCampaign("demo", parse_campaign(with_potential(potential)))
        return [step.key_of("fingerprint") for step in campaign.steps]

    plain, students = keys("chgnet"), keys("{distil: chgnet}")
    assert plain[:2] == students[:2]
    assert set(plain[2:]).isdisjoint(students[2:])
    assert keys("{distil: {name: chgnet, device: cpu}, device: cuda}") == students
    for other in ("{distil: chgnet, size: small}", "{distil: chgnet, per: campaign}", "{distil: chgnet, force: true}"):
        assert set(keys(other)[2:]).isdisjoint(students[2:])


@pytest.mark.parametrize(
    ("potential", "words"),
    [
        ("{distil: chgnot}", "line 16: there is no potential 'chgnot': did you mean 'chgnet'"),
        ("{distil: chgnet, size: tyni}", "tiny"),
        ("{distil: chgnet, per: material}", "'candidate', 'family' or 'campaign'"),
        ("{distil: chgnet, sizes: tiny}", "there is no setting 'sizes' in potential, did you mean 'size'?"),
        ("{distil: chgnet, temperatures_k: [0]}", "temperatures in K must be positive"),
        ("{distil: chgnet, settings: {lop: 1}}", "there is no setting 'lop'"),
    ],
)
def test_mistakes_are_told_in_one_sentence(potential, words):
    assert words in sentence_of(with_potential(potential))


def test_students_that_nobody_would_use_are_refused():
    text = with_potential("{distil: chgnet}", GOOD.split("  - stage: probe")[0])
    assert "line 16: no stage with this potential runs molecular dynamics" in sentence_of(text)
    content = yaml.safe_load(GOOD)
    content["stages"][1]["potential"] = {"distil": "chgnet"}
    assert "the stage 'relax' runs no molecular dynamics" in sentence_of(yaml.safe_dump(content, sort_keys=False))


def test_a_campaign_names_a_potential_that_was_trained_here(tmp_path):
    store = open_job_store(project=find_project(tmp_path, create=True))
    register_student(write_student(tmp_path / "models" / "argyrodite.safetensors"), store)
    weak = write_student(tmp_path / "models" / "weak.safetensors", seed=8, verdict="rejected", reasons=["too hot"])
    register_student(weak, store)
    store.close()
    file = tmp_path / "campaign.yaml"
    file.write_text(with_potential("argyrodite"))
    potential = load_campaign_file(file).potential
    assert potential.name == "mace"
    assert potential.model.startswith(str(tmp_path / ".superion" / "potentials"))
    file.write_text(with_potential("weak"))
    with pytest.raises(CampaignFileError, match=r"line 16: the potential weak was rejected \(too hot\)"):
        load_campaign_file(file)
    file.write_text(with_potential("{name: weak, options: {force: true}}"))
    assert load_campaign_file(file).potential.options == {"force": True}
