"""Reads the rows of a site's own drug codes, and tells everything that is wrong with them.

A code that is read wrongly makes an opioid invisible: a row that cannot be understood is refused, never guessed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from msgspec import Struct

from cds.drug_choice import ROUNDING
from cds.drug_names import read_manner, read_name
from cds.drug_tables import NDC, RELEASES, ROUTES, UNITS, DrugTables, Ingredient, NamedDrug
from cds.drugs import SYSTEMS
from cds.ndc_packages import eleven_digits
from cds.site_codes import ANY_SYSTEM, PRODUCT, PUBLIC, SUBSTANCE, LocalCode
from cds.words import tokens_of

REQUIRED = ("local_code", "display", "ingredient", "strength")
OPTIONAL = ("form", "route", "release", "system", "brand", "note")
OTHER = "other:"
"""Before the name of an ingredient that the tables lack: the site says that it is none of theirs."""
PER_MG = {"MG": "1", "MCG": "0.001", "UG": "0.001", "G": "1000", "GM": "1000"}
_STRENGTH = re.compile(
    r"(\d{1,9}(?:\.\d{1,9})?)\s*([A-Z]+)(?:\s*/\s*(?:(\d{1,5}(?:\.\d{1,5})?)\s*)?([A-Z]+))?", re.ASCII
)
_PER = {"ML": "ML", "HR": "HR", "H": "HR", "HOUR": "HR", "MG": "MG", "G": "MG", "ACTUAT": "ACTUAT", "SPRAY": "ACTUAT"}
_LONGEST = 200


class LocalRow(Struct, frozen=True):
    """One line of the file: its number and its cells by column."""

    line: int
    cells: Mapping[str, str]


class WrongCell(Struct, frozen=True, order=True):
    """What is wrong: the line, the column (empty: the line itself), and what to write."""

    line: int
    column: str
    remedy: str


Codes = dict[tuple[str, str], LocalCode]


def read_local_codes(rows: Iterable[LocalRow], tables: DrugTables) -> tuple[Codes, tuple[WrongCell, ...]]:
    """The codes that the rows tell, and everything that is wrong."""
    codes: Codes = {}
    wrong: list[WrongCell] = []
    lines: dict[tuple[str, str], int] = {}
    for row in rows:
        reader = _Row(row, tables)
        keys, read = reader.keys(), reader.read()
        for key in keys:
            if key in lines:
                reader.refuse("local_code", f"is on line {lines[key]} already: a code stands for one drug")
            lines.setdefault(key, row.line)
        wrong += reader.wrong
        if read is not None and not reader.wrong:
            codes.update(dict.fromkeys(keys, read))
    return codes, tuple(wrong)


class _Row:
    """Reads one row and keeps what is wrong with it."""

    def __init__(self, row: LocalRow, tables: DrugTables) -> None:
        self.line, self.tables = row.line, tables
        self.cells = {column: row.cells.get(column, "").strip() for column in (*REQUIRED, *OPTIONAL)}
        self.wrong: list[WrongCell] = []
        for column in ("local_code", "display", "ingredient"):
            if not self.cells[column]:
                self.refuse(column, "is empty: fill it")
        for column, cell in self.cells.items():
            if len(cell) > _LONGEST or not cell.isprintable():
                self.refuse(column, f"write at most {_LONGEST} printable characters")

    def refuse(self, column: str, remedy: str) -> None:
        self.wrong.append(WrongCell(self.line, column, remedy))

    def keys(self) -> list[tuple[str, str]]:
        """Under which system and code an order may send it."""
        written = self.cells["system"].lower().rstrip("/")
        system, code = SYSTEMS.get(written, written) or ANY_SYSTEM, self.cells["local_code"].upper()
        if system == NDC:
            found = eleven_digits(code)
            if len(found) != 1:
                self.refuse("local_code", "write an NDC with its hyphens (5-4-2), or with eleven digits")
            return [(NDC, number) for number in found[:1]]
        if system in PUBLIC and ((system, code) in self.tables.codes or code in self.tables.products):
            self.refuse("system", f"the tables have this {system} code already: delete the line")
        return [(system, code)]

    def read(self) -> LocalCode | None:
        named = [part.strip() for part in self.cells["ingredient"].split(";") if part.strip()]
        names = [name for part in named if (name := self._ingredient(part)) is not None]
        strengths = self._strengths(len(named))
        if self.wrong or not names:
            if not named and self.cells["ingredient"]:
                self.refuse("ingredient", "holds no name: write one")
            return None
        ingredients = tuple(
            Ingredient(name, *strength) if strength is not None else Ingredient(name)
            for name, strength in zip(names, strengths, strict=True)
        )
        self._compare(ingredients)
        drug = self._with_manner(ingredients)
        return LocalCode(drug, PRODUCT if any(strengths) else SUBSTANCE)

    def _ingredient(self, part: str) -> str | None:
        if part.lower().startswith(OTHER):
            return self._other(part[len(OTHER) :].strip().lower())
        found = self.tables.names.meaning(part) if part in self.tables.names else None
        if found is not None and len(found.ingredients) == 1:
            return found.ingredients[0].name
        self.refuse(
            "ingredient",
            "is no single ingredient that Firstline knows: correct its spelling, separate several with a semicolon,"
            f" or write '{OTHER} NAME' where it is neither an opioid nor any other drug that the rules speak of",
        )
        return None

    def _other(self, name: str) -> str | None:
        words = tokens_of(name)
        if not any(word.isalpha() for word in words):
            self.refuse("ingredient", f"write a name after '{OTHER}'")
        elif read_name(name, self.tables) is not None or any(word in self.tables.spellings for word in words):
            self.refuse("ingredient", f"Firstline knows this ingredient: write its name without '{OTHER}'")
        else:
            return name
        return None

    def _strengths(self, count: int) -> list[tuple[Decimal, str] | None]:
        cell = self.cells["strength"]
        parts = [part.strip() for part in cell.split(";")] if cell else [""] * count
        if len(parts) != count:
            self.refuse("strength", "write one strength for each ingredient, separated by semicolons, or none at all")
            return []
        return [self._strength(part) if part else None for part in parts]

    def _strength(self, part: str) -> tuple[Decimal, str] | None:
        read = _strength_of(part.replace("µ", "u").replace("μ", "u").upper())
        if read is None:
            self.refuse("strength", "write an amount with its unit, as 5 MG, 10 MG/5 ML, 25 MCG/HR or 50 MG/G")
        return read

    def _with_manner(self, ingredients: tuple[Ingredient, ...]) -> NamedDrug:
        cells = self.cells
        tokens = tokens_of(cells["form"])
        manner = read_manner(tokens, self.tables.routes.find(tokens))
        if cells["form"] and not (manner.form or manner.route or manner.release):
            self.refuse("form", "is no form that Firstline knows: write it out, as Extended Release Oral Tablet")
        release, route = cells["release"].upper(), cells["route"].lower()
        if release not in RELEASES:
            self.refuse("release", f"write one of {', '.join(filter(None, RELEASES))}, or nothing")
        if route not in ROUTES:
            self.refuse("route", f"write one of {', '.join(filter(None, ROUTES))}, or nothing")
        return NamedDrug(
            ingredients, cells["brand"] or None, release or manner.release, route or manner.route, manner.form
        )

    def _compare(self, ingredients: tuple[Ingredient, ...]) -> None:
        """What the display says of drugs with a role must be what the columns say, which are believed ever after."""
        said = read_name(self.cells["display"], self.tables)
        if said is None or said.guessed:
            return
        own = {part.name: part for part in ingredients}
        for part in said.ingredients:
            if not self._has_role(part.name):
                continue
            if part.name not in own:
                self.refuse("ingredient", f"the display says {part.name}: correct one of them")
            elif _differ(part, own[part.name]):
                self.refuse("strength", "the display says another strength: correct one of them")

    def _has_role(self, name: str) -> bool:
        return name in self.tables.substances and bool(self.tables.substances[name].roles)


def _differ(one: Ingredient, other: Ingredient) -> bool:
    """By more than the digits that a name leaves out."""
    if one.amount is None or other.amount is None or one.unit != other.unit:
        return False
    return abs(one.amount - other.amount) > ROUNDING * max(one.amount, other.amount)


def _strength_of(text: str) -> tuple[Decimal, str] | None:
    """The strength in units of the tables; None where it is not understood."""
    found = _STRENGTH.fullmatch(text)
    if found is None or found[2] not in PER_MG:
        return None
    amount, unit = Decimal(found[1]) * Decimal(PER_MG[found[2]]), "MG"
    if found[4] is not None:
        below = Decimal(found[3] or 1) * (1000 if found[4] == "G" else 1)
        if found[4] not in _PER or not below:
            return None
        amount, unit = amount / below, f"MG/{_PER[found[4]]}"
    return (amount.normalize(), unit) if amount and unit in UNITS else None


def lines_of(wrong: Iterable[WrongCell]) -> Iterator[str]:
    """Each as ``line 7: strength: write …``, in the order of the lines."""
    for each in sorted(wrong):
        yield f"line {each.line}: {each.column}: {each.remedy}" if each.column else f"line {each.line}: {each.remedy}"
