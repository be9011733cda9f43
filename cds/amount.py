"""What one dose of a drug holds of an ingredient: milligrams (or mg/h of a patch) and pieces or millilitres."""

from fractions import Fraction

from msgspec import Struct

from cds.chart import Dosage, Quantity
from cds.conversion import is_parenteral, is_patch, opioids
from cds.drugs import Drug, Ingredient
from cds.units import exact, read_unit

LARGEST_BARE_COUNT = 10
"""Pieces. A larger number without a unit may be milligrams, and so may one from the strength of a piece on."""
LARGEST_PIECES = 15
LARGEST_VOLUME_ML = 150
"""A mass of a combination that would be more than this of the opioid is that of its partner ("max 4 g a day")."""

_PIECES = frozenset(("MG", "MG/ACTUAT"))
_SOLID = ("tab", "cap", "lozenge", "film", "patch", "system", "supp", "troche", "pill", "strip")
_ON_THE_SKIN = ("transderm", "topical", "patch", "skin")
_ON_THE_SKIN_SHORT = frozenset(("td", "tp"))
_SKIN_OPIOIDS = frozenset(("fentanyl", "buprenorphine"))
# Opium tincture is named by its opium (100 mg/mL), of which a tenth is morphine. Paregoric, 25 times weaker, is not.
_OPIUM_MORPHINE = Fraction(1, 10)
_WEAKEST_OPIUM_NAME = 20
_PAREGORIC_MG_PER_ML = Fraction(4, 10)


class Strength(Struct, frozen=True):
    """Milligrams in one ``per``: "piece", "ml" or "hour"; None where the name of the drug does not say."""

    mg: Fraction | None = None
    per: str | None = None


class Measured(Struct, frozen=True):
    """``mg`` is mg/h for a patch; ``pieces`` counts tablets, patches or mL. ``reason``: why ``mg`` cannot be told."""

    mg: Fraction | None = None
    pieces: Fraction | None = None
    reason: str | None = None


class Measure:
    """Measures the quantities of one drug in one of its ingredients."""

    def __init__(self, drug: Drug, ingredient: str) -> None:
        self.drug = drug
        self.ingredient = ingredient
        own = next((part for part in drug.ingredients if part.name == ingredient), Ingredient(ingredient))
        # A mass is that of the opioid in a combination: "10 mg" of oxycodone with acetaminophen is oxycodone.
        self.lead = next(iter(opioids(drug) or drug.ingredients), own)
        self.strength = read_strength(drug, own)
        self.lead_strength = read_strength(drug, self.lead)
        self.partner = next((part for part in drug.ingredients if part.name != self.lead.name), None)
        self.partner_strength = read_strength(drug, self.partner) if self.partner is not None else Strength()
        slow = drug.form is None and drug.release in ("ER", "DR") and drug.route in ("oral", None)
        self.solid = slow or any(word in (drug.form or "").lower() for word in _SOLID)

    def injected(self, route: str | None) -> bool:
        """The route of the dosage decides; where it is not said, that of the drug."""
        parenteral = is_parenteral(route)
        return self.drug.route == "injection" if parenteral is None else parenteral

    def hourly(self, route: str | None) -> bool:
        """Whether the dose is what is worn on the skin at once, in mg/h."""
        if self.strength.per == "hour":
            return True
        if self.ingredient not in _SKIN_OPIOIDS:
            return False
        plain = (route or "").strip().lower()
        return is_patch(self.drug) or plain in _ON_THE_SKIN_SHORT or plain.startswith(_ON_THE_SKIN)

    def measured(self, quantity: Quantity | None, route: str | None = None) -> Measured:
        """What this quantity holds. A dose of nothing is no dose: what is taken is then not known."""
        value = exact(quantity.value) if quantity is not None else None
        if quantity is None or value is None:
            return Measured(reason="no dose")
        if quantity.unit is None or not quantity.unit.strip():
            strength = self.lead_strength.mg
            whole = self.lead_strength.per == "piece" and strength not in (None, 1)
            milligrams = whole and value > 1 and value >= (strength or 0)
            known = self.solid and value <= LARGEST_BARE_COUNT and not milligrams
            return self.pieces(value, route) if known else Measured(reason="no unit")
        unit = read_unit(quantity.unit)
        if unit is None or unit.kind == "doses":
            return Measured(reason="no unit")
        amount = value * unit.scale
        if unit.kind == "count":
            return self.pieces(amount, route)
        if unit.kind == "volume":
            mg = self.strength.mg if self.strength.per == "ml" else None
            return Measured(mg and amount * mg, amount, None if mg else "no concentration")
        if self.hourly(route):
            worn = amount / self.strength.mg if self.strength.mg and self.strength.per == "hour" else None
            return Measured(amount, worn)
        return self.mass(amount) if unit.kind == "mass" else Measured(reason="infusion or injection")

    def pieces(self, count: Fraction, route: str | None) -> Measured:
        mg, per = self.strength.mg, self.strength.per
        if per == "ml":
            # One cup or syringe: how much is in it is not said.
            return Measured(reason="no unit")
        if mg is None or (self.hourly(route) and per != "hour"):
            return Measured(None, count, "no strength")
        return Measured(count * mg, count)

    def mass(self, mg: Fraction) -> Measured:
        """A mass, of the lead ingredient or of its partner, carried over to the ingredient that is asked for."""
        reference, reference_strength = self.lead, self.lead_strength
        if self.partner is not None and self.partner_strength.mg and reference_strength.mg:
            largest = LARGEST_VOLUME_ML if reference_strength.per == "ml" else LARGEST_PIECES
            if mg > largest * reference_strength.mg and mg >= self.partner_strength.mg:
                reference, reference_strength = self.partner, self.partner_strength
        pieces = mg / reference_strength.mg if reference_strength.mg else None
        if reference.name == self.ingredient:
            return Measured(mg, pieces)
        if pieces is None or self.strength.mg is None or self.strength.per != reference_strength.per:
            return Measured(None, pieces, "no strength")
        return Measured(pieces * self.strength.mg, pieces)


def read_strength(drug: Drug, part: Ingredient) -> Strength:
    """The strength of an ingredient per piece, millilitre or hour; empty where the name does not say it."""
    amount = exact(part.amount)
    unit = (part.unit or "MG").upper()
    per = "piece" if unit in _PIECES else {"MG/ML": "ml", "MG/HR": "hour", "MG/H": "hour"}.get(unit)
    if part.name == "opium":
        if amount is None and "paregoric" in f"{drug.brand} {drug.name}".lower():
            return Strength(_PAREGORIC_MG_PER_ML, "ml")
        if amount is not None and per == "ml" and amount > _WEAKEST_OPIUM_NAME:
            amount *= _OPIUM_MORPHINE
    return Strength(amount, per) if amount is not None and per is not None else Strength()


def larger(low: Quantity | None, high: Quantity | None) -> Quantity | None:
    """The higher end of a dose, also where the ends are the wrong way round."""
    if low is None or high is None:
        return high or low
    low_value, high_value = exact(low.value), exact(high.value)
    return low if low.unit == high.unit and (low_value or 0) > (high_value or 0) else high


def smaller(low: Quantity | None, high: Quantity | None) -> Quantity | None:
    """The lower end of a dose, also where the ends are the wrong way round."""
    return low if larger(low, high) is high and low is not None else high


def is_range(dosage: Dosage) -> bool:
    """Whether the dose has two ends, or an upper end alone."""
    low, high = dosage.dose_low, dosage.dose_high
    if low is None or high is None:
        return high is not None
    return low.unit != high.unit or exact(low.value) != exact(high.value)
