"""docs/RISKS.md: each number of the report, and each risk of ours, is told; each is tied to tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs" / "RISKS.md").read_text(encoding="utf-8")
BY_NUMBER = ("R1", "R3", "R5", "R11", "R12", "R13", "R16", "R17")
OURS = ("A", "B", "C", "D", "E", "F", "G", "H", "I")
TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def rows() -> dict[str, list[str]]:
    """The cells of each risk, by its number or letter."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] not in ("Risk", "---"):
            found[cells[0].split()[0]] = cells
    return found


@cache
def named_in(file: str) -> frozenset[str]:
    """The names of the tests that pytest would collect from this file, skipped ones left out."""
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and not any("skip" in ast.unparse(mark) or "xfail" in ast.unparse(mark) for mark in node.decorator_list)
    )


def missing(cell: str) -> list[str]:
    """What is named in a cell and is no test."""
    named = re.findall(r"`([^`]+)`", cell)
    return [name for name in named if not (found := TEST.fullmatch(f"`{name}`")) or found[2] not in known(found[1])]


def known(file: str) -> frozenset[str]:
    return named_in(file) if (HERE / file).exists() else frozenset()


def test_every_risk_has_its_line() -> None:
    assert tuple(rows()) == (*BY_NUMBER, *OURS)


def test_each_number_of_the_report_is_told_or_said_to_be_unknown() -> None:
    unknown = re.findall(r"R\d+", PAGE.partition("| Risk |")[0])
    assert sorted([*BY_NUMBER, *unknown], key=lambda number: int(number[1:])) == [f"R{one}" for one in range(1, 18)]


@pytest.mark.parametrize("risk", (*BY_NUMBER, *OURS))
def test_each_risk_is_told_and_tied_to_tests_that_exist(risk: str) -> None:
    _, happens, does, tests = rows()[risk]
    assert happens and does
    assert TEST.search(tests)
    assert missing(tests) == []


def test_a_test_that_is_gone_would_be_seen() -> None:
    assert missing("`test_risks.py::test_every_risk_has_its_line`") == []
    for gone in ("test_risks.py::test_gone", "test_gone.py::test_gone", "rows", "test_risks.py::rows"):
        assert missing(f"`test_risks.py::test_every_risk_has_its_line`, `{gone}`") == [gone]
