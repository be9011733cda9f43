"""One entry for one order: which records of a list are the same drug told twice."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from operator import attrgetter
from typing import Literal

from cds.chart import MedicationOrder
from cds.likeness import Names, alike, at_higher_dose, dosage_keys, drug_names, same_product_and_dosage
from cds.supply import first_day, last_day

RENEWAL_DAYS = 7
"""An old order that ends no later than this after the new one starts is renewed by it."""
RENEWAL = timedelta(days=RENEWAL_DAYS)

FEW = 4
"""So many orders are compared one by one."""


def rank(record: MedicationOrder) -> tuple[str, str, str, date]:
    """The order in which records are read and listed."""
    return record.ref, record.name, record.kind, first_day(record) or date.min


def in_rank(records: Iterable[MedicationOrder]) -> list[MedicationOrder]:
    """The records in this order, which their references alone make where no two have the same."""
    sorted_by_ref = sorted(records, key=_ref)
    if len(set(map(_ref, sorted_by_ref))) < len(sorted_by_ref):
        sorted_by_ref.sort(key=rank)
    return sorted_by_ref


_ref, _follows = attrgetter("ref"), attrgetter("follows")


def names_of(record: MedicationOrder) -> Names | None:
    """What the record holds; None where it is not recognised."""
    return None if record.drug is None else drug_names(record.drug)


def different_drugs(some: MedicationOrder, other: MedicationOrder) -> bool:
    """Both are recognised, and hold different ingredients."""
    return some.drug is not None and other.drug is not None and names_of(some) != names_of(other)


def one_of_each(records: Sequence[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """One entry for one order: replaced orders left out, reports and dispenses put to the order they are of."""
    if len(records) < 2:
        return tuple(records)
    orders: list[MedicationOrder] = []
    others: list[MedicationOrder] = []
    for record in records:
        (others if record.reported or record.kind != "request" else orders).append(record)
    entries = _orders_in_force(orders)
    if not others:
        return tuple(in_rank(entries))
    of_names: dict[Names | None, list[int]] = {}
    of_ref: dict[str, int] = {}
    for place, entry in enumerate(entries):
        of_names.setdefault(None if entry.drug is None else entry.drug.names, []).append(place)
        of_ref.setdefault(entry.ref, place)
    for record in others:
        at = _place(record, entries, of_names, of_ref)
        if at is None:
            of_names.setdefault(names_of(record), []).append(len(entries))
            of_ref.setdefault(record.ref, len(entries))
            entries.append(record)
        else:
            entries[at] = at_higher_dose(entries[at], record)
    return tuple(in_rank(entries))


def _place(
    record: MedicationOrder,
    entries: Sequence[MedicationOrder],
    of_names: Mapping[Names | None, Sequence[int]],
    of_ref: Mapping[str, int],
) -> int | None:
    """Which entry a report or a dispense is of: the one it names, else one of the same drug, at best at its dosage."""
    for ref in sorted(record.follows | {record.ref}):
        place = of_ref.get(ref)
        if place is not None and not different_drugs(record, entries[place]):
            return place
    if record.drug is None:
        return None
    places = []
    for place in of_names.get(names_of(record), ()):
        drug = entries[place].drug
        if drug is not None and alike(record.drug, drug):
            places.append(place)
    same = [place for place in places if entries[place].dosages == record.dosages]
    return next(iter(same or places), None)


def _orders_in_force(orders: list[MedicationOrder]) -> list[MedicationOrder]:
    """Orders that run side by side: those that another one of the list takes the place of are left out."""
    if _all_different(orders):
        return orders
    current = list(orders)
    gone: dict[int, int] = {}
    successors = _Successors(current)
    for old in range(len(current)):
        begun, ended = first_day(current[old]), last_day(current[old])
        for new in successors.of(old, begun, ended):
            how = _succeeds(current[new], current[old], begun, ended)
            if how is None or _leads_to(new, old, gone):
                continue
            gone[old] = new
            if how == "assumed":
                successors.change(new, at_higher_dose(current[new], current[old]))
            break
    return [order for place, order in enumerate(current) if place not in gone]


def _all_different(orders: Sequence[MedicationOrder]) -> bool:
    """No two are of one drug or of one reference, and none names another: there is nothing to compare."""
    names = [order.drug.names for order in orders if order.drug is not None]
    if len(set(names)) < len(names) or len(set(map(_ref, orders))) < len(orders):
        return False
    return not any(map(_follows, orders))


class _Successors:
    """Which orders of a list are worth comparing with one of them: those of its reference, those that name it, and of
    its drug those that share an identifier, or its prescriber and began late enough, where it has no end at its own
    dosage. A long list stays quick."""

    def __init__(self, orders: list[MedicationOrder]) -> None:
        self.orders = orders
        self.named: dict[object, list[int]] = {}
        self.begun: dict[object, list[tuple[date, int]]] = {}
        self.changed: dict[object, list[int]] = {}
        self.repeated: dict[object, dict[object, list[tuple[date, int]]]] = {}
        for place, order in enumerate(orders):
            for name in self._names(order, *order.follows):
                self.named.setdefault(name, []).append(place)
            first = first_day(order)
            if order.drug is not None and first is not None:
                self.begun.setdefault(_drug_and_prescriber(order), []).append((first, place))
        for days in self.begun.values():
            days.sort()

    def of(self, old: int, first: date | None, last: date | None) -> list[int]:
        """Places in rising order, the place itself left out. ``first`` and ``last``: the days of that order."""
        order = self.orders[old]
        places = {place for name in self._names(order) for place in self.named.get(name, ())}
        if order.drug is not None and first is not None:
            same = _drug_and_prescriber(order)
            day = first if last is None or last - date.min < RENEWAL else max(first, last - RENEWAL)
            days = self.begun.get(same, [])
            days = days[bisect_left(days, (day, -1)) :]
            if last is None and len(days) > FEW:
                days = [begun for begun in self._at_dosage_of(order, same) if begun[0] >= day]
            places.update(place for _, place in days)
            places.update(self.changed.get(same, ()))
        places.discard(old)
        return sorted(places)

    def _at_dosage_of(self, order: MedicationOrder, same: object) -> list[tuple[date, int]]:
        """Those of its drug and prescriber whose dosage may be identical: nothing else renews an order without end."""
        repeated = self.repeated.get(same)
        if repeated is None:
            repeated = self.repeated[same] = {}
            for begun in self.begun.get(same, ()):
                schedule, text = dosage_keys(self.orders[begun[1]])
                if schedule is not None:
                    repeated.setdefault(schedule, []).append(begun)
                if text:
                    repeated.setdefault((text, schedule is None), []).append(begun)
        schedule, text = dosage_keys(order)
        keys = (schedule or (text, False), (text, True))
        return [begun for key in keys for begun in repeated.get(key, ())]

    @staticmethod
    def _names(order: MedicationOrder, *linked: str) -> list[object]:
        names = names_of(order)
        return [order.ref, *linked, *((each, names) for each in order.identifiers if names is not None)]

    def change(self, place: int, order: MedicationOrder) -> None:
        """Another dosage may begin on another day."""
        if order is not self.orders[place]:
            self.orders[place] = order
            self.changed.setdefault(_drug_and_prescriber(order), []).append(place)


def _drug_and_prescriber(order: MedicationOrder) -> tuple[Names | None, str | None]:
    return names_of(order), order.requester


def _leads_to(place: int, goal: int, gone: Mapping[int, int]) -> bool:
    """Whether the order at ``place`` was itself left out for the one at ``goal``: links may run in a circle."""
    while place in gone:
        place = gone[place]
        if place == goal:
            return True
    return False


def _succeeds(
    new: MedicationOrder, old: MedicationOrder, begun: date | None, ended: date | None
) -> Literal["named", "assumed"] | None:
    """Whether one listed order takes the place of another, which ran from ``begun`` to ``ended``.

    Among listed orders less is assumed than for a draft: both are said to be active. The older one gives way where it
    ends about when the newer starts, or where it has no end and the newer repeats it word for word.
    """
    if new.ref == old.ref:
        return None if different_drugs(new, old) else "assumed"
    if old.ref in new.follows:
        return "named"
    started = first_day(new)
    if new.identifiers & old.identifiers:
        return "named" if (started or date.min, new.ref) > (begun or date.min, old.ref) else None
    if started is None or begun is None or started <= begun:
        return None
    if new.requester != old.requester or new.drug is None or old.drug is None or not alike(new.drug, old.drug):
        return None
    if ended is None:
        return "assumed" if same_product_and_dosage(new, old) else None
    return "assumed" if ended <= started + RENEWAL else None
