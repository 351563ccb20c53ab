"""A `keep_lowest` that can leave out no ordering is told with its line."""

from __future__ import annotations

import pytest
from superion.workflows.campaign.file.load import check_campaign_file

TEXT = """name: demo
candidates: [{kind: files, paths: ["*.cif"]}]
mobile_ion: Li
potential: chgnet
ordering:
  n_orderings: 5
  keep_lowest: {keep_lowest}
stages: [{{stage: validate}}, {{stage: {stage}}}]
""".replace("[{kind", "[{{kind").replace("]}]", "]}}]")


@pytest.mark.parametrize(
    ("keep_lowest", "stage", "why"),
    [
        (4, "relax", None),
        ("null", "probe", None),
        (5, "relax", "there are no more than n_orderings = 5 of a candidate"),
        (4, "probe", "no stage finds the energies that rank them"),
    ],
)
def test_it_is_told_where_it_has_no_effect(tmp_path, keep_lowest, stage, why):
    file = tmp_path / "demo.yaml"
    file.write_text(TEXT.format(keep_lowest=keep_lowest, stage=stage))
    warnings = check_campaign_file(file).warnings
    if why is None:
        assert warnings == ()
    else:
        (warning,) = warnings
        assert (warning.line, warning.place) == (7, "ordering.keep_lowest")
        assert why in warning.sentence
