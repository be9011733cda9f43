"""``python -m hooks.serve``: answers on loopback, and says where once it does."""

import contextlib
import socket
import sys

import uvicorn
from msgspec.structs import replace

from cds.knowledge import KnowledgeError
from hooks.settings import OWN_DATABASE, SettingsError, load


class Server(uvicorn.Server):
    """Tells the address when the socket is open, not before."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers if self.started else ():
            for listening in server.sockets:
                host, port = listening.getsockname()[:2]
                shown = f"[{host}]" if ":" in host else host
                print(f"Firstline answers at http://{shown}:{port}/", flush=True)  # noqa: T201


def main() -> int:
    """Serves until stopped. Returns the exit status: 2 where settings or knowledge are wrong."""
    try:
        settings = load()
        if settings.database_url is None:
            settings = replace(settings, database_url=OWN_DATABASE)
        from hooks.app import create_app  # its import reads the knowledge, which may be refused

        app = create_app(settings)
    except (SettingsError, KnowledgeError) as error:
        lines = str(error).splitlines()
        told = f" {lines[0]}" if len(lines) == 1 else "".join(f"\n  {line}" for line in lines)
        print(f"Firstline does not start:{told}", file=sys.stderr)  # noqa: T201
        return 2
    server = Server(uvicorn.Config(app, host=settings.host, port=settings.port, log_level="warning", lifespan="on"))
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
