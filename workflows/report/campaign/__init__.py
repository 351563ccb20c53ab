"""The report of a campaign: a folder of pages that need no network."""

from __future__ import annotations

from .write import write_campaign_report

__all__ = ["write_campaign_report"]
