"""Collecting: duplicates merged with all origins, identity stable, hostile files rejected beside good ones."""

from __future__ import annotations

import inspect
import os
import random
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import Lattice, Structure
from superion import user_cache
from superion.database.documents.candidate_summary import CandidateOrigin
from superion.errors import SettingsError
from superion.structures.fingerprint import structure_fingerprint
from superion.structures.read import bundled_structures
from superion.workflows.campaign.file.model import CampaignFile
from superion.workflows.candidates import parse_cache
from superion.workflows.candidates.collect import Candidate, KnownCandidates, collect_candidates, merge_equivalent
from superion.workflows.candidates.source import RawCandidate, UnreadableCandidate


def salt(edge: float = 4.03, anion: str = "F") -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def campaign(*sources, **changes) -> CampaignFile:
    return CampaignFile.model_validate(
        {
            "name": "demo",
            "candidates": list(sources),
            "mobile_ion": "Li",
            "potential": "chgnet",
            "stages": [{"stage": "validate"}],
            **changes,
        }
    )


def raw(structure: Structure, name: str, **changes) -> RawCandidate:
    return RawCandidate(structure, name, CandidateOrigin(source="files", identifier=name), **changes)


def test_the_same_crystal_from_two_sources_keeps_both_origins(tmp_path):
    (tmp_path / "cifs").mkdir()
    salt().to(str(tmp_path / "cifs" / "a.cif"))
    salt().get_primitive_structure().to(str(tmp_path / "cifs" / "b.cif"))
    salt(5.13, "Cl").to(str(tmp_path / "cifs" / "c.cif"))
    (tmp_path / "t.csv").write_text("ID,sigma\na,1e-6\nc,<1e-9\n")
    table = {
        "kind": "table",
        "path": "t.csv",
        "structure": "cifs/{ID}.cif",
        "measured": {"sigma_300k_ms_cm": {"column": "sigma", "unit": "S/cm"}},
    }
    found = collect_candidates(campaign({"kind": "files", "paths": ["cifs"]}, table), tmp_path)
    assert [candidate.label for candidate in found.candidates] == ["a", "c"]
    assert [origin.identifier for origin in found.candidates[0].origins] == [
        "cifs/a.cif",
        "cifs/b.cif",
        "t.csv, row 1: cifs/a.cif",
    ]
    assert found.candidates[0].measured["sigma_300k_ms_cm"].value == pytest.approx(1e-3)
    assert found.candidates[1].measured["sigma_300k_ms_cm"].limit == pytest.approx(1e-6)
    assert [(source.n_read, source.n_duplicates, source.n_rejected) for source in found.sources] == [
        (3, 1, 0),
        (2, 2, 0),
    ]


def known(*candidates: Candidate) -> KnownCandidates:
    """Candidates that a campaign has, by id."""
    there = {candidate.candidate_id: candidate for candidate in candidates}
    return KnownCandidates(frozenset(there), load=lambda ids: [there[candidate_id] for candidate_id in ids])


def test_known_candidates_keep_their_id_when_more_come():
    first = merge_equivalent([raw(salt(), "a")])[0]
    primitive = salt().get_primitive_structure()
    again, duplicates = merge_equivalent([raw(primitive, "b"), raw(salt(5.13, "Cl"), "c")], known(*first))
    assert again[0].candidate_id == first[0].candidate_id == structure_fingerprint(salt())[:16]
    assert [origin.identifier for origin in again[0].origins] == ["a", "b"]
    assert duplicates == [0]
    assert merge_equivalent([raw(salt(), "a"), raw(primitive, "b")])[0][0] == again[0]
    assert merge_equivalent([raw(salt(5.5, "Br"), "d")], known(*first))[0][0].label == "d"


def test_known_candidates_keep_their_id_whatever_the_order_of_the_sources():
    (first,) = merge_equivalent([raw(salt(), "m")])[0]
    items = [raw(salt().get_primitive_structure(), "a"), raw(salt(), "m")]
    for order in (items, items[::-1]):
        (again,) = merge_equivalent(order, known(first))[0]
        assert (again.candidate_id, again.structure) == (first.candidate_id, salt())
        assert {origin.identifier for origin in again.origins} == {"a", "m"}


def test_a_smaller_cell_of_what_was_turned_away_is_tried_by_itself():
    (large,) = merge_equivalent([raw(salt(), "large")])[0]
    items = [raw(salt(), "large"), raw(salt().get_primitive_structure(), "small")]
    (found,) = merge_equivalent(items, KnownCandidates(turned_away=frozenset([large.candidate_id])))[0]
    assert found.label == "small"
    assert found.candidate_id != large.candidate_id


def test_different_measured_values_of_one_crystal_are_noted():
    from superion.database.properties import PropertyEstimate

    one, other = ({"sigma_300k_ms_cm": PropertyEstimate(value=value)} for value in (1.0, 2.0))
    (found,) = merge_equivalent([raw(salt(), "a", measured=one), raw(salt(), "b", measured=other)])[0]
    assert found.measured == one
    assert "b measured another sigma_300k_ms_cm" in found.notes[0]


def test_the_first_composition_is_kept_and_another_one_noted():
    items = [raw(salt(), "a"), raw(salt(), "b", expected_composition="Li2 F2"), raw(salt(), "c")]
    (found,) = merge_equivalent([*items, raw(salt(), "d", expected_composition="LiF")])[0]
    assert (found.expected_composition, found.notes) == ("Li2 F2", ())
    (found,) = merge_equivalent([*items, raw(salt(), "d", expected_composition="Li3F")])[0]
    assert found.expected_composition == "Li2 F2"
    assert found.notes == ("d gives another composition; that of the first source is kept.",)


@settings(max_examples=6)
@given(st.permutations(range(6)), st.integers(0, 2**32 - 1))
def test_neither_order_nor_description_changes_what_is_equal(order, seed):
    generator = np.random.default_rng(seed)
    crystals = [salt(), salt(5.13, "Cl"), salt(5.5, "Br")]
    shifted = []
    for crystal in crystals:
        copy = crystal.copy()
        copy.translate_sites(range(len(copy)), generator.random(3), to_unit_cell=True)
        shifted.append(Structure.from_sites([copy[index] for index in generator.permutation(len(copy))]))
    items = [raw(crystal, str(number)) for number, crystal in enumerate([*crystals, *shifted])]
    found = merge_equivalent([items[position] for position in order])[0]
    groups = {frozenset(int(origin.identifier) for origin in candidate.origins) for candidate in found}
    assert groups == {frozenset({0, 3}), frozenset({1, 4}), frozenset({2, 5})}


def test_more_candidates_than_allowed_are_refused(tmp_path):
    salt().to(str(tmp_path / "a.cif"))
    salt(5.13, "Cl").to(str(tmp_path / "b.cif"))
    limited = campaign({"kind": "files", "paths": ["*.cif"]}, limits={"maximum_candidates": 1})
    with pytest.raises(SettingsError, match=r"2 candidates, more than limits\.maximum_candidates = 1"):
        collect_candidates(limited, tmp_path)


# ------------------------------------------------------------------ hostile files

REPLACEMENTS = [
    "?",
    ".",
    "nan",
    "inf",
    "-1",
    "1e308",
    "0",
    "Xx",
    "'",
    '"',
    ";",
    "loop_",
    "data_x",
    "\0",
    "9" * 50,
    "é",
    "_",
]


def mutated(text: str, seed: int) -> bytes:
    """Change a CIF in one to four ways that depend on the seed alone."""
    generator = random.Random(seed)
    for _ in range(generator.randint(1, 4)):
        lines = text.splitlines(keepends=True) or ["x"]
        here, there = generator.randrange(len(lines)), generator.randrange(len(lines))
        way = generator.randrange(9)
        if way == 0:
            del lines[here]
        elif way == 1:
            lines.insert(there, lines[here])
        elif way == 2:
            lines[here], lines[there] = lines[there], lines[here]
        elif way == 3:
            words = lines[here].split(" ")
            words[generator.randrange(len(words))] = generator.choice(REPLACEMENTS)
            lines[here] = " ".join(words)
        elif way == 4:
            lines = lines[: here + 1]
        elif way == 5:
            lines[here] = re.sub(r"\d", lambda _: str(generator.randrange(10)), lines[here])
        elif way == 6:
            lines[here] = lines[here].replace(".", "", 1)
        elif way == 7:
            lines[here] = lines[here] * generator.randint(2, 50)
        else:
            position = generator.randrange(max(1, len(lines[here])))
            lines[here] = lines[here][:position] + generator.choice(REPLACEMENTS) + lines[here][position:]
        text = "".join(lines)
    raw_bytes = bytearray(text.encode())
    if seed % 8 == 7 and raw_bytes:
        raw_bytes[generator.randrange(len(raw_bytes))] = generator.randrange(256)
    return bytes(raw_bytes)


def test_two_hundred_mutated_cifs_are_rejected_or_read_and_the_good_ones_go_on(tmp_path):
    salt().to(str(tmp_path / "salt.cif"))
    half = Structure(Lattice.cubic(5.4), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    half.to(str(tmp_path / "half.cif"))
    sources = [bundled_structures()["Li6PS5Cl"], tmp_path / "salt.cif", tmp_path / "half.cif"]
    texts = [path.read_text(encoding="utf-8") for path in sources]
    folder = tmp_path / "all"
    folder.mkdir()
    for seed in range(200):
        (folder / f"mutated{seed:03d}.cif").write_bytes(mutated(texts[seed % 3], seed))
    for name, structure in {"good1": salt(5.13, "Cl"), "good2": salt(5.5, "Br"), "good3": salt(6.0, "I")}.items():
        structure.to(str(folder / f"{name}.cif"))
    found = collect_candidates(campaign({"kind": "files", "paths": ["all"]}), tmp_path)
    named = {origin.identifier.split("#")[0] for candidate in found.candidates for origin in candidate.origins}
    rejected = {item.origin.identifier.split("#")[0] for item in found.rejected}
    assert named | rejected == {f"all/{file.name}" for file in folder.iterdir()}
    assert {f"all/good{number}.cif" for number in (1, 2, 3)} <= named
    assert len(rejected) >= 60
    for item in found.rejected:
        assert isinstance(item, UnreadableCandidate)
        assert item.origin.identifier.split("/")[1].split("#")[0] in item.reason
        assert "\n" not in item.reason
        assert "Traceback" not in item.reason
        assert len(item.reason) < 500


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_rejected(tmp_path):
    salt().to(str(tmp_path / "a.cif"))
    (tmp_path / "a.cif").chmod(stat.S_IWUSR)
    assert collect_candidates(campaign({"kind": "files", "paths": ["a.cif"]}), tmp_path).rejected


# ------------------------------------------------------------------ the cache


def test_the_cache_gives_exactly_what_the_parser_gave(tmp_path, monkeypatch):
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path / "cache"))
    wanted = campaign({"kind": "files", "paths": ["Li6PS5Cl", "a.cif"]})
    salt().to(str(tmp_path / "a.cif"))
    first = collect_candidates(wanted, tmp_path)
    monkeypatch.setattr("superion.structures.read._parse", lambda _: pytest.fail("parsed again"))
    second = collect_candidates(wanted, tmp_path)
    assert second == first
    assert [candidate.candidate_id for candidate in second.candidates] == [
        candidate.candidate_id for candidate in first.candidates
    ]


def test_the_cache_knows_a_changed_file(tmp_path, monkeypatch):
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path / "cache"))
    wanted = campaign({"kind": "files", "paths": ["a.cif"]})
    for edge in (4.0, 4.1):
        salt(edge).to(str(tmp_path / "a.cif"))
        (candidate,) = collect_candidates(wanted, tmp_path).candidates
        assert candidate.structure.lattice.a == pytest.approx(edge)


def test_the_cache_asks_anew_when_any_of_our_readers_changes():
    from superion.structures import cif, read

    used = set(re.findall(r"^\s*from \.(\w+) import", inspect.getsource(read), re.MULTILINE))
    for module in Path(str(cif.__file__)).parent.glob("*.py"):
        used |= set(re.findall(r"^from \.\.(\w+) import", module.read_text(encoding="utf-8"), re.MULTILINE))
    assert {"completeness", "declared_composition", "validate"} < used
    assert {"read", *used} <= set(parse_cache.READERS)


def test_a_damaged_cache_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "structures.db").write_bytes(b"no database at all" * 100)
    salt().to(str(tmp_path / "a.cif"))
    assert len(collect_candidates(campaign({"kind": "files", "paths": ["a.cif"]}), tmp_path).candidates) == 1
