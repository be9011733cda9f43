"""Naive or tolerant, established or new, rising or unchanged, continued or not (CLINICAL.md sections 1 and 13)."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from cds.case import Case
from cds.chart import Dosage, MedicationOrder
from cds.course import continuation, dose_change, established, naive, tolerant
from cds.drugs import Drug
from tests.builders import TODAY, a_day, case, chart, day, dispense, draft, drug, order, statement, tablet

OXYCODONE = tablet("oxycodone 5")
MORPHINE = tablet("morphine 15")
MORPHINE_ER = tablet("morphine 30", release="ER")
TRAMADOL = tablet("tramadol 50")
CODEINE = tablet("codeine 30")
ALPRAZOLAM = tablet("alprazolam 1")
PATCH = drug("fentanyl 0.025", unit="MG/HR", form="patch", route="transdermal", release="TD")
AS_DIRECTED = Dosage(text="as directed")

DRAFT = draft("new", OXYCODONE, a_day(5, 4))


def of(*medications: MedicationOrder, new: MedicationOrder | list[MedicationOrder] = DRAFT, **fields: object) -> Case:
    return case(new, *medications, **fields)


# Naive


@pytest.mark.parametrize(("days", "expected"), [(6, True), (7, False)])
def test_naive_below_7_of_30_days(days: int, expected: bool) -> None:
    assert naive(of(dispense("d", OXYCODONE, 20, days))) is expected


@pytest.mark.parametrize(("ago", "expected"), [(6, False), (5, True)])
def test_today_is_one_of_the_days(ago: int, expected: bool) -> None:
    assert naive(of(order("a", OXYCODONE, authored=day(ago)))) is expected


@pytest.mark.parametrize(("ago", "expected"), [(35, True), (34, False)])
def test_only_the_last_30_days_count(ago: int, expected: bool) -> None:
    # Twelve days, of which the last is 24 or 23 days ago: six or seven of the thirty.
    assert naive(of(dispense("d", OXYCODONE, ago, 12))) is expected


def test_days_of_two_opioids_add_up_and_no_other_drug_counts() -> None:
    assert naive(of(dispense("d", OXYCODONE, 25, 4), dispense("e", CODEINE, 10, 3))) is False
    assert naive(of(dispense("d", OXYCODONE, 25, 4), dispense("e", CODEINE, 24, 4))) is True
    assert naive(of(dispense("d", ALPRAZOLAM, 25, 20), dispense("e", drug("loperamide"), 25, 20))) is True


def test_naive_is_not_known_without_a_history_but_known_facts_decide() -> None:
    assert naive(of(questions={})) is None
    assert naive(of(dispense("d", OXYCODONE, 25, 20), questions={})) is False
    assert naive(of()) is True


def test_what_was_stopped_within_its_supply_was_taken_nobody_knows_how_long() -> None:
    stopped = order("a", OXYCODONE, a_day(5, 12), authored=day(60), status="stopped", supply_days=Decimal(90))
    assert naive(of(stopped)) is None
    assert tolerant(of(stopped)) is None
    renewed = order("b", OXYCODONE, a_day(5, 12), authored=day(20), supply_days=Decimal(30))
    assert naive(of(stopped, renewed)) is False
    assert tolerant(of(stopped, renewed)) is True
    assert not continuation(of(stopped, new=DRAFT), DRAFT)
    assert naive(of(replace(stopped, end=day(40)))) is True


def test_a_stopped_order_of_another_opioid_is_not_ended_by_the_next() -> None:
    stopped = order("a", OXYCODONE, a_day(5, 12), authored=day(60), status="stopped", supply_days=Decimal(90))
    other = order("b", CODEINE, a_day(30, 2), authored=day(20), supply_days=Decimal(3))
    assert tolerant(of(stopped, other)) is None


def test_naive_is_not_known_where_an_active_opioid_has_no_length() -> None:
    assert naive(of(order("a", OXYCODONE, authored=None))) is None
    assert naive(of(dispense("d", OXYCODONE, 20, None))) is None
    assert naive(of(order("a", OXYCODONE, status="completed", authored=day(20)))) is True


# Tolerant


def by_the_clock(what: Drug, dose: float, times: int = 1, ago: int = 7, unit: str = "mg", **fields) -> MedicationOrder:
    return order("a", what, a_day(dose, times, unit=unit, **fields), authored=day(ago))


@pytest.mark.parametrize(
    ("what", "dose", "unit", "expected"),
    [
        (MORPHINE_ER, 60, "mg", True),
        (MORPHINE_ER, "59.9", "mg", False),
        (OXYCODONE, 30, "mg", True),
        (OXYCODONE, "29.9", "mg", False),
        (tablet("hydromorphone 2"), 8, "mg", True),
        (tablet("hydromorphone 2"), "7.9", "mg", False),
        (PATCH, 1, "patch", True),
        (drug("fentanyl 0.012", unit="MG/HR", form="patch", route="transdermal", release="TD"), 1, "patch", False),
        (TRAMADOL, 300, "mg", True),
        (TRAMADOL, 299, "mg", False),
    ],
)
def test_tolerant_at_the_dose(what: Drug, dose: float, unit: str, expected: bool) -> None:
    assert tolerant(of(by_the_clock(what, dose, unit=unit))) is expected


@pytest.mark.parametrize(("ago", "expected"), [(5, False), (6, True), (7, True)])
def test_tolerant_on_each_of_7_days(ago: int, expected: bool) -> None:
    assert tolerant(of(by_the_clock(MORPHINE_ER, 60, ago=ago))) is expected


@pytest.mark.parametrize(("ended", "expected"), [(0, True), (1, True), (2, False)])
def test_a_supply_that_ended_yesterday_still_covers_the_week(ended: int, expected: bool) -> None:
    fill = dispense("d", MORPHINE_ER, 29 + ended, 30, a_day(60))
    assert tolerant(of(fill)) is expected


def test_an_order_stopped_for_a_switch_still_covered_the_week() -> None:
    stopped = order("a", MORPHINE_ER, a_day(60), status="stopped", authored=day(40), end=day(1))
    assert tolerant(of(stopped)) is True


def test_two_opioids_add_up_in_mme_and_two_sources_do_not() -> None:
    morphine, oxycodone = by_the_clock(MORPHINE_ER, 30), order("b", OXYCODONE, a_day(20), authored=day(30))
    assert tolerant(of(morphine, oxycodone)) is True
    assert tolerant(of(morphine, dispense("d", MORPHINE_ER, 7, 30))) is False
    assert tolerant(of(morphine, statement("s", MORPHINE_ER, a_day(30), start=day(20)))) is False


def test_a_dose_only_reached_as_needed_leaves_it_open() -> None:
    assert tolerant(of(by_the_clock(MORPHINE, 15, 4, as_needed=True))) is None
    assert tolerant(of(by_the_clock(MORPHINE, 15, 3, as_needed=True))) is False
    assert tolerant(of(by_the_clock(tablet("hydromorphone 2"), 2, 4, as_needed=True))) is None


def test_a_dose_that_is_not_known_leaves_it_open() -> None:
    assert tolerant(of(order("a", MORPHINE, AS_DIRECTED, authored=day(9)))) is None
    late = order("a", MORPHINE, AS_DIRECTED, authored=day(3))
    assert tolerant(of(late)) is False
    enough = by_the_clock(MORPHINE_ER, 60)
    assert tolerant(of(enough, order("b", OXYCODONE, AS_DIRECTED, authored=day(9)))) is True


def test_tolerance_is_not_known_without_a_history_or_dates() -> None:
    assert tolerant(of(questions={})) is None
    assert tolerant(of(by_the_clock(MORPHINE_ER, 60), questions={})) is True
    assert tolerant(of(order("a", MORPHINE_ER, a_day(60), authored=None))) is None
    assert tolerant(of()) is False


# Change of dose


def change(old: Dosage | None, new: Dosage, what: Drug = OXYCODONE) -> str:
    drafted = draft("new", what, new)
    listed = () if old is None else (order("old", what, old, authored=day(20)),)
    return dose_change(of(*listed, new=drafted), drafted)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, a_day(5), "rises"),
        (a_day(5, 4), a_day(5, 4), "unchanged"),
        (a_day(5, 4), a_day(10, 2), "unchanged"),
        (a_day(5, 4), a_day(5, 5), "rises"),
        (a_day(5, 4), a_day(5, 3), "falls"),
        (AS_DIRECTED, Dosage(text="As  directed"), "unchanged"),
        (AS_DIRECTED, a_day(5), "unknown"),
        (a_day(5), AS_DIRECTED, "unknown"),
    ],
)
def test_change_of_dose(old: Dosage | None, new: Dosage, expected: str) -> None:
    assert change(old, new) == expected


def test_an_order_beside_one_that_is_kept_rises() -> None:
    drafted = draft("new", OXYCODONE, a_day(5), requester="Practitioner/1")
    old = order("old", OXYCODONE, a_day(5), requester="Practitioner/2", authored=day(9))
    assert dose_change(of(old, new=drafted), drafted) == "rises"


def test_all_drafts_and_all_replaced_orders_of_the_drug_count() -> None:
    one, two = draft("b", OXYCODONE, a_day(5)), draft("c", OXYCODONE, a_day(5))
    old = order("a", OXYCODONE, a_day(10), authored=day(9))
    both = of(old, new=[one, two])
    assert (dose_change(both, one), dose_change(both, two)) == ("unchanged", "unchanged")
    three = [one, two, draft("d", OXYCODONE, a_day(5))]
    assert dose_change(case(three, old), one) == "rises"


def test_stopping_falls() -> None:
    stop = order("a", OXYCODONE, a_day(10), status="stopped")
    assert dose_change(of(order("a", OXYCODONE, a_day(10), authored=day(9)), new=stop), stop) == "falls"


def test_fewer_orders_of_unknown_dose_fall() -> None:
    drafted = draft("c", OXYCODONE, AS_DIRECTED)
    old = [order(ref, OXYCODONE, AS_DIRECTED, authored=day(9)) for ref in "ab"]
    assert dose_change(of(*old, new=drafted), drafted) == "falls"


def test_units_that_differ_are_not_known() -> None:
    drafted = draft("new", drug("fentanyl"), a_day(1), follows=frozenset({"MedicationRequest/old"}))
    old = order("old", PATCH, a_day(1, unit="patch"), authored=day(9))
    assert dose_change(of(old, new=drafted), drafted) == "unknown"


def test_of_a_combination_the_opioid_counts() -> None:
    five, ten = tablet("oxycodone 5", "acetaminophen 325"), tablet("oxycodone 5", "acetaminophen 500")
    drafted = draft("new", ten, a_day(1, 4, unit="tablet"))
    old = order("old", five, a_day(1, 4, unit="tablet"), authored=day(9))
    assert dose_change(of(old, new=drafted), drafted) == "unchanged"


def test_of_another_combination_every_ingredient_counts() -> None:
    weak, strong = tablet("butalbital 50", "acetaminophen 300"), tablet("butalbital 50", "acetaminophen 325")
    drafted = draft("new", strong, a_day(1, 4, unit="tablet"))
    old = order("old", weak, a_day(1, 4, unit="tablet"), authored=day(9))
    assert dose_change(of(old, new=drafted), drafted) == "rises"
    back = draft("new", weak, a_day(1, 4, unit="tablet"))
    assert dose_change(of(order("old", strong, a_day(1, 4, unit="tablet")), new=back), back) == "falls"


def test_a_cream_does_not_change_the_tablets() -> None:
    cream = draft("new", drug("diphenhydramine", route="topical"), a_day(5))
    assert dose_change(of(order("old", tablet("diphenhydramine 25"), a_day(50)), new=cream), cream) == "rises"


def test_an_unrecognised_draft() -> None:
    drafted = draft("a", None, a_day(5), name="wonder drug")
    same = order("a", None, a_day(5), name="Wonder drug")
    assert dose_change(of(same, new=drafted), drafted) == "unchanged"
    assert dose_change(of(new=drafted), drafted) == "unknown"
    assert not established(of(same, new=drafted), drafted)


# Established exposure


def opioid(ago: int, dose: Dosage | None = None, **fields) -> MedicationOrder:
    return order("old", OXYCODONE, dose or a_day(5, 4), authored=day(ago), **fields)


def sedative(ago: int, **fields) -> MedicationOrder:
    return order("sedative", ALPRAZOLAM, a_day(1), authored=day(ago), **fields)


@pytest.mark.parametrize(("ago", "expected"), [(88, False), (89, True)])
def test_established_at_90_days_together(ago: int, expected: bool) -> None:
    partner = sedative(ago)
    assert established(of(opioid(300), partner), DRAFT, partner) is expected
    partner = sedative(300)
    assert established(of(opioid(ago), partner), DRAFT, partner) is expected


def test_a_rise_or_an_unknown_change_is_new() -> None:
    partner = sedative(300)
    assert not established(of(opioid(300, a_day(5, 3)), partner), DRAFT, partner)
    assert not established(of(opioid(300, AS_DIRECTED), partner), DRAFT, partner)
    assert established(of(opioid(300, a_day(5, 5)), partner), DRAFT, partner)


def test_a_start_that_is_not_known_is_new() -> None:
    partner = sedative(300)
    undated = order("old", OXYCODONE, a_day(5, 4), authored=None)
    assert not established(of(undated, partner), DRAFT, partner)
    assert not established(of(opioid(300), order("sedative", ALPRAZOLAM, authored=None)), DRAFT, partner)


@pytest.mark.parametrize(("gap", "expected"), [(14, True), (15, False)])
def test_gaps_up_to_14_days_are_joined_but_not_counted(gap: int, expected: bool) -> None:
    # Sixty days, a gap, forty days up to today.
    fills = [dispense("d", OXYCODONE, 99 + gap, 60, a_day(5, 4)), dispense("e", OXYCODONE, 39, 40, a_day(5, 4))]
    partner = sedative(300)
    assert established(of(*fills, partner), DRAFT, partner) is expected
    shorter = [dispense("d", OXYCODONE, 88 + gap, 49, a_day(5, 4)), fills[1]]
    assert not established(of(*shorter, partner), DRAFT, partner)


def test_a_partner_that_is_a_draft_must_itself_be_old_and_not_rise() -> None:
    renewed = draft("again", ALPRAZOLAM, a_day(1))
    raised = draft("again", ALPRAZOLAM, a_day(2))
    first = draft("again", tablet("diazepam 5"), a_day(5))
    assert established(case([DRAFT, renewed], opioid(300), sedative(300)), DRAFT, renewed)
    assert not established(case([DRAFT, raised], opioid(300), sedative(300)), DRAFT, raised)
    assert not established(case([DRAFT, first], opioid(300), sedative(300)), DRAFT, first)


def test_a_partner_that_is_not_recognised_is_new() -> None:
    partner = order("x", None, authored=day(300))
    assert not established(of(opioid(300), partner), DRAFT, partner)


def test_without_a_partner_only_days_at_this_dose_count() -> None:
    assert established(of(opioid(89)), DRAFT)
    assert not established(of(opioid(88)), DRAFT)
    lower = order("older", OXYCODONE, a_day(5, 2), status="stopped", authored=day(300), end=day(41))
    assert not established(of(lower, opioid(40)), DRAFT)
    higher = order("older", OXYCODONE, a_day(5, 5), status="stopped", authored=day(300), end=day(41))
    assert established(of(higher, opioid(40)), DRAFT)
    unknown = order("older", OXYCODONE, AS_DIRECTED, status="stopped", authored=day(300), end=day(41))
    assert not established(of(unknown, opioid(40)), DRAFT)


def test_the_same_words_are_the_same_dose() -> None:
    drafted = draft("new", OXYCODONE, AS_DIRECTED)
    assert established(of(opioid(100, AS_DIRECTED), new=drafted), drafted)


def test_every_ingredient_of_a_combination_must_have_been_taken() -> None:
    both = tablet("butalbital 50", "acetaminophen 300")
    drafted = draft("new", both, a_day(1, unit="tablet"))
    old = order("old", both, a_day(1, unit="tablet"), authored=day(100))
    assert established(of(old, new=drafted), drafted)
    alone = order("alone", tablet("butalbital 50"), a_day(50), status="stopped", authored=day(300), end=day(51))
    recent = order("old", both, a_day(1, unit="tablet"), authored=day(50))
    assert not established(of(alone, recent, new=drafted), drafted)


# Continuation


def again(what: Drug, *dosages: Dosage, **fields) -> MedicationOrder:
    return draft("new", what, *dosages, **fields)


def continues(new: MedicationOrder, *old: MedicationOrder) -> bool:
    return continuation(of(*old, new=new), new)


def taken(what: Drug, *dosages: Dosage, ago: int = 120, **fields) -> MedicationOrder:
    return order("old", what, *dosages, authored=day(ago), **fields)


@pytest.mark.parametrize(("ago", "expected"), [(88, False), (89, True)])
def test_a_continuation_has_90_days_of_supply(ago: int, expected: bool) -> None:
    assert continues(again(OXYCODONE, a_day(5, 4)), taken(OXYCODONE, a_day(5, 4), ago=ago)) is expected


@pytest.mark.parametrize(("ended", "expected"), [(14, True), (15, False)])
def test_a_continuation_follows_within_14_days(ended: int, expected: bool) -> None:
    fill = dispense("d", OXYCODONE, 89 + ended, 90, a_day(5, 4))
    assert continues(again(OXYCODONE, a_day(5, 4)), fill) is expected


@pytest.mark.parametrize(("dose", "expected"), [("25", True), ("25.1", False), ("10", True)])
def test_a_continuation_rises_by_no_more_than_a_quarter(dose: str, expected: bool) -> None:
    assert continues(again(OXYCODONE, a_day(dose)), taken(OXYCODONE, a_day(20))) is expected


def test_another_opioid_of_the_class_by_mme() -> None:
    link = frozenset({"MedicationRequest/old"})
    old = taken(MORPHINE, a_day(15, 4))
    assert continues(again(OXYCODONE, a_day(10, 4), follows=link), old)
    assert continues(again(OXYCODONE, a_day(50), follows=link), old)
    assert not continues(again(OXYCODONE, a_day("50.1"), follows=link), old)
    assert not continues(again(OXYCODONE, a_day(10, 4)), old)


def test_another_opioid_after_a_supply_that_is_over() -> None:
    fill = dispense("d", MORPHINE, 100, 96, a_day(15, 4))
    assert continues(again(OXYCODONE, a_day(10, 4)), fill)
    completed = taken(MORPHINE, a_day(15, 4), ago=100, status="completed", supply_days=96)
    assert continues(again(OXYCODONE, a_day(10, 4)), completed)


def test_weak_to_strong_is_new_however_long_it_was_taken() -> None:
    link = frozenset({"MedicationRequest/old"})
    assert not continues(again(MORPHINE, a_day(5), follows=link), taken(TRAMADOL, a_day(50, 8), ago=300))


def test_strong_to_weak_at_no_higher_mme_continues() -> None:
    link = frozenset({"MedicationRequest/old"})
    old = taken(MORPHINE, a_day(40))
    assert continues(again(TRAMADOL, a_day(50, 4), follows=link), old)
    assert not continues(again(TRAMADOL, a_day(201), follows=link), old)
    assert not continues(again(TRAMADOL, a_day(50, 4)), old)
    assert not continues(again(TRAMADOL, AS_DIRECTED, follows=link), old)
    assert not continues(again(TRAMADOL, a_day(50), follows=link), taken(MORPHINE, a_day(40), ago=50))


def test_weak_to_weak_continues() -> None:
    link = frozenset({"MedicationRequest/old"})
    assert continues(again(CODEINE, a_day(30, 4), follows=link), taken(TRAMADOL, a_day(50, 2)))
    assert not continues(again(CODEINE, a_day(60, 4), follows=link), taken(TRAMADOL, a_day(50, 2)))


def test_doses_that_are_not_known_continue_only_word_for_word() -> None:
    assert continues(again(OXYCODONE, AS_DIRECTED), taken(OXYCODONE, AS_DIRECTED))
    assert not continues(again(OXYCODONE, a_day(5)), taken(OXYCODONE, AS_DIRECTED))
    assert not continues(again(OXYCODONE, Dosage(text="1 tab when needed")), taken(OXYCODONE, AS_DIRECTED))


def test_what_has_no_factor_is_compared_only_with_itself() -> None:
    weekly = drug("buprenorphine 0.01", unit="MG/HR", form="patch", route="transdermal", release="TD")
    patch = a_day(1, unit="patch")
    assert continues(again(weekly, patch), taken(weekly, patch))
    link = frozenset({"MedicationRequest/old"})
    assert not continues(again(weekly, patch, follows=link), taken(MORPHINE, a_day(60)))


def test_a_patch_and_a_tablet_of_one_ingredient_are_not_compared_by_milligrams() -> None:
    lozenge = drug("fentanyl 0.2", form="lozenge", route="transmucosal")
    link = frozenset({"MedicationRequest/old"})
    assert not continues(again(lozenge, a_day("0.2"), follows=link), taken(PATCH, a_day(1, unit="patch")))


def test_what_cannot_be_a_continuation() -> None:
    gabapentin = again(tablet("gabapentin 300"), a_day(300))
    assert not continues(gabapentin, taken(tablet("gabapentin 300"), a_day(300)))
    stop = order("old", OXYCODONE, a_day(5), status="stopped")
    assert not continues(stop, taken(OXYCODONE, a_day(5)))
    assert not continues(again(OXYCODONE, a_day(5)))


def test_nothing_of_a_course_depends_on_the_order_of_arrival() -> None:
    records = (opioid(300), sedative(200), dispense("d", MORPHINE, 20, 10, a_day(15)))
    answers = set()
    for arrived in (records, records[::-1]):
        one = Case([DRAFT], chart(*arrived), TODAY)
        answers.add(
            (naive(one), tolerant(one), dose_change(one, DRAFT), established(one, DRAFT), continuation(one, DRAFT))
        )
    assert len(answers) == 1
