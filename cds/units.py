"""Units of a dose and exact numbers: what "tab(s)", "mcg/hr" or "{pill}" stands for, Decimal to Fraction and back."""

from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from msgspec import Struct

_READ = Context(prec=40)
_WRITE = Context(prec=50)
_LARGEST_EXPONENT = 15
_DAY_SECONDS = 86_400

Kind = Literal["mass", "rate", "volume", "count", "doses"]


class Unit(Struct, frozen=True):
    """``scale`` turns an amount into mg (mass), mg/h (rate), mL (volume), or pieces (count); "doses" counts doses."""

    kind: Kind
    scale: Fraction = Fraction(1)


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables of words."""
    return frozenset(text.split())


_MASS = {
    "mg": "1", "milligram": "1", "milligrams": "1", "mgs": "1", "mcg": "0.001", "ug": "0.001", "mcgs": "0.001",
    "microgram": "0.001", "micrograms": "0.001", "g": "1000", "gm": "1000", "gms": "1000", "gram": "1000",
    "grams": "1000",
}  # fmt: skip
_VOLUME = {
    "ml": "1", "cc": "1", "milliliter": "1", "milliliters": "1", "millilitre": "1", "millilitres": "1", "mls": "1",
    "teaspoon": "5", "teaspoons": "5", "tsp": "5", "tsp_us": "5", "teaspoonful": "5", "tablespoon": "15",
    "tablespoons": "15", "tbsp": "15", "tbs_us": "15", "tablespoonful": "15",
    "teaspoonfuls": "5", "tablespoonfuls": "15",
}  # fmt: skip
COUNT_WORDS = word_set(
    "tablet tablets tab tabs tbl tbls caplet caplets capsule capsules cap caps capsul pill pills softgel softgels "
    "patch patches ptch system systems film films strip strips lozenge lozenges lozg troche troches spray sprays "
    "actuation actuations actuat puff puffs suppository suppositories supp packet packets"
)
# Codes of HL7's orderable drug forms and of SNOMED CT's tablet and capsule, beside the words.
_COUNT_CODES = word_set(
    "1 each ea piece pieces ertab ercap orcap buctab sltab cap-tab 385055001 732936001 385049006 732937005"
)
_DOSES = frozenset(("dose", "doses", "times", "time"))
_HOUR_ENDINGS = ("/h", "/hr", "/hour", "/hrs", " per hour", " per hr", "/1hr", "/1h")


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit | None:
    """What a unit stands for, from its UCUM code or its words; None for one that is not known (a site's own number)."""
    plain = " ".join(text.lower().replace("μ", "u").replace("µ", "u").replace("(s)", "s").strip("{}[] .").split())
    for ending in _HOUR_ENDINGS:
        if plain.endswith(ending):
            mass = _MASS.get(plain[: -len(ending)].strip())
            return Unit("rate", Fraction(mass)) if mass else None
    if plain in _MASS:
        return Unit("mass", Fraction(_MASS[plain]))
    if plain in _VOLUME:
        return Unit("volume", Fraction(_VOLUME[plain]))
    if plain in _DOSES:
        return Unit("doses")
    words = plain.split(" ")
    if plain in _COUNT_CODES or words[-1] in COUNT_WORDS or words[0] in COUNT_WORDS:
        return Unit("count")
    return None


def exact(value: Decimal | None) -> Fraction | None:
    """The number as a fraction; None where it is missing, not positive, or of a size that no dose or time can have."""
    if value is None or not value.is_finite() or value <= 0 or abs(value.adjusted()) > _LARGEST_EXPONENT:
        return None
    return Fraction(_READ.plus(value))


def exact_days(value: Decimal) -> Fraction | None:
    """A period in days as a fraction. Eight hours arrive as 0.333…: the nearest whole second is meant."""
    return _exact_days(value) if value.is_finite() else None


@lru_cache(maxsize=512)
def _exact_days(value: Decimal) -> Fraction | None:
    days = exact(value)
    return None if days is None else days.limit_denominator(_DAY_SECONDS) or None


def decimal(value: Fraction) -> Decimal:
    """The fraction as a decimal: exact where it ends, else to 50 digits."""
    return _WRITE.divide(Decimal(value.numerator), Decimal(value.denominator))
