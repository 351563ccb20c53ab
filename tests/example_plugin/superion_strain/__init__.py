"""How much an electrode swells: the worked example of a package that plugs into superion."""
