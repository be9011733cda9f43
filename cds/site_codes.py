"""What a site knows of drug codes beyond the tables: its own codes, and a terminology release that it is licensed for.

Both are handed in by whoever starts the service; nothing is read here.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal

from msgspec import Struct

from cds.drug_names import read_manner
from cds.drug_tables import NDC, RXNORM, UNITS, DrugTables, Ingredient, NamedDrug
from cds.ndc_packages import eleven_digits
from cds.words import tokens_of

ANY_SYSTEM = ""
"""The system of a local code that holds wherever no public terminology is named."""
PRODUCTS = frozenset({"SCD", "SBD", "GPCK", "BPCK"})
_STEMS = re.compile(
    r"(?:fentanil|fentanyl|codone|codeine|orphine|orphone|orphan|orphanol|uphine|azocine|eridine|adol|adone|nitazene"
    r"|azepam|zolam|barbital)\b"
)
"""How names of opioids and sedatives end (stems of international nonproprietary names): such a one must be in the
tables to be known."""
PRODUCT, SUBSTANCE = 2, 1
"""How far a code is believed: that of a product with its strength outweighs that of an ingredient."""


class ReleasePart(Struct, frozen=True, array_like=True):
    """An ingredient as a release has it: its code and name, and the strength in units of the tables (``5``, ``MG``).

    ``watched``: it is of a class of opioids or sedatives, so that it must be in the tables to be known.
    """

    rxcui: int
    name: str
    amount: str = ""
    unit: str = ""
    watched: bool = False


class ReleaseDrug(Struct, frozen=True, array_like=True):
    """What a release says of one code. ``kind`` is its term type (``IN``, ``SCD``, ...); ``form`` its dose form."""

    kind: str
    parts: tuple[ReleasePart, ...]
    form: str = ""
    brand: str = ""


Release = Callable[[str, str], ReleaseDrug | None]
"""What a release says of a code of a system (``RxNorm``, ``NDC``)."""


class LocalCode(Struct, frozen=True):
    """What a site's own code stands for, and how far it is believed."""

    drug: NamedDrug
    belief: int


class SiteCodes:
    """The codes of one site. Frozen once made; equal only to itself, so that it can be a key."""

    def __init__(self, local: Mapping[tuple[str, str], LocalCode], release: Release | None = None) -> None:
        self._local = local
        self._release = release

    @property
    def count(self) -> int:
        """How many codes of its own the site has."""
        return len(self._local)

    def own(self, system: str, code: str) -> LocalCode | None:
        """The site's own code. ``code`` in capitals; ``system`` in small letters, or a name of the tables."""
        if system == NDC:
            known = {self._local.get((NDC, code)) for code in eleven_digits(code)} - {None}
            return known.pop() if len(known) == 1 else None
        found = self._local.get((system, code))
        return found if found or system in PUBLIC else self._local.get((ANY_SYSTEM, code))

    def released(self, system: str, code: str, tables: DrugTables) -> LocalCode | None:
        """What the release says, in the names of the tables; None where it says nothing that can be relied on."""
        drug = self._release(system, code) if self._release is not None and system in RELEASED else None
        if drug is None or not drug.parts:
            return None
        parts = [_in_tables(part, tables) for part in drug.parts]
        if None in parts:
            return None
        tokens = tokens_of(drug.form)
        manner = read_manner(tokens, tables.routes.find(tokens))
        known = tuple(part for part in parts if part is not None)
        named = NamedDrug(known, drug.brand or None, manner.release, manner.route, manner.form or drug.form or None)
        return LocalCode(named, PRODUCT if drug.kind in PRODUCTS else SUBSTANCE)


RELEASED = frozenset({RXNORM, NDC})
PUBLIC = frozenset({RXNORM, NDC, "ATC", "SNOMED CT"})


def _in_tables(part: ReleasePart, tables: DrugTables) -> Ingredient | None:
    """The ingredient by its name here. One that the tables lack has no role; None where that cannot be believed."""
    named = tables.names.meaning(part.name) if part.name in tables.names else None
    if named is None or len(named.ingredients) > 1:
        named = tables.codes.get((RXNORM, str(part.rxcui)))
    if named is None and (part.watched or _STEMS.search(part.name.lower())):
        return None
    name = named.ingredients[0].name if named is not None else part.name.lower()
    return Ingredient(name, Decimal(part.amount), part.unit) if part.unit in UNITS else Ingredient(name)
