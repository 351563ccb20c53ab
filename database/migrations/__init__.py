"""Schema versions of what the store keeps, and the steps from one to the next."""

from __future__ import annotations

from .migrate import MigrationCount, migrate
from .migration import Migration
from .registry import MIGRATIONS, path_to_newest, register_migration

__all__ = ["MIGRATIONS", "Migration", "MigrationCount", "migrate", "path_to_newest", "register_migration"]
