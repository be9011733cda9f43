"""``python -m hooks.health``: asks the service of these settings whether it lives, for a container's health check."""

import sys
from urllib.request import Request, urlopen

from hooks.settings import load

SECONDS = 3


def main() -> int:
    """0: it lives."""
    settings = load()
    headers = {"Authorization": f"Bearer {settings.ops_token}"} if settings.ops_token else {}
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    shown = f"[{host}]" if ":" in host else host
    try:
        with urlopen(Request(f"http://{shown}:{settings.port}/live", headers=headers), timeout=SECONDS):
            return 0
    except OSError:
        print("Firstline does not answer", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
