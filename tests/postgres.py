"""A PostgreSQL of the tests' own: Debian's binaries, a cluster in a folder that is thrown away, on loopback."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

INSTALL = "scripts/install_test_needs.sh"
UNDER = Path("/usr/lib/postgresql")
OWNER = "postgres"
PASSWORD = "only-for-tests"


def binaries() -> Path:
    """The folder of the newest PostgreSQL's binaries."""
    found = sorted(UNDER.glob("*/bin/initdb"), key=lambda path: int(path.parent.parent.name))
    assert found, f"PostgreSQL is not installed: run {INSTALL}"
    return found[-1].parent


class Cluster:
    """One server with one database. ``stop`` and ``start`` may be called repeatedly: its port and data stay."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="firstline-postgres-"))
        self.port = _free_port()
        password = self.folder / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            for path in (self.folder, password):
                shutil.chown(path, OWNER)
        self._run(
            "initdb", "-D", "data", "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={password}", "-E", "UTF8", "-N"
        )
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}:{PASSWORD}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", "data", "-l", "log", "-o", settings)

    def stop(self) -> None:
        """At once, as a crash would: what was committed must be there afterwards."""
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", "data")

    def remove(self) -> None:
        if (self.folder / "data" / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self.folder)

    def create(self, name: str) -> str:
        """Makes an empty database; returns its address."""
        self.sql(f"CREATE DATABASE {name}")
        return self.url.removesuffix("postgres") + name

    def sql(self, statement: str) -> str:
        environment = {**os.environ, "PGPASSWORD": PASSWORD}
        command = [
            str(binaries() / "psql"),
            "-h",
            "127.0.0.1",
            "-p",
            str(self.port),
            "-U",
            OWNER,
            "-qtA",
            "-c",
            statement,
        ]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.strip()

    def _run(self, program: str, *arguments: str) -> None:
        user = ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []
        command = [*user, str(binaries() / program), *arguments]
        ran = subprocess.run(command, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        assert ran.returncode == 0, f"{program}: {ran.stderr.decode(errors='replace')}"


@cache
def shared() -> Cluster:
    """The one cluster of a test run, for tests that leave it running."""
    cluster = Cluster()
    atexit.register(cluster.remove)
    return cluster


_names = count(1)


def fresh_database() -> str:
    """The address of an empty database in the shared cluster."""
    return shared().create(f"fresh_{next(_names)}")


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])
