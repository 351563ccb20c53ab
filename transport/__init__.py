"""From displacements to diffusivities and conductivities, with calibrated intervals."""
