from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
from superion.potentials.specification import PotentialSpecification
from superion.scripts.console import plain_data, write_json


class Colour(Enum):
    RED = "red"


def test_everything_becomes_strict_json(capsys):
    data = {
        "model": PotentialSpecification(name="chgnet"),
        "numbers": (np.float32(0.5), np.int64(3), math.nan, -math.inf, np.array([1.0, math.nan])),
        "path": Path("a"),
        "when": datetime(2026, 1, 2, tzinfo=UTC),
        "kind": Colour.RED,
        3: {True, None},
        "text": 'say "σ" \n',
    }
    write_json(data)
    read = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert read["model"]["name"] == "chgnet"
    assert read["numbers"] == [0.5, 3, None, None, [1.0, None]]
    assert read["path"] == "a"
    assert read["when"] == "2026-01-02T00:00:00+00:00"
    assert read["kind"] == "red"
    assert set(read["3"]) == {True, None}
    assert read["text"] == 'say "σ" \n'


def test_booleans_stay_booleans():
    assert plain_data([True, False]) == [True, False]
