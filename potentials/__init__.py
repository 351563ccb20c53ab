"""The registry of neural-network potentials and their provenance."""
