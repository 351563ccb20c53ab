from __future__ import annotations

import pytest
from superion.errors import SettingsError
from superion.scripts.options import parse_numbers, parse_potential


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("800", [800.0]), ("800,1000", [800.0, 1000.0]), (" 800 , 1e3 1200 ", [800.0, 1000.0, 1200.0])],
)
def test_numbers(text, numbers):
    assert parse_numbers(text, option="--temperatures", unit="K") == numbers


@pytest.mark.parametrize("text", ["hot", "800,hot", "-800", "0", "nan", "inf", "", ",", "800;900"])
def test_what_is_no_number_is_named(text):
    with pytest.raises(SettingsError, match="--temperatures"):
        parse_numbers(text, option="--temperatures", unit="K")


def test_potentials():
    assert parse_potential("chgnet").model is None
    assert parse_potential("mace:models/a:b.model").model == "models/a:b.model"
    assert parse_potential("mace:x", device="cpu", dtype="float64").dtype == "float64"
    assert parse_potential("ase:a.b.C").name == "ase"
    with pytest.raises(SettingsError, match="wants a name"):
        parse_potential(":x")
