from hypothesis import given
from hypothesis import strategies as st

from orchestration.tenancy.source_settings import read_settings, write_settings

KEYS = st.text("abc_xyz", min_size=1, max_size=6)
VALUES = st.recursive(
    st.text(max_size=12) | st.sampled_from(["a,b", "env:HOME", "1", "true", "[x", '"q"', " ", "é=ü"])
    | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_what_is_written_is_read_back(configuration):
    assert read_settings("any", write_settings(configuration), {}) == configuration
