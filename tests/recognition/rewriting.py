"""Makes the measure's rows from the tables' own names, by rule (`python -m tests.recognition.rewriting`).

Every product of an opioid or a first-line agent, and its brands, is written as RxNorm, pharmacies, wards and discharge
letters write it: abbreviations, order of words, case, punctuation, salt, brand, pack. No row is drawn by chance.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cds.drug_tables import load_drugs
from cds.table_reading import TABLES_FOLDER

_TABLES = load_drugs()
_BRANDS = {
    name: [part.name for part in _TABLES.names.meaning(name).ingredients]
    for name in sorted(set(_TABLES.brands.values()))
    if name in _TABLES.names
    and all(part.amount is None for part in _TABLES.names.meaning(name).ingredients)
    and not any(character.isdigit() for character in name)
}
"""The ingredients of each brand, in the order of its strengths."""
TABLE = Path(__file__).parent / "names.csv"
SYSTEM = "http://www.nlm.nih.gov/research/umls/rxnorm"
COLUMNS = ("system", "code", "display", "ingredients", "form", "release")
ROWS_PER_PRODUCT = 9
SALTS = {
    "hydrochloride": ("HCl", "hydrochloride", "HCL"),
    "sulfate": ("sulfate", "SULF", "Sulfate", "SO4"),
    "bitartrate": ("bitartrate", "BITARTRATE", "Bit"),
    "phosphate": ("phosphate", "PHOS"),
    "tartrate": ("tartrate",),
    "citrate": ("citrate",),
}
TALL = {
    "oxycodone": "oxyCODONE", "hydrocodone": "HYDROcodone", "hydromorphone": "HYDROmorphone", "morphine": "morPHINE",
    "fentanyl": "fentaNYL", "tramadol": "traMADol", "duloxetine": "DULoxetine", "buprenorphine": "buPRENorphine",
    "oxymorphone": "oxyMORphone", "methadone": "methaDONE", "pregabalin": "pregabalin", "gabapentin": "gabaPENTin",
    "nortriptyline": "NORtriptyline", "amitriptyline": "AMITRIPtyline", "imipramine": "imiPRAMINE",
}  # fmt: skip
SHORT = {
    "acetaminophen": ("APAP", "Acetaminophen", "acetamin"), "hydrocodone": ("HYDROCODON", "Hydrocodone"),
    "codeine": ("Codeine", "COD"), "ibuprofen": ("ibuprofen",), "naloxone": ("naloxone", "NALOXON"),
    "aspirin": ("ASA", "aspirin"), "oxycodone": ("OXYCODONE", "oxycodone", "Oxycodon"),
}  # fmt: skip
FORMS = {
    "Oral Tablet": ("tab", "TABLET", "PO TABS", "oral tablet", "Tab", "po tab", "TABS"),
    "Oral Capsule": ("cap", "CAPSULE", "PO CAPS", "oral capsule", "Caps", "CAPS"),
    "Oral Solution": ("oral solution", "PO SOLN", "ORAL SOLN", "(Oral Soln.)", "oral liquid"),
    "Extended Release Oral Tablet": (
        "ER tab", "oral tablet, extended release", "SR Tablet", "PO TBCR", "extended-release tablet", "TABLET ER",
        "SA TAB", "CR tab",
    ),
    "Extended Release Oral Capsule": (
        "ER cap", "oral capsule, extended release", "PO CP24", "SR CAPS", "extended-release capsule", "XR CAP",
    ),
    "Delayed Release Oral Capsule": (
        "DR CAP", "PO CPEP", "oral delayed release capsule", "capsule,delayed release", "EC cap", "CPDR",
    ),
    "Transdermal System": ("PATCH", "patch", "TD PT72", "transdermal film", "transdermal patch", "Transdermal System"),
    "Medicated Patch": ("PATCH", "topical patch", "EX PTCH", "patch", "adhesive patch", "topical film"),
    "Sublingual Tablet": ("SL TAB", "sublingual tablet", "SL SUBL", "Subl Tab"),
    "Sublingual Film": ("SL film", "sublingual film", "SL FILM"),
    "Buccal Film": ("buccal film", "BU FILM"),
    "Buccal Tablet": ("buccal tablet", "BUCCAL TAB"),
    "Oral Lozenge": ("lozenge", "LOZENGE", "oral lozenge"),
    "Injectable Solution": ("inj", "IJ SOLN", "injectable solution", "Vial", "injection"),
    "Prefilled Syringe": ("prefilled syringe", "IJ SOSY"),
    "Nasal Spray": ("nasal spray", "NASAL SPRAY"),
}  # fmt: skip
SUFFIXES = ("", " C-II", " UD", " (CII)", " 100 EA", "  ", ",", " - 30")


class Product(NamedTuple):
    """A row of products_core.csv that the measure is about."""

    rxcui: str
    display: str
    parts: tuple[tuple[str, Decimal, str], ...]
    form: str
    release: str
    brand: str
    salts: dict[str, str]

    @property
    def ingredients(self) -> str:
        return ";".join(f"{name} {amount.normalize():f} {unit}" for name, amount, unit in sorted(self.parts))


class Row(NamedTuple):
    """A row of the measure."""

    system: str
    code: str
    display: str
    ingredients: str
    form: str
    release: str


def products() -> Iterator[Product]:
    """The products of an opioid or a first-line agent."""
    with (TABLES_FOLDER / "products_core.csv").open(encoding="utf-8") as table:
        for row in csv.DictReader(table):
            parts = tuple(_part(part) for part in row["ingredients"].split(";"))
            substances = [_TABLES.substances.get(name) for name, _, _ in parts]
            if not any(each and ("opioid" in each.roles or each.first_line_class) for each in substances):
                continue
            salts = {
                name: word
                for name, _, _ in parts
                if (found := re.search(rf"{name} (\w+)", row["display"], re.IGNORECASE))
                and (word := found[1].lower()) in SALTS
            }
            yield Product(row["rxcui"], row["display"], parts, row["form"], row["release"], row["brand"], salts)


def _part(text: str) -> tuple[str, Decimal, str]:
    name, amount, unit = text.rsplit(" ", 2)
    return name, Decimal(amount), unit


class Strengths(NamedTuple):
    """The strengths of a product, written for each ingredient and joined."""

    each: tuple[str, ...]
    numbers: tuple[str, ...]
    unit: str


def written_strengths(product: Product, turn: int) -> Strengths | None:
    """Strengths in the units of the shelf: mcg where mg would be a fraction, per 5 mL, percent for a skin patch."""
    units = {unit for _, _, unit in product.parts}
    if len(units) > 1 or units & {"MG/ACTUAT"}:
        return None
    unit = units.pop()
    amounts = [amount for _, amount, _ in product.parts]
    if unit == "MG/MG":
        return Strengths((f"{amounts[0] * 100:f} %",), (f"{_short(amounts[0] * 100)}",), "%")
    if unit == "MG/HR" and amounts[0] < 1:
        words = ("mcg/hr", "MCG/HR", "mcg/h", "MCG/HR")[turn % 4]
        return Strengths((f"{_short(amounts[0] * 1000)} {words}",), (_short(amounts[0] * 1000),), words)
    if (
        unit == "MG/ML"
        and turn % 2
        and all((amount * 5) == (amount * 5).quantize(Decimal("0.01")) for amount in amounts)
    ):
        numbers = tuple(_short(amount * 5) for amount in amounts)
        return Strengths(
            tuple(f"{number} mg/5 mL" for number in numbers), numbers, ("mg/5 mL", "MG/5ML")[turn % 4 == 3]
        )
    if unit == "MG" and max(amounts) < 1 and turn % 2:
        words = ("mcg", "MCG")[turn % 4 == 3]
        numbers = tuple(_short(amount * 1000) for amount in amounts)
        return Strengths(tuple(f"{number} {words}" for number in numbers), numbers, words)
    words = unit.lower() if turn % 3 else unit
    numbers = tuple(map(_short, amounts))
    return Strengths(tuple(f"{number} {words}" for number in numbers), numbers, words)


def _short(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def names_of(product: Product) -> Iterator[Row]:
    """The product's name under every rule, in an order that differs from product to product."""
    brands = _brands(product)
    written: dict[str, Row] = {}
    for turn in range(8):
        for display in _rewritten(product, turn, brands):
            display = display.replace("  ", " ") if turn % 4 else display
            written.setdefault(display.strip().lower(), _row(product, display.strip()))
    chosen = sorted(written.values(), key=lambda row: sha256(row.display.encode()).hexdigest())
    yield _row(product, product.display)
    yield from chosen[:ROWS_PER_PRODUCT]


def _row(product: Product, display: str) -> Row:
    return Row(SYSTEM, product.rxcui, display, product.ingredients, product.form, product.release)


def _rewritten(product: Product, turn: int, brands: Sequence[str]) -> Iterator[str]:
    strengths = written_strengths(product, turn)
    forms = FORMS.get(product.form)
    if strengths is None or forms is None or product.brand == "Gralise":
        return
    form, suffix = forms[turn % len(forms)], SUFFIXES[turn]
    names = [name for name, _, _ in product.parts]
    plain = [_written_name(product, name, turn) for name in names]
    numbers = "-".join(strengths.numbers)
    chain = numbers + " " + strengths.unit
    yield product.display.upper() + suffix
    yield product.display.replace(" MG", "MG")
    yield product.display.replace(" / ", "/").replace("Oral ", "")
    if len(names) == 1:
        name = plain[0]
        amount = strengths.each[0]
        yield f"{name} {amount} {form}{suffix}"
        yield f"{name} {amount.replace(' ', '')} {form}"
        yield f"{name}, {amount}, {form}"
        yield f"{name} {form} {amount}"
        yield f"{TALL.get(names[0], name)} {amount} {form}"
        yield f"{amount} {names[0].upper()} {form}"
        for brand in brands:
            yield f"{TALL.get(names[0], name)} ({brand.upper()}) {amount} {form}"
            yield f"{brand} {amount} {form}{suffix}"
    else:
        dose = "/".join(strengths.each) if turn % 2 else chain
        joined = ("-", "/", " - ", " and ")[turn % 4].join(plain)
        yield f"{joined} {dose} {form}{suffix}"
        backwards = ("-", "/", " with ", "-")[turn % 4].join(reversed(plain))
        reverse = "-".join(reversed(strengths.numbers)) + " " + strengths.unit
        yield f"{backwards} {reverse} {form}"
        if "ML" not in strengths.unit.upper():
            yield (
                f"{joined} ({strengths.each[0].replace(' ', '')}-{strengths.each[-1].replace(' ', '')}) {form}"
                if len(names) == 2
                else f"{joined} {numbers} {form}"
            )
            yield f"{'/'.join(name.upper() for name in plain)} {'/'.join(strengths.numbers)} {form}"
            for brand in brands:
                by_name = dict(zip(names, strengths.numbers, strict=True))
                yield f"{brand} {'/'.join(by_name[name] for name in _BRANDS[brand])} {form}"
                yield f"{joined} ({brand.upper()}) {chain} {form}"
        yield " / ".join(f"{name} {amount}" for name, amount in zip(plain, strengths.each, strict=True)) + f" {form}"
        yield (
            " - ".join(f"{name.upper()} {amount}" for name, amount in zip(plain, strengths.each, strict=True))
            + f" {form}{suffix}"
        )


def _written_name(product: Product, name: str, turn: int) -> str:
    """An ingredient with or without its salt, in one of its usual spellings."""
    short = (
        SHORT.get(name, (name, name.capitalize()))
        if len(product.parts) > 1
        else (name, name.capitalize(), name.upper())
    )
    words = short[turn % len(short)]
    salt = product.salts.get(name)
    if salt and turn % 2 and len(words) > 4:
        words += " " + SALTS[salt][turn // 2 % len(SALTS[salt])]
    return words


def _brands(product: Product) -> list[str]:
    """Brands of names.csv that hold the same ingredients in the same release."""
    held = {name for name, _, _ in product.parts}
    manner = (product.release, _TABLES.products[product.rxcui].route)
    return [
        brand
        for brand, names in _BRANDS.items()
        if set(names) == held and (_TABLES.names.meaning(brand).release, _TABLES.names.meaning(brand).route) == manner
    ][:3]


def rows() -> list[Row]:
    """The whole measure."""
    return [row for product in products() for row in names_of(product)]


def main() -> None:
    """Writes the stored measure anew."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows())


if __name__ == "__main__":
    main()
