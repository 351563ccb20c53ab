"""The page of `sequential_stopping.py`: tables and sentences from what candidates cost and show."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from stopping_candidates import (
    EDGE_ANGSTROM,
    ION_COUNTS,
    AnalyticCandidate,
    density_corrections,
    nernst_einstein_ms_cm,
    theory_sigma_ms_cm,
)
from stopping_comparison import Interval, compare
from stopping_protocols import Outcome, Screened, Way, screen
from superion.transport.convergence import MINIMUM_PS
from superion.transport.ruled_out import greatest_sigma_300k_ms_cm
from superion.workflows.campaign.file.load import load_campaign_file
from superion.workflows.selection.best import BestRule
from superion.workflows.selection.rule import SelectionRule

TARGET = 1.0 / 3.0
FIXED, SEQUENTIAL = "full length", "sequential"
Outcomes = Mapping[str, Mapping[str, Outcome]]
"""What each candidate costs and shows, by the way its runs end, then by name."""


@dataclass(frozen=True)
class AnalyticSet:
    """Replayed candidates of known order.

    Parameters
    ----------
    candidates : sequence of AnalyticCandidate
        The candidates.
    ways : mapping of str to Way
        Ways to end their runs.
    outcomes : Outcomes
        What they cost and show.
    ks : sequence of int
        Numbers of best candidates to compare.
    """

    candidates: Sequence[AnalyticCandidate]
    ways: Mapping[str, Way]
    outcomes: Outcomes
    ks: Sequence[int]


def shipped_rules() -> tuple[SelectionRule, ...]:
    """Read what `configs/campaigns/full.yaml` asks after its probe."""
    file = load_campaign_file(Path(str(resources.files("superion.configs"))) / "campaigns" / "full.yaml")
    return next(entry.rules for entry in file.stages if entry.stage == "probe")


def rule_text(rule: SelectionRule) -> str:
    """Write a rule as the file does."""
    return (
        "`"
        + ", ".join(f"{name}: {value}" for name, value in rule.model_dump(exclude={"rule"}, exclude_none=True).items())
        + "`"
    )


def ratios_to_theory(
    candidates: Sequence[AnalyticCandidate], outcomes: Mapping[str, Outcome]
) -> tuple[list[int], list[float]]:
    """Compare every full-length run that gave a usable σ with theory: number of ions, log10 of the ratio."""
    counts, ratios = [], []
    for candidate in candidates:
        for entry in outcomes[candidate.label].temperatures:
            if entry["usable"] and entry["sigma_ms_cm"]:
                theory = theory_sigma_ms_cm(candidate.barrier_ev, candidate.n_ions, entry["temperature_k"])
                counts.append(candidate.n_ions)
                ratios.append(math.log10(entry["sigma_ms_cm"] / theory))
    return counts, ratios


def true_log10_sigmas(
    candidates: Sequence[AnalyticCandidate], outcomes: Mapping[str, Outcome]
) -> tuple[dict[str, float], dict[int, float]]:
    """Give the true log10 σ(300 K) of each, and by how much its density of ions was shifted against theory."""
    shifts = density_corrections(*ratios_to_theory(candidates, outcomes))
    return {
        candidate.label: candidate.log10_sigma_300k + shifts.get(candidate.n_ions, 0.0) for candidate in candidates
    }, shifts


def paragraph(text: str) -> str:
    """Wrap a paragraph as the other pages are."""
    return textwrap.fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def best_of_probe(number: int) -> tuple[SelectionRule, ...]:
    """Let the best so many of the probe go on, and whoever may be among them."""
    return (BestRule(keep_best=number, by="probe_diffusivity_cm2_s"),)


def with_interval(numbers: Interval | None) -> str:
    """Write a number with its interval."""
    return "–" if numbers is None else f"{numbers[0]:.2f} ({numbers[1]:.2f}–{numbers[2]:.2f})"


def ends_of(outcomes: Iterable[Outcome], stage: str) -> str:
    """Say how the runs of a stage ended."""
    ends = [end for outcome in outcomes for end in getattr(outcome, f"{stage}_ends")]
    parts = []
    for reason, number in Counter(end.reason for end in ends).most_common():
        lengths = [end.completed_ps for end in ends if end.reason == reason]
        where = f"{min(lengths):g} ps"
        if max(lengths) > min(lengths):
            where = f"{min(lengths):g} to {max(lengths):g} ps (median {np.median(lengths):g})"
        parts.append(f"{number} end as `{reason}` at {where}")
    return f"of {len(ends)} runs {', '.join(parts)}"


def table(outcomes: Outcomes, truth: Mapping[str, float], k: int) -> list[str]:
    """Compare all protocols by their best k."""
    reference = screen(outcomes[FIXED], ())
    lines = [
        f"| best {k} | go on | steps ÷ all at full length | steps ÷ these at full length | shared with all at full "
        "length | true best found | decades of σ lost |",
        "| --- | ---: | --- | --- | --- | --- | --- |",
    ]
    gates = {"": ()} | {f", `keep_best: {number}`": best_of_probe(number) for number in (k, 2 * k)}
    for gate, rules in gates.items():
        these = screen(outcomes[FIXED], rules)
        for way, found in outcomes.items():
            screened = screen(found, rules)
            compared = compare(screened, reference, k, truth)
            cells = (
                way + gate,
                str(len(screened.survivors)),
                with_interval(compared.ratio),
                with_interval(compare(screened, these, k, truth).ratio),
                with_interval(compared.overlap),
                with_interval(compared.recall),
                with_interval(compared.decades_lost),
            )
            lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def ends_lines(outcomes: Outcomes) -> list[str]:
    """Say how the runs of both stages ended, and what the probe alone saves."""
    alone = {way: Screened({name: one.probe_steps for name, one in found.items()}) for way, found in outcomes.items()}
    lines = []
    for way, found in outcomes.items():
        if way == FIXED:
            continue
        ratio = with_interval(compare(alone[way], alone[FIXED], 1).ratio)
        lines.append(f"- {way}, probe alone: {ratio} of its steps at full length; {ends_of(found.values(), 'probe')}.")
        lines.append(f"- {way}, conductivity stage of all: {ends_of(found.values(), 'conductivity')}.")
    return lines


def verdict(outcomes: Outcomes, truth: Mapping[str, float], ks: Sequence[int]) -> str:
    """Say in words whether the target is met."""
    reference = screen(outcomes[FIXED], ())
    stopping = compare(screen(outcomes[SEQUENTIAL], ()), reference, ks[-1], truth).ratio
    parts = [
        "The target is a third of the MD steps of the fixed-length protocol, in which every candidate runs at every "
        f"temperature to its full length. Stopping alone takes {with_interval(stopping)} of them: the target is "
        f"{_met(stopping)}."
    ]
    for k in ks:
        fixed = compare(reference, reference, k, truth)
        assert fixed.recall is not None
        parts.append(f"Of the true best {k}, full length finds {100.0 * fixed.recall[0]:.0f} %.")
        for number in (k, 2 * k):
            compared = compare(screen(outcomes[SEQUENTIAL], best_of_probe(number)), reference, k, truth)
            assert compared.recall is not None
            parts.append(
                f"With `keep_best: {number}` after the probe it takes {with_interval(compared.ratio)} of the steps "
                f"({_met(compared.ratio)}) to find {100.0 * compared.recall[0]:.0f} %."
            )
    return " ".join(parts)


def why(found: AnalyticSet) -> str:
    """Say what keeps runs from ending earlier."""
    outcomes = found.outcomes[SEQUENTIAL]
    probe = found.ways[SEQUENTIAL].probe
    assert probe is not None
    lengths = [
        end.completed_ps for one in outcomes.values() for end in one.conductivity_ends if end.reason == "converged"
    ]
    first = f"here that was at {min(lengths):g} ps at the earliest" if lengths else "here no run came to it"
    bounds, of_tracers = [], []
    for candidate in found.candidates:
        properties = outcomes[candidate.label].probe_properties
        diffusivity, greatest = (
            properties.get(name) for name in ("probe_diffusivity_cm2_s", "greatest_sigma_300k_ms_cm")
        )
        if diffusivity is None or greatest is None or diffusivity.limit is None or greatest.limit is None:
            continue
        sigma = nernst_einstein_ms_cm(diffusivity.limit, candidate.n_ions, probe.temperature_k)
        bounds.append(greatest.limit)
        of_tracers.append(greatest_sigma_300k_ms_cm(sigma, probe.temperature_k, probe.minimum_barrier_ev))
    text = f"""Why not less: a run counts as converged where two looks in a row, both with {MINIMUM_PS:g} ps behind the
        equilibration, meet the target; {first}."""
    if bounds:
        text += f""" And non-conductors are not ruled out. After the probe, the bound of σ(300 K) of the {len(bounds)}
        candidates with too few hops for a value has a median of {_two_digits(np.median(bounds))} mS/cm, where
        {probe.target_sigma_300k_ms_cm:g} mS/cm is asked for. It is that of the collective motion: the bound of the
        tracer alone would give {_two_digits(np.median(of_tracers))} mS/cm."""
    return text


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):g}"


def _met(ratio: Interval) -> str:
    return "met" if ratio[0] <= TARGET else "not met"


def analytic_page(found: AnalyticSet, made_by: str) -> str:
    """Write the page of the analytic candidates.

    Parameters
    ----------
    found : AnalyticSet
        The candidates.
    made_by : str
        Program, versions and processor time.

    Returns
    -------
    str
        Markdown.
    """
    outcomes = found.outcomes
    truth, shifts = true_log10_sigmas(found.candidates, outcomes[FIXED])
    probe, conductivity = found.ways[SEQUENTIAL].probe, found.ways[SEQUENTIAL].conductivity
    assert probe is not None
    assert conductivity is not None
    temperatures = ", ".join(f"{value:g}" for value in conductivity.temperatures_k)
    good = sum(one.log10_sigma_300k >= 0.0 for one in found.candidates)
    shown_shifts = ", ".join(f"{shift:+.2f} with {count} ions" for count, shift in shifts.items())
    ranked = screen(outcomes[SEQUENTIAL], ()).ranked
    n_bounded = sum(outcomes[SEQUENTIAL][name].properties["sigma_300k_ms_cm"].value is None for name in ranked)
    paragraphs = [
        f"""{len(found.candidates)} candidates on the analytic conductor, with {", ".join(map(str, ION_COUNTS))} ions on
        64 sites in a cell of {EDGE_ANGSTROM:g} Å. Their σ(300 K) are evenly spaced quantiles of the 478 lithium
        conductors measured in OBELiX, so {good} of them reach 1 mS/cm. The engine ran each to
        {conductivity.duration_ps:g} ps at {temperatures} K. The files were then replayed look by look with the stop
        rules and default settings of the stages `probe` (at most {probe.duration_ps:g} ps at {probe.temperature_k:g} K,
        the beginning of the run at that temperature, counted once) and `conductivity`; the stages' own jobs judged what
        was left, and their engine ended every run at the step of the replay.""",
        verdict(outcomes, truth, found.ks),
        f"""The true order follows from the known barriers by transition state theory, σT ∝ n ν exp(−B/kT), each density
        of ions shifted by the median of measured over predicted σ in its full-length runs (decades: {shown_shifts}).
        Brackets are 95 % intervals from drawing candidates anew, without putting the rules anew. What full length does
        not find of the true best is the error of the fixed-length protocol itself. The columns: candidates that go on
        to `conductivity`; MD steps over those of all candidates at full length, and over those of the same protocol
        with runs of full length; which part of the best are those of all candidates at full length; which part are the
        true best; how far the mean log10 σ of the chosen lies below that of the true best.""",
    ]
    shipped = shipped_rules()
    cut = len(outcomes[SEQUENTIAL]) - len(screen(outcomes[SEQUENTIAL], shipped).survivors)
    closing = [
        why(found),
        f"""The rules after the probe of `configs/campaigns/full.yaml`, {" and ".join(map(rule_text, shipped))}, cut
        {cut} of the {len(found.candidates)} candidates. In the table, too, `keep_best` goes by
        `probe_diffusivity_cm2_s`, a value with an interval; it keeps whoever may be among the best. By
        `greatest_sigma_300k_ms_cm` it could cut nobody: that is a bound, and of two upper bounds neither value is
        certainly the better.""",
        f"""Candidates of which only an upper bound of σ(300 K) is known rank behind those with a value, as in every
        ranking; the sequential protocol leaves {n_bounded} of them.""",
        """The model conductor has one kind of site, straight Arrhenius lines, ions that hop nearly independently and a
        framework that never melts. Runs of real crystals converge more slowly and less evenly.""",
        made_by,
    ]
    lines = ["## Sequential stopping", ""]
    for text in paragraphs:
        lines += [paragraph(text), ""]
    for k in found.ks:
        lines += table(outcomes, truth, k)
    lines += [*ends_lines(outcomes), ""]
    for text in closing:
        lines += [paragraph(text), ""]
    return "\n".join(lines)
