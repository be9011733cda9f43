"""Classes of drugs that an allergy list names in place of a drug (``tables/allergen_classes.csv``)."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from cds.table_reading import TABLES_FOLDER, read_table

FILE = "allergen_classes.csv"
COLUMNS = ("phrase", "roles", "meanings", "source")
_NO_WORDS = re.compile(r"[^a-z0-9]+")
_LEADING = re.compile(r"^(?:allergy|allergic|hypersensitivity|intolerance|intolerant)(?: (?:to|of))? ")
_FILLERS = re.compile(r" (?:allergy|allergies|class|drugs?|medications?|medicines?|meds|agents?|products?|group)$")


class AllergenClass(Struct, frozen=True):
    """Roles of ``drugs.csv`` and meanings of ``conditions.csv`` that an allergy to this class has."""

    roles: frozenset[str]
    meanings: frozenset[str]


def load_allergen_classes(folder: Path = TABLES_FOLDER) -> Mapping[str, AllergenClass]:
    """The classes by their plain words. Raises ``KnowledgeError`` for a table that is wrong."""
    classes: dict[str, AllergenClass] = {}
    for row in read_table(folder, FILE, COLUMNS):
        phrase = row.required("phrase")
        row.required("source")
        if phrase != _plain(phrase):
            raise row.wrong("write the phrase in small letters, without signs and without words such as drugs")
        if phrase in classes:
            raise row.wrong("remove the second row of this phrase")
        if not row["roles"] and not row["meanings"]:
            raise row.wrong("fill column roles or meanings")
        classes[phrase] = AllergenClass(_parts(row["roles"]), _parts(row["meanings"]))
    return MappingProxyType(classes)


def allergen_class(words: str) -> AllergenClass | None:
    """The class that these words name, whole; None for anything else."""
    return _CLASSES.get(_plain(words))


def _parts(cell: str) -> frozenset[str]:
    return frozenset(filter(None, cell.split(";")))


def _plain(words: str) -> str:
    plain = _LEADING.sub("", _NO_WORDS.sub(" ", words.casefold()).strip())
    while (shorter := _FILLERS.sub("", plain)) != plain:
        plain = shorter
    return plain


_CLASSES = load_allergen_classes()
