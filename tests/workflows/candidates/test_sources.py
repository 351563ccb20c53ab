"""Candidates from files, tables and substitutions: what is read, what is rejected, what is carried along."""

from __future__ import annotations

import json

import pytest
from ase.io import write
from hypothesis import given
from hypothesis import strategies as st
from pymatgen.core import Composition, Lattice, Structure
from superion.database.properties import PROPERTIES
from superion.errors import SettingsError
from superion.structures.read import read_structure
from superion.workflows.candidates.files import FilesSettings, FilesSource
from superion.workflows.candidates.measured import check_unit, parse_measured
from superion.workflows.candidates.registry import load_source, source_kinds
from superion.workflows.candidates.source import RawCandidate, UnreadableCandidate
from superion.workflows.candidates.substitution import SubstitutionSettings, SubstitutionSource
from superion.workflows.candidates.table import TableSettings, TableSource, read_formula


def salt(edge: float = 4.03, anion: str = "F") -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def read(source, settings, folder):
    return list(source.read(settings, folder))


def files(folder, *paths):
    return read(FilesSource(), FilesSettings(paths=paths), folder)


# ------------------------------------------------------------------ registry


def test_every_registered_source_loads_and_describes_itself():
    assert {"files", "table", "materials_project", "optimade", "substitution"} <= set(source_kinds())
    for kind in source_kinds():
        source = load_source(kind)
        assert source.kind == kind
        assert source.settings_model.model_fields["kind"].default == kind
        assert source.description


def test_an_unknown_source_names_the_nearest():
    with pytest.raises(SettingsError, match="'files'"):
        load_source("file")


# ------------------------------------------------------------------ files


def test_reads_every_format_and_every_structure_of_a_file(tmp_path):
    salt().to(str(tmp_path / "a.cif"))
    salt(5.13, "Cl").to(str(tmp_path / "POSCAR"))
    frames = [salt(edge).to_ase_atoms() for edge in (4.0, 4.1, 4.2)]
    write(tmp_path / "b.extxyz", frames)
    (tmp_path / "c.json").write_text(json.dumps(salt(5.5, "Br").as_dict()))
    (tmp_path / "d.jsonl").write_text("\n".join(json.dumps(salt(edge).as_dict()) for edge in (4.3, 4.4)))
    (tmp_path / "notes.txt").write_text("not for us")
    found = files(tmp_path, ".")
    assert all(isinstance(item, RawCandidate) for item in found)
    assert [item.label for item in found] == ["POSCAR", "a", "b #1", "b #2", "b #3", "c", "d #1", "d #2"]
    assert found[3].origin.identifier == "b.extxyz#2"
    assert found[3].structure.lattice.a == pytest.approx(4.1)
    assert files(tmp_path, "*.cif")[0].origin.identifier == "a.cif"


def test_reads_each_file_once_and_shipped_examples_by_name(tmp_path):
    salt().to(str(tmp_path / "a.cif"))
    found = files(tmp_path, "a.cif", "*.cif", ".", "Li6PS5Cl")
    assert [item.origin.identifier for item in found] == ["a.cif", "Li6PS5Cl"]


def test_reads_every_block_of_a_cif_and_rejects_the_bad_one(tmp_path):
    salt().to(str(tmp_path / "one.cif"))
    good = (tmp_path / "one.cif").read_text()
    bad = good.replace("4.03", "0.01")
    (tmp_path / "many.cif").write_text(
        "data_global\n_journal x\n"
        + "\n".join(text.replace("data_", f"data_{name}", 1) for name, text in {"A": good, "B": bad, "C": good}.items())
    )
    first, second, third = files(tmp_path, "many.cif")
    assert isinstance(first, RawCandidate)
    assert isinstance(third, RawCandidate)
    assert isinstance(second, UnreadableCandidate)
    assert "many.cif" in second.reason
    assert "data block B" in second.reason


@pytest.mark.parametrize("path", ["nothing.cif", "*.nothing", "none/**/*.cif", "\0"])
def test_a_path_that_leads_to_nothing_is_told(tmp_path, path):
    with pytest.raises(SettingsError, match="no structure file"):
        files(tmp_path, path)


def test_json_from_a_stranger_builds_no_object_that_it_names(tmp_path):
    data = salt().as_dict()
    trap = tmp_path / "trap"
    data["sites"][0]["properties"] = {"x": {"@module": "pathlib", "@class": "Path", "args": [str(trap)]}}
    data["@module"], data["@class"] = "os", "system"
    (tmp_path / "a.json").write_text(json.dumps(data))
    (found,) = files(tmp_path, "a.json")
    assert found.structure.site_properties == {}
    assert found.structure.composition.reduced_formula == "LiF"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "[1, 2]",
        "3",
        '{"lattice": 3}',
        '{"lattice": {"matrix": [[1,0,0],[0,1,0],[0,0,1]]}, "sites": []}',
        '{"lattice": {"matrix": [[1,0],[0,1]]}, "sites": [{"species": [], "abc": [0,0,0]}]}',
        '{"lattice": {"matrix": [[4,0,0],[0,4,0],[0,0,4]]}, "sites": [{"species": [{"element": "Q", "occu": 1}]}]}',
        "[" * 100_000,
        '{"lattice": {"matrix": [[1e999,0,0],[0,4,0],[0,0,4]]}, "sites": [{"species": [], "abc": [0,0,0]}]}',
    ],
    ids=range(11),
)
def test_json_that_is_no_structure_is_rejected(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    salt().to(str(tmp_path / "good.cif"))
    bad, good = files(tmp_path, "a.json", "good.cif")
    assert isinstance(bad, UnreadableCandidate)
    assert "\n" not in bad.reason
    assert isinstance(good, RawCandidate)


# ------------------------------------------------------------------ tables


def table_settings(**changes):
    settings = {
        "path": "data.csv",
        "structure": "cifs/{ID}.cif",
        "label": "{name} ({ID})",
        "measured": {"sigma_300k_ms_cm": {"column": "sigma (S/cm)", "unit": "S/cm"}},
        "carry": ["DOI"],
    }
    return TableSettings(**{**settings, **changes})


@pytest.fixture
def table(tmp_path):
    (tmp_path / "cifs").mkdir()
    salt().to(str(tmp_path / "cifs" / "a1.cif"))
    salt(5.13, "Cl").to(str(tmp_path / "cifs" / "b2.cif"))
    (tmp_path / "cifs" / "bad.cif").write_text("no crystal")
    (tmp_path / "data.csv").write_text(
        'ID,name,sigma (S/cm),DOI\na1,"salt, of Li",<1E-10,10.1/x\nb2,LiCl,2e-5,\nmissing,LiBr,1,\n'
        "bad,LiI,1e-3,\na1,again,about 3,\n"
    )
    return tmp_path


def test_takes_measured_values_along_with_bounds_as_bounds(table):
    first, second, missing, bad, again = read(TableSource(), table_settings(), table)
    assert (first.label, first.origin.identifier) == ("salt, of Li (a1)", "data.csv, row 1: cifs/a1.cif")
    assert first.origin.measured == {"sigma (S/cm)": "<1E-10", "DOI": "10.1/x"}
    estimate = first.measured["sigma_300k_ms_cm"]
    assert (estimate.bound, estimate.limit, estimate.value) == ("upper", 1e-7, None)
    assert second.measured["sigma_300k_ms_cm"].value == 0.02
    assert isinstance(missing, UnreadableCandidate)
    assert "cifs/missing.cif" in missing.reason
    assert missing.origin.measured == {"sigma (S/cm)": "1"}
    assert isinstance(bad, UnreadableCandidate)
    assert bad.label == "LiI (bad)"
    assert again.measured == {}
    assert "about 3" in again.notes[-1]


def test_reads_tables_of_several_kinds(table):
    import pandas as pd

    frame = pd.read_csv(table / "data.csv", dtype=str)
    frame.to_parquet(table / "data.parquet")
    frame.to_csv(table / "data.tsv", sep="\t", index=False)
    frame.to_json(table / "data.json", orient="records")
    expected = read(TableSource(), table_settings(), table)
    for name in ("data.parquet", "data.tsv", "data.json"):
        found = read(TableSource(), table_settings(path=name), table)
        assert [item.label for item in found] == [item.label for item in expected]
        assert found[0].measured == expected[0].measured


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"path": "nothing.csv"}, "no table nothing.csv"),
        ({"structure": "cifs/{Id}.cif"}, "no column 'Id': did you mean 'ID'"),
        ({"carry": ["doi"]}, "no column 'doi'"),
        ({"path": "cifs/bad.cif"}, "no rows"),
        ({"path": "empty.csv"}, "empty.csv"),
    ],
)
def test_a_table_that_does_not_fit_is_told(table, changes, words):
    (table / "empty.csv").write_text("")
    with pytest.raises(SettingsError, match=words):
        read(TableSource(), table_settings(**changes), table)


def test_takes_the_composition_of_the_material_along(table):
    (table / "data.csv").write_text(
        "ID,name,sigma (S/cm),DOI,what\na1,x,,,Li2O F2\na1,x,,,\na1,x,,,nonsense\na1,x,,,Li0\na1,x,,,Xx3\n"
    )
    found = read(TableSource(), table_settings(composition="what"), table)
    assert [item.expected_composition for item in found] == ["Li2O F2", None, None, None, None]
    assert [bool(item.notes) for item in found] == [False, False, True, True, True]
    assert "'nonsense' is no formula" in found[2].notes[-1]
    assert found[0].origin.measured == {"what": "Li2O F2"}
    assert [item.expected_composition for item in read(TableSource(), table_settings(), table)] == [None] * 5
    with pytest.raises(SettingsError, match="no column 'What': did you mean 'what'"):
        read(TableSource(), table_settings(composition="What"), table)


@given(st.text(max_size=30))
def test_any_composition_is_a_formula_or_a_note(text):
    formula = read_formula(text)
    assert formula is None or Composition(formula).num_atoms > 0


@given(st.floats(1e-12, 1e3), st.sampled_from(["<", ">", "", "~", "≤", ">="]))
def test_reads_back_any_measured_number(value, sign):
    estimate = parse_measured(f"{sign}{value!r}", "sigma_300k_ms_cm", "S/cm")
    number = estimate.limit if sign in ("<", ">", "≤", ">=") else estimate.value
    assert number == pytest.approx(1000.0 * value, rel=1e-9)
    assert estimate.bound == {"<": "upper", "≤": "upper", ">": "lower", ">=": "lower"}.get(sign)


@given(st.text(max_size=20))
def test_any_cell_is_a_number_nothing_or_a_mistake(cell):
    try:
        estimate = parse_measured(cell, "sigma_300k_ms_cm", "mS/cm")
    except ValueError:
        return
    assert estimate is None or (estimate.value or estimate.limit) > 0


def test_a_standard_error_becomes_intervals():
    estimate = parse_measured("1.2 ± 0.1", "activation_energy_ev", "eV")
    assert estimate.interval_68 == pytest.approx((1.1, 1.3))
    assert estimate.interval_95 == pytest.approx((1.2 - 0.197, 1.2 + 0.197), abs=2e-3)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [("S/cm", 1e3), ("mS/cm", 1.0), ("S cm-1", 1e3), ("S cm⁻¹", 1e3), ("S/m", 10.0), ("1/(ohm cm)", 1e3)],
)
def test_converts_units(unit, factor):
    assert parse_measured("2", "sigma_300k_ms_cm", unit).value == pytest.approx(2 * factor)


def test_every_property_takes_its_own_unit_and_kj_per_mol_is_an_energy():
    for name, definition in PROPERTIES.items():
        assert parse_measured("2", name, definition.unit).value == 2.0
    assert parse_measured("96.485", "activation_energy_ev", "kJ/mol").value == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("unit", ["eV", "", "(", "foo", "__import__('os')", "S/cm/"])
def test_refuses_units_that_do_not_fit(unit):
    with pytest.raises(SettingsError, match="unit"):
        check_unit("sigma_300k_ms_cm", unit)


# ------------------------------------------------------------------ substitution


def test_substitutes_on_every_parent_and_keeps_charge(tmp_path):
    salt(5.13, "Cl").to(str(tmp_path / "a.cif"))
    settings = SubstitutionSettings(
        parents=["a.cif", "Li6PS5Cl"], maps=[{"Cl": "Br"}, {"Cl": {"Br": 0.5}}, {"S": "Se"}]
    )
    found = read(SubstitutionSource(), settings, tmp_path)
    assert [item.label for item in found] == [
        "a Cl→Br",
        "a Cl→0.5 Br",
        "a S→Se",
        "Li6PS5Cl Cl→Br",
        "Li6PS5Cl Cl→0.5 Br",
        "Li6PS5Cl S→Se",
    ]
    assert isinstance(found[2], UnreadableCandidate)
    assert "'S' cannot be substituted" in found[2].reason
    for item in (item for item in found if isinstance(item, RawCandidate)):
        assert abs(item.structure.charge) < 1e-6
    assert found[5].structure.composition.element_composition.reduced_formula == "Li6PSe5Cl"
    assert found[5].origin.identifier == "Li6PS5Cl with S→Se"


@pytest.mark.parametrize(
    "maps", [[{}], [{"S": "Q"}], [{"S": {"Se": 0.0}}], [{"S": {"Se": 0.7, "Te": 0.7}}], [{"S": {}}], []]
)
def test_refuses_substitutions_that_make_no_sense(maps):
    with pytest.raises(ValueError, match="maps"):
        SubstitutionSettings(parents=["Li6PS5Cl"], maps=maps)


def test_partly_occupied_structures_stay_so(tmp_path):
    (found,) = files(tmp_path, "Li6PS5Cl")
    assert not found.structure.is_ordered
    assert found.structure == read_structure("Li6PS5Cl")
