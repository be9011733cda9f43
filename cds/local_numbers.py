"""Numbers that a site may set for itself, and which way each is stricter."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

from cds.knowledge import GROUPS, load_group

Way = Literal["lower", "higher"]

STRICTER: Mapping[str, Way] = {
    "DD-23.mme_per_day": "lower",
    "DD-26.day_one_mme_per_day": "lower",
    "SAF-01.naloxone_mme_per_day": "lower",
    "SAF-02.screened_within_days": "lower",
    "SAF-04.agreement_days": "lower",
    "SAF-05.continuing_days": "lower",
    "SAF-06.test_days": "lower",
}
"""By rule id and name of the threshold: only numbers that every word of the rule's cards takes from its facts."""


def standard_number(name: str) -> Decimal:
    """The rule's own number. Raises ``KnowledgeError``."""
    rule, _, number = name.partition(".")
    return next(known[rule] for known in map(load_group, GROUPS) if rule in known).number(number)


def is_looser(name: str, own: Decimal, standard: Decimal) -> bool:
    """Whether the site's own number lets more pass than the standard one."""
    return own > standard if STRICTER[name] == "lower" else own < standard
