"""Small charts in Markdown that the UI renders without a network: bars of block characters, columns as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import dagster as dg

BAR_WIDTH = 12
EIGHTHS = " ▏▎▍▌▋▊▉"
COLUMNS = 60
"""As many as stay below the 1,000 characters that the UI shows in place."""
STEP, HEIGHT = 6, 48
COLOUR = "#6b5bd2"
"""Legible on the light and on the dark page."""


def bar(value: float, largest: float) -> str:
    """A bar of block characters, as long as the value's share of the largest; something is never nothing."""
    if value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(min(value / largest, 1) * BAR_WIDTH * 8))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def column_chart(values: Sequence[float], caption: str) -> dg.MetadataValue:
    """The last values as columns from nought, with a caption of ours; values below nought have no column."""
    shown = [max(0.0, value) for value in values[-COLUMNS:]]
    largest = max(shown, default=0.0)
    if not largest:
        return dg.MetadataValue.md(f"*Nothing to draw:* {caption}")
    tops = [HEIGHT - round(value / largest * HEIGHT) for value in shown]
    path = "".join(f"M{STEP * place + 3},{HEIGHT}V{top}" for place, top in enumerate(tops) if top < HEIGHT)
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{STEP * len(shown)}' height='{HEIGHT}'>"
        f"<path d='{path}' stroke='{COLOUR}' stroke-width='4'/></svg>"
    )
    return dg.MetadataValue.md(f"![{caption}](data:image/svg+xml,{quote(svg, safe=chr(39) + ',:/=')})\n\n{caption}")
