"""What is counted of one week, or of several together, at one place or at several."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct, field

ACCEPTED, OVERRIDDEN, IGNORED = "accepted", "overridden", "ignored"
FATES = (ACCEPTED, OVERRIDDEN, IGNORED)
SHOWN, NO_CARD = "shown", "no card"


class Place(Struct, frozen=True, order=True):
    """Who asked, and which service."""

    tenant: str
    service: str


class Card(Struct, frozen=True):
    """A kind of card and what became of it. ``reason``: the code of an override, "" where it gave a comment alone;
    None: no reason, or no override."""

    group: str
    rule: str
    fate: str
    reason: str | None = None


class Tally(Struct):
    """Counts. ``answers`` is all of them; in ``reviewed`` of them ``orders`` were in scope; ``incomplete`` were refused
    as 412."""

    answers: int = 0
    reviewed: int = 0
    orders: int = 0
    incomplete: int = 0
    fires: Counter[str] = field(default_factory=Counter)
    """Orders for which a rule fired."""
    untold: Counter[str] = field(default_factory=Counter)
    """Orders for which a rule could not tell."""
    causes: Counter[str] = field(default_factory=Counter)
    """Answers with orders in scope that could not assess this."""
    unread: Counter[str] = field(default_factory=Counter)
    """Answers without any order in scope that could not read this: a drug that is not recognised may be an opioid."""
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Findings by group, rule, and whether they were shown, not shown, or why they were withheld."""
    cards: Counter[Card] = field(default_factory=Counter)
    milliseconds: Counter[float] = field(default_factory=Counter)
    """Answers by how long they took, to a tenth."""
    knowledge: Counter[str] = field(default_factory=Counter)
    """Answers by the version of the knowledge."""

    def add(self, other: "Tally") -> None:
        for name in self.__struct_fields__:
            ours, theirs = getattr(self, name), getattr(other, name)
            if isinstance(ours, Counter):
                ours.update(theirs)
            else:
                setattr(self, name, ours + theirs)

    @property
    def shown(self) -> int:
        return self.cards.total()

    def became(self, fate: str, group: str | None = None, rule: str | None = None) -> int:
        """Cards with this fate, of a group or led by a rule."""
        return sum(
            count
            for card, count in self.cards.items()
            if card.fate == fate and group in (None, card.group) and rule in (None, card.rule)
        )


def total(tallies: Iterable[Tally]) -> Tally:
    together = Tally()
    for tally in tallies:
        together.add(tally)
    return together
