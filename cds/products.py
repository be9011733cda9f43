"""The products that can be ordered (``tables/products_core.csv``): one unit of each, its strength, form and release."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from cds.table_reading import TABLES_FOLDER, read_table

TABLE = "products_core.csv"
COLUMNS = (
    "rxcui", "display", "tty", "ingredients", "form", "release", "route", "brand", "verified", "source", "note",
)  # fmt: skip
GENERIC = "SCD"
ORDER_UNITS = ("capsule", "tablet", "patch", "spray")


class Product(Struct, frozen=True):
    """A product that can be ordered. ``mg`` is the strength of one unit; None where it is not a simple amount of one
    ingredient. ``unit`` is empty where the product is not counted in ``ORDER_UNITS``."""

    rxcui: str
    name: str
    unit: str
    mg: Decimal | None
    ingredient: str
    form: str
    release: str
    generic: bool

    @property
    def smallest(self) -> Decimal:
        """The smallest part of a unit that is taken: tablets of immediate release can be halved."""
        return Decimal("0.5") if self.unit == "tablet" and self.release == "IR" else Decimal(1)


def read_products(tables: Path = TABLES_FOLDER) -> Mapping[str, Product]:
    """The products by RxCUI. Raises ``KnowledgeError`` for a table with other columns."""
    return MappingProxyType(
        {
            row["rxcui"]: Product(
                rxcui=row["rxcui"],
                name=row["display"],
                unit=_unit(row["form"]),
                mg=_strength(row.parts("ingredients")),
                ingredient=row["ingredients"].rpartition(" ")[0].rpartition(" ")[0],
                form=row["form"],
                release=row["release"],
                generic=row["tty"] == GENERIC,
            )
            for row in read_table(tables, TABLE, COLUMNS)
        }
    )


def _unit(form: str) -> str:
    word = form.split(" ")[-1].lower()
    return word if word in ORDER_UNITS else ""


def _strength(parts: tuple[str, ...]) -> Decimal | None:
    words = parts[0].split(" ") if len(parts) == 1 else []
    return Decimal(words[-2]) if words[-1:] == ["MG"] else None


PRODUCTS = read_products()


def products_of(ingredient: str, release: str, form: str | None = None) -> tuple[Product, ...]:
    """Generic products that hold this ingredient alone, the strongest first; ``form`` None: tablets before capsules."""
    found = (
        product
        for product in PRODUCTS.values()
        if product.generic
        and product.mg is not None
        and product.unit in ("tablet", "capsule")
        and (product.ingredient, product.release) == (ingredient, release)
        and form in (None, product.form)
    )
    return tuple(sorted(found, key=lambda product: (product.unit != "tablet", -(product.mg or 0), product.rxcui)))
