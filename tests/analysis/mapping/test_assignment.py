from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from analysis.mapping.assignment import assign

SCORES = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 10).map(float), min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0]
    )
)


def best_total(scores):
    wide = scores if len(scores) <= len(scores[0]) else [list(column) for column in zip(*scores, strict=True)]
    choices = permutations(range(len(wide[0])), len(wide))
    return max(sum(row[column] for row, column in zip(wide, choice, strict=True)) for choice in choices)


@given(SCORES)
def test_no_other_pairing_scores_more(scores):
    pairs = assign(scores)
    assert sum(scores[row][column] for row, column in pairs) == best_total(scores)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)


def test_pairs_that_score_nothing_are_left_out():
    assert assign([[0.0, 1.0], [0.0, 0.0]]) == [(0, 1)]


def test_nothing_to_pair_gives_nothing():
    assert assign([]) == assign([[]]) == []
