"""What is remembered of words is bounded by bytes, and forgetting it changes no answer."""

import gc
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from msgspec import Raw

from hooks import memory, remembered
from hooks.fhir_elements import concepts
from hooks.memory import LOOK_AFTER_BYTES, Memory, caches, forget, resident_bytes
from hooks.remembered import Elements, Remembered
from hooks.settings import SettingsError, load
from tests.calling import SIGN, an_app, call
from tests.fixtures import FOLDER, STORIES, service_of

MB = 1 << 20


class Process:
    """What a process holds, as a test sets it; and how often it forgot."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *held: int | None) -> None:
        self.held = list(held)
        self.forgot = 0
        monkeypatch.setattr(memory, "forget", self.forget)

    def __call__(self) -> int | None:
        return self.held.pop(0) if len(self.held) > 1 else self.held[0]

    def forget(self) -> None:
        self.forgot += 1


def test_it_forgets_when_the_process_has_grown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process(monkeypatch, 100 * MB, 300 * MB, 301 * MB, 120 * MB, 320 * MB, 321 * MB)
    bounded = Memory(200 * MB, process)
    for grown in (0, 1, 1):
        bounded.after(LOOK_AFTER_BYTES)
        assert process.forgot == grown
    bounded.after(LOOK_AFTER_BYTES)  # what was not given back counts as small from then on
    assert process.forgot == 2
    assert "forgotten" in caplog.text


def test_it_does_not_look_at_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process(monkeypatch, 100 * MB, 900 * MB)
    bounded = Memory(200 * MB, process)
    for _ in range(3):
        bounded.after(LOOK_AFTER_BYTES // 4)
    assert process.forgot == 0
    bounded.after(LOOK_AFTER_BYTES // 4)
    assert process.forgot == 1


def test_where_the_system_tells_nothing_nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = Process(monkeypatch, None)
    Memory(1, process).after(LOOK_AFTER_BYTES)
    assert process.forgot == 0
    monkeypatch.setattr(memory, "STATM", tmp_path / "none")
    assert resident_bytes() is None


def test_the_system_tells_what_the_process_holds() -> None:
    held = resident_bytes()
    assert held is not None and 10 * MB < held < 100_000 * MB


def _size(cache: Any) -> int:
    return len(cache) if isinstance(cache, Remembered) else int(cache.cache_info().currsize)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 2)
    asked: list[int] = []

    def following(number: int) -> int:
        asked.append(number)
        return number + 1

    known = Remembered(following)
    assert [known[number] for number in (1, 2, 1, 3, 2, 1)] == [2, 3, 2, 4, 3, 2]
    assert asked == [1, 2, 3, 1]
    assert len(known) == 2


def test_an_element_is_read_once_whatever_was_read_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "LONGEST", 3)
    read: list[bytes] = []

    def small(raw: bytes) -> bytes:
        read.append(raw)
        return raw.lower()

    known = Elements(small)
    said = [b"AB", b"AB", b"CD", b"AB", b"LONG", b"LONG", b""]
    assert [known.of(Raw(raw)) for raw in said] == [raw.lower() for raw in said]
    assert read == [b"AB", b"CD", b"LONG", b""]
    assert set(known.last) == {0, 2}
    known.clear()
    assert not known and not known.last


def test_all_caches_are_emptied_and_no_answer_changes() -> None:
    app = an_app()

    def answers() -> list[bytes]:
        stories = [
            json.loads((FOLDER / f"{name}.request.json").read_text(encoding="utf-8")) for name in sorted(STORIES)[:12]
        ]
        return [call(app, "POST", f"/cds-services/{service_of(story)}", json=story).content for story in stories]

    before = answers()
    assert concepts in list(caches())
    assert sum(map(_size, caches())) > 500
    forget()
    assert sum(map(_size, caches())) == 0
    assert answers() == before


def test_requests_are_counted_by_their_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(Memory, "after", lambda self, size: sizes.append(size))
    body = (FOLDER / "clonazepam-active.request.json").read_bytes()
    call(an_app(), "POST", SIGN, content=body, headers={"Content-Type": "application/json"})
    assert sizes == [len(body)]


def test_without_malloc_trim_it_forgets_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_library(_: Any) -> Any:
        raise OSError

    monkeypatch.setattr(memory.ctypes, "CDLL", no_library)
    concepts(b'{"text": "a word"}')
    forget()
    assert concepts.cache_info().currsize == 0


def test_the_bound_is_a_setting() -> None:
    assert load({"FIRSTLINE_MEMORY_MB": "64"}).memory_mb == 64
    with pytest.raises(SettingsError, match="memory_mb: write a number above 0"):
        load({"FIRSTLINE_MEMORY_MB": "0"})


def test_forgetting_is_told_in_plain_numbers(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    process = Process(monkeypatch, 1 * MB, 500 * MB, 2 * MB)
    with caplog.at_level(logging.WARNING, "firstline.memory"):
        Memory(10 * MB, process).after(LOOK_AFTER_BYTES)
    [record] = caplog.records
    assert vars(record)["facts"] == {"mb": 500}


def test_what_a_laboratory_said_and_who_prescribed_are_not_remembered() -> None:
    """Words and codes are remembered, and they are nobody's; amounts of a laboratory and names of people never."""
    app = an_app()
    request = json.loads((FOLDER / "clonazepam-active.request.json").read_text(encoding="utf-8"))
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    name, amount = "Unmistakable Quetzal", 71.4142
    draft["requester"] = {"reference": "Practitioner/quetzal-7", "display": name}
    code = {"coding": [{"system": "http://loinc.org", "code": "98979-8"}]}
    measured = {"value": amount, "unit": "mL/min/{1.73_m2}", "code": "mL/min/{1.73_m2}"}
    egfr = {"resourceType": "Observation", "id": "e", "status": "final", "code": code, "valueQuantity": measured}
    egfr |= {"subject": {"reference": "Patient/quetzal-8", "display": name}, "effectiveDateTime": "2026-02-27"}
    request["prefetch"]["egfr"] = {"resourceType": "Bundle", "entry": [{"resource": egfr}]}
    request["context"]["patientId"] = "quetzal-9"
    assert call(app, "POST", SIGN, json=request).status_code == 200
    kept = "".join(repr(entry) for cache in caches() for entry in gc.get_referents(cache))
    for word in (name, str(amount), "quetzal-7", "quetzal-8", "quetzal-9"):
        assert word not in kept, word
    assert "98979-8" in kept
