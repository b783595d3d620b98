"""Assignment: the pairing of rows and columns with the greatest sum of scores."""

from collections.abc import Sequence

_INFINITY = float("inf")


def assign(scores: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column), each used once, of greatest total; pairs that score 0 are left out. O(rows² · columns)."""
    if not scores or not scores[0]:
        return []
    if len(scores) > len(scores[0]):
        return sorted((row, column) for column, row in assign([list(column) for column in zip(*scores, strict=True)]))
    owner = _owners(scores)
    pairs = [(row - 1, column) for column, row in enumerate(owner[1:]) if row]
    return sorted((row, column) for row, column in pairs if scores[row][column] > 0)


def _owners(scores: Sequence[Sequence[float]]) -> list[int]:
    """Which row (from 1) owns each column (from 1): the Hungarian method with potentials."""
    rows, columns = len(scores), len(scores[0])
    row_potential, column_potential = [0.0] * (rows + 1), [0.0] * (columns + 1)
    owner = [0] * (columns + 1)
    for row in range(1, rows + 1):
        owner[0] = row
        previous, slack, used = [0] * (columns + 1), [_INFINITY] * (columns + 1), [False] * (columns + 1)
        column = 0
        while owner[column]:
            used[column] = True
            current, step, following = owner[column], _INFINITY, 0
            for other in range(1, columns + 1):
                if used[other]:
                    continue
                cost = -scores[current - 1][other - 1] - row_potential[current] - column_potential[other]
                if cost < slack[other]:
                    slack[other], previous[other] = cost, column
                if slack[other] < step:
                    step, following = slack[other], other
            for other in range(columns + 1):
                if used[other]:
                    row_potential[owner[other]] += step
                    column_potential[other] -= step
                else:
                    slack[other] -= step
            column = following
        while column:
            owner[column] = owner[previous[column]]
            column = previous[column]
    return owner
