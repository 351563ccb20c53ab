"""Crystals from CIFs: strangers' files give the right crystal, or a clear refusal."""
