"""Reads the tables of ``rules/alternatives.toml``. Every refusal names the key and the remedy."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds.knowledge import KnowledgeError

FILE = "alternatives.toml"


def refused(key: str, remedy: str) -> KnowledgeError:
    return KnowledgeError(FILE, key, remedy)


def read_part(content: Mapping[str, Any], key: str, at: str = "") -> Mapping[str, Any]:
    """A table that is not empty."""
    value = content.get(key)
    if not isinstance(value, dict) or not value:
        raise refused(at + key, f"write the table [{at}{key}]")
    return value


def read_text(table: Mapping[str, Any], key: str, at: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise refused(at + key, "write a text that is not empty")
    return value


def read_number(table: Mapping[str, Any], key: str, at: str) -> Decimal:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or value <= 0:
        raise refused(at + key, "write a number above zero")
    return Decimal(value)


def read_whole(table: Mapping[str, Any], key: str, at: str) -> int:
    value = read_number(table, key, at)
    if value != value.to_integral_value():
        raise refused(at + key, "write a whole number")
    return int(value)
