"""An opioid that is stopped or cut at once after it was taken for long (SAF-16)."""

from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from cds.breathing import listing, opioid_name, rescue_at_hand
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.dose import daily_dose, mme_sum
from cds.exposure import span
from cds.knowledge import load_group
from cds.long_use import by_the_clock, days_at, run_of
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.organ import acute_breathing
from cds.scope import is_opioid, opioids_of, stops

KNOWLEDGE = load_group("safety")

RESCUE_MONTHS = KNOWLEDGE["SAF-01"].days("rescue_dispensed_within_months")
LONG_DAYS = KNOWLEDGE["SAF-16"].days("scheduled_days")
HIGH_DAYS = KNOWLEDGE["SAF-16"].days("high_dose_days")
HIGH_MME = KNOWLEDGE["SAF-16"].number("high_dose_mme_per_day")
SHORT_DAYS = KNOWLEDGE["SAF-16"].days("short_days")
CUT_PERCENT = KNOWLEDGE["SAF-16"].number("cut_percent")
SWITCH_PERCENT = KNOWLEDGE["SAF-16"].number("switch_percent")
DANGER_DAYS = KNOWLEDGE["SAF-16"].days("danger_days")

OVERDOSES = ("overdose_history", "sedative_overdose_history")
HUNDRED = Decimal(100)


class Fall(Struct, frozen=True):
    """The daily dose that is taken by the clock, before and after this signing, in ``unit``. None: cannot be told."""

    before: Decimal | None
    after: Decimal | None
    unit: str
    missing: tuple[str, ...] = ()

    @property
    def percent(self) -> Decimal | None:
        if not self.before or self.after is None:
            return None
        return (self.before - self.after) * HUNDRED / self.before


def abrupt_stop_or_cut(case: Case, draft: MedicationOrder) -> Outcome:
    """Taper an opioid that was taken for long; do not stop it or cut its dose at once."""
    if not is_opioid(draft):
        return DoesNotApply("no opioid is ordered or stopped")
    gone = [replaced.old for replaced in case.replaced_by(draft) if is_opioid(replaced.old)]
    if not gone:
        if stops(draft) and not case.medications_known:
            return _not_known(draft, (case.missing("medications"),))
        return DoesNotApply("nothing that was taken is stopped or changed")
    fall = dose_fall(case)
    if fall.before == 0:
        return DoesNotApply("taken as needed")
    percent, left = fall.percent, case.opioids
    if percent is None and left:
        return _not_known(draft, fall.missing)
    if percent is not None and percent <= _allowed(case, gone):
        return DoesNotApply("the daily dose hardly falls, or another opioid takes its place")
    if _in_danger(case):
        return DoesNotApply("overdose or respiratory danger now")
    records = by_the_clock(case)
    run = run_of(records, case.today)
    if run.days < LONG_DAYS and any(_undated(case, order) for order in gone):
        return _not_known(draft, ("opioid history: not recorded",))
    if run.start is None or run.days < SHORT_DAYS:
        return DoesNotApply("taken by the clock for less than a week")
    facts = {
        "drug": listing(dict.fromkeys(opioid_name(order) for order in gone)),
        "taken_days": str(run.days),
        "since": run.start.isoformat(),
    }
    if fall.before is not None:
        facts["before"] = f"{number(fall.before)} {fall.unit}"
    words = "stop"
    if left and percent is not None and fall.after:
        facts |= {"after": f"{number(fall.after)} {fall.unit}", "cut_percent": number(percent.quantize(Decimal("0.1")))}
        words = "cut"
    long = run.days >= LONG_DAYS or days_at(records, run.start, case.today, HIGH_MME) >= HIGH_DAYS
    if not long:
        return Fires("info", facts, f"{words}_short")
    rescue = () if rescue_at_hand(case, RESCUE_MONTHS) else ("naloxone",)
    asks = ("taper", *(("delete",) if stops(draft) else ()), *rescue)
    return Fires("warning", facts, words, asks, fall.missing)


def dose_fall(case: Case) -> Fall:
    """What is taken by the clock before and after this signing: of one opioid in its own unit, of several in MME."""
    before = [order for order in case.listed if is_opioid(order)]
    after = [order for order in case.regimen if is_opioid(order)]
    names = {name for order in (*before, *after) for name in opioids_of(order)}
    if len(names) == 1:
        name = names.pop()
        doses = [_scheduled(orders, name) for orders in (before, after)]
        if all(amount is not None for amount, _ in doses) and len({unit for _, unit in doses} - {""}) == 1:
            units = {unit for _, unit in doses} - {""}
            unit = "mg a day" if units.pop() == "mg" else "mg an hour"
            return Fall(doses[0][0], doses[1][0], unit)
    sums = mme_sum(before), mme_sum(after)
    told = all(one.total is not None and not one.not_counted for one in sums)
    if not told:
        missing = [f"dose of {part.ref}: {part.reason}" for one in sums for part in (*one.unknown, *one.not_counted)]
        return Fall(None, None, "MME a day", tuple(dict.fromkeys(missing)))
    return Fall(sums[0].scheduled_at_least, sums[1].scheduled_at_least, "MME a day")


def _scheduled(orders: list[MedicationOrder], name: str) -> tuple[Decimal | None, str]:
    """The daily dose by the clock with its unit; no unit where nothing is taken, None where a dose cannot be told."""
    doses = [daily_dose(order, name) for order in orders]
    if not doses:
        return Decimal(0), ""
    units = {dose.unit for dose in doses}
    if len(units) > 1 or any(dose.scheduled is None for dose in doses):
        return None, ""
    return sum((dose.scheduled for dose in doses if dose.scheduled is not None), Decimal(0)), units.pop()


def _allowed(case: Case, gone: list[MedicationOrder]) -> Decimal:
    """How far the dose may fall at once. An opioid that takes the place of another by the clock is usually begun at
    less than the equal dose."""
    old = {name for order in gone for name in opioids_of(order)}
    left = {name for order in case.opioids for name in opioids_of(order)}
    new = {
        name
        for order in case.starting
        for name in opioids_of(order)
        if name not in old and daily_dose(order, name).scheduled != 0
    }
    return SWITCH_PERCENT if new and old.isdisjoint(left) else CUT_PERCENT


def _undated(case: Case, order: MedicationOrder) -> bool:
    days = span(order, case.today)
    return days is None or not days.end_known


def _in_danger(case: Case) -> bool:
    """An overdose, or respiratory failure, now: then stopping is right."""
    first = case.today - timedelta(days=DANGER_DAYS)
    if any(event.since is not None and event.since >= first for event in case.events(*OVERDOSES)):
        return True
    encounter = case.chart.encounter
    reasons = encounter.reasons if encounter is not None else ()
    return any(not reason.meanings.isdisjoint(OVERDOSES) for reason in reasons) or bool(acute_breathing(case))


def _not_known(draft: MedicationOrder, missing: tuple[str, ...]) -> CannotTell:
    return CannotTell(missing, said=True, words="not_known", facts={"drug": opioid_name(draft)})
