"""What a second reading of the ladder found: reasons that say nothing, and topical agents that were tried."""

import json
from datetime import date
from typing import Any

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
