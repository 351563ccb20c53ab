"""Candidates from any database that speaks OPTIMADE."""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, ValidationError, field_validator

from ...database.documents.candidate_summary import CandidateOrigin
from ...errors import SettingsError, StructureError
from .source import CandidateSource, CandidateSourceSettings, RawCandidate, UnreadableCandidate

if TYPE_CHECKING:
    from pymatgen.core import Structure

_INSTALL = "pip install 'superion[databases]'"
_SECONDS_TO_ANSWER = 60.0
_MOST_ATTEMPTS = 4


class OptimadeSettings(CandidateSourceSettings):
    """A query to databases that speak OPTIMADE."""

    kind: Literal["optimade"] = "optimade"
    base_urls: tuple[str, ...] = Field(
        min_length=1, description="addresses of the databases, such as https://optimade.materialsproject.org"
    )
    filter: str = Field(
        min_length=1,
        description='OPTIMADE filter, such as: elements HAS ALL "Li","P","S" AND nsites<60',
    )
    maximum_structures: int = Field(
        default=1000, ge=1, le=100_000, description="most structures of each database, in its own order"
    )

    @field_validator("base_urls")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not url.startswith(("https://", "http://")):
                raise ValueError(f"'{url}' is not an address of a database: it must begin with https://")
        return value


class OptimadeSource(CandidateSource):
    """Asks databases by the client of the OPTIMADE project.

    References
    ----------
    C. W. Andersen et al., Sci. Data 8, 217 (2021), doi:10.1038/s41597-021-00974-z.
    """

    kind: ClassVar[str] = "optimade"
    description: ClassVar[str] = "any database that speaks OPTIMADE, by a filter"
    settings_model: ClassVar[type[CandidateSourceSettings]] = OptimadeSettings

    def read(self, settings: Any, base_folder: Path) -> Iterator[RawCandidate | UnreadableCandidate]:
        """Ask the databases one after the other.

        Parameters
        ----------
        settings : OptimadeSettings
            Databases and filter.
        base_folder : Path
            Not used.

        Yields
        ------
        RawCandidate or UnreadableCandidate
            One for each structure that a database gives.

        Raises
        ------
        SettingsError
            If the client is not installed, the filter is none, or a database does not answer.
        """
        for url in settings.base_urls:
            for entry in _entries(url, settings.filter, settings.maximum_structures):
                yield self._candidate(url, entry)

    def _candidate(self, url: str, entry: Any) -> RawCandidate | UnreadableCandidate:
        identifier = str(entry.get("id", "without id")) if isinstance(entry, Mapping) else "without id"
        origin = CandidateOrigin(source=self.kind, identifier=f"{_host(url)}/{identifier}")
        try:
            structure = structure_of_entry(entry)
        except StructureError as error:
            return UnreadableCandidate(identifier, origin, f"{origin.identifier}: {error}")
        return RawCandidate(structure, f"{structure.composition.reduced_formula} {identifier}", origin)


def structure_of_entry(entry: Any) -> Structure:
    """Turn an OPTIMADE entry into a crystal.

    Parameters
    ----------
    entry : object
        One item of `data` in a response.

    Returns
    -------
    Structure
        With partial occupancies where the database has them.

    Raises
    ------
    StructureError
        If the entry is not a crystal, or leaves something out.
    """
    from optimade.adapters.structures import Structure as Adapter
    from pymatgen.core import Structure

    from ...structures.validate import validate_structure

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            structure = Adapter(entry).as_pymatgen
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise StructureError(
            f"The entry does not keep to OPTIMADE ({place}: {first['msg'][:120]}): tell the database."
        ) from None
    except Exception as error:
        # a database may answer anything at all
        reason = " ".join(str(error).split())[:120]
        raise StructureError(
            f"The entry is not a structure ({type(error).__name__}: {reason}): tell the database."
        ) from None
    if not isinstance(structure, Structure) or not all(structure.lattice.pbc):
        raise StructureError("The entry is a molecule or a layer: only crystals can be candidates.")
    validate_structure(structure)
    return structure


def _entries(url: str, optimade_filter: str, maximum: int) -> list[Any]:
    """Ask one database for its structures."""
    client_class = _client_class()
    client = client_class(
        base_urls=[url],
        max_results_per_provider=maximum,
        max_attempts=_MOST_ATTEMPTS,
        http_timeout=_SECONDS_TO_ANSWER,
        http_client=_patient_session(),
        silent=True,
    )
    try:
        # The client prints what went wrong though it was asked to be silent; it is told in the error below.
        with (
            _tracebacks_kept(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            answer = client.get(optimade_filter, endpoint="structures")
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise SettingsError(f"The OPTIMADE filter '{optimade_filter}' is not one ({reason}): correct it.") from None
    found = answer["structures"][optimade_filter][url]
    if found["errors"]:
        reason = " ".join(str(found["errors"][0]).split())[:200]
        raise SettingsError(
            f"The OPTIMADE database {url} did not answer as it should ({reason}): check its address, the filter and "
            "the network."
        )
    return list(found["data"])[:maximum]


@contextlib.contextmanager
def _tracebacks_kept() -> Iterator[None]:
    """Undo what the client leaves behind where it fails: it silences the tracebacks of the whole process."""
    limit, hook = getattr(sys, "tracebacklimit", None), sys.excepthook
    try:
        yield
    finally:
        sys.excepthook = hook
        if limit is not None:
            sys.tracebacklimit = limit
        elif hasattr(sys, "tracebacklimit"):
            del sys.tracebacklimit


def _client_class() -> Any:
    try:
        from optimade.client import OptimadeClient
    except ImportError:
        raise SettingsError(f"The OPTIMADE client is not installed: {_INSTALL}") from None
    return OptimadeClient


def _patient_session() -> Any:
    """Make a session that waits when asked to, but not for ever as the client itself would."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    class PatientSession(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            busy = (429, 502, 503, 504)
            retry = Retry(total=_MOST_ATTEMPTS, connect=1, backoff_factor=0.5, status_forcelist=busy)
            self.mount("https://", HTTPAdapter(max_retries=retry))
            self.mount("http://", HTTPAdapter(max_retries=retry))

    return PatientSession


def _host(url: str) -> str:
    return url.split("://", 1)[1].rstrip("/")
