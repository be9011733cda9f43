"""What a rule answers: it fires, it does not apply, or it cannot tell. And the arithmetic of three-valued facts."""

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

Indicator = Literal["info", "warning", "critical"]

INDICATORS: tuple[Indicator, ...] = ("critical", "warning", "info")
"""From the gravest to the mildest."""
GRAVITY: Mapping[Indicator, int] = {indicator: place for place, indicator in enumerate(INDICATORS)}


class Fires(Struct, frozen=True):
    """The rule met this chart.

    ``facts`` are flat, snake_case with the unit in the name, every value a string: enough to write the card from.
    ``words`` names the wording of the rule's TOML. ``asks`` names the remedies that the card may offer
    (the vocabulary of ``cds.alternatives``). ``unknown`` lists facts, as ``notAssessed`` entries, that were not known
    though the rule fires.
    """

    indicator: Indicator
    facts: Mapping[str, str]
    words: str = "default"
    asks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class DoesNotApply(Struct, frozen=True, gc=False):
    """The rule does not concern this order; ``because`` says why, in a few words without patient data."""

    because: str


class CannotTell(Struct, frozen=True):
    """The chart does not allow an answer. ``missing`` holds ``notAssessed`` entries (``"<fact>: <why>"``).

    ``said``: the sentence ``words`` of the rule is printed as a line of a card that is shown anyway.
    """

    missing: tuple[str, ...]
    said: bool = False
    words: str = "unknown"
    facts: Mapping[str, str] = {}


Outcome = Fires | DoesNotApply | CannotTell


def any_of(values: Iterable[bool | None]) -> bool | None:
    """True where one is true; None where none is true and one is not known; else False."""
    unknown = False
    for value in values:
        if value:
            return True
        unknown = unknown or value is None
    return None if unknown else False
