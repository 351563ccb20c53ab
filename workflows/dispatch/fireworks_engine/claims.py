"""Who hands a unit over: one claim per unit in the database, so that two coordinators never hand over the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.collection import Collection as MongoCollection
from pymongo.errors import BulkWriteError

CLAIMS = "unit_claims"
"""Name of the collection."""

LEASE_S = 120.0
"""Age in s at which a claim without a unit in the engine is free again: its coordinator died in between."""


def claim_units(claims: MongoCollection[Any], stage_keys: Sequence[str], known: Collection[str]) -> list[str]:
    """Claim units that the engine does not have.

    Parameters
    ----------
    claims : Collection
        The claims, by stage key as `_id`.
    stage_keys : sequence of str
        Units to hand over.
    known : collection of str
        Units that the engine has.

    Returns
    -------
    list of str
        Those that are ours to hand over now.
    """
    wanted = [key for key in dict.fromkeys(stage_keys) if key not in known]
    if not wanted:
        return []
    now = datetime.now(UTC)
    taken: set[str] = set()
    try:
        claims.insert_many([{"_id": key, "claimed_at": now} for key in wanted], ordered=False)
    except BulkWriteError as error:
        problems = error.details["writeErrors"]
        if any(problem["code"] != 11000 for problem in problems):
            raise
        taken = {wanted[problem["index"]] for problem in problems}
    mine = [key for key in wanted if key not in taken]
    for key in taken:
        # One at a time: only a coordinator that died just here leaves any.
        expired = {"_id": key, "claimed_at": {"$lt": now - timedelta(seconds=LEASE_S)}}
        if claims.find_one_and_update(expired, {"$set": {"claimed_at": now}}) is not None:
            mine.append(key)
    return mine


def release_units(claims: MongoCollection[Any], stage_keys: Collection[str]) -> None:
    """Give claims back, of units that could not be handed over or are no longer in the engine.

    Parameters
    ----------
    claims : Collection
        The claims.
    stage_keys : collection of str
        Units.
    """
    if stage_keys:
        claims.delete_many({"_id": {"$in": list(stage_keys)}})
