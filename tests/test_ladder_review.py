"""What a second reading of the ladder found: reasons that say nothing, and topical agents that were tried."""

import json
from datetime import date
from typing import Any

from cds.offer import not_offered
from hooks.signing import Signing, read_signing
from tests.sentences import TODAY, request_of

OXYCODONE = "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours"
PHN = "postherpetic neuralgia (B02.29)"


def signed(request: dict[str, Any]) -> Signing:
    return read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))


def test_a_code_of_a_terminology_that_no_table_covers_is_no_reason() -> None:
    """The chart decides then: silence would say that the reason was read."""
    request = request_of([OXYCODONE, f"has {PHN}"])
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    for system in ("http://id.who.int/icd/release/11/mms", "http://hl7.org/fhir/sid/icd-9-cm", "urn:local"):
        draft["reasonCode"] = [{"coding": [{"system": system, "code": "8E43.00"}]}]
        case = signed(request).case
        assert case.indication(case.judged[0]).grade == "probable"
    draft["reasonCode"] = [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M17.11"}]}]
    case = signed(request).case
    assert case.indication(case.judged[0]).grade == "no"


def test_tramadol_is_not_offered_beside_what_makes_any_opioid_dangerous() -> None:
    """What is on the chart already is no new finding of a second review, and tramadol would be recommended into it."""
    history = [
        "took gabapentin 300 mg oral capsule, 1 capsule three times a day, from 2025-01-01 to 2025-02-28",
        "took nortriptyline 25 mg oral capsule, 1 capsule at night, from 2025-01-01 to 2025-02-28",
        "eGFR 90 on 2026-02-01",
        f"{OXYCODONE}, for 14 days, because polyneuropathy (G62.9)",
    ]
    gabapentin = "takes gabapentin 300 mg oral capsule, 1 capsule three times a day"
    dangers = {
        "takes lorazepam 1 mg oral tablet, 1 tablet at night": ("takes lorazepam",),
        "takes zolpidem 5 mg oral tablet, 1 tablet at night": ("takes zolpidem",),
        "takes cyclobenzaprine 5 mg oral tablet, 1 tablet at night": ("takes cyclobenzaprine",),
        "has alcohol dependence (F10.20)": ("heavy alcohol use",),
        "eGFR 45 on 2026-02-20": (),
    }
    for danger, why in dangers.items():
        case = signed(request_of([*history, danger])).case
        assert set(why) <= set(not_offered(case, "tramadol", case.judged[0])), danger
    case = signed(request_of([*history, gabapentin, "eGFR 45 on 2026-02-20"])).case
    assert not_offered(case, "tramadol", case.judged[0]) == ("takes gabapentin, with reduced renal function",)
    case = signed(request_of([*history, gabapentin])).case
    assert not_offered(case, "tramadol", case.judged[0]) == ()
