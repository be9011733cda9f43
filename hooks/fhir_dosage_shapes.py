"""A FHIR Dosage as sent, in the elements of every version."""

from decimal import Decimal

from msgspec import Raw, Struct

from hooks.fhir_elements import LooseQuantity
from hooks.fhir_shapes import ABSENT


class Range(Struct, gc=False):
    """A Range."""

    low: LooseQuantity | None = None
    high: LooseQuantity | None = None


class Ratio(Struct, gc=False):
    """A Ratio."""

    numerator: LooseQuantity | None = None
    denominator: LooseQuantity | None = None


class DoseAndRate(Struct, rename="camel", gc=False):
    """A dose, a rate, or both."""

    type: Raw = ABSENT
    dose_quantity: LooseQuantity | None = None
    dose_range: Range | None = None
    rate_quantity: LooseQuantity | None = None
    rate_range: Range | None = None
    rate_ratio: Ratio | None = None


class Bounds(Struct, rename="camel", gc=False):
    """What limits a Timing.repeat."""

    bounds_duration: LooseQuantity | None = None
    bounds_quantity: LooseQuantity | None = None
    bounds_range: Range | None = None
    bounds_period: Raw = ABSENT


class Repeat(Bounds, rename="camel", gc=False):
    """Timing.repeat."""

    frequency: Decimal | None = None
    frequency_max: Decimal | None = None
    period: Decimal | None = None
    period_max: Decimal | None = None
    period_unit: str | None = None
    period_units: str | None = None
    unit: str | None = None
    day_of_week: list[str] | str | None = None
    time_of_day: list[str] | str | None = None
    when: list[str] | str | None = None


class Timing(Struct, gc=False):
    """A Timing."""

    repeat: Repeat | None = None
    code: Raw = ABSENT


class SentDosage(DoseAndRate, rename="camel", gc=False):
    """One instruction. Doses stand in the instruction itself up to STU3, in ``doseAndRate`` from R4 on."""

    sequence: int | None = None
    text: str | None = None
    patient_instruction: str | None = None
    additional_instruction: Raw = ABSENT
    timing: Timing | None = None
    as_needed: bool | None = None
    as_needed_boolean: bool | None = None
    as_needed_codeable_concept: Raw = ABSENT
    as_needed_for: Raw = ABSENT
    site: Raw = ABSENT
    site_codeable_concept: Raw = ABSENT
    route: Raw = ABSENT
    dose_and_rate: list[DoseAndRate | None] | DoseAndRate | None = None
    quantity_quantity: LooseQuantity | None = None
    quantity_range: Range | None = None
    max_dose_per_period: list[Ratio] | Ratio | None = None
    max_dose_per_administration: LooseQuantity | None = None
