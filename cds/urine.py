"""Urine drug tests: which drug a result is about, whether it was found, and whether that was to be expected."""

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct

from cds.answer_words import AnswerWords
from cds.case import Case, when
from cds.chart import MedicationOrder, Observation
from cds.dose import daily_dose
from cds.drugs import ingredient_drug
from cds.exposure import counts, span
from cds.spans import Span
from cds.table_reading import TABLES_FOLDER, Row, read_table
from cds.words import Phrases, tokens_of

FILE = "urine_analytes.csv"
COLUMNS = ("analyte", "codes", "phrases", "explained_by", "shows", "note")
WORDS = AnswerWords(alone=(("no", "n;normal"),))


class Analyte(Struct, frozen=True):
    """A drug or group of drugs that a test tells. ``explained_by``: prescribed drugs that make it positive;
    ``shows``: those that it must show when they are taken on schedule."""

    name: str
    explained_by: frozenset[str]
    shows: frozenset[str]


class Analytes(Struct, frozen=True):
    """The table, by LOINC code and by phrase."""

    by_code: Mapping[str, Analyte]
    phrases: Phrases[Analyte]


class Margins(Struct, frozen=True):
    """How many days before the test a drug that ended still explains it, and for how many days before it one must have
    been taken to be missed."""

    explained_days: int
    missed_days: int


class Unexpected(Struct, frozen=True):
    """Unexpected results as a card names them, and what was not known (``notAssessed`` entries)."""

    named: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


NOTHING_TESTED = Unexpected()


def load_analytes(folder: Path = TABLES_FOLDER) -> Analytes:
    """Reads the table. Raises ``KnowledgeError``."""
    by_code: dict[str, Analyte] = {}
    phrases: Phrases[Analyte] = Phrases()
    for row in read_table(folder, FILE, COLUMNS):
        analyte = Analyte(row.required("analyte"), _drugs(row, "explained_by"), _drugs(row, "shows"))
        for code in row.parts("codes"):
            if code in by_code:
                raise row.wrong("this code is listed already: delete one")
            by_code[code] = analyte
        for phrase in row.parts("phrases"):
            try:
                phrases.add(phrase, analyte)
            except ValueError:
                raise row.wrong("the phrase holds no word or is listed already: delete it") from None
    return Analytes(by_code, phrases)


def _drugs(row: Row, column: str) -> frozenset[str]:
    for name in row.parts(column):
        try:
            ingredient_drug(name)
        except KeyError:
            raise row.wrong(f"{name!r} is no ingredient of drugs.csv") from None
    return frozenset(row.parts(column))


_ANALYTES = load_analytes()


def analyte_of(result: Observation) -> Analyte | None:
    """What a result is about; None where neither its code nor its name tells."""
    coded = _ANALYTES.by_code.get(result.code or "")
    if coded is not None:
        return coded
    found = _ANALYTES.phrases.find(tokens_of(result.name))
    return found[0].meaning if found else None


def is_tested(result: Observation) -> bool:
    """Whether the laboratory answered, for all that is known: no "test not performed", "quantity not sufficient"."""
    return result.value is not None or result.text is None or WORDS.read(result.text) != "not asked"


def is_positive(result: Observation) -> bool | None:
    """Whether the drug was found; None where there is no result or none that is understood."""
    answer = None if result.text is None else WORDS.read(result.text)
    if answer in ("yes", "no"):
        return answer == "yes"
    if answer == "unclear":
        return None
    signs = {"<", ">"}.intersection(tokens_of(result.text or ""))
    if len(signs) == 1:
        return signs == {">"}
    return None if result.value is None else result.value > 0


def unexpected_results(case: Case, within_days: int, margins: Margins) -> Unexpected:
    """Of the latest result of each drug in so many days, those that what was prescribed does not explain, and those
    that miss a drug taken on schedule."""
    if "uds" not in case.observed:
        return NOTHING_TESTED
    named, missing = [], []
    for analyte, day, result in _latest(case, within_days):
        found = is_positive(result)
        if analyte is None:
            missing += [f"urine drug test of {day}: drug not told"] if found else []
        elif found is None:
            missing.append(f"urine drug test of {day}: result not understood")
        elif found and not _explained(case, analyte, day, margins.explained_days):
            if analyte.explained_by and not case.medications_known:
                missing.append(case.missing("medications"))
            else:
                named.append(f"{analyte.name} found on {day}")
        elif not found:
            named += [f"{drug} not found on {day}" for drug in _missed(case, analyte, day, margins.missed_days)]
    return Unexpected(tuple(named), tuple(dict.fromkeys(missing)))


def _latest(case: Case, within_days: int) -> list[tuple[Analyte | None, date, Observation]]:
    """The latest result of each drug, and every one that does not say which drug it is about."""
    latest: dict[str, tuple[Analyte | None, date, Observation]] = {}
    first = case.today - timedelta(days=within_days)
    backwards = case.observed["uds"][::-1]  # of one moment, the first result counts
    for result in sorted(backwards, key=when):
        if result.taken is not None and first <= result.taken and is_tested(result):
            analyte = analyte_of(result)
            latest[result.ref if analyte is None else analyte.name] = analyte, result.taken, result
    return [latest[name] for name in sorted(latest)]


def _explained(case: Case, analyte: Analyte, day: date, margin_days: int) -> bool:
    """Whether a prescribed drug that ran on the day of the test, or ended so many days before at most, explains it."""
    return any(
        days.start <= day <= days.last
        or (not days.end_known and days.start <= day)
        or 0 <= (day - days.last).days <= margin_days
        for drug in analyte.explained_by
        for _, days in _spans(case, drug)
    )


def _missed(case: Case, analyte: Analyte, day: date, least_days: int) -> list[str]:
    """The drugs that the test must show and did not: taken on schedule on the day of the test and for days before."""
    return [
        drug
        for drug in sorted(analyte.shows)
        if any(
            days.start <= day <= days.last
            and (day - days.start).days >= least_days
            and (daily_dose(order, drug).scheduled or 0) > 0
            for order, days in _spans(case, drug)
        )
    ]


def _spans(case: Case, drug: str) -> list[tuple[MedicationOrder, Span]]:
    spans = ((order, span(order, case.today)) for order in case.records_of(drug) if counts(order))
    return [(order, days) for order, days in spans if days is not None]
