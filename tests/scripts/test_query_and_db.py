from __future__ import annotations

import csv
import io
import json

import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CampaignRecord, Provenance, StageDoc, StageSummary
from superion.database.properties import PropertyEstimate
from support.candidate_rows import make_row

SIGMA, HULL = "sigma_300k_ms_cm", "energy_above_hull_ev_per_atom"


@pytest.fixture
def project(folder):
    """A project with four candidates."""
    (folder / ".superion").mkdir()
    with CampaignCollections.open(create=True) as collections:
        collections.save_campaign(CampaignRecord(campaign_id="c", file_text=""))
        collections.update_rows(
            [
                make_row(
                    0,
                    label="[bold]LGPS & co",
                    elements=["Ge", "Li", "P", "S"],
                    status="done",
                    properties={
                        SIGMA: PropertyEstimate(value=12.0, interval_95=(8.0, 18.0)),
                        HULL: PropertyEstimate(value=0.025),
                    },
                ),
                make_row(1, elements=["Li", "P", "S"], properties={SIGMA: PropertyEstimate(value=0.2)}),
                make_row(2, elements=["Li", "P", "S"], properties={SIGMA: PropertyEstimate(bound="upper", limit=0.01)}),
                make_row(3, elements=["Li", "N"], status="rejected", reason="no hops"),
            ]
        )
    return folder


def found(answer) -> list[str]:
    assert answer.code == 0, answer.err
    return [row["candidate_id"] for row in answer.json()]


def test_flags(cli, project):
    assert found(cli("query", "--json")) == ["0000", "0001", "0002", "0003"]
    assert found(cli("query", "--elements", "Li,P,S", "--exclude-elements", "Ge", "--json")) == ["0001", "0002"]
    assert found(cli("query", "--min-sigma", "0.1 mS/cm", "--max-ehull", "30 meV", "--json")) == ["0000"]
    assert found(cli("query", "--sort", "sigma_300k", "--limit", "2", "--json")) == ["0002", "0001"]
    assert found(cli("query", "--status", "rejected", "--campaign", "c", "--json")) == ["0003"]
    assert found(cli("query", "--where", "sigma_300k < 1 mS/cm and not elements has N", "--json")) == ["0001", "0002"]


def test_the_table(cli, project):
    text = cli("query").out
    assert "[bold]LGPS & co" in text
    assert "12.0 [8.00, 18.0]" in text
    assert "< 0.0100" in text
    assert "no hops" in text
    assert "--possible" in cli("query", "--elements", "Ag").err
    assert "--limit" in cli("query", "--limit", "2").err


def test_csv_and_files(cli, project):
    lines = list(csv.DictReader(io.StringIO(cli("query", "--csv").out)))
    assert [line[SIGMA] for line in lines] == ["12.0", "0.2", "", ""]
    assert [line[f"{SIGMA}_limit"] for line in lines] == ["", "", "0.01", ""]
    answer = cli("query", "-o", project / "best.json", "--limit", "1")
    assert "1 rows in" in answer.err
    assert [row["candidate_id"] for row in json.loads((project / "best.json").read_text())] == ["0000"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--min-sigma", "0.1"], ["unit", "mS/cm"]),
        (["--where", "sgima_300k > 1 mS/cm"], ["column 1", "sigma_300k"]),
        (["--elements", "Li,Xx"], ["Xx"]),
        (["--status", "don"], ["done"]),
        (["--sort", "nonsense"], ["sorted by"]),
        (["--json", "--csv"], ["--csv"]),
        (["-o", "best.xls"], [".parquet"]),
    ],
    ids=lambda value: str(value[0]),
)
def test_mistakes(cli, project, arguments, words):
    cli("query", *arguments).assert_sentence(*words)


def test_no_store(cli, folder):
    cli("query").assert_sentence("no superion project")


def test_the_store_is_made_checked_indexed_and_migrated(cli, folder):
    assert cli("db", "init").code == 0
    assert (folder / ".superion" / "superion.db").exists()
    assert "no problems" in cli("db", "check").err
    assert "indexes" in cli("db", "index").err
    assert "nothing to do" in cli("db", "migrate", "--dry-run").err
    assert cli("db", "migrate", "--json").json() == []


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("mongo", marks=pytest.mark.services)])
def test_rows_follow_results_of_jobs_that_ran_elsewhere(cli, folder, kind, request):
    location = request.getfixturevalue("mongo_uri") if kind == "mongo" else str(folder / "results.db")
    assert cli("db", "refresh", "--store", folder / "nothing.db").code == 1
    stage = {"relax": StageSummary(state="running", stage_keys=["relax-1"])}
    result = StageDoc(
        label="m",
        formula="Li3N",
        stage="relax",
        stage_key="relax-1",
        state="completed",
        properties={HULL: PropertyEstimate(value=0.01)},
        provenance=Provenance(superion_version="0"),
    )
    with CampaignCollections.open(location) as collections:
        collections.update_rows([make_row(1, stages=stage), make_row(2)])
        job = {"uuid": "job-1", "index": 1, "name": "stage", "output": result.model_dump()}
        collections.jobs.docs_store.update([job], key=["uuid", "index"])
    answer = cli("db", "refresh", "--store", location)
    assert (answer.code, answer.out) == (0, "")
    assert "wrote 1 of 2 rows" in answer.err
    assert cli("db", "refresh", "--everything", "--store", location, "--json").json() == {
        "n_written": 0,
        "n_candidates": 2,
    }
    (row,) = cli("query", "--max-ehull", "30 meV", "--store", location, "--json").json()
    assert row["candidate_id"] == "0001"


@pytest.mark.services
def test_a_store_on_a_server_is_made_checked_indexed_and_migrated(cli, folder, database):
    def on_server(*arguments):
        return cli("db", *arguments, "--store", database)

    assert f"{database}#outputs is ready" in on_server("init").err
    assert on_server("init").code == 0, "twice does no harm"
    with CampaignCollections.open(database) as collections:
        assert "output.stage_key_1" in collections.jobs.docs_store._collection.index_information()
        collections.save_campaign(CampaignRecord(campaign_id="c", file_text=""))
        collections.update_rows([make_row(0), make_row(1)])
        raw = collections.candidates._collection
        indexes = raw.index_information()
        raw.drop_index("campaign_id_1_key_1")
        assert "of 2 candidates" in on_server("index").err
        assert raw.index_information() == indexes
    assert "2 candidates" in on_server("check").err
    assert on_server("check").code == 0
    assert "nothing to do" in on_server("migrate", "--dry-run").err
    assert on_server("migrate", "--json").json() == []
    assert not (folder / ".superion").exists()


def test_problems_end_with_status_1(cli, project):
    with CampaignCollections.open() as collections:
        collections.campaigns.remove_docs({})
    answer = cli("db", "check", "--json")
    assert answer.code == 1
    assert answer.json()["problems"] == ["4 candidates belong to the campaign c, of which there is no record"]
