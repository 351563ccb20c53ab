"""The runtime symmetrix: MACE models converted once, then evaluated by compiled code."""
