"""Tells the stories of tests/stories.toml anew: fixtures/<story>.request.json and .response.json (`make fixtures`)."""

import json
import tomllib
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from tests.calling import an_app, call
from tests.sentences import request_of
from tests.versions import VERSIONS

FOLDER = Path(__file__).parent.parent / "fixtures"
STORIES: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "stories.toml").read_text(encoding="utf-8"))


def service_of(request: dict[str, Any]) -> str:
    """The id of the service that a request is for."""
    return "firstline-" + str(request["hook"])


def told(story: dict[str, Any]) -> dict[str, Any]:
    """The request of a story."""
    request: dict[str, Any] = VERSIONS[story.get("shape", "R4")](request_of(story["chart"]))
    return request


def answered(app: Starlette, request: dict[str, Any]) -> tuple[int, str]:
    """Status and body on the day of the stories, the body indented as it is stored."""
    response = call(app, "POST", f"/cds-services/{service_of(request)}", json=request)
    return response.status_code, as_stored(response.json())


def as_stored(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes every story and its answer; removes what no story tells any more."""
    app = an_app()
    for name, story in STORIES.items():
        request = told(story)
        (FOLDER / f"{name}.request.json").write_text(as_stored(request), encoding="utf-8")
        status, body = answered(app, request)
        (FOLDER / f"{name}.response.json").write_text(body, encoding="utf-8")
        print(f"{status} {name}")
    for path in FOLDER.glob("*.json"):
        if path.name.split(".")[0] not in STORIES:
            path.unlink()


if __name__ == "__main__":
    main()
