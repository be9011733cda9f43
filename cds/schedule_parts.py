"""Smaller parts of ``rules/alternatives.toml``: naloxone, laxatives, first doses of opioids, lower gabapentinoids."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from cds.products import ORDER_UNITS, TABLE, Product
from cds.schedule_reading import read_number, read_text, read_whole, refused

RENAL_SITUATIONS = {"crcl_below_15": 15, "crcl_15_29": 30, "crcl_30_59": 60}
"""The situations by renal function, each with the CrCl (mL/min) that it ends below."""


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


class Laxative(Struct, frozen=True):
    """A laxative beside an opioid. ``code`` is the product's RxCUI, or the ingredient's where the table lacks it;
    ``mg`` is what one of ``units`` holds."""

    label: str
    ingredient: str
    route: str
    code: str
    display: str
    name: str
    unit: str
    units: Decimal
    mg: Decimal
    at_night: bool
    text: str
    caution: str


class FirstDose(Struct, frozen=True):
    """The lowest labelled first dose of an opioid: one unit, as needed, no sooner than ``every_hours``."""

    product: Product
    every_hours: int


class Lowering(Struct, frozen=True):
    """What a gabapentinoid is lowered with: products, and the doses a day by situation."""

    products: tuple[Product, ...]
    times: Mapping[str, int]


def read_counted(at: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Product:
    """The product of a table that is counted in units of an order."""
    product = products.get(read_text(table, "rxcui", at))
    if product is None or not product.unit:
        raise refused(at + "rxcui", f"name a product of {TABLE} that is counted in {', '.join(ORDER_UNITS)}")
    return product


def read_rescue(table: Mapping[str, Any], products: Mapping[str, Product]) -> Rescue:
    at, product = "rescue.", products.get(read_text(table, "rxcui", "rescue."))
    ingredient = read_text(table, "ingredient", at)
    return Rescue(
        ingredient=ingredient,
        route=read_text(table, "route", at),
        code=read_text(table, "ingredient_rxcui", at) if product is None else product.rxcui,
        display=ingredient if product is None else product.name,
        name=read_text(table, "name", at),
        mg=read_number(table, "dose_mg", at),
        units=read_number(table, "units", at),
        as_needed=read_text(table, "as_needed", at),
        text=read_text(table, "text", at),
        caution=read_text(table, "caution", at),
    )


def read_laxative(at: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Laxative:
    product = products.get(read_text(table, "rxcui", at)) if "rxcui" in table else None
    ingredient = read_text(table, "ingredient", at)
    return Laxative(
        label=read_text(table, "label", at),
        ingredient=ingredient,
        route="oral",
        code=read_text(table, "ingredient_rxcui", at) if product is None else product.rxcui,
        display=ingredient if product is None else product.name,
        name=read_text(table, "name", at),
        unit=read_text(table, "unit", at),
        units=read_number(table, "units", at),
        mg=read_number(table, "mg", at),
        at_night=table.get("at_night") is True,
        text=read_text(table, "text", at),
        caution=read_text(table, "caution", at),
    )


def read_first_dose(at: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> FirstDose:
    product, every = read_counted(at, table, products), read_whole(table, "every_hours", at)
    if product.release != "IR" or f"first_doses.{product.ingredient}." != at or product.mg is None:
        raise refused(at + "rxcui", "name a product of immediate release that holds this opioid alone")
    if 24 % every:
        raise refused(at + "every_hours", "write hours that divide a day")
    return FirstDose(product, every)


def read_lowering(at: str, table: Mapping[str, Any], products: Mapping[str, Product]) -> Lowering:
    codes = table.get("rxcuis")
    found = [products.get(code) for code in codes] if isinstance(codes, list) else []
    usable = tuple(product for product in found if product is not None and product.unit and product.mg is not None)
    if not usable or len(usable) < len(found):
        raise refused(at + "rxcuis", f"list products of {TABLE} that are counted in {', '.join(ORDER_UNITS)}")
    times = {situation: read_whole(table, situation, at) for situation in ("usual", *RENAL_SITUATIONS)}
    return Lowering(usable, MappingProxyType(times))
