from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from superion.errors import SettingsError
from superion.potentials.specification import PotentialSpecification, potential_specification


def test_a_files_path_holds_in_other_folders(tmp_path: Path, monkeypatch):
    (tmp_path / "best.model").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    specification = PotentialSpecification(model="best.model")
    monkeypatch.chdir("/")
    assert specification.model == str(tmp_path.resolve() / "best.model")
    assert PotentialSpecification.model_validate_json(specification.model_dump_json()) == specification


def test_names_stay_names():
    assert PotentialSpecification(model="medium-mpa-0").model == "medium-mpa-0"
    assert PotentialSpecification(model="nowhere/best.model").model == "nowhere/best.model"


def test_unknown_fields_and_precisions_are_refused():
    with pytest.raises(ValidationError):
        PotentialSpecification(precision="float32")
    with pytest.raises(ValidationError):
        PotentialSpecification(dtype="float16")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "cannot be None: give a name"),
        (["chgnet"], "give a name such as 'chgnet'"),
        ("", "has no name"),
        (":best.model", "has no name"),
        ({"model": "0.3.0"}, "has no name"),
        ({"name": "mace", "precision": "float32"}, "'precision' cannot be 'float32': extra inputs are not permitted"),
        ({"name": "mace", "dtype": "float16"}, "'dtype' cannot be 'float16'"),
        ({"name": "mace", "options": 3}, "its fields are name, model, device, dtype, options"),
    ],
    ids=str,
)
def test_what_is_no_potential_is_said_in_one_sentence(given, words):
    with pytest.raises(SettingsError) as caught:
        potential_specification(given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_serialised_specification_is_one_again():
    wanted = PotentialSpecification(name="ase", model="ase.calculators.emt.EMT", options={"fixed_cutoff": True})
    marked = wanted.model_dump() | {"@module": "superion.potentials.specification", "@class": "PotentialSpecification"}
    assert potential_specification(marked) == wanted
    assert potential_specification(wanted) is wanted
