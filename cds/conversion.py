"""From milligrams to MME: the factors of mme.csv, and which one a drug and its route take (CLINICAL.md section 6)."""

import csv
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from cds.drugs import Drug, Ingredient, ingredient_roles
from cds.knowledge import KnowledgeError
from cds.units import word_set

TABLE = Path(__file__).parent / "tables" / "mme.csv"
COLUMNS = ["ingredient", "route_form", "factor", "unit", "source", "note"]
PER_MG = {"mg/d": Fraction(1), "mcg/d": Fraction(1000), "mcg/h": Fraction(1000)}
"""What one of the table's units is per mg, or per mg/h."""
CURRENT_SOURCE = "CDC 2022"
OUT_OF_SCOPE = "not opioid analgesics"

FENTANYL_PATCH = "transdermal patch"
FENTANYL_TABLET = "buccal or sublingual tablet or lozenge"
FENTANYL_FILM = "buccal film or oral spray"
FENTANYL_NASAL = "nasal spray"
FENTANYL_FORMS = (FENTANYL_PATCH, FENTANYL_TABLET, FENTANYL_FILM, FENTANYL_NASAL)

FOR_OUD = "for opioid use disorder"
NO_FACTOR = "no conversion factor"
NO_FORM = "no form"

# 6.12 mg of benzhydrocodone are 7.5 mg of hydrocodone; 9 mg of oxycodone base are 10 mg of its hydrochloride.
BENZHYDROCODONE = Fraction(750, 612)
OXYCODONE_BASE = Fraction(10, 9)
BASE_STRENGTHS = frozenset(map(Decimal, ("9", "13.5", "18", "27", "36")))
DISPERSIBLE_METHADONE_MG = 40
SUBLINGUAL_BUPRENORPHINE_MG = 2

# Left out whatever the route: no full agonists.
PARTIAL_AGONISTS = frozenset(("buprenorphine", "butorphanol", "nalbuphine"))
OUD_FORMS = ("suspension", "dispersible", "soluble")
PARENTERAL = word_set("iv ivp ivpb ivpca pca im sc sq subq injection inj injectable infusion drip parenteral implant")
PARENTERAL_STARTS = (
    "intraven", "intramusc", "subcut", "epidur", "intrathec", "intraspin", "intracaud", "caudal", "intraoss",
    "perineur", "intraartic", "intraderm",
)  # fmt: skip
OTHER_ROUTES = word_set(
    "po oral orally mouth ng og gt peg tube enteral sl sublingual buccal td tp topical skin patch pr rectal nasal "
    "intranasal transmucosal oropharyngeal"
)
OTHER_ROUTE_STARTS = ("transderm", "nasogastr", "gastrost", "jejun")


class Factor(Struct, frozen=True):
    """MME per mg a day (per mg/h for a patch). ``older``: from a table before that of CDC 2022."""

    value: Fraction
    older: bool


class Conversion(Struct, frozen=True):
    """How an ingredient counts: its factor, or ``reason`` why it has none. ``shown`` is the factor of the table.
    ``counted`` False: left out of the sum."""

    factor: Factor | None = None
    shown: Decimal | None = None
    counted: bool = True
    reason: str | None = None


class FactorTable(Struct, frozen=True):
    """The rows of mme.csv: factors by mouth, those of the forms of fentanyl, and the opioids without a factor."""

    oral: Mapping[str, tuple[Factor, Decimal]]
    fentanyl: Mapping[str, tuple[Factor, Decimal]]
    without: frozenset[str]


def load_factors(path: Path = TABLE) -> FactorTable:
    """Reads and checks mme.csv. Raises ``KnowledgeError`` with the row and the remedy."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames != COLUMNS:
                raise KnowledgeError(path.name, "header", f"write the columns {','.join(COLUMNS)}")
            return _read_rows(path.name, list(rows))
    except (OSError, UnicodeDecodeError, csv.Error):
        raise KnowledgeError(path.name, "file", "put the table of factors, in UTF-8, beside the others") from None


def _read_rows(file: str, rows: list[dict[str, str]]) -> FactorTable:
    oral: dict[str, tuple[Factor, Decimal]] = {}
    fentanyl: dict[str, tuple[Factor, Decimal]] = {}
    without: set[str] = set()
    for row in rows:
        if None in row or None in row.values():
            raise KnowledgeError(file, str(row.get("ingredient")), f"write {len(COLUMNS)} cells")
        name, form = row["ingredient"], row["route_form"]
        if row["unit"] == "none":
            if row["factor"]:
                raise KnowledgeError(file, f"{name}.factor", "leave it empty, or write the unit")
            if not row["source"].startswith(OUT_OF_SCOPE):
                without.update(part for part in name.split(" or ") if " " not in part)
            continue
        found = _read_factor(file, row)
        table, key = (fentanyl, form) if name == "fentanyl" else (oral, name)
        if key in table:
            raise KnowledgeError(file, f"{name}, {form}", "this row is there twice: keep one")
        if name == "fentanyl" and form not in FENTANYL_FORMS:
            raise KnowledgeError(file, f"{name}, {form}", f"the forms of fentanyl are: {'; '.join(FENTANYL_FORMS)}")
        if name != "fentanyl" and not form.startswith("oral"):
            raise KnowledgeError(file, f"{name}, {form}", "only factors by mouth are read for this ingredient")
        if (row["unit"] == "mcg/h") is not (form == FENTANYL_PATCH):
            raise KnowledgeError(file, f"{name}, {form}.unit", "the unit is mcg/h for a patch and for nothing else")
        table[key] = found
    for key in FENTANYL_FORMS:
        if key not in fentanyl:
            raise KnowledgeError(file, f"fentanyl, {key}", "add this row")
    for key in ("hydrocodone", "methadone", "morphine", "oxycodone", "opium"):
        if key not in oral:
            raise KnowledgeError(file, key, "add this row")
    return FactorTable(MappingProxyType(oral), MappingProxyType(fentanyl), frozenset(without))


def _read_factor(file: str, row: dict[str, str]) -> tuple[Factor, Decimal]:
    name = row["ingredient"]
    if row["unit"] not in PER_MG:
        raise KnowledgeError(file, f"{name}.unit", f"one of {', '.join([*PER_MG, 'none'])}")
    if not row["source"]:
        raise KnowledgeError(file, f"{name}.source", "say where the factor comes from")
    try:
        factor = Decimal(row["factor"])
    except InvalidOperation:
        factor = Decimal(0)
    if not (factor.is_finite() and factor > 0):
        raise KnowledgeError(file, f"{name}.factor", "write a positive number")
    older = not row["source"].startswith(CURRENT_SOURCE)
    return Factor(Fraction(factor) * PER_MG[row["unit"]], older), factor


FACTORS = load_factors()


def opioids(drug: Drug) -> tuple[Ingredient, ...]:
    """The opioids of a drug that act on the body as a whole, in the order of its name; with or without a factor."""
    return tuple(part for part in drug.ingredients if "opioid" in ingredient_roles(part.name))


@lru_cache(maxsize=256)
def is_parenteral(route: str | None) -> bool | None:
    """Whether the route of a dosage, in words or as an abbreviation, is an injection or infusion; None: not said."""
    plain = "".join(letter if letter.isalnum() else " " for letter in (route or "").lower()).split()
    if any(word in PARENTERAL or word.startswith(PARENTERAL_STARTS) for word in plain):
        return True
    return False if any(word in OTHER_ROUTES or word.startswith(OTHER_ROUTE_STARTS) for word in plain) else None


def is_patch(drug: Drug) -> bool:
    """Worn on the skin, released by the hour."""
    return drug.route == "transdermal" or drug.release == "TD"


def conversion(drug: Drug, ingredient: Ingredient, for_oud: bool, parenteral: bool, patch: bool) -> Conversion:
    """How this opioid of the drug counts. ``for_oud``: the order's own reason is opioid use disorder."""
    name = ingredient.name
    if name in ("methadone", "buprenorphine") and (for_oud or _only_for_oud(drug, ingredient)):
        return Conversion(counted=False, reason=FOR_OUD)
    if name in PARTIAL_AGONISTS:
        return Conversion(counted=False, reason=NO_FACTOR)
    if parenteral:
        return Conversion(reason="infusion or injection")
    if name == "fentanyl":
        form = FENTANYL_PATCH if patch else _fentanyl_form(drug)
        return Conversion(reason=NO_FORM) if form is None else Conversion(*FACTORS.fentanyl[form])
    if name == "benzhydrocodone":
        return _scaled("hydrocodone", BENZHYDROCODONE)
    if name == "oxycodone" and _is_base(drug, ingredient):
        return _scaled("oxycodone", OXYCODONE_BASE)
    if name not in FACTORS.oral:  # one of which the table says nothing adds what nobody knows
        return Conversion(counted=name not in FACTORS.without, reason=NO_FACTOR)
    if patch or drug.route == "topical":
        return Conversion(counted=False, reason=NO_FACTOR)
    return Conversion(*FACTORS.oral[name])


def _scaled(name: str, salt: Fraction) -> Conversion:
    factor, shown = FACTORS.oral[name]
    return Conversion(Factor(factor.value * salt, factor.older), shown)


def _fentanyl_form(drug: Drug) -> str | None:
    """The row for a form of fentanyl; where only the mucosa is known, the higher factor."""
    form = (drug.form or "").lower()
    if drug.route == "nasal" or "nasal" in form:
        return FENTANYL_NASAL
    if "film" in form or "spray" in form:
        return FENTANYL_FILM
    if any(word in form for word in ("tablet", "lozenge", "troche", "lollipop")):
        return FENTANYL_TABLET
    return FENTANYL_FILM if drug.route in ("buccal", "sublingual", "transmucosal") else None


def _is_base(drug: Drug, ingredient: Ingredient) -> bool:
    """Xtampza ER, whose strengths are oxycodone base."""
    if (drug.brand or "").lower().startswith("xtampza"):
        return True
    capsule = "cap" in (drug.form or "").lower() and drug.release == "ER"
    return capsule and ingredient.amount in BASE_STRENGTHS


def _only_for_oud(drug: Drug, ingredient: Ingredient) -> bool:
    """A product that is made for the treatment of opioid use disorder alone."""
    form = (drug.form or "").lower()
    if ingredient.name == "methadone":
        return ingredient.amount == DISPERSIBLE_METHADONE_MG and any(word in form for word in OUD_FORMS)
    if drug.has("naloxone"):
        return True
    if drug.route == "sublingual" or "sublingual" in form:
        return ingredient.amount is not None and ingredient.amount >= SUBLINGUAL_BUPRENORPHINE_MG
    return drug.route == "injection" and drug.release == "ER"
