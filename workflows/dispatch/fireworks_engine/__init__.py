"""Campaigns through FireWorks: units as workflows, allocations of the queue as pilots that take their jobs."""
