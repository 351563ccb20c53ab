"""Trajectories made elsewhere: VASP, LAMMPS, extended XYZ, ASE and H5MD files, read into one plain form."""

from .read import read_foreign_trajectory
from .registry import FOREIGN_FORMATS, ForeignFormat, register_foreign_format
from .trajectory import ForeignTrajectory

__all__ = [
    "FOREIGN_FORMATS",
    "ForeignFormat",
    "ForeignTrajectory",
    "read_foreign_trajectory",
    "register_foreign_format",
]
