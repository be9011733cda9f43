"""What stands behind a rule: its knowledge, the article's claims that it carries, and what is disputed about them."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from cds.knowledge import Knowledge, KnowledgeError

FOLDER = Path(__file__).parent
SEED, DISPUTED = "seed.toml", "disputed.toml"


class Claim(Struct, frozen=True):
    """One claim of the article, in our words. ``evidence`` is what no rule says of it."""

    id: str
    claim: str
    evidence: str | None = None


class Point(Struct, frozen=True):
    """Where the article is imprecise or disputed, what was decided, and the rules that it concerns."""

    disputed: str
    decided: str
    rules: tuple[str, ...]


class Evidence(Struct, frozen=True):
    """Everything to be told about one rule."""

    rule: Knowledge
    claims: tuple[Claim, ...]
    points: tuple[Point, ...]


def load_claims(folder: Path = FOLDER) -> Mapping[str, Claim]:
    """The article's claims by id. Raises ``KnowledgeError``."""
    claims: dict[str, Claim] = {}
    for name, table in _tables(folder, SEED).items():
        if not isinstance(table, dict) or not table.keys() <= {"claim", "evidence"} or not table.get("claim"):
            raise KnowledgeError(SEED, name, "a claim has the keys claim and, where no rule carries it, evidence")
        claims[name] = Claim(name, table["claim"], table.get("evidence"))
    return MappingProxyType(claims)


def load_points(folder: Path = FOLDER) -> tuple[Point, ...]:
    """What is imprecise or disputed. Raises ``KnowledgeError``."""
    points = []
    for number, table in enumerate(_tables(folder, DISPUTED).get("point", []), start=1):
        if table.keys() != {"disputed", "decided", "rules"} or not all(table.values()):
            raise KnowledgeError(DISPUTED, f"point {number}", "a point has disputed, decided and rules")
        points.append(Point(table["disputed"], table["decided"], tuple(table["rules"])))
    return tuple(points)


def _tables(folder: Path, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads((folder / file).read_text(encoding="utf-8"))
    except OSError:
        raise KnowledgeError(file, "file", "put it beside the program") from None
    except tomllib.TOMLDecodeError as error:
        raise KnowledgeError(file, "file", f"correct the TOML: {error}") from None


CLAIMS = load_claims()
POINTS = load_points()


def evidence_of(rule: Knowledge) -> Evidence:
    """What stands behind this rule. Raises ``KeyError`` where it names a claim that the article does not make."""
    return Evidence(
        rule, tuple(CLAIMS[claim] for claim in rule.seed), tuple(point for point in POINTS if rule.id in point.rules)
    )
