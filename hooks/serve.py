"""``python -m hooks.serve``: answers on loopback, and says where once it does."""

import contextlib
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn
from msgspec.structs import replace

from cds.knowledge import KnowledgeError
from hooks.addresses import OWN_DATABASE
from hooks.logs import configure
from hooks.settings import PREFIX, Settings, SettingsError, load

SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Where several processes put their figures together: prometheus_client reads it when it is imported."""
START_SECONDS = 60
KEPT_SECONDS = 75
"""How long a connection may rest: longer than proxies keep theirs, or they would send into one that was just closed."""


class Server(uvicorn.Server):
    """Tells the address when the socket is open, not before."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            for listening in server.sockets:
                tell(*listening.getsockname()[:2])


def tell(host: str, port: int) -> None:
    print(f"Firstline answers at {address_of(host, port)}/", flush=True)  # noqa: T201


def address_of(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def main() -> int:
    """Serves until stopped. Returns the exit status: 2 where settings or knowledge are wrong."""
    try:
        settings = load()
        if settings.database_url is None:
            settings = replace(settings, database_url=OWN_DATABASE)
        _listen(settings)
        configure(settings)
        if settings.workers > 1:
            return serve_by_several(settings)
        from hooks.app import create_app  # its import reads the knowledge, which may be refused

        app = create_app(settings)
    except (SettingsError, KnowledgeError) as error:
        lines = str(error).splitlines()
        told = f" {lines[0]}" if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)
        print(f"Firstline does not start:{told}", file=sys.stderr)  # noqa: T201
        return 2
    server = Server(uvicorn.Config(app, **_manner(settings)))
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


def _listen(settings: Settings) -> None:
    """Raises ``SettingsError`` where the address cannot be listened on: the server itself would only log it."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            said = (error.strerror or "").lower()
            raise SettingsError(
                f"port {settings.port} of {settings.host}: {said}: stop what listens there, or set another port"
            ) from None


def create_worker_app() -> object:
    """The application of one of several processes: settings from the environment that ``main`` prepared."""
    from hooks.app import create_app

    settings = load()
    configure(settings)
    return create_app(settings)


def serve_by_several(settings: Settings) -> int:
    """One socket, several processes; one that dies is replaced. Knowledge that is wrong is told before any starts."""
    import hooks.app  # noqa: F401

    os.environ[f"{PREFIX}DATABASE_URL"] = str(settings.database_url)
    with _shared_figures():
        threading.Thread(target=_tell_once_it_answers, args=(settings,), daemon=True).start()
        uvicorn.run("hooks.serve:create_worker_app", factory=True, workers=settings.workers, **_manner(settings))
    return 0


def _manner(settings: Settings) -> dict[str, Any]:
    return {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "lifespan": "on",
        "timeout_graceful_shutdown": settings.stop_seconds,
        "timeout_keep_alive": KEPT_SECONDS,
    }


@contextlib.contextmanager
def _shared_figures() -> Iterator[None]:
    """A folder for the figures of all processes, unless the site has set one."""
    if SHARED in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="firstline-figures-") as folder:
        os.environ[SHARED] = folder
        yield


def _tell_once_it_answers(settings: Settings) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection((settings.host, settings.port), timeout=1).close()
            tell(settings.host, settings.port)
            return
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
