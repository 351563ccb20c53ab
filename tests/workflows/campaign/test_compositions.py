"""Tables that say what their materials hold: what lacks part of it is rejected, whenever the table comes to say so."""

from __future__ import annotations

import pytest
import yaml
from pymatgen.core import Lattice, Structure
from superion.database.campaigns import CampaignCollections
from superion.workflows.campaign.submit import submit_campaign

CATIONS = [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]
ANIONS = [[0.5, 0.5, 0.5], [0, 0, 0.5], [0, 0.5, 0], [0.5, 0, 0]]


def manganite(n_lithium: int) -> Structure:
    """One or two Li, two Mn, four O."""
    cell = Structure(Lattice.cubic(4.2), ["Mn"] * 2 + ["Li"] * 2 + ["O"] * 4, CATIONS + ANIONS)
    if n_lithium == 1:
        cell.remove_sites([3])
    return cell


@pytest.fixture
def submit(tmp_path):
    """Submit with further settings of the table; give the report, and status, reason and origins by label."""
    # Without half of its lithium it would be Li0.5MnO2, which manganese(III) and manganese(IV) make neutral.
    for name, lithium in (("full", 2), ("half", 1)):
        manganite(lithium).to(str(tmp_path / f"{name}.cif"))
    (tmp_path / "t.csv").write_text("ID,holds,other\nfull,Li MnO2,LiMnO2\nhalf,LiMnO2,Li0.5MnO2\n")
    with CampaignCollections.open(str(tmp_path / "results.db")) as collections:

        def call(**settings):
            table = {"kind": "table", "path": "t.csv", "structure": "{ID}.cif", **settings}
            content = {"name": "c", "candidates": [table], "mobile_ion": "Li", "potential": "chgnet"}
            content["stages"] = [{"stage": "validate"}]
            (tmp_path / "c.yaml").write_text(yaml.safe_dump(content))
            report = submit_campaign(tmp_path / "c.yaml", collections, workers=1)
            rows = {row.label: row for row in collections.iter_rows("c")}
            assert sorted(rows) == ["full", "half"]
            assert all(len(row.origins) == 1 for row in rows.values())
            return report, rows

        yield call


def test_what_lacks_lithium_is_rejected_with_the_composition_and_let_in_without(submit):
    _, before = submit()
    assert [row.status for row in before.values()] == ["waiting", "waiting"]
    ids = {row.candidate_id for row in before.values()}

    report, rows = submit(composition="holds")
    assert (report.n_new, report.counts) == (0, {"waiting": 1, "rejected": 1})
    assert rows["full"].orderings == before["full"].orderings
    assert rows["half"].reason == (
        "The cell Li1 Mn2 O4 holds 1 Li where the material has 2: add what is missing, or give another structure."
    )
    assert {row.candidate_id for row in rows.values()} == ids
    again, same = submit(composition="holds")
    assert (again.n_new, same) == (0, rows)

    # A column that was carried along before, so that the origins do not change.
    _, rows = submit(composition="other", carry=["holds"])
    assert rows["half"].status == "waiting"
    _, rows = submit(composition="holds", carry=["other"])
    assert rows["half"].status == "rejected"
    _, rows = submit()
    assert [row.orderings for row in rows.values()] == [row.orderings for row in before.values()]
    assert rows["half"].status == "waiting"


def test_a_corrected_cell_counts(submit, tmp_path):
    measured = {"sigma_300k_ms_cm": {"column": "sigma", "unit": "mS/cm"}}
    (tmp_path / "t.csv").write_text("ID,holds,sigma\nfull,LiMnO2,1\nhalf,LiMnO2,2\n")
    _, rows = submit(composition="holds", measured=measured)
    assert rows["half"].status == "rejected"
    (tmp_path / "t.csv").write_text("ID,holds,sigma\nfull,LiMnO2,1\nhalf,Li0.5MnO2,3\n")
    _, rows = submit(composition="holds", measured=measured)
    assert rows["half"].status == "waiting"
    assert rows["half"].measured["sigma_300k_ms_cm"].value == 3.0
    assert rows["half"].origins[0].measured == {"holds": "Li0.5MnO2", "sigma": "3"}
