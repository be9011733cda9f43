"""Tells the stories of tests/stories.toml anew: writes fixtures/<story>.request.json and .response.json (`make fixtures`)."""

import json
import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from hooks.app import create_app
from hooks.settings import Settings
from starlette.testclient import TestClient

from tests.sentences import NOW, request_of
from tests.versions import VERSIONS

FOLDER = Path(__file__).parent.parent / "fixtures"
STORIES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "stories.toml").read_text(encoding="utf-8")
)


def service_of(request: dict[str, Any]) -> str:
    """The id of the service that a request is for."""
    return "firstline-" + str(request["hook"])


def told(story: dict[str, Any]) -> dict[str, Any]:
    """The request of a story."""
    request: dict[str, Any] = VERSIONS[story.get("shape", "R4")](request_of(story["chart"]))
    return request


def client() -> TestClient:
    """The service on the day of the stories."""
    now = datetime.fromisoformat(NOW)
    return TestClient(create_app(Settings(), clock=lambda: now))


def answered(service: TestClient, request: dict[str, Any]) -> tuple[int, str]:
    """Status and body, the body indented as it is stored."""
    response = service.post(f"/cds-services/{service_of(request)}", json=request)
    return response.status_code, as_stored(response.json())


def as_stored(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Writes every story and its answer; removes what no story tells any more."""
    with client() as service:
        for name, story in STORIES.items():
            request = told(story)
            (FOLDER / f"{name}.request.json").write_text(as_stored(request), encoding="utf-8")
            status, body = answered(service, request)
            (FOLDER / f"{name}.response.json").write_text(body, encoding="utf-8")
            print(f"{status} {name}")
    for path in FOLDER.glob("*.json"):
        if path.name.split(".")[0] not in STORIES:
            path.unlink()


if __name__ == "__main__":
    main()
