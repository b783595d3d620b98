"""pg_dump and pg_restore as streams; passwords travel in the environment, reasons come back in one line."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import IO
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from analysis.errors import PermanentError, RetryableError
from orchestration.stack.backup.archive import CHUNK
from orchestration.stack.binaries import MAJOR, find_binaries
from orchestration.stack.processes import without_passwords

OLDEST_TO_RESTORE = 17
"""pg_restore 18 begins with a setting that PostgreSQL 16 does not know."""
_LOST = ("connection to server", "server closed the connection", "terminating connection", "could not connect")
_OUT_OF_LOCKS = "max_locks_per_transaction"


def check_server(version: int, *, restoring: bool = False) -> None:
    """Refuse a server (psycopg's `server_version`) that these programs cannot serve."""
    major = version // 10_000
    if major > MAJOR:
        message = f"The server is PostgreSQL {major} and the programs here are {MAJOR}; use its own pg_dump."
        raise PermanentError(message, server=major)
    if restoring and major < OLDEST_TO_RESTORE:
        message = f"Restoring needs PostgreSQL {OLDEST_TO_RESTORE} or newer; upgrade the server or restore elsewhere."
        raise PermanentError(message, server=major)


def dump(url: str, *, snapshot: str | None = None, schemas: Sequence[str] | None = None) -> Iterator[bytes]:
    """A database, or some schemas of it, in pg_dump's own format."""
    options = ["--format=custom", "--enable-row-security", "--no-password"]
    if snapshot is not None:
        options.append(f"--snapshot={snapshot}")
    if schemas is not None:
        options.append("--filter=-")
    words = "".join(f"include schema {_pattern(schema)}\n" for schema in schemas or ())
    with _run("pg_dump", url, options) as (process, check):
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(words.encode())
            process.stdin.close()
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        check()


def contents(chunks: Iterable[bytes]) -> list[str]:
    """The entries of a dump as pg_restore lists them."""
    with tempfile.TemporaryFile() as listing:
        with _run("pg_restore", None, ["--list"], output=listing) as (process, check):
            _feed(process, chunks)
            check()
        listing.seek(0)
        return [line for line in listing.read().decode().splitlines() if line and not line.startswith(";")]


def restore(url: str, chunks: Iterable[bytes], *options: str, entries: Sequence[str] | None = None) -> None:
    """Put a dump, or the named entries of it, into a database; the first error ends it."""
    words = ["--exit-on-error", "--no-password", *options]
    with tempfile.NamedTemporaryFile("w", prefix="sluice-entries-") as chosen:
        if entries is not None:
            chosen.write("\n".join(entries))
            chosen.flush()
            words.append(f"--use-list={chosen.name}")
        with _run("pg_restore", url, words) as (process, check):
            _feed(process, chunks)
            check()


@contextlib.contextmanager
def _run(
    program: str, url: str | None, options: Sequence[str], output: IO[bytes] | int = subprocess.PIPE
) -> "Iterator[tuple[subprocess.Popen[bytes], _Check]]":
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [find_binaries().program(program), *options]
    if url is not None:
        place, password = _without_password(url)
        environment |= {"PGPASSWORD": password, "PGAPPNAME": f"sluice {program}", "PGCONNECT_TIMEOUT": "10"}
        command.append(f"--dbname={place}")
    if url is not None and program == "pg_restore":
        output = subprocess.DEVNULL
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            command,
            cwd="/",
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=complaints,
            start_new_session=True,  # a Ctrl-C ends it by our hand, after we said so
        )
        try:
            yield process, _Check(program, process, complaints)
        finally:
            process.kill()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()
            process.wait()


class _Check:
    """Waits for a program's end and raises what it complained of."""

    def __init__(self, program: str, process: "subprocess.Popen[bytes]", complaints: IO[bytes]) -> None:
        self._program, self._process, self._complaints = program, process, complaints

    def __call__(self) -> None:
        code = self._process.wait()
        if code == 0:
            return
        self._complaints.seek(0)
        lines = self._complaints.read(100_000).decode(errors="replace").splitlines()
        errors = [line for line in lines if "error:" in line] or [line for line in lines if line.strip()]
        # The first line alone: the ones below may quote rows.
        reason = without_passwords(errors[0].strip() if errors else f"exit code {code}")
        if any(_OUT_OF_LOCKS in line for line in lines):
            message = f"The server holds too few locks for so many relations; raise its {_OUT_OF_LOCKS}."
            raise PermanentError(message, program=self._program)
        is_lost = any(sign in reason for sign in _LOST) and "authentication failed" not in reason
        kind = RetryableError if is_lost else PermanentError
        raise kind(f"PostgreSQL's {self._program} failed; see the reason.", reason=reason)


def _feed(process: "subprocess.Popen[bytes]", chunks: Iterable[bytes]) -> None:
    assert process.stdin is not None
    try:
        for chunk in chunks:
            process.stdin.write(chunk)
        process.stdin.close()
    except BrokenPipeError:  # it has read what it needs, or it failed and says so
        return


def _without_password(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    settings = dict(parse_qsl(parts.query.replace("+", "%2B")))  # to libpq a plus is a plus and no space
    given = settings.pop("password", unquote(password))
    bare = parts._replace(netloc=f"{user}@{place}" if user else place, query=urlencode(settings, quote_via=quote))
    return urlunsplit(bare), given


def _pattern(schema: str) -> str:
    return '"' + schema.replace('"', '""') + '"'
