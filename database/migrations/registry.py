"""All migrations, by kind of document and the version they start from."""

from __future__ import annotations

from ...errors import StoreError
from .migration import Migration

MIGRATIONS: dict[tuple[str, int], Migration] = {}
"""(kind, from_version) -> migration; `register_migration` adds to it."""


def register_migration(migration: Migration) -> Migration:
    """Make `superion db migrate` apply a migration.

    Parameters
    ----------
    migration : Migration
        The step.

    Returns
    -------
    Migration
        The step itself.

    Raises
    ------
    StoreError
        If another one starts from the same version.
    """
    place = (migration.kind, migration.from_version)
    if MIGRATIONS.get(place, migration) is not migration:
        raise StoreError(f"There is a migration of {migration.kind} from version {migration.from_version} already.")
    MIGRATIONS[place] = migration
    return migration


def path_to_newest(kind: str, version: int, newest: int) -> list[Migration]:
    """Find the steps from a version to the newest one.

    Parameters
    ----------
    kind : str
        Kind of document.
    version : int
        Version of a stored document.
    newest : int
        Version that this superion reads.

    Returns
    -------
    list of Migration
        In the order in which they are applied; empty where there is nothing to do.

    Raises
    ------
    StoreError
        If a step is missing, or the document is newer than this superion.
    """
    if version > newest:
        raise StoreError(
            f"The store holds {kind} documents of layout {version}, but this superion reads up to {newest}: "
            "update superion."
        )
    steps = []
    for step in range(version, newest):
        migration = MIGRATIONS.get((kind, step))
        if migration is None:
            raise StoreError(
                f"No migration leads {kind} documents from layout {step} to {step + 1}: "
                "read them with the version of superion that wrote them."
            )
        steps.append(migration)
    return steps
