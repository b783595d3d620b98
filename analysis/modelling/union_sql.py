"""The SQL of entity unions and of the tenant's own models."""

from analysis.mapping.vocabulary import load_vocabulary
from analysis.modelling.naming import PROVENANCE
from analysis.modelling.plan import EntityUnion, OwnModel, UnionMember
from analysis.modelling.sql_text import cte, document, select_all, select_lines

PROVENANCE_TYPES = dict(zip(PROVENANCE, ("text", "text", "timestamptz"), strict=True))


def union_columns(entity: str) -> dict[str, str]:
    """The columns of an entity's union and their SQL types, in order."""
    fields = load_vocabulary()[entity].fields
    return {field.name: field.sql_type for field in fields} | PROVENANCE_TYPES


def render_union(union: EntityUnion) -> str:
    """All members' rows under the vocabulary's columns; typed and empty without members."""
    columns = union_columns(union.entity)
    if not union.members:
        items = [[f"null::{sql_type} as {name}"] for name, sql_type in columns.items()]
        return document([cte("unioned", [*select_lines(items), "where false"])], "unioned")
    members = [cte(member.staging, _member(member, columns)) for member in union.members]
    selects = [select_all(member.staging) for member in union.members]
    together = [line for select in selects for line in (select, "union all")][:-1]
    return document([*members, cte("unioned", together)], "unioned")


def _member(member: UnionMember, columns: dict[str, str]) -> list[str]:
    fed = {field.field: field.column for field in member.fields}
    items = []
    for name, sql_type in columns.items():
        column = name if name in PROVENANCE_TYPES else fed.get(name)
        value = column or f"null::{sql_type}"
        items.append([value if value == name else f"{value} as {name}"])
    return [*select_lines(items), f"from {{{{ ref('{member.staging}') }}}}"]


def render_own(model: OwnModel) -> str:
    """A stream's staged rows as a table."""
    return document([cte("staged", [select_all(f"{{{{ ref('{model.staging}') }}}}")])], "staged")
