"""Presets that ship with the package: flows, campaigns, potentials, clusters, example structures."""
