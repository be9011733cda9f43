"""Counts with their denominators, intervals and quantiles."""

import math
from collections.abc import Mapping
from statistics import NormalDist

from msgspec import Struct

CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)


class Rate(Struct, frozen=True):
    """``count`` of ``of``. Without a denominator there is no share."""

    count: int
    of: int

    @property
    def share(self) -> float | None:
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        return wilson(self.count, self.of) if self.of else None


def wilson(count: int, of: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion at 95 %: honest for few cases and for none of many.

    E. B. Wilson, J Am Stat Assoc 1927;22:209.
    """
    share = count / of
    shrink = 1 + _Z**2 / of
    middle = (share + _Z**2 / (2 * of)) / shrink
    half = _Z / shrink * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == of else min(1.0, middle + half)
    return low, high


def quantile(bins: Mapping[float, int], part: float) -> float | None:
    """The smallest value that this part of all is not above (nearest rank); ``bins``: how many there are of a value."""
    rank = math.ceil(part * sum(bins.values()))
    seen = 0
    for value in sorted(bins):
        seen += bins[value]
        if seen >= rank:
            return value
    return None
