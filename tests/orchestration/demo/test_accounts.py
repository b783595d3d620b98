from datetime import date, timedelta
from pathlib import Path

import pytest

from orchestration.demo.accounts import DAYS, Accounts
from orchestration.stack import sandbox


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory):
    home: Path = tmp_path_factory.mktemp("home")
    yield Accounts(sandbox.start(home))
    sandbox.stop(home)


def test_a_new_tenants_world_waits_for_its_day_to_pass(accounts):
    opened = accounts.open("acme", is_published=False)
    assert date.fromisoformat(opened["end"]) - date.fromisoformat(opened["start"]) == timedelta(days=DAYS - 1)
    assert accounts.open("acme", is_published=False) == opened
    assert accounts.let_a_day_pass("acme")
    assert not accounts.let_a_day_pass("acme")
    assert accounts.find("acme")["end"] is None


def test_the_world_of_a_published_tenant_goes_on_with_the_calendar(accounts):
    assert accounts.open("globex", is_published=True)["end"] is None


def test_a_tenant_that_begins_anew_has_its_day_again(accounts):
    accounts.open("initech", is_published=True)
    assert accounts.open("initech", is_published=False)["end"] is not None


def test_an_account_that_nobody_opened_is_not_there(accounts):
    assert accounts.find("nobody") is None
