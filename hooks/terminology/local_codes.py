"""Reads the CSV file of a site's own drug codes, and tells every wrong line at once."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cds.drug_tables import DrugTables
from cds.local_code_rows import OPTIONAL, REQUIRED, Codes, LocalRow, WrongCell, lines_of, read_local_codes

if TYPE_CHECKING:
    import _csv

LONGEST_FILE = 50_000_000


class LocalCodesError(Exception):
    """The file is wrong; each of ``problems`` names file, line and column and says what to write."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_file(path: Path, tables: DrugTables) -> Codes:
    """The codes of the file. Raises ``LocalCodesError``."""
    odd: list[WrongCell] = []
    try:
        if path.stat().st_size > LONGEST_FILE:
            raise LocalCodesError(f"{path.name}: is larger than {LONGEST_FILE} bytes: leave out what is no drug")
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise LocalCodesError(f"{path.name}: cannot be read: give the path of a CSV file") from None
    except UnicodeDecodeError:
        raise LocalCodesError(f"{path.name}: save the file as UTF-8") from None
    codes, wrong = read_local_codes(_rows(text, odd), tables)
    if wrong or odd:
        raise LocalCodesError(*(f"{path.name}: {line}" for line in lines_of([*odd, *wrong])))
    return codes


def _rows(text: str, odd: list[WrongCell]) -> Iterator[LocalRow]:
    """The rows with as many cells as there are columns; what is wrong with the others goes to ``odd``."""
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        columns = [column.strip().lower() for column in next(reader, [])]
        yield from _below(reader, columns, odd) if _are_columns(columns, odd) else ()
    except csv.Error:
        odd.append(WrongCell(reader.line_num, "", "close the quotation marks; what follows was not read"))


def _below(reader: "_csv.Reader", columns: list[str], odd: list[WrongCell]) -> Iterator[LocalRow]:
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == len(columns):
            yield LocalRow(reader.line_num, dict(zip(columns, cells, strict=True)))
        else:
            odd.append(WrongCell(reader.line_num, "", f"give {len(columns)} cells, not {len(cells)}"))


def _are_columns(columns: list[str], odd: list[WrongCell]) -> bool:
    missing = [column for column in REQUIRED if column not in columns]
    unknown = any(column not in (*REQUIRED, *OPTIONAL) for column in columns)
    if missing or unknown or len(set(columns)) < len(columns):
        remedy = (
            f"write the columns, each once, separated by commas: {','.join(REQUIRED)}, and of these what you need:"
            f" {','.join(OPTIONAL)}"
        )
        odd.append(WrongCell(1, "", remedy))
        return False
    return True
