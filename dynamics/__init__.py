"""Molecular dynamics that can be killed and continued: engine, checkpoints, trajectory files, health checks."""
