"""The services that discovery lists: one for each hook, each with its own id and dialect."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from hooks.cards import DIALECT_1, DIALECT_2
from hooks.prefetch import TEMPLATES

WHAT = (
    "Reviews opioid orders together with the chart: are first-line drugs for neuropathic pain skipped, is a combination"
    " or a dose dangerous? Answers with complete orders as suggestions. Anything but an opioid, or a drug that is"
    " dangerous beside an active one, gets no card."
)
USAGE = (
    "Every prefetch key may be left out: what is not sent is not known, and the answer says so where it matters."
    " A FHIR server is not called."
)


class Service(Struct, frozen=True):
    """One entry of discovery. ``dialect`` is the version of CDS Hooks in which it answers."""

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


def discovery() -> bytes:
    """The body of ``GET /cds-services``."""
    services = []
    for service in SERVICES.values():
        entry: dict[str, object] = {
            "hook": service.hook,
            "title": service.title,
            "description": WHAT,
            "id": service.id,
            "prefetch": dict(TEMPLATES),
        }
        if service.dialect != DIALECT_1:
            entry["usageRequirements"] = USAGE
        services.append(entry)
    return msgspec.json.encode({"services": services})
