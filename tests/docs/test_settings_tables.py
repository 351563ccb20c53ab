"""Tables of settings come from the settings themselves, and every setting that the text names exists."""

from __future__ import annotations

import re
import sys

import pytest
from superion.flows.conductivity import ConductivityMaker
from superion.flows.settings import list_settings
from support.markdown_blocks import ROOT, pages

sys.path.insert(0, str(ROOT / "docs" / "hooks"))

from settings_tables import MARKER, on_page_markdown, settings_table

MARKERS = [pytest.param(found, id=found[1]) for page in pages() for found in MARKER.finditer(page.read_text())]


@pytest.mark.parametrize("found", MARKERS)
def test_table_describes_every_field(found: re.Match[str]) -> None:
    table = on_page_markdown(found[0])
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) >= 4
    assert [row[0] for row in rows if len(row) < 3 or not row[2].strip()] == []


def test_table_says_what_the_field_says() -> None:
    table = settings_table("superion.dynamics.protocol.RunLimits", ("compression",))
    assert "| `segment_ps` | `2.0` | length of one segment file and checkpoint, in ps |" in table
    assert "compression" not in table


def test_settings_named_in_the_text_exist() -> None:
    known = {info.name for info in list_settings(ConductivityMaker())}
    known |= {re.sub(r"\.(protocol|limits|settings|stop|average)\.", ".", name) for name in known}
    groups = {name.rsplit(".", n)[0] for name in known for n in range(1, name.count(".") + 1)}
    setting = re.compile(r"(?:--set |`)((?:md|volume|relax|supercell|diffusion|potential)\.[\w.]+?)(?:=|`)")
    named = [(page.name, name) for page in pages() for name in setting.findall(page.read_text(encoding="utf-8"))]
    assert len(named) >= 5
    known.add("potential.options.runtime")  # an option of one potential
    known.add("md.tim_step_fs")  # the page on the command line shows the answer to this slip
    assert [(page, name) for page, name in named if name not in known | groups] == []
