"""Each story's request, posted, gives the answer stored beside it, byte for byte."""

import json
from pathlib import Path

import pytest

from tests.calling import an_app
from tests.fixtures import FOLDER, STORIES, answered, as_stored, told

APP = an_app()


@pytest.mark.parametrize("name", STORIES)
def test_story(name: str) -> None:
    request = json.loads((FOLDER / f"{name}.request.json").read_text(encoding="utf-8"))
    assert as_stored(request) == as_stored(told(STORIES[name])), "run make fixtures"
    assert answered(APP, request)[1] == (FOLDER / f"{name}.response.json").read_text(encoding="utf-8")


def test_no_fixture_without_a_story() -> None:
    told_of = {f"{name}.{part}.json" for name in STORIES for part in ("request", "response")}
    assert {path.name for path in FOLDER.glob("*.json")} == told_of


def test_the_stories_read_as_told() -> None:
    """Every story says in one sentence what it is about, and no two say the same."""
    sentences = [story["tells"] for story in STORIES.values()]
    assert all(sentence.endswith(".") for sentence in sentences)
    assert len(sentences) == len(set(sentences)) >= 25
    assert isinstance(FOLDER, Path)
