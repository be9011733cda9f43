"""Proposals -> suggestions in the client's dialect; and in words what it cannot be offered with one click."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Protocol

from msgspec import Struct

from cds.knowledge import SUMMARY_LIMIT
from cds.orders import PlainOrder, Proposal, Update
from hooks import card_text as text
from hooks.dialects import Dialect

OF_THE_OLD_ORDER = ("id", "meta", "identifier", "groupIdentifier", "text", "statusReason")
"""What a changed order does not take over from the draft that it replaces."""
LONGEST_DRUG = 60
Action = dict[str, Any]


class Writer(Protocol):
    """Turns plain orders and changes into resources of the client's FHIR version; None: this version has none."""

    def create(self, order: PlainOrder) -> Mapping[str, Any] | None: ...

    def update(self, change: Update) -> Mapping[str, Any] | None: ...

    def named(self, ref: str) -> str | None:
        """The drug of the draft with this reference."""
        ...


class Suggestion(Struct, frozen=True):
    """One suggestion before it has a name. ``made_of`` is the proposal behind it."""

    label: str
    actions: list[Action]
    made_of: Proposal
    recommended: bool = False

    @property
    def creates(self) -> bool:
        return bool(self.actions[0]["type"] == "create")

    def as_sent(self, uuid: str, recommended: bool) -> dict[str, Any]:
        sent: dict[str, Any] = {"label": self.label, "uuid": uuid}
        if recommended:
            sent["isRecommended"] = True
        sent["actions"] = self.actions
        return sent


def write_suggestions(
    proposals: Sequence[Proposal], dialect: Dialect, writer: Writer
) -> tuple[list[Suggestion], list[Proposal]]:
    """What one card offers a client of this dialect; and the proposals that it can only be told of in words."""
    made: list[Suggestion] = []
    told: list[Proposal] = []
    for proposal in proposals:
        suggestion = _suggestion(proposal, dialect, writer)
        if suggestion is None:
            told.append(proposal)
        else:
            made.append(suggestion)
    if dialect.one_create:
        made = _with_one_create(made)
        kept = {id(suggestion.made_of) for suggestion in made}
        told = [proposal for proposal in proposals if id(proposal) not in kept]
    return _parted(made, writer) if dialect.one_action else made, told


def _suggestion(proposal: Proposal, dialect: Dialect, writer: Writer) -> Suggestion | None:
    """Create and update first, delete last: a client that applies only the first is not left without an order. None
    where the dialect or the FHIR version has no such orders."""
    actions: list[Action] = []
    if proposal.also is not None and not dialect.second_orders:
        return None
    label = text.plain(proposal.label)
    for order in (proposal.create,) if proposal.also is None else (proposal.create, proposal.also):
        if order is not None:
            created = _created(order, dialect, writer)
            if created is None:
                return None
            actions.append({"type": "create", "description": _ordered(order.text), "resource": created})
    if proposal.update is not None:
        changed = _changed(proposal.update, text.shorten(label, text.LONGEST_SENTENCE), dialect, writer)
        if changed is None:
            return None
        actions.append(changed)
        if changed["type"] == "create":
            label = _longer(label, f" (replaces {_drug(proposal.update.ref, writer)})")
            actions.append(_deletion(proposal.update.ref, dialect))
    if proposal.delete is not None:
        actions.append(_deletion(proposal.delete, dialect))
    return Suggestion(text.shorten(label), actions, proposal, proposal.recommended) if actions else None


def _created(order: PlainOrder, dialect: Dialect, writer: Writer) -> Mapping[str, Any] | None:
    if dialect.coded_only and order.kind == "medication" and order.code is None:
        return None
    return writer.create(order)


def _changed(update: Update, description: str, dialect: Dialect, writer: Writer) -> Action | None:
    """The change as an update of the draft, or as the creation of the changed order."""
    if dialect.updates == "words":
        return None
    resource = writer.update(update)
    if resource is None:
        return None
    if dialect.updates == "update":
        return {"type": "update", "description": description, "resource": resource}
    if resource.get("resourceType") != "MedicationRequest":
        return None
    fresh = {name: value for name, value in resource.items() if name not in OF_THE_OLD_ORDER}
    return {"type": "create", "description": description, "resource": fresh | {"status": "draft"}}


def _deletion(ref: str, dialect: Dialect) -> Action:
    where = "resourceId" if dialect.since_2 else "resource"
    return {"type": "delete", "description": "Remove the draft order", where: ref}


def _with_one_create(made: Sequence[Suggestion]) -> list[Suggestion]:
    """One new order for a card, where several may be accepted; rather a new one than a changed one."""
    creating = [suggestion for suggestion in made if suggestion.creates]
    chosen = next((one for one in creating if one.made_of.create is not None), creating[0] if creating else None)
    return [one for one in made if not one.creates or one is chosen]


def _parted(made: Sequence[Suggestion], writer: Writer) -> list[Suggestion]:
    """Each action a suggestion of its own; the removal of a draft once."""
    removed = {one.made_of.delete for one in made if len(one.actions) == 1 and one.actions[0]["type"] == "delete"}
    parts: list[Suggestion] = []
    for one in made:
        first, *rest = one.actions
        parts.append(Suggestion(one.label, [first], one.made_of, one.recommended))
        for action in rest:
            ref = action["resourceId"]
            if ref not in removed:
                removed.add(ref)
                label = text.shorten(f"Remove {_drug(ref, writer)}, which the new order replaces")
                parts.append(Suggestion(label, [action], one.made_of))
    return parts


def _drug(ref: str, writer: Writer) -> str:
    return text.shorten(text.plain(writer.named(ref) or "the draft order"), LONGEST_DRUG)


def _longer(label: str, ending: str) -> str:
    """The label with an ending that is never cut off."""
    return text.shorten(label, SUMMARY_LIMIT - len(ending)) + ending


@lru_cache(maxsize=1024)
def _ordered(product: str) -> str:
    """What a new order of this product does, in words."""
    return text.shorten(text.plain("Order " + product), text.LONGEST_SENTENCE)
