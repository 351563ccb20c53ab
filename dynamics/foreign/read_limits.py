"""What no crystal is: limits that tell a wrong unit from a physical one."""

COLDEST_K = 5.0
"""Kinetic temperature below which velocities are in another unit than said."""

HOTTEST_K = 2.0e4
"""Kinetic temperature above which no crystal is left."""

LEAST_VOLUME_ANGSTROM3 = 2.0
"""Volume of an atom that no crystal falls short of: diamond has 5.7."""

GREATEST_VOLUME_ANGSTROM3 = 5.0e3
"""Volume of an atom that no crystal exceeds: mobile ions alone, with their framework left out, have some 100."""

FARTHEST_CELLS = 1.0e6
"""Cells that an atom may be away from the first one."""
