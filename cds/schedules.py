"""Loads and checks what may be proposed: products, titration schedules and the limits of "not offered".

The numbers stand in ``rules/alternatives.toml`` (CLINICAL.md section 4), the products in ``tables/products_core.csv``.
A wrong file is refused when the program starts.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from cds.first_line import FIRST_LINE
from cds.first_line import Agent as Doses
from cds.knowledge import RULES_FOLDER, UNITS, KnowledgeError
from cds.products import Product, read_products
from cds.schedule_parts import (
    FirstDose,
    Laxative,
    Lowering,
    Rescue,
    read_counted,
    read_first_dose,
    read_laxative,
    read_lowering,
    read_rescue,
)
from cds.schedule_reading import FILE, read_number, read_part, read_text, read_whole, refused
from cds.table_reading import TABLES_FOLDER

DOSES = "first_line.toml"
SITUATIONS: Mapping[str, Decimal | None] = {
    "usual": None,
    "careful": None,
    "crcl_30_59": Decimal(30),
    "crcl_15_29": Decimal(15),
    "crcl_below_15": Decimal(0),
}
"""The situations of a schedule, each with a CrCl (mL/min) that it must be right for; None: no renal row."""

TRAMADOL_SITUATIONS = ("usual", "crcl_below_30")
CLASSES = ("gabapentinoid", "snri", "tca", "topical")
WORDS = {
    "capsaicin": ("text", "caution", "feet_caution"),
    "ecg": ("text", "caution", "after"),
    "urine_test": ("text", "caution"),
    "referral_pain": ("text", "caution"),
    "referral_addiction": ("text", "caution"),
    "tramadol": ("caution",),
    "first_dose": ("caution",),
    "lower": ("caution",),
    "taper": ("caution",),
}
"""The texts that are kept by ``<part>_<key>``."""


class Course(Struct, frozen=True):
    """One stage of a schedule: ``units`` (at least ``fewest``) taken ``times`` a day on ``days``; None: goes on."""

    units: Decimal
    times: int
    fewest: Decimal | None = None
    at_night: bool = False
    days: int | None = None
    text: str | None = None


class Schedule(Struct, frozen=True):
    """How an agent is started: one product and its stages."""

    product: Product
    courses: tuple[Course, ...]

    def mg_per_day(self, course: Course) -> Decimal | None:
        """The daily dose of a stage in mg; None where the product has no simple strength."""
        return None if self.product.mg is None else course.units * course.times * self.product.mg


class Agent(Struct, frozen=True):
    """A first-line agent that can be ordered; ``schedules`` by situation."""

    name: str
    agent_class: str
    ingredient: str
    route: str
    caution: str
    schedules: Mapping[str, Schedule]
    text: str | None = None


class Schedules(Struct, frozen=True):
    """All that the file holds. ``tramadol`` by situation, ``first_doses`` and ``lowering`` by ingredient. ``words`` are
    the texts of the service requests."""

    limits: Mapping[str, Decimal]
    agents: Mapping[str, Agent]
    rescue: Rescue
    words: Mapping[str, str]
    laxatives: tuple[Laxative, ...]
    tramadol: Mapping[str, Schedule]
    first_doses: Mapping[str, FirstDose]
    lowering: Mapping[str, Lowering]

    def whole(self, name: str) -> int:
        """The limit of this name as a whole number (days, years, a count)."""
        return int(self.limits[name])


def load_schedules(rules: Path = RULES_FOLDER, tables: Path = TABLES_FOLDER) -> Schedules:
    """Reads and checks the file. Raises ``KnowledgeError`` naming the key and the remedy."""
    try:
        content = tomllib.loads((rules / FILE).read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError:
        raise KnowledgeError(FILE, "file", "put the doses of the alternatives beside the rules") from None
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(FILE, "file", f"correct the TOML: {error}") from None
    products = read_products(tables)
    agents = read_part(content, "agents")
    return Schedules(
        limits=_limits(read_part(content, "limits")),
        agents=MappingProxyType({name: _agent(name, read_part(agents, name, "agents."), products) for name in agents}),
        rescue=read_rescue(read_part(content, "rescue"), products),
        words=MappingProxyType(
            {
                f"{part}_{key}": read_text(read_part(content, part), key, f"{part}.")
                for part, keys in WORDS.items()
                for key in keys
            }
        ),
        laxatives=tuple(
            read_laxative(f"laxatives.{name}.", table, products) for name, table in _named(content, "laxatives").items()
        ),
        tramadol=_tramadol(read_part(content, "tramadol"), products),
        first_doses=MappingProxyType(
            {
                name: read_first_dose(f"first_doses.{name}.", table, products)
                for name, table in _named(content, "first_doses").items()
            }
        ),
        lowering=MappingProxyType(
            {
                name: read_lowering(f"lowering.{name}.", table, products)
                for name, table in _named(content, "lowering").items()
            }
        ),
    )


def _limits(table: Mapping[str, Any]) -> Mapping[str, Decimal]:
    for name in table:
        if not any(name == unit or name.endswith("_" + unit) for unit in UNITS):
            raise refused(f"limits.{name}", f"end the name with its unit: {', '.join(UNITS)}")
    return MappingProxyType({name: read_number(table, name, "limits.") for name in table})


def _agent(name: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Agent:
    at = f"agents.{name}."
    if read_text(table, "class", at) not in CLASSES:
        raise refused(at + "class", f"one of {', '.join(CLASSES)}")
    if "usual" not in table:
        raise refused(at + "usual", "every agent has a usual schedule")
    doses = FIRST_LINE.get(read_text(table, "ingredient", at))
    if doses is None or doses.drug_class != table["class"]:
        raise refused(at + "ingredient", f"name an agent of this class in {DOSES}")
    return Agent(
        name=name,
        agent_class=table["class"],
        ingredient=table["ingredient"],
        route=read_text(table, "route", at),
        caution=read_text(table, "caution", at),
        text=read_text(table, "name", at) if "name" in table else None,
        schedules=MappingProxyType(
            {
                situation: _checked(f"{at}{situation}.", read_part(table, situation, at), products, doses, crcl)
                for situation, crcl in SITUATIONS.items()
                if situation in table
            }
        ),
    )


def _checked(
    at: str, table: Mapping[str, Any], products: Mapping[str, Product], doses: Doses, crcl: Decimal | None
) -> Schedule:
    """The schedule; it must reach the therapeutic minimum of this situation and stay within its maximum."""
    schedule = _schedule(at, table, products)
    reached = [schedule.mg_per_day(course) for course in schedule.courses]
    least, most = doses.minimum_mg(crcl), doses.maximum_mg(crcl)
    if least is not None and (reached[-1] is None or reached[-1] < least):
        raise refused(at + "steps", f"the last step must reach the therapeutic minimum of {least} mg a day")
    if most is not None and any(mg is not None and mg > most for mg in reached):
        raise refused(at + "steps", f"no step above {most} mg a day")
    return schedule


def _schedule(at: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Schedule:
    steps = table.get("steps")
    product = read_counted(at, table, products)
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise refused(at + "steps", "write a list of steps")
    return Schedule(product, tuple(_course(f"{at}steps.", step, step is steps[-1]) for step in steps))


def _course(at: str, step: Mapping[str, Any], last: bool) -> Course:
    if ("days" in step) is last:
        raise refused(at + "days", "every step but the last has its days")
    return Course(
        units=read_number(step, "units", at),
        times=read_whole(step, "times", at),
        fewest=read_number(step, "fewest", at) if "fewest" in step else None,
        at_night=step.get("at_night") is True,
        days=None if last else read_whole(step, "days", at),
        text=read_text(step, "text", at) if "text" in step else None,
    )


def _named(content: Mapping[str, Any], key: str) -> Mapping[str, Mapping[str, Any]]:
    """The tables in a table, by name."""
    tables = read_part(content, key)
    return {name: read_part(tables, name, f"{key}.") for name in tables}


def _tramadol(table: Mapping[str, Any], products: Mapping[str, Product]) -> Mapping[str, Schedule]:
    return MappingProxyType(
        {
            situation: _schedule(f"tramadol.{situation}.", read_part(table, situation, "tramadol."), products)
            for situation in TRAMADOL_SITUATIONS
        }
    )


SCHEDULES = load_schedules()
"""What this version may propose."""
