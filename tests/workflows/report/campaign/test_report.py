"""The report of a campaign as a whole: complete, self-contained, reproducible, whatever state the campaign is in."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import OrderingSummary
from superion.errors import SettingsError, StoreError
from superion.workflows.report.campaign import write_campaign_report
from superion.workflows.report.campaign.links import page_name
from support.reported_campaign import HOSTILE, demo_rows, fill_store, make_row, rock_salt

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] for _, attributes in self.tags if "id" in attributes]

    @property
    def all_text(self) -> str:
        return " ".join(" ".join(self.text).split())


def write(folder, rows, **options):
    """Put rows into a new store, write the report, and give its folder."""
    keep = {name: options.pop(name) for name in ("n_pages", "asked") if name in options}
    folder.mkdir(parents=True, exist_ok=True)
    with CampaignCollections.open(folder / "results.db") as collections:
        fill_store(collections, rows, **options)
        index = write_campaign_report(collections, "demo", folder / "html", **keep)
    assert index == folder / "html" / "index.html"
    return folder / "html"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The report of the demonstration campaign, four pages of candidates with the hostile one among them."""
    return write(tmp_path_factory.mktemp("demo"), demo_rows(), n_pages=2, asked=[HOSTILE, "0000000c"])


def parsed(path) -> Page:
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.open
    return page


def test_all_candidates_are_on_the_first_page(demo):
    text = parsed(demo / "index.html").all_text
    for row in demo_rows():
        assert " ".join(row.label.split()) in text
        if row.reason and row.status in ("rejected", "failed"):
            assert row.reason in text


def test_bounds_are_shown_as_bounds(demo):
    text = parsed(demo / "index.html").all_text
    assert "< 2.00 × 10⁻⁵" in text  # computed
    assert "< 1.00 × 10⁻⁷" in text  # measured
    # Once: below the only ranked row that has no value.
    assert text.count("no value: too few hops for a value") == 1


def test_the_agreement_with_what_was_measured_is_put_in_words(demo):
    assert re.search(r"Over n = \d+ of \d+ measured materials", parsed(demo / "index.html").all_text)


def test_pages_need_no_network_and_no_script(demo):
    pages = sorted(demo.rglob("*.html"))
    assert len(pages) == 5
    for path in pages:
        page = parsed(path)
        names = {tag for tag, _ in page.tags}
        assert not names & {"script", "link", "iframe", "object", "embed", "img", "base", "form"}
        for _, attributes in page.tags:
            assert not any(name.startswith("on") for name in attributes)
            for name in ("href", "xlink:href", "src"):
                target = attributes.get(name, "#")
                assert target.startswith("#") or (path.parent / target).is_file()
        policies = [a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a]
        assert policies
        assert policies[0].startswith("default-src 'none'")
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", path.read_text(encoding="utf-8"))


def test_hostile_names_are_text_everywhere(demo):
    for path in demo.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert "alert('x')" not in text
        assert "<!--" not in text
    assert "<script>" in parsed(demo / "candidates" / "00000006.html").all_text


def test_figures_speak_to_screen_readers_and_keep_to_their_ids(demo):
    for path in demo.rglob("*.html"):
        page = parsed(path)
        assert len(page.ids) == len(set(page.ids))
        drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
        for attributes in drawings:
            assert attributes["role"] == "img"
            assert set(attributes["aria-labelledby"].split()) <= set(page.ids)
        tables = sum(tag == "table" for tag, _ in page.tags)
        assert tables == sum(tag == "caption" for tag, _ in page.tags)


def test_a_candidate_page_shows_what_stands_behind_it(demo):
    page = parsed(demo / "candidates" / "00000001.html")
    text = page.all_text
    for words in ("Way through the stages", "Stage probe: completed", "Documents that are not in this store", "chgnet"):
        assert words in text
    names = " ".join(page.ids)
    for figure in ("cell-0-title", "stage-2-msd-title", "stage-3-0-arrhenius-title", "stage-3-0-msd-title"):
        assert figure in names
    # the trajectories behind the conductivity, found by the very results that it holds
    assert "1100" * 16 in text
    assert "12.0" in text  # measured


def test_the_change_of_composition_is_called_what_it_is(tmp_path):
    (row, *_) = demo_rows()
    assert row.was_disordered
    ordering = row.orderings[0].model_copy(update={"composition_deviation": 0.125})
    folder = write(tmp_path, [row.model_copy(update={"orderings": [ordering]})])
    text = parsed(folder / "candidates" / "00000000.html").all_text
    assert "Composition largest relative change" in text
    assert "0.125" in text
    assert "the largest relative change is that of an element's amount" in text
    assert "from an occupancy" not in text


def test_the_page_of_a_failed_candidate_gives_its_reason(demo):
    text = parsed(demo / "candidates" / "0000000c.html").all_text
    assert "Failed in the stage relax" in text
    assert "out of memory" in text


def test_same_store_same_files(demo, tmp_path):
    again = write(tmp_path, demo_rows(), n_pages=0, asked=["00000001"])
    assert (again / "candidates" / "00000001.html").read_bytes() == (demo / "candidates" / "00000001.html").read_bytes()
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        first = (again / "index.html").read_bytes()
        write_campaign_report(collections, "demo", again, n_pages=0, asked=["00000001"])
    assert (again / "index.html").read_bytes() == first


def test_old_pages_go_and_other_files_stay(tmp_path):
    rows = [make_row(number) for number in range(3)]
    folder = write(tmp_path, rows, with_documents=False)
    assert len(list(folder.glob("candidates/*.html"))) == 3
    (folder / "candidates" / "mine.html").write_text("<p>notes</p>", encoding="utf-8")
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        write_campaign_report(collections, "demo", folder, n_pages=1)
    assert sorted(path.name for path in folder.glob("candidates/*.html")) == ["00000000.html", "mine.html"]


@pytest.mark.parametrize("n_candidates", [0, 1])
def test_a_campaign_that_has_only_begun(tmp_path, n_candidates):
    rows = [make_row(number) for number in range(n_candidates)]
    text = parsed(write(tmp_path, rows, with_documents=False) / "index.html").all_text
    assert "Nothing to rank by is known" in text
    assert ("unfinished" if n_candidates else "no candidates yet") in text


def test_without_conductivities_something_else_ranks(tmp_path):
    rows = [row for row in demo_rows() if "conductivity" not in row.stages]
    text = parsed(write(tmp_path, rows, n_pages=0) / "index.html").all_text
    assert "of which nothing is known yet: greatest σ(300 K) stands in for it" in text
    assert "Temperature dependence" not in text


def test_an_imported_campaign_is_shown_without_trusting_its_file(tmp_path):
    text = parsed(write(tmp_path, demo_rows(), n_pages=1, base_folder=None) / "index.html").all_text
    assert "was not read" in text
    assert "energy above hull" in text  # the usual front stands in
    for stage in ("validate", "relax", "probe", "conductivity"):
        assert stage in text


def test_many_candidates_are_all_listed_on_a_page_of_their_own(tmp_path):
    rows = [make_row(number, label=f"row-{number}-", orderings=[]) for number in range(230)]
    folder = write(tmp_path, rows, with_documents=False, n_pages=1)
    first, everything = (parsed(folder / name).all_text for name in ("index.html", "all.html"))
    assert "The first 200 of 230 are shown" in first
    assert "1 of 230 candidates have a page" in first
    assert all(row.label in everything for row in rows)
    assert not all(row.label in first for row in rows)
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        collections.candidates.remove_docs({"candidate_id": {"$gte": f"{100:08x}"}})
        write_campaign_report(collections, "demo", folder, n_pages=1)
    assert not (folder / "all.html").exists()


def test_a_structure_that_is_none_is_told(tmp_path):
    bad = {"lattice": {"matrix": [[0, 0, 0]] * 3}, "sites": [{"abc": [0, 0, 0], "species": "no"}]}
    rows = [
        make_row(0, candidate_id="../../escape", orderings=[OrderingSummary(fingerprint="a" * 64, structure=bad)]),
        make_row(1, orderings=[OrderingSummary(fingerprint="b" * 64, structure=(rock_salt() * (8, 8, 8)).as_dict())]),
    ]
    folder = write(tmp_path, rows, with_documents=False)
    hidden = folder / "candidates" / page_name("../../escape")
    assert "does not describe a crystal structure" in parsed(hidden).all_text
    assert "4,096 atoms is not drawn" in parsed(folder / "candidates" / "00000001.html").all_text
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".html") == []


def test_mistakes_are_told_in_a_sentence(tmp_path):
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        with pytest.raises(SettingsError, match="There is no campaign nothing in this store"):
            write_campaign_report(collections, "nothing", tmp_path / "html")
        fill_store(collections, [make_row(0)], with_documents=False)
        with pytest.raises(SettingsError, match="no candidate materiel 0, did you mean material 0"):
            write_campaign_report(collections, "demo", tmp_path / "html", asked=["materiel 0"])
        assert not (tmp_path / "html").exists()
        (tmp_path / "file").write_text("in the way", encoding="utf-8")
        with pytest.raises(StoreError, match="cannot be written"):
            write_campaign_report(collections, "demo", tmp_path / "file")


def test_a_page_shows_the_rank_of_its_orderings_by_the_potential(tmp_path):
    crystal = rock_salt().as_dict()
    orderings = [
        OrderingSummary(
            fingerprint="a" * 64,
            structure=crystal,
            ewald_energy_ev=-100.5,
            energy_ev_per_atom=-3.1,
            energy_rank=2,
            kept=False,
            left_out="ordering 2 of 2 by energy: 12 meV/atom above the lowest",
        ),
        OrderingSummary(
            fingerprint="b" * 64,
            structure=crystal,
            ewald_energy_ev=-100.25,
            energy_ev_per_atom=-3.112,
            energy_rank=1,
        ),
    ]
    rows = [make_row(0, orderings=orderings, was_disordered=True), make_row(1, orderings=orderings[1:])]
    folder = write(tmp_path, rows)
    text = parsed(folder / "candidates" / page_name(rows[0].candidate_id)).all_text
    assert "-100.500 -3.100000 2 0 no longer: ordering 2 of 2 by energy: 12 meV/atom above the lowest" in text
    assert "-100.250 -3.112000 1 0 yes" in text
    # Of one alone there is no rank to tell.
    assert "Energy by the potential" not in parsed(folder / "candidates" / page_name(rows[1].candidate_id)).all_text
