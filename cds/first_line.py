"""The first-line agents of neuropathic pain: class, doses, therapeutic minimum by kidney function (CLINICAL.md 4)."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from cds.knowledge import RULES_FOLDER, KnowledgeError

FILE = "first_line.toml"
SYSTEMIC_CLASSES = ("gabapentinoid", "snri", "tca")
"""The classes that a combination may be made of, in the order in which cards name them."""
CLASSES = (*SYSTEMIC_CLASSES, "topical", "sodium_channel_blocker")
CLASS_NAMES = MappingProxyType(
    {
        "gabapentinoid": "gabapentinoid",
        "snri": "SNRI",
        "tca": "tricyclic",
        "topical": "topical agent",
        "sodium_channel_blocker": "sodium-channel blocker",
    }
)
"""How a card names a class."""

NUMBERS = frozenset(
    {
        "start_mg", "low_start_mg", "minimum_mg_per_day", "maximum_mg_per_day", "elderly_maximum_mg_per_day",
        "diabetic_neuropathy_maximum_mg_per_day", "avoid_below_ml_per_min", "maximum_patches_count", "interval_days",
    }
)  # fmt: skip
KIDNEY_NUMBERS = frozenset({"below_ml_per_min", "minimum_mg_per_day", "maximum_mg_per_day"})


class KidneyStep(Struct, frozen=True):
    """Doses that hold while CrCl is below ``below_ml_per_min``."""

    below_ml_per_min: Decimal
    minimum_mg_per_day: Decimal
    maximum_mg_per_day: Decimal | None = None


class Agent(Struct, frozen=True):
    """One first-line agent. ``drug_class`` is one of ``CLASSES``; ``counted_only``: a trial of it counts, but it is
    never proposed. Doses in mg (``start_mg`` is one dose), None where section 4 gives none. ``local`` names the numbers
    that no source confirms."""

    ingredient: str
    drug_class: str
    counted_only: bool
    start_mg: Decimal | None = None
    low_start_mg: Decimal | None = None
    minimum_mg_per_day: Decimal | None = None
    maximum_mg_per_day: Decimal | None = None
    elderly_maximum_mg_per_day: Decimal | None = None
    diabetic_neuropathy_maximum_mg_per_day: Decimal | None = None
    avoid_below_ml_per_min: Decimal | None = None
    maximum_patches_count: Decimal | None = None
    interval_days: Decimal | None = None
    kidney: tuple[KidneyStep, ...] = ()
    local: frozenset[str] = frozenset()

    def _step(self, crcl: Decimal | None) -> KidneyStep | None:
        if crcl is not None:
            for step in self.kidney:
                if crcl < step.below_ml_per_min:
                    return step
        return None

    def minimum_mg(self, crcl: Decimal | None) -> Decimal | None:
        """The therapeutic minimum in mg a day at this CrCl (mL/min; None: not known, taken as normal). None: the agent
        has no dose to reach, days of use count alone."""
        step = self._step(crcl)
        return self.minimum_mg_per_day if step is None else step.minimum_mg_per_day

    def maximum_mg(
        self, crcl: Decimal | None, *, elderly: bool = False, diabetic_neuropathy: bool = False
    ) -> Decimal | None:
        """The highest daily dose in mg at this CrCl, from age 65, in painful diabetic neuropathy. None: none given."""
        step = self._step(crcl)
        limits = (
            self.maximum_mg_per_day,
            step.maximum_mg_per_day if step else None,
            self.elderly_maximum_mg_per_day if elderly else None,
            self.diabetic_neuropathy_maximum_mg_per_day if diabetic_neuropathy else None,
        )
        return min((limit for limit in limits if limit is not None), default=None)


def load_first_line(folder: Path = RULES_FOLDER) -> Mapping[str, Agent]:
    """Reads the table of agents by ingredient. Raises ``KnowledgeError``."""
    try:
        tables = tomllib.loads((folder / FILE).read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError:
        raise KnowledgeError(FILE, "file", "put the table of first-line agents beside the rules") from None
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(FILE, "file", f"correct the TOML: {error}") from None
    return MappingProxyType({ingredient: _read_agent(ingredient, table) for ingredient, table in tables.items()})


def _read_agent(ingredient: str, table: Any) -> Agent:
    if not isinstance(table, dict):
        raise KnowledgeError(FILE, ingredient, "an agent is a table: write [" + ingredient + "]")
    for key in table:
        if key not in NUMBERS | {"class", "offered", "kidney", "local"}:
            raise KnowledgeError(FILE, f"{ingredient}.{key}", "unknown key: remove it or correct its spelling")
    if table.get("class") not in CLASSES:
        raise KnowledgeError(FILE, f"{ingredient}.class", "one of " + ", ".join(CLASSES))
    if not isinstance(table.get("offered"), bool):
        raise KnowledgeError(FILE, f"{ingredient}.offered", "write true or false")
    if table["class"] != "topical" and "minimum_mg_per_day" not in table:
        raise KnowledgeError(FILE, f"{ingredient}.minimum_mg_per_day", "add the therapeutic minimum of this agent")
    numbers = {key: _number(ingredient, key, table[key]) for key in sorted(NUMBERS & table.keys())}
    local = table.get("local", [])
    if not isinstance(local, list) or not set(local) <= numbers.keys():
        raise KnowledgeError(FILE, f"{ingredient}.local", "list names of numbers of this agent")
    return Agent(
        ingredient=ingredient,
        drug_class=table["class"],
        counted_only=not table["offered"],
        kidney=_kidney(ingredient, table.get("kidney", [])),
        local=frozenset(local),
        **numbers,
    )


def _kidney(ingredient: str, entries: Any) -> tuple[KidneyStep, ...]:
    at = f"{ingredient}.kidney"
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise KnowledgeError(FILE, at, "write a list of steps: { below_ml_per_min = 60, minimum_mg_per_day = 400 }")
    steps = []
    for entry in entries:
        if not {"below_ml_per_min", "minimum_mg_per_day"} <= entry.keys() <= KIDNEY_NUMBERS:
            raise KnowledgeError(FILE, at, "a step has below_ml_per_min, minimum_mg_per_day and maximum_mg_per_day")
        steps.append(KidneyStep(**{key: _number(ingredient, f"kidney.{key}", entry[key]) for key in entry}))
    limits = [step.below_ml_per_min for step in steps]
    if limits != sorted(set(limits)):
        raise KnowledgeError(FILE, at, "order the steps by below_ml_per_min, lowest first, each once")
    return tuple(steps)


def _number(ingredient: str, key: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise KnowledgeError(FILE, f"{ingredient}.{key}", "write a number above zero")
    return Decimal(value)


FIRST_LINE: Mapping[str, Agent] = load_first_line()
"""The agents by their ingredient's name in drugs.csv."""
