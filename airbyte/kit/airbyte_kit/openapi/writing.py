"""YAML as a person would write it: what is small on one line, long texts folded, no anchors."""

from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 110
_LONG = 80


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Every value is written out: a reader of a draft should not have to follow anchors."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Items of a list stand below their name, indented."""
        super().increase_indent(flow, False)


def _mapping(dumper: _Dumper, data: Mapping[str, Any]) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=_is_small(data))


def _sequence(dumper: _Dumper, data: list[Any]) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=_is_small(data))


def _text(dumper: _Dumper, data: str) -> yaml.Node:
    style = None
    if "{{" in data:
        style = ">" if len(data) > _LONG and not data.startswith(" ") else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(str, _text)


def _is_small(data: Any, depth: int = 0) -> bool:
    if isinstance(data, str):
        return len(data) <= _LONG
    if not isinstance(data, Mapping | list):
        return True
    inner = list(data.values()) if isinstance(data, Mapping) else data
    return depth < 2 and len(str(data)) <= _LONG and all(_is_small(each, depth + 1) for each in inner)


def written(value: Any) -> str:
    """The value's YAML, which read again is the value."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return text
