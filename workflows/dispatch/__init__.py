"""Engines that run a flow: here, parallel local processes."""
