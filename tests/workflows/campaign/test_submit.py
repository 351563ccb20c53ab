"""Submitting again: what came meanwhile, what was mended, what was changed, and nothing twice."""

from __future__ import annotations

import yaml
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from superion.database.campaigns import CampaignCollections
from superion.database.project import find_project
from superion.workflows.campaign.file.load import load_campaign_file
from superion.workflows.campaign.plan.make import plan_campaign
from superion.workflows.campaign.retry import forget_failures
from superion.workflows.campaign.submit import order_failed_again, submit_campaign


def salt(anion: str = "Cl") -> Structure:
    """The conventional cell of eight atoms."""
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def mixed_salt() -> Structure:
    """Half of its cations are sodium."""
    half = {"Li": 0.5, "Na": 0.5}
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.4), [half, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def submit(folder, paths, collections, **changes):
    """Submit a campaign of some files; give the report, and the rows by label."""
    content = {"name": "c", "candidates": [{"kind": "files", "paths": paths}], "mobile_ion": "Li"}
    content |= {"potential": "chgnet", "stages": [{"stage": "validate"}], **changes}
    (folder / "c.yaml").write_text(yaml.safe_dump(content))
    report = submit_campaign(folder / "c.yaml", collections, workers=1)
    return report, {row.label: row for row in collections.iter_rows("c")}


def origins(row):
    """The files that named a candidate, sorted."""
    return sorted(origin.identifier for origin in row.origins)


def test_an_equivalent_crystal_that_comes_later_is_the_same_candidate(tmp_path):
    """Whether its files are still named or not, in whatever order, ordered or disordered."""
    for name, crystal in {"salt": salt(), "mixed": mixed_salt()}.items():
        crystal.to(str(tmp_path / f"m_{name}.cif"))
        crystal.get_primitive_structure().to(str(tmp_path / f"a_{name}.cif"))
    old, new = ["m_salt.cif", "m_mixed.cif"], ["a_salt.cif", "a_mixed.cif"]
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        report, before = submit(tmp_path, old, collections)
        assert (report.n_new, report.counts) == (2, {"waiting": 2})
        assert (before["m_salt"].was_disordered, before["m_mixed"].was_disordered) == (False, True)
        for paths in (new, [*new, *old], [*old, *new], ["*.cif"]):
            report, rows = submit(tmp_path, paths, collections)
            assert (report.n_new, report.n_not_named, report.counts) == (0, 0, {"waiting": 2})
            assert {label: row.orderings for label, row in rows.items()} == {
                label: row.orderings for label, row in before.items()
            }
            assert origins(rows["m_salt"]) == ["a_salt.cif", "m_salt.cif"]
            assert origins(rows["m_mixed"]) == ["a_mixed.cif", "m_mixed.cif"]
        submit(tmp_path, new, collections)
        plan = plan_campaign(load_campaign_file(tmp_path / "c.yaml"), tmp_path, collections, with_timing=False)
        assert (plan.n_candidates, plan.n_known) == (2, 2)


def test_a_raised_limit_lets_in_what_was_turned_away(tmp_path):
    """Ordered or disordered; a limit that stays too low changes nothing but the reason."""
    salt().to(str(tmp_path / "salt.cif"))
    mixed_salt().to(str(tmp_path / "mixed.cif"))
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        _, rows = submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 4})
        assert {row.status for row in rows.values()} == {"rejected"}
        assert all("raise the maximum number of atoms" in row.reason for row in rows.values())
        _, rows = submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 7})
        assert all("more than the 7 allowed" in row.reason for row in rows.values())
        report, rows = submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 400})
        assert (report.n_new, report.changed, report.counts) == (0, ("ordering",), {"waiting": 2})
        assert {label: (row.was_disordered, row.reason) for label, row in rows.items()} == {
            "salt": (False, None),
            "mixed": (True, None),
        }
        # Settings of the search reach it, too.
        report, again = submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 400, "n_orderings": 2})
        assert again["salt"] == rows["salt"]
        assert again["mixed"].orderings[0] == rows["mixed"].orderings[0]


def test_a_smaller_cell_of_what_was_turned_away_is_let_in(tmp_path):
    salt().to(str(tmp_path / "large.cif"))
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 4})
        salt().get_primitive_structure().to(str(tmp_path / "small.cif"))
        for n_new in (1, 0):
            report, rows = submit(tmp_path, ["*.cif"], collections, ordering={"maximum_atoms": 4})
            assert report.n_new == n_new
            assert {label: row.status for label, row in rows.items()} == {"large": "rejected", "small": "waiting"}


def test_another_mobile_ion_lets_in_what_lacked_the_first(tmp_path):
    salt().to(str(tmp_path / "salt.cif"))
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        _, rows = submit(tmp_path, ["*.cif"], collections, mobile_ion="Na")
        assert rows["salt"].status == "rejected"
        _, rows = submit(tmp_path, ["*.cif"], collections)
        assert (rows["salt"].status, rows["salt"].mobile_ion) == ("waiting", "Li")


def test_the_row_of_a_file_that_could_not_be_read_goes_when_it_is_mended(tmp_path):
    """Also where it then holds several crystals; what still cannot be read stays."""
    nonsense = "data_x\n_cell_length_a nonsense\n"
    for name in ("one", "two", "three"):
        (tmp_path / f"{name}.cif").write_text(nonsense)
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        report, rows = submit(tmp_path, ["*.cif"], collections)
        assert (report.counts, sorted(rows)) == ({"rejected": 3}, ["one", "three", "two"])
        salt().to(str(tmp_path / "one.cif"))
        texts = [str(CifWriter(salt(anion))) for anion in ("Br", "I")]
        (tmp_path / "two.cif").write_text("".join(texts))
        for n_new in (3, 0):
            report, rows = submit(tmp_path, ["*.cif"], collections)
            assert (report.n_new, report.counts) == (n_new, {"rejected": 1, "waiting": 3})
            assert sorted(rows) == ["one", "three", "two #1", "two #2"]


def test_a_retry_orders_again_what_failed_in_ordering(tmp_path):
    """The same by a submission of the same file; both keep what is known of the candidate."""
    mixed_salt().to(str(tmp_path / "mixed.cif"))
    (tmp_path / ".superion").mkdir()
    project = find_project(tmp_path)
    with CampaignCollections.open(project=project) as collections:
        _, rows = submit(tmp_path, ["*.cif"], collections)
        ordered = rows["mixed"]
        change = {"status": "failed", "orderings": [], "was_disordered": False, "stages": {}, "properties": {}}
        failed = ordered.model_copy(update={**change, "reason": "ordering it killed its process"})
        collections.update_rows([failed])
        record = collections.load_campaign("c")
        assert forget_failures(record, collections, project) == 0
        assert order_failed_again(record, collections, workers=1) == 1
        (again,) = collections.iter_rows("c")
        assert again.model_copy(update={"updated_at": ordered.updated_at}) == ordered
        assert order_failed_again(record, collections, workers=1) == 0
        collections.update_rows([failed])
        report, rows = submit(tmp_path, ["*.cif"], collections)
        assert (report.n_new, report.counts) == (0, {"waiting": 1})
        assert rows["mixed"].orderings == ordered.orderings


def test_a_pause_during_a_submission_stays(tmp_path):
    salt().to(str(tmp_path / "one.cif"))
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:
        submit(tmp_path, ["*.cif"], collections)
        for paused, anion in ((True, "Br"), (False, "I")):
            salt(anion).to(str(tmp_path / f"{anion}.cif"))
            submit_campaign(
                tmp_path / "c.yaml",
                collections,
                on_progress=lambda *_, wanted=paused: collections.change_campaign("c", paused=wanted),
            )
            record = collections.load_campaign("c")
            assert (record.paused, record.counts) == (paused, {"waiting": 2 if paused else 3})
