"""Clusters: what a queue is like, and how jobs of each kind ask for their resources there."""
