"""Asking for candidates from Python, in both kinds of store; tables and files of them."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import pandas as pd
import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.export import export_rows, flat_records
from superion.database.properties import PropertyEstimate
from superion.database.query import ScanWarning, query_candidates
from superion.errors import SettingsError, StoreError
from support.candidate_rows import make_row

SIGMA, HULL = "sigma_300k_ms_cm", "energy_above_hull_ev_per_atom"


def value(number, width=None):
    return PropertyEstimate(value=number, interval_95=(number - width, number + width) if width else None)


ROWS = [
    make_row(0, elements=["Li", "P", "S"], status="done", properties={SIGMA: value(2.0, 1.5), HULL: value(0.01)}),
    make_row(1, elements=["Li", "O"], status="done", properties={SIGMA: value(0.05, 0.04), HULL: value(0.02)}),
    make_row(2, elements=["Li", "P", "S"], properties={SIGMA: PropertyEstimate(bound="upper", limit=0.5)}),
    make_row(3, elements=["Ge", "Li", "S"], status="done", properties={SIGMA: value(9.0), HULL: value(0.08, 0.06)}),
    make_row(4, elements=["Na", "S"], status="rejected", reason="no hops"),
    make_row(5, campaign_id="d", elements=["Li", "N"], measured={SIGMA: PropertyEstimate(bound="upper", limit=1e-7)}),
]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("mongo", marks=pytest.mark.services)])
def collections(request, tmp_path_factory):
    location = str(tmp_path_factory.mktemp("query") / "results.db")
    if request.param == "mongo":
        location = request.getfixturevalue("mongo_uri")
    with CampaignCollections.open(location) as opened:
        opened.candidates.remove_docs({})
        opened.update_rows(ROWS)
        yield opened


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, [3, 0, 2, 1, 4, 5]),
        ({"limit": 3}, [3, 0, 2]),
        ({"limit": 2, "skip": 3}, [1, 4]),
        ({"skip": 5}, [5]),
        ({"skip": 9}, []),
        ({"sort": "sigma_300k"}, [1, 2, 0, 3, 4, 5]),
        ({"sort": "energy_above_hull", "limit": 4}, [0, 1, 3, 2]),
        ({"sort": "-label", "limit": 2}, [5, 4]),
        ({"elements": "Li,S"}, [3, 0, 2]),
        ({"elements": ["Li"], "exclude_elements": "Ge, O"}, [0, 2, 5]),
        ({"thresholds": {"sigma_300k": "0.1 mS/cm"}}, [3, 0]),
        ({"thresholds": {"sigma_300k": "0.1 mS/cm"}, "possible": True}, [3, 0, 2]),
        ({"thresholds": {"energy_above_hull": "30 meV"}}, [0, 1]),
        ({"thresholds": {"energy_above_hull": "30 meV"}, "possible": True}, [3, 0, 1]),
        ({"campaign": "d"}, [5]),
        ({"campaign": "c", "status": "done"}, [3, 0, 1]),
        ({"where": "elements within Li, P, S and sigma_300k is known"}, [0, 2]),
        ({"where": "sigma_300k is missing"}, [4, 5]),
        ({"where": "sigma_300k is missing", "skip": 1, "limit": 5}, [5]),
        ({"where": "sigma_300k < 3 mS/cm"}, [0, 2, 1]),
        ({"where": "surely (sigma_300k > 0.4 mS/cm)"}, [3, 0]),
        ({"where": "surely (sigma_300k < 4 mS/cm)"}, [0, 2, 1]),
        ({"where": "surely (sigma_300k < 4 mS/cm)", "sort": "sigma_300k"}, [1, 2, 0]),
        ({"sort": "energy_above_hull.low"}, [0, 1, 3, 2, 4, 5]),
        ({"sort": "-sigma_300k.high", "limit": 2, "skip": 1}, [0, 2]),
        ({"where": "measured_sigma_300k < 1e-6 mS/cm"}, [5]),
        ({"where": "reason contains HOPS"}, [4]),
        ({"where": "elements within Li,Na,K,Rb,Cs,O,S,Se,Te"}, [1, 4]),
    ],
    ids=lambda given: str(given)[:60],
)
def test_rows_are_found_in_order(collections, arguments, expected):
    found = query_candidates(collections, **arguments)
    assert [int(row.candidate_id) for row in found] == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"thresholds": {"sigma_300k": "0.1"}}, "wants a unit"),
        ({"thresholds": {"sigma_300k": "0.1 eV"}}, "mS/cm"),
        ({"thresholds": {"energy_above_hull": "much"}}, "number with its unit"),
        ({"status": "don"}, "done"),
        ({"elements": "Li,Q"}, "'Q' is no element"),
        ({"sort": "sgima_300k"}, "sigma_300k"),
        ({"sort": "elements"}, "formula"),
        ({"sort": "-measured_sigma_300k.low"}, "only computed properties"),
        ({"sort": "label.high"}, "only computed properties"),
        ({"sort": "-sgima_300k.low"}, "sigma_300k"),
        ({"where": "label ~ x"}, "column 7"),
        ({"limit": -1}, "negative"),
    ],
    ids=str,
)
def test_mistakes_are_sentences(collections, arguments, words):
    with pytest.raises(SettingsError, match=words):
        query_candidates(collections, **arguments)


def test_a_store_that_is_not_there(tmp_path):
    with pytest.raises(StoreError, match=r"results\.db"):
        query_candidates(tmp_path / "results.db")


def test_a_scan_of_many_rows_warns(tmp_path, monkeypatch):
    monkeypatch.setattr("superion.database.query.SCAN_WARNING_ROWS", 3)
    with CampaignCollections.open(tmp_path / "results.db") as opened:
        opened.update_rows(ROWS)
        with pytest.warns(ScanWarning, match="No index"):
            query_candidates(opened, where="mobile_ion is missing")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            query_candidates(opened, elements="Li", thresholds={"sigma_300k": "1 mS/cm"})


def test_a_table_of_numbers(collections, tmp_path):
    frame = query_candidates(collections).to_dataframe()
    assert frame[SIGMA].dtype == float
    assert frame["candidate_id"].tolist() == ["0003", "0000", "0002", "0001", "0004", "0005"]
    bounded = frame.iloc[2]
    assert (bounded[f"{SIGMA}_bound"], bounded[f"{SIGMA}_limit"]) == ("upper", 0.5)
    assert pd.isna(bounded[SIGMA])
    assert frame.iloc[1][f"{SIGMA}_high_95"] == 3.5
    assert frame.iloc[5][f"measured_{SIGMA}_limit"] == 1e-7


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_files_hold_all_rows(tmp_path, ending):
    path = export_rows(ROWS, tmp_path / f"rows{ending}")
    assert list(tmp_path.iterdir()) == [path]
    if ending == ".json":
        found = json.loads(path.read_text())
        assert [row["key"] for row in found] == [row.key for row in ROWS]
        assert found[2]["properties"][SIGMA]["limit"] == 0.5
        return
    frame = pd.read_csv(path, dtype={"candidate_id": str}) if ending == ".csv" else pd.read_parquet(path)
    assert frame["candidate_id"].tolist() == [row.candidate_id for row in ROWS]
    assert frame[SIGMA].fillna(-1).tolist() == [2.0, 0.05, -1, 9.0, -1, -1]
    assert list(frame.columns) == list(flat_records(ROWS)[0])


def test_files_that_cannot_be_written(tmp_path):
    with pytest.raises(SettingsError, match=r"\.csv, \.json, \.parquet"):
        export_rows(ROWS, tmp_path / "rows.xls")
    with pytest.raises(StoreError, match="cannot be written"):
        export_rows(ROWS, tmp_path / "nowhere" / "rows.csv")


def test_parquet_without_its_library(tmp_path):
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from superion.database.export import export_rows\n"
        "from superion.errors import StoreError\n"
        "try:\n    export_rows([], sys.argv[1])\nexcept StoreError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "rows.parquet")], capture_output=True, text=True, check=True
    )
    assert "superion[parquet]" in done.stdout
    assert list(tmp_path.iterdir()) == []
