"""Every Python block of README and docs runs, page by page, and prints what the page says it prints.

Each page starts in a folder of its own that holds a project with one finished run of the analytic conductor, and a
campaign file.

A `text` block right after a Python block is its output, `…` standing for anything; after the comment
`<!-- digits vary between machines -->` its numbers stand for any. A block stays out only by the
comment `<!-- not run: reason -->` before it, and those are counted here.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from superion.dynamics.protocol import MdSettings, RunLimits
from superion.flows.conductivity import ConductivityMaker
from superion.makers.diffusion import DiffusionMaker
from superion.makers.md import MdMaker
from superion.makers.relax import RelaxMaker
from superion.makers.supercell import SupercellMaker
from superion.potentials.specification import PotentialSpecification
from superion.transport.analysis import DiffusionSettings
from support.markdown_blocks import Block, blocks, pages


def shortened_maker() -> ConductivityMaker:
    """The flow with CHGNet on the real crystal, two temperatures of 25 steps each: every line runs, in seconds."""
    return ConductivityMaker(
        potential=PotentialSpecification(name="chgnet", device="cpu"),
        temperatures_k=(900.0, 1200.0),
        relax=RelaxMaker(maximum_steps=1),
        supercell=SupercellMaker(minimum_edge_angstrom=9),
        md=MdMaker(
            protocol=MdSettings(time_step_fs=2, frame_interval_fs=2),
            limits=RunLimits(duration_ps=0.05, segment_ps=0.05),
        ),
        diffusion=DiffusionMaker(settings=DiffusionSettings(equilibration_ps=0)),
    )


SHORTENED = {
    # takes minutes to hours as written
    'ConductivityMaker(potential=PotentialSpecification(name="chgnet"))': "shortened_maker()",
    # the finished run is that of the analytic conductor
    'formula="Li6PS5Cl"': 'formula="Li2S3"',
    'get_document(store, "3f9c")': "get_document(store, finished_document)",
}
"""What is replaced in a block before it runs, and why; the output of such a block is not compared."""

SCREENING = """\
name: screening
candidates:
  - { kind: files, paths: [Li6PS5Cl] }
mobile_ion: Li
potential: chgnet
stages:
  - stage: validate
"""
"""The campaign file `screening.yaml` that pages speak of, with the one stage that simulates nothing."""

NOT_RUN: dict[str, int] = {"fireworks.md": 1, "jobflow_remote.md": 1}
"""Page -> number of its Python blocks that carry the marker."""


def _python(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def _shortened(code: str) -> str:
    for text, replacement in SHORTENED.items():
        code = code.replace(text, replacement)
    return code


@pytest.mark.parametrize("page", [page for page in pages() if _python(page)], ids=lambda page: page.name)
def test_python_blocks_run_and_print_what_the_page_says(
    page: Path,
    tried_project: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(tried_project.folder / ".superion", tmp_path / ".superion")
    (tmp_path / "screening.yaml").write_text(SCREENING)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    namespace: dict[str, Any] = {
        "__name__": "__main__",
        "shortened_maker": shortened_maker,
        "finished_document": tried_project.document,
    }
    for block in _python(page):
        if block.not_run is not None:
            continue
        capsys.readouterr()
        code = _shortened(block.code)
        exec(compile(code, block.place, "exec"), namespace)
        if block.printed is not None and code == block.code:
            printed = capsys.readouterr().out
            pattern = ".*".join(re.escape(part) for part in block.printed.strip().split("…"))
            if block.digits_vary:
                pattern = re.sub(r"\d+", r"\\d+", pattern)
            assert re.fullmatch(pattern, printed.strip()), f"{block.place} prints\n{printed}\nnot\n{block.printed}"


def test_only_blocks_that_say_why_are_left_out() -> None:
    marked = {page.name: sum(block.not_run is not None for block in _python(page)) for page in pages()}
    assert {page: count for page, count in marked.items() if count} == NOT_RUN


def test_every_shortening_is_still_needed() -> None:
    code = "".join(block.code for page in pages() for block in _python(page))
    assert [text for text in SHORTENED if text not in code] == []


def test_pages_have_python_blocks_to_run() -> None:
    assert sum(len(_python(page)) for page in pages()) >= 12
