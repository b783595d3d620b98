import pytest
from airbyte_server.loader import final_table_name
from airbyte_server.loader.naming import column_names, java_hash, normalise, temporary_table_name


@pytest.mark.parametrize(
    ("prefix", "stream", "table"),
    [
        ("stripe_", "charges", "stripe_charges"),
        ("", "Orders", "Orders"),
        ("shop_", "Ünïcödé Näme", "shop_Unicode_Name"),
        ("", "a  b\t c", "a_b_c"),
        ("", "a-b.c/d", "a_b_c_d"),
        ("", 'x"; drop table y; --', "x___drop_table_y____"),
        ("", "2024_orders", "_2024_orders"),
        ("", "ﬁle №1", "file_No1"),
        ("", "日本", "__"),
        ("", "\U0001f600", "_"),
        ("", "a\N{NO-BREAK SPACE}b", "a_b"),
        ("", "", "_"),
        ("", "x" * 63, "x" * 63),
        ("", "x" * 64, "x" * 54 + "_" + str(java_hash("x" * 64))[-8:]),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_table_is_named_as_airbyte_names_it(prefix, stream, table):
    assert final_table_name(prefix, stream) == table


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0), ("hello", 99162322), ("polygenelubricants", -2147483648), ("AaAa", 2031744), ("BBBB", 2031744)],
)
def test_the_hash_is_javas(text, value):
    assert java_hash(text) == value


def test_long_names_stay_apart():
    assert normalise("a" * 80 + "b") != normalise("a" * 80 + "c")
    assert len(normalise("a" * 80)) <= 63


def test_a_temporary_table_is_named_as_airbytes_own_test_has_it():
    name = temporary_table_name("averylongnamespacewithmanycharacters", "similarlylongstreamnamewithlotsoftest")
    assert name == "averylonaracterssimilarltsoftest81e041292e119a43ceaa439325d86a24"[-63:]


def test_columns_that_would_share_a_name_are_numbered():
    names = column_names(["a b", "a_b", "a-b", "A_b", "_airbyte_meta"])
    assert list(names.values()) == ["a_b", "a_b_1", "a_b_2", "A_b", "_airbyte_meta_1"]
