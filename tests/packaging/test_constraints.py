"""The pinned versions are a plain constraints file: no addresses, markers by `python_version`."""

from __future__ import annotations

import re
from pathlib import Path

from packaging.requirements import Requirement

CONSTRAINTS = (Path(__file__).resolve().parents[2] / "constraints.txt").read_text().splitlines()


def test_every_line_is_one_exact_pin():
    for line in CONSTRAINTS:
        requirement = Requirement(line)
        assert requirement.url is None
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), line


def test_no_download_address_and_plain_markers():
    text = "\n".join(CONSTRAINTS)
    assert "://" not in text
    assert "python_full_version" not in text
    assert "python_version" in text


def test_torch_sim_only_where_it_has_wheels():
    (line,) = [line for line in CONSTRAINTS if line.startswith("torch-sim-atomistic==")]
    marker = Requirement(line).marker
    assert marker is not None
    assert not marker.evaluate({"python_version": "3.11"})
    assert marker.evaluate({"python_version": "3.12"})
