from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError
from superion.potentials.specification import PotentialSpecification


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
