"""Which reading of a drug to keep, where its codes and names tell several: of those that disagree, the graver."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from cds.drug_names import DrugReading, Manner

ROUNDING = Decimal("0.02")
"""Strengths that differ by this part are one strength, printed with fewer digits."""


class Candidate(Struct, frozen=True):
    """A reading, and how it came about: a product's code (2), an ingredient's (1), a name (0).

    ``opioids`` are the opioids among its ingredients; ``gravity`` says how much depends on it: 3 for an opioid, 2 for
    what is dangerous beside one, 1 for any other drug with a role, else 0.
    """

    reading: DrugReading
    belief: int
    opioids: frozenset[str]
    gravity: int


def chosen(candidates: list[Candidate]) -> tuple[DrugReading, str]:
    """The reading to keep, and how it came about. Of readings that disagree, the more dangerous."""
    best = max(candidates, key=_precedence)
    others = [each for each in candidates if each is not best]
    if any(not _agree(best, other) for other in others):
        return _most_dangerous(best, others), "disagreement"
    richest = max([best, *others], key=lambda each: (len(each.reading.names), each.belief))
    reading, coded = richest.reading, any(each.belief for each in candidates)
    for other in sorted(others, key=lambda each: -each.belief):
        reading = _completed(reading, other.reading)
    return reading, "code" if coded else "spelling" if reading.guessed else "name"


def _most_dangerous(best: Candidate, others: list[Candidate]) -> DrugReading:
    """Of one drug the highest strength and the longest release of those that were sent; the rest from the surest."""
    same = [best, *(other for other in others if other.reading.names == best.reading.names)]
    strongest = max(same, key=_danger)
    reading = strongest.reading
    for other in same:
        reading = _completed(reading, other.reading)
    if any(other.reading.manner.release == "ER" for other in same):
        reading = replace(reading, manner=replace(reading.manner, release="ER"))
    return reading


def _danger(candidate: Candidate) -> Decimal:
    """The highest strength of its opioids."""
    opioids = [part for part in candidate.reading.ingredients if part.name in candidate.opioids]
    return max((part.amount or Decimal(0) for part in opioids), default=Decimal(0))


def _precedence(candidate: Candidate) -> tuple[int, int, int, Decimal, bool]:
    """The graver; more ingredients; the surer; of one drug the higher strength, and the longer release."""
    reading = candidate.reading
    long = reading.manner.release == "ER"
    return candidate.gravity, len(reading.names), candidate.belief, _danger(candidate), long


def _agree(one: Candidate, other: Candidate) -> bool:
    """The same drug, or one tells less than the other. Two products of one drug must have one strength and release; a
    name must not contradict the strength or the release of an opioid's product."""
    small, large = sorted((one.reading.names, other.reading.names), key=len)
    if not small <= large:
        return False
    if small != large and one.opioids != other.opioids:
        return False
    if min(one.belief, other.belief) < 2:
        if max(one.belief, other.belief) < 2:
            return True
        return small == large and not _contradict(one, other)
    return (one.reading.ingredients, one.reading.manner.release) == (
        other.reading.ingredients,
        other.reading.manner.release,
    )


def _contradict(one: Candidate, other: Candidate) -> bool:
    """Whether two readings of one opioid tell another strength, or one extended and one immediate release."""
    if {one.reading.manner.release, other.reading.manner.release} == {"ER", "IR"}:
        return bool(one.opioids)
    amounts = {part.name: part for part in other.reading.ingredients}
    return any(
        part.amount is not None
        and (said := amounts[part.name]).amount is not None
        and said.unit == part.unit
        and abs(part.amount - said.amount) > ROUNDING * part.amount
        for part in one.reading.ingredients
        if part.name in one.opioids
    )


def _completed(reading: DrugReading, other: DrugReading) -> DrugReading:
    """The reading with what another of the same drug adds: strengths, form, route, release, brand."""
    amounts = {part.name: part for part in other.ingredients if part.amount is not None}
    known = any(part.amount is not None for part in reading.ingredients)
    mine, theirs = reading.manner, other.manner
    return DrugReading(
        reading.ingredients if known else tuple(amounts.get(part.name, part) for part in reading.ingredients),
        Manner(
            mine.form or theirs.form,
            mine.route if mine.sure or not theirs.route else theirs.route,
            mine.release or theirs.release,
            mine.sure or theirs.sure,
        ),
        reading.brand or other.brand,
        reading.brand_route or other.brand_route,
        reading.brand_release or other.brand_release,
        reading.guessed and other.guessed,
    )
