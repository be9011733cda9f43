"""The pages without a browser: what they hold, what they refuse, and what the chart view understands."""

import asyncio
import json
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from cds.knowledge import GROUPS
from hooks.app import create_app
from hooks.pages import evidence_pages, patients
from hooks.pages.page import STATIC
from hooks.settings import Settings
from tests.calling import NOW, an_app, call
from tests.sentences import request_of


@pytest.fixture(scope="module")
def app() -> Starlette:
    return an_app()


def view_of(app: Starlette, *chart: str, **changed: Any) -> dict[str, Any]:
    """The chart view of a chart in the sentences of the stories."""
    told = request_of(list(chart))
    told["prefetch"].update(changed)
    answer = call(app, "POST", "/pages/chart", json=told)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# Every page


@pytest.mark.parametrize("path", ["/", "/evidence", "/evidence/NP-01", "/evidence/none", "/static/firstline.css"])
def test_nothing_inline_and_nothing_from_elsewhere_may_run(app: Starlette, path: str) -> None:
    answer = call(app, "GET", path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert " style=" not in answer.text and "<script>" not in answer.text and " onclick" not in answer.text


def test_the_pages_know_the_path_that_they_are_mounted_under(app: Starlette) -> None:
    mounted = Starlette()
    mounted.mount("/firstline", app)
    text = call(mounted, "GET", "/firstline/evidence").text
    assert 'href="/firstline/static/firstline.css"' in text
    assert 'href="/firstline/evidence/NP-01"' in text


def test_every_file_of_the_pages_is_in_the_package() -> None:
    told = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    globs = told["tool"]["setuptools"]["package-data"]["hooks"]
    hooks = STATIC.parent.parent
    packed = {path for pattern in globs for path in hooks.glob(pattern)}
    files = {path for path in STATIC.parent.rglob("*") if path.is_file()}
    assert {path for path in files if path.suffix not in (".py", ".pyc")} <= packed


# Who may open what


def test_order_entry_is_for_whom_the_services_answer_and_evidence_for_everybody(app: Starlette) -> None:
    elsewhere = "192.0.2.7"
    closed = call(app, "GET", "/", client=elsewhere)
    assert closed.status_code == 401 and "Order entry is closed here" in closed.text
    for method, path in (("GET", "/pages/choices"), ("GET", "/pages/patients/cancer-pain"), ("POST", "/pages/chart")):
        refused = call(app, method, path, client=elsewhere)
        assert (refused.status_code, refused.content) == (401, b"")
    assert call(app, "GET", "/evidence", client=elsewhere).status_code == 200
    assert call(app, "GET", "/evidence/DD-01", client=elsewhere).status_code == 200


# Patients


def test_a_dozen_patients_each_with_a_story_that_is_stored(app: Starlette) -> None:
    offered = call(app, "GET", "/pages/choices").json()
    assert len(offered["patients"]) == 12
    for patient in offered["patients"]:
        told = call(app, "GET", f"/pages/patients/{patient['story']}").json()
        stored = (patients.FOLDER / f"{patient['story']}.request.json").read_text(encoding="utf-8")
        assert told == json.loads(stored)  # on the day of the stories nothing is moved
        view = call(app, "POST", "/pages/chart", json=told).json()
        person = {"male": "Man", "female": "Woman"}[view["sex"]]
        assert patient["who"] == f"{person}, {view['age']}"


@pytest.mark.parametrize("name", ["none", "..%2Fpyproject", "amoxicillin", "%00"])
def test_no_other_file_is_given_out(app: Starlette, name: str) -> None:
    assert call(app, "GET", f"/pages/patients/{name}").status_code == 404


def test_an_installed_package_has_no_patients_and_says_so(tmp_path: Path) -> None:
    assert patients.patients(tmp_path) == ()
    assert patients.request_of("cancer-pain", NOW.date(), tmp_path) is None


def test_a_story_is_moved_to_the_day_of_the_reader() -> None:
    later = create_app(Settings(today=NOW + timedelta(days=365)))
    told = call(later, "GET", "/pages/patients/clonazepam-active").json()
    (drug,) = told["prefetch"]["medications"]["entry"]
    assert drug["resource"]["authoredOn"] == "2027-01-05"
    view = call(later, "POST", "/pages/chart", json=told).json()
    assert view["age"] == 41
    assert view["taken"][0]["since"] == "2027-01-05"


@pytest.mark.parametrize("text", ["2026-02-30", "9999-12-31", "E11.42", "2026-1-1", "text 2026-01-01"])
def test_what_is_no_date_stays(text: str) -> None:
    told = {"code": "2026", "text": text}
    assert patients._moved(told, timedelta(days=400)) == told


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-3000, 3000))
def test_a_moved_date_is_as_far_from_the_day_as_before(day: date, days: int) -> None:
    moved = patients._moved([f"{day}T08:00:00Z", {"when": str(day)}], timedelta(days=days))
    expected = day + timedelta(days=days)
    assert moved == [f"{expected}T08:00:00Z", {"when": str(expected)}]


# The chart


def test_the_chart_view_tells_what_the_rules_see(app: Starlette) -> None:
    view = view_of(
        app,
        "woman, age 58",
        "has diabetic polyneuropathy (E11.42), since 2021-04-12",
        "eGFR 82 on 2026-01-20",
        "weight 78 kg on 2026-01-20",
        "takes duloxetine 60 MG Delayed Release Oral Capsule [rx 596934], 1 capsule once a day, since 2026-02-09",
        "orders Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], 1 tablet every 6 hours as needed",
    )
    assert (view["age"], view["sex"], view["weight"]) == (58, "female", "78 kg on 2026-01-20")
    renal = {"said": "eGFR 82 on 2026-01-20", "value": "82.0", "kind": "eGFR", "taken": "2026-01-20"}
    assert view["renal"] == renal
    assert view["problems"] == [{"name": "diabetic polyneuropathy", "status": "present", "since": "2021-04-12"}]
    (taken,) = view["taken"]
    assert (taken["recognised"], taken["dosing"], taken["since"]) == (
        "duloxetine",
        "1 capsule once a day",
        "2026-02-09",
    )
    (tried,) = view["tried"]
    assert (tried["grade"], tried["shortfall"], tried["days"], tried["minimumMg"]) == ("PARTIAL", "duration", 21, "60")
    assert tried["stretches"] == [{"start": "2026-02-09", "end": "2026-03-01", "mg": "60"}]
    assert view["untried"] == ["gabapentinoid", "tricyclic"]
    assert view["trialDays"] == 28


def test_the_chart_view_knows_the_codes_of_the_site(tmp_path: Path) -> None:
    codes = tmp_path / "codes.csv"
    codes.write_text("local_code,display,ingredient,strength\nX-77,NERVE CALM,gabapentin,300 mg\n", encoding="utf-8")
    told = request_of(["woman, age 58", "takes Nerve Calm, 1 capsule 3 times a day, since 2026-01-09"])
    (entry,) = told["prefetch"]["medications"]["entry"]
    entry["resource"]["medicationCodeableConcept"]["coding"] = [{"system": "urn:site", "code": "X-77"}]
    known = call(an_app(local_codes=str(codes)), "POST", "/pages/chart", json=told).json()
    unknown = call(an_app(), "POST", "/pages/chart", json=told).json()
    assert [taken["recognised"] for taken in known["taken"]] == ["gabapentin"]
    assert [taken["recognised"] for taken in unknown["taken"]] == [None]


def test_what_was_not_sent_is_not_none(app: Starlette) -> None:
    view = view_of(
        app, "woman, age 58", "medications not sent", "statements not sent", "dispenses not sent", "conditions not sent"
    )
    assert not view["historyKnown"] and not view["medicationsKnown"] and not view["problemsKnown"]
    assert "medications: not provided" in view["unknown"]
    assert view["renal"]["unknown"] == ["egfr: none on record"]


def test_a_dose_that_rises_is_told_in_stretches(app: Starlette) -> None:
    gabapentin = "gabapentin 300 MG Oral Capsule [rx 310431]"
    view = view_of(
        app,
        "man, age 54",
        f"took {gabapentin}, 1 capsule twice a day, from 2025-06-01 to 2025-06-30",
        f"took {gabapentin}, 2 capsules three times a day, from 2025-07-01 to 2025-08-31, failed",
    )
    (tried,) = view["tried"]
    assert [stretch["mg"] for stretch in tried["stretches"]] == ["600", "1800"]
    assert (tried["grade"], tried["outcome"], tried["active"]) == ("ADEQUATE", "failure", False)


@pytest.mark.parametrize(
    ("sig", "says"),
    [
        ("2 tablets 3 times a day", "2 tablets 3 times a day"),
        ("1-2 tablets every 6 hours as needed", "1 to 2 tablets every 6 hours as needed"),
        ("1 tablet once a week", "1 tablet every 7 days"),
        ("1 tablet at night", "1 tablet once a day"),
    ],
)
def test_a_coded_dose_is_told_in_words(app: Starlette, sig: str, says: str) -> None:
    view = view_of(
        app, "man, age 54", f"takes Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], {sig}, since 2026-02-01"
    )
    assert view["taken"][0]["dosing"] == says


def test_a_drug_without_dosing_or_name_is_shown_all_the_same(app: Starlette) -> None:
    unnamed = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-02-20",
    }
    view = view_of(app, "man, age 54", medications={"resourceType": "Bundle", "entry": [{"resource": unnamed}]})
    assert view["taken"][0]["recognised"] is None
    assert "dosing" not in view["taken"][0]


@pytest.mark.parametrize(
    ("repeat", "says"),
    [
        ({"frequency": 0, "period": 1, "periodUnit": "d"}, None),
        ({"when": ["HS"]}, "once a day"),
        ({"when": ["MORN", "NOON", "HS"]}, "3 times a day"),
    ],
)
def test_an_odd_rhythm_is_told_as_far_as_it_goes(app: Starlette, repeat: dict[str, Any], says: str | None) -> None:
    drug = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "intent": "order",
        "authoredOn": "2026-02-20",
        "medicationCodeableConcept": {"text": "oxycodone 5 mg tablet"},
        "dosageInstruction": [{"timing": {"repeat": repeat}}],
    }
    view = view_of(app, "man, age 54", medications={"resourceType": "Bundle", "entry": [{"resource": drug}]})
    assert view["taken"][0].get("dosing") == says


def test_a_request_that_breaks_off_is_refused(app: Starlette) -> None:
    answers: list[dict[str, Any]] = []

    async def broken() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def keep(message: Any) -> None:
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/pages/chart", "headers": [], "query_string": b""}
    asyncio.run(app(scope, broken, keep))
    assert answers[0]["status"] == 400


def test_an_allergy_alone_makes_an_agent_unsuitable(app: Starlette) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": "pregabalin"}}
    view = view_of(app, "man, age 54", allergies={"resourceType": "Bundle", "entry": [{"resource": allergy}]})
    (tried,) = view["tried"]
    assert (tried["agent"], tried["grade"], tried["stretches"]) == ("pregabalin", "UNSUITABLE", [])
    assert view["allergies"] == ["pregabalin"]


@pytest.mark.parametrize(
    ("sent", "status", "says"),
    [
        (b"{", 400, "request: not JSON"),
        (b'{"hook": "patient-view", "context": {}}', 422, "hook: not a hook of this service"),
        (b'{"hook": "order-sign", "context": {}}', 422, "context.patientId: required"),
    ],
)
def test_a_request_that_cannot_be_read_is_told_as_the_services_tell_it(
    app: Starlette, sent: bytes, status: int, says: str
) -> None:
    refused = call(app, "POST", "/pages/chart", content=sent)
    assert (refused.status_code, refused.json()["issue"][0]["diagnostics"]) == (status, says)


def test_a_chart_that_is_too_large_is_refused() -> None:
    small = an_app(max_body_bytes=100)
    refused = call(small, "POST", "/pages/chart", content=b"x" * 101)
    assert refused.status_code == 413


# Choices


def test_every_drug_that_can_be_chosen_has_a_unit(app: Starlette) -> None:
    drugs = call(app, "GET", "/pages/choices").json()["drugs"]
    assert len(drugs) > 200
    assert {drug["unit"] for drug in drugs} <= {"tablet", "capsule", "patch", "spray", "mL", "film", "lozenge", "dose"}


# Evidence


def test_every_rule_has_a_page_and_is_listed(app: Starlette) -> None:
    index = call(app, "GET", "/evidence").text
    for rule in evidence_pages.rules().values():
        assert f'href="/evidence/{rule.id}"' in index
        text = call(app, "GET", f"/evidence/{rule.id}").text
        assert rule.title.split("(")[0].strip()[:20] in text or "&" in text
        assert all(source.url.replace("&", "&amp;") in text for source in rule.sources)
        assert str(rule.next_review) in text
    assert [group for group, _, _ in evidence_pages.by_group()] == list(GROUPS)


def test_the_page_of_a_rule_holds_what_stands_behind_it(app: Starlette) -> None:
    text = call(app, "GET", "/evidence/NP-01").text
    for words in (
        "What it says", "28 days", "42 days", "local: no source confirms it", "NeuPSIG 2015", "SEED-01", "Decided:",
        "Signed off by a clinician", "2027-11-22", "Oxycodone for diabetic neuropathy, nothing tried",
        "First-line drugs were tried and are not on this record", "A gabapentinoid, an SNRI or a tricyclic: 28 days",
    ):  # fmt: skip
        assert words in text, words
    assert "No first-line drug <span" in text


@pytest.mark.parametrize("name", ["NP01", "np-01", "NP-01"])
def test_a_rule_is_found_as_cards_write_it(app: Starlette, name: str) -> None:
    assert "<title>NP-01" in call(app, "GET", f"/evidence/{name}").text


def test_a_rule_that_is_not_there_is_told(app: Starlette) -> None:
    answer = call(app, "GET", "/evidence/<b>")
    assert answer.status_code == 404
    assert "There is no rule of this name" in answer.text and "<b>" not in answer.text


def test_a_rule_whose_review_is_due_says_so() -> None:
    later = create_app(Settings(today=NOW + timedelta(days=900)))
    assert "The review of this rule was due on" in call(later, "GET", "/evidence/NP-01").text


def test_without_the_tests_the_page_leaves_scenarios_out(tmp_path: Path) -> None:
    rule = evidence_pages.rules()["NP-01"]
    assert evidence_pages.shown(rule, NOW.date(), tmp_path)["scenarios"] == []
    (words, told), *_ = evidence_pages.shown(rule, NOW.date())["scenarios"]
    assert words == "It speaks"
    assert ("Oxycodone for diabetic neuropathy, nothing tried", "answers warning") in told
