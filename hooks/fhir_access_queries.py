"""How a FHIR server is asked for what a prefetch lacks: each key as a query in the words of the server's version."""

import re
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct

from hooks.fhir_access_scopes import READ, SEARCH
from hooks.prefetch import READS, TEMPLATES
from hooks.prefetch_answers import OBSERVED

DSTU2 = "DSTU2"
_ID = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,128}")
"""An id that can stand in a path. FHIR allows 64 characters and no underscore; servers allow more."""
_TOKEN = re.compile(r"{{context\.(\w+)}}")


class Query(Struct, frozen=True):
    """One question to the server. ``kind`` is the resource type; ``act`` "r" or "s"; ``id`` that of a read."""

    key: str
    kind: str
    act: str
    path: str
    id: str | None = None


def query_of(key: str, patient_id: str, encounter_id: str | None, version: str, plainly: bool = False) -> Query | None:
    """The query of a prefetch key; None where an id is missing or could be taken for something else.

    ``plainly`` leaves out what a server may not know: the order, the size of a page, the intent.
    """
    ids = {"patientId": patient_id, "encounterId": encounter_id}
    template = TEMPLATES[key]
    wanted = [ids[name] for name in _TOKEN.findall(template)]
    if not all(one is not None and is_id(one) for one in wanted):
        return None
    if key in READS:
        kind = template.partition("/")[0]
        return Query(key, kind, READ, f"{kind}/{wanted[0]}", wanted[0])
    kind, _, search = template.partition("?")
    parts = dict(part.split("=", 1) for part in search.split("&"))
    parts["patient"] = str(wanted[0])
    if version == DSTU2:
        kind, parts = _of_dstu2(key, kind, parts)
    if plainly:
        parts = {name: value for name, value in parts.items() if name in {"patient", "code"}}
    path = "&".join(f"{name}={quote(value, safe=',:/')}" for name, value in parts.items())
    return Query(key, kind, SEARCH, f"{kind}?{path}")


def _of_dstu2(key: str, kind: str, parts: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """DSTU2 has orders under another name, without an intent, and another way to sort."""
    kept = {name: value for name, value in parts.items() if name not in {"intent", "_sort"}}
    if key in OBSERVED:
        kept["_sort:desc"] = "date"
    return ("MedicationOrder" if key == "medications" else kind), kept


def medication(own_id: str) -> Query:
    """The query of a Medication that an order refers to."""
    return Query(f"Medication/{own_id}", "Medication", READ, f"Medication/{own_id}", own_id)


def is_id(text: str) -> bool:
    """Whether the text can stand in a path as one id."""
    return _ID.fullmatch(text) is not None
