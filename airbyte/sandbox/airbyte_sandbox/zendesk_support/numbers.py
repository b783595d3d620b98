"""Numbers as texts of a request have them."""

_MOST_DIGITS = 18


def whole_number(text: str | None) -> int | None:
    """The number; None where the text is none, or so long that nothing has it."""
    return int(text) if text and text.isdecimal() and len(text) <= _MOST_DIGITS else None
