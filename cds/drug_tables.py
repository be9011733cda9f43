"""Loads and checks the drug tables: ingredients, products, names, forms, codes (cds/tables, SOURCES.md)."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from cds.drug_spelling import load_short_names, spellings_of
from cds.ndc import product_codes
from cds.table_reading import TABLES_FOLDER, Row, read_table
from cds.words import Phrases

RXNORM, ATC, SNOMED, NDC = "RxNorm", "ATC", "SNOMED CT", "NDC"
RELEASES = ("IR", "ER", "DR", "TD", "")
ROUTES = (
    "oral", "transdermal", "topical", "nasal", "injection", "buccal", "sublingual", "transmucosal", "rectal",
    "inhalation", "",
)  # fmt: skip
UNITS = ("MG", "MG/ML", "MG/HR", "MG/MG", "MG/ACTUAT")
SPELT_ROLES = frozenset({"opioid", "antagonist", "benzodiazepine", "acetaminophen"})
"""Ingredients of these roles, and the first-line agents, are recognised though their name is cut or misspelt."""
CLASSES = ("gabapentinoid", "snri", "tca", "topical_lidocaine", "topical_capsaicin", "")
DRUG_COLUMNS = (
    "ingredient", "rxcui", "atc", "snomed", "roles", "first_line_class", "brand_names", "verified", "source", "note",
)  # fmt: skip
CODE_COLUMNS = ("system", "code", "ingredients", "release", "route", "verified", "source", "note")
PRODUCT_COLUMNS = (
    "rxcui", "display", "tty", "ingredients", "form", "release", "route", "brand", "verified", "source", "note",
)  # fmt: skip


class Ingredient(Struct, frozen=True):
    """One active ingredient by its name in drugs.csv, without the salt, and its strength.

    ``amount`` is per unit of the form ("MG"), per millilitre ("MG/ML"), per hour ("MG/HR"), per milligram ("MG/MG") or
    per spray ("MG/ACTUAT"); None where the name gives none. Amounts are normalised to MG-based units
    ("MCG/HR" becomes "MG/HR").
    """

    name: str
    amount: Decimal | None = None
    unit: str | None = None


class Substance(Struct, frozen=True):
    """What drugs.csv says of an ingredient."""

    roles: frozenset[str] = frozenset()
    first_line_class: str | None = None


class NamedDrug(Struct, frozen=True):
    """What a name stands for: its ingredients in the order of the strengths, and what a brand adds."""

    ingredients: tuple[Ingredient, ...]
    brand: str | None = None
    release: str | None = None
    route: str | None = None
    form: str | None = None


class FormWords(Struct, frozen=True):
    """What words say of form, route and release. ``sure``: the route of these words outweighs the order's own."""

    form: str | None
    route: str | None
    release: str | None
    sure: bool


class DrugTables(Struct, frozen=True):
    """Everything that recognition needs."""

    substances: Mapping[str, Substance]
    names: Phrases[NamedDrug]
    brands: Mapping[str, str]
    """The usual spelling of each brand, by its lower case."""
    products: Mapping[str, NamedDrug]
    """By RxNorm product code."""
    codes: Mapping[tuple[str, str], NamedDrug]
    """By system (RxNorm, ATC, SNOMED CT) and code of an ingredient or a combination."""
    ndc: Mapping[str, NamedDrug]
    """By the nine digits of an NDC's labeller and product."""
    forms: Phrases[FormWords]
    routes: Phrases[FormWords]
    """The forms and the abbreviations that mean something only in a field of their own."""
    spellings: Mapping[str, str]
    """The ingredient that a cut or misspelt word means."""
    short_names: Mapping[str, list[tuple[str, frozenset[str]]]]
    """What a short word means beside which ingredients."""
    companions: frozenset[str]
    """What is sold together with an opioid, and is no opioid itself."""


def load_drugs(folder: Path = TABLES_FOLDER, snomed: bool = True) -> DrugTables:
    """Reads the tables. ``snomed=False`` leaves SNOMED CT codes out, for a site without its licence."""
    substances: dict[str, Substance] = {}
    codes: dict[tuple[str, str], NamedDrug] = {}
    brands: dict[str, list[str]] = {}
    for row in read_table(folder, "drugs.csv", DRUG_COLUMNS):
        name = row.required("ingredient")
        if name in substances or not row.parts("roles"):
            raise row.wrong("list each ingredient once, with its roles")
        row.one_of("verified", ("yes", "no"))
        first_line_class = row.one_of("first_line_class", CLASSES) or None
        substances[name] = Substance(frozenset(row.parts("roles")), first_line_class)
        drug = NamedDrug((Ingredient(name),))
        for column, system in (("rxcui", RXNORM), ("atc", ATC), ("snomed", SNOMED)):
            for code in row.parts(column) if snomed or system != SNOMED else ():
                _add_code(codes, row, (system, code), drug)
        for brand in row.parts("brand_names"):
            if "_" not in brand:  # A role's name inside a brand is a slip of the table: names.csv has the brand.
                brands.setdefault(brand, []).append(name)
    for row in read_table(folder, "other_ingredients.csv", ("ingredient", "note")):
        if row.required("ingredient") in substances:
            raise row.wrong("this ingredient is in drugs.csv: delete it here")
        substances[row["ingredient"]] = Substance()
    called = {name: name for name in substances}
    for row in read_table(folder, "local_codes.csv", CODE_COLUMNS):
        row.one_of("verified", ("yes", "no"))
        _add_code(codes, row, (row.required("system"), row.required("code").upper()), _named(row, called))
    names, spelling = _load_names(folder, called, brands)
    products = _load_products(folder, called, spelling, codes)
    forms, routes = _load_forms(folder, snomed)
    return DrugTables(
        substances,
        names,
        spelling,
        products,
        codes,
        _load_ndc(folder, products),
        forms,
        routes,
        spellings_of((name for name in substances if _spelt(substances[name])), names.words() | routes.words()),
        load_short_names(folder, called),
        _companions(substances, [*names.meanings(), *products.values(), *codes.values()]),
    )


def _spelt(substance: Substance) -> bool:
    return bool(substance.first_line_class or substance.roles & SPELT_ROLES)


def _companions(substances: Mapping[str, Substance], drugs: list[NamedDrug]) -> frozenset[str]:
    """What stands beside an opioid in one of these products, and is no opioid."""
    opioid = {name for name, substance in substances.items() if "opioid" in substance.roles}
    held = [{part.name for part in drug.ingredients} for drug in drugs]
    return frozenset().union(*(names - opioid for names in held if names & opioid))


def _add_code(codes: dict[tuple[str, str], NamedDrug], row: Row, key: tuple[str, str], drug: NamedDrug) -> None:
    if key in codes:
        raise row.wrong(f"the {key[0]} code {key[1]} is listed already: a code stands for one drug")
    codes[key] = drug


def _named(row: Row, substances: Mapping[str, str], brand: str = "") -> NamedDrug:
    """The drug of a row with columns ingredients, release and route."""
    ingredients = tuple(_ingredient(part, row, substances) for part in row.parts("ingredients"))
    if not ingredients:
        raise row.wrong("fill column ingredients")
    return NamedDrug(
        ingredients,
        brand or None,
        row.one_of("release", RELEASES) or None,
        row.one_of("route", ROUTES) or None,
    )


def _ingredient(part: str, row: Row, substances: Mapping[str, str]) -> Ingredient:
    """``name`` or ``name amount unit``. ``substances``: the ingredient by each of its names."""
    if part in substances:
        return Ingredient(substances[part])
    name, amount, unit = (*part.rsplit(" ", 2), "", "")[:3]
    if name not in substances or unit not in UNITS:
        raise row.wrong(f"{part!r} is no ingredient of drugs.csv or other_ingredients.csv, with or without a strength")
    try:
        strength = Decimal(amount)
    except InvalidOperation:
        raise row.wrong(f"{amount!r} is no amount") from None
    return Ingredient(substances[name], strength, unit)


def _load_names(
    folder: Path, called: dict[str, str], brands: Mapping[str, list[str]]
) -> tuple[Phrases[NamedDrug], dict[str, str]]:
    """The phrases, and the spelling of brands. Adds other names of single ingredients to ``called``."""
    names: Phrases[NamedDrug] = Phrases()
    spelling: dict[str, str] = {}
    for name in called:
        names.add(name, NamedDrug((Ingredient(name),)))
    known = dict(called)
    for row in read_table(folder, "names.csv", ("name", "ingredients", "brand", "release", "route", "note")):
        named = _named(row, known, row["brand"])
        try:
            names.add(row["name"], named)
        except ValueError:
            raise row.wrong("the name holds no word or is listed already: delete it") from None
        if row["brand"]:
            spelling.setdefault(row["name"].lower(), row["brand"])
        elif len(named.ingredients) == 1:
            called.setdefault(row["name"], named.ingredients[0].name)
    for brand, ingredients in brands.items():
        if brand not in names:
            release = "ER" if brand.endswith((" ER", " XR", " SR", " CR")) else None
            names.add(brand, NamedDrug(tuple(map(Ingredient, ingredients)), brand, release))
            spelling[brand.lower()] = brand
    return names, spelling


def _load_products(
    folder: Path, called: Mapping[str, str], brands: Mapping[str, str], codes: Mapping[tuple[str, str], NamedDrug]
) -> dict[str, NamedDrug]:
    products: dict[str, NamedDrug] = {}
    for row in read_table(folder, "products_core.csv", PRODUCT_COLUMNS):
        code = row.required("rxcui")
        if code in products or (RXNORM, code) in codes:
            raise row.wrong("this code is listed already: a code stands for one drug")
        row.one_of("verified", ("yes", "no"))
        named = _named(row, called, brands.get(row["brand"].lower(), row["brand"]))
        products[code] = NamedDrug(named.ingredients, named.brand, named.release, named.route, row.required("form"))
    return products


def _load_ndc(folder: Path, products: Mapping[str, NamedDrug]) -> dict[str, NamedDrug]:
    found: dict[str, NamedDrug] = {}
    for row in read_table(folder, "ndc.csv", ("product", "rxcui", "verified", "source", "note")):
        row.one_of("verified", ("yes", "no"))
        codes = product_codes(row.required("product"))
        if len(codes) != 1 or codes[0] in found or row["rxcui"] not in products:
            raise row.wrong(
                "product is an NDC's labeller and product (5-4 digits), once; rxcui one of products_core.csv"
            )
        found[codes[0]] = products[row["rxcui"]]
    return found


def _load_forms(folder: Path, snomed: bool) -> tuple[Phrases[FormWords], Phrases[FormWords]]:
    forms: Phrases[FormWords] = Phrases()
    routes: Phrases[FormWords] = Phrases()
    for row in read_table(folder, "forms.csv", ("words", "form", "route", "sure", "release", "where", "note")):
        if row["words"].isdigit() and not snomed:  # a number is the code of a route
            continue
        words = FormWords(
            row["form"] or None,
            row.one_of("route", ROUTES) or None,
            row.one_of("release", RELEASES) or None,
            row.one_of("sure", ("yes", "no")) == "yes",
        )
        try:
            routes.add(row["words"], words)
            if row.one_of("where", ("any", "route")) == "any":
                forms.add(row["words"], words)
        except ValueError:
            raise row.wrong("the words are empty or listed already: delete them") from None
    return forms, routes
