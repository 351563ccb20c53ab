"""Give every partly occupied site an occupant, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pymatgen.core import Structure

from .ewald_arrangement import Annealing, ordered_structure
from .formal_charges import formal_charges
from .occupancy import count_in_supercell, is_full
from .rejection import RejectionCode, StructureRejection

MOST_SITES = 1500
"""Sites beyond which a cell is not ordered: the interactions of all pairs are kept in memory."""


@dataclass(frozen=True)
class OrderingResult:
    """An ordered structure and what was decided on the way.

    Attributes
    ----------
    structure : Structure
        Every site holds one element; oxidation states are taken off.
    notes : tuple of str
        Decisions that a user should know: oxidation states, rounding of the composition, the search.
    was_disordered : bool
        Whether there was anything to order.
    """

    structure: Structure
    notes: tuple[str, ...]
    was_disordered: bool


def order_structure(
    structure: Structure,
    *,
    seed: int = 0,
    n_starts: int = 8,
    sweeps: int = 800,
    oxidation_states: Mapping[str, float] | None = None,
    maximum_atoms: int = 200,
) -> OrderingResult:
    """Order partial occupancies by electrostatic energy, keeping charge and composition.

    Occupants are counted first: whole numbers on each set of sites of equal occupancy, as near to the occupancies as
    a neutral cell allows. When the cell is too small for that within 10 %, it is repeated. The ions are then placed by
    simulated annealing of the Ewald energy of their formal charges from several starts; two like charges closer than
    2 Å (the split sites of a crystal refinement) never both appear. Where the refinement leaves no such arrangement,
    less is allowed (1.6 Å, then 1.3 Å), and then exchanges between different sites of one element, each with a note.
    The same input and seed give the same result.

    Parameters
    ----------
    structure : Structure
        The crystal, with partial occupancies or without.
    seed : int
        Seed of the search.
    n_starts : int
        Independent starts of the search; the lowest energy wins.
    sweeps : int
        Attempted exchanges per start, in units of the number of partly occupied sites.
    oxidation_states : mapping of str to float, optional
        Charge of each element; those written in the structure, else guessed from the composition, when None.
    maximum_atoms : int
        The most atoms to which the cell may be repeated for a better composition.

    Returns
    -------
    OrderingResult
        The ordered structure; unchanged but for oxidation states when nothing was disordered.

    Raises
    ------
    StructureRejection
        When no arrangement keeps the atoms apart, or the disorder is of a kind that cannot be handled.

    Notes
    -----
    The lowest Ewald energy is a reasonable start for molecular dynamics of mobile ions, which reorder themselves. It
    is not the ground state of a frozen alloy: rank several orderings by the potential for that.

    Examples
    --------
    >>> from superion.structures.read import read_structure
    >>> order_structure(read_structure("Li6PS5Cl"), n_starts=2).structure.composition.formula
    'Li24 P4 S20 Cl4'
    """
    if all(is_full(site) for site in structure):
        plain = structure.copy()
        plain.remove_oxidation_states()
        return OrderingResult(structure=plain, notes=(), was_disordered=False)
    charges, notes = formal_charges(structure, oxidation_states)
    cell, counting, counting_notes = count_in_supercell(structure, charges, maximum_atoms)
    notes += counting_notes
    if len(cell) > MOST_SITES:
        raise StructureRejection(
            RejectionCode.TOO_LARGE,
            f"The cell has {len(cell)} sites, too many to order (at most {MOST_SITES}): give a smaller cell, or order "
            "it with another tool.",
        )
    found, arranging_notes = Annealing(cell, counting.sublattices, charges).sample(
        seed=seed, n_starts=n_starts, sweeps=sweeps
    )
    notes += arranging_notes
    ordered, energy = ordered_structure(cell, found[0]), found[0].energy_ev
    notes.append(
        f"Partial occupancies ordered by Ewald energy: {ordered.composition.formula}, "
        f"{len(cell) - len(ordered)} of {len(cell)} sites vacant, {energy / len(ordered):.3f} eV/atom (formal charges)."
    )
    return OrderingResult(structure=ordered, notes=tuple(notes), was_disordered=True)
