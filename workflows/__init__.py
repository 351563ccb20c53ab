"""Running flows: dispatch, progress, status, reports."""
