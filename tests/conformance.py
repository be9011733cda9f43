"""What CDS Hooks asks of an answer (its envelope, cards, suggestions, actions and links), as a list of its breaches."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

INDICATORS = ("info", "warning", "critical")
SUMMARY_LIMIT = 139
ENVELOPE = {"cards", "extension"}
CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
    "extension",
}  # fmt: skip
SOURCE = {"label", "url", "icon", "topic"}
SUGGESTION = {"label", "uuid", "isRecommended", "actions"}
ACTION = {"type", "description", "resource", "resourceId"}
LINK = {"label", "url", "type", "appContext", "autolaunchable"}
AFTER_1_0 = {"uuid", "overrideReasons"}, {"topic"}, {"isRecommended"}, {"resourceId"}
"""Fields of card, source, suggestion and action that CDS Hooks 1.0 does not know."""
MAY_BE_EMPTY = ("cards", "extension/firstline.review/inScope")
OF_THE_CLIENT = re.compile(r"^cards/\d+/suggestions/\d+/actions/\d+/resource(/|$)")
"""An update is the client's own draft: what it sent empty stays empty."""
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/.", re.DOTALL)
ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
LINKED = re.compile(r"\]\(https?://(?:[^\s()]|\([^\s()]*\))*\)")
RAW = {
    "HTML": re.compile(r"<"),
    "an image": re.compile(r"!\["),
    "a link of another kind": re.compile(r"\]\(|\]:"),
    "a bare address": re.compile(r"://|\bwww\.|\S@\w", re.IGNORECASE),
    "a control character": re.compile("[\u0000-\u0009\u000b-\u001f\u007f-\u009f]"),
    "an invisible character": re.compile("[\u200b-\u200f\u2028-\u202e\u2066-\u2069]"),
}


def breaches(answer: Any, dialect: str = "2.0") -> list[str]:
    """Every breach, each with the place where it is; empty for an answer that conforms."""
    return list(_answer(answer, dialect))


def _answer(answer: Any, dialect: str) -> Iterator[str]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("cards"), list):
        yield "answer: no list of cards"
        return
    yield from _only(answer, ENVELOPE, "answer")
    yield from _empty(answer, "")
    names: list[str] = []
    for count, card in enumerate(answer["cards"]):
        yield from _card(card, f"cards/{count}", dialect)
        names += [str(one["uuid"]) for one in (card, *card.get("suggestions", ())) if "uuid" in one]
    if len(names) != len(set(names)):
        yield "cards: one uuid twice"


def _card(card: Mapping[str, Any], at: str, dialect: str) -> Iterator[str]:
    first = dialect == "1.0"
    yield from _only(card, CARD - AFTER_1_0[0] if first else CARD, at)
    yield from _text(card, "summary", at)
    if len(str(card.get("summary"))) > SUMMARY_LIMIT or "\n" in str(card.get("summary")):
        yield f"{at}/summary: longer than a sentence"
    if card.get("indicator") not in INDICATORS:
        yield f"{at}/indicator: {card.get('indicator')}"
    yield from _source(card.get("source", {}), f"{at}/source", first)
    if "detail" in card:
        yield from _markdown(card["detail"], f"{at}/detail")
    if not first and not _is_uuid(card.get("uuid")):
        yield f"{at}/uuid: none"
    yield from _suggestions(card, at, first)
    for reason in card.get("overrideReasons", ()):
        if not all(isinstance(reason.get(name), str) for name in ("code", "system", "display")):
            yield f"{at}/overrideReasons: a reason without code, system or display"
    for link in card.get("links", ()):
        yield from _link(link, f"{at}/links")


def _source(source: Mapping[str, Any], at: str, first: bool) -> Iterator[str]:
    yield from _only(source, SOURCE - AFTER_1_0[1] if first else SOURCE, at)
    yield from _text(source, "label", at)
    if not str(source.get("url", "https://")).startswith(("https://", "http://")):
        yield f"{at}/url: not absolute"


def _suggestions(card: Mapping[str, Any], at: str, first: bool) -> Iterator[str]:
    suggestions = card.get("suggestions", [])
    behaviour = card.get("selectionBehavior")
    if bool(suggestions) != (behaviour is not None):
        yield f"{at}/selectionBehavior: with suggestions, and only with them"
    if behaviour not in (None, "at-most-one") and (first or behaviour != "any"):
        yield f"{at}/selectionBehavior: {behaviour}"
    if behaviour != "any" and sum(one.get("isRecommended", False) for one in suggestions) > 1:
        yield f"{at}/suggestions: more than one recommended"
    for count, suggestion in enumerate(suggestions):
        here = f"{at}/suggestions/{count}"
        yield from _only(suggestion, SUGGESTION - AFTER_1_0[2] if first else SUGGESTION, here)
        yield from _text(suggestion, "label", here)
        if not _is_uuid(suggestion.get("uuid")):
            yield f"{here}/uuid: none"
        actions = suggestion.get("actions", [])
        kinds = [action.get("type") for action in actions]
        if "delete" in kinds[:-1]:
            yield f"{here}/actions: a deletion before the last"
        for place, action in enumerate(actions):
            yield from _action(action, f"{here}/actions/{place}", first)


def _action(action: Mapping[str, Any], at: str, first: bool) -> Iterator[str]:
    yield from _only(action, ACTION - AFTER_1_0[3] if first else ACTION, at)
    yield from _text(action, "description", at)
    kind, resource = action.get("type"), action.get("resource")
    if kind in ("create", "update"):
        if not isinstance(resource, Mapping) or not resource.get("resourceType") or "resourceId" in action:
            yield f"{at}/resource: not a resource"
        elif kind == "create" and "id" in resource:
            yield f"{at}/resource: a new order with an id"
    elif kind == "delete":
        named, other = (resource, "resourceId") if first else (action.get("resourceId"), "resource")
        if not isinstance(named, str) or not REFERENCE.match(named) or other in action:
            yield f"{at}: a deletion names its order as this dialect does"
    else:
        yield f"{at}/type: {kind}"


def _link(link: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _only(link, LINK, at)
    yield from _text(link, "label", at)
    if link.get("type") not in ("absolute", "smart") or not str(link.get("url")).startswith(("https://", "http://")):
        yield f"{at}: neither an absolute nor a SMART link"
    if "appContext" in link and link.get("type") != "smart":
        yield f"{at}/appContext: of a link that is not SMART"


def _markdown(detail: Any, at: str) -> Iterator[str]:
    """GitHub-flavoured Markdown without HTML; nothing in it but links to https is more than text."""
    if not isinstance(detail, str):
        yield f"{at}: not a string"
        return
    bare = LINKED.sub("", ESCAPED.sub(".", detail))
    for what, raw in RAW.items():
        if raw.search(bare):
            yield f"{at}: {what}"


def _text(holder: Mapping[str, Any], name: str, at: str) -> Iterator[str]:
    value = holder.get(name)
    if not isinstance(value, str) or not value.strip():
        yield f"{at}/{name}: no text"


def _only(holder: Mapping[str, Any], known: set[str], at: str) -> Iterator[str]:
    for name in sorted(set(holder) - known):
        yield f"{at}/{name}: not a field of this dialect"


def _empty(value: Any, at: str) -> Iterator[str]:
    if OF_THE_CLIENT.match(at):
        return
    if value is None or (isinstance(value, str | list | Mapping) and not value and at not in MAY_BE_EMPTY):
        yield f"{at}: empty"
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _empty(part, f"{at}/{name}".lstrip("/"))


def _is_uuid(value: Any) -> bool:
    try:
        return bool(str(UUID(str(value))) == value)
    except ValueError:
        return False
