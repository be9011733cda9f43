"""Structured mutations of the stored requests: each is told by its number alone, so that one that breaks can be had
again. ``python -m tests.mutations NUMBER`` prints it."""

import copy
import gzip
import json
import random
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from tests.fixtures import FOLDER, service_of

Place = tuple[str | int, ...]
SECRET = "Quetzal-7"
"""Put in by mutations; an answer that refuses must not hold it."""
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, -0.0, 1e30, 1e-30, 10**30, 2**63, "", " ", "x", SECRET, "\u0000", "<b>", "\ud83d",
    "0000", "9999-99-99", "2026-02-30", "9999-12-31", "0001-01-01T00:00:00+14:00", "2026-03-01T09:00:00+99:00",
    [], {}, [None], [[]], [{}], {"x": 1}, {"resourceType": "Bundle"}, {"resourceType": SECRET}, "a" * 5000, "7 " * 3000,
    "../../../etc/passwd", "http://127.0.0.1:1/x", "#", "#p1", "Patient/", "urn:uuid:x", "1e999", "NaN", "\u202e",
    {"reference": "#self"}, {"coding": [{"system": "x", "code": None}], "text": ["x"]}, {"value": "Infinity"},
)  # fmt: skip
NUMBERS = ("1e400", "-1e400", "1E-400", "9" * 400, "0.1" + "0" * 400 + "1", "-0")
DEEP = 5_000
CARD = "0b651ba0-2bf4-55d3-8ed7-39cc939a72f8"
FEEDBACK: dict[str, Any] = {
    "feedback": [
        {
            "card": CARD, "outcome": "accepted", "acceptedSuggestions": [{"id": CARD}],
            "outcomeTimestamp": "2026-03-01T09:00:00Z",
        },
        {
            "card": CARD, "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:00:00Z",
            "overrideReason": {"reason": {"code": "Monitored", "system": "urn:x:y"}, "userComment": "seen"},
        },
    ]
}  # fmt: skip


class Mutated(NamedTuple):
    """A request as bytes, and how it is sent."""

    path: str
    body: bytes
    headers: dict[str, str]
    story: str


@cache
def _stories() -> tuple[tuple[str, str], ...]:
    return tuple(
        (path.name.removesuffix(".request.json"), path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.request.json"))
    )


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Of every part of a JSON value."""
    if at:
        yield at
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*at, name))


def _part(value: Any, at: Place) -> Any:
    for step in at:
        value = value[step]
    return value


def _anywhere(value: Any, chance: random.Random) -> Place:
    """A place as deep as it comes: one step after the other, so that a large list does not draw all mutations."""
    at: Place = ()
    while isinstance(value, dict | list) and value and (not at or chance.random() < 0.85):
        step: str | int = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        at, value = (*at, step), value[step]
    return at


# What may be done to a request


def _odd(request: Any, at: Place, chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice(ODD_VALUES))


def _listed(request: Any, at: Place, chance: random.Random) -> Any:
    return [_part(request, at)] * chance.choice((1, 2, 30))


def _wrapped(request: Any, at: Place, chance: random.Random) -> Any:
    return {chance.choice(("resource", "value", "x", "entry")): _part(request, at)}


def _as_text(request: Any, at: Place, chance: random.Random) -> Any:
    return json.dumps(_part(request, at))


def _from_elsewhere(request: Any, at: Place, chance: random.Random) -> Any:
    return copy.deepcopy(_part(request, _anywhere(request, chance)))


def _from_another(request: Any, at: Place, chance: random.Random) -> Any:
    other = json.loads(chance.choice(_stories())[1])
    there = [place for place in places(other) if place[-1] == at[-1]]
    return _part(other, chance.choice(there) if there else _anywhere(other, chance))


def _deep(request: Any, at: Place, chance: random.Random) -> Any:
    value: Any = _part(request, at)
    for _ in range(chance.choice((3, 40, 150))):
        value = [value] if chance.random() < 0.5 else {str(at[-1]): value}
    return value


def _cut(request: Any, at: Place, chance: random.Random) -> Any:
    value = _part(request, at)
    return value[: chance.randrange(len(value))] if isinstance(value, str) and value else None


VALUES: tuple[Callable[[Any, Place, random.Random], Any], ...] = (
    _odd, _odd, _odd, _listed, _wrapped, _as_text, _from_elsewhere, _from_another, _deep, _cut,
)  # fmt: skip


def _place(request: dict[str, Any], chance: random.Random) -> Place:
    """Mostly within the orders and the chart: the envelope is refused soon."""
    start = (
        ()
        if chance.random() < 0.15
        else chance.choice((("context", "draftOrders"), ("context", "medications"), ("prefetch",), ("prefetch",)))
    )
    try:
        return (*start, *_anywhere(_part(request, start), chance)) or ("hook",)
    except (KeyError, TypeError, IndexError):
        return _anywhere(request, chance)


def _mutate(request: dict[str, Any], chance: random.Random) -> None:
    at = _place(request, chance)
    holder, last = _part(request, at[:-1]), at[-1]
    how = chance.randrange(12)
    if how == 0:
        del holder[last]
    elif how == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[int(last)]))
    elif how == 1:
        holder[chance.choice((str(last).upper(), f"_{last}", SECRET, ""))] = holder.pop(last)
    else:
        holder[last] = chance.choice(VALUES)(request, at, chance)


def _mangled(body: bytes, chance: random.Random) -> bytes:
    """The text itself: cut, a byte turned, a part said twice, a number beyond all numbers, much too deep."""
    how = chance.randrange(7)
    at = chance.randrange(len(body))
    if how == 0:
        return body[:at]
    if how == 1:
        return body[:at] + bytes([chance.randrange(256)]) + body[at + 1 :]
    if how == 2:
        return body[:at] + body[max(0, at - 50) :]
    if how == 3:
        numbers = list(re.finditer(rb": (\d+)[,}]", body))
        found = chance.choice(numbers) if numbers else None
        number = chance.choice(NUMBERS).encode()
        return body if found is None else body[: found.start(1)] + number + body[found.end(1) :]
    if how == 4:
        return b"[" * DEEP + body + b"]" * DEEP
    if how == 5:
        return body.replace(b'"context"', b'"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b',"context"', 1)
    names = list(re.finditer(rb'"(\w+)": ', body))
    name = chance.choice(names)
    return body[: name.start()] + name[0] + b'"' + SECRET.encode() + b'", ' + body[name.start() :]


def mutated(number: int) -> Mutated:
    """The mutation of this number."""
    chance = random.Random(number)
    story, text = chance.choice(_stories())
    request = json.loads(text)
    path = f"/cds-services/{service_of(request)}"
    if chance.random() < 0.06:
        story, request, path = "feedback", copy.deepcopy(FEEDBACK), f"{path}/feedback"
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        if request:
            _mutate(request, chance)
    body = json.dumps(request).encode()
    if chance.random() < 0.15:
        body = _mangled(body, chance)
    headers = {"Content-Type": "application/json"}
    if chance.random() < 0.05:
        packed = gzip.compress(body, 1)
        body = packed if chance.random() < 0.7 else packed[: chance.randrange(len(packed))]
        headers["Content-Encoding"] = "gzip"
    return Mutated(path, body, headers, story)


if __name__ == "__main__":
    sys.stdout.buffer.write(mutated(int(sys.argv[1])).body)
