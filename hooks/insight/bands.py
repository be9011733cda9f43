"""Whether a rate is well outside those of the weeks before: bands, and how likely it is that nothing comes."""

import math
from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from hooks.insight.rates import Rate

ABOVE, BELOW = "above", "below"
ERRORS = 4
"""Standard errors. docs/INSIGHT.md tells how seldom chance alone gets there."""
CHANGE = 0.25
"""The least change that is told, as a part of the rate before, or of what it lacks to 100 % where that is less."""
CASES = 5
"""The least difference, in cases, that is told."""
_EXACT = 1e-9
"""What arithmetic on floats may be off by."""
_RANGE = 1.128
"""The mean difference of two numbers that differ by chance alone, in standard deviations."""


class Band(Struct, frozen=True):
    low: float
    high: float


def band(before: Sequence[Rate], of: int) -> Band:
    """Between which shares a week with this denominator may lie, after these weeks. Where the weeks before have no
    case, one is assumed."""
    together = pooled(before)
    share = max(together.count, 1) / together.of
    if share >= 1:
        share = (together.of - 1) / together.of if together.of > 1 else 0.5
    deviation = math.sqrt(share * (1 - share))
    scores = [(rate.count / rate.of - share) / (deviation / math.sqrt(rate.of)) for rate in before]
    steps = [abs(later - earlier) for earlier, later in pairwise(scores)]
    spread = max(1.0, sum(steps) / len(steps) / _RANGE) if steps else 1.0
    half = ERRORS * spread * deviation / math.sqrt(of)
    return Band(max(0.0, share - half), min(1.0, share + half))


def pooled(rates: Sequence[Rate]) -> Rate:
    return Rate(sum(rate.count for rate in rates), sum(rate.of for rate in rates))


def outside(now: Rate, before: Sequence[Rate]) -> str | None:
    """ABOVE or BELOW the band, by enough to matter; None: within."""
    told = pooled(before)
    usual = told.count / told.of
    share, limits = now.count / now.of, band(before, now.of)
    few = abs(now.count - usual * now.of) < CASES - _EXACT
    if few or abs(share - usual) < CHANGE * min(usual, 1 - usual) - _EXACT:
        return None
    if share > limits.high + _EXACT:
        return ABOVE
    return BELOW if share < limits.low - _EXACT else None


def chance_of_none(now: Rate, before: Sequence[Rate]) -> float:
    """How likely it is that none of so many is a case, at the rate of the weeks before."""
    told = pooled(before)
    return (1 - told.count / told.of) ** now.of
