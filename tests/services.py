"""Throwaway PostgreSQL and Redis servers on private ports, for `make test-services`."""

import atexit
import os
import pwd
import shutil
import tempfile
from pathlib import Path

from port_for import get_port
from pytest_postgresql.executors.proc import PostgreSQLExecutor
from pytest_redis.executor.process import RedisExecutor

# Debian keeps PostgreSQL's server programs off the PATH.
_DEBIAN_POSTGRES = Path("/usr/lib/postgresql")


def pg_ctl() -> str | None:
    """The newest pg_ctl on this machine, or None."""
    on_path = shutil.which("pg_ctl")
    if on_path:
        return on_path
    installed = sorted(_DEBIAN_POSTGRES.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return str(installed[-1]) if installed else None


def missing() -> list[str]:
    """The names of the servers that this machine does not have."""
    found = {"PostgreSQL (pg_ctl)": pg_ctl(), "Redis (redis-server)": shutil.which("redis-server")}
    return [name for name, path in found.items() if path is None]


def start() -> dict[str, str]:
    """Start both servers, stop them at exit, and return the variables that point the hub at them."""
    postgres_dir = Path(tempfile.mkdtemp(prefix="pg-"))
    redis_dir = Path(tempfile.mkdtemp(prefix="redis-"))
    atexit.register(shutil.rmtree, postgres_dir, ignore_errors=True)
    atexit.register(shutil.rmtree, redis_dir, ignore_errors=True)
    postgres_port, redis_port = get_port(None), get_port(None)
    postgres = PostgreSQLExecutor(
        executable=_postgres_launcher(postgres_dir),
        host="127.0.0.1",
        port=postgres_port,
        datadir=str(postgres_dir / "data"),
        unixsocketdir=str(postgres_dir),
        logfile=str(postgres_dir / "log"),
        startparams="-w",
        dbname="hub",
    )
    redis = RedisExecutor(
        executable=shutil.which("redis-server") or "redis-server",
        databases=4,
        redis_timeout=0,
        loglevel="notice",
        host="127.0.0.1",
        port=redis_port,
        datadir=redis_dir,
    )
    postgres.start()
    atexit.register(postgres.stop)
    redis.start()
    atexit.register(redis.stop)
    return {
        "DATABASE_URL": f"postgresql://postgres@127.0.0.1:{postgres_port}/postgres",
        "REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }


def _postgres_launcher(folder: Path) -> str:
    """pg_ctl itself, or for root a script that runs it as `postgres`: the server refuses to run as root."""
    program = pg_ctl() or "pg_ctl"
    if os.geteuid() != 0:
        return program
    account = pwd.getpwnam("postgres")
    os.chown(folder, account.pw_uid, account.pw_gid)
    launcher = folder / "pg_ctl"
    launcher.write_text(f'#!/bin/sh\ncd {folder} && exec runuser -u postgres -- {program} "$@"\n')
    launcher.chmod(0o755)
    return str(launcher)
