"""A PostgreSQL server of one's own: a cluster in a folder, on loopback, run by an account without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import reserve_port

SUPERUSER = "tester"
ACCOUNTS = ("postgres", "nobody")
"""Who runs the server where root starts it, which PostgreSQL refuses: the first that there is."""


class PostgresqlError(Exception):
    """A program of PostgreSQL is not there or did not do what it was asked."""


def find_program(name: str) -> str | None:
    """A program of PostgreSQL: the newest that the distribution has, else that of the search path."""
    places = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return str(places[-1]) if places else shutil.which(name)


class Cluster:
    """A PostgreSQL server whose data are in ``folder``, on a port of loopback; ``settings`` are its configuration.

    Every account may connect without a password, from this machine alone. Durability is switched off.
    Raises PostgresqlError.
    """

    def __init__(self, folder: Path, port: int, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.port = port
        self._data = folder / "data"
        self._prefix = _as_another_user()
        folder.chmod(0o777)
        self._run("initdb", "-D", str(self._data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
                  "--no-sync")  # fmt: skip
        written = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(folder),
            "fsync": "off",
            "full_page_writes": "off",
            "timezone": "UTC",
            **(settings or {}),
        }
        text = "".join(f"{name} = '{value}'\n" for name, value in written.items())
        # The data folder is another account's.
        self._run_command(["tee", "-a", str(self._data / "postgresql.conf")], text)

    def start(self) -> None:
        """Start the server and wait until it takes connections."""
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self.log), "-w", "-t", "120", "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server, by default as a crash would, and wait until it is gone."""
        self._run("pg_ctl", "-D", str(self._data), "-m", mode, "-w", "-t", "120", "stop")

    def is_running(self) -> bool:
        """Whether the server has been started and not been stopped since."""
        return (self.folder / f".s.PGSQL.{self.port}.lock").exists()

    def connection(self, user: str = SUPERUSER, database: str = "postgres", more: str = "") -> str:
        """A libpq connection string."""
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database} {more}".strip()

    def run(self, statements: str, database: str = "postgres", user: str = SUPERUSER) -> str:
        """Run SQL and give the rows that it has, columns divided by ``|``. Raises PostgresqlError."""
        program = find_program("psql")
        if program is None:
            raise PostgresqlError("psql is not installed")
        command = [program, "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.connection(user, database)]
        done = subprocess.run([*command, "-f", "-"], input=statements, capture_output=True, text=True)
        if done.returncode:
            raise PostgresqlError(done.stderr)
        return done.stdout.strip()

    def _run(self, program: str, *arguments: str) -> None:
        found = find_program(program)
        if found is None:
            raise PostgresqlError(f"{program} is not installed")
        self._run_command([found, *arguments])

    def _run_command(self, command: list[str], text: str | None = None) -> None:
        # No pipes: the server would inherit them and they would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [*self._prefix, *command],
                cwd=self.folder,
                input=text,
                stdin=subprocess.DEVNULL if text is None else None,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
            )
            output.seek(0)
            if done.returncode:
                raise PostgresqlError(f"{command[0]} ended with {done.returncode}: {output.read()}")


@contextmanager
def run_cluster(settings: Mapping[str, str] | None = None, beside: Path | None = None) -> Iterator[Cluster]:
    """A running server with nothing in it, gone with its folder at the end. Raises PostgresqlError."""
    folder = Path(tempfile.mkdtemp(prefix="mapsos-postgresql-", dir=beside))
    try:
        # Also while it is stopped for a while.
        with reserve_port() as port:
            cluster = Cluster(folder, port, settings)
            cluster.start()
            try:
                yield cluster
            finally:
                if cluster.is_running():
                    cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_another_user() -> list[str]:
    if os.getuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise PostgresqlError("setpriv is not installed, and PostgreSQL does not run as root")
    for name in ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    raise PostgresqlError("there is no account to run PostgreSQL by")


@contextmanager
def require_cluster(settings: Mapping[str, str] | None = None, beside: Path | None = None) -> Iterator[Cluster]:
    """A running server as of `run_cluster`; the tests are skipped where PostgreSQL or GDAL's driver is missing."""
    # Benchmarks run without pytest.
    import pytest
    from osgeo import ogr

    from mapsos.sources.pool import close_idle_readers

    if ogr.GetDriverByName("PostgreSQL") is None:
        pytest.skip("GDAL has no PostgreSQL driver")
    try:
        with run_cluster(settings, beside) as cluster:
            yield cluster
            close_idle_readers()
    except PostgresqlError as error:
        if "not installed" not in str(error):
            raise
        pytest.skip(str(error))
