"""Records with values nested deeper than anything can hold."""

import re

# A string, whose brackets mean nothing, or a bracket.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_OF_A_FIELD = 3
"""How deep a field of a record's data is: in the data, in the record, in the message."""
_DEEPEST = 250


def without_too_deep(line: bytes) -> bytes:
    """The line with NaN in place of each field's value that is nested too deep; found without recursion."""
    pieces: list[bytes] = []
    kept_from = depth = deepest = start = 0
    for match in _TOKEN.finditer(line):
        if match[0] in (b"{", b"["):
            if depth == _OF_A_FIELD:
                start, deepest = match.start(), 0
            depth += 1
            deepest = max(deepest, depth)
        elif match[0] in (b"}", b"]"):
            depth -= 1
            if depth == _OF_A_FIELD and deepest > _DEEPEST:
                pieces += [line[kept_from:start], b"NaN"]
                kept_from = match.end()
    return b"".join([*pieces, line[kept_from:]])
