"""Casts: which transform makes a field's type out of what a column holds."""

from typing import NamedTuple

from analysis.mapping.vocabulary import Field
from analysis.profiling.money import CurrencyColumns
from analysis.profiling.profile import ColumnProfile, Path


class Cast(NamedTuple):
    """A transform with its further arguments."""

    transform: str
    arguments: tuple[Path, ...] = ()


def choose_cast(column: ColumnProfile, field: Field, currencies: CurrencyColumns) -> Cast | None:
    """The transform for a column that feeds a field; None for minor units without a currency, which would be wrong."""
    if field.type in ("timestamp", "date") and column.semantic_type in ("epoch_seconds", "epoch_milliseconds"):
        return Cast(column.semantic_type)
    if field.type == "numeric" and column.semantic_type == "minor_units":
        currency = currencies.beside(column.path)
        return Cast("minor_units", (currency,)) if currency else None
    if field.type != "text":
        return Cast(field.type)
    if field.name == "email" or field.name.endswith("_email"):
        return Cast("lower_trim")
    is_json = column.declared_type in ("object", "array", "unknown")
    return Cast("json_text" if len(column.path) > 1 or is_json else "text")
