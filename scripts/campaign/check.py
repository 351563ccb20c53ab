"""`superion campaign check`: whether a campaign file is right, before anything is read or computed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import results_console, say, write_json
from ..options import JsonOption, StoreOption

CampaignFileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The campaign file, in YAML.")]


def check(file: CampaignFileArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Check a campaign file and list every mistake with its line; reads no candidate.

    Rules that can cut nobody, since a stage only ever bounds what they go by, get a warning, and so does a key or a
    package that a stage needs and this machine lacks.
    """
    from ...workflows.campaign.file.load import check_campaign_file
    from ...workflows.campaign.file.problems import CampaignFileError
    from ...workflows.student_names import StudentNames

    try:
        checked = check_campaign_file(file, StudentNames(location=store, near=file.expanduser().resolve().parent))
    except CampaignFileError as error:
        if as_json:
            write_json({"file": str(file), "valid": False, "problems": [vars(problem) for problem in error.problems]})
        else:
            for sentence in error.sentences():
                say(f"error: {sentence}")
        raise typer.Exit(error.exit_code) from None
    campaign = checked.campaign
    if as_json:
        warnings = [vars(warning) for warning in (*checked.warnings, *checked.lacking)]
        write_json({"file": str(file), "valid": True, "problems": [], "warnings": warnings, "campaign": campaign})
        return
    for warning in (*checked.warnings, *checked.lacking):
        say(f"warning: {warning.told(file.name)}")
    stages = ", ".join(entry.stage for entry in campaign.stages)
    results_console().print(
        f"{file} is right: campaign {campaign.name}, {len(campaign.candidates)} sources, stages {stages}.",
        markup=False,
        soft_wrap=True,
    )
