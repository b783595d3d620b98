"""The README of a draft: what was decided, and what a person must look at."""

from collections.abc import Iterator

from airbyte_kit.openapi import words
from airbyte_kit.openapi.drafting import Draft
from airbyte_kit.openapi.streams import Stream

_MOST_LEFT_OUT = 50


def readme(draft: Draft, name: str) -> str:
    """Markdown."""
    sections = [
        f"# {name}",
        f"{_text(draft.document.title)}, drafted from its OpenAPI document by `sluice connector from-openapi`. "
        "Low-code, no Python. A draft: nothing here was run against the API itself.",
        "## To look at",
        "\n".join(f"- {each}" for each in guesses(draft)) or "Nothing was guessed.",
        "## Streams",
        "\n".join(_streams(draft)),
        "## Configuration",
        "\n".join(_configuration(draft)),
    ]
    if draft.choices.left_out:
        sections += ["## Left out", "\n".join(_left_out(draft))]
    sections += [
        "## Check",
        f"`sluice connector check {name}` reads every stream from a server made of `openapi.yaml`, the document cut "
        "down to these streams; with `--config FILE` it reads the API itself.",
    ]
    return "\n\n".join(sections) + "\n"


def guesses(draft: Draft) -> list[str]:
    """A sentence for each decision that the document does not settle."""
    found = [*_common_guesses(draft), *(f"{each.name}: {guess}." for each in draft.streams for guess in each.guesses)]
    return [words.printable(each) for each in found]


def _common_guesses(draft: Draft) -> Iterator[str]:
    auth, server = draft.auth, draft.server
    if server.url is None:
        yield "The document names no host: `base_url` is required."
    if server.others:
        yield f"Of several servers the first is the default; others: {_listed(server.others)}."
    if not auth.credentials:
        yield "The document names no credentials that can be used, so requests are sent without any."
    for each in auth.credentials:
        if each.is_stand_in:
            yield f"`{each.scheme}` needs a person to log in: `access_token` takes a token that was got elsewhere."
        if each.kind == "api_key" and each.name.lower() == "authorization":
            yield "`api_key` is sent as the whole header Authorization: give it with the word before it, as `Token …`."
        if each.kind == "client_credentials":
            yield f"Client id and secret go to {each.token_url}, in the body of the request."
    if auth.others:
        yield f"The API takes other credentials too: {_listed(auth.others)}."
    if auth.unserved:
        yield f"These paths ask for other credentials: {_listed(auth.unserved)}."


def _streams(draft: Draft) -> Iterator[str]:
    yield "| stream | path | pages | key | cursor | parent |"
    yield "|---|---|---|---|---|---|"
    for each in draft.streams:
        key = ", ".join(f"`{name}`" for name in each.key) or "none"
        parent = f"`{each.parent}`" if each.parent else ""
        yield f"| `{each.name}` | `{each.path}` | {_text(each.paging)} | {_text(key)} | {_cursor(each)} | {parent} |"


def _cursor(stream: Stream) -> str:
    return _text(f"`{stream.filter.field}` by `{stream.filter.parameter}`") if stream.filter else "none, read whole"


def _configuration(draft: Draft) -> Iterator[str]:
    specification = draft.manifest["spec"]["connection_specification"]
    yield "| field | | required |"
    yield "|---|---|---|"
    for name, schema in specification["properties"].items():
        told = schema.get("description") or schema.get("title") or ""
        yield f"| `{name}` | {_text(told)} | {'yes' if name in specification['required'] else 'no'} |"


def _left_out(draft: Draft) -> Iterator[str]:
    left_out = draft.choices.left_out
    yield "A list named with `--resource` is drafted; what its path needs becomes a field of the configuration."
    yield ""
    for path, reason in left_out[:_MOST_LEFT_OUT]:
        yield f"- `{path}`: {_text(reason)}"
    if len(left_out) > _MOST_LEFT_OUT:
        yield f"- and {len(left_out) - _MOST_LEFT_OUT} more"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"`{_text(name)}`" for name in names[:5]) + more


def _text(text: str) -> str:
    """On one line, and no Markdown or HTML of the document's own."""
    plain = words.printable(text)[:500]
    return plain.replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[")
