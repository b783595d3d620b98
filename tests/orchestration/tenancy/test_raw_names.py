import pytest
from airbyte_server.loader import naming
from airbyte_server.loader.naming import column_names, final_table_name
from hypothesis import given
from hypothesis import strategies as st

from orchestration.tenancy.raw_names import raw_column_names, raw_table_name, temporary_table_name


@given(st.text(max_size=200), st.text(min_size=1, max_size=200))
def test_tables_are_named_as_the_embedded_loader_names_them(prefix, stream):
    assert raw_table_name(prefix, stream) == final_table_name(prefix, stream)


@given(st.from_regex(r"[a-z_]{1,40}", fullmatch=True), st.from_regex(r"[A-Za-z_]{1,63}", fullmatch=True))
def test_temporary_tables_are_named_as_the_embedded_loader_names_them(schema, table):
    assert temporary_table_name(schema, table) == naming.temporary_table_name(schema, table)


@given(st.lists(st.text(max_size=90), max_size=12, unique=True))
def test_columns_are_named_as_the_embedded_loader_names_them(fields):
    assert raw_column_names(fields) == column_names(fields)


@pytest.mark.parametrize(
    ("prefix", "stream", "table"),
    [
        ("shop_", "orders", "shop_orders"),
        ("shop_", "Order Lines", "shop_Order_Lines"),
        ("shop_", "café/menu", "shop_cafe_menu"),
        ("", "2024 orders", "_2024_orders"),
    ],
)
def test_a_table_name_is_plain_and_keeps_its_case(prefix, stream, table):
    assert raw_table_name(prefix, stream) == table
