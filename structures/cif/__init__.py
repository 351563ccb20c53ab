"""Crystals from CIFs of any source: the right crystal, or a clear error."""
