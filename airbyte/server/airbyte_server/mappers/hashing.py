"""hashing: a field gives way to the hexadecimal digest of its value."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airbyte_server.errors import RefusedError
from airbyte_server.loader.decoding import OUT_OF_RANGE
from airbyte_server.mappers.mapper import JsonObject, Shape
from airbyte_server.mappers.settings import text_setting
from airbyte_server.mappers.texts import text_of

_HASHES: Mapping[str, Callable[..., Any]] = {
    "MD5": hashlib.md5,
    "SHA-1": hashlib.sha1,
    "SHA-224": hashlib.sha224,
    "SHA-256": hashlib.sha256,
    "SHA-384": hashlib.sha384,
    "SHA-512": hashlib.sha512,
}
"""Airbyte's names; its MD2 is in no library here."""


@dataclass(frozen=True)
class Hashing:
    """`field` becomes `field` + `suffix`, a string; NULL stays NULL, where Airbyte would hash the word null."""

    kind: ClassVar[str] = "hashing"
    field: str
    suffix: str
    method: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Hashing":
        """From `mapperConfiguration`."""
        method = settings.get("method")
        if method not in _HASHES:
            raise RefusedError(f"the method {method!r} does not run here; use {', '.join(_HASHES)}.")
        suffix = text_setting(settings, "fieldNameSuffix", may_be_empty=True)
        return cls(text_setting(settings, "targetField"), suffix, str(method))

    @property
    def reads(self) -> Sequence[str]:
        """The hashed field."""
        return (self.field,)

    @property
    def makes(self) -> str:
        """The field with the digest."""
        return self.field + self.suffix

    def map_shape(self, shape: Shape) -> Shape:
        """The digest is text, whatever the field was; key and cursor follow."""
        return shape.with_field(self.field, self.makes, {"type": ["null", "string"]})

    def map_record(self, data: JsonObject) -> JsonObject:
        """The value's place is taken by its digest."""
        if self.field in data:
            data[self.makes] = self._digest(data.pop(self.field))
        return data

    def _digest(self, value: Any) -> Any:
        if value is None:
            return None
        try:
            text = text_of(value)
        except (ValueError, RecursionError):
            return OUT_OF_RANGE  # the loader makes it NULL and says so; the value itself never passes
        return _HASHES[self.method](text.encode(), usedforsecurity=False).hexdigest()
