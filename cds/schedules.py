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
from cds.table_reading import TABLES_FOLDER, read_table

FILE = "alternatives.toml"
TABLE = "products_core.csv"
DOSES = "first_line.toml"
COLUMNS = (
    "rxcui", "display", "tty", "ingredients", "form", "release", "route", "brand", "verified", "source", "note",
)  # fmt: skip
SITUATIONS: Mapping[str, Decimal | None] = {
    "usual": None,
    "careful": None,
    "crcl_30_59": Decimal(30),
    "crcl_15_29": Decimal(15),
    "crcl_below_15": Decimal(0),
}
"""The situations of a schedule, each with a CrCl (mL/min) that it must be right for; None: no renal row."""

CLASSES = ("gabapentinoid", "snri", "tca", "topical")
ORDER_UNITS = ("capsule", "tablet", "patch", "spray")


class Product(Struct, frozen=True):
    """A product that can be ordered. ``mg`` is the strength of one unit; None where it is not a simple amount."""

    rxcui: str
    name: str
    unit: str
    mg: Decimal | None


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


class Rescue(Struct, frozen=True):
    """Naloxone as a nasal spray. ``code`` is the product's RxCUI, or the ingredient's where the table lacks it."""

    ingredient: str
    route: str
    code: str
    display: str
    name: str
    mg: Decimal
    units: Decimal
    as_needed: str
    text: str
    caution: str


class Schedules(Struct, frozen=True):
    """All that the file holds. ``words`` are the texts of the service requests."""

    limits: Mapping[str, Decimal]
    agents: Mapping[str, Agent]
    rescue: Rescue
    words: Mapping[str, str]

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
    products = _read_products(tables)
    agents = _table(content, "agents")
    return Schedules(
        limits=_limits(_table(content, "limits")),
        agents=MappingProxyType({name: _agent(name, _table(agents, name, "agents."), products) for name in agents}),
        rescue=_rescue(_table(content, "rescue"), products),
        words=MappingProxyType(
            {
                f"{part}_{key}": _text(_table(content, part), key, f"{part}.")
                for part, keys in (("capsaicin", ("text", "caution", "feet_caution")), ("ecg", ("text", "caution")))
                for key in keys
            }
        ),
    )


def _refused(key: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(FILE, key, remedy)


def _table(content: Mapping[str, Any], key: str, at: str = "") -> Mapping[str, Any]:
    value = content.get(key)
    if not isinstance(value, dict) or not value:
        raise _refused(at + key, f"write the table [{at}{key}]")
    return value


def _text(table: Mapping[str, Any], key: str, at: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise _refused(at + key, "write a text that is not empty")
    return value


def _number(table: Mapping[str, Any], key: str, at: str) -> Decimal:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise _refused(at + key, "write a number above zero")
    return Decimal(value)


def _whole(table: Mapping[str, Any], key: str, at: str) -> int:
    value = _number(table, key, at)
    if value != value.to_integral_value():
        raise _refused(at + key, "write a whole number")
    return int(value)


def _limits(table: Mapping[str, Any]) -> Mapping[str, Decimal]:
    for name in table:
        if not any(name == unit or name.endswith("_" + unit) for unit in UNITS):
            raise _refused(f"limits.{name}", f"end the name with its unit: {', '.join(UNITS)}")
    return MappingProxyType({name: _number(table, name, "limits.") for name in table})


def _read_products(tables: Path) -> Mapping[str, Product]:
    return {
        row["rxcui"]: Product(row["rxcui"], row["display"], _unit(row["form"]), _strength(row.parts("ingredients")))
        for row in read_table(tables, TABLE, COLUMNS)
    }


def _unit(form: str) -> str:
    word = form.split(" ")[-1].lower()
    return word if word in ORDER_UNITS else ""


def _strength(parts: tuple[str, ...]) -> Decimal | None:
    words = parts[0].split(" ") if len(parts) == 1 else []
    return Decimal(words[-2]) if words[-1:] == ["MG"] else None


def _agent(name: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Agent:
    at = f"agents.{name}."
    if _text(table, "class", at) not in CLASSES:
        raise _refused(at + "class", f"one of {', '.join(CLASSES)}")
    if "usual" not in table:
        raise _refused(at + "usual", "every agent has a usual schedule")
    doses = FIRST_LINE.get(_text(table, "ingredient", at))
    if doses is None or doses.drug_class != table["class"]:
        raise _refused(at + "ingredient", f"name an agent of this class in {DOSES}")
    return Agent(
        name=name,
        agent_class=table["class"],
        ingredient=table["ingredient"],
        route=_text(table, "route", at),
        caution=_text(table, "caution", at),
        text=_text(table, "name", at) if "name" in table else None,
        schedules=MappingProxyType(
            {
                situation: _checked(f"{at}{situation}.", _table(table, situation, at), products, doses, crcl)
                for situation, crcl in SITUATIONS.items()
                if situation in table
            }
        ),
    )


def _checked(
    at: str, table: Mapping[str, Any], products: Mapping[str, Product], doses: Doses, crcl: Decimal | None
) -> Schedule:
    """The schedule; it must reach the therapeutic minimum of this situation and stay within its maximum."""
    product = products.get(_text(table, "rxcui", at))
    if product is None or not product.unit:
        raise _refused(at + "rxcui", f"name a product of {TABLE} that is counted in {', '.join(ORDER_UNITS)}")
    steps = table.get("steps")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise _refused(at + "steps", "write a list of steps")
    schedule = Schedule(product, tuple(_course(f"{at}steps.", step, step is steps[-1]) for step in steps))
    reached = [schedule.mg_per_day(course) for course in schedule.courses]
    least, most = doses.minimum_mg(crcl), doses.maximum_mg(crcl)
    if least is not None and (reached[-1] is None or reached[-1] < least):
        raise _refused(at + "steps", f"the last step must reach the therapeutic minimum of {least} mg a day")
    if most is not None and any(mg is not None and mg > most for mg in reached):
        raise _refused(at + "steps", f"no step above {most} mg a day")
    return schedule


def _course(at: str, step: Mapping[str, Any], last: bool) -> Course:
    if ("days" in step) is last:
        raise _refused(at + "days", "every step but the last has its days")
    return Course(
        units=_number(step, "units", at),
        times=_whole(step, "times", at),
        fewest=_number(step, "fewest", at) if "fewest" in step else None,
        at_night=step.get("at_night") is True,
        days=None if last else _whole(step, "days", at),
        text=_text(step, "text", at) if "text" in step else None,
    )


def _rescue(table: Mapping[str, Any], products: Mapping[str, Product]) -> Rescue:
    at, product = "rescue.", products.get(_text(table, "rxcui", "rescue."))
    ingredient = _text(table, "ingredient", at)
    return Rescue(
        ingredient=ingredient,
        route=_text(table, "route", at),
        code=_text(table, "ingredient_rxcui", at) if product is None else product.rxcui,
        display=ingredient if product is None else product.name,
        name=_text(table, "name", at),
        mg=_number(table, "dose_mg", at),
        units=_number(table, "units", at),
        as_needed=_text(table, "as_needed", at),
        text=_text(table, "text", at),
        caution=_text(table, "caution", at),
    )


SCHEDULES = load_schedules()
"""What this version may propose."""
