"""What is proposed: the ranking, the orders, the second review, and what is never proposed."""

import re
from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cds.rules
from cds import alternatives, ladder_remedies
from cds.abrupt_stop import continues_taken
from cds.alternatives import ORDER, Proposal, Proposals, propose
from cds.case import Case
from cds.changes import can_be_taken
from cds.chart import Allergy, Dosage, MedicationOrder, Patient, Quantity, Reason
from cds.dose import daily_dose
from cds.drugs import Drug
from cds.findings import Finding
from cds.first_line import FIRST_LINE
from cds.offer import needs_ecg
from cds.orders import PlainOrder, as_medication, dose_in_words, next_step_order, schedule_for, start_order
from cds.ranking import partners, ranked
from cds.schedules import SCHEDULES
from cds.scope import is_rescue
from cds.second_review import SecondReview
from cds.supporting_orders import capsaicin_order, rescue_order
from cds.trials import Ladder, Trial
from tests.builders import ALL_ANSWERED, TODAY, a_day, day, dispense, draft, order, present, seen, tablet
from tests.test_offer import NEURALGIA, POLYNEUROPATHY, TRIGEMINAL, healthy, named, opioid

DRAFT = "MedicationRequest/draft"
AGENTS = tuple(SCHEDULES.agents)
TWO_TABLETS = Quantity(Decimal(2), "tablet")


def finding(rule: str, *asks: str, group: str = "ladder", indicator: Any = "warning", **fields: Any) -> Finding:
    fields = {"facts": {}, "words": "default", "order": DRAFT} | fields
    return Finding(rule, group, indicator, asks=asks, **fields)


def silent(_: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
    return ()


def watching(cases: list[Case]) -> Callable[[Case], Sequence[Finding]]:
    """A silent review that keeps the cases it was given."""

    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        cases.append(other)
        return ()

    return assess


def objecting(agent: str, rule: str = "DD-05", indicator: Any = "warning") -> Callable[[Case], Sequence[Finding]]:
    """A review that finds this wherever the agent is drafted."""

    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        drafted = any(d.drug is not None and d.drug.has(agent) for d in other.drafts)
        return (finding(rule, group="sedation", indicator=indicator),) if drafted else ()

    return assess


def proposals(of: Case, *findings: Finding, assess: Any = silent, group: str = "ladder") -> tuple[Proposal, ...]:
    return propose(of, findings, assess).by_group.get(group, ())


def drugs(made: Sequence[Proposal]) -> list[str | None]:
    return [p.create.ingredient for p in made if p.create is not None]


def first_line(of: Case, assess: Any = silent) -> list[str | None]:
    return drugs(proposals(of, finding("NP-01", "first_line"), assess=assess))


def neuropathy(**fields: Any) -> Case:
    """A healthy woman of 35 with a draft for diffuse neuropathic pain."""
    meanings = frozenset({"neuropathic_definite"})
    reason = Reason(meanings, "small fibre neuropathy", False)
    return healthy(drafts=[opioid(reason=reason)], **fields)


# Ranking


def test_without_anything_special_gabapentin_comes_first_and_another_class_second() -> None:
    assert first_line(neuropathy()) == ["gabapentin", "duloxetine"]


@pytest.mark.parametrize("condition", ["depression", "copd", "obstructive_sleep_apnea"])
def test_duloxetine_comes_first_with(condition: str) -> None:
    assert first_line(neuropathy(conditions=(present(condition),)))[0] == "duloxetine"


def test_duloxetine_comes_first_in_painful_diabetic_neuropathy_and_with_a_sedative() -> None:
    assert first_line(healthy(drafts=[opioid(reason=POLYNEUROPATHY)]))[0] == "duloxetine"
    zolpidem = order("old", named("zolpidem"), a_day(5), authored=day(20))
    meanings = frozenset({"neuropathic_definite"})
    sedated = healthy(zolpidem, drafts=[opioid(reason=Reason(meanings, "neuropathy", False))])
    assert first_line(sedated) == ["duloxetine", "gabapentin"]


def test_nortriptyline_comes_first_with_poor_sleep_and_a_clear_heart_under_65() -> None:
    sleepless = neuropathy(conditions=(present("insomnia"),))
    assert first_line(sleepless) == ["nortriptyline", "gabapentin"]
    assert first_line(neuropathy(conditions=(present("insomnia"),), age=65))[0] == "gabapentin"
    with_heart = neuropathy(conditions=(present("insomnia"), present("cardiac_disease")))
    assert first_line(with_heart)[0] == "gabapentin"


def test_lidocaine_comes_first_in_localized_pain_of_the_burdened() -> None:
    assert first_line(healthy(age=70))[0] == "lidocaine"
    assert first_line(healthy(age=60))[0] == "gabapentin"
    crowd = [order(f"o{n}", None, authored=day(3), name=f"n{n}") for n in range(10)]
    assert first_line(healthy(*crowd))[0] == "lidocaine"
    assert first_line(healthy(*crowd[:9]))[0] == "gabapentin"
    assert first_line(neuropathy(age=70))[0] == "gabapentin"


def test_a_class_tried_in_part_comes_last_and_a_satisfied_one_not_at_all() -> None:
    the_case = neuropathy()
    some = Ladder("S0", {"gabapentinoid": Trial("PARTIAL", "gabapentin")})
    assert ranked(the_case, the_case.drafts[0], some) == ("duloxetine", "nortriptyline", "gabapentin", "pregabalin")
    done = Ladder("S2", {"gabapentinoid": Trial("ADEQUATE"), "snri": Trial("UNSUITABLE")})
    assert ranked(the_case, the_case.drafts[0], done) == ("nortriptyline",)


def test_the_partner_of_what_is_taken_is_proposed_first() -> None:
    the_case = neuropathy()
    ask = the_case.drafts[0]
    taken = {"gabapentinoid": Trial("ADEQUATE", "gabapentin", active=True), "snri": Trial("ADEQUATE")}
    assert partners(the_case, ask, Ladder("S2", taken))[0] == "nortriptyline"
    no_tca = {**taken, "tca": Trial("UNSUITABLE")}
    assert partners(the_case, ask, Ladder("S2", no_tca)) == ("duloxetine",)
    on_snri = {"snri": Trial("ADEQUATE", "duloxetine", active=True), "tca": Trial("ADEQUATE")}
    assert partners(the_case, ask, Ladder("S2", on_snri))[:2] == ("gabapentin", "pregabalin")
    neither = {"gabapentinoid": Trial("ADEQUATE"), "snri": Trial("ADEQUATE"), "tca": Trial("UNSUITABLE")}
    assert partners(the_case, ask, Ladder("S2", neither)) == ("gabapentin", "pregabalin", "duloxetine")
    two_out = {"gabapentinoid": Trial("UNSUITABLE"), "snri": Trial("UNSUITABLE")}
    assert partners(the_case, ask, Ladder("S2", two_out)) == ("nortriptyline",)


# The ladder's remedies


def test_the_best_alternative_replaces_the_draft_and_alone_is_recommended() -> None:
    made = proposals(healthy(), finding("NP-01", "first_line", "topical", "delete"))
    assert [p.ask for p in made] == ["first_line", "first_line", "topical", "delete"]
    assert drugs(made) == ["gabapentin", "duloxetine", "lidocaine"]
    assert [p.delete for p in made] == [DRAFT, DRAFT, None, DRAFT]
    assert [p.recommended for p in made] == [True, False, False, False]
    assert made[0].label == "Gabapentin 300 mg at night, up to 900 mg a day, instead of oxycodone"
    assert made[3].label == "Do not start oxycodone"


@pytest.mark.parametrize(
    "unknown",
    [
        {"questions": {**ALL_ANSWERED, "allergies": "failed"}},
        {"observations": ()},
        {"unreadable": ("Condition/7",)},
        {"patient": Patient()},
    ],
)
def test_nothing_is_recommended_while_something_is_unknown(unknown: dict[str, Any]) -> None:
    made = proposals(healthy(**unknown), finding("NP-01", "first_line", "delete"))
    assert made and not any(p.recommended for p in made)


def test_nothing_is_recommended_beside_an_unrecognised_drug_or_an_unknown_of_a_finding() -> None:
    strange = healthy(order("old", None, authored=day(3), name="xyzzy"))
    assert not any(p.recommended for p in proposals(strange, finding("NP-01", "first_line")))
    unsure = finding("NP-01", "first_line", unknown=("dispenses: failed",))
    assert not any(p.recommended for p in proposals(healthy(), unsure))


@pytest.mark.parametrize("key", ["medications", "conditions", "allergies"])
def test_without_the_list_of_no_drug_is_proposed_and_the_card_says_so(key: str) -> None:
    questions = {**ALL_ANSWERED, key: "failed", "statements": "failed"}
    told = propose(healthy(questions=questions), [finding("NP-01", "first_line", "topical")], silent)
    assert [p.ask for p in told.by_group["ladder"]] == ["delete"]
    assert any("not known" in note and f"{key}: failed" in note for note in told.notes["ladder"])


def test_without_renal_function_only_a_drug_that_does_not_hang_on_it() -> None:
    assert first_line(neuropathy(observations=())) == ["nortriptyline"]


def test_why_none_could_be_made_is_said() -> None:
    sertraline = order("old", named("sertraline"), a_day(50), authored=day(20))
    reasoned = Reason(frozenset({"neuropathic_definite"}), "neuropathy", False)
    blocked = healthy(sertraline, drafts=[opioid(reason=reasoned)], conditions=(present("respiratory_failure"),))
    told = propose(blocked, [finding("NP-01", "first_line")], silent)
    assert [p.label for p in told.by_group["ladder"]] == ["Do not start oxycodone"]
    assert told.notes["ladder"] == (
        "Not offered: gabapentin (respiratory failure); pregabalin (respiratory failure); "
        "duloxetine (takes sertraline); nortriptyline (takes sertraline).",
    )


def test_a_candidate_with_a_new_finding_is_withdrawn_and_the_next_takes_its_place() -> None:
    assert first_line(neuropathy(), objecting("gabapentin")) == ["pregabalin", "duloxetine"]
    assert first_line(neuropathy(), objecting("gabapentin", indicator="critical")) == ["pregabalin", "duloxetine"]
    assert first_line(neuropathy(), objecting("gabapentin", indicator="info")) == ["gabapentin", "duloxetine"]


def test_what_was_found_before_does_not_withdraw_but_what_got_worse_does() -> None:
    before = (finding("DD-05", group="sedation"), finding("NP-01", "first_line"))
    assert drugs(proposals(neuropathy(), *before, assess=objecting("gabapentin")))[0] == "gabapentin"
    worse = objecting("gabapentin", indicator="critical")
    assert drugs(proposals(neuropathy(), *before, assess=worse))[0] == "pregabalin"
    less = (finding("DD-24", group="dose", indicator="critical"), finding("NP-01", "first_line"))
    assert drugs(proposals(neuropathy(), *less, assess=objecting("gabapentin", "DD-23")))[0] == "gabapentin"


def test_four_candidates_are_tried_and_not_a_fifth() -> None:
    seen_cases: list[Case] = []

    def refusing(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        seen_cases.append(other)
        return (finding("DD-05", group="sedation"),)

    told = propose(healthy(age=64, conditions=()), [finding("NP-01", "first_line")], refusing)
    assert [p.ask for p in told.by_group["ladder"]] == ["delete"] and len(seen_cases) == 4
    assert all(other.drafts[0].ref == "MedicationRequest/proposed" for other in seen_cases)
    objection = "gabapentin (DD-05, three or more CNS-active drugs)"
    assert f"Withdrawn because of what its own review found: {objection}" in told.notes["ladder"][0]


def test_the_second_review_sees_the_candidate_in_place_of_the_draft() -> None:
    held = healthy(drafts=[opioid(), opioid("other", "morphine")])
    cases: list[Case] = []
    proposals(held, finding("NP-01", "first_line"), assess=watching(cases))
    assert [d.drug.name for d in cases[0].drafts if d.drug] == ["morphine", "gabapentin"]
    assert cases[0].chart is held.chart and cases[0].today == TODAY


def test_at_order_select_the_candidate_is_asked_about_and_the_rest_is_context() -> None:
    selected = Case(
        [opioid(), opioid("other", "morphine")], neuropathy().chart, TODAY, "order-select", frozenset({DRAFT})
    )
    cases: list[Case] = []
    second = SecondReview(selected, (), watching(cases))
    second.objections(selected.drafts[0], as_medication(rescue_order(), TODAY))
    assert [d.ref for d in cases[0].asked] == ["MedicationRequest/proposed-rescue"]


def test_a_tricyclic_above_40_comes_with_its_ecg() -> None:
    sleepless = neuropathy(conditions=(present("insomnia"),), age=50)
    made = proposals(sleepless, finding("NP-01", "first_line"))[0]
    assert (
        made.create is not None and made.create.ingredient == "nortriptyline" and needs_ecg(sleepless, "nortriptyline")
    )
    assert made.also is not None and made.also.kind == "service" and "electrocardiogram" in made.also.text
    assert made.label == "Nortriptyline 25 mg at night, up to 50 mg a day, after an ECG, instead of oxycodone"
    with_ecg = neuropathy(
        conditions=(present("insomnia"),), age=50, observations=(seen("egfr", 90), seen("ecg_study", None))
    )
    assert proposals(with_ecg, finding("NP-01", "first_line"))[0].also is None


def test_trigeminal_neuralgia_gets_no_drug_but_the_delete() -> None:
    told = propose(healthy(drafts=[opioid(reason=TRIGEMINAL)]), [finding("NP-01", "first_line", "topical")], silent)
    assert [p.label for p in told.by_group["ladder"]] == ["Do not start oxycodone"]
    assert "carbamazepine or oxcarbazepine comes first" in told.notes["ladder"][0]


@pytest.mark.parametrize(
    "reason",
    [
        Reason(frozenset({"other_painful_condition"}), "low back pain", None),
        Reason(frozenset({"cancer_pain"}), "cancer pain", None),
        Reason(frozenset({"neuropathic_possible"}), "paraesthesia", None),
    ],
)
def test_where_the_ladder_is_off_no_first_line_drug_is_proposed(reason: Reason) -> None:
    asks = ("first_line", "second_class", "partner", "titrate", "keep_first_line", "topical")
    assert proposals(healthy(drafts=[opioid(reason=reason)]), finding("DD-12", *asks, group="interaction")) == ()


def test_a_child_gets_no_first_line_drug() -> None:
    assert proposals(healthy(age=17), finding("DD-12", "first_line", group="interaction"), group="interaction") == ()


def test_an_unknown_history_gets_no_alternative_order() -> None:
    unheard = {**ALL_ANSWERED, **dict.fromkeys(("medications", "statements", "dispenses"), "failed")}
    assert proposals(healthy(questions=unheard), finding("NP-15", "first_line")) == ()


def test_second_class_adds_to_what_works_in_part_and_takes_the_place_of_what_failed() -> None:
    gabapentin = order("old", named("gabapentin", route="oral"), a_day(900), authored=day(60), supply_days=90)
    meanings = frozenset({"neuropathic_definite"})
    drafts = [opioid(reason=Reason(meanings, "neuropathy", False))]
    added = proposals(healthy(gabapentin, drafts=drafts), finding("NP-02", "second_class"))
    assert drugs(added) == ["duloxetine", "nortriptyline"]
    assert added[0].create is not None and (added[0].create.note or "").startswith("Add-on: gabapentin goes on.")


def test_after_a_failed_class_two_others_are_proposed_the_tricyclic_with_its_ecg() -> None:
    failed = order(
        "old", named("pregabalin", route="oral"), a_day(300), authored=day(90), status="stopped", end=day(30),
        stopped_for="failure",
    )  # fmt: skip
    made = proposals(healthy(failed, drafts=[opioid(reason=POLYNEUROPATHY)], age=49), finding("NP-02", "second_class"))
    assert drugs(made) == ["duloxetine", "nortriptyline"] and [p.ask for p in made][-1] == "delete"
    assert [p.also is not None for p in made] == [False, True, False]


@pytest.mark.parametrize("ask", ["second_class", "partner"])
def test_beside_a_titration_one_new_agent_is_enough(ask: str) -> None:
    made = proposals(underdosed(), finding("NP-02", ask, "topical"), finding("NP-06", "titrate"))
    assert [p.ask for p in made] == ["titrate", ask, "topical", "delete"]


def test_the_opioid_of_a_combination_is_named_alone() -> None:
    percocet = draft("draft", tablet("acetaminophen 325", "oxycodone 5"), a_day(1, 4, "tablet"), reasons=(NEURALGIA,))
    made = proposals(healthy(drafts=[percocet]), finding("NP-01", "first_line"))
    assert made[0].label.endswith(", instead of oxycodone") and made[-1].label == "Do not start oxycodone"


# Tramadol


def tramadol(of: Case, assess: Any = silent) -> tuple[tuple[Proposal, ...], str]:
    """What is proposed for NP-04, and what the card says."""
    told = propose(of, [finding("NP-04", "tramadol")], assess)
    return told.by_group.get("ladder", ()), " ".join(told.notes.get("ladder", ()))


def test_tramadol_takes_the_place_of_a_strong_opioid_for_14_days_without_repeats() -> None:
    made, said = tramadol(healthy())
    assert [(p.ask, p.delete) for p in made] == [("tramadol", DRAFT), ("delete", DRAFT)] and not said
    assert made[0].label == "Tramadol 50 mg at night, up to 100 mg a day, 14 days, instead of oxycodone"
    given = made[0].create
    assert given is not None and (given.code, given.days, given.repeats, given.quantity) == ("835603", 14, 0, 25)
    assert [(step.mg, step.times) for step in given.steps] == [(50, 1), (50, 2)]
    read = as_medication(given, TODAY)
    assert read is not None and read.drug is not None and read.drug.release == "IR"
    assert daily_dose(read, "tramadol").maximum == 100


@pytest.mark.parametrize(("egfr", "first"), [(30, "at night for 3 days"), (29, "every 12 hours")])
def test_tramadol_follows_the_kidneys(egfr: int, first: str) -> None:
    given = tramadol(healthy(observations=(seen("egfr", egfr),)))[0][0].create
    assert given is not None and first in given.steps[0].text
    read = as_medication(given, TODAY)
    assert read is not None and daily_dose(read, "tramadol").maximum == 100


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"conditions": (present("seizure_disorder"),)}, "Tramadol is not proposed: seizure disorder."),
        ({"conditions": (present("copd"),)}, "Tramadol is not proposed: chronic lung disease."),
        ({"age": 17}, ""),
        ({"questions": {**ALL_ANSWERED, "conditions": "failed"}}, "while this is not known: conditions: failed."),
        ({"observations": (), "age": 65}, "while this is not known: egfr"),
        ({"observations": (), "age": 64}, None),
        ({"observations": (), "conditions": (present("ckd_stage_unknown"),)}, "while this is not known: egfr"),
    ],
)
def test_where_tramadol_is_not_proposed_the_card_says_why(fields: dict[str, Any], words: str | None) -> None:
    fields = {"questions": {**ALL_ANSWERED, "egfr": "not provided"}} | fields if "observations" in fields else fields
    made, said = tramadol(healthy(**fields))
    assert [p.ask for p in made] == ([] if words == "" else ["tramadol", "delete"] if words is None else ["delete"])
    assert (words or "") in said


@pytest.mark.parametrize("rule", ["DD-07", "DD-12", "DD-16", "DD-19", "SAF-10"])
def test_a_rule_that_forbids_tramadol_withholds_it_even_if_it_objects_to_the_draft_as_well(rule: str) -> None:
    def forbidding(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        drafted = [d for d in other.drafts if d.drug is not None and d.drug.has("tramadol")]
        return tuple(finding(rule, group="organ", order=d.ref) for d in drafted)

    found = (finding(rule, group="organ"), finding("NP-04", "tramadol"))
    told = propose(healthy(), found, forbidding)
    assert [p.ask for p in told.by_group["ladder"]] == ["delete"]
    assert f"Tramadol is not proposed: {rule}, " in told.notes["ladder"][0]


def test_what_else_was_there_before_does_not_withhold_tramadol() -> None:
    def same(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        return (finding("DD-01", group="sedation"), finding("DD-19", group="organ", order="MedicationRequest/b"))

    found = (finding("DD-01", group="sedation"), finding("DD-19", group="organ"), finding("NP-04", "tramadol"))
    assert [p.ask for p in propose(healthy(), found, same).by_group["ladder"]] == ["tramadol", "delete"]


def test_tramadol_is_not_added_to_an_opioid_that_remains_nor_put_in_the_place_of_one_long_taken() -> None:
    morphine = order("old", named("morphine", route="oral"), a_day(10, 2), authored=day(3), supply_days=30)
    made, said = tramadol(healthy(morphine))
    assert [p.ask for p in made] == ["delete"] and "morphine remains" in said
    made, said = tramadol(taking_oxycodone())
    assert made == () and "do not stop it abruptly" in said
    assert tramadol(healthy(drafts=[opioid(status="stopped")])) == ((), "")


def underdosed(daily: int = 300, **fields: Any) -> Case:
    taken = order("old", named("gabapentin", route="oral"), a_day(daily), authored=day(30), supply_days=60)
    return healthy(taken, **fields)


def test_titration_goes_on_from_the_running_dose_and_names_the_old_order() -> None:
    made = proposals(underdosed(), finding("NP-06", "titrate"))
    assert [p.ask for p in made] == ["titrate"]
    raised = made[0].create
    assert raised is not None and raised.prior == "MedicationRequest/old" and made[0].delete == DRAFT
    assert [step.mg * step.times for step in raised.steps if step.mg] == [600, 900]
    assert "stop that one" in (raised.note or "")
    assert made[0].label == "Raise gabapentin: 300 mg twice a day, up to 900 mg a day; stop its old order; no oxycodone"


def test_titration_leads_and_leaves_room_for_one_other_drug() -> None:
    findings = (finding("NP-01", "first_line", "delete"), finding("NP-06", "titrate"))
    made = proposals(underdosed(), *findings)
    assert [p.ask for p in made] == ["titrate", "first_line", "delete"]
    assert made[0].recommended and drugs(made) == ["gabapentin", "duloxetine"]


def test_titration_is_withheld_where_it_may_not_be() -> None:
    for blocked, words in (
        (underdosed(conditions=(present("respiratory_failure"),)), "respiratory failure"),
        (underdosed(observations=()), "not known"),
    ):
        told = propose(blocked, [finding("NP-06", "titrate")], silent)
        assert told.by_group == {} and words in told.notes["ladder"][0]
    told = propose(underdosed(), [finding("NP-06", "titrate")], objecting("gabapentin"))
    assert told.by_group == {} and "Withdrawn" in told.notes["ladder"][0]
    assert proposals(healthy(), finding("NP-06", "titrate")) == ()


def test_a_running_trial_is_kept_to_day_28() -> None:
    lately = order("old", named("gabapentin", route="oral"), a_day(900), authored=day(9), start=day(9), supply_days=30)
    findings = (finding("NP-01", "first_line", "delete"), finding("NP-05", "keep_first_line"))
    made = proposals(healthy(lately), *findings)
    assert [p.ask for p in made] == ["keep_first_line", "first_line"] and made[0].recommended
    assert made[0].label == "Keep gabapentin until 2026-07-03; do not start oxycodone"
    assert made[0].delete == DRAFT and made[0].create is None
    assert proposals(healthy(), finding("NP-05", "keep_first_line")) == ()


def test_capsaicin_is_requested_where_lidocaine_is_not_offered() -> None:
    mexiletine = order("old", named("mexiletine"), authored=day(3))
    made = proposals(healthy(mexiletine), finding("NP-08", "topical"))
    assert made[0].create is not None and made[0].create.kind == "service" and made[0].delete is None
    pressure = (seen("egfr", 90), seen("systolic_bp", 190))
    assert proposals(healthy(mexiletine, observations=pressure), finding("NP-08", "topical")) == ()
    assert "state the reason" in (capsaicin_order("pain", True).note or "")
    assert "state the reason" not in (capsaicin_order("pain", False).note or "")


def test_lidocaine_that_its_review_objects_to_gives_way() -> None:
    made = proposals(healthy(), finding("NP-08", "topical"), assess=objecting("lidocaine"))
    assert drugs(made) == ["capsaicin"]


# What continues is not stopped


def taking_oxycodone(days: int = 30, **fields: Any) -> Case:
    old = order(
        "old", named("oxycodone", route="oral", release="IR"), a_day(5, 2), authored=day(days), supply_days=days
    )
    return healthy(old, **fields)


@pytest.mark.parametrize(("days", "continues"), [(13, False), (14, True)])
def test_a_draft_continues_what_was_taken_14_days(days: int, continues: bool) -> None:
    old = dispense("old", named("oxycodone", route="oral"), days - 1, days, a_day(5, 2))
    assert continues_taken(healthy(old), opioid()) is continues


def test_what_continues_is_never_deleted_by_any_ask() -> None:
    asks = ("first_line", "topical", "keep_first_line", "delete")
    told = propose(taking_oxycodone(), [finding("NP-01", *asks)], silent)
    assert all(p.delete is None for made in told.by_group.values() for p in made)
    best = told.by_group["ladder"][0]
    assert best.label == "Add gabapentin 100 mg at night, up to 900 mg a day; taper oxycodone by agreement"
    assert any("do not stop it abruptly, taper it" in note for note in told.notes["ladder"])


def test_another_opioid_that_ran_out_is_continued_by_its_successor() -> None:
    gone = dispense("old", named("morphine", route="oral"), 30, 29, a_day(10, 2))
    running = dispense("old", named("morphine", route="oral"), 20, 40, a_day(10, 2))
    assert continues_taken(healthy(gone), opioid())
    assert not continues_taken(healthy(running), opioid())


def test_a_listed_drug_without_dates_counts_as_taken_long() -> None:
    undated = MedicationOrder("MedicationStatement/1", "statement", named("oxycodone"), "oxycodone", status="active")
    with_it = healthy(undated)
    assert continues_taken(with_it, opioid()) is bool(with_it.listed)
    assert not continues_taken(healthy(), draft("x", None))


def test_a_partner_drug_of_this_signing_is_deleted_where_it_is_new() -> None:
    benzo = draft("benzo", named("alprazolam"), a_day(1))
    asked = finding("DD-01", "delete_partner", group="sedation", facts={"sedatives": "alprazolam and zolpidem"})
    new = proposals(healthy(drafts=[opioid(), benzo]), asked, group="sedation")
    assert [p.delete for p in new] == ["MedicationRequest/benzo"] and new[0].label == "Do not start alprazolam"
    old = dispense("old", named("alprazolam"), 30, 60, a_day(1))
    told = propose(healthy(old, drafts=[opioid(), benzo]), [asked], silent)
    assert told.by_group == {} and told.notes["sedation"][0].startswith("Alprazolam has been taken")
    unnamed = finding("DD-01", "delete_partner", group="sedation", facts={"sedatives": "diazepam"})
    unread = draft("x", None)
    assert proposals(healthy(drafts=[opioid(), benzo, unread]), unnamed, group="sedation") == ()


def test_deleting_says_what_it_is() -> None:
    stop = opioid(status="stopped")
    made = proposals(healthy(drafts=[stop]), finding("SAF-16", "delete", group="safety"), group="safety")
    assert made[0].label == "Remove the order that stops oxycodone"
    unlisted = {**ALL_ANSWERED, "medications": "failed", "statements": "failed"}
    made = proposals(healthy(questions=unlisted), finding("DD-18", "delete", group="organ"), group="organ")
    assert made[0].label == "Do not start oxycodone, if it is new for this patient"
    strange = healthy(drafts=[draft("draft", None)])
    assert (
        proposals(strange, finding("DD-18", "delete", group="organ"), group="organ")[0].label
        == "Do not start this drug"
    )


def test_a_delete_that_brings_what_is_left_to_light_is_not_proposed() -> None:
    def alone(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        return (finding("SAF-16", group="safety"),) if len(other.drafts) == 1 else ()

    two = healthy(drafts=[opioid(), opioid("b", "morphine")])
    asks = ("delete", "first_line", "keep_first_line", "tramadol", "delete_partner")
    told = propose(two, [finding("DD-18", *asks, facts={"drugs": "morphine"})], alone)
    assert {p.ask for p in told.by_group["ladder"]} == {"first_line"}
    words = "Not proposed: to leave out oxycodone alone (SAF-16, opioid stopped or cut at once)."
    assert words.partition("(")[0] in " ".join(told.notes["ladder"])
    assert "to leave out morphine alone (SAF-16" in " ".join(told.notes["ladder"])


def test_a_finding_of_several_drafts_deletes_each() -> None:
    two = healthy(drafts=[opioid(), opioid("b", "morphine")])
    asked = finding("DD-18", "delete", group="organ", others=("MedicationRequest/b",))
    assert [p.delete for p in proposals(two, asked, group="organ")] == [DRAFT, "MedicationRequest/b"]


# Naloxone, ECG, doses and supply


def test_naloxone_is_proposed_once_in_the_first_group() -> None:
    findings = (
        finding("DD-01", "naloxone", group="sedation", indicator="critical"),
        finding("SAF-01", "naloxone", group="safety"),
    )
    told = propose(healthy(), findings, silent)
    assert list(told.by_group) == ["sedation"]
    spray = told.by_group["sedation"][0].create
    assert spray is not None and spray.code == "1725059" and spray.quantity == 2 and spray.steps[0].as_needed
    made = as_medication(spray, TODAY)
    assert made is not None and is_rescue(made)


def test_naloxone_is_not_proposed_where_it_is_at_hand_or_not_tolerated() -> None:
    at_hand = dispense("nx", named("naloxone", route="nasal"), 300, None)
    asked = finding("SAF-01", "naloxone", group="safety")
    assert proposals(healthy(at_hand), asked, group="safety") == ()
    allergic = Allergy("AllergyIntolerance/1", frozenset({"naloxone"}), "naloxone")
    told = propose(healthy(allergies=(allergic,)), [asked], silent)
    assert told.by_group == {} and told.notes["safety"] == ("Naloxone is on the allergy list: it is not proposed.",)


def test_an_ecg_is_ordered_where_a_rule_asks() -> None:
    made = proposals(healthy(), finding("DD-13", "ecg", group="interaction"), group="interaction")
    assert made[0].create is not None and made[0].create.kind == "service"
    gone = finding("DD-13", "ecg", group="interaction", order="MedicationRequest/gone")
    assert proposals(healthy(), gone, group="interaction") == ()


@pytest.mark.parametrize(
    ("drug", "dosage", "half"),
    [
        (tablet("oxycodone 5"), a_day(2, 2, "tablet"), True),
        (tablet("oxycodone 5"), a_day(1, 2, "tablet"), True),
        (tablet("oxycodone 5"), a_day(1.5, 2, "tablet"), False),
        (tablet("oxycodone 5", release="ER"), a_day(1, 2, "tablet"), False),
        (tablet("oxycodone 5", release="ER"), a_day(2, 2, "tablet"), True),
        (tablet("oxycodone 5", form="Oral Capsule"), a_day(1, 2, "capsule"), False),
        (tablet("oxycodone 5"), a_day(10, 2), True),
        (tablet("oxycodone 5", release="ER"), a_day(5, 2), False),
        (tablet("oxycodone"), a_day(10, 2), False),
        (tablet("oxycodone 5", "acetaminophen 325"), a_day(5, 2), False),
        (tablet("oxycodone 1", unit="MG/ML", form="Oral Solution"), a_day(5, 2, "mL"), True),
        (tablet("oxycodone 5"), Dosage(text="1 tab twice a day"), False),
        (tablet("oxycodone 5"), Dosage(text="twice", dose_low=TWO_TABLETS, dose_high=TWO_TABLETS), False),
    ],
)  # fmt: skip
def test_a_half_dose_is_proposed_only_where_it_can_be_taken(drug: Drug, dosage: Dosage, half: bool) -> None:
    drafted = healthy(drafts=[draft("draft", drug, dosage)])
    made = proposals(drafted, finding("DD-01", "half_dose", group="sedation"), group="sedation")
    assert [p.update.dose_factor for p in made if p.update] == ([Decimal("0.5")] if half else [])


def dosed(amount: float, found_above: float, rule: str = "DD-25", ask: str = "to_limit") -> list[Decimal | None]:
    """Factors proposed where a rule fires above so many mg a day."""

    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        daily = daily_dose(other.drafts[0], "oxycodone").maximum or Decimal(0)
        return (finding(rule, group="dose"),) if daily > found_above else ()

    drafted = healthy(drafts=[draft("draft", tablet("oxycodone 5"), a_day(amount, 2, "tablet"))])
    made = proposals(drafted, finding(rule, ask, group="dose"), assess=assess, group="dose")
    return [p.update.dose_factor for p in made if p.update]


def test_the_dose_is_lowered_no_more_than_settles_the_finding() -> None:
    assert dosed(4, 30) == [Decimal("0.75")]
    assert dosed(4, 29) == [Decimal("0.5")]
    assert dosed(4, 10) == [Decimal("0.25")]
    assert dosed(4, 9) == []
    assert dosed(4, 20, "DD-24", "below_50") == [Decimal("0.5")]
    assert dosed(4, 30, "DD-26", "start_dose") == [Decimal("0.5")]
    assert dosed(4, 9, "DD-26", "start_dose") == []


def test_below_50_settles_the_50_as_well_as_the_90() -> None:
    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        daily = daily_dose(other.drafts[0], "oxycodone").maximum or Decimal(0)
        return (finding("DD-24" if daily > 60 else "DD-23", group="dose"),) if daily > 30 else ()

    drafted = healthy(drafts=[draft("draft", tablet("oxycodone 5"), a_day(8, 2, "tablet"))])
    asked = finding("DD-24", "below_50", group="dose", indicator="critical")
    made = proposals(drafted, asked, assess=assess, group="dose")
    assert [p.update.dose_factor for p in made if p.update] == [Decimal("0.25")]
    assert made[0].label == "Lower oxycodone to 2 tablets a dose"


def test_of_several_lower_doses_the_lowest_is_proposed() -> None:
    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        daily = daily_dose(other.drafts[0], "oxycodone").maximum or Decimal(0)
        rules = [rule for rule, limit in (("DD-23", 30), ("DD-26", 20)) if daily > limit]
        return tuple(finding(rule, group="dose") for rule in rules)

    drafted = healthy(drafts=[draft("draft", tablet("oxycodone 5"), a_day(4, 2, "tablet"))])
    asked = (finding("DD-23", "below_50", group="dose"), finding("DD-26", "start_dose", group="dose"))
    made = proposals(drafted, *asked, assess=assess, group="dose")
    assert [(p.ask, p.label) for p in made] == [("below_50", "Lower oxycodone to 2 tablets a dose")]


def test_the_label_tells_the_share_where_it_cannot_tell_the_dose() -> None:
    for dosages in ((a_day(2, 2, "tablet"), a_day(4, 1, "tablet")), (a_day(2, 2, "{pill}"),)):
        drafted = healthy(drafts=[draft("draft", tablet("oxycodone 5"), *dosages)])
        (half,) = proposals(drafted, finding("DD-01", "half_dose", group="sedation"), group="sedation")
        assert half.label == "Lower oxycodone to 50 % of the dose as drafted"
    milligrams = healthy(drafts=[draft("draft", tablet("oxycodone 5"), a_day(10, 2))])
    (half,) = proposals(milligrams, finding("DD-01", "half_dose", group="sedation"), group="sedation")
    assert half.label == "Lower oxycodone to 5 mg a dose"


def test_lidocaine_that_replaces_is_not_added_as_well() -> None:
    made = proposals(healthy(age=70), finding("NP-01", "first_line"), finding("NP-08", "topical"))
    assert drugs(made) == ["lidocaine", "gabapentin"]
    assert [p.ask for p in made] == ["first_line", "first_line", "delete"]


def test_a_lower_dose_that_is_itself_found_wanting_is_not_proposed() -> None:
    def cutting(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        return (finding("SAF-16", group="safety"),)

    taken = order("taken", tablet("oxycodone 5"), a_day(2, 2, "tablet"))
    drafted = healthy(taken, drafts=[draft("draft", tablet("oxycodone 5"), a_day(2, 2, "tablet"))])
    asked = finding("DD-01", "half_dose", group="sedation")
    assert proposals(drafted, asked, assess=cutting, group="sedation") == ()


def test_the_dose_of_a_drug_that_was_not_recognised_cannot_be_shared() -> None:
    assert not can_be_taken(draft("x", None, a_day(2, 2, "tablet")), Decimal("0.5"))


def test_a_review_without_the_draft_alone_can_be_asked_for() -> None:
    cases: list[Case] = []
    second = SecondReview(healthy(), (), watching(cases))
    assert second.objections(second.case.drafts[0], None) == () and cases[0].drafts == ()


@pytest.mark.parametrize(("days", "until"), [(None, "2026-07-13"), (0, "2026-07-13"), (20, "2026-06-23")])
def test_a_trial_is_kept_for_the_days_that_it_lacks(days: int | None, until: str, monkeypatch: Any) -> None:
    short = Trial("PARTIAL", "gabapentin", days=days, shortfall="duration", active=True)
    monkeypatch.setattr(ladder_remedies, "ladder_of", lambda case, draft: Ladder("S0", {"gabapentinoid": short}))
    (kept,) = proposals(healthy(), finding("NP-05", "keep_first_line"))
    assert kept.label == f"Keep gabapentin until {until}; do not start oxycodone"


def test_what_is_not_known_is_said_beside_another_agent_that_is_proposed() -> None:
    unknown = neuropathy(observations=(), conditions=(present("insomnia"),))
    made = propose(unknown, [finding("NP-01", "first_line")], silent)
    assert drugs(made.by_group["ladder"]) == ["nortriptyline"]
    (said,) = made.notes["ladder"]
    assert said.startswith("Not weighed while this is not known (egfr: ") and said.endswith(
        "gabapentin, pregabalin, duloxetine."
    )


def test_that_a_drug_is_taken_already_is_no_news() -> None:
    lately = order("old", named("gabapentin", route="oral"), a_day(900), authored=day(9), start=day(9), supply_days=30)
    told = propose(healthy(lately, conditions=(present("glaucoma_narrow"),)), [finding("NP-01", "first_line")], silent)
    (said,) = told.notes["ladder"]
    assert "duloxetine (narrow-angle glaucoma)" in said and "already taken" not in said


def test_no_dose_of_a_stop_order_or_of_another_drug_is_lowered() -> None:
    for drafted in (opioid(status="stopped"), draft("draft", named("alprazolam"), a_day(2, 2, "tablet"))):
        asked = finding("DD-01", "half_dose", "limit_supply", group="sedation")
        made = proposals(healthy(drafts=[drafted]), asked, group="sedation")
        assert [p.ask for p in made] == ([] if drafted.status == "stopped" else ["limit_supply"])


@pytest.mark.parametrize(
    ("supply", "repeats", "group", "days"),
    [
        (30, 0, "ladder", 14),
        (14, 0, "ladder", None),
        (14, None, "ladder", None),
        (14, 1, "ladder", 14),
        (None, None, "ladder", 14),
        (14, 0, "safety", 7),
        (7, 0, "safety", None),
    ],
)
def test_the_supply_is_limited_where_it_is_longer(
    supply: int | None, repeats: int | None, group: str, days: int | None
) -> None:
    fields = {"supply_days": None if supply is None else Decimal(supply), "repeats": repeats}
    limited = draft(
        "draft", tablet("oxycodone 5"), a_day(1, 4, "tablet"), quantity=Quantity(Decimal(120), "tablet"), **fields
    )
    made = proposals(healthy(drafts=[limited]), finding("NP-09", "limit_supply", group=group), group=group)
    assert [(p.update.supply_days, p.update.repeats, p.update.quantity) for p in made if p.update] == (
        [] if days is None else [(days, 0, Decimal(days * 4))]
    )


def test_the_quantity_is_left_to_the_writer_where_it_cannot_be_told() -> None:
    unread = draft("draft", tablet("oxycodone 5"), Dosage(text="as directed"), quantity=Quantity(Decimal(9), "tablet"))
    made = proposals(healthy(drafts=[unread]), finding("NP-09", "limit_supply"))
    assert made[0].update is not None and made[0].update.quantity is None


# Groups


def test_the_replacement_stands_with_the_ladder_where_that_asks_too() -> None:
    findings = (finding("DD-12", "first_line", "delete", group="interaction"), finding("NP-01", "first_line", "delete"))
    told = propose(healthy(), findings, silent)
    assert [p.ask for p in told.by_group["interaction"]] == ["delete"]
    assert [p.ask for p in told.by_group["ladder"]] == ["first_line", "first_line", "delete"]
    alone = propose(healthy(), findings[:1], silent)
    assert [p.ask for p in alone.by_group["interaction"]] == ["first_line", "first_line", "delete"]
    assert not any(p.recommended for p in alone.by_group["interaction"])


def test_no_group_has_more_than_four() -> None:
    many = healthy(drafts=[opioid(), *(opioid(f"d{n}", "morphine") for n in range(6))])
    asked = finding("DD-18", "delete", group="organ", others=tuple(f"MedicationRequest/d{n}" for n in range(6)))
    assert len(proposals(many, asked, group="organ")) == 4


def test_nothing_asked_nothing_proposed() -> None:
    assert propose(healthy(), [finding("DD-03")], silent) == Proposals()
    assert propose(healthy(), [finding("NP-01", "first_line", order="MedicationRequest/gone")], silent) == Proposals()


def test_a_remedy_that_fails_is_said_and_costs_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def failing(_: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        raise ValueError("Jane Doe")

    told = propose(healthy(), [finding("NP-01", "first_line", "delete")], failing)
    assert [p.ask for p in told.by_group["ladder"]] == ["delete"]
    assert alternatives.NOT_PREPARED in told.notes["ladder"]
    assert "ValueError" in caplog.text and "Jane" not in caplog.text


def test_every_word_that_a_rule_asks_is_in_the_vocabulary() -> None:
    folder = Path(cds.rules.__file__).parent
    vocabulary = set(re.findall(r"^``(\w+)``", alternatives.__doc__ or "", re.MULTILINE))
    assert vocabulary == set(ORDER)
    for file in folder.glob("*.py"):
        for asks in re.findall(r"asks ?[=:][^\n]*?\(([^()]*)\)", file.read_text(encoding="utf-8")):
            assert set(re.findall(r'"(\w+)"', asks)) - {"default"} <= vocabulary | {"warning", "info", "critical"}, (
                file.name
            )


# Orders


PATIENTS = st.builds(
    lambda age, egfr, sedative: healthy(
        *([order("z", named("zolpidem"), authored=day(3))] if sedative else []),
        age=age,
        observations=() if egfr is None else (seen("egfr", egfr),),
    ),
    st.integers(18, 95),
    st.none() | st.integers(5, 120),
    st.booleans(),
)


@given(of=PATIENTS, name=st.sampled_from(AGENTS))
def test_an_order_is_complete_and_within_the_limits_of_this_patient(of: Case, name: str) -> None:
    agent = SCHEDULES.agents[name]
    made = start_order(of, agent, of.regimen, "postherpetic neuralgia")
    assert made.code and made.text and made.days == 30 and made.repeats == 0 and made.reason and made.note
    total, rest = Decimal(0), 30
    for step in made.steps:
        days = step.days or rest
        total, rest = total + step.amount * step.times * days, rest - days
    assert rest == 0 and made.quantity == total
    drug = as_medication(made, TODAY)
    assert drug is not None and drug.drug is not None and drug.drug.has(agent.ingredient)
    doses = FIRST_LINE[agent.ingredient]
    crcl = of.renal.value
    if made.steps[0].mg is not None:
        daily = [step.mg * step.times for step in made.steps if step.mg]
        least, most = doses.minimum_mg(crcl), doses.maximum_mg(crcl)
        assert daily == sorted(set(daily)) and least is not None and most is not None
        assert least <= daily[-1] <= most
        assert daily_dose(drug, agent.ingredient).maximum == daily[-1]
        low = of.aged(65) or (crcl is None or crcl < 60) or len(of.regimen) > 1
        start = doses.low_start_mg if low else doses.start_mg
        assert start is not None and made.steps[0].mg <= start


@pytest.mark.parametrize(
    ("egfr", "daily"), [(60, 900), (59, 400), (30, 400), (29, 200), (15, 200), (14, 100), (None, 900)]
)
def test_gabapentin_follows_the_kidneys(egfr: int | None, daily: int) -> None:
    of = healthy(observations=() if egfr is None else (seen("egfr", egfr),))
    last = start_order(of, SCHEDULES.agents["gabapentin"], ()).steps[-1]
    assert last.mg is not None and last.mg * last.times == daily


@pytest.mark.parametrize(
    ("fields", "situation"),
    [({}, "usual"), ({"age": 65}, "careful"), ({"age": 64}, "usual"), ({"patient": Patient()}, "careful"),
     ({"observations": (seen("egfr", 59),)}, "careful"), ({"observations": ()}, "careful")],
)  # fmt: skip
def test_who_is_careful_started(fields: dict[str, Any], situation: str) -> None:
    agent = SCHEDULES.agents["nortriptyline"]
    assert schedule_for(healthy(**fields), agent, ()) is agent.schedules[situation]
    sedative = order("z", named("zolpidem"), authored=day(3))
    assert schedule_for(healthy(), agent, (sedative,)) is agent.schedules["careful"]
    assert schedule_for(healthy(), agent, (opioid(),)) is agent.schedules["careful"]


def test_there_is_no_step_above_the_last() -> None:
    running = order("old", named("duloxetine"), a_day(60), authored=day(3))
    of = healthy()
    assert next_step_order(of, SCHEDULES.agents["duloxetine"], running, Decimal(60), ()) is None
    raised = next_step_order(of, SCHEDULES.agents["duloxetine"], running, Decimal(30), ())
    assert raised is not None and raised.quantity == 60 and dose_in_words(raised) == "60 mg a day"


def test_a_patch_is_told_by_its_count() -> None:
    made = start_order(healthy(), SCHEDULES.agents["lidocaine_patch"], ())
    assert dose_in_words(made) == "up to 3 patches" and made.quantity == 90
    assert made.steps[0].fewest == 1 and made.steps[0].amount == 3


def test_a_procedure_is_no_medication() -> None:
    assert as_medication(capsaicin_order("pain", False), TODAY) is None


def test_an_unknown_product_is_still_the_ingredient() -> None:
    plain = PlainOrder("medication", "unheard of", None, None, ingredient="naloxone", prior="MedicationRequest/1")
    made = as_medication(plain, TODAY)
    assert made is not None and made.drug is not None and made.drug.name == "naloxone"
    assert made.follows == {"MedicationRequest/1"}


def test_the_door_of_the_types_is_alternatives() -> None:
    assert alternatives.PlainOrder is PlainOrder and alternatives.Proposal is Proposal


def test_a_share_that_two_findings_ask_for_is_reviewed_once() -> None:
    drafted = healthy(drafts=[draft("draft", tablet("oxycodone 5"), a_day(2, 2, "tablet"))])
    findings = (finding("DD-01", "half_dose", group="sedation"), finding("DD-26", "start_dose", group="dose"))
    cases: list[Case] = []
    told = propose(drafted, findings, watching(cases))
    assert [p.update for p in told.by_group["sedation"]] == [p.update for p in told.by_group["dose"]]
    assert len(cases) == 1
