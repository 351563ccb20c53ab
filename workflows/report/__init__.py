"""Reports for readers: one self-contained HTML page with figures, tables and provenance."""

from __future__ import annotations

from .page import render_report, write_report

__all__ = ["render_report", "write_report"]
