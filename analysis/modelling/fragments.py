"""Pieces of SQL for dbt's Jinja; tenants' names in them stay names, in SQL and in Jinja alike."""

import re
from dataclasses import dataclass

from analysis.modelling.naming import RESERVED

_UNQUOTED = re.compile(r"[a-z_][a-z0-9_]*")
# What Jinja could take up or change: an opening brace, and the line ends that it rewrites.
_LIVELY = re.compile(r"[{\r]")


@dataclass(frozen=True)
class Call:
    """A macro of the shared package with its arguments: fragments, or a list of plain texts."""

    macro: str
    arguments: tuple["Fragment | str | tuple[str, ...]", ...]

    def expression(self) -> str:
        """The call as a Jinja expression."""
        return f"sluice.{self.macro}({', '.join(_argument(found) for found in self.arguments)})"


@dataclass(frozen=True)
class Fragment:
    """SQL text with macro calls in it."""

    parts: tuple[str | Call, ...]

    def template(self) -> str:
        """The fragment as template text: dbt renders it to exactly this SQL."""
        return "".join(
            inert(part) if isinstance(part, str) else "{{ " + part.expression() + " }}" for part in self.parts
        )

    def expression(self) -> str:
        """The fragment as a Jinja expression, to be an argument of a call."""
        return " ~ ".join(jinja_string(part) if isinstance(part, str) else part.expression() for part in self.parts)


def _argument(argument: "Fragment | str | tuple[str, ...]") -> str:
    if isinstance(argument, Fragment):
        return argument.expression()
    if isinstance(argument, str):
        return jinja_string(argument)
    return f"[{', '.join(jinja_string(text) for text in argument)}]"


def text(sql: str) -> Fragment:
    """A fragment of plain SQL; the caller quotes the names in it."""
    return Fragment((sql,))


def call(macro: str, *arguments: Fragment | str | tuple[str, ...]) -> Fragment:
    """A fragment that is one macro call."""
    return Fragment((Call(macro, arguments),))


def wrap(before: str, fragment: Fragment, after: str = "") -> Fragment:
    """A fragment between two texts of SQL; neighbouring texts become one."""
    parts: list[str | Call] = []
    for part in (before, *fragment.parts, after):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "":
            parts.append(part)
    return Fragment(tuple(parts))


def identifier(name: str) -> str:
    """A name in SQL, quoted where PostgreSQL would not take it as it is."""
    if _UNQUOTED.fullmatch(name) and name not in RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text value in SQL."""
    return "'" + value.replace("'", "''") + "'"


def inert(sql: str) -> str:
    """Text as a template that Jinja renders back to exactly the text."""
    return _LIVELY.sub(lambda found: "{{ " + jinja_string(found.group()) + " }}", sql)


def jinja_string(value: str) -> str:
    """A Jinja string literal of printable ASCII without braces, quotes or percent signs inside."""
    return "'" + "".join(_escaped(character) for character in value) + "'"


def _escaped(character: str) -> str:
    code = ord(character)
    if 32 <= code < 127 and character not in "'\\{}%":
        return character
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
