"""Synthetic motion of the kinds that real conductors show, with diffusivities known exactly or from long runs."""
