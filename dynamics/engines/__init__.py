"""MD engines: each advances a set of trajectories, found through the entry points ``superion.md_engines``."""
