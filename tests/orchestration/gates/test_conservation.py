import pytest

from analysis.errors import PermanentError
from orchestration.gates.conservation import Load, require_conserved_loads


def load(records: int, before: int, after: int, *, deduplicated: bool, replaced: bool | None = None) -> Load:
    replaces = not deduplicated if replaced is None else replaced
    return Load("shop_orders", records, before, after, deduplicated, replaces)


@pytest.mark.parametrize(
    ("made", "duplicates"),
    [
        pytest.param(load(10, 7, 10, deduplicated=False), 0, id="a replaced table has a row per record"),
        pytest.param(load(0, 7, 0, deduplicated=False), 0, id="an empty source empties a replaced table"),
        pytest.param(load(10, 0, 8, deduplicated=True), 2, id="a first load drops repeats of a key"),
        pytest.param(load(3, 8, 9, deduplicated=True), 2, id="a later load updates rows that it reads again"),
        pytest.param(load(0, 8, 8, deduplicated=True), 0, id="nothing new"),
        pytest.param(load(3, 8, 11, deduplicated=False, replaced=False), 0, id="appended records join the rows"),
        pytest.param(load(9, 8, 7, deduplicated=True, replaced=True), 2, id="a replaced table drops repeats of a key"),
    ],
)
def test_a_load_that_adds_up_passes_and_counts_its_duplicates(made, duplicates):
    (row,) = require_conserved_loads([made])
    assert row["duplicates"] == duplicates


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(load(10, 0, 9, deduplicated=False), id="a lost record"),
        pytest.param(load(10, 0, 11, deduplicated=False), id="a doubled record"),
        pytest.param(load(3, 8, 7, deduplicated=True), id="a row of an earlier load is gone"),
        pytest.param(load(3, 8, 12, deduplicated=True), id="more rows than records"),
        pytest.param(load(3, 0, 0, deduplicated=True), id="records but no rows"),
        pytest.param(load(3, 8, 10, deduplicated=False, replaced=False), id="a record that was not appended"),
        pytest.param(load(9, 8, 10, deduplicated=True, replaced=True), id="a replaced table with older rows"),
    ],
)
def test_a_load_that_loses_or_gains_rows_is_refused_by_name(made):
    with pytest.raises(PermanentError, match="shop_orders"):
        require_conserved_loads([made])


def test_a_table_that_a_sync_left_as_it_was_is_told_apart():
    with pytest.raises(PermanentError, match="shop_orders holds 7 rows of before: the sync left its stream out"):
        require_conserved_loads([Load("shop_orders", 0, 7, 7, False, True, is_told=False)])
