"""Ordering of real disordered crystals: how many are ordered, which are rejected and why, how long it takes.

Reads a folder of CIFs and, where there is one, the table with the composition that each material is known to have
(OBELiX: columns ID and True Composition). One process, one thread.

    OMP_NUM_THREADS=1 python benchmarks/ordering_obelix.py obelix/train_cifs --table obelix/train.csv
"""

from __future__ import annotations

import argparse
import csv
import platform
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pymatgen.core import Composition, Structure
from superion.errors import StructureError
from superion.structures.completeness import check_completeness
from superion.structures.formal_charges import formal_charges
from superion.structures.orderings import OrderingSet, order_candidates
from superion.structures.read import read_structure
from superion.structures.rejection import StructureRejection

MOBILE_ION = "Li"
REPORT = Path(__file__).resolve().parent.parent / "docs" / "ordering_obelix.md"


@dataclass
class Entry:
    """What became of one CIF."""

    name: str
    formula: str = ""
    reading_s: float = 0.0
    ordering_s: float = 0.0
    n_sites: int = 0
    n_atoms_given: float = 0.0
    was_disordered: bool = False
    found: OrderingSet | None = None
    code: str = ""
    reason: str = ""
    blind_code: str = ""
    """Reason without the known composition."""
    flaws: list[str] = field(default_factory=list)
    """What an independent look at the result finds wrong."""

    @property
    def n_atoms(self) -> int:
        """Atoms of the ordered structures."""
        return len(self.found.orderings[0].structure) if self.found else 0

    @property
    def deviation(self) -> float:
        """Largest relative change of an element's amount."""
        return self.found.orderings[0].composition_deviation if self.found else 0.0

    def has_note(self, words: str) -> bool:
        """Whether the ordering left such a note."""
        return self.found is not None and any(words in note for note in self.found.notes)


def run(path: Path, expected: Composition | None, n_orderings: int, cpu_limit_s: float) -> Entry:
    """Read and order one CIF."""
    entry = Entry(path.stem)
    start = time.process_time()
    try:
        structure = read_structure(path)
    except StructureError as error:
        entry.reading_s = time.process_time() - start
        entry.code = entry.blind_code = error.code.value if isinstance(error, StructureRejection) else "unreadable"
        entry.reason = str(error)
        return entry
    entry.reading_s = time.process_time() - start
    entry.formula = structure.composition.formula
    entry.n_sites, entry.n_atoms_given = len(structure), structure.composition.num_atoms
    entry.was_disordered = any(len(site.species) > 1 or site.species.num_atoms < 0.999 for site in structure)
    try:
        check_completeness(structure, MOBILE_ION)
    except StructureRejection as error:
        entry.blind_code = error.code.value
    start = time.process_time()
    try:
        entry.found = order_candidates(
            structure,
            n_orderings=n_orderings,
            mobile_ion=MOBILE_ION,
            expected_composition=expected,
            cpu_limit_s=cpu_limit_s,
        )
    except StructureRejection as error:
        entry.code, entry.reason = error.code.value, str(error)
    entry.ordering_s = time.process_time() - start
    if entry.found is not None:
        entry.flaws = flaws(structure, entry.found)
    return entry


def flaws(structure: Structure, found: OrderingSet) -> list[str]:
    """Look at the ordered structures without the code that made them."""
    noticed = []
    given = {tuple(site.frac_coords.round(5)) for site in structure}
    charges, _ = formal_charges(structure)
    given_charge = sum(charges[symbol] * amount for symbol, amount in structure.composition.get_el_amt_dict().items())
    compositions = {ordering.structure.composition.formula for ordering in found.orderings}
    if len(compositions) > 1:
        noticed.append("compositions differ")
    for ordering in found.orderings:
        ordered = ordering.structure
        if not ordered.is_ordered:
            noticed.append("not ordered")
        elif len(ordered) > 1:
            distances = np.array(ordered.distance_matrix)
            np.fill_diagonal(distances, np.inf)
            lithium = np.array([site.specie.symbol == "Li" for site in ordered])
            if distances.min() < 0.7:
                noticed.append(f"atoms {distances.min():.2f} Å apart")
            if lithium.sum() > 1 and found.was_disordered and distances[np.ix_(lithium, lithium)].min() < 1.3:
                noticed.append(f"Li {distances[np.ix_(lithium, lithium)].min():.2f} Å apart")
        charge = sum(charges[symbol] * amount for symbol, amount in ordered.composition.get_el_amt_dict().items())
        # a composition that is neutral as given must stay so
        if abs(given_charge) < 0.02 * structure.composition.num_atoms and abs(charge) > 1e-3 and found.was_disordered:
            noticed.append(f"charge {charge:+.2f}")
        if len(ordered) <= len(structure) and found.method != "as_given":
            extra = {tuple(site.frac_coords.round(5)) for site in ordered} - given
            if extra and np.isclose(ordered.volume, structure.volume):
                noticed.append("atoms off the given sites")
    return sorted(set(noticed))


def quantiles(values: list[float], unit: str) -> str:
    """Median, 95th percentile and maximum."""
    if not values:
        return "– | – | –"
    median, high = np.percentile(values, [50, 95])
    return f"{median:.3g}{unit} | {high:.3g}{unit} | {max(values):.3g}{unit}"


def report(entries: list[Entry], n_orderings: int, cpu_limit_s: float, knows_compositions: bool) -> str:
    """Write the page."""
    ordered = [entry for entry in entries if entry.found is not None]
    disordered = [entry for entry in ordered if entry.found is not None and entry.found.was_disordered]
    rejected = [entry for entry in entries if entry.found is None]
    methods = Counter(entry.found.method for entry in ordered if entry.found is not None)
    lines = [
        "# Ordering the crystals of OBELiX",
        "",
        f"All {len(entries)} CIFs of the training split of OBELiX (F. Therrien *et al.*, "
        "[arXiv:2502.14234](https://arxiv.org/abs/2502.14234), CC BY 4.0), each ordered in up to "
        f"{n_orderings} distinct ways by `order_candidates`, with at most 400 atoms and {cpu_limit_s:g} s of "
        "processor time" + (", the composition of its table as the one expected." if knows_compositions else "."),
        f"One thread of a shared machine ({platform.machine()}, Python {platform.python_version()}), processor times, "
        "`python benchmarks/ordering_obelix.py`.",
        "",
        "| result | entries |",
        "| --- | --- |",
        f"| ordered as given | {methods['as_given']} |",
        f"| disordered, all distinct orderings enumerated | {methods['enumerated']} |",
        f"| disordered, orderings sampled by Monte Carlo | {methods['sampled']} |",
        f"| rejected | {len(rejected)} |",
        "",
        "## Rejected, and why",
        "",
        "The second column of numbers counts what is found from the structure alone, with Li as the mobile ion: a "
        "candidate without a known composition.",
        "",
        "| code | with the known composition | from the structure alone |",
        "| --- | --- | --- |",
    ]
    codes, blind = Counter(entry.code for entry in rejected), Counter(entry.blind_code for entry in entries)
    blind.pop("", None)
    lines += [f"| `{code}` | {codes[code]} | {blind[code]} |" for code in sorted({*codes, *blind})]
    lines += ["", "| entry | code | alone | reason |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {entry.name} | `{entry.code}` | {f'`{entry.blind_code}`' if entry.blind_code else '–'} | {entry.reason} |"
        for entry in rejected
    ]
    lines += [
        "",
        "## Time and size",
        "",
        "| | median | 95th percentile | largest |",
        "| --- | --- | --- | --- |",
        f"| reading a CIF | {quantiles([entry.reading_s for entry in entries], ' s')} |",
        f"| ordering, disordered entries | {quantiles([entry.ordering_s for entry in disordered], ' s')} |",
        f"| checking, all other entries | {quantiles([e.ordering_s for e in entries if e not in disordered], ' s')} |",
        f"| sites of a disordered entry | {quantiles([float(entry.n_sites) for entry in disordered], '')} |",
        f"| atoms of its ordered cell | {quantiles([float(entry.n_atoms) for entry in disordered], '')} |",
        "",
    ]

    def noted(words: str) -> int:
        return sum(entry.has_note(words) for entry in disordered)

    full = [entry for entry in disordered if entry.found is not None and len(entry.found.orderings) == n_orderings]
    lines += [
        "## Composition, charge and distances",
        "",
        "| of the disordered entries that were ordered | entries |",
        "| --- | --- |",
        f"| all | {len(disordered)} |",
        f"| {n_orderings} distinct orderings | {len(full)} |",
        f"| fewer, because there are no more | {len(disordered) - len(full)} |",
        f"| cell repeated for whole atoms | {noted('was repeated')} |",
        f"| largest change of an element's amount at most 0.1 % | {sum(e.deviation <= 1e-3 for e in disordered)} |",
        f"| at most 5 % | {sum(e.deviation <= 0.05 for e in disordered)} |",
        f"| at most 10 % | {sum(e.deviation <= 0.1 for e in disordered)} |",
        f"| more | {sum(e.deviation > 0.1 for e in disordered)} |",
        f"| not neutral as given, ordered in a uniform background | {noted('formal charge')} |",
        f"| like charges nearer than 2 Å had to be allowed | {noted('had to be allowed')} |",
        f"| ions moved between kinds of sites | {noted('moved between')} |",
        f"| composition unlike the known one by more than 2 % of the atoms | {noted('differs from')} |",
        "",
    ]
    worst = sorted((entry for entry in disordered if entry.deviation > 0.1), key=lambda entry: -entry.deviation)
    if worst:
        lines += [
            "Entries with a change of more than 10 % (a minor element of few atoms, as a rule):",
            "",
            "| entry | given | ordered | change | atoms |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| {e.name} | {e.formula} | {e.found.orderings[0].structure.composition.formula} "
            f"| {100 * e.deviation:.0f} % | {e.n_atoms} |"
            for e in worst
            if e.found is not None
        ]
        lines.append("")
    flawed = [entry for entry in ordered if entry.flaws]
    lines += [
        "An independent look at every ordered structure (atoms on the given sites, charge, distances of at least "
        f"0.7 Å, Li–Li of at least 1.3 Å) found fault with {len(flawed)}.",
        "",
    ]
    lines += [f"- {entry.name}: {', '.join(entry.flaws)}" for entry in flawed]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Order a folder of CIFs and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of CIFs")
    parser.add_argument("--table", type=Path, help="CSV with the columns ID and True Composition")
    parser.add_argument("--orderings", type=int, default=3)
    parser.add_argument("--cpu-limit-s", type=float, default=60.0)
    parser.add_argument("--output", type=Path, default=REPORT, help="Markdown file to write")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    expected: dict[str, Composition] = {}
    if options.table:
        with options.table.open(newline="") as table:
            expected = {row["ID"]: Composition(row["True Composition"]) for row in csv.DictReader(table)}
    entries = []
    for path in sorted(options.folder.glob("*.cif")):
        entry = run(path, expected.get(path.stem), options.orderings, options.cpu_limit_s)
        entries.append(entry)
        outcome = entry.code or f"{entry.found.method}, {entry.n_atoms} atoms, {entry.deviation:.3f}"
        print(f"{entry.name}: {outcome}, {entry.ordering_s:.2f} s {'; '.join(entry.flaws)}", flush=True)
    options.output.write_text(report(entries, options.orderings, options.cpu_limit_s, bool(expected)))


if __name__ == "__main__":
    main()
