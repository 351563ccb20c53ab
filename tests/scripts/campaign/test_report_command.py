"""`superion campaign report`, as a user types it."""

from __future__ import annotations

import json

from superion.database.campaigns import CampaignCollections
from superion.scripts.cli import app
from support.reported_campaign import demo_rows, fill_store
from typer.testing import CliRunner


def test_the_report_of_the_only_campaign(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        fill_store(collections, demo_rows()[7:])
    words = ["campaign", "report", "--store", "results.db", "--pages", "0", "--candidate", "Li3PO4", "-o", "html"]
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    index = tmp_path / "html" / "index.html"
    assert json.loads(result.stdout) == {"campaign": "demo", "page": str(index)}
    assert index.is_file()
    assert [path.name for path in (index.parent / "candidates").iterdir()] == ["00000007.html"]
