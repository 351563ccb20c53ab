"""What jobs need while they run: walltime, heartbeats, checkpoints, provenance, resource kinds."""
