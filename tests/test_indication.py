"""G02 and G03 on charts built by hand: what the scenarios of tests/rules/ladder.toml cannot say in a sentence."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart import Chart, Condition, Encounter, MedicationOrder, Patient, Procedure, Reason
from cds.drugs import recognise
from cds.exclusion import exclusion
from cds.indication import indication
from cds.terminology import Concept
from tests.builders import ALL_ANSWERED, TODAY, chart, day, draft, patient, present

PHN = frozenset({"neuropathic_definite", "postherpetic_neuralgia"})
DPN = frozenset({"neuropathic_definite", "diabetic_neuropathy"})


def reason(*meanings: str, name: str = "a reason", **fields: object) -> Reason:
    return Reason(frozenset(meanings), name, **fields)  # type: ignore[arg-type]


def ordered(*reasons: Reason, drug: str = "oxycodone 5 mg oral tablet") -> MedicationOrder:
    return draft("d1", recognise(Concept(text=drug)), reasons=reasons)


def condition(meanings: frozenset[str], name: str, **fields: object) -> Condition:
    return Condition("Condition/" + name, meanings, name, **fields)  # type: ignore[arg-type]


def test_the_most_specific_condition_names_the_indication() -> None:
    vague = condition(frozenset({"neuropathic_probable"}), "a neuropathy")
    exact = condition(PHN, "post-zoster neuralgia", localized=True)
    for conditions in ((vague, exact), (exact, vague)):
        found = indication(ordered(), chart(conditions=conditions), TODAY)
        assert (found.grade, found.short_name, found.source) == ("probable", "postherpetic neuralgia", "problem list")
        assert found.localized is None


def test_a_name_too_long_for_a_card_gives_way() -> None:
    long = condition(frozenset({"neuropathic_definite"}), "a very long name of a disease of some nerve or other")
    found = indication(ordered(), chart(conditions=(long,)), TODAY)
    assert found.short_name == "neuropathic pain"
    assert found.name == long.name


def test_a_short_name_without_a_known_meaning_is_kept() -> None:
    short = condition(frozenset({"neuropathic_definite"}), "meralgia")
    assert indication(ordered(), chart(conditions=(short,)), TODAY).short_name == "meralgia"


def test_a_provisional_reason_on_the_order_is_possible() -> None:
    found = indication(ordered(reason(*PHN, provisional=True)), chart(), TODAY)
    assert (found.grade, found.source) == ("possible", "order")


def test_a_neuropathic_reason_beside_another_is_definite() -> None:
    found = indication(ordered(reason("other_painful_condition"), reason(*PHN)), chart(), TODAY)
    assert found.grade == "definite"


def test_a_reason_takes_date_and_site_from_the_same_condition() -> None:
    listed = (
        condition(PHN, "shingles pain", since=day(40), site="forehead"),
        condition(DPN, "feet", since=day(900)),
    )
    found = indication(ordered(reason(*PHN, localized=True)), chart(conditions=listed), TODAY)
    assert found.since == day(40)
    assert found.face_or_scalp
    assert indication(ordered(reason(*DPN)), chart(conditions=listed), TODAY).since == day(900)


@pytest.mark.parametrize(
    ("name", "site", "feet", "where"),
    [
        ("painful neuropathy of both feet", None, True, None),
        ("painful neuropathy", "soles of the feet", True, None),
        ("painful neuropathy of feet and hands", None, False, None),
        ("painful neuropathy", "left forearm", False, True),
        ("painful neuropathy", None, False, None),
    ],
)
def test_where_the_pain_is(name: str, site: str | None, feet: bool, where: bool | None) -> None:
    listed = condition(frozenset({"neuropathic_probable"}), name, site=site)
    found = indication(ordered(), chart(conditions=(listed,)), TODAY)
    assert (found.feet_only, found.localized) == (feet, where)


def test_localized_pain_of_a_foot_is_no_polyneuropathy_of_the_feet() -> None:
    morton = condition(frozenset({"neuropathic_definite"}), "Morton neuroma of the foot", localized=True)
    found = indication(ordered(), chart(conditions=(morton,)), TODAY)
    assert found.localized is True
    assert not found.feet_only


def test_central_pain_is_diffuse_whatever_its_site() -> None:
    central = condition(frozenset({"neuropathic_definite", "central_pain"}), "central pain", site="left arm")
    assert indication(ordered(), chart(conditions=(central,)), TODAY).localized is False


def test_what_was_not_answered_is_named() -> None:
    unseen = dict(ALL_ANSWERED)
    del unseen["encounter"]
    unseen["medications"] = "failed"
    found = indication(ordered(), chart(questions=unseen), TODAY)
    assert (found.grade, found.unknown) == ("no", ("encounter: not provided", "medications: failed"))
    assert indication(ordered(reason("other_painful_condition")), chart(questions=unseen), TODAY).unknown == ()


def test_only_another_pain_seen_on_a_partial_list_is_unknown() -> None:
    questions = {**ALL_ANSWERED, "conditions": "partial"}
    found = indication(ordered(), chart(conditions=(present("other_painful_condition"),), questions=questions), TODAY)
    assert (found.grade, found.unknown) == ("unknown", ("conditions: partial",))


# G02


def test_a_procedure_of_the_last_days_excludes() -> None:
    done = Procedure("Procedure/1", frozenset({"acute_or_surgical"}), "operation", day(30))
    assert exclusion(ordered(), chart(procedures=(done,)), TODAY).because == "acute pain"
    old = Procedure("Procedure/1", frozenset({"acute_or_surgical"}), "operation", day(31))
    assert exclusion(ordered(), chart(procedures=(old,)), TODAY).because is None
    planned = Procedure("Procedure/1", frozenset({"acute_or_surgical"}), "operation", day(-1))
    assert exclusion(ordered(), chart(procedures=(planned,)), TODAY).because is None


def test_an_encounter_for_surgery_counts_from_its_start() -> None:
    reasons = (reason("surgery_aftercare"),)
    assert exclusion(ordered(), chart(encounter=Encounter(None, day(2), reasons)), TODAY).because == "acute pain"
    assert exclusion(ordered(), chart(encounter=Encounter(None, None, reasons)), TODAY).because is None


def test_cancer_as_the_encounters_reason() -> None:
    seen = chart(encounter=Encounter(None, TODAY, (reason("cancer_active"),)))
    assert exclusion(ordered(), seen, TODAY).because == "cancer pain"
    assert exclusion(ordered(reason(*DPN)), seen, TODAY).because is None


@pytest.mark.parametrize(
    ("drug", "excluded"),
    [
        ("buprenorphine 2 mg sublingual tablet", True),
        ("buprenorphine 8 mg / naloxone 2 mg sublingual film", True),
        ("Sublocade", True),
        ("buprenorphine 0.01 mg/hr transdermal system", False),
        ("methadone 40 mg tablet for oral suspension", True),
        ("methadone 10 mg oral tablet", False),
        ("oxycodone 5 mg oral tablet", False),
    ],
)
def test_products_made_for_opioid_use_disorder(drug: str, excluded: bool) -> None:
    because = exclusion(ordered(drug=drug), chart(), TODAY).because
    assert because == ("treatment of opioid use disorder" if excluded else None)


def test_a_draft_that_is_not_recognised_is_not_excluded_by_its_product() -> None:
    assert exclusion(draft("d1", None, name="something"), chart(), TODAY).because is None


def test_who_was_born_on_29_february_comes_of_age_on_1_march() -> None:
    born = date(2008, 2, 29)
    seen = Chart(patient=Patient(born, born), questions=ALL_ANSWERED)
    assert exclusion(ordered(), seen, date(2026, 2, 28)).because == "under 18"
    assert exclusion(ordered(), seen, date(2026, 3, 1)).because is None


def test_an_age_that_is_not_known_is_said() -> None:
    assert exclusion(ordered(), chart(patient=Patient()), TODAY).unknown == ("patient: no birth date",)
    unanswered = chart(patient=Patient(), questions={**ALL_ANSWERED, "patient": "failed"})
    assert exclusion(ordered(), unanswered, TODAY).unknown == ("patient: failed",)
    open_year = Patient(date(TODAY.year - 18, 1, 1), date(TODAY.year - 18, 12, 31))
    assert exclusion(ordered(), chart(patient=open_year), TODAY).unknown == ("patient: no birth date",)


def test_palliative_care_needs_no_age() -> None:
    seen = chart(patient=Patient(), conditions=(present("palliative"),))
    assert exclusion(ordered(reason(*DPN)), seen, TODAY).because == "palliative care"


CONDITIONS = st.lists(
    st.sampled_from(
        (
            condition(PHN, "phn", localized=True), condition(DPN, "dpn"),
            condition(frozenset({"neuropathic_possible"}), "ms"), present("other_painful_condition"),
            present("cancer_active"), condition(PHN, "maybe", provisional=True),
            condition(DPN, "gone", status="history"),
        )
    ),
    unique_by=lambda entry: entry.name,
)  # fmt: skip


@given(CONDITIONS, st.randoms(use_true_random=False))
def test_the_order_of_conditions_changes_nothing(conditions: list[Condition], chance: object) -> None:
    shuffled = list(conditions)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = chart(conditions=tuple(conditions)), chart(conditions=tuple(shuffled))
    assert indication(ordered(), one, TODAY) == indication(ordered(), other, TODAY)
    assert exclusion(ordered(), one, TODAY) == exclusion(ordered(), other, TODAY)


@given(CONDITIONS)
def test_hidden_conditions_never_become_a_no(conditions: list[Condition]) -> None:
    hidden = chart(questions={**ALL_ANSWERED, "conditions": "not provided"}, patient=patient())
    found = indication(ordered(), chart(conditions=tuple(conditions)), TODAY)
    assert found.grade in ("probable", "possible", "no")
    assert indication(ordered(), hidden, TODAY).grade == "unknown"
