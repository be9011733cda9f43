"""Codes of orders other than drugs (``tables/service_codes.csv``). A code that was not seen in a source is not used."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cds.table_reading import TABLES_FOLDER, read_table
from cds.terminology import Coding

TABLE = "service_codes.csv"
COLUMNS = ("system", "code", "display", "meaning", "verified", "source")
MEANINGS = ("ecg", "urine_test", "referral_pain", "referral_addiction", "capsaicin")


def load_service_codes(tables: Path = TABLES_FOLDER) -> Mapping[str, Coding]:
    """The verified code of each kind of order; kinds without one are left out. Raises ``KnowledgeError``."""
    codes: dict[str, Coding] = {}
    for row in read_table(tables, TABLE, COLUMNS):
        meaning = row.one_of("meaning", MEANINGS)
        verified = row.one_of("verified", ("yes", "no")) == "yes"
        row.required("display")
        row.required("source")
        if not verified:
            continue
        if meaning in codes:
            raise row.wrong("give each kind of order one code")
        codes[meaning] = Coding(row.required("system"), row.required("code"), row["display"])
    return MappingProxyType(codes)


SERVICE_CODES = load_service_codes()
