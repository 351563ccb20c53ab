"""How documents of each kind show themselves in a terminal."""
