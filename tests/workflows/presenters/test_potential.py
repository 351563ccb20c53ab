"""A trained potential in the terminal and in reports."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from superion.database.potential_document import potential_document
from superion.database.provenance import collect_provenance
from superion.workflows.presenters.registry import presenter_of
from superion.workflows.report.sections.registry import section_of
from support.student import METRICS, RegisterFileMaker, write_student


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    path = write_student(
        tmp_path_factory.mktemp("models") / "argyrodite.safetensors",
        verdict="rejected",
        reasons=["it exploded after 12 ps at 900 K"],
    )
    made = RegisterFileMaker.make.original(RegisterFileMaker(), str(path))
    assert potential_document(path, collect_provenance(), metrics=METRICS).name == made.name
    return made


def test_in_the_terminal(document):
    console = Console(file=io.StringIO(), width=200)
    presenter_of("potential").print(document, console)
    text = console.file.getvalue()
    for words in (
        "argyrodite  rejected",
        "it exploded after 12 ps at 900 K",
        "chgnet, model 0.3.0",
        "67.0 meV/Å",
        "600 to 1000 K",
        "360 frames",
        "1.24 × 10⁻⁴ [1.14, 1.35] × 10⁻⁴ cm²/s, teacher",
    ):
        assert words in text, text


def test_in_a_report(document):
    page = section_of("potential").article(document, name="a", command="superion potential distil <x>")
    for words in ("Potential argyrodite", "rejected", "<svg", "exploded after 12 ps", "BSD-3-Clause", "&lt;x&gt;"):
        assert words in page
    assert document.content_base64 not in page
