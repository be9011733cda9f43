"""A small FHIR server, run as a process of its own on loopback: ``python -m tests.fhir_server``.

The first part of a base address says how it behaves: ``http://127.0.0.1:PORT/fine/fhir``. What it holds is put there by
``POST /_records``; ``GET /_asked`` tells what it was asked since, and forgets it.
"""

import gzip
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

TOKEN = "token-Quetzal-7"
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
PAGE = 2
SLOW_SECONDS = 20


class _State:
    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.trap = ""
        self.failing = False
        self.stopping = threading.Event()
        self.lock = threading.Lock()


class _Server(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: _State

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        state = self.state
        state.records, state.trap, state.failing = sent["records"], sent["trap"], sent["failing"]
        self._send({})

    def do_GET(self) -> None:
        if self.path == "/_asked":
            with self.state.lock:
                asked, self.state.asked = self.state.asked, []
            self._send(asked)
            return
        with self.state.lock:
            tries = sum(one["path"] == self.path for one in self.state.asked)
            self.state.asked.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}})
        manner = self.path.split("/")[1]
        self.base = f"http://{self.headers['Host']}/{manner}/fhir"
        getattr(self, f"_{manner}")(tries)

    # How it behaves

    def _fine(self, _: int) -> None:
        if self.headers.get("Authorization") not in {None, f"Bearer {TOKEN}"}:
            self._send(OUTCOME, 401)
            return
        self._send(*self._answer())

    def _flaky(self, _: int) -> None:
        self._send(OUTCOME, 503) if self.state.failing else self._fine(0)

    def _slow(self, _: int) -> None:
        self.state.stopping.wait(SLOW_SECONDS)
        self.close_connection = True

    def _lagging(self, _: int) -> None:
        """Only the medications come in time."""
        self._fine(0) if "MedicationRequest" in self.path else self._slow(0)

    def _dead(self, _: int) -> None:
        self.close_connection = True

    def _hangs_up_once(self, tries: int) -> None:
        self._fine(0) if tries else self._dead(0)

    def _busy_once(self, tries: int) -> None:
        self._fine(0) if tries else self._send(OUTCOME, 503)

    def _broken(self, _: int) -> None:
        self._send(OUTCOME, 500)

    def _forbidding(self, _: int) -> None:
        self._send(OUTCOME, 403)

    def _lost(self, _: int) -> None:
        self._send(OUTCOME, 404)

    def _outcome(self, _: int) -> None:
        self._send(OUTCOME)

    def _picky(self, _: int) -> None:
        self._send(OUTCOME, 400) if "_sort" in self.path or "intent" in self.path else self._fine(0)

    def _html(self, _: int) -> None:
        self._send_bytes(b"<html>Sign in</html>", 200, "text/html")

    def _stranger(self, _: int) -> None:
        """Ignores whose records were asked for."""
        answered, status = self._answer()
        self._send(
            json.loads(json.dumps(answered).replace('Patient/p1"', 'Patient/p2"').replace('"p1"', '"p2"')), status
        )

    def _bare(self, _: int) -> None:
        self._send({"resourceType": "Basic", "id": "b"})

    def _endless(self, tries: int) -> None:
        answered, status = self._answer()
        if answered["resourceType"] == "Bundle":
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["0"])[0]) + 1
            path = self.path.split("&page=")[0]
            answered["link"] = [{"relation": "next", "url": f"http://{self.headers['Host']}{path}&page={page}"}]
        self._send(answered, status)

    def _circle(self, _: int) -> None:
        answered, status = self._answer()
        answered["link"] = [{"relation": "next", "url": f"http://{self.headers['Host']}{self.path}"}]
        self._send(answered, status)

    def _astray(self, _: int) -> None:
        answered, status = self._answer()
        answered["link"] = [{"relation": "next", "url": f"{self.state.trap}/fine/fhir/Condition?page=2"}]
        self._send(answered, status)

    def _redirecting(self, _: int) -> None:
        self.send_response(302)
        self.send_header("Location", self.state.trap + self.path)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _moving(self, _: int) -> None:
        """Redirects within its own origin."""
        self.send_response(307)
        self.send_header("Location", self.path.replace("/moving/", "/fine/"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _huge(self, _: int) -> None:
        self._send({"resourceType": "Bundle", "type": "searchset", "note": "x" * 2_000_000})

    def _zipped(self, _: int) -> None:
        body = gzip.compress(b'{"resourceType": "Bundle", "note": "' + b" " * 5_000_000 + b'"}')
        self._send_bytes(body, 200, "application/fhir+json", {"Content-Encoding": "gzip"})

    def _cut(self, _: int) -> None:
        self._send_bytes(b'{"resourceType": "Bundle"', 200, "application/fhir+json", {"Content-Length": "1000"})
        self.close_connection = True

    def _sticky(self, _: int) -> None:
        answered, status = self._answer()
        self._send(answered, status, {"Set-Cookie": "session=Quetzal-7; Path=/"})

    # What it holds

    def _answer(self) -> tuple[dict[str, Any], int]:
        parts = urlsplit(self.path)
        kind, _, own_id = parts.path.partition("/fhir/")[2].partition("/")
        if own_id:
            found = [one for one in self.state.records if (one["resourceType"], one.get("id")) == (kind, own_id)]
            return (found[0], 200) if found else (OUTCOME, 404)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = [one for one in self.state.records if one["resourceType"] == kind and _fits(one, asked)]
        count, start = int(asked.get("_count", PAGE)), int(asked.get("start", 0))
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found[start : start + count]]
        bundle |= {"entry": entries} if entries else {}
        if start + count < len(found):
            query = "&".join(f"{name}={quote(value)}" for name, value in {**asked, "start": str(start + count)}.items())
            bundle["link"] = [{"relation": "next", "url": f"{self.base}/{kind}?{query}"}]
        return bundle, 200

    def _send(self, content: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(json.dumps(content).encode(), status, "application/fhir+json", headers)

    def _send_bytes(self, body: bytes, status: int, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def _fits(record: dict[str, Any], asked: dict[str, str]) -> bool:
    subject = record.get("subject") or record.get("patient") or {}
    if subject.get("reference") != f"Patient/{asked.get('patient')}":
        return False
    if "code" not in asked:
        return True
    codes = {f"{one.get('system')}|{one.get('code')}" for one in record.get("code", {}).get("coding", [])}
    return not codes.isdisjoint(asked["code"].split(","))


class _Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no news."""


def main() -> None:
    _Server.state = _State()
    server = _Listening(("127.0.0.1", 0), _Server)
    threading.Thread(target=_until_parent_ends, args=(server,), daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever(0.05)
    _Server.state.stopping.set()
    os._exit(0)


def _until_parent_ends(server: ThreadingHTTPServer) -> None:
    sys.stdin.read()
    server.shutdown()


class FhirServer:
    """The process, as a test meets it."""

    def __init__(self, port: int) -> None:
        self.port = port

    def base(self, manner: str) -> str:
        return f"http://127.0.0.1:{self.port}/{manner}/fhir"

    def hold(self, *records: dict[str, Any], trap: str = "", failing: bool = False) -> None:
        """Replaces what the server holds, and forgets what it was asked."""
        body = json.dumps({"records": records, "trap": trap, "failing": failing}).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_records", body, timeout=10):
            self.asked()

    def asked(self) -> list[dict[str, Any]]:
        """Paths and headers of all requests since this was asked last."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_asked", timeout=10) as answer:
            asked: list[dict[str, Any]] = json.load(answer)
        return asked


@contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """Runs the server as a process of its own until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fhir_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            yield FhirServer(int(process.stdout.readline()))
        finally:
            process.stdin.close()
            deadline = time.monotonic() + 10
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)


if __name__ == "__main__":
    main()
