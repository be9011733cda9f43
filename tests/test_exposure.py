"""Supply, spans, what is active, what replaces what (CLINICAL.md sections 5 and 13)."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from random import Random

import pytest
from msgspec.structs import replace

from cds import duplicates
from cds.chart import Dosage, MedicationOrder, Quantity
from cds.exposure import (
    Span,
    active_medications,
    counts,
    recorded_spans,
    replacements,
    replaces,
    span,
    supply_days,
    supply_still_runs,
    taken_on,
)
from tests.builders import TODAY, a_day, day, dispense, draft, drug, order, statement, tablet

OXYCODONE = tablet("oxycodone 5")
OXYCODONE_ER = tablet("oxycodone 20", release="ER")
ALPRAZOLAM = tablet("alprazolam 1")


def count(value: float, unit: str | None = "tablet") -> Quantity:
    return Quantity(Decimal(str(value)), unit)


def active(*medications: MedicationOrder) -> list[str]:
    return [entry.ref.split("/")[1] for entry in active_medications(medications, TODAY)]


@pytest.mark.parametrize(("ended", "last"), [(1, 115), (115, 115), (117, 117)])
@pytest.mark.parametrize("status", ["completed", "stopped"])
def test_the_day_on_which_an_order_was_closed_does_not_lengthen_it(ended: int, last: int, status: str) -> None:
    closed = order("a", OXYCODONE, authored=day(119), end=day(ended), status=status, supply_days=Decimal(5))
    assert span(closed, TODAY) == Span(day(119), day(last))


def test_the_end_of_what_still_runs_or_was_reported_is_its_end() -> None:
    assert span(order("a", OXYCODONE, authored=day(119), end=day(1), supply_days=Decimal(5)), TODAY) == Span(
        day(119), day(1)
    )
    told = statement("s", OXYCODONE, start=day(119), end=day(1), status="completed", supply_days=Decimal(5))
    assert span(told, TODAY) == Span(day(119), day(1))
    assert span(order("a", OXYCODONE, authored=day(9), end=day(1), status="completed"), TODAY) == Span(day(9), day(1))


# Which records count


@pytest.mark.parametrize(
    ("fields", "is_active"),
    [
        ({"authored": day(-1)}, True),  # written east of us, where it is tomorrow already
        ({"authored": day(-2)}, False),
        ({"authored": day(-1), "start": day(-1)}, False),  # said to start tomorrow
        ({"authored": day(0), "start": day(-1)}, False),
        ({"authored": None, "valid_from": day(-1)}, False),
    ],
)
def test_an_order_written_on_tomorrow_is_written_now(fields: dict[str, date | None], is_active: bool) -> None:
    assert bool(active(order("a", OXYCODONE, a_day(5), **fields))) is is_active


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "not-taken", "draft", "declined"])
def test_statuses_that_never_count(status: str) -> None:
    record = order("a", OXYCODONE, status=status)
    assert not counts(record)
    assert span(record, TODAY) is None
    assert active(record) == []


@pytest.mark.parametrize(
    ("intent", "reported", "expected"),
    [
        ("proposal", False, False),
        ("proposal", True, False),
        ("plan", False, False),
        ("plan", True, True),
        ("order", False, True),
        (None, False, True),
    ],
)
def test_a_plan_counts_only_where_it_is_reported(intent: str | None, reported: bool, expected: bool) -> None:
    record = order("a", OXYCODONE, intent=intent, reported=reported)
    assert counts(record) is expected
    assert bool(active(record)) is expected


# Supply


def test_supply_takes_the_repeats() -> None:
    assert supply_days(order("a", OXYCODONE, supply_days=30)) == 30
    assert supply_days(order("a", OXYCODONE, supply_days=30, repeats=2)) == 90
    assert supply_days(order("a", OXYCODONE, supply_days=30, repeats=-3)) == 30


def test_supply_is_no_longer_than_the_validity() -> None:
    fields = {"supply_days": 30, "repeats": 5}
    assert supply_days(order("a", OXYCODONE, valid_from=TODAY, valid_to=day(-59), **fields)) == 60
    assert supply_days(order("a", OXYCODONE, valid_to=day(-59), **fields)) == 60
    assert supply_days(order("a", OXYCODONE, valid_to=day(-300), **fields)) == 180
    assert supply_days(order("a", OXYCODONE, valid_from=TODAY, valid_to=day(3), **fields)) == 180


def test_a_dispense_is_one_fill() -> None:
    assert supply_days(dispense("a", OXYCODONE, 10, 30, repeats=3)) == 30
    by_quantity = dispense("a", OXYCODONE, 10, None, a_day(1, unit="tablet"), quantity=count(30), repeats=3)
    assert supply_days(by_quantity) == 30


@pytest.mark.parametrize(
    ("dosage", "quantity", "days"),
    [
        (a_day(1, 2, unit="tablet"), count(60), 30),
        (a_day(1, 3, unit="tablet"), count(90, None), 30),
        (a_day(2, 3, unit="tablet"), count(60), 10),
        (a_day(5, 2), count(300, "mg"), 30),
        (a_day(5, 2), count("0.3", "g"), 30),
        (a_day(1, 2, unit="tablet"), count(2, "bottle"), None),
        (a_day(1, 2, unit="tablet"), count(0), None),
        (Dosage(text="as directed"), count(60), None),
    ],
)
def test_supply_by_quantity_and_the_most_of_a_day(dosage: Dosage, quantity: Quantity, days: int | None) -> None:
    assert supply_days(order("a", OXYCODONE, dosage, quantity=quantity)) == days


def test_a_quantity_lasts_as_long_as_its_fills() -> None:
    record = order("a", OXYCODONE, a_day(1, 2, unit="tablet"), quantity=count(60), repeats=2)
    assert supply_days(record) == 90


def test_a_quantity_in_mg_of_a_combination_tells_nothing() -> None:
    both = tablet("oxycodone 5", "acetaminophen 325")
    assert supply_days(order("a", both, a_day(5, 2), quantity=count(300, "mg"))) is None


def test_tablets_and_millilitres_are_not_mixed_up() -> None:
    liquid = drug("morphine 2", unit="MG/ML", form="solution", route="oral")
    assert supply_days(order("a", liquid, a_day(10, 3), quantity=count(300, "mL"))) == 20
    assert supply_days(order("a", liquid, a_day(10, 3), quantity=count(1, "each"))) is None
    assert supply_days(order("a", drug("morphine"), a_day(5, 3, unit="mL"), quantity=count(150, "mL"))) == 10
    assert supply_days(order("a", OXYCODONE, a_day(1, 3, unit="tablet"), quantity=count(300, "mL"))) is None


def test_patches_last_as_long_as_they_are_worn() -> None:
    patch = drug("fentanyl 0.025", unit="MG/HR", form="patch", route="transdermal", release="TD")
    one = Quantity(Decimal(1), "patch")
    dosage = Dosage(dose_low=one, dose_high=one, frequency=Decimal(1), period=Decimal(3))
    assert supply_days(order("a", patch, dosage, quantity=count(10, "{patch}"))) == 30


def test_a_quantity_without_drug_or_dosage_tells_nothing() -> None:
    assert supply_days(order("a", None, a_day(1), quantity=count(30))) is None
    assert supply_days(order("a", OXYCODONE, quantity=count(30))) is None


def test_every_eight_hours_is_three_a_day_though_a_third_is_not_exact() -> None:
    amount = Quantity(Decimal(1), "tablet")
    third = Dosage(dose_low=amount, dose_high=amount, frequency=Decimal(1), period=Decimal(1) / 3)
    assert supply_days(order("a", OXYCODONE, third, quantity=count(90))) == 30


def test_an_absurd_quantity_does_not_break_the_calendar() -> None:
    record = order("a", OXYCODONE, a_day(1, unit="tablet"), quantity=Quantity(Decimal(10) ** 14, "tablet"))
    assert span(record, TODAY) == Span(TODAY, date.max)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "0", "-30"])
def test_an_odd_supply_is_not_known(value: str) -> None:
    assert supply_days(order("a", OXYCODONE, supply_days=Decimal(value))) is None


@pytest.mark.parametrize(
    ("dosages", "days"),
    [
        ([a_day(5, bounds_days=Decimal(10))], 10),
        ([a_day(5, bounds_days=Decimal(10)), a_day(5, bounds_days=Decimal(20))], 20),
        ([a_day(5, sequence=1, bounds_days=Decimal(10)), a_day(5, sequence=2, bounds_days=Decimal(20))], 30),
        ([a_day(5, bounds_days=Decimal(10)), a_day(5)], None),
        ([a_day(5, bounds_end=day(-6))], 7),
        ([a_day(5, bounds_start=day(-2), bounds_end=day(-6))], 5),
        ([a_day(5, sequence=1, bounds_end=day(-6)), a_day(5, sequence=2, bounds_days=Decimal(3))], 10),
        ([a_day(5, bounds_end=day(6))], None),
        ([a_day(5)], None),
    ],
)
def test_supply_by_the_bounds_of_the_dosage(dosages: list[Dosage], days: int | None) -> None:
    assert supply_days(order("a", OXYCODONE, *dosages)) == days


def test_supply_by_validity_comes_last() -> None:
    valid = {"valid_from": TODAY, "valid_to": day(-19)}
    assert supply_days(order("a", OXYCODONE, **valid)) == 20
    assert supply_days(order("a", OXYCODONE, a_day(5, bounds_days=Decimal(7)), **valid)) == 7
    assert supply_days(order("a", OXYCODONE, valid_to=day(-19), authored=None)) is None


# Spans


def test_a_dispense_runs_from_the_day_it_was_handed_over() -> None:
    assert span(dispense("a", OXYCODONE, 20, 30), TODAY) == Span(day(20), day(-9))
    prepared = dispense("a", OXYCODONE, 0, 30, start=None, authored=day(5))
    assert span(prepared, TODAY) == Span(day(5), day(-24))
    assert span(dispense("a", OXYCODONE, 20, None), TODAY) == Span(day(20), None, end_known=False)


def test_a_request_starts_with_its_dosage_where_every_instruction_has_a_start() -> None:
    dated = a_day(5, bounds_start=day(5))
    assert span(order("a", OXYCODONE, dated, authored=day(9)), TODAY) == Span(day(5), None)
    assert span(order("a", OXYCODONE, dated, a_day(5), authored=day(9)), TODAY) == Span(day(9), None)
    assert span(order("a", OXYCODONE, dated, a_day(5), authored=None), TODAY) == Span(day(5), None)
    assert span(order("a", OXYCODONE, dated, start=day(2)), TODAY) == Span(day(2), None)
    assert span(order("a", OXYCODONE, authored=None, valid_from=day(7)), TODAY) == Span(day(7), None)
    assert span(order("a", OXYCODONE, a_day(5), authored=None), TODAY) is None


def test_a_statement_has_its_own_days() -> None:
    assert span(statement("a", OXYCODONE, start=day(50), end=day(10)), TODAY) == Span(day(50), day(10))
    assert span(statement("a", OXYCODONE, start=day(50)), TODAY) == Span(day(50), None)


@pytest.mark.parametrize("kind", ["request", "statement"])
@pytest.mark.parametrize("status", ["stopped", "completed", "ended", "discontinued"])
def test_a_finished_record_without_an_end_lasted_nobody_knows_how_long(kind: str, status: str) -> None:
    record = order("a", OXYCODONE, kind=kind, status=status, authored=day(50))
    assert span(record, TODAY) == Span(day(50), None, end_known=False)


def test_a_finished_record_with_a_supply_has_an_end_and_a_stopped_one_no_future() -> None:
    fields = {"authored": day(10), "supply_days": 30}
    assert span(order("a", OXYCODONE, status="completed", **fields), TODAY) == Span(day(10), day(-19))
    assert span(order("a", OXYCODONE, status="stopped", **fields), TODAY) == Span(day(10), TODAY)
    later = order("a", OXYCODONE, status="stopped", authored=day(-5), supply_days=Decimal(30))
    assert span(later, TODAY) == Span(day(-5), day(-5))


@pytest.mark.parametrize(("ago", "known"), [(365, True), (366, False)])
def test_an_open_order_runs_to_today_for_a_year(ago: int, known: bool) -> None:
    record = order("a", OXYCODONE, authored=day(ago))
    assert span(record, TODAY) == Span(day(ago), None, end_known=known)
    assert bool(active(record)) is known


def test_an_order_on_hold_ran_until_yesterday() -> None:
    assert span(order("a", OXYCODONE, status="on-hold", authored=day(50)), TODAY) == Span(day(50), day(1))
    ended = order("a", OXYCODONE, status="on-hold", authored=day(50), end=day(20))
    assert span(ended, TODAY) == Span(day(50), day(20))
    assert span(order("a", OXYCODONE, status="on-hold"), TODAY) == Span(TODAY, TODAY)


def test_an_end_before_the_start_is_no_end() -> None:
    assert span(statement("a", OXYCODONE, start=day(5), end=day(9)), TODAY) == Span(day(5), None, end_known=False)


def test_an_end_by_validity_is_its_last_day() -> None:
    record = order("a", OXYCODONE, authored=day(3), valid_from=day(10), valid_to=day(-10))
    assert span(record, TODAY) == Span(day(3), day(-10))


# Active


def test_active_until_14_days_after_the_end() -> None:
    assert active(order("a", OXYCODONE, authored=day(43), supply_days=30)) == ["a"]
    assert active(order("a", OXYCODONE, authored=day(44), supply_days=30)) == []
    assert active(dispense("a", OXYCODONE, 43, 30)) == ["a"]
    assert active(dispense("a", OXYCODONE, 44, 30)) == []
    assert active(statement("a", OXYCODONE, start=day(400), end=day(14))) == ["a"]
    assert active(statement("a", OXYCODONE, start=day(400), end=day(15))) == []


def test_active_begins_by_today() -> None:
    assert active(order("a", OXYCODONE, start=TODAY)) == ["a"]
    assert active(order("a", OXYCODONE, start=day(-1))) == []


@pytest.mark.parametrize("status", ["active", None, "unknown", "recorded", "in-progress"])
def test_a_status_that_does_not_end_it_leaves_it_active(status: str | None) -> None:
    assert active(order("a", OXYCODONE, status=status)) == ["a"]


@pytest.mark.parametrize("status", ["stopped", "cancelled", "ended", "revoked", "inactive"])
def test_a_stopped_record_is_not_active_though_its_supply_would_run(status: str) -> None:
    assert active(order("a", OXYCODONE, status=status, authored=day(5), supply_days=30)) == []
    assert active(dispense("a", OXYCODONE, 5, 30, status=status)) == []


def test_a_record_without_any_date_is_active_as_its_status_says() -> None:
    assert active(order("a", OXYCODONE, authored=None)) == ["a"]
    assert active(order("a", OXYCODONE, authored=None, valid_to=day(15))) == []
    assert active(order("a", OXYCODONE, a_day(5, bounds_end=day(15)), authored=None)) == []
    assert active(order("a", OXYCODONE, a_day(5, bounds_end=day(14)), authored=None)) == ["a"]
    assert active(order("a", OXYCODONE, a_day(5, bounds_end=day(15)), a_day(5), authored=None)) == ["a"]


def test_a_statement_asserted_lately_is_active_however_long_ago_it_began() -> None:
    assert active(statement("a", OXYCODONE, start=day(2000), authored=day(30))) == ["a"]
    assert active(statement("a", OXYCODONE, start=day(2000), authored=None)) == []


@pytest.mark.parametrize(("ago", "runs"), [(29, True), (30, False)])
def test_a_supply_that_still_runs_outweighs_completed(ago: int, runs: bool) -> None:
    request = order("a", OXYCODONE, status="completed", authored=day(ago), supply_days=30)
    assert bool(active(request)) is runs
    assert supply_still_runs(request, [request], TODAY) is runs
    bare = order("a", OXYCODONE, status="completed", authored=day(40))
    fill = dispense("d", OXYCODONE, ago, 30)
    assert supply_still_runs(bare, [bare, fill], TODAY) is runs


def test_bounds_or_validity_are_no_supply() -> None:
    bounded = order("a", OXYCODONE, a_day(5, bounds_days=Decimal(30)), status="completed", authored=day(3))
    assert active(bounded) == []


def test_on_hold_only_what_was_dispensed_runs() -> None:
    held = order("a", OXYCODONE, status="on-hold", authored=day(10), supply_days=30)
    assert active(held) == []
    assert not supply_still_runs(held, [held], TODAY)
    assert active(held, dispense("d", OXYCODONE, 10, 30)) == ["a"]
    assert active(held, dispense("d", OXYCODONE, 10, 30, status="on-hold")) == []
    assert active(held, dispense("d", ALPRAZOLAM, 10, 30)) == ["d"]
    assert active(held, dispense("d", OXYCODONE, 10, None)) == ["d"]


def test_a_completed_statement_has_no_supply_of_its_own() -> None:
    assert active(statement("a", OXYCODONE, status="completed", supply_days=Decimal(30))) == []


def test_an_order_without_an_end_ends_with_its_last_dispense() -> None:
    request = order("a", OXYCODONE, authored=day(100))
    assert active(request, dispense("d", OXYCODONE, 100, 30)) == []
    assert active(request, dispense("d", OXYCODONE, 100, 30, follows=frozenset({request.ref}))) == []
    assert active(request, dispense("d", OXYCODONE, 100, 30), dispense("e", OXYCODONE, 40, 30)) == ["a"]
    assert active(request, dispense("d", OXYCODONE, 100, None)) == ["a"]
    assert active(request, dispense("d", OXYCODONE, 101, 30)) == ["a"]
    assert active(request, dispense("d", OXYCODONE, 100, 30, follows=frozenset({"MedicationRequest/z"}))) == ["a"]
    undated = order("a", OXYCODONE, authored=None)
    assert active(undated, dispense("d", OXYCODONE, 100, 30)) == ["a"]


def test_a_dispense_ends_with_its_stopped_order() -> None:
    stopped = order("a", OXYCODONE, status="stopped", authored=day(10))
    assert active(stopped, dispense("d", OXYCODONE, 10, 30, follows=frozenset({stopped.ref}))) == []
    cancelled = order("a", OXYCODONE, status="cancelled", authored=day(10))
    assert active(cancelled, dispense("d", OXYCODONE, 10, 30, follows=frozenset({cancelled.ref}))) == []


def test_a_dispense_without_a_link_ends_with_an_order_whose_stop_is_dated() -> None:
    fill = dispense("d", OXYCODONE, 10, 30)
    assert active(order("a", OXYCODONE, status="stopped", authored=day(10), end=day(5)), fill) == []
    assert active(order("a", OXYCODONE, status="stopped", authored=day(50), end=day(20)), fill) == ["d"]
    assert active(order("a", OXYCODONE, status="stopped", authored=day(10)), fill) == ["d"]


# One entry for one order


def test_the_same_drug_from_two_sources_is_one_at_the_higher_dose() -> None:
    request = order("a", OXYCODONE, a_day(5, 2))
    higher = statement("s", drug("oxycodone"), a_day(10, 2))
    (entry,) = active_medications([request, higher], TODAY)
    assert entry.ref == request.ref
    assert entry.dosages == higher.dosages
    assert entry.drug is not None and (entry.drug.form, entry.drug.release) == ("tablet", "IR")
    lower = statement("s", drug("oxycodone"), a_day(5, 1))
    assert active_medications([request, lower], TODAY) == (request,)
    same = statement("s", OXYCODONE, a_day(5, 2))
    assert active_medications([request, same], TODAY) == (request,)


def test_a_known_dose_is_taken_over_an_unknown_one() -> None:
    request = order("a", OXYCODONE)
    (entry,) = active_medications([request, statement("s", OXYCODONE, a_day(5, 2))], TODAY)
    assert entry.dosages == (a_day(5, 2),)
    (entry,) = active_medications([order("a", OXYCODONE, a_day(5, 2)), statement("s", OXYCODONE)], TODAY)
    assert entry.dosages == (a_day(5, 2),)


def test_two_orders_side_by_side_are_two() -> None:
    assert active(order("a", OXYCODONE, a_day(5)), order("b", OXYCODONE, a_day(10))) == ["a", "b"]
    assert active(order("a", OXYCODONE, a_day(5)), order("b", OXYCODONE, a_day(5))) == ["a", "b"]
    assert active(order("a", OXYCODONE, a_day(5), authored=day(9)), order("b", OXYCODONE, a_day(10))) == ["a", "b"]


def test_release_and_route_tell_drugs_apart_where_both_are_said() -> None:
    request = order("a", OXYCODONE)
    assert active(request, statement("s", OXYCODONE_ER)) == ["a", "s"]
    assert active(request, statement("s", drug("oxycodone"))) == ["a"]
    assert active(request, statement("s", drug("oxycodone", form="tablet"))) == ["a"]
    assert active(order("a", OXYCODONE_ER), statement("s", drug("oxycodone", form="tablet"))) == ["a", "s"]
    assert active(request, statement("s", drug("oxycodone", route="injection"))) == ["a", "s"]
    patch = drug("fentanyl", form="patch", route="transdermal")
    assert active(order("a", patch), statement("s", drug("fentanyl", route="transdermal", release="TD"))) == ["a"]


def test_a_combination_is_another_drug() -> None:
    assert active(order("a", OXYCODONE), statement("s", tablet("oxycodone 5", "acetaminophen 325"))) == ["a", "s"]


def test_a_report_goes_to_the_order_it_names_or_else_to_the_one_of_its_dosage() -> None:
    five, ten = order("a", OXYCODONE, a_day(5)), order("b", OXYCODONE, a_day(10))
    assert active_medications([five, ten, statement("s", OXYCODONE, a_day(10))], TODAY) == (five, ten)
    linked = statement("s", OXYCODONE, a_day(20), follows=frozenset({ten.ref}))
    entries = active_medications([five, ten, linked], TODAY)
    assert [entry.dosages for entry in entries] == [(a_day(5),), (a_day(20),)]


def test_an_unrecognised_entry_stays_but_joins_the_order_it_names() -> None:
    entries = active_medications([order("a", OXYCODONE), statement("s", None), order("b", None)], TODAY)
    assert {entry.ref for entry in entries} == {"MedicationRequest/a", "MedicationRequest/b", "MedicationStatement/s"}
    named = dispense("d", None, 3, 30, follows=frozenset({"MedicationRequest/a"}))
    assert active(order("a", OXYCODONE), named) == ["a"]
    other = dispense("d", ALPRAZOLAM, 3, 30, follows=frozenset({"MedicationRequest/a"}))
    assert active(order("a", OXYCODONE), other) == ["d", "a"]


def test_unrecognised_records_are_not_taken_for_each_other() -> None:
    held = order("a", None, status="on-hold", authored=day(10))
    assert active(held, dispense("d", None, 10, 30)) == ["d"]
    assert active(held, dispense("d", None, 10, 30, follows=frozenset({held.ref}))) == ["a"]


def test_two_dispenses_of_one_drug_are_one_entry() -> None:
    assert active(dispense("d", OXYCODONE, 35, 30), dispense("e", OXYCODONE, 5, 30)) == ["d"]


def test_a_reported_order_is_a_report() -> None:
    assert active(order("a", OXYCODONE), order("b", OXYCODONE, reported=True)) == ["a"]


def test_a_linked_order_takes_the_place_of_the_old() -> None:
    old = order("a", OXYCODONE, a_day(20), authored=day(5))
    assert active(old, order("b", OXYCODONE, a_day(5), follows=frozenset({old.ref}))) == ["b"]
    assert active(old, order("b", tablet("morphine 15"), follows=frozenset({old.ref}))) == ["b"]


@pytest.mark.parametrize("seed", range(40))
def test_a_long_list_is_compared_as_a_short_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = Random(seed)
    dosages = [
        a_day(5),
        a_day(10),
        a_day(5, text="As the label says"),
        Dosage(text="as the  label says"),
        Dosage(),
        None,
    ]
    ends = [None, None, None, day(30), day(2)]
    listed = [
        order(f"m{count}", OXYCODONE, *filter(None, (chance.choice(dosages),)), authored=day(chance.randint(0, 60)))
        for count in range(24)
    ]
    listed = [replace(one, valid_to=chance.choice(ends)) for one in listed]
    quick = active(*listed)
    monkeypatch.setattr(duplicates, "FEW", len(listed))
    assert active(*listed) == quick
    assert 1 < len(quick) < len(listed)


def test_links_in_a_circle_lose_no_drug() -> None:
    refs = [f"MedicationRequest/{name}" for name in "abc"]
    circle = [order(name, OXYCODONE, follows=frozenset({refs[place - 1]})) for place, name in enumerate("abc")]
    assert len(active(*circle)) == 1
    two = [order("a", OXYCODONE, follows=frozenset({refs[1]})), order("b", OXYCODONE, follows=frozenset({refs[0]}))]
    assert len(active(*two)) == 1


def test_a_chain_of_links_leaves_the_newest() -> None:
    first = order("c", OXYCODONE)
    second = order("b", OXYCODONE, follows=frozenset({first.ref}))
    third = order("a", OXYCODONE, follows=frozenset({second.ref}))
    assert active(first, second, third) == ["a"]


def test_equal_identifiers_are_one_order_the_newer() -> None:
    same = frozenset({"urn:x|1"})
    old, new = order("b", OXYCODONE, authored=day(3), identifiers=same), order("a", OXYCODONE, identifiers=same)
    assert active(old, new) == ["a"]
    assert active(old, order("a", ALPRAZOLAM, identifiers=same)) == ["a", "b"]
    assert active(order("a", None, identifiers=same), old) == ["a", "b"]


@pytest.mark.parametrize(("supply", "refs"), [(37, ["b"]), (38, ["a", "b"])])
def test_a_listed_order_gives_way_where_it_ends_as_the_newer_starts(supply: int, refs: list[str]) -> None:
    # From day 29 before today; ends 6 + 1 or 6 + 2 days after today.
    old = order("a", OXYCODONE, a_day(20), authored=day(29), supply_days=supply)
    new = order("b", OXYCODONE, a_day(5))
    assert active(old, new) == refs
    if refs == ["b"]:
        assert active_medications([old, new], TODAY)[0].dosages == (a_day(20),)


def test_an_open_listed_order_gives_way_only_to_its_repetition() -> None:
    old = order("a", OXYCODONE, a_day(5, text="1 tab  daily"), authored=day(9))
    assert active(old, order("b", OXYCODONE, a_day(5, text="one daily"))) == ["b"]
    assert active(old, order("b", OXYCODONE, a_day(5), requester="Practitioner/2")) == ["a", "b"]
    assert active(old, order("b", OXYCODONE_ER, a_day(5))) == ["a", "b"]
    assert active(old, order("b", OXYCODONE, a_day(5), authored=None)) == ["a", "b"]


def test_one_id_with_two_drugs_is_two_orders_and_with_one_drug_one() -> None:
    assert active(order("a", OXYCODONE), order("a", ALPRAZOLAM)) == ["a", "a"]
    (entry,) = active_medications([order("a", OXYCODONE, a_day(5)), order("a", OXYCODONE, a_day(10))], TODAY)
    assert entry.dosages == (a_day(10),)


def test_the_order_of_arrival_does_not_matter() -> None:
    records = [
        order("b", OXYCODONE, a_day(5), authored=day(40), supply_days=30),
        order("a", OXYCODONE, a_day(10)),
        statement("s", drug("oxycodone"), a_day(15)),
        dispense("d", ALPRAZOLAM, 3, 30),
        order("c", None),
    ]
    answers = {active_medications(arrived, TODAY) for arrived in permutations(records)}
    assert len(answers) == 1


# Days by record


def test_from_its_first_dispense_on_an_order_has_the_days_of_its_dispenses() -> None:
    request = order("a", OXYCODONE, a_day(5), authored=day(100))
    later = recorded_spans([request, dispense("d", OXYCODONE, 40, 30)], TODAY)
    assert [days for _, days in later] == [Span(day(100), day(41)), Span(day(40), day(11))]
    at_once = recorded_spans([request, dispense("d", OXYCODONE, 100, 30)], TODAY)
    assert [days for _, days in at_once] == [Span(day(100), day(71))]
    assert at_once[0][0].dosages == request.dosages
    unknown = recorded_spans([request, dispense("d", OXYCODONE, 40, None)], TODAY)
    assert unknown[0][1] == Span(day(100), None)


def test_a_dispense_after_the_order_ended_does_not_touch_it() -> None:
    request = order("a", OXYCODONE, authored=day(100), supply_days=30)
    spans = recorded_spans([request, dispense("d", OXYCODONE, 20, 30)], TODAY)
    assert [days for _, days in spans] == [Span(day(100), day(71)), Span(day(20), day(-9))]


def test_reports_and_undated_records() -> None:
    told = statement("s", OXYCODONE, start=day(100))
    spans = recorded_spans([told, dispense("d", OXYCODONE, 100, 30), order("a", OXYCODONE, authored=None)], TODAY)
    assert [record.ref for record, _ in spans] == ["MedicationStatement/s", "MedicationDispense/d"]
    assert recorded_spans([dispense("d", OXYCODONE, 5, 30, start=None)], TODAY) == ()


def test_a_dispense_of_a_dosage_keeps_it() -> None:
    request = order("a", OXYCODONE, a_day(5), authored=day(10))
    spans = recorded_spans([request, dispense("d", OXYCODONE, 10, 30, a_day(10))], TODAY)
    assert spans[0][0].dosages == (a_day(10),)


def test_what_was_taken_on_a_day() -> None:
    spans = recorded_spans([order("a", OXYCODONE, authored=day(9)), dispense("d", ALPRAZOLAM, 60, 30)], TODAY)
    assert [entry.drug for entry in taken_on(spans, day(40))] == [ALPRAZOLAM]
    assert [entry.drug for entry in taken_on(spans, day(9))] == [OXYCODONE]
    assert taken_on(spans, day(20)) == ()


# Replaces


def how(new: MedicationOrder, old: MedicationOrder) -> str | None:
    found = replaces(new, old, TODAY)
    assert found is None or found.old is old
    return None if found is None else found.how


def test_the_same_id_is_the_same_order_but_for_two_drugs() -> None:
    assert how(draft("a", OXYCODONE), order("a", OXYCODONE_ER)) == "same order"
    assert how(draft("a", None), order("a", OXYCODONE)) == "same order"
    assert how(draft("a", ALPRAZOLAM), order("a", OXYCODONE)) is None


def test_a_link_replaces_whatever_the_drug() -> None:
    old = order("a", tablet("morphine 15"), requester="Practitioner/1")
    assert how(draft("b", OXYCODONE, follows=frozenset({old.ref})), old) == "linked"
    assert how(draft("b", OXYCODONE), old) is None


def test_a_draft_that_names_the_order_of_a_dispense() -> None:
    fill = dispense("d", OXYCODONE, 3, 30, follows=frozenset({"MedicationRequest/a"}), requester="Practitioner/1")
    assert how(draft("b", OXYCODONE, follows=frozenset({"MedicationRequest/a"})), fill) == "linked"
    assert how(draft("a", OXYCODONE), fill) == "linked"
    assert how(draft("b", OXYCODONE), fill) is None
    listed = order("c", OXYCODONE, follows=frozenset({"MedicationRequest/a"}), requester="Practitioner/1")
    assert how(draft("b", OXYCODONE, follows=frozenset({"MedicationRequest/a"})), listed) is None


def test_an_equal_identifier_is_the_same_order() -> None:
    same = frozenset({"urn:x|1"})
    assert how(draft("b", OXYCODONE, identifiers=same), order("a", OXYCODONE_ER, identifiers=same)) == "same order"
    assert how(draft("b", ALPRAZOLAM, identifiers=same), order("a", OXYCODONE, identifiers=same)) is None


@pytest.mark.parametrize(
    ("new", "old", "expected"),
    [
        ({}, {}, "assumed"),
        ({"requester": "Practitioner/1"}, {"requester": "Practitioner/1"}, "assumed"),
        ({"requester": "Practitioner/1"}, {"requester": "Practitioner/2"}, None),
        ({"requester": "Practitioner/1"}, {}, None),
        ({}, {"end": day(-7)}, "assumed"),
        ({}, {"end": day(-8)}, None),
        ({"start": day(-1)}, {"end": day(-8)}, "assumed"),
        ({"authored": None}, {"end": day(-7)}, "assumed"),
        ({"authored": None}, {"end": day(-8)}, None),
        ({"status": "stopped"}, {"end": day(-80)}, "assumed"),
        ({"status": "stopped", "requester": "Practitioner/1"}, {"requester": "Practitioner/2"}, None),
    ],
)
def test_an_assumed_renewal(new: dict[str, object], old: dict[str, object], expected: str | None) -> None:
    assert how(draft("b", OXYCODONE, **new), order("a", OXYCODONE, **{"authored": day(20)} | old)) == expected


def test_release_and_drug_must_agree_for_an_assumed_renewal() -> None:
    assert how(draft("b", OXYCODONE_ER), order("a", OXYCODONE)) is None
    assert how(draft("b", drug("oxycodone")), order("a", OXYCODONE)) == "assumed"
    assert how(draft("b", ALPRAZOLAM), order("a", OXYCODONE)) is None
    assert how(draft("b", None), order("a", OXYCODONE)) is None
    assert how(draft("b", OXYCODONE), order("a", None)) is None


def test_a_report_of_the_drug_is_one_drug_whoever_orders_it() -> None:
    told = statement("s", OXYCODONE)
    assert how(draft("b", OXYCODONE, requester="Practitioner/1"), told) == "assumed"
    assert how(draft("b", OXYCODONE, requester="Practitioner/1"), dispense("d", OXYCODONE, 3, 5)) == "assumed"


def test_a_draft_that_names_an_order_replaces_that_one_alone() -> None:
    one, two = order("a", OXYCODONE, a_day(5)), order("b", OXYCODONE, a_day(10))
    stop = order("a", OXYCODONE, status="stopped")
    assert [found.old for _, found in replacements([stop], [one, two], TODAY)] == [one]
    named = draft("c", OXYCODONE, follows=frozenset({two.ref}))
    assert [(new, found.old) for new, found in replacements([named], [one, two], TODAY)] == [(named, two)]
    assert [found.how for _, found in replacements([draft("c", OXYCODONE)], [one, two], TODAY)] == ["assumed"] * 2
