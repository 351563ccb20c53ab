from __future__ import annotations

import os
import re
from html.parser import HTMLParser

import pytest
from superion.errors import StoreError
from superion.workflows.report import render_report, write_report
from superion.workflows.report.html_parts import charge_text, escape, formula_markup
from superion.workflows.report.material import reproduction_command, temperature_flags
from support.conductivity_documents import make_curved_document

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Checker(HTMLParser):
    """Collects the text, the tags and their balance."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1] == tag, f"</{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def parse(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    checker.close()
    assert checker.open == []
    return checker


@pytest.fixture(scope="module")
def page(document, diffusion_documents):
    return render_report(document, related=diffusion_documents)


@pytest.fixture(scope="module")
def checked(page):
    return parse(page)


def visible(checker: Checker) -> str:
    return " ".join(" ".join(checker.text).split())


def test_the_page_needs_no_network(checked, page):
    for tag, attributes in checked.tags:
        assert tag not in ("script", "link", "iframe", "img", "object", "embed"), tag
        for name, value in attributes.items():
            if name in ("src", "href", "xlink:href", "action", "data"):
                assert value is not None, (tag, name)
                assert value.startswith("#"), (tag, name, value)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_page_says_the_answer_with_its_intervals(checked, document):
    text = visible(checked)
    from superion.workflows.report.numbers import format_interval, format_number, format_with_error

    assert f"{format_number(document.sigma_300k_ms_cm)} mS/cm" in text
    assert f"68 %: {format_interval(document.sigma_300k_interval_68_ms_cm)}" in text
    assert f"95 %: {format_interval(document.sigma_300k_interval_95_ms_cm)}" in text
    assert format_with_error(document.activation_energy_ev, document.activation_energy_error_ev) in text
    assert "statistical" in text
    assert document.verdict in text
    for error in document.systematic_errors:
        assert error.statement in text


def test_a_curved_line_is_said_once():
    document = make_curved_document()
    assert document.arrhenius.curvature.note in document.arrhenius.flags
    assert visible(parse(render_report(document))).count(document.arrhenius.curvature.note) == 1


def test_the_two_counts_of_hops_have_two_names(checked):
    text = visible(checked)
    assert "Effective hops" in text
    assert "diffusive hops that a remark may name" in text


def test_every_temperature_is_there_also_those_without_result(checked, document):
    text = visible(checked)
    for result in document.temperatures:
        assert f"{result.temperature_k:g}" in text
        for flag in temperature_flags(result):
            assert flag in text
    assert "1300 K has no result: the framework melted after 3.2 ps" in text
    assert "Haven ratio withheld at 500 K" in text


def test_provenance_is_complete(checked, document, diffusion_documents):
    text = visible(checked)
    potential = document.provenance.potential
    for expected in (
        potential.weights_sha256,
        document.provenance.structure_fingerprint,
        document.provenance.job_uuid,
        "42, 43",
        "pymatgen 2026.10.1",
        "float32 on cpu",
        *(key for item in diffusion_documents for key in item.trajectory_keys),
    ):
        assert expected in text
    assert "superion run conductivity STRUCTURE --mobile-ion Li --potential chgnet:0.3.0" in text
    assert "superion show 11111111-2222-3333-4444-555555555555" in text


def test_figures_and_tables_speak_to_screen_readers(checked):
    figures = [attributes for tag, attributes in checked.tags if tag == "svg"]
    assert len(figures) == 3
    ids = [attributes["id"] for _, attributes in checked.tags if attributes.get("id")]
    assert len(ids) == len(set(ids)), "ids are unique on the page"
    for attributes in figures:
        assert attributes["role"] == "img"
        assert set(attributes["aria-labelledby"].split()) <= set(ids)
    tags = [tag for tag, _ in checked.tags]
    assert tags.count("table") == tags.count("caption")
    assert tags.count("h1") == 1
    assert ("html", {"lang": "en"}) in checked.tags
    assert all(attributes.get("scope") in ("col", "row") for tag, attributes in checked.tags if tag == "th")


def test_text_of_users_is_escaped(document_factory):
    evil = '<script>alert("x")</script>&"\' $\\frac{'
    document = document_factory(label=evil)
    document.notes = [evil]
    document.verdict = evil
    document.temperature_failures = {evil: evil}
    document.provenance.host = evil
    document.provenance.campaign_id = evil
    page = render_report(document, command=evil)
    checker = parse(page)
    assert "<script" not in page
    assert not any(tag == "script" for tag, _ in checker.tags)
    assert "".join(checker.text).count('<script>alert("x")</script>') >= 6


def test_several_materials_share_a_page(document_factory, document):
    page = render_report([document, document_factory(label="second one", withheld=())])
    checker = parse(page)
    assert [tag for tag, _ in checker.tags].count("article") == 2
    ids = [attributes["id"] for _, attributes in checker.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    assert "second one" in visible(checker)
    with pytest.raises(ValueError, match="at least one"):
        render_report([])


def test_a_result_without_any_number_has_a_page(document_factory):
    full = document_factory(temperatures=(), withheld=(500.0,))
    bare = full.model_copy(
        update={"temperatures": [], "arrhenius": None, "arrhenius_collective": None, "state": "failed"}
    )
    for document in (full, bare):
        text = visible(parse(render_report(document)))
        assert "the runs do not support an extrapolation" in text
    bounded = full.model_copy(update={"sigma_300k_upper_bound_ms_cm": 2.5e-4})
    assert "< 2.5 × 10⁻⁴ mS/cm" in visible(parse(render_report(bounded)))


def test_the_file_is_replaced_whole_or_not_at_all(document, tmp_path, monkeypatch):
    target = tmp_path / "new folder" / "report.html"
    assert write_report(document, target) == target
    before = target.read_text(encoding="utf-8")
    assert before.startswith("<!DOCTYPE html>")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(StoreError, match="No space left on device"):
        write_report(document, target)
    assert target.read_text(encoding="utf-8") == before
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_one_sentence(document, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written to"):
        write_report(document, tmp_path / "file" / "report.html")


def test_the_structure_is_there_to_copy(document_factory):
    from pymatgen.core import Lattice, Structure

    salt = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    document = document_factory().model_copy(update={"structure": salt.as_dict()})
    text = visible(parse(render_report(document)))
    assert "The simulated cell (POSCAR)" in text
    assert "4.030000000000" in text


def test_small_pieces():
    assert formula_markup("Li6.25Al0.25La3Zr2O12") == (
        "Li<sub>6.25</sub>Al<sub>0.25</sub>La<sub>3</sub>Zr<sub>2</sub>O<sub>12</sub>"
    )
    assert formula_markup("Li7(PS4)2") == "Li<sub>7</sub>(PS<sub>4</sub>)<sub>2</sub>"
    assert formula_markup("<b>") == "&lt;b&gt;"
    assert escape(escape("<")) == "&lt;"
    assert [charge_text(c) for c in (1, -1, 2, -2)] == ["+", "−", "2+", "2−"]


def test_the_command_that_repeats_it(document):
    assert reproduction_command(document, "my file.cif") == (
        "superion run conductivity 'my file.cif' --mobile-ion Li --potential chgnet:0.3.0 "
        "--temperatures 500,650,800,950,1100,1300 --replicas 2"
    )
    told = document.model_copy(update={"extra": {"command": "superion run conductivity x.cif"}})
    assert reproduction_command(told) == "superion run conductivity x.cif"
