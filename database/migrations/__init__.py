"""Schema versions of what the store keeps, and the steps from one to the next."""
