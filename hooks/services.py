"""The services that discovery lists: one for each hook, each with its own id and dialect."""

from collections.abc import Collection, Mapping

import msgspec
from msgspec import Struct

from hooks.dialects import DIALECT_1, DIALECT_2, DIALECTS
from hooks.prefetch import TEMPLATES

WHAT = (
    "Reviews opioid orders together with the chart: are first-line drugs for neuropathic pain skipped, is a combination"
    " or a dose dangerous? Answers with complete orders as suggestions. Anything but an opioid, or a drug that is"
    " dangerous beside an active one, gets no card."
)
USAGE = (
    "Every prefetch key may be left out. What is not sent is fetched, for an order in scope only, where the site allows"
    " this FHIR server and fhirAuthorization permits it; what cannot be had is named in the answer where it matters."
)


class Service(Struct, frozen=True):
    """One entry of discovery. ``dialect`` is the one in which it answers a client for which none is set."""

    id: str
    hook: str
    title: str
    dialect: str


SERVICES: Mapping[str, Service] = {
    service.id: service
    for service in (
        Service("firstline-order-sign", "order-sign", "Firstline: opioid orders at signing", DIALECT_2),
        Service("firstline-order-select", "order-select", "Firstline: opioid orders while they are chosen", DIALECT_2),
        Service("firstline-medication-prescribe", "medication-prescribe", "Firstline: opioid prescriptions", DIALECT_1),
    )
}


def discovery(dialect: str | None = None, left_out: Collection[str] = ()) -> bytes:
    """The body of ``GET /cds-services`` for a client of this dialect; None: each service in its own. ``left_out`` are
    the prefetch keys that the site does not ask for."""
    services = []
    for service in SERVICES.values():
        entry: dict[str, object] = {
            "hook": service.hook,
            "title": service.title,
            "description": WHAT,
            "id": service.id,
            "prefetch": {key: query for key, query in TEMPLATES.items() if key not in left_out},
        }
        if DIALECTS[dialect or service.dialect].since_2:
            entry["usageRequirements"] = USAGE
        services.append(entry)
    return msgspec.json.encode({"services": services})
