"""A source with a key from the environment: a wrong one is refused before anything is read, the right one is taken."""

import pytest

from orchestration.demo.accounts import Accounts
from orchestration.stack import sandbox


@pytest.mark.slow
def test_a_key_is_tried_when_the_tenant_is_added_and_never_shown(stack):
    url = sandbox.start(stack.home)
    key = Accounts(url).open("keyed", is_published=False)["configurations"]["stripe"]["client_secret"]
    source = f"pay=stripe:client_secret=env:PAY_KEY,base_url={url}/stripe"
    words = ["tenant", "add", "keyed", "--source", source, "--streams", "pay=customers,coupons"]

    unset = stack.attempt(*words).sentence
    assert "PAY_KEY" in unset and "is not set" in unset
    refused = stack.attempt(*words, PAY_KEY="sk_test_hush_hush")
    assert "Source pay cannot be reached" in refused.sentence and "refused the secret key" in refused.sentence
    assert "hush" not in refused.out + refused.err
    assert "keyed" not in [each["tenant"] for each in stack.json("tenant", "list")]
    unknown = stack.attempt(*words[:-1], "pay=customers,cookies", PAY_KEY=key).sentence
    assert "offers no stream cookies" in unknown and key not in unknown

    added = stack.attempt(*words, PAY_KEY=key)
    assert (added.code, "pay: 2 streams" in added.out, key in added.out + added.err) == (0, True, False)
    assert stack.connections("keyed") == ["pay"]
    stack.sluice("tenant", "remove", "keyed", "--erase", "--yes")
