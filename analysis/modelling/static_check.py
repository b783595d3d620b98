"""The static check of SQL: one select, only known relations, only functions that can do no harm."""

import logging
from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from analysis.modelling.findings import Finding

Relation = tuple[str, ...]
"""A relation's name in its parts: name; schema and name; or database, schema and name."""

# The parser logs what it does not know, with the SQL: names and values of a tenant.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_FUNCTIONS = """
and or not case if cast try_cast coalesce nullif greatest least array
lower upper trim length substring concat replace regexp_replace regexp_like regexp_i_like
row_number count sum min max avg
jsonb_build_array json_extract json_extract_scalar jsonb_extract jsonb_extract_scalar
pg_input_is_valid to_timestamp str_to_time unix_to_time floor trunc round abs pow power sign
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Functions that a model may call, by sqlglot's name; none reads a file, a setting or another session."""

_TYPE_NAMES = """
TEXT VARCHAR CHAR BIGINT INT SMALLINT DECIMAL DOUBLE BOOLEAN JSONB JSON ARRAY
DATE TIME TIMETZ TIMESTAMP TIMESTAMPTZ JSONB JSON INTERVAL ARRAY
"""
_TYPES = frozenset(exp.DataType.Type[name] for name in _TYPE_NAMES.split())
_REFUSED = (
    exp.DML,
    exp.DDL,
    exp.Command,
    exp.Into,
    exp.Lock,
    exp.Set,
    exp.Parameter,
    exp.Placeholder,
    exp.UserDefinedFunction,
    exp.TableSample,
    exp.Operator,
)


def check_sql(sql: str, allowed_relations: Collection[Relation], place: str = "") -> tuple[Finding, ...]:
    """Everything in a statement that a model may not do; the names of relations must match in full."""
    try:
        statements = [found for found in sqlglot.parse(sql, read="postgres") if found is not None]
    except (SqlglotError, RecursionError) as error:
        return (Finding(place=place, sentence=f"The SQL cannot be read ({type(error).__name__})."),)
    if len(statements) != 1:
        return (Finding(place=place, sentence=f"The SQL has {len(statements)} statements, not one."),)
    statement = statements[0]
    if not isinstance(statement, exp.Query):
        return (Finding(place=place, sentence=f"The SQL is a {statement.key}, not a select."),)
    sentences = [*_refused(statement), *_functions(statement), *_relations(statement, frozenset(allowed_relations))]
    return tuple(Finding(place=place, sentence=sentence) for sentence in dict.fromkeys(sentences))


def _refused(statement: exp.Query) -> Iterator[str]:
    for node in statement.walk():
        if isinstance(node, _REFUSED) and not isinstance(node, exp.Query):
            yield f"The SQL has a part that no model may have: {node.key}."
        elif isinstance(node, exp.Select) and any(node.args.get(part) for part in ("into", "locks", "sample")):
            yield "The SQL selects into a table or locks rows."
        elif isinstance(node, exp.With) and node.args.get("recursive"):
            yield "The SQL is recursive, so that it need not end."
        elif isinstance(node, exp.DataType) and node.this not in _TYPES:
            yield f"The SQL casts to a type that no model may use: {node.sql('postgres')[:60]}."


def _functions(statement: exp.Query) -> Iterator[str]:
    for node in statement.find_all(exp.Func):
        name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).lower()
        if name not in FUNCTIONS or isinstance(node.parent, exp.Dot):
            yield f"The SQL calls a function that no model may call: {name[:60]}."


def _relations(statement: exp.Query, allowed: frozenset[Relation]) -> Iterator[str]:
    known: set[int] = set()
    for scope in traverse_scope(statement):
        for name, source in scope.sources.items():
            if not isinstance(source, exp.Table):
                known.update(id(table) for table in scope.tables if table.alias_or_name == name and not table.db)
    for table in statement.find_all(exp.Table):
        parts = tuple(_name(part) for part in table.parts)
        if id(table) not in known and parts not in allowed:
            yield f"The SQL reads a relation that the model may not read: {'.'.join(parts)[:120]}."


def _name(part: exp.Expr) -> str:
    return part.name if isinstance(part, exp.Identifier) and part.quoted else part.name.lower()
