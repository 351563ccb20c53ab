"""Documents show themselves: what serves all kinds names none."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OWN = re.compile(r"conductivity|database/documents/__init__|workflows/existing|workflows/report/material")
"""Files that are about conductivities: their document, job, stage, presenter, report, and their analysis of files."""

FOLDERS = ("scripts", "workflows", "flows", "runtime", "makers", "database")
FILES = [path.relative_to(ROOT) for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def test_only_files_about_conductivities_know_their_class():
    others = [path for path in FILES if not OWN.search(path.as_posix())]
    assert [path for path in others if "ConductivityDoc" in _code(path)] == []


@pytest.mark.parametrize("word", ["conductivity", "DiffusionDoc", "TrajectoryDoc", "RelaxDoc", "CandidateDoc"])
def test_no_command_knows_a_kind_of_document_or_a_flow(word):
    commands = [path for path in FILES if path.parts[0] == "scripts"]
    assert [path for path in commands if word in _code(path)] == []


def _code(path: Path) -> str:
    """Names and short strings; help texts and docstrings may speak of anything."""
    found = []
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Name):
            found.append(node.id)
        elif isinstance(node, ast.alias):
            found.append(node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and " " not in node.value:
            found.append(node.value)
    return " ".join(found)
