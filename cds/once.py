"""A fact or a question of a case is worked out once, however many rules ask."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from msgspec import Struct

from cds.chart import MedicationOrder

if TYPE_CHECKING:
    from cds.case import Case

Answer = TypeVar("Answer")
Asked = ParamSpec("Asked")


class Fact(Generic[Answer]):
    """A fact of a case, worked out when it is first asked for and from then on a plain attribute.

    As ``functools.cached_property``, without its lock: a case belongs to one review."""

    def __init__(self, ask: Callable[["Case"], Answer]) -> None:
        self.ask = ask
        self.name = ask.__name__
        self.__doc__ = ask.__doc__

    def __get__(self, case: "Case", owner: type["Case"]) -> Answer:
        found = case.__dict__[self.name] = self.ask(case)
        return found


def once_a_case(ask: Callable[["Case"], Answer]) -> Callable[["Case"], Answer]:
    """Makes a question about a case be worked out once for each case, however many rules ask it."""

    @wraps(ask)
    def asked_once(case: "Case") -> Answer:
        answers = case.answers
        if ask in answers:
            known: Answer = answers[ask]
            return known
        found = answers[ask] = ask(case)
        return found

    return asked_once


def once_an_order(ask: Callable[["Case", MedicationOrder], Answer]) -> Callable[["Case", MedicationOrder], Answer]:
    """The same for a question about a case and one of its orders."""

    @wraps(ask)
    def asked_once(case: "Case", order: MedicationOrder) -> Answer:
        answers, key = case.answers, (ask, id(order))
        if key in answers:
            known: Answer = answers[key]
            return known
        found = answers[key] = ask(case, order)
        return found

    return asked_once


def once_for(ask: Callable[Concatenate["Case", Asked], Answer]) -> Callable[Concatenate["Case", Asked], Answer]:
    """The same for any arguments. Facts among them (drafts, orders) are told apart by identity, all else by value."""

    @wraps(ask)
    def asked_once(case: "Case", /, *args: Asked.args, **named: Asked.kwargs) -> Answer:
        key = (ask, *[id(arg) if isinstance(arg, Struct) else arg for arg in args])
        answers = case.answers
        if key in answers:
            known: Answer = answers[key]
            return known
        found = answers[key] = ask(case, *args, **named)
        return found

    return asked_once


def once_a_chart(ask: Callable[["Case"], Answer]) -> Callable[["Case"], Answer]:
    """The same for a question that the chart alone answers, whatever is drafted: a second review need not ask again."""

    @wraps(ask)
    def asked_once(case: "Case") -> Answer:
        answers = case.chart_answers
        if ask in answers:
            known: Answer = answers[ask]
            return known
        found = answers[ask] = ask(case)
        return found

    return asked_once


def once_a_draft(ask: Callable[["Case", MedicationOrder], Answer]) -> Callable[["Case", MedicationOrder], Answer]:
    """The same for a question about one draft that its own reasons and the chart answer, whatever stands beside it."""

    @wraps(ask)
    def asked_once(case: "Case", draft: MedicationOrder) -> Answer:
        key = ask, id(draft)
        known: tuple[MedicationOrder, Answer] | None = case.chart_answers.get(key)
        if known is None:
            # The draft is kept with the answer: nothing else then has its identity.
            known = case.chart_answers[key] = draft, ask(case, draft)
        return known[1]

    return asked_once
