"""FHIR Dosage of every version -> ``cds.chart.Dosage``."""

import re
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Raw, Struct

from cds.chart import Dosage, Quantity
from cds.condition_text import UNSPECIFIC
from cds.sig import LONGEST, read_sig
from cds.terminology import Concept, condition_meaning
from cds.units import read_unit
from hooks.fhir_days import first_day, last_day
from hooks.fhir_dosage_shapes import DoseAndRate, Range, Ratio, Repeat, SentDosage, Timing
from hooks.fhir_elements import (
    DAYS_IN,
    LooseQuantity,
    amount,
    concept,
    concepts,
    in_days,
    number,
    period,
    present,
    printable,
    time_unit,
)
from hooks.fhir_loose import fields_of, members_of, salvaged
from hooks.fhir_shapes import UNREADABLE_JSON
from hooks.remembered import Elements

ROUTES = {
    "26643006": "oral", "PO": "oral", "20053000": "oral", "C38288": "oral", "47625008": "intravenous",
    "IV": "intravenous", "IVPUSH": "intravenous", "78421000": "intramuscular", "IM": "intramuscular",
    "34206005": "subcutaneous", "SQ": "subcutaneous", "SC": "subcutaneous", "45890007": "transdermal",
    "TRNSDERM": "transdermal", "TD": "transdermal", "6064005": "topical", "TOPICAL": "topical", "46713006": "nasal",
    "NASINHL": "nasal", "NASINHLC": "nasal", "37839007": "sublingual", "SL": "sublingual", "54471007": "buccal",
    "BUC": "buccal", "372471009": "intravesical", "37161004": "rectal", "PR": "rectal", "72607000": "intrathecal",
    "404820008": "epidural", "EPI": "epidural", "54485002": "ophthalmic", "OPTHALTA": "ophthalmic", "10547007": "otic",
}  # fmt: skip
"""Words for the codes of SNOMED CT, HL7's RouteOfAdministration, EDQM and NCIt."""

ANY_MEAL = frozenset({"C", "AC", "PC"})
"""Moments that come with each of three meals."""
AS_NEEDED = re.compile(r"(?i)\b(?:prn|as needed|if needed|when needed)\b[\s:,-]{0,3}(?:for )?([^.;,]{3,80})")
FOR = re.compile(r"(?i)\bfor (?!\d)([^.;,]{3,80})")
DOSE_ELEMENTS = {"R4": ("doseAndRate",), "STU3": ("doseQuantity", "doseRange"), "R5": ("asNeeded", "asNeededFor")}


class Dosages(Struct, frozen=True):
    """The dosage instructions of one order. ``version`` is the FHIR version that their shape betrays, or None;
    ``asked_for`` what as-needed doses are for; ``odd``: part of them could not be read; ``route``: the first told."""

    dosages: tuple[Dosage, ...] = ()
    asked_for: tuple[Concept, ...] = ()
    version: str | None = None
    odd: bool = False
    route: str | None = None


NO_DOSAGES = Dosages()


_dosages = msgspec.json.Decoder(list[SentDosage] | SentDosage | None, strict=False)


def _read(raw: bytes) -> Dosages:
    if not raw or raw == b"null":
        return NO_DOSAGES
    sent, odd = _decoded(raw)
    dosages = tuple(_dosage(one) for one in sent)
    return Dosages(
        dosages=dosages,
        asked_for=tuple(named for one in sent for named in _asked_for(one)),
        version=_version(raw),
        odd=odd,
        route=next((dosage.route for dosage in dosages if dosage.route), None),
    )


DOSAGES = Elements(_read)
"""Dosage instructions, one or many, by their bytes. What cannot be read is left out, and said in ``odd``."""


def _decoded(raw: bytes) -> tuple[list[SentDosage], bool]:
    try:
        found = _dosages.decode(raw)
    except UNREADABLE_JSON:
        parts: list[tuple[Any, bool]] = []
        for member in members_of(raw):
            fields = fields_of(member)
            parts.append((None, True) if fields is None else salvaged(fields, SentDosage))
        return [one for one, _ in parts if one is not None], not parts or any(left_out for _, left_out in parts)
    if found is None:
        return [], False
    return (found if isinstance(found, list) else [found]), False


def _version(raw: bytes) -> str | None:
    keys = {key for member in members_of(raw) for key in fields_of(member) or ()}
    return next((version for version, names in DOSE_ELEMENTS.items() if not keys.isdisjoint(names)), None)


def _dosage(sent: SentDosage) -> Dosage:
    timing = sent.timing or Timing()
    repeat = timing.repeat or Repeat()
    dose_low, dose_high, rate = _dose(sent)
    max_dose, max_dose_days = _most(sent.max_dose_per_period)
    text = _text(sent)
    if max_dose is None and present(sent.additional_instruction):
        max_dose, max_dose_days = _said_limit(sent.additional_instruction)
    runs = period(bytes(repeat.bounds_period))
    bounds_high = repeat.bounds_range.high if repeat.bounds_range else None
    unit = repeat.period_unit or repeat.period_units or repeat.unit
    frequency = _positive(repeat.frequency)
    countless = repeat.frequency is not None and frequency is None  # nought times a day is no schedule, and not once
    code, said = _timing_code(concept(timing.code))
    return Dosage(
        sequence=sent.sequence,
        text=text,
        dose_low=dose_low,
        dose_high=dose_high,
        rate=rate,
        as_needed=_as_needed(sent),
        frequency=frequency,
        frequency_max=_positive(repeat.frequency_max),
        period=None if countless else _period_days(repeat.period, unit),
        period_max=_period_days(repeat.period_max, unit),
        times_of_day=_count(repeat.time_of_day),
        when=_occasions(repeat),
        days_of_week=_count(repeat.day_of_week),
        timing_code=code,
        timing_text=said,
        bounds_days=in_days(amount(repeat.bounds_duration or repeat.bounds_quantity or bounds_high)),
        bounds_start=first_day(runs.start),
        bounds_end=last_day(runs.end),
        max_dose=max_dose,
        max_dose_days=max_dose_days,
        max_single=_dose_amount(sent.max_dose_per_administration),
        route=_route(concept(sent.route)),
        site=printable(concept(sent.site) or concept(sent.site_codeable_concept)) or None,
    )


def _text(sent: SentDosage) -> str | None:
    """The text; the patient's instruction where there is none, or one that tells nothing ("see instructions")."""
    said = [text.strip() for text in (sent.text, sent.patient_instruction) if text and text.strip()]
    if len(said) == 2 and read_sig(said[0]) == (Dosage(),) != read_sig(said[1]) != ():
        return said[1]
    return said[0] if said else None


def _dose(sent: SentDosage) -> tuple[Quantity | None, Quantity | None, Quantity | None]:
    """Lowest and highest dose, and the rate. Of several the ordered one, else the widest span of one unit."""
    listed = sent.dose_and_rate if isinstance(sent.dose_and_rate, list) else [sent.dose_and_rate]
    parts = [part for part in listed if part is not None]
    ordered = [part for part in parts if any("ordered" in one for one in _kinds(part.type))]
    low: Quantity | None = None
    high: Quantity | None = None
    rate: Quantity | None = None
    for part in [*(ordered or parts), sent]:
        part_low, part_high = _ends(part)
        if high is None:
            low, high = part_low, part_high
        elif part_high is not None and part_high.unit == high.unit:
            low = min((one for one in (low, part_low) if one is not None), key=lambda one: one.value, default=None)
            high = max(high, part_high, key=lambda one: one.value)
        rate = rate or _rate(part)
    if high is None:
        plain, span = _dose_amount(sent.quantity_quantity), sent.quantity_range or Range()
        low, high = plain or _dose_amount(span.low), plain or _dose_amount(span.high)
    return low, high, rate


def _kinds(raw: Raw) -> list[str]:
    named = concepts(bytes(raw)) or ()
    return [word for one in named for coding in one.codings for word in (coding.code, coding.display) if word]


def _ends(part: DoseAndRate) -> tuple[Quantity | None, Quantity | None]:
    dose = _dose_amount(part.dose_quantity)
    if dose is not None:
        return dose, dose
    span = part.dose_range or Range()
    low, high = _dose_amount(span.low), _dose_amount(span.high)
    if low is not None and high is not None and low.unit is None:
        low = Quantity(low.value, high.unit)
    return low, high


def _rate(part: DoseAndRate) -> Quantity | None:
    if part.rate_quantity is not None:
        return amount(part.rate_quantity)
    if part.rate_range is not None:
        return amount(part.rate_range.high)
    ratio = part.rate_ratio
    top, below = (amount(ratio.numerator), amount(ratio.denominator)) if ratio is not None else (None, None)
    if top is None or below is None or below.value <= 0:
        return None
    return Quantity(top.value / below.value, f"{top.unit or ''}/{below.unit or ''}")


def _dose_amount(sent: LooseQuantity | None) -> Quantity | None:
    dose = amount(sent)
    if dose is None or dose.value < 0 or sent is None:
        return None
    # "mg" with the code TAB: which of the two is meant is not known.
    return Quantity(dose.value, None) if _two_kinds(sent) else dose


def _two_kinds(sent: LooseQuantity) -> bool:
    """Whether unit and code of a quantity stand for amounts of different kinds."""
    written = read_unit(sent.unit) if sent.unit else None
    coded = read_unit(str(sent.code)) if sent.code else None
    return written is not None and coded is not None and written.kind != coded.kind


def _most(sent: list[Ratio] | Ratio | None) -> tuple[Quantity | None, Decimal | None]:
    """The maximum dose and its days; of several limits of one unit the strictest, else the first."""
    limits = []
    for ratio in sent if isinstance(sent, list) else [sent]:
        top = _dose_amount(ratio.numerator) if ratio is not None else None
        days = in_days(amount(ratio.denominator)) if ratio is not None else None
        if top is not None and days is not None:
            limits.append((top, days))
    alike = [limit for limit in limits if limit[0].unit == limits[0][0].unit]
    return min(alike, key=lambda limit: limit[0].value / limit[1], default=(None, None))


def _said_limit(raw: Raw) -> tuple[Quantity | None, Decimal | None]:
    """The limit that an additional instruction states in words ("no more than 6 tablets a day")."""
    for named in concepts(bytes(raw)) or ():
        for dosage in read_sig(printable(named)):
            if dosage.max_dose is not None:
                return dosage.max_dose, dosage.max_dose_days
    return None, None


def _as_needed(sent: SentDosage) -> bool | None:
    if present(sent.as_needed_codeable_concept) or present(sent.as_needed_for):
        return True
    return sent.as_needed_boolean if sent.as_needed is None else sent.as_needed


def _asked_for(sent: SentDosage) -> tuple[Concept, ...]:
    """The concepts; without one, what the text names after "as needed" or "for", where it means something."""
    named = (*(concepts(bytes(sent.as_needed_codeable_concept)) or ()), *(concepts(bytes(sent.as_needed_for)) or ()))
    text = sent.text or sent.patient_instruction
    if named or not text or len(text) > LONGEST:
        return named
    as_needed = AS_NEEDED.search(text)
    parts = [as_needed[1]] if as_needed is not None else FOR.findall(text)
    written = [Concept(text=part) for part in parts]
    return tuple(one for one in written if condition_meaning(one).meanings - {UNSPECIFIC})


def _positive(value: Decimal | None) -> Decimal | None:
    known = number(value)
    return known if known is not None and known > 0 else None


def _period_days(value: Decimal | None, unit: str | None) -> Decimal | None:
    """None where the unit is not said: a number without it says nothing."""
    length = _positive(value)
    factor = DAYS_IN.get(time_unit(unit)) if unit else None
    return None if length is None or factor is None else length * factor[0] / factor[1]


def _count(sent: list[str] | str | None) -> int:
    return 0 if sent is None else 1 if isinstance(sent, str) else len(set(sent))


def _occasions(repeat: Repeat) -> int:
    """The moments of a day that are named. "Before meals" alone is three of them."""
    named = _count(repeat.when)
    bare = repeat.frequency is None and repeat.period is None and repeat.time_of_day is None
    whole = {repeat.when} if isinstance(repeat.when, str) else set(repeat.when or ())
    return named + 2 * len(whole & ANY_MEAL) if bare else named


def _timing_code(named: Concept | None) -> tuple[str | None, str | None]:
    """The standard code and the words beside it; without one the words, which say more than a site's own code."""
    if named is None:
        return None, None
    standard = (coding.code for coding in named.codings if coding.system and "GTSAbbreviation" in coding.system)
    code = next(standard, None)
    return (printable(named) or None, None) if code is None else (code, named.text)


def _route(named: Concept | None) -> str | None:
    if named is None:
        return None
    words = (ROUTES.get(coding.code.upper()) for coding in named.codings if coding.code)
    return next((word for word in words if word), None) or printable(named) or None
