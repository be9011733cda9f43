"""Live, ready, figures: who may see them, what they say, also where several processes serve; and how it stops."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hooks import health, measures
from hooks.app import create_app
from hooks.records.recorder import RecorderState
from hooks.settings import Settings, SettingsError, load
from tests.calling import SIGN, an_app, call
from tests.clients import EC, ISSUER, PUBLIC, signed, stored_jwks, trusting
from tests.fixtures import FOLDER

ROOT = Path(__file__).parents[1]
BODY = (FOLDER / "clonazepam-active.request.json").read_bytes()
SECRET = "only-for-those-who-run-the-service"
PLACES = ("/live", "/ready", "/metrics")
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("place", PLACES)
def test_in_open_mode_the_machine_itself_sees_them(place: str) -> None:
    app = an_app()
    assert call(app, "GET", place).status_code == 200
    refused = call(app, "GET", place, client="192.0.2.7")
    assert refused.status_code == 401 and refused.content == b""


@pytest.mark.parametrize("place", PLACES)
def test_with_a_token_nobody_sees_them_without_it(place: str) -> None:
    app = an_app(ops_token=SECRET)
    for wrong in ({}, {"Authorization": SECRET}, {"Authorization": f"Bearer {SECRET}x"}, {"Authorization": "Bearer"}):
        assert call(app, "GET", place, headers=wrong).status_code == 401
    twice = [("Authorization", f"Bearer {SECRET}")] * 2
    assert call(app, "GET", place, headers=twice).status_code == 401
    for right in (f"Bearer {SECRET}", f"bearer {SECRET} "):
        assert call(app, "GET", place, client="192.0.2.7", headers={"Authorization": right}).status_code == 200


def test_the_service_is_ready_unless_its_database_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    app = an_app()
    assert call(app, "GET", "/ready").json() == {
        "ready": True, "hooks": True, "database": {"ready": True, "queued": 0, "lost": 0},
    }  # fmt: skip
    down = RecorderState(ready=False, why="OperationalError", queued=3, lost=1, recorded=9)
    monkeypatch.setattr(app.state.recorder, "state", lambda: down)
    answer = call(app, "GET", "/ready")
    assert answer.status_code == 503
    assert answer.json()["database"] == {"ready": False, "why": "OperationalError", "queued": 3, "lost": 1}
    figures = call(app, "GET", "/metrics").text
    assert "firstline_database_ready 0.0" in figures and "firstline_records_lost 1.0" in figures
    assert call(app, "POST", SIGN, content=BODY, headers=JSON).status_code == 200


def figure(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{re.escape(name)} ([0-9.]+)$", text, re.MULTILINE))


def test_an_answer_is_counted_by_service_status_and_rule() -> None:
    app = an_app()
    names = (
        'firstline_answers_total{service="firstline-order-sign",status="200",tenant="open"}',
        'firstline_findings_total{indicator="critical",rule="DD-01"}',
        'firstline_orders_in_scope_total{service="firstline-order-sign"}',
        'firstline_answer_seconds_count{service="firstline-order-sign"}',
    )
    before = call(app, "GET", "/metrics").text
    call(app, "POST", SIGN, content=BODY, headers=JSON)
    after = call(app, "GET", "/metrics").text
    assert [figure(after, name) - figure(before, name) for name in names] == [1, 1, 1, 1]


def test_feedback_and_refusals_are_counted() -> None:
    app = an_app(max_body_bytes=50_000)
    entry = {"card": "x", "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:00:00Z"}
    names = (
        'firstline_feedback_total{service="firstline-order-sign",status="200"}',
        'firstline_feedback_total{service="firstline-order-sign",status="422"}',
        *(f'firstline_refused_total{{reason="{why}"}}' for why in ("not authenticated", "too large", "not readable")),
    )
    before = call(app, "GET", "/metrics").text
    call(app, "POST", f"{SIGN}/feedback", json={"feedback": [entry]})
    call(app, "POST", f"{SIGN}/feedback", json={"feedback": [{}]})
    call(app, "POST", SIGN, content=BODY, headers=JSON, client="192.0.2.7")
    call(app, "POST", SIGN, content=b" " * 50_001, headers=JSON)
    call(app, "POST", SIGN, content=b"{", headers=JSON)
    after = call(app, "GET", "/metrics").text
    assert [figure(after, name) - figure(before, name) for name in names] == [1] * 5


@pytest.mark.parametrize("several", [False, True])
def test_answers_are_counted_when_somebody_asks_and_at_once_where_several_processes_serve(
    several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted() -> float:
        return sum(one.value for one in found.collect()[0].samples if one.name.endswith("_total"))

    monkeypatch.setattr(measures, "SEVERAL", several)
    found = measures.ANSWERS
    measures.exposition()
    before = counted()
    measures.count_answer("some", "firstline-order-sign", 200, 0.001, None)
    measures.count_answer("some", "firstline-order-sign", 200, 0.001, None)
    assert counted() == before + (2 if several else 0)
    measures.exposition()
    measures.exposition()
    assert counted() == before + 2


def test_a_worker_that_was_killed_is_no_figure_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(measures.SHARED, str(tmp_path))
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    for number in (int(ended.stdout), os.getpid(), 1):
        for kind in ("gauge_livemin", "gauge_livesum", "gauge_sum", "counter"):
            (tmp_path / f"{kind}_{number}.db").touch()
    measures._leave_out_the_dead(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert {f"gauge_sum_{int(ended.stdout)}.db", f"counter_{int(ended.stdout)}.db"} < left and len(left) == 10


def test_what_may_not_be_is_refused_at_the_start() -> None:
    wrong = {
        "FIRSTLINE_OPS_TOKEN": "short", "FIRSTLINE_MAX_AT_ONCE": "0", "FIRSTLINE_BODY_SECONDS": "-1",
        "FIRSTLINE_WORKERS": "0", "FIRSTLINE_STOP_SECONDS": "-1", "FIRSTLINE_LOG_LEVEL": "loud",
    }  # fmt: skip
    with pytest.raises(SettingsError) as refused:
        load(wrong)
    keys = ("ops_token", "max_at_once", "body_seconds", "workers", "stop_seconds", "log_level")
    assert all(f"{key}: write" in str(refused.value) for key in keys)


# Real processes


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(folder: Path, **chosen: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A real server; ended by SIGTERM where the test has not."""
    port = free_port()
    own = {
        "PORT": str(port), "FIRSTLINE_TODAY": "2026-03-01T09:00:00Z", "FIRSTLINE_DATABASE_URL": f"sqlite:///{folder}/records.db",
        **{f"FIRSTLINE_{name.upper()}": value for name, value in chosen.items()},
    }  # fmt: skip
    child = subprocess.Popen(
        [sys.executable, "-m", "hooks.serve"], cwd=ROOT, env={**os.environ, **own}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == f"Firstline answers at http://127.0.0.1:{port}/\n"
        yield child, port
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.communicate(timeout=30)


def ask(
    port: int, method: str, path: str, body: bytes | None = None, head: dict[str, str] | None = None
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, JSON if body else head or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_several_processes_serve_one_address_and_tell_figures_together(tmp_path: Path) -> None:
    with serving(tmp_path, workers="2") as (child, port):
        assert {ask(port, "POST", SIGN, BODY)[0] for _ in range(12)} == {200}
        name = 'firstline_answers_total{service="firstline-order-sign",status="200",tenant="open"}'
        wanted = {name: 12, "firstline_records_written": 12, "firstline_database_ready": 1}
        until, told = time.monotonic() + 60, ""
        while time.monotonic() < until and any(figure(told, one) != count for one, count in wanted.items()):
            time.sleep(0.2)
            told = ask(port, "GET", "/metrics")[1].decode()
        assert {one: figure(told, one) for one in wanted} == wanted
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=30) == 0


def test_a_token_is_good_for_one_request_whichever_process_answers(tmp_path: Path) -> None:
    place = stored_jwks(tmp_path, EC)
    (tmp_path / "settings.toml").write_text(
        f'public_url = "{PUBLIC}"\n[tenants.north]\nissuers = ["{ISSUER}"]\njwks = "{place}"\n', encoding="utf-8"
    )
    now = int(time.time())
    chosen = {"config": str(tmp_path / "settings.toml"), "workers": "2", "today": ""}
    with serving(tmp_path, **chosen) as (_, port):
        statuses: list[list[int]] = []
        for number in range(6):
            token = signed(jti=f"t{number}", iat=now, exp=now + 300)
            head = {"Authorization": f"Bearer {token}"}
            statuses.append([ask(port, "GET", "/cds-services", head=head)[0] for _ in range(6)])
    assert statuses == [[200, 401, 401, 401, 401, 401]] * 6


def test_what_is_under_way_is_answered_before_it_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as (child, port), socket.create_connection(("127.0.0.1", port), timeout=20) as sending:
        head = ("Host: x", "Content-Type: application/json", f"Content-Length: {len(BODY)}", "", "")
        sending.sendall("\r\n".join((f"POST {SIGN} HTTP/1.1", *head)).encode() + BODY[:1000])
        time.sleep(0.3)
        child.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        sending.sendall(BODY[1000:])
        assert sending.recv(100).startswith(b"HTTP/1.1 200")
        assert child.wait(timeout=30) in (0, -signal.SIGTERM)


def test_the_health_check_asks_the_service_of_the_same_settings(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    with serving(tmp_path, ops_token=SECRET) as (_, port):
        monkeypatch.setenv("FIRSTLINE_PORT", str(port))
        monkeypatch.setenv("FIRSTLINE_OPS_TOKEN", SECRET)
        assert health.main() == 0
        monkeypatch.setenv("FIRSTLINE_OPS_TOKEN", SECRET + "x")
        assert health.main() == 1
    assert health.main() == 1
    assert "does not answer" in capsys.readouterr().err


def test_where_clients_have_tokens_those_who_run_the_service_need_one_too() -> None:
    app = create_app(trusting())
    assert call(app, "GET", "/ready").status_code == 401


# The container


def test_what_the_container_is_made_from_exists() -> None:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert copied and all((ROOT / name).exists() for names in copied for name in names)
    kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert all(f"!{name}" in kept for names in copied for name in names)
    modules = re.findall(r'"-m", "([a-z.]+)"', "\n".join(lines))
    assert modules == ["hooks.health", "hooks.serve"]
    assert all((ROOT / f"{module.replace('.', '/')}.py").exists() for module in modules)
    users = [line for line in lines if line.startswith("USER ")]
    assert users == ["USER 10001"] and not any("latest" in line for line in lines)


def test_the_composition_names_settings_that_exist() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8") + (ROOT / "Dockerfile").read_text(encoding="utf-8")
    named = {name.lower() for name in re.findall(r"FIRSTLINE_([A-Z_]+)[:=]", text)} - {"config"}
    assert named <= set(Settings.__struct_fields__) and "read_only: true" in text


def test_the_loop_that_watches_ends_with_the_service() -> None:
    app = an_app()

    async def lived() -> int:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len([task for task in asyncio.all_tasks() if task is not asyncio.current_task()])

    assert asyncio.run(lived()) == 0
    assert json.loads(call(app, "GET", "/live").content)["live"] is True
    assert threading.active_count() < 20
