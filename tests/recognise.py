"""Measures recognition on a CSV of names and codes (`make recognise FILE=… [BY=display|code]`).

Columns ``system,code,display,ingredients,form,release``; others are ignored. ``ingredients`` is the expected answer:
sorted, ``;`` between, each ``name amount unit`` without the salt, without amount where the name has none. ``release``
is IR, ER, DR, TD or empty where the name does not say. ``form`` is only held against the route that is read.
"""

import csv
import sys
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from cds.drug_tables import load_drugs
from cds.drugs import Drug, recognise
from cds.terminology import Coding, Concept
from cds.words import tokens_of

COLUMNS = ("system", "code", "display", "ingredients", "form", "release")
WAYS = ("", "display", "code")
FACTORS = {"MCG": Decimal("0.001"), "UG": Decimal("0.001"), "G": Decimal(1000), "GM": Decimal(1000), "MG": Decimal(1)}
ROUNDING = Decimal("0.005")
"""Two amounts are the same when they differ by at most this part: 7.5 mg in 15 mL is printed as 0.5, 10 as 0.667."""
_TABLES = load_drugs()


class MeasureError(Exception):
    """The file cannot be measured; the message says why."""


class Judged(NamedTuple):
    """One row: "right", "wrong" or "unrecognised", with what to print where it is not right."""

    verdict: str
    line: str = ""


class Counts(NamedTuple):
    """How many rows were right, wrong and unrecognised."""

    right: int
    wrong: int
    unrecognised: int

    def __str__(self) -> str:
        return f"right {self.right}, wrong {self.wrong}, unrecognised {self.unrecognised} of {sum(self)}"


Part = tuple[str, Decimal | None, str]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of the file. Raises ``MeasureError`` for one that is no such table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise MeasureError(f"{path.name}: no column {', '.join(missing)}")
            return [{column: (row[column] or "").strip() for column in COLUMNS} for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MeasureError(f"{path.name}: cannot be read as CSV in UTF-8") from error


def judged(row: dict[str, str], by: str, number: int) -> Judged:
    """What recognition makes of one row, beside what is expected."""
    coding = Coding(row["system"] or None, row["code"] or None)
    codings = (coding,) if by != "display" and row["code"] else ()
    drug = recognise(Concept(codings, row["display"] if by != "code" else None))
    name = row["display"] or row["code"]
    expected = expected_parts(row["ingredients"], number)
    if drug is None:
        return Judged("unrecognised", f"unrecognised, line {number}: {name}") if expected else Judged("right")
    found = found_parts(drug)
    if not _same(found, expected):
        return Judged("wrong", f"wrong, line {number}: {name}: {shown(found)}, not {shown(expected)}")
    if not _release_agrees(drug, row["release"].upper()):
        said = row["release"] or "not said"
        return Judged("wrong", f"wrong, line {number}: {name}: release {drug.release or 'not said'}, not {said}")
    route = _route_of(row["form"])
    if drug.route and route and route not in (drug.route, "topical" if drug.route == "transdermal" else route):
        return Judged("wrong", f"wrong, line {number}: {name}: route {drug.route}, not that of {row['form']}")
    return Judged("right")


def expected_parts(text: str, number: int) -> list[Part]:
    """The expected ingredients. Raises ``MeasureError`` for an amount that is none."""
    return sorted(
        (_expected_part(part.strip(), number) for part in text.split(";") if part.strip()), key=lambda part: part[0]
    )


def _expected_part(text: str, number: int) -> Part:
    words = text.split(" ")
    amount, unit = (words[-2], words[-1].upper()) if len(words) > 2 else ("", "")
    mass, _, per = unit.partition("/")
    if unit == "%" or mass in FACTORS:
        try:
            value = Decimal(amount)
        except InvalidOperation:
            raise MeasureError(f"line {number}: {amount!r} is no amount of an ingredient") from None
        name = _called(" ".join(words[:-2]))
        if unit == "%":
            return name, value / 100, "MG/MG"
        return name, value * FACTORS[mass], f"MG/{per.replace('HOUR', 'HR')}" if per else "MG"
    return _called(text), None, ""


def _called(name: str) -> str:
    """The name of the tables for an ingredient."""
    matches = _TABLES.names.find(tokens_of(name))
    if len(matches) == 1 and len(matches[0].meaning.ingredients) == 1:
        return matches[0].meaning.ingredients[0].name
    return name.lower()


def found_parts(drug: Drug) -> list[Part]:
    return sorted(((part.name, part.amount, part.unit or "") for part in drug.ingredients), key=lambda part: part[0])


def shown(parts: list[Part]) -> str:
    return ";".join(name if amount is None else f"{name} {amount.normalize():f} {unit}" for name, amount, unit in parts)


def _same(found: list[Part], expected: list[Part]) -> bool:
    return len(found) == len(expected) and all(map(_same_part, found, expected))


def _same_part(found: Part, expected: Part) -> bool:
    if found[0] != expected[0] or found[2] != expected[2]:
        return False
    if found[1] is None or expected[1] is None:
        return found[1] is expected[1]
    return abs(found[1] - expected[1]) <= ROUNDING * expected[1]


def _release_agrees(drug: Drug, expected: str) -> bool:
    """A name that does not say may still be read as immediate release, or as what its brand always is."""
    found = drug.release or ""
    return found == expected or (not expected and (found == "IR" or drug.brand is not None or found == "TD"))


def _route_of(form: str) -> str | None:
    found = _TABLES.forms.find(tokens_of(form))
    sure = [match.meaning.route for match in found if match.meaning.sure and match.meaning.route]
    return sure[0] if sure else None


def measured(path: Path, by: str = "") -> tuple[Counts, list[str]]:
    """The counts over a file, and a line for every row that is not right."""
    verdicts = list(_judged_rows(path, by))
    lines = [each.line for each in verdicts if each.line]
    kinds = [each.verdict for each in verdicts]
    return Counts(kinds.count("right"), kinds.count("wrong"), kinds.count("unrecognised")), lines


def _judged_rows(path: Path, by: str) -> Iterator[Judged]:
    for number, row in enumerate(rows_of(path), start=2):
        yield judged(row, by, number)


def main(arguments: list[str]) -> int:
    """``FILE [BY]``. Returns 0 where all could be measured, whatever the counts; 2 where it could not."""
    path, by = (*arguments, "", "")[:2]
    try:
        if not path or by not in WAYS:
            raise MeasureError("use: make recognise FILE=names.csv [BY=display|code]")
        counts, lines = measured(Path(path), by)
    except MeasureError as error:
        print(f"recognise: {error}", file=sys.stderr)
        return 2
    for line in lines:
        print(line)
    print(counts)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
