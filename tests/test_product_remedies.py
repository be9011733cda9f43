"""The same drug in another order: immediate release, the opioid alone, a lower gabapentinoid, a taper."""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import pytest

from cds.alternatives import Proposal, propose
from cds.case import Case
from cds.chart import Dosage, MedicationOrder, Quantity
from cds.dose import daily_dose, mme_sum
from cds.drugs import Drug, recognise
from cds.findings import Finding
from cds.first_line import FIRST_LINE
from cds.opioid_orders import immediate_release_orders, taper_cut, taper_order
from cds.orders import PROPOSED, as_medication
from cds.products import PRODUCTS, products_of
from cds.schedules import SCHEDULES
from cds.scope import is_rescue
from cds.supporting_orders import rescue_order
from cds.terminology import Concept
from tests.builders import TODAY, a_day, dispense, draft, order, seen, statement, tablet
from tests.test_alternatives import DRAFT, finding, silent
from tests.test_offer import NEURALGIA, healthy, named

HERE = "MedicationRequest/"


def told(of: Case, *findings: Finding, assess: Any = silent) -> tuple[list[Proposal], str]:
    """What is proposed for these findings of the safety group, and what the card says."""
    made = propose(of, findings, assess)
    return list(made.by_group.get("safety", ())), " ".join(made.notes.get("safety", ()))


def asked(ask: str, rule: str = "SAF-12", **fields: Any) -> Finding:
    return finding(rule, ask, group="safety", **fields)


def finding_of(rule: str, holds: Any) -> Any:
    """A review that finds this rule, about the proposed order, wherever the case is such."""

    def assess(other: Case, groups: Collection[str] = ()) -> Sequence[Finding]:
        return (finding(rule, group="dose", order=PROPOSED),) if holds(other) else ()

    return assess


# Immediate release


def slow(name: str = "oxycodone", **fields: Any) -> MedicationOrder:
    fields = {"reasons": (NEURALGIA,), "supply_days": Decimal(30)} | fields
    return draft("draft", named(name, route="oral", release="ER"), a_day(20, 2), **fields)


def test_an_extended_release_draft_gives_way_to_the_lowest_dose_of_immediate_release() -> None:
    made, said = told(healthy(drafts=[slow()]), asked("ir_instead"))
    assert [(p.ask, p.delete) for p in made] == [("ir_instead", DRAFT)] and not said
    assert made[0].label == (
        "Oxycodone immediate release, 1 tablet (5 mg) every 6 hours as needed for pain, 7 days, "
        "instead of extended-release oxycodone"
    )
    given = made[0].create
    assert given is not None and (given.code, given.quantity, given.days, given.repeats) == ("1049621", 28, 7, 0)
    assert given.reason == "postherpetic neuralgia" and "Review" in (given.note or "") and given.prior is None
    assert told(healthy(drafts=[slow(reasons=())]), asked("ir_instead"))[0][0].create is not None


@pytest.mark.parametrize("name", SCHEDULES.first_doses)
def test_the_lowest_first_doses_stay_below_50_mme(name: str) -> None:
    for made in immediate_release_orders(healthy(), name, None):
        read = as_medication(made, TODAY)
        assert read is not None and read.drug is not None and read.drug.names == {name} and read.drug.release == "IR"
        total = mme_sum([read]).total
        assert total is not None and total < 50
        assert made.quantity == made.quantity.to_integral_value() if made.quantity else False


def test_an_opioid_without_a_product_of_immediate_release_alone_is_said() -> None:
    made, said = told(healthy(drafts=[slow("hydrocodone")]), asked("ir_instead"))
    assert made == [] and said == "No product of hydrocodone alone with immediate release is known here."
    patch = draft("draft", named("fentanyl", route="transdermal", release="TD"), a_day(1))
    assert told(healthy(drafts=[patch]), asked("ir_instead")) == ([], "")


def test_a_patch_of_an_opioid_that_has_tablets_is_named_as_a_patch() -> None:
    patch = draft("draft", named("oxycodone", route="transdermal", release="TD"), a_day(1))
    made, _ = told(healthy(drafts=[patch]), asked("ir_instead"))
    assert made[0].label.endswith("instead of a oxycodone patch")


def test_immediate_release_takes_the_place_of_nothing_else() -> None:
    both = tablet("morphine 20", "oxycodone 5", release="ER")
    for other in (
        slow(status="stopped"),
        draft("draft", None),
        draft("draft", both),
        draft("draft", tablet("oxycodone 5")),
    ):
        assert told(healthy(drafts=[other]), asked("ir_instead")) == ([], "")
    taken = order("old", named("oxycodone", route="oral", release="ER"), a_day(20, 2), authored=TODAY, supply_days=60)
    long = dispense("was", named("oxycodone", route="oral", release="ER"), 40, 40, a_day(20, 2))
    made, said = told(healthy(taken, long, drafts=[slow()]), asked("ir_instead"))
    assert made == [] and "do not stop it abruptly" in said


def test_half_a_tablet_where_the_whole_is_too_much_to_start() -> None:
    def too_much(other: Case) -> bool:
        return (daily_dose(other.drafts[0], "oxycodone").single or 0) > Decimal("2.5")

    made, _ = told(healthy(drafts=[slow()]), asked("ir_instead"), assess=finding_of("DD-26", too_much))
    assert "0.5 tablets (2.5 mg)" in made[0].label
    before = finding("DD-26", group="dose")
    made, _ = told(healthy(drafts=[slow()]), asked("ir_instead"), before, assess=finding_of("DD-26", too_much))
    assert "0.5 tablets (2.5 mg)" in made[0].label and made[0].create is not None and made[0].create.quantity == 14
    always = finding_of("DD-26", lambda other: True)
    made, said = told(healthy(drafts=[slow()]), asked("ir_instead"), before, assess=always)
    assert made == [] and said.startswith("Immediate-release oxycodone is not proposed: DD-26")


@pytest.mark.parametrize("known", [(), (finding("DD-01", group="sedation"),)])
def test_an_opioid_that_anything_warns_of_is_not_put_forward_though_the_draft_is_warned_of_as_well(known: Any) -> None:
    made, said = told(healthy(drafts=[slow()]), asked("ir_instead"), *known, assess=finding_of("DD-01", lambda _: True))
    assert made == [] and "DD-01" in said


def test_where_naloxone_alone_is_missing_it_stands_beside_the_opioid() -> None:
    missing = finding_of("SAF-01", lambda other: not any(is_rescue(one) for one in other.drafts))
    made, said = told(healthy(drafts=[slow()]), asked("ir_instead"), assess=missing)
    assert made[0].also == rescue_order() and made[0].label.endswith("oxycodone, with naloxone") and not said


def test_what_the_review_objects_to_is_said() -> None:
    made, said = told(healthy(drafts=[slow()]), asked("ir_instead"), assess=finding_of("DD-01", lambda other: True))
    assert made == [] and said == "Immediate-release oxycodone is not proposed: DD-01, opioid with a benzodiazepine."


def test_the_order_in_the_place_of_a_renewal_names_what_it_renews() -> None:
    old = order("old", named("oxycodone", route="oral", release="ER"), a_day(20, 2), authored=TODAY, supply_days=7)
    renewed = healthy(old, drafts=[slow(follows=frozenset({HERE + "old"}))])
    made, _ = told(renewed, asked("ir_instead"))
    assert made[0].create is not None and made[0].create.prior == HERE + "old"
    reported = statement("old", named("oxycodone", route="oral", release="ER"), a_day(20, 2))
    linked = healthy(reported, drafts=[slow(follows=frozenset({"MedicationStatement/old"}))])
    assert told(linked, asked("ir_instead"))[0] == []


# The opioid alone


def percocet(*dosages: Dosage, name: str = "oxycodone 5", **fields: Any) -> MedicationOrder:
    drug = tablet("acetaminophen 325", name)
    fields = {"supply_days": Decimal(10), "reasons": (NEURALGIA,)} | fields
    return draft("draft", drug, *(dosages or (a_day(1, 4, "tablet", as_needed=True),)), **fields)


def a_tablet(frequency: Decimal, period: Decimal) -> Dosage:
    one = Quantity(Decimal(1), "tablet")
    return Dosage(dose_low=one, dose_high=one, frequency=frequency, period=period)


def opioid_only(made: MedicationOrder, assess: Any = silent) -> tuple[list[Proposal], str]:
    return told(healthy(drafts=[made]), asked("opioid_only", "DD-22"), assess=assess)


def test_a_combination_gives_way_to_the_same_opioid_alone() -> None:
    made, said = opioid_only(percocet())
    assert not said and [(p.ask, p.delete) for p in made] == [("opioid_only", DRAFT)]
    assert made[0].label == (
        "Oxycodone without acetaminophen: 1 tablet (5 mg) four times a day as needed for pain, "
        "instead of oxycodone / acetaminophen"
    )
    given = made[0].create
    assert given is not None and (given.code, given.days, given.quantity, given.repeats) == ("1049621", 10, 40, 0)
    read = as_medication(given, TODAY)
    assert read is not None and daily_dose(read, "oxycodone").maximum == 20
    assert read.drug is not None and not read.drug.has("acetaminophen")


def test_a_range_keeps_its_doses_and_its_longest_interval() -> None:
    one, two = Quantity(Decimal(1), "tablet"), Quantity(Decimal(2), "tablet")
    sig = Dosage(
        dose_low=one, dose_high=two, frequency=Decimal(1), period=Decimal(4) / 24, period_max=Decimal("0.25"),
        as_needed=True,
    )  # fmt: skip
    made, _ = opioid_only(percocet(sig))
    given = made[0].create
    assert given is not None and given.steps[0].text == (
        "1 to 2 tablets (5 to 10 mg) by mouth every 6 hours as needed for pain"
    )
    assert (given.steps[0].fewest, given.steps[0].amount, given.steps[0].period_hours) == (1, 2, 6)


@pytest.mark.parametrize(
    ("timing", "text"),
    [
        ({"frequency": Decimal(1), "period": Decimal("0.5")}, "every 12 hours"),
        ({"times_of_day": 3}, "three times a day"),
        ({"when": 1}, "once a day"),
        ({"frequency": Decimal(6), "period": Decimal(1)}, "6 times a day"),
    ],
)
def test_every_timing_in_numbers_is_kept(timing: dict[str, Any], text: str) -> None:
    tablets = Quantity(Decimal(1), "tablet")
    made, _ = opioid_only(percocet(Dosage(dose_low=tablets, dose_high=tablets, **timing), supply_days=None))
    given = made[0].create
    assert given is not None and given.steps[0].text == f"1 tablet (5 mg) by mouth {text}" and given.days == 7


@pytest.mark.parametrize(
    "dosages",
    [
        (Dosage(text="1 tab q6h prn"),),
        (Dosage(frequency=Decimal(4), period=Decimal(1)),),
        (a_day(5, 4, "mg"),),
        (a_day(1, 4, "tablet", max_dose=Quantity(Decimal(3), "tablet")),),
        (a_day(1, 4, "tablet", max_single=Quantity(Decimal(1), "tablet")),),
        (a_day(1, 4, "tablet", days_of_week=3),),
        (a_day(1, 4, "tablet", rate=Quantity(Decimal(1), "mL/h")),),
        (a_day(1, 1, "tablet"), a_day(2, 1, "tablet")),
        (a_tablet(Decimal("1.5"), Decimal(1)),),
        (a_tablet(Decimal(1), Decimal(3)),),
        (a_tablet(Decimal(2), Decimal("0.5")),),
        (a_tablet(Decimal(1), Decimal("0.01")),),
    ],
)  # fmt: skip
def test_a_dosage_that_cannot_be_rewritten_is_left_to_the_prescriber(dosages: tuple[Dosage, ...]) -> None:
    made, said = opioid_only(percocet(*dosages))
    assert made == [] and said == "Consider oxycodone without acetaminophen: this order could not be rewritten."


def test_where_there_is_no_such_product_it_is_said() -> None:
    vicodin = recognise(Concept((), "Acetaminophen 325 MG / Hydrocodone Bitartrate 5 MG Oral Tablet"))
    made, said = opioid_only(draft("draft", vicodin, a_day(1, 4, "tablet")))
    assert made == [] and said == "No product of hydrocodone in this strength without acetaminophen is known here."
    solution = tablet("acetaminophen 65", "oxycodone 1", unit="MG/ML")
    retarded = tablet("acetaminophen 325", "oxycodone 7.5", release="ER")
    both = tablet("oxycodone 5", "morphine 5", "acetaminophen 325")
    for drug in (solution, retarded, both):
        assert opioid_only(draft("draft", drug, a_day(1, 4, "tablet")))[0] == []


def test_the_opioid_alone_takes_the_place_of_a_combination_with_an_opioid_only() -> None:
    butalbital = draft("draft", tablet("acetaminophen 325", "butalbital 50"), a_day(1, 4, "tablet"))
    others = (percocet(status="stopped"), draft("draft", None), draft("draft", tablet("oxycodone 5")), butalbital)
    assert all(opioid_only(other) == ([], "") for other in others)


def test_the_opioid_alone_is_reviewed_again() -> None:
    made, said = opioid_only(percocet(reasons=()), finding_of("SAF-14", lambda other: True))
    assert made == [] and said.startswith("Oxycodone without acetaminophen is not proposed: SAF-14")


# A lower gabapentinoid


def lowered(*taken: MedicationOrder, egfr: int | None = 90, assess: Any = silent) -> tuple[list[Proposal], str]:
    observations = () if egfr is None else (seen("egfr", egfr),)
    return told(healthy(*taken, observations=observations), asked("lower_gabapentinoid", "DD-02"), assess=assess)


def taking(name: str, *dosages: Dosage, **fields: Any) -> MedicationOrder:
    fields = {"authored": TODAY, "supply_days": 60} | fields
    return order("old", named(name, route="oral", **fields.pop("drug", {})), *dosages, **fields)


@pytest.mark.parametrize(
    ("name", "taken", "egfr", "daily"),
    [
        ("gabapentin", 3600, 90, 1800),
        ("gabapentin", 1800, 90, 900),
        ("gabapentin", 1200, 90, 900),
        ("gabapentin", 900, 90, None),
        ("gabapentin", 1800, 59, 800),
        ("gabapentin", 1800, 29, 600),
        ("gabapentin", 600, 14, 300),
        ("gabapentin", 200, 29, None),
        ("pregabalin", 600, 90, 300),
        ("pregabalin", 300, 90, 150),
        ("pregabalin", 150, 90, None),
        ("pregabalin", 300, 45, 150),
    ],
)
def test_a_gabapentinoid_is_halved_but_not_below_its_minimum(
    name: str, taken: int, egfr: int, daily: int | None
) -> None:
    made, said = lowered(taking(name, a_day(taken)), egfr=egfr)
    assert not said
    if daily is None:
        assert made == []
        return
    given = made[0].create
    assert made[0].label == f"Lower {name} to {daily} mg a day; stop its old order" and made[0].delete is None
    assert given is not None and given.prior == HERE + "old" and "stop that one" in (given.note or "")
    last = given.steps[-1]
    assert last.mg is not None and last.mg * last.times == daily
    doses = FIRST_LINE[name]
    least = doses.minimum_mg(Decimal(egfr))
    assert least is not None and least <= daily < taken
    falling = [step.mg * step.times for step in given.steps if step.mg]
    assert falling == sorted(falling, reverse=True) and max(falling) < taken
    read = as_medication(given, TODAY)
    assert read is not None and read.follows == {HERE + "old"} and given.days == 30
    assert given.quantity == sum(
        step.amount * step.times * (step.days or 30 - 7 * (len(falling) - 1)) for step in given.steps
    )


def test_a_week_half_way_is_put_between_where_the_capsules_allow_it() -> None:
    given = lowered(taking("gabapentin", a_day(3600)))[0][0].create
    assert given is not None and [step.text for step in given.steps] == [
        "3 capsules (900 mg) by mouth three times a day for 7 days",
        "then 2 capsules (600 mg) by mouth three times a day",
    ]


def test_no_lower_gabapentinoid_where_it_cannot_be_one_order_in_the_place_of_one() -> None:
    assert lowered() == ([], "")
    assert lowered(taking("gabapentin", a_day(1800)), order("b", named("pregabalin"), a_day(300))) == ([], "")
    assert lowered(statement("old", named("gabapentin", route="oral"), a_day(1800))) == ([], "")
    assert lowered(taking("mirogabalin", a_day(15))) == ([], "")
    assert lowered(taking("gabapentin", Dosage(text="as directed"))) == ([], "")
    assert lowered(taking("gabapentin", a_day(1800), drug={"release": "ER"})) == ([], "")


def test_a_lower_gabapentinoid_waits_for_the_kidneys_and_for_its_review() -> None:
    made, said = lowered(taking("gabapentin", a_day(1800)), egfr=None)
    assert made == [] and said.startswith("A lower dose of gabapentin is not proposed while this is not known: ")
    made, said = lowered(taking("gabapentin", a_day(1800)), assess=finding_of("DD-05", lambda other: True))
    assert made == [] and said.startswith("A lower dose of gabapentin is not proposed: DD-05, three or more")


# Tapers


def oxycodone(mg: int) -> Drug:
    drug = recognise(Concept((), f"Oxycodone Hydrochloride {mg} MG Oral Tablet"))
    assert drug is not None
    return drug


def long_taken(drug: Drug | None, *dosages: Dosage, ref: str = "old", **fields: Any) -> MedicationOrder:
    return order(ref, drug, *(dosages or (a_day(1, 4, "tablet"),)), **{"authored": TODAY, "supply_days": 60} | fields)


def tapered(
    old: MedicationOrder, *others: MedicationOrder, rule: str = "SAF-16", assess: Any = silent
) -> tuple[list[Proposal], str]:
    """What is proposed where a draft stops this order."""
    stop = draft("draft", old.drug, status="stopped", follows=frozenset({old.ref}))
    return told(healthy(old, *others, drafts=[stop]), asked("taper", rule), assess=assess)


def test_a_stop_gives_way_to_the_first_weeks_of_a_taper() -> None:
    made, said = tapered(long_taken(oxycodone(30)))
    assert not said and [(p.ask, p.delete, p.also) for p in made] == [("taper", DRAFT, None)]
    assert made[0].label == "Taper oxycodone instead: 5.5 tablets (27.5 mg) four times a day first"
    given = made[0].create
    assert given is not None and [(step.mg, step.days) for step in given.steps] == [(Decimal("27.5"), 14), (25, 14)]
    assert (given.prior, given.days, given.repeats, given.quantity) == (HERE + "old", 28, 0, 588)
    assert "Go on by 10 %" in (given.note or "")


def test_one_step_of_four_weeks_where_the_tablets_allow_no_second() -> None:
    slow_morphine = recognise(Concept((), "morphine sulfate 100 MG Extended Release Oral Tablet"))
    made, _ = tapered(long_taken(slow_morphine, a_day(1, 2, "tablet")))
    given = made[0].create
    assert given is not None and [(step.mg, step.days) for step in given.steps] == [(90, 28)] and given.quantity == 168
    as_needed = taper_order(healthy(), long_taken(oxycodone(30), a_day(1, 4, "tablet", as_needed=True)))
    assert as_needed is not None and as_needed.steps[0].as_needed == "pain"


@pytest.mark.parametrize(
    ("drug", "dosages", "words"),
    [
        (oxycodone(10), (), "by 4 mg a day (10 % of the dose at the start)"),
        (oxycodone(30), (Dosage(text="as directed"),), "by 10 % of the dose at the start"),
        (oxycodone(30), (a_day(1, 2, "tablet"), a_day(2, 1, "tablet")), "by 12 mg a day"),
        (tablet("oxycodone 30", "acetaminophen 325"), (), "by 12 mg a day"),
        (oxycodone(30), (Dosage(frequency=Decimal(4), period=Decimal(1)),), "by 10 % of the dose at the start"),
        (oxycodone(30), (a_day(1, 4, "tablet", frequency_max=Decimal(6)),), "by 18 mg a day"),
        (named("fentanyl", route="transdermal", release="TD"), (a_day(1),), "Taper fentanyl by"),
    ],
)  # fmt: skip
def test_where_the_tablets_do_not_allow_it_the_taper_is_told(
    drug: Drug, dosages: tuple[Dosage, ...], words: str
) -> None:
    made, said = tapered(long_taken(drug, *dosages))
    assert made == [] and words in said and said.endswith("every 1 to 4 weeks, by agreement; never abruptly.")


def test_a_taper_that_calls_for_naloxone_brings_it() -> None:
    def unprotected(other: Case) -> bool:
        return not any(d.drug is not None and d.drug.has("naloxone") for d in other.drafts)

    made, _ = tapered(long_taken(oxycodone(30)), assess=finding_of("SAF-01", unprotected))
    assert made[0].label.endswith("first, with naloxone")
    assert made[0].also is not None and made[0].also.ingredient == "naloxone"
    made, said = tapered(long_taken(oxycodone(30)), assess=finding_of("SAF-01", lambda other: True))
    assert made == [] and said.startswith("Taper oxycodone by 12 mg a day")
    made, _ = tapered(long_taken(oxycodone(30)), assess=finding_of("DD-24", lambda other: True))
    assert made == []


def test_a_taper_by_agreement_is_text_and_so_is_that_of_several_orders_or_of_a_report() -> None:
    assert tapered(long_taken(oxycodone(30)), rule="SAF-09")[0] == []
    reported = statement("old", oxycodone(30), a_day(1, 4, "tablet"))
    made, said = tapered(reported)
    assert made == [] and "by 12 mg a day" in said
    two = (long_taken(oxycodone(30)), long_taken(oxycodone(5), ref="b"))
    stop = draft("draft", oxycodone(30), status="stopped", follows=frozenset(one.ref for one in two))
    made, said = told(healthy(*two, drafts=[stop]), asked("taper", "SAF-16"))
    assert made == [] and "by 12 mg a day" in said and "by 2 mg a day" in said


def test_an_opioid_that_goes_on_is_tapered_by_its_own_dose_and_another_drug_not_at_all() -> None:
    made, said = told(
        healthy(drafts=[long_taken(oxycodone(30), ref="draft", status="draft")]), asked("taper", "SAF-09")
    )
    assert made == [] and "by 12 mg a day" in said
    naltrexone = draft("draft", named("naltrexone"))
    assert told(healthy(drafts=[naltrexone]), asked("taper", "SAF-09")) == ([], "")
    assert taper_cut(naltrexone) is None


def test_products_are_found_by_what_they_hold() -> None:
    tablets = products_of("oxycodone", "IR")
    assert [product.mg for product in tablets][:5] == [30, 20, 15, 15, 10] and tablets[-1].unit == "capsule"
    assert all(product.generic and product.ingredient == "oxycodone" for product in tablets)
    assert PRODUCTS["898715"].unit == "" and products_of("fentanyl", "TD") == ()
