"""Potentials trained for a family of materials: frames, labels, training, committees, verdicts."""
