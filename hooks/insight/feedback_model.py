"""What made-up prescribers do with a card: most leave it, some accept, some say why they go on. No claim is made that
real ones do the same."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from cds.case import ORDER_SELECT
from hooks.services import Service

ACCEPTED = {"critical": 0.34, "warning": 0.2, "info": 0.06}
OVERRIDDEN = {"critical": 0.46, "warning": 0.38, "info": 0.08}
"""The rest leave the card without a word."""
WHILE_CHOOSING = 0.5
"""At order-select half as many answer at all."""
SILENT_OVERRIDE = 0.15
COMMENTED = 0.1
FADING = 0.55
"""Each later reason of a list is taken about half as often as the one before."""


def entry_for(chance: random.Random, service: Service, card: dict[str, Any], at: datetime) -> dict[str, Any] | None:
    """An entry of feedback, as a client would send it; None: the card was left."""
    drawn = chance.random() / (WHILE_CHOOSING if service.hook == ORDER_SELECT else 1)
    accepted = ACCEPTED[card["indicator"]] if card.get("suggestions") else 0
    if drawn >= accepted + OVERRIDDEN[card["indicator"]]:
        return None
    seconds = chance.uniform(3, 25)
    entry = {
        "card": card["uuid"],
        "outcome": "accepted",
        "outcomeTimestamp": (at + timedelta(seconds=seconds)).astimezone(UTC).isoformat(),
    }
    if drawn < accepted:
        listed = card["suggestions"]
        chosen = chance.choices(listed, [FADING**n for n in range(len(listed))])[0]
        return {**entry, "acceptedSuggestions": [{"id": chosen["uuid"]}]}
    return {**entry, "outcome": "overridden", **_reason(chance, card)}


def _reason(chance: random.Random, card: dict[str, Any]) -> dict[str, Any]:
    offered = card.get("overrideReasons", [])
    drawn = chance.random()
    if drawn < SILENT_OVERRIDE or not offered:
        return {}
    if drawn < SILENT_OVERRIDE + COMMENTED:
        return {"overrideReason": {"userComment": "synthetic"}}
    reason = chance.choices(offered, [FADING**n for n in range(len(offered))])[0]
    return {"overrideReason": {"reason": {name: reason[name] for name in ("code", "system")}}}
