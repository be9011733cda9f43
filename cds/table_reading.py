"""Reads a CSV table beside the code, and refuses one that is wrong.

``KnowledgeError`` names the file, the line and the remedy, so that whoever edits a table can put it right.
"""

import csv
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path

from msgspec import Struct

from cds.knowledge import KnowledgeError

TABLES_FOLDER = Path(__file__).parent / "tables"


class Row(Struct, frozen=True):
    """One row of a table, by column name, with the place where it stands."""

    file: str
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def parts(self, column: str) -> tuple[str, ...]:
        """The values of a cell that holds several, separated by semicolons."""
        return tuple(part.strip() for part in self.cells[column].split(";") if part.strip())

    def required(self, column: str) -> str:
        """The cell, which must not be empty."""
        if not self.cells[column]:
            raise self.wrong(f"fill column {column}")
        return self.cells[column]

    def one_of(self, column: str, allowed: tuple[str, ...]) -> str:
        """The cell, which must be one of these values."""
        if self.cells[column] not in allowed:
            raise self.wrong(f"column {column} must be one of {', '.join(repr(value) for value in allowed)}")
        return self.cells[column]

    def decimal(self, column: str) -> Decimal:
        """The cell as an exact number."""
        try:
            number = Decimal(self.cells[column])
        except InvalidOperation:
            raise self.wrong(f"column {column} must be a number") from None
        if not number.is_finite():
            raise self.wrong(f"column {column} must be a number")
        return number

    def wrong(self, remedy: str) -> KnowledgeError:
        """The error that names this row."""
        return KnowledgeError(self.file, f"line {self.line}", remedy)


def read_table(folder: Path, file: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """The rows of a table that has exactly these columns. Raises ``KnowledgeError`` for any other file."""
    path = folder / file
    if not path.is_file():
        raise KnowledgeError(file, "file", f"put the table into {folder.name}/")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise KnowledgeError(file, "file", "save the table as UTF-8") from None
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = tuple(next(reader, []))
        if header != columns:
            raise KnowledgeError(file, "line 1", f"the columns must be {','.join(columns)}")
        for cells in reader:
            if len(cells) != len(columns):
                raise KnowledgeError(file, f"line {reader.line_num}", f"give {len(columns)} cells, not {len(cells)}")
            yield Row(file, reader.line_num, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)})
    except csv.Error:
        raise KnowledgeError(file, f"line {reader.line_num}", "close the quotation marks of this line") from None
