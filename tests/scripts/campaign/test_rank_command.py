"""`superion campaign rank`, as a user types it."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from superion.database.campaigns import CampaignCollections
from superion.scripts.cli import main
from superion.workflows.report.campaign.view import read_campaign
from support.reported_campaign import demo_rows, fill_store

SIGMA = "sigma_300k_ms_cm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with the made-up campaign, once by its file and once as if it were imported."""
    made = tmp_path_factory.mktemp("rank")
    with CampaignCollections.open(made / "results.db") as collections:
        fill_store(collections, demo_rows(), with_documents=False)
    with CampaignCollections.open(made / "others.db") as collections:
        fill_store(collections, demo_rows(), with_documents=False, file_text="", base_folder=None)
    return made


@pytest.fixture
def call(folder, monkeypatch, capfd):
    """Run the command on a store; give exit code, standard output and error."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: str, store: str = "results.db") -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["campaign", "rank", "--store", store, *words])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def test_a_table_as_the_file_says(call):
    code, out, err = call("demo")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    for title in ("rank", "σ(300 K)", "top 10", "score", "front"):
        assert title in lines[0]
    assert [line.split()[0] for line in lines[2:4]] == ["1", "2"]
    assert "Li10GeP2S12" in lines[2]
    assert "100 %" in lines[2]
    assert "yes" in lines[2]
    assert "< " in next(line for line in lines if "Li3PO4" in line)


def test_json_is_what_the_report_shows(call, folder):
    code, out, err = call("--top-k", "3", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert [(entry["rank"], entry["label"]) for entry in found[:2]] == [(1, "Li10GeP2S12"), (2, "Li6PS5Cl")]
    assert [entry["rank"] for entry in found] == [1, 2, 3, 4, 5, 6, 7, 8, None, None, None]
    best, bounded, unknown = found[0], found[7], found[-1]
    assert best[SIGMA] == 9.4
    assert best[f"{SIGMA}_low_95"] < 9.4 < best[f"{SIGMA}_high_95"]
    assert (bounded[SIGMA], bounded[f"{SIGMA}_bound"], bounded[f"{SIGMA}_limit"]) == (None, "upper", 2e-5)
    assert {unknown[name] for name in (SIGMA, "top_k_probability", "score")} == {None}
    with CampaignCollections.open(folder / "results.db") as collections:
        view = read_campaign(collections, "demo")
    assert {entry["candidate_id"] for entry in found if entry["is_on_front"]} == {
        key.partition("/")[2] for key in view.on_front
    }
    scores = {key.partition("/")[2]: (entry.score, *entry.interval_95) for key, entry in view.scores.items()}
    assert scores
    for entry in found:
        score = (entry["score"], entry["score_low_95"], entry["score_high_95"])
        assert score == scores.get(entry["candidate_id"], (None, None, None))
    # three places, and every draw fills them
    assert sum(entry["top_k_probability"] or 0.0 for entry in found) == pytest.approx(3.0)
    assert found[0]["top_k_probability"] > 0.9


def test_another_property_weights_and_front(call):
    found = json.loads(call("--by", "activation_energy", "--pareto", "activation_energy", "--json")[1])
    barriers = [entry["activation_energy_ev"] for entry in found if entry["rank"] is not None]
    assert barriers == sorted(barriers)
    assert [entry["is_on_front"] for entry in found[:2]] == [True, False]
    found = json.loads(call("--weights", "mean_atomic_mass=1, sigma_300k=0.01", "--json")[1])
    scores = [entry["score"] for entry in found if entry["rank"] is not None]
    assert scores == sorted(scores, reverse=True)
    assert found[0]["label"] == "Li6PS5Cl"
    code, out, _ = call("--weights", "mean_atomic_mass=1", store="others.db")
    assert code == 0
    assert "score" in out.splitlines()[0]


def test_nobody_has_what_is_asked_for(call):
    code, out, _ = call("--by", "percolation_barrier_1d", "--json")
    assert code == 0
    assert {entry["rank"] for entry in json.loads(out)} == {None}


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_files_hold_the_whole_ranking(call, folder, ending):
    code, out, err = call("--output", f"ranking.{ending}")
    assert (code, out) == (0, "")
    assert f"11 rows in ranking.{ending}" in err
    path = folder / f"ranking.{ending}"
    read = {"csv": pd.read_csv, "json": pd.read_json, "parquet": pd.read_parquet}[ending]
    frame = read(path)
    assert frame["rank"].dropna().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert frame["label"][0] == "Li10GeP2S12"
    assert frame["top_k_probability"][0] == 1.0


def test_csv_and_the_number_of_rows(call):
    code, out, _ = call("--format", "csv", "--limit", "2")
    assert code == 0
    assert [line.split(",")[0] for line in out.splitlines()] == ["rank", "1", "2"]
    code, out, err = call("--limit", "3")
    assert len(out.splitlines()) == 5
    assert "the first 3 of 11" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "sgima_300k"], "There is no property 'sgima_300k' to rank by; did you mean"),
        (["--by", "volume_change"], "Neither end of 'volume_change_percent' is better"),
        (["--by", "sigma_300k", "--weights", "sigma_300k=1"], "--by and --weights exclude each other"),
        (["--weights", "sigma_300k"], "'sigma_300k' is no weight"),
        (["--weights", "sigma_300k=0"], "give one above zero"),
        (["--weights", "sigma_300k=1,sigma_300k_ms_cm=2"], "twice"),
        (["--weights", ","], "--weights names nothing"),
        (["--pareto", "sigma_300k,sigma_300k"], "twice"),
        (["--format", "parquet"], "name a file by --output"),
        (["--format", "csv", "-o", "ranking.json"], "does not fit the file ranking.json"),
        (["--format", "csv", "--json"], "exclude each other"),
        (["-o", "ranking.xls"], ".csv, .json, .parquet"),
        (["other"], "There is no campaign"),
    ],
    ids=str,
)
def test_mistakes_are_one_sentence(call, words, message):
    code, out, err = call(*words)
    assert (code, out) == (1, "")
    assert err.count("error: ") == 1
    assert message in err
