"""What a model declares of its history, in its yml: `config: {meta: {history: {key: [...], as: rows|versions}}}`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.errors import PermanentError

Kind = Literal["rows", "versions"]


class HistorySpec(BaseModel):
    """The columns that tell a model's rows apart, and whether the last or every state of a row is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Annotated[tuple[str, ...], Field(min_length=1)]
    kind: Annotated[Kind, Field(alias="as")]

    def as_stored(self) -> dict[str, object]:
        """The declaration as it stands in the yml."""
        return {"key": list(self.key), "as": self.kind}


def parse_spec(relation: str, declared: object) -> HistorySpec:
    """The declaration of one model; a PermanentError names what is wrong with it."""
    try:
        spec = HistorySpec.model_validate(declared)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "history"
        message = "A model declares its history as `{key: [columns], as: rows|versions}`; mend its yml."
        raise PermanentError(message, model=relation, where=where, reason=first["msg"]) from None
    if len(set(spec.key)) < len(spec.key):
        raise PermanentError("A model's history names a key column twice; mend its yml.", model=relation)
    return spec
