"""The superion command line: one file per command."""
