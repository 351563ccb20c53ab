"""`superion campaign schema`: the campaign file as JSON Schema."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..console import say, write_json


def schema(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write it to a file in place of standard output."),
    ] = None,
) -> None:
    """Print the JSON Schema of campaign files, by which editors complete and check them."""
    import json

    from ...workflows.campaign.file.json_schema import campaign_json_schema

    described = campaign_json_schema()
    if output is None:
        write_json(described)
        return
    output.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    say(f"wrote {output}; name it in the first line of a campaign file: # yaml-language-server: $schema={output}")
