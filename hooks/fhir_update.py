"""Update -> the client's own draft, whole and as it was sent, with only the named paths changed.

Every FHIR version's shape is kept: lists that came as one object, doses at either place. The result is not validated
again: what the client sends is what it gets back.
"""

from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

from cds.orders import Update

Version = Literal["DSTU2", "STU3", "R4", "R5"]
"""The FHIR versions that are answered; R4B counts as R4."""

UCUM = "http://unitsofmeasure.org"
DAY = "d"
SIG_TEXTS = ("text", "patientInstruction")
"""What says a dose in words: it would be wrong once the dose has changed."""
LIMITS = ("maxDosePerPeriod", "maxDosePerAdministration")
NARRATIVES = ("text", "renderedDosageInstruction")
NUMBERS = (int, float, Decimal)
"""What a number of a draft may be; yes and no are none."""
DAYS_IN = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}


def write_update(raw: Mapping[str, Any], update: Update, version: Version) -> dict[str, Any] | None:
    """The client's draft with only what the update names changed; its shape and all else stay as sent.

    None where the change cannot be written: a dose that is not structured. The draft handed in is never changed.
    """
    draft = dict(raw)
    factor, hours = update.dose_factor, update.every_hours
    if factor is not None or hours is not None:
        sent = draft.get("dosageInstruction")
        dosages = _each(sent, _every, hours, version) if factor is None else _each(sent, _at_share, factor)
        if not dosages or (isinstance(dosages, list) and None in dosages):
            return None
        draft["dosageInstruction"] = dosages
        for name in NARRATIVES:
            draft.pop(name, None)
    if (factor, hours, update.supply_days, update.repeats) != (None, None, None, None):
        supply = _changed_supply(draft.get("dispenseRequest"), update, version)
        if supply:
            draft["dispenseRequest"] = supply
        else:
            draft.pop("dispenseRequest", None)
    if update.note:
        draft["note"] = _with_note(draft.get("note"), update.note, version)
    return draft


def _each(value: Any, change: Callable[..., dict[str, Any] | None], *how: Any) -> Any:
    """Applies a change to an element that may be one object or a list of them, and keeps its shape."""
    if isinstance(value, list):
        return [change(entry, *how) if isinstance(entry, dict) else None for entry in value]
    return change(value, *how) if isinstance(value, dict) else None


def _at_share(dosage: dict[str, Any], factor: Decimal) -> dict[str, Any] | None:
    """The dosage at this share of its dose, without the words that say the old one; None where it has no dose."""
    dosage = dict(dosage)
    places = dosage.get("doseAndRate")
    changed = False
    if places is not None:
        scaled = _each(places, _scaled_dose, factor)
        if not scaled or (isinstance(scaled, list) and None in scaled):
            return None
        dosage["doseAndRate"], changed = scaled, True
    if "doseQuantity" in dosage or "doseRange" in dosage:
        own = _scaled_dose(dosage, factor)
        if own is not None:
            dosage, changed = own, True
    for name in LIMITS:
        if name in dosage:
            dosage[name] = _each(dosage[name], _scaled_limit, factor)
    for name in SIG_TEXTS:
        if name in dosage:
            del dosage[name]
    return dosage if changed else None


def _every(dosage: dict[str, Any], hours: int, version: Version) -> dict[str, Any] | None:
    """The dosage at this interval and as long as before, without the words and the limits of the old one; None where
    its times are not structured."""
    timing = dosage.get("timing")
    if not isinstance(timing, Mapping):
        return None
    repeat = timing.get("repeat")
    bounds = {
        name: value for name, value in (repeat if isinstance(repeat, Mapping) else {}).items() if "bounds" in name
    }
    unit = "periodUnits" if version == "DSTU2" else "periodUnit"
    kept = {name: value for name, value in dosage.items() if name not in (*SIG_TEXTS, "maxDosePerPeriod")}
    return {**kept, "timing": {"repeat": {**bounds, "frequency": 1, "period": hours, unit: "h"}}}


def _scaled_dose(place: dict[str, Any], factor: Decimal) -> dict[str, Any] | None:
    """The place with its dose scaled; None where it has none in numbers."""
    whole = place.get("doseQuantity")
    if isinstance(whole, dict):
        dose = _times(whole, factor)
        return None if dose is None else {**place, "doseQuantity": dose}
    ends = place.get("doseRange")
    if not isinstance(ends, dict):
        return None
    scaled = {name: _times(end, factor) for name, end in ends.items() if isinstance(end, dict)}
    return None if None in scaled.values() or not scaled else {**place, "doseRange": {**ends, **scaled}}


def _scaled_limit(limit: dict[str, Any], factor: Decimal) -> dict[str, Any]:
    if isinstance(limit.get("numerator"), dict):
        return {**limit, "numerator": _times(limit["numerator"], factor) or limit["numerator"]}
    return _times(limit, factor) or limit


def _times(quantity: Mapping[str, Any], factor: Decimal) -> dict[str, Any] | None:
    value = _number(quantity.get("value"))
    return None if value is None else {**quantity, "value": json_number(value * factor)}


def _number(value: Any) -> Decimal | None:
    return Decimal(str(value)) if type(value) in NUMBERS else None


def _changed_supply(value: Any, update: Update, version: Version) -> dict[str, Any]:
    supply = dict(value) if isinstance(value, dict) else {}
    quantity, lasting = supply.get("quantity"), supply.get("expectedSupplyDuration")
    scale: Decimal | None = update.dose_factor or Decimal(1)
    if update.supply_days is not None:
        days = _supply_in_days(lasting)
        scale = None if days is None else (update.dose_factor or 1) * update.supply_days / days
        supply["expectedSupplyDuration"] = days_of_supply(update.supply_days)
    if isinstance(quantity, dict):
        amount = _number(quantity.get("value"))
        if update.quantity is not None:
            supply["quantity"] = {**quantity, "value": json_number(update.quantity)}
        elif scale is None or amount is None:
            del supply["quantity"]  # an amount for another length of supply would undo the change
        else:
            supply["quantity"] = {**quantity, "value": int((amount * scale).to_integral_value(ROUND_CEILING))}
    if update.repeats is not None:
        supply["numberOfRepeatsAllowed"] = update.repeats
        if not update.repeats and version in ("DSTU2", "STU3"):
            del supply["numberOfRepeatsAllowed"]  # a positive integer there: none is said by leaving it out
    return supply


def _supply_in_days(lasting: Any) -> Decimal | None:
    if not isinstance(lasting, dict):
        return None
    value = _number(lasting.get("value"))
    days = DAYS_IN.get(str(lasting.get("code") or lasting.get("unit")))
    return None if value is None or days is None or value <= 0 else value * days


def _with_note(note: Any, words: str, version: Version) -> Any:
    if version == "DSTU2":
        return f"{note} {words}" if isinstance(note, str) and note else words
    if isinstance(note, list):
        return [*note, {"text": words}]
    before = {"text": note} if isinstance(note, str) and note else note
    return [before, {"text": words}] if before else [{"text": words}]


def days_of_supply(days: int) -> dict[str, Any]:
    """A Duration in days."""
    return {"value": days, "unit": "days", "system": UCUM, "code": DAY}


def json_number(value: Decimal) -> int | float:
    """An exact number as JSON has it: a whole one without a fraction."""
    whole = int(value)
    return whole if whole == value else float(value)
