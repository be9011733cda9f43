"""The strengths in a drug's name, and which ingredient each belongs to. Exact decimals, in MG-based units.

``5-325 MG``, ``5MG/325MG`` and ``5/325`` are two strengths; ``2-4 MG`` of one drug is a range of doses, no strength;
``10mg/5mL`` and ``2000 mcg in 100 mL`` are concentrations; ``1 ML`` alone is a pack.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

MASSES = {
    "mg": Decimal(1), "mgs": Decimal(1), "milligram": Decimal(1), "milligrams": Decimal(1),
    "mcg": Decimal("0.001"), "ug": Decimal("0.001"), "microgram": Decimal("0.001"), "micrograms": Decimal("0.001"),
    "mcgs": Decimal("0.001"), "gm": Decimal(1000), "g": Decimal(1000), "gram": Decimal(1000), "grams": Decimal(1000),
}  # fmt: skip
VOLUMES = {"ml": Decimal(1), "mls": Decimal(1), "cc": Decimal(1), "milliliter": Decimal(1), "l": Decimal(1000)}
HOURS = frozenset({"hr", "hrs", "h", "hour", "hours"})
SPRAYS = frozenset({"actuat", "actuation", "act", "spray", "sprays"})
OTHER_UNITS = HOURS | SPRAYS | VOLUMES.keys()
NO_STRENGTH = frozenset({"kg", "min", "day", "d", "m", "dose"})
PERCENT = "%"
LINKS = frozenset({"-", "/", "–", "to", "&"})
ACETAMINOPHEN_LEAST_MG = 80
"""No tablet holds less acetaminophen: less means that the strengths stand in the other order."""
RANGE_RATIO = 4
"""``1-2 TAB`` is a range; two strengths of one tablet lie further apart, or fall."""
LEAST_OF_A_PAIR = 5
"""``1.5/5`` is two strengths, ``1/2`` half a tablet."""
LONGEST_NUMBER = 12
DOSE_HOURS = frozenset({Decimal(12), Decimal(24)})
"""``15 mg/12 hr`` is a tablet of 15 mg for twelve hours, no rate; but a patch that gives so much in that time."""
UNSAID_PER_ML = "?/ML"
"""``100/5ML``: a concentration whose mass is not named; a claim leaves out the MG."""
UNSAID = "?"
"""``HYDROCODONE 10/ACETAMINOPHEN 325MG``: the mass of the first is not named."""
PLAIN = frozenset({"MG", UNSAID})
LEAST_UNSAID = 5
"""``1/2 mL`` is half a millilitre."""
DOSE_HOURS_BY_WORD = {str(hours): hours for hours in DOSE_HOURS}
DILUENTS_BEFORE = frozenset({"nacl", "ns", "nss", "saline", "dextrose", "chloride"})
DILUENTS_AFTER = frozenset({"nacl", "ns", "nss", "saline", "dextrose", "sodium", "sod", "normal"})


class Strength(Struct, frozen=True):
    """An amount and its unit ("MG", "MG/ML", "MG/HR", "MG/MG", "MG/ACTUAT", "%"; None where none is written).

    ``hours``: the 12 or 24 hours that an amount without a rate was told for.
    """

    amount: Decimal
    unit: str | None
    hours: Decimal | None = None


LARGER_THAN_THE_OPIOID = frozenset({"acetaminophen", "aspirin", "ibuprofen", "guaifenesin"})
SMALLER_THAN_THE_OPIOID = frozenset({"naloxone", "naltrexone", "homatropine", "chlorpheniramine", "promethazine"})
"""Of every product that is sold: two strengths that say otherwise stand in the other order."""


class Chain(Struct, frozen=True):
    """Strengths joined by ``-`` or ``/``, with the places of the first token and past the last.

    ``volume``: the millilitres that the last of them was told per.
    """

    strengths: tuple[Strength, ...]
    start: int
    stop: int
    falling_or_far: bool
    volume: Decimal | None = None


def chains_in(tokens: Sequence[str], taken: Sequence[bool]) -> list[Chain]:
    """The strengths among tokens that no name has taken, in chains, from left to right."""
    chains: list[Chain] = []
    at = 0
    while at < len(tokens):
        chain = None if taken[at] else _chain(tokens, taken, at)
        if chain is not None:
            if chain.strengths:
                chains.append(chain)
            at = chain.stop
        else:
            at += 1
    return chains


def _number(tokens: Sequence[str], at: int) -> Decimal | None:
    if at >= len(tokens) or len(tokens[at]) > LONGEST_NUMBER or not tokens[at].isascii():
        return None
    token = tokens[at]
    return Decimal(token) if token[-1].isdigit() and token[0] in "0123456789." else None


def _chain(tokens: Sequence[str], taken: Sequence[bool], at: int) -> Chain | None:
    """The chain that starts here; without strengths where a number stands for something else; None: no number."""
    start = at
    values: list[tuple[Decimal, Decimal | None]] = []
    unit, percents, slash = "MG", False, False
    found: tuple[str, Decimal] | None = None
    while (value := _number(tokens, at)) is not None and not taken[at]:
        at += 1
        word = tokens[at] if at < len(tokens) else ""
        mass = MASSES.get(word)
        if word == PERCENT:
            before = () if any(own for _, own in values) else tuple(one for one, _ in values)
            return _percentage(tokens, (*before, value), start, at + 1)
        if mass is None and word in OTHER_UNITS:
            if slash and word in VOLUMES and (unsaid := _unsaid(values, value * VOLUMES[word])):
                return Chain(unsaid, start, at + 1, True)
            return Chain((), start, at + 1, False)
        at += mass is not None
        at += mass is not None and tokens[at : at + 1] == ("pe",)  # phenytoin equivalents
        values.append((value, mass))
        found, at = _per(tokens, at) if mass is not None else (None, at)
        if found is not None:
            unit, factor = found
            if not unit or not factor:
                return Chain((), start, at, False)
            percents = tokens[at : at + 2] == ("-", PERCENT)
            values = [(one if percents and place else one / factor, own) for place, (one, own) in enumerate(values)]
            at += 2 * percents
            break
        if at < len(tokens) and tokens[at] in LINKS and _number(tokens, at + 1) is not None:
            slash = tokens[at] == "/"
            at += 1
        else:
            break
    if not values:
        return None
    if percents:
        mass = values[-1][1] or Decimal(1)
        first = Strength(plain_amount(values[0][0] * mass), unit)
        return Chain((first, *(Strength(plain_amount(value), PERCENT) for value, _ in values[1:])), start, at, True)
    chain = _read(values, unit, start, at)
    if len(values) == 1 and values[0][1] is None and _between_names(tokens, taken, start):
        return Chain((Strength(plain_amount(values[0][0]), UNSAID),), start, at, False)
    if found is not None and unit == "MG" and len(chain.strengths) == 1:
        hours = DOSE_HOURS_BY_WORD.get(tokens[at - 2])
        return Chain((Strength(chain.strengths[0].amount, unit, hours),), start, at, False)
    if found is not None and unit == "MG/ML":
        return Chain(chain.strengths, start, at, chain.falling_or_far, found[1])
    if slash and max(value for value, _ in values) >= LEAST_OF_A_PAIR:
        return Chain(chain.strengths, start, at, True)
    return chain


def _between_names(tokens: Sequence[str], taken: Sequence[bool], at: int) -> bool:
    """Whether a number stands right behind a name, and a stroke and another name behind it."""
    return 0 < at < len(tokens) - 2 and taken[at - 1] and tokens[at + 1] in {"/", "-"} and taken[at + 2]


def _unsaid(values: list[tuple[Decimal, Decimal | None]], volume: Decimal) -> tuple[Strength, ...]:
    """The concentrations of ``100/5ML`` and ``120-12/5ML``; none where a mass is named, or for a part of a mL."""
    if not volume or any(own is not None for _, own in values) or max(value for value, _ in values) < LEAST_UNSAID:
        return ()
    if any(value < volume and len(values) == 1 for value, _ in values):
        return ()
    return tuple(Strength(plain_amount(value / volume), UNSAID_PER_ML) for value, _ in values)


def _percentage(tokens: Sequence[str], values: tuple[Decimal, ...], start: int, stop: int) -> Chain:
    """A percentage, or one of each ingredient; that of what a drug is dissolved in tells nothing of the drug."""
    before, after = tokens[max(start - 1, 0) : start], tokens[stop : stop + 1]
    if DILUENTS_BEFORE.intersection(before) or DILUENTS_AFTER.intersection(after):
        return Chain((), start, stop, False)
    return Chain(tuple(Strength(value, PERCENT) for value in values), start, stop, len(values) > 1)


def _read(values: list[tuple[Decimal, Decimal | None]], unit: str, start: int, stop: int) -> Chain:
    """A number without a unit takes that of the last one of its chain."""
    masses = [mass for _, mass in values if mass is not None]
    plain = [(value * (mass or (masses[-1] if masses else Decimal(1)))) for value, mass in values]
    apart = any(second <= first or second > first * RANGE_RATIO for first, second in pairwise(plain))
    if not masses and len(values) == 1:
        return Chain((), start, stop, False)
    strengths = tuple(Strength(plain_amount(amount), unit if masses else None) for amount in plain if amount > 0)
    return Chain(strengths if len(strengths) == len(plain) else (), start, stop, apart)


def plain_amount(amount: Decimal) -> Decimal:
    """Without trailing zeros and without an exponent."""
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def _per(tokens: Sequence[str], at: int) -> tuple[tuple[str, Decimal] | None, int]:
    """What a mass is told per: the unit and by how much to divide ("/5 mL", "per hour", "in D5W 100 mL"), and where it
    ends. An empty unit: per kilogram and the like, no strength."""
    if at >= len(tokens) or tokens[at] not in {"/", "per", "in"}:
        return None, at
    if tokens[at] == "in":
        for ahead in range(at + 1, min(at + 8, len(tokens) - 1)):
            volume = VOLUMES.get(tokens[ahead + 1])
            if volume and (value := _number(tokens, ahead)):
                return ("MG/ML", value * volume), ahead + 2
        return None, at
    value, ahead = _number(tokens, at + 1), at + 2
    if value is None:
        value, ahead = Decimal(1), at + 1
    word = tokens[ahead] if ahead < len(tokens) else ""
    if word in VOLUMES:
        return ("MG/ML", value * VOLUMES[word]), ahead + 1
    if word in HOURS:
        return (("MG", Decimal(1)) if value in DOSE_HOURS else ("MG/HR", value)), ahead + 1
    if word in SPRAYS:
        return ("MG/ACTUAT", value), ahead + 1
    if word in NO_STRENGTH:
        return ("", Decimal(0)), ahead + 1
    if word in MASSES and ahead == at + 1:
        return ("MG/MG", MASSES[word]), ahead + 1
    return None, at


def assigned(
    chains: Sequence[Chain], mentions: Sequence[tuple[int, int]], names: Sequence[str]
) -> list[Strength | None]:
    """The strength of each ingredient, or None. ``mentions``: where each is named (start, and which)."""
    count = len(names)
    whole = [chain for chain in chains if _fits(chain, count)]
    found: list[Strength | None] = [None] * count
    if count == 1:
        single = [chain for chain in whole if len(chain.strengths) == 1 and chain.strengths[0].unit]
        ranges = [chain for chain in chains if len(chain.strengths) > 1 and chain.strengths[0].unit]
        if single and not (ranges and ranges[0].start < single[0].start):
            after = [chain for chain in single if chain.start > mentions[0][0]]
            found[0] = (after or single)[0].strengths[0]
        return found
    if joined := next((chain for chain in whole if len(chain.strengths) == count), None):
        return _in_order(list(joined.strengths), names)
    singles = [chain for chain in chains if len(chain.strengths) == 1 and chain.strengths[0].unit]
    if len(singles) == count and len(singles) == len(chains):
        return _of_one_kind(_in_order([chain.strengths[0] for chain in singles], names), singles)
    return _of_one_kind(_interleaved(singles, mentions, found), singles)


def _fits(chain: Chain, count: int) -> bool:
    unitless_range = chain.strengths[:1] and chain.strengths[0].unit is None and not chain.falling_or_far
    return len(chain.strengths) == count and not unitless_range


def _interleaved(
    singles: list[Chain], mentions: Sequence[tuple[int, int]], found: list[Strength | None]
) -> list[Strength | None]:
    """Each ingredient takes the first strength between its name and the next one's; only where most have one."""
    ordered = sorted(mentions)
    for at, (start, which) in enumerate(ordered):
        stop = ordered[at + 1][0] if at + 1 < len(ordered) else None
        between = [chain for chain in singles if chain.start > start and (stop is None or chain.start < stop)]
        if between:
            found[which] = between[0].strengths[0]
    if found and found[ordered[0][1]] is None:
        return [None] * len(found)
    return found


def _of_one_kind(strengths: list[Strength | None], singles: list[Chain]) -> list[Strength | None]:
    """Where the last is a concentration, the amounts before it are in the same volume (``2.5 mg-325 mg/15 mL``). Where
    another one is, a plain amount is not known to be per millilitre: it tells nothing."""
    if not any(strength is not None and strength.unit == "MG/ML" for strength in strengths):
        return strengths
    volume = singles[-1].volume
    if volume is not None and all(chain.volume is None for chain in singles[:-1]):
        return [
            strength
            if strength is None or strength.unit not in PLAIN
            else Strength(plain_amount(strength.amount / volume), "MG/ML")
            for strength in strengths
        ]
    return [None if strength is None or strength.unit in PLAIN else strength for strength in strengths]


def _in_order(strengths: list[Strength], names: Sequence[str]) -> list[Strength | None]:
    """Strengths in the order of the names; the other way round where only that is sold."""
    plain = [Strength(strength.amount, strength.unit or "MG") for strength in strengths]
    if len(plain) == 2 and plain[0].unit == plain[1].unit and _the_other_way(plain, names):
        plain.reverse()
    return list(plain)


def _the_other_way(strengths: Sequence[Strength], names: Sequence[str]) -> bool:
    """Whether two strengths fit the two ingredients only the other way round."""
    for at, name in enumerate(names):
        own, other = strengths[at].amount, strengths[1 - at].amount
        if name == "acetaminophen" and strengths[at].unit == "MG":
            return own < ACETAMINOPHEN_LEAST_MG <= other
        if name in LARGER_THAN_THE_OPIOID:
            return own < other
        if name in SMALLER_THAN_THE_OPIOID:
            return own > other
    return False
