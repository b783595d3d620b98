"""A list's way of paging as a component of the manifest."""

import re
from collections.abc import Sequence

from airbyte_kit.openapi.document import Json
from airbyte_kit.openapi.paging import Place, Signals, Way
from airbyte_kit.openapi.parameters import Parameter
from airbyte_kit.openapi.servers import Server


def paginator(way: Way, signals: Signals, key: str | None, server: Server) -> Json | None:
    """The DefaultPaginator; None where the list has one page."""
    if way == "none":
        return None
    strategy, token = _STRATEGIES[way](signals, key, server)
    written: Json = {"type": "DefaultPaginator"}
    if signals.size is not None:
        written["page_size_option"] = option(signals.size.name)
        strategy["page_size"] = f"{{{{ [config.get('page_size') or {signals.page_size}, {signals.page_size}] | min }}}}"
    return {**written, "page_token_option": token, "pagination_strategy": strategy}


def option(name: str) -> Json:
    """A parameter of the query string."""
    return {"type": "RequestOption", "inject_into": "request_parameter", "field_name": name}


def base_url(server: Server) -> str:
    """The base URL as a Jinja expression, without a slash at its end."""
    default = f"({server.url})" if server.url else "''"
    return f"(config.get('base_url') or {default}).rstrip('/')"


def value_at(place: Sequence[str]) -> str:
    """A Jinja expression for a value of the answer that may not be there."""
    expression = "response"
    for number, name in enumerate(place):
        expression = f"({expression} or {{}})" if number else expression
        expression += f".get({_text(name)})"
    return expression


def _text(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _link(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    address = value_at(signals.next_link or ())
    return _addressed(f"({address} or '')", f"{{{{ not {address} }}}}", server)


def _header(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    return _addressed("headers['link']['next']['url']", "{{ 'next' not in headers['link'] }}", server)


def _addressed(address: str, stop: str, server: Server) -> tuple[Json, Json]:
    """The path of the next page and no host: credentials go to the configured host alone, whatever an answer names."""
    steps = [f"replace({base_url(server)} ~ '/', '')", "regex_replace('^https?://[^/]+', '')"]
    if server.path and re.fullmatch(r"[A-Za-z0-9._~/-]+", server.path):
        steps.append(f"regex_replace('^{server.path.replace('.', '[.]')}/', '')")
    steps.append("regex_replace('^/+', '')")
    value = f"{{{{ {' | '.join([address, *steps])} }}}}"
    return {"type": "CursorPagination", "cursor_value": value, "stop_condition": stop}, {"type": "RequestPath"}


def _cursor(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    token = value_at(signals.next_cursor or ())
    stop = f"not {token}"
    if signals.has_more:
        stop += f" or {value_at(signals.has_more)} is false"
    if signals.is_end:
        stop += f" or {value_at(signals.is_end)} is true"
    # As JSON, or a token of digits would be taken for a number.
    strategy = {"type": "CursorPagination", "cursor_value": f"{{{{ ({token} ~ '') | tojson }}}}"}
    return {**strategy, "stop_condition": f"{{{{ {stop} }}}}"}, _token(signals.cursor)


def _last_record(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    strategy = {
        "type": "CursorPagination",
        "cursor_value": f"{{{{ (last_record[{_text(key or 'id')}] ~ '') | tojson }}}}",
        "stop_condition": f"{{{{ not {value_at(signals.has_more or ())} or not last_record }}}}",
    }
    return strategy, _token(signals.last_record)


def _offset(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    return {"type": "OffsetIncrement", "inject_on_first_request": True}, _token(signals.offset)


def _page(signals: Signals, key: str | None, server: Server) -> tuple[Json, Json]:
    strategy = {"type": "PageIncrement", "start_from_page": signals.first_page, "inject_on_first_request": True}
    return strategy, _token(signals.page)


def _token(parameter: Parameter | None) -> Json:
    assert parameter is not None
    return option(parameter.name)


_STRATEGIES = {
    "link": _link,
    "header": _header,
    "cursor": _cursor,
    "last_record": _last_record,
    "offset": _offset,
    "page": _page,
}


def described(way: Way, signals: Signals) -> str:
    """The way in a few words, for the README."""
    place: Place = signals.next_link or () if way == "link" else signals.next_cursor or ()
    name = {
        "cursor": signals.cursor,
        "last_record": signals.last_record,
        "offset": signals.offset,
        "page": signals.page,
    }
    parameter = name.get(way)
    asked = f"`{parameter.name}`" if parameter else ""
    return {
        "link": f"the next page's address in `{'.'.join(place)}`",
        "header": "the `Link` header",
        "cursor": f"{asked} from `{'.'.join(place)}`",
        "last_record": f"{asked} with the last record's key",
        "offset": f"{asked}",
        "page": f"{asked} from {signals.first_page}",
        "none": "one page",
    }[way]
