"""A page: a template in the one frame, with the headers that let nothing run that is not Firstline's own."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from hooks.knowledge_version import knowledge_version

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
PLACES = ("order", "evidence", "insight")


@cache
def _version() -> str:
    return knowledge_version()


def page(
    request: Request, template: str, *, title: str, current: str = "", status: int = 200, **values: Any
) -> HTMLResponse:
    """The template as an answer. ``current`` is the place in the menu: "order", "evidence" or "insight".

    Templates know ``root``, the path under which Firstline is mounted ("" at the top), and ``knowledge``, its version.
    """
    text = TEMPLATES.get_template(template).render(
        title=title,
        current=current,
        root=request.scope.get("root_path", "").rstrip("/"),
        knowledge=_version(),
        places=_places(request),
        **values,
    )
    return HTMLResponse(text, status, HEADERS)


def _places(request: Request) -> tuple[str, ...]:
    """The places of the menu that this application has."""
    paths = {getattr(route, "path", "") for route in request.app.routes}
    known = {"order": "/", "evidence": "/evidence", "insight": "/insight"}
    return tuple(place for place in PLACES if known[place] in paths)
