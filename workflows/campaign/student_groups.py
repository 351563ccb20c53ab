"""What one student potential of a campaign is trained for: a candidate, a family, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymatgen.core import Structure

from ...database.documents.candidate_summary import CandidateSummary
from ...structures.fingerprint import structure_fingerprint


@dataclass(frozen=True)
class StudentGroup:
    """The candidates that share one student.

    Parameters
    ----------
    label : str
        What it is about, such as the elements of a family.
    identity : dict
        What the group is, as plain data for a key.
    structures : callable
        Gives crystals of the group; asked once the student is to be trained.
    """

    label: str
    identity: dict[str, Any]
    structures: Callable[[], Sequence[Structure]]


def planned_group(per: str, structure: Structure, campaign_id: str) -> StudentGroup:
    """Name the group of a structure of which nothing else is known, for a plan.

    Parameters
    ----------
    per : str
        candidate, family or campaign.
    structure : Structure
        An ordered structure, or a stand-in of one.
    campaign_id : str
        The campaign.

    Returns
    -------
    StudentGroup
        A family and a campaign are what they will be; a candidate is told by its structure.
    """
    elements = sorted({site.specie.symbol for site in structure})
    identities: dict[str, tuple[str, dict[str, Any]]] = {
        "candidate": (structure.composition.reduced_formula, {"candidate": structure_fingerprint(structure)}),
        "family": ("-".join(elements), {"elements": elements}),
        "campaign": (campaign_id, {"campaign": campaign_id}),
    }
    label, identity = identities[per]
    return StudentGroup(label, identity, structures=lambda: [structure])


@dataclass(frozen=True)
class GroupMember:
    """What of a candidate decides on its group, and on whether a student learns from it.

    Parameters
    ----------
    candidate_id : str
        Its id.
    label : str
        Name of the material.
    formula : str
        Reduced formula.
    elements : tuple of str
        Element symbols, sorted.
    fingerprint : str
        Of its first ordered structure.
    """

    candidate_id: str
    label: str
    formula: str
    elements: tuple[str, ...]
    fingerprint: str

    @classmethod
    def of(cls, row: CandidateSummary) -> GroupMember | None:
        """Take what is needed from a row.

        Parameters
        ----------
        row : CandidateSummary
            The row of the candidate.

        Returns
        -------
        GroupMember or None
            None where it has no ordered structure.
        """
        if not row.orderings:
            return None
        first = row.orderings[0].fingerprint
        return cls(row.candidate_id, row.label, row.formula, tuple(sorted(row.elements)), first)


@dataclass
class GroupMembers:
    """The candidates of a campaign, by what they may share a student for.

    A family is a chemical system: all candidates that are made of the same elements. Potentials are fitted to chemical
    systems, and whatever a crystal's stoichiometry and structure, its atoms meet the same partners. How far a student
    carries from the members that it learnt from to the others is checked when it is used: other compositions are
    flagged.

    Parameters
    ----------
    campaign_id : str
        The campaign.
    """

    campaign_id: str
    _members: dict[str, GroupMember] = field(default_factory=dict)

    def add(self, row: CandidateSummary) -> None:
        """Note a candidate.

        Parameters
        ----------
        row : CandidateSummary
            Its row.
        """
        member = GroupMember.of(row)
        if member is not None:
            self._members[row.candidate_id] = member

    def identity(self, per: str, candidate_id: str) -> tuple[str, dict[str, Any]]:
        """Name the group of a candidate.

        Parameters
        ----------
        per : str
            candidate, family or campaign.
        candidate_id : str
            The candidate.

        Returns
        -------
        str
            What the group is about, for readers.
        dict
            What it is, for a key. A family is the same in every campaign of a store; so is a candidate, whose id is a
            digest of its crystal.
        """
        member = self._members[candidate_id]
        if per == "candidate":
            return member.label, {"candidate": candidate_id}
        if per == "family":
            return "-".join(member.elements), {"elements": list(member.elements)}
        return self.campaign_id, {"campaign": self.campaign_id}

    def chosen(self, per: str, candidate_id: str, n_most: int, is_out: Callable[[str], bool]) -> list[GroupMember]:
        """Choose the members that a student learns from: as many compositions as there is room for.

        Parameters
        ----------
        per : str
            candidate, family or campaign.
        candidate_id : str
            The candidate that asks first; it is always among them.
        n_most : int
            Maximum number of members.
        is_out : callable
            Whether a candidate was rejected or failed.

        Returns
        -------
        list of GroupMember
            The candidate itself first, then one of each other composition, then others; by formula and id.
        """
        own = self._members[candidate_id]
        if per == "candidate":
            return [own]
        others = sorted(
            (
                member
                for member in self._members.values()
                if member is not own
                and (per == "campaign" or member.elements == own.elements)
                and not is_out(member.candidate_id)
            ),
            key=lambda member: (member.formula, member.candidate_id),
        )
        seen = {own.formula}
        first: list[GroupMember] = []
        rest: list[GroupMember] = []
        for member in others:
            (rest if member.formula in seen else first).append(member)
            seen.add(member.formula)
        return [own, *first, *rest][:n_most]
