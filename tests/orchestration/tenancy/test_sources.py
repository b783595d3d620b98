from pathlib import Path

import pytest

from analysis.errors import PermanentError
from orchestration.tenancy.sources import choose_streams, parse_source


def test_a_source_is_a_name_a_type_and_settings():
    spec = parse_source("shop=shopify:store=acme,start=2024-01-01,count=5,debug=true")
    assert (spec.name, spec.connector) == ("shop", "shopify")
    assert spec.airbyte_configuration == {
        "sourceType": "shopify",
        "store": "acme",
        "start": "2024-01-01",
        "count": 5,
        "debug": True,
    }


def test_a_source_needs_no_settings():
    assert parse_source("demo=faker").configuration == {}


def test_paths_of_files_become_absolute_since_airbyte_runs_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = parse_source("shop=file:path=exports/shop,catalog=shop.json,note=a/b")
    assert spec.configuration == {
        "path": str(tmp_path / "exports/shop"),
        "catalog": str(tmp_path / "shop.json"),
        "note": "a/b",
    }


def test_a_repeated_key_makes_a_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = parse_source("shop=file:path=a.jsonl,path=b.jsonl,path=c.jsonl")
    assert spec.configuration["path"] == [str(Path(tmp_path, name)) for name in ("a.jsonl", "b.jsonl", "c.jsonl")]


def test_dots_nest_and_brackets_make_a_list_of_one():
    spec = parse_source("code=github:credentials.option_title=PAT Credentials,credentials.n=1,repositories[]=acme/api")
    assert spec.configuration == {
        "credentials": {"option_title": "PAT Credentials", "n": 1},
        "repositories": ["acme/api"],
    }


def test_a_value_may_be_json_with_commas():
    spec = parse_source('x=y:list=["a,b","c"],map={"k": [1, 2]},text="one, two",plain=[half,last=1')
    assert spec.configuration == {
        "list": ["a,b", "c"],
        "map": {"k": [1, 2]},
        "text": "one, two",
        "plain": "[half",
        "last": 1,
    }


def test_a_secret_comes_from_the_environment_as_it_is_and_is_not_shown():
    spec = parse_source("pay=stripe:client_secret=env:PAY_KEY,account=1", {"PAY_KEY": "007,[x]"})
    assert spec.configuration == {"client_secret": "007,[x]", "account": 1}
    assert "007" not in repr(spec)


@pytest.mark.parametrize("environment", [{}, {"PAY_KEY": ""}])
def test_a_variable_that_is_not_set_is_named(environment):
    with pytest.raises(PermanentError, match="PAY_KEY, from which source 'pay' takes client_secret, is not set"):
        parse_source("pay=stripe:client_secret=env:PAY_KEY", environment)


@pytest.mark.parametrize(
    "text",
    [
        "hush=stripe:client_secret=a,hush-hush",
        "pay=client_secret=hush-hush",
        "pay=stripe:a=hush-hush,a.b=1",
        "pay=stripe:a.b=1,a=hush-hush",
        "pay=stripe:a..b=hush-hush",
        "pay=stripe:a=env:hush-hush",
    ],
)
def test_a_refusal_shows_no_value(text):
    with pytest.raises(PermanentError) as refused:
        parse_source(text)
    assert "hush-hush" not in str(refused.value)


def test_streams_are_chosen_by_source():
    specs = [parse_source("pay=stripe"), parse_source("code=github")]
    chosen = choose_streams(specs, ["pay=customers,charges", "pay=charges,refunds"])
    assert [spec.streams for spec in chosen] == [("customers", "charges", "refunds"), ()]


@pytest.mark.parametrize(("choice", "named"), [("shop=orders", "shop"), ("pay=", "pay"), ("pay", "pay")])
def test_a_choice_for_no_source_or_of_no_stream_is_refused(choice, named):
    with pytest.raises(PermanentError, match=named):
        choose_streams([parse_source("pay=stripe")], [choice])


@pytest.mark.parametrize(
    "text", ["", "shop", "shop=", "=file", "shop=file:path", "shop=file:=x", "Shop=file", "a__b=file"]
)
def test_a_malformed_source_is_refused_in_a_sentence(text):
    with pytest.raises(PermanentError):
        parse_source(text)
