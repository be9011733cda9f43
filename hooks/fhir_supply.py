"""What is handed out on an order: quantity, days, repeats and until when."""

from datetime import date
from decimal import Decimal

import msgspec
from msgspec import Raw, Struct

from cds.chart import Quantity
from hooks.fhir_days import first_day, last_day
from hooks.fhir_elements import DURATIONS, period, quantity
from hooks.fhir_loose import fields_of, salvaged
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.remembered import Elements, Remembered

MOST_REPEATS = 1000


class Supply(Struct, frozen=True, gc=False):
    """What a dispenseRequest says, as in ``MedicationOrder``."""

    days: Decimal | None = None
    quantity: Quantity | None = None
    repeats: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    odd: bool = False
    """Part of it could not be read; repeats that could not leave the supply unknown, never that of one fill."""


NO_SUPPLY = Supply()


class _Supply(Struct, rename="camel", gc=False):
    """MedicationRequest.dispenseRequest."""

    expected_supply_duration: Raw = ABSENT
    quantity: Raw = ABSENT
    number_of_repeats_allowed: int | None = None
    validity_period: Raw = ABSENT


_supply = msgspec.json.Decoder(_Supply | None, strict=False)


def _amount(raw: bytes) -> Quantity | None:
    found = quantity(raw)
    return found if found is not None and found.value > 0 else None


AMOUNTS = Elements(_amount)
"""The quantity of an element by its bytes, where it is more than nothing."""


def _supplied(raw: bytes) -> Supply:
    odd = False
    try:
        sent = _supply.decode(raw) or _Supply()
    except UNREADABLE_JSON:
        fields = fields_of(raw)
        sent, odd = (_Supply(), True) if fields is None else salvaged(fields, _Supply)
    valid = period(bytes(sent.validity_period))
    repeats = sent.number_of_repeats_allowed
    valid_from, valid_to = first_day(valid.start), last_day(valid.end)
    if (repeats is None and odd) or (repeats is not None and not 0 <= repeats < MOST_REPEATS):
        return Supply(valid_from=valid_from, valid_to=valid_to, odd=True)
    return Supply(
        days=DURATIONS.of(sent.expected_supply_duration),
        quantity=AMOUNTS.of(sent.quantity),
        repeats=repeats,
        valid_from=valid_from,
        valid_to=valid_to,
        odd=odd,
    )


SUPPLIES = Remembered(_supplied)
"""A dispenseRequest by its bytes."""
