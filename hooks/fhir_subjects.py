"""What an observation is about, by its code element."""

from decimal import Decimal

from msgspec import Struct

from cds.observation_table import Scale
from cds.terminology import Concept, observation_scale
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import observation_meaning
from hooks.fhir_elements import NO_UNIT, NOTHING, concepts, printable
from hooks.fhir_loose import fields_of, members_of
from hooks.fhir_shapes import ABSENT
from hooks.remembered import Elements

INTERPRETED = frozenset({"uds"})
"""Meanings whose number says nothing without the cutoff that the laboratory's interpretation knows."""
LIMITED = frozenset({"alt", "ast", "bilirubin"})
"""Meanings whose own limit of the laboratory counts."""
EGFR_ALONE = frozenset({"egfr", "e-gfr", "gfr"})
LOINC = frozenset({"http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
LOINC_NAMES = LOINC | {None}
LEAST, MOST = Decimal("1E-9"), Decimal("1E9")
"""Numbers between them are no error of writing (``number``)."""


class Subject(Struct, frozen=True, eq=False):
    """What an observation is about, by its code element: fields of ``cds.chart.Observation``, and the scale of its
    values. ``plain_units``: where a value says all, those that need no conversion; its plain values are between ``low``
    and ``high``."""

    meaning: str
    name: str
    code: str | None
    scale: Scale | None
    plain_units: frozenset[str] = NOTHING
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)


def _subject(code: bytes) -> Subject | None:
    """What a code element is about; None where it means nothing to the review."""
    meaning = observation_meaning(code)
    if meaning is None:
        return None
    named = (concepts(code) or (Concept(),))[0]
    loinc = next((coding.code for coding in named.codings if coding.code and coding.system in LOINC_NAMES), None)
    scale = observation_scale(meaning, named)
    if scale is None or meaning in LIMITED or meaning in INTERPRETED:
        return Subject(meaning, printable(named), loinc, scale)
    units = frozenset(unit for unit, conversion in scale.conversions.items() if conversion is None) - NO_UNIT
    low, high = max(scale.low, LEAST), min(scale.high, MOST)
    return Subject(meaning, printable(named), loinc, scale, units, low, high)


SUBJECTS = Elements(_subject)
"""What a code element is about."""


def _named_egfr(code: bytes) -> Subject | None:
    named = (concepts(code) or (Concept(),))[0]
    if not any(text.strip().casefold() in EGFR_ALONE for text in named.texts()):
        return None
    return Subject("egfr", printable(named), None, observation_scale("egfr", Concept()))


NAMED_EGFR = Elements(_named_egfr)
"""An observation that is called "eGFR" and no more: the filtration of the kidneys, or the receptor of a tumour."""


def _coded(code: bytes) -> bool:
    return any(printable(named).strip() for named in concepts(code) or ())


CODED = Elements(_coded)
"""Whether a code element was sent that says something."""


def observation_meanings(sent: shapes.Measured) -> list[str]:
    """What an observation and its components are about, whatever their values."""
    subjects = [SUBJECTS.of(sent.code)]
    if isinstance(sent, shapes.Observation) and sent.component:
        parts = [(fields_of(raw) or {}).get("code", ABSENT) for raw in members_of(sent.component)]
        subjects += [SUBJECTS.of(code) for code in parts]
    return [subject.meaning for subject in subjects if subject is not None]


def recognised(sent: shapes.Measured) -> bool:
    """Whether it is known what was measured, be it of use to the review or not: by its name or by a LOINC code."""
    codings = [coding for named in concepts(bytes(sent.code)) or () for coding in named.codings]
    return any(coding.code and coding.system in LOINC for coding in codings) or bool(observation_meanings(sent))
