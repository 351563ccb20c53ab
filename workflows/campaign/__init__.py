"""Campaigns: many candidates through stages, from one file to a ranked table."""
