"""Reading campaign files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ....errors import SettingsError
from ...stages.registry import load_stage
from ...student_names import StudentNames
from .explain import explain, written_place
from .idle_ordering import idle_ordering
from .idle_rules import idle_rules
from .missing_here import missing_here
from .model import CampaignFile
from .potential import STUDENTS
from .potential_readiness import unready_potentials
from .problems import CampaignFileError, Problem
from .yaml_document import MAXIMUM_BYTES, YamlDocument, read_yaml


def load_campaign_file(path: str | Path, students: StudentNames | None = None) -> CampaignFile:
    """Read and check a campaign file.

    A potential's model file is looked for from the folder of the campaign file first.

    Parameters
    ----------
    path : str or Path
        The YAML file.
    students : StudentNames, optional
        Names of potentials that were trained here; those of the project's own store around the file by default.

    Returns
    -------
    CampaignFile
        Checked; no candidate is read yet.

    Raises
    ------
    SettingsError
        If the file is not there or cannot be used; the message names the line, see `CampaignFileError`.
    """
    return _load(path, students)[0]


def load_ready_campaign_file(path: str | Path, students: StudentNames | None = None) -> CampaignFile:
    """Read and check a campaign file, and refuse one that cannot run here for want of its potentials.

    Parameters
    ----------
    path : str or Path
        The YAML file.
    students : StudentNames, optional
        Names of potentials that were trained here; those of the project's own store around the file by default.

    Returns
    -------
    CampaignFile
        Checked; no candidate is read yet.

    Raises
    ------
    SettingsError
        As for `load_campaign_file`; and where its work is done on this machine, if the package, model file or device
        of a potential is not here, or it does not compute in that precision.
    """
    return _load_ready(path, students)[0]


@dataclass(frozen=True)
class CheckedCampaignFile:
    """A campaign file that can be used, and what in it its author hardly means.

    Parameters
    ----------
    campaign : CampaignFile
        The campaign.
    warnings : tuple of Problem
        What has no effect, by line.
    lacking : tuple of Problem
        What stages need and this machine lacks, by line.
    """

    campaign: CampaignFile
    warnings: tuple[Problem, ...]
    lacking: tuple[Problem, ...] = ()


def check_campaign_file(path: str | Path, students: StudentNames | None = None) -> CheckedCampaignFile:
    """Read and check a campaign file, and look for what is allowed in it but has no effect.

    Parameters
    ----------
    path : str or Path
        The YAML file.
    students : StudentNames, optional
        Names of potentials that were trained here; those of the project's own store around the file by default.

    Returns
    -------
    CheckedCampaignFile
        The campaign, with warnings: rules that can cut no candidate, and a limit that leaves out no ordering;
        and what this machine lacks for its stages.

    Raises
    ------
    SettingsError
        As for `load_ready_campaign_file`.
    """
    campaign, document = _load_ready(path, students)
    warnings, lacking = (
        sorted(
            (Problem(document.line_of(place), written_place(place), sentence) for place, sentence in found),
            key=lambda problem: problem.line,
        )
        for found in ((*idle_ordering(campaign), *idle_rules(campaign)), missing_here(campaign))
    )
    return CheckedCampaignFile(campaign, tuple(warnings), tuple(lacking))


def _load_ready(path: str | Path, students: StudentNames | None) -> tuple[CampaignFile, YamlDocument]:
    """Load a campaign that could run here, with the lines of its file."""
    campaign, document = _load(path, students)
    # what a cluster has is seen there
    unready = unready_potentials(campaign) if campaign.dispatch.is_local else ()
    problems = [Problem(document.line_of(one.place), written_place(one.place), why) for one, why in unready]
    if problems:
        raise CampaignFileError(Path(path).name, problems)
    return campaign, document


def _load(path: str | Path, students: StudentNames | None) -> tuple[CampaignFile, YamlDocument]:
    """Load a campaign with the lines of its file."""
    content, file = _read(path)
    document = read_yaml(content, file.name)
    folder = file.resolve().parent
    return _validated(document, file.name, folder, students or StudentNames(near=folder)), document


def _read(path: str | Path) -> tuple[bytes, Path]:
    """Read the bytes of a campaign file."""
    file = Path(path).expanduser()
    try:
        with file.open("rb") as opened:
            # One byte more than allowed is enough to know.
            content = opened.read(MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise SettingsError(f"There is no campaign file {path}: check its path.") from None
    except IsADirectoryError:
        raise SettingsError(f"{path} is a folder: give the campaign file in it.") from None
    except OSError as error:
        raise SettingsError(f"The campaign file {path} cannot be read ({error.strerror}): mend that.") from error
    return content, file


def parse_campaign(
    text: str | bytes,
    name: str = "campaign.yaml",
    *,
    base_folder: Path | None = None,
    students: StudentNames | None = None,
) -> CampaignFile:
    r"""Check the content of a campaign file.

    Parameters
    ----------
    text : str or bytes
        The YAML.
    name : str
        Name of the file, for messages.
    base_folder : Path, optional
        Folder from which a potential's model file is looked for; none if None.
    students : StudentNames, optional
        Names of potentials that were trained here; none if None.

    Returns
    -------
    CampaignFile
        Checked; no candidate is read yet.

    Raises
    ------
    CampaignFileError
        With the line and one sentence for every mistake.

    Examples
    --------
    >>> from superion.errors import SettingsError
    >>> try:
    ...     parse_campaign("name: demo\nstags: []\n", "demo.yaml")
    ... except SettingsError as error:
    ...     print(error.sentences()[-1])
    demo.yaml, line 2: there is no setting 'stags', did you mean 'stages'?
    """
    return _validated(read_yaml(text, name), name, base_folder, students)


def _validated(
    document: YamlDocument, name: str, base_folder: Path | None, students: StudentNames | None
) -> CampaignFile:
    data = document.data
    if not isinstance(data, dict):
        sentence = "the file is no list of settings: write 'name: …', 'candidates: …' and so on, one to a line"
        raise CampaignFileError(name, [Problem(line=1, place="", sentence=sentence)])
    if base_folder is not None:
        data = _with_files_of_stages(_with_model_file(data, base_folder), base_folder)
    try:
        return CampaignFile.model_validate(data, context={STUDENTS: students})
    except ValidationError as error:
        raise CampaignFileError(name, explain(error, document)) from None


def _with_model_file(data: dict[str, Any], base_folder: Path, key: str = "potential") -> dict[str, Any]:
    """Make the path of a potential's model file absolute where it is relative to the campaign file.

    The potential stands at the same key in the whole file and in the entry of a stage.
    """
    potential = data.get(key)
    if isinstance(potential, dict) and "distil" in potential:
        return {**data, key: _with_model_file(potential, base_folder, "distil")}
    if isinstance(potential, str):
        name, _, short = potential.partition(":")
        potential = {"name": name, "model": short or None}
    model = potential.get("model") if isinstance(potential, dict) else None
    if not isinstance(potential, dict) or not isinstance(model, str):
        return data
    found = _absolute(model, base_folder)
    if not Path(found).is_absolute() or not Path(found).is_file():
        return data
    return {**data, key: {**potential, "model": found}}


def _with_files_of_stages(data: dict[str, Any], base_folder: Path) -> dict[str, Any]:
    """Make paths of stages, in settings and potentials, absolute where they are relative to the campaign file.

    A setting is a path where its field says so: ``json_schema_extra={"format": "path"}``.
    """
    stages = data.get("stages")
    if not isinstance(stages, list):
        return data
    return {**data, "stages": [_with_files(entry, base_folder) for entry in stages]}


def _with_files(entry: Any, base_folder: Path) -> Any:
    if not isinstance(entry, dict) or not isinstance(entry.get("stage"), str):
        return entry
    entry = _with_model_file(entry, base_folder)
    try:
        fields = load_stage(entry["stage"]).settings_model.model_fields
    except SettingsError:
        # Said of the stage itself.
        return entry
    completed = dict(entry)
    for name, field in fields.items():
        value = entry.get(name)
        extra = field.json_schema_extra
        if isinstance(value, str) and isinstance(extra, dict) and extra.get("format") == "path":
            completed[name] = _absolute(value, base_folder)
    return completed


def _absolute(written: str, base_folder: Path) -> str:
    """Give the path from the folder of the campaign file where something is there."""
    try:
        path = base_folder / Path(written).expanduser()
        return str(path.resolve()) if path.exists() else written
    except (OSError, RuntimeError, ValueError):
        return written
