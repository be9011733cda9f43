"""Reads a drug's name: ingredients, strengths, form, route and release. RxNorm's names and those of hospitals.

Whole words only: ``ipratropium`` holds no opium. A name that holds none of the listed names is not read.
"""

import re
from decimal import Decimal

from msgspec import Struct

from cds.drug_spelling import written_out
from cds.drug_tables import DrugTables, FormWords, Ingredient, NamedDrug
from cds.strengths import MASSES, PERCENT, UNSAID, UNSAID_PER_ML, VOLUMES, Strength, assigned, chains_in, plain_amount
from cds.words import Match, tokens_of

NO_DRUG = re.compile(
    r"\b(?:test strips?|test kit|(?:drug|urine) (?:screen|screening|test)|(?:allergy|skin) tests?"
    r"|(?:serum|plasma|blood|urine|trough|drug) levels?)\b"
)
"""Words of a test that a drug's name stands in."""
SKIN_INGREDIENTS = frozenset({"lidocaine", "capsaicin"})
PATCH_INGREDIENTS = frozenset({"fentanyl", "buprenorphine"})
DAILY_PATCHES = frozenset({"clonidine", "selegiline"})
HIGHEST_HOURLY_MG = Decimal("0.1")
"""The strongest patch gives 100 mcg an hour: a larger amount is the content, which tells no rate."""
IN_MICROGRAMS = frozenset(
    {"fentanyl", "sufentanil", "remifentanil", "alfentanil", "buprenorphine", "clonidine", "dexmedetomidine"}
)
"""Told in micrograms as often as in milligrams: a number alone may be either."""
SOLD_RATES = {
    "fentanyl": frozenset(map(Decimal, ("12", "12.5", "25", "37.5", "50", "62.5", "75", "87.5", "100"))),
    "buprenorphine": frozenset(map(Decimal, ("5", "7.5", "10", "15", "20", "25", "30", "35", "40", "52.5", "70"))),
}
"""Micrograms an hour of the patches that are sold: ``Duragesic-100``, ``fentanyl patch 75``."""
CODEINE_COMBINATION = {"acetaminophen", "codeine"}
NUMBER_SIGNS = frozenset({"#", "no", "nr", "num", "number"})
FREQUENCY_WORDS = frozenset({"q", "every", "/", "each", "per", "within", "for", "x"})
PATCH_WORDS = frozenset({"patch", "tts", "td", "transdermal", "ptch", "pt", "film"})
PATCH_FORMS = frozenset({"Patch", "Transdermal System", "Transdermal Patch", "Medicated Patch"})
MOST_NAMES = 12
"""Ingredients. A text that names more is a list of drugs, of which no strength is read."""
JOINING = frozenset({"-", "/", "+", "&"})
HARMLESS = MASSES.keys() | VOLUMES.keys() | frozenset({
    "hcl", "hbr", "sulfate", "citrate", "maleate", "sodium", "extra", "strength", "free", "sugar", "drop", "hour",
    "dose", "unit", "pack", "children", "infant", "adult", "regular",
})  # fmt: skip
SWALLOWED = ("Oral Tablet", "Oral Capsule")
DILUENTS = frozenset({"sodium chloride", "dextrose"})
TOPICAL_ROUTES = frozenset({"topical", "transdermal"})


class Manner(Struct, frozen=True):
    """Form, route and release as some words tell them. ``sure``: the route outweighs the order's own."""

    form: str | None = None
    route: str | None = None
    release: str | None = None
    sure: bool = False


class DrugReading(Struct, frozen=True):
    """A drug as a code or a name tells it, before the order's own form and route are taken in."""

    ingredients: tuple[Ingredient, ...]
    manner: Manner
    brand: str | None = None
    brand_route: str | None = None
    brand_release: str | None = None
    guessed: bool = False
    """Whether a cut or misspelt word had to be written out."""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(part.name for part in self.ingredients)


def read_name(text: str, tables: DrugTables) -> DrugReading | None:
    """What a name says, or None where it holds no listed name.

    A test for a drug is none, unless a mass is named beside it. None as well where it holds only what is sold beside
    opioids, joined to a word that is not known (``ACETAMINOPHEN-XYZ``): the other half may be an opioid.
    """
    tokens = tokens_of(text)
    if NO_DRUG.search(" ".join(tokens)) and MASSES.keys().isdisjoint(tokens):
        return None
    matches, taken = _matches(tokens, tables)
    plain = _names(matches)
    tokens = written_out(tokens, taken, plain, tables.spellings, tables.short_names)
    matches, taken = _matches(tokens, tables)
    if not matches:
        return None
    forms = [match for match in tables.forms.find(tokens) if not taken[match.start]]
    if _names(matches) <= tables.companions and _joined_to_unknown(tokens, taken, forms):
        return None
    manner = read_manner(tokens, forms)
    brands = [match.meaning for match in matches if match.meaning.brand]
    ingredients = _with_strengths(tokens, taken, matches, manner, tables)
    if manner.release == "TD" or any(named.release == "TD" for named in brands):
        ingredients = tuple(_at_the_rate_named(part, tokens) for part in ingredients)
    return DrugReading(
        ingredients,
        manner,
        next((named.brand for named in brands), None),
        next((named.route for named in brands if named.route), None),
        next((named.release for named in brands if named.release), None),
        guessed=_names(matches) != plain,
    )


def _matches(tokens: tuple[str, ...], tables: DrugTables) -> tuple[list[Match[NamedDrug]], list[bool]]:
    """The names among the tokens, and which tokens they take."""
    matches = tables.names.find(tokens)
    taken = [False] * len(tokens)
    for match in matches:
        taken[match.start : match.stop] = [True] * (match.stop - match.start)
    return matches, taken


def _names(matches: list[Match[NamedDrug]]) -> frozenset[str]:
    return frozenset(part.name for match in matches for part in match.meaning.ingredients)


def _joined_to_unknown(tokens: tuple[str, ...], taken: list[bool], forms: list[Match[FormWords]]) -> bool:
    """Whether a sign joins a name to a word that means nothing here."""
    known = taken.copy()
    for match in forms:
        known[match.start : match.stop] = [True] * (match.stop - match.start)
    for at, token in enumerate(tokens):
        if token in JOINING and 0 < at < len(tokens) - 1:
            for name, other in ((at - 1, at + 1), (at + 1, at - 1)):
                word = tokens[other]
                if taken[name] and not known[other] and word.isalpha() and word not in HARMLESS and len(word) > 2:
                    return True
    return False


def read_manner(tokens: tuple[str, ...], words: list[Match[FormWords]]) -> Manner:
    """Form, route and release among these words. What is sure of its route outweighs what is not."""
    said = [
        match
        for match in words
        if not (match.meaning.release and match.start and tokens[match.start - 1] in FREQUENCY_WORDS)
    ]
    formed = [match.meaning for match in said if match.meaning.form]
    if any(each.form and each.form.endswith(SWALLOWED) for each in formed):  # "diclofenac gel + oxycodone tab"
        said = [match for match in said if match.meaning.route != "topical"]
        formed = [each for each in formed if each.route != "topical"]
    form = next((each for each in formed if each.sure), formed[0] if formed else None)
    routed = [match.meaning for match in said if match.meaning.route]
    route = next((each for each in routed if each.sure), routed[0] if routed else None)
    releases = [match.meaning.release for match in said]
    return Manner(
        form.form if form else None,
        route.route if route else None,
        next((release for release in ("TD", "DR", "ER", "IR") if release in releases), None),
        route.sure if route else False,
    )


def _with_strengths(
    tokens: tuple[str, ...], taken: list[bool], matches: list[Match[NamedDrug]], manner: Manner, tables: DrugTables
) -> tuple[Ingredient, ...]:
    mentions: dict[str, int] = {}
    fixed: dict[str, Ingredient] = {}
    for match in matches:
        for part in match.meaning.ingredients:
            mentions.setdefault(part.name, match.start)
            if part.amount is not None:
                fixed[part.name] = part
    chains = chains_in(tokens, taken)
    if not DILUENTS.issuperset(mentions) and not any(len(chain.strengths) == len(mentions) for chain in chains):
        mentions = {name: start for name, start in mentions.items() if name not in DILUENTS}
    if not chains and mentions.keys() == CODEINE_COMBINATION and (numbered := _numbered(tokens, tables)) is not None:
        fixed = {part.name: part for part in numbered.ingredients}
    names = tuple(mentions)
    if fixed or len(names) > MOST_NAMES:
        return tuple(fixed.get(name, Ingredient(name)) for name in names)
    places = [(start, which) for which, start in enumerate(mentions.values())]
    if len(names) == 1 and tokens[0] == "{" and len({chain.strengths for chain in chains}) > 1:
        return (Ingredient(names[0]),)  # a pack of several strengths
    strengths = assigned(chains, places, names)
    found = (ingredient_of(name, strength, manner) for name, strength in zip(names, strengths, strict=True))
    return tuple(part for part in found if part.name not in DILUENTS or DILUENTS.issuperset(names))


def _at_the_rate_named(part: Ingredient, tokens: tuple[str, ...]) -> Ingredient:
    """A patch whose only number is a rate that is sold, and stands without a unit."""
    places = [at for at, token in enumerate(tokens) if token[-1].isdigit()]
    if part.amount is not None or part.name not in SOLD_RATES or len(places) != 1:
        return part
    number, after = tokens[places[0]], tokens[places[0] + 1 : places[0] + 2]
    if not number.isascii() or (after and after[0].isalpha() and after[0] not in PATCH_WORDS):
        return part
    rate = Decimal(number)
    return Ingredient(part.name, plain_amount(rate / 1000), "MG/HR") if rate in SOLD_RATES[part.name] else part


def _numbered(tokens: tuple[str, ...], tables: DrugTables) -> NamedDrug | None:
    """Codeine with acetaminophen by its number (``# 3``), as the tables list the brand's."""
    for at, token in enumerate(tokens):
        if token in NUMBER_SIGNS:
            number = next((each for each in tokens[at + 1 : at + 3] if each != "."), "").lstrip(".")
            if number in ("1", "2", "3", "4"):
                return tables.names.meaning(f"Tylenol # {number}")
    return None


def ingredient_of(name: str, strength: Strength | None, manner: Manner) -> Ingredient:
    """The ingredient with its strength in MG-based units: a percentage is per millilitre of what is injected, per
    milligram of what is put on the skin."""
    if strength is None:
        return Ingredient(name)
    if strength.unit in (UNSAID, UNSAID_PER_ML):
        unit = "MG" if strength.unit == UNSAID else "MG/ML"
        return Ingredient(name) if name in IN_MICROGRAMS else Ingredient(name, strength.amount, unit)
    if strength.hours is not None and manner.release == "TD":
        return Ingredient(name, plain_amount(strength.amount / strength.hours), "MG/HR")
    if strength.unit == PERCENT:
        if manner.route == "injection":
            return Ingredient(name, plain_amount(strength.amount * 10), "MG/ML")
        return Ingredient(name, strength.amount / 100, "MG/MG")
    return Ingredient(name, strength.amount, strength.unit)


def worn(ingredient: Ingredient) -> Ingredient:
    """A patch of fentanyl or buprenorphine whose rate is written without "an hour" (``25 MCG``)."""
    if ingredient.name not in PATCH_INGREDIENTS or ingredient.unit != "MG" or ingredient.amount is None:
        return ingredient
    if ingredient.amount <= HIGHEST_HOURLY_MG:
        return Ingredient(ingredient.name, ingredient.amount, "MG/HR")
    return Ingredient(ingredient.name)


def worn_for_a_day(ingredient: Ingredient) -> Ingredient:
    """A patch whose strength is what it gives in 24 hours (``clonidine 0.1 mg patch``)."""
    if ingredient.name not in DAILY_PATCHES or ingredient.unit != "MG" or ingredient.amount is None:
        return ingredient
    return Ingredient(ingredient.name, plain_amount(ingredient.amount / 24), "MG/HR")


def settled(reading: DrugReading, order: Manner) -> tuple[tuple[Ingredient, ...], Manner]:
    """The reading with what the order says of form and route: a sure route, the order's, the brand's, a likely one."""
    manner = reading.manner
    form = manner.form or order.form
    sure_route = manner.route if manner.sure else None
    route = sure_route or order.route or reading.brand_route or manner.route
    ingredients = reading.ingredients
    if reading.names & PATCH_INGREDIENTS:
        rate = any(part.unit == "MG/HR" for part in ingredients)
        if order.route in TOPICAL_ROUTES or route == "topical" or (route is None and rate):
            route = "transdermal"
        if route == "transdermal":
            ingredients = tuple(map(worn, ingredients))
            form = form if form in PATCH_FORMS else "Transdermal System"
    elif reading.names & DAILY_PATCHES and (route == "transdermal" or form in PATCH_FORMS):
        ingredients = tuple(map(worn_for_a_day, ingredients))
    elif reading.names & SKIN_INGREDIENTS and (
        form in PATCH_FORMS or route == "transdermal" or (form == "Film" and route in ("topical", None))
    ):
        route, form = "topical", form if form in PATCH_FORMS else "Patch"
    release = "TD" if route == "transdermal" or form in PATCH_FORMS else _release(reading, order, form)
    return ingredients, Manner(form, route, release)


def _release(reading: DrugReading, order: Manner, form: str | None) -> str | None:
    """What the words say, else the form of the order, else the brand; a form that says nothing is immediate release."""
    said = (reading.manner.release, order.release, reading.brand_release)
    plain = "IR" if form is not None and form != "Infusion" else None
    return next((release for release in said if release and release != "TD"), plain)
