"""What reports say of each kind of document."""
