import multiprocessing
import os
import signal

import pytest
from sqlalchemy import exc, text

from analysis.errors import RetryableError
from orchestration.tenancy.lock import TenantBusyError, is_running, run_lock


@pytest.fixture
def open_locks(as_admin):
    """Advisory locks for everybody, as on a server whose superuser we are not."""
    as_admin("grant execute on function pg_advisory_lock(bigint) to public")
    yield
    as_admin("revoke execute on function pg_advisory_lock(bigint) from public")


def hold(engine, tenant, ready):
    with run_lock(engine, tenant):
        ready.set()
        signal.pause()


def test_a_second_run_of_a_tenant_is_refused_by_name_until_the_first_ends(engine):
    with run_lock(engine, "acme"):
        assert is_running(engine, "acme")
        with (
            pytest.raises(TenantBusyError, match="Tenant acme already has a run in progress"),
            run_lock(engine, "acme"),
        ):
            pass
        with run_lock(engine, "globex"):
            assert is_running(engine, "globex")
    assert not is_running(engine, "acme")
    with run_lock(engine, "acme"):
        pass


def test_the_lock_ends_with_the_process_that_held_it(engine):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    process = context.Process(target=hold, args=(engine, "acme", ready))
    process.start()
    assert ready.wait(10) and is_running(engine, "acme")
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    for _ in range(200):
        if not is_running(engine, "acme"):
            break
    with run_lock(engine, "acme") as lock:
        lock.check()


def test_a_lock_whose_session_was_lost_says_so(engine):
    # Other databases of this server have locks of their own.
    ending = """select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and granted and usename = current_user and datname = current_database()"""
    with run_lock(engine, "acme") as lock:
        with engine.begin() as connection:
            connection.execute(text(ending))
        with pytest.raises(RetryableError, match="lock was lost"):
            lock.check()


def test_a_tenants_login_that_takes_the_lock_is_put_out(engine, tenant, open_locks, without_watching):
    squatter = tenant.reader.connect()
    squatting = "select pg_advisory_lock(hashtextextended('sluice run ' || :tenant, 0))"
    squatter.execute(text(squatting), {"tenant": "acme"})
    assert not is_running(engine, "acme")
    with run_lock(engine, "acme"):
        assert is_running(engine, "acme")
    squatter.invalidate()


def test_a_tenants_login_takes_no_advisory_lock(engine, tenant):
    for login in (tenant.builder, tenant.reader):
        for function in ("pg_advisory_lock", "pg_try_advisory_xact_lock", "pg_advisory_lock_shared"):
            with pytest.raises(exc.ProgrammingError, match="permission denied"), login.connect() as connection:
                connection.execute(text(f"select {function}(1)"))
    with run_lock(engine, str(tenant)), tenant.loader.connect() as connection:
        assert connection.execute(text("select pg_try_advisory_lock(1)")).scalar_one()
