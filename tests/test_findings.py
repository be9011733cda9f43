"""A rule that fails is never taken for a rule that is content; a signing that stops one opioid is seen whole."""

import json
import logging
from datetime import date

import pytest

from cds.findings import NOT_CHECKED, Rule, assess
from cds.outcome import CannotTell, Fires
from cds.review import review
from hooks.signing import read_signing
from tests.sentences import TODAY, request_of

ORDER = "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, for 14 days"


def signing(*sentences: str):  # type: ignore[no-untyped-def]
    return read_signing(json.dumps(request_of(list(sentences))).encode(), date.fromisoformat(TODAY))


def failing(case: object, draft: object) -> Fires:
    raise LookupError("Mrs Example")


def test_a_rule_that_raises_is_not_checked(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answers = assess(signing(ORDER).case, [Rule("DD-99", "dose", failing)])
    assert answers.not_assessed == ("DD-99: not checked",)
    assert [said.words for said in answers.said] == [NOT_CHECKED]
    assert "rule DD-99 not checked: LookupError" in caplog.text
    assert "Example" not in caplog.text


def test_the_same_finding_of_two_drafts_is_told_once() -> None:
    answers = assess(signing(ORDER, ORDER).case, [Rule("DD-99", "dose", lambda case, draft: Fires("info", {"a": "b"}))])
    (finding,) = answers.findings
    assert (finding.order, finding.others) == ("MedicationRequest/d1", ("MedicationRequest/d2",))


def test_what_cannot_be_told_is_said_once() -> None:
    unknown = CannotTell(("egfr: not provided",), said=True)
    answers = assess(signing(ORDER, ORDER).case, [Rule("DD-99", "dose", lambda case, draft: unknown)])
    assert len(answers.said) == 1


def test_a_partner_drug_is_judged_though_an_opioid_is_stopped_beside_it() -> None:
    """Morphine is stopped, oxycodone goes on, and lorazepam is started: the pair that stays is seen."""
    seen = signing(
        "takes morphine 15 mg oral tablet, 1 tablet twice a day, since 2026-02-20, for 30 days, id mor",
        "takes oxycodone 5 mg oral tablet, 1 tablet twice a day, since 2026-02-20, for 30 days, id oxy",
        "stops morphine 15 mg oral tablet, 1 tablet twice a day, id mor",
        "orders lorazepam 1 mg oral tablet, 1 tablet at night, for 14 days",
    )
    found = review(seen.drafts, seen.chart, seen.today, seen.hook, seen.selected)
    assert "MedicationRequest/d2" in found.in_scope
    assert ("DD-01", "critical") in {(finding.rule, finding.indicator) for finding in found.findings}


def test_without_another_opioid_the_partner_drug_is_out_of_scope() -> None:
    seen = signing(
        "takes morphine 15 mg oral tablet, 1 tablet twice a day, since 2026-02-20, for 30 days, id mor",
        "stops morphine 15 mg oral tablet, 1 tablet twice a day, id mor",
        "orders lorazepam 1 mg oral tablet, 1 tablet at night, for 14 days",
    )
    found = review(seen.drafts, seen.chart, seen.today, seen.hook, seen.selected)
    assert found.in_scope == ("MedicationRequest/mor",)
