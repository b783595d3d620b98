"""The plan's staging models: each raw column once, what the canonical entity needs beside it, and the tests."""

from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.mapping.vocabulary import load_vocabulary
from analysis.modelling.naming import COLUMN_LENGTH, Key, allocate, plain_text, safe_word
from analysis.modelling.plan import Decision, SourceStream, StagingColumn
from analysis.modelling.streams import is_readable
from analysis.modelling.transforms import TRANSFORMS, lossless_transform
from analysis.profiling.profile import Path, StreamProfile

# A column's proven meaning and type → the transform that shows it; keys stay as they are. Which row is the newest
# is decided on the raw cursor, so that this one may be shown as what it is too.
PROVEN = {
    ("varchar", "iso_timestamp"): "timestamp",
    ("varchar", "date"): "date",
    ("bigint", "epoch_seconds"): "epoch_seconds",
    ("numeric", "epoch_seconds"): "epoch_seconds",
    ("bigint", "epoch_milliseconds"): "epoch_milliseconds",
    ("numeric", "epoch_milliseconds"): "epoch_milliseconds",
}
# Transforms that only say the type: where the vocabulary wants another type, its own cast takes their place.
_CASTS = frozenset({"text", "integer", "numeric", "boolean", "date", "timestamp", "json_text", "json"})


class StagingDraft:
    """The columns of one staging model while they are decided, and which of them feed which canonical field."""

    def __init__(self, name: str, stream: SourceStream, profile: StreamProfile) -> None:
        self.name = name
        self.stream = stream
        self.profile = profile
        self.decisions: list[Decision] = []
        self.fields: dict[str, Key] = {}
        self._columns: dict[Key, StagingColumn] = {}
        self._add_raw_columns()

    def _add_raw_columns(self) -> None:
        fixed = {path[0] for path in self.stream.key if path}
        semantics = {column.path: column for column in self.profile.columns}
        for column in self.stream.columns:
            transform = lossless_transform(column.sql_type)
            seen = semantics[(column.name,)]
            proven = PROVEN.get((column.sql_type, seen.semantic_type))
            if proven and column.name not in fixed:
                transform = proven
                self._decide(column.name, proven, "rule", 1.0, seen.evidence)
            shown = plain_text(column.name, 80)
            self._columns["raw", column.name] = _column((column.name,), transform, (), f"Field {shown} of the stream.")

    def _decide(self, place: str, choice: str, made_by: str, confidence: float, evidence: str) -> None:
        subject = f"staging/{self.name}/{place}"
        self.decisions.append(
            Decision(subject=subject, choice=choice, made_by=made_by, confidence=confidence, evidence=evidence)
        )

    def feed(self, mapping: StreamMapping) -> None:
        """Take in the columns that an entity needs; a field that cannot be read is left null, with a decision."""
        entity = load_vocabulary()[mapping.entity or ""]
        types = {field.name: field for field in entity.fields}
        for field in sorted(mapping.fields, key=lambda found: (found.field, -found.confidence, found.path)):
            if field.field in self.fields:
                self._refuse(field, "Another source field feeds this one already.")
            elif field.field not in types:
                self._refuse(field, "The vocabulary has no such field.")
            elif not all(is_readable(self.profile, path) for path in (field.path, *field.arguments)):
                self._refuse(field, "A raw row does not have one value at this path.")
            else:
                self._take(entity.name, field, types[field.field].type, types[field.field].sql_type)

    def _refuse(self, field: FieldMapping, reason: str) -> None:
        self._decide(field.field, "left null", "rule", 1.0, reason)

    def _take(self, entity: str, field: FieldMapping, type_name: str, sql_type: str) -> None:
        transform = TRANSFORMS.get(field.transform)
        if transform and transform.output != sql_type and field.transform in _CASTS:
            transform = TRANSFORMS[type_name]
        if transform is None or transform.output != sql_type:
            return self._refuse(field, f"The transform does not make a {sql_type}.")
        if len(field.arguments) != transform.argument_count or not self._fits(field.path, transform.name):
            return self._refuse(field, "The transform does not take this input.")
        self._decide(field.field, transform.name, field.method, field.confidence, field.evidence)
        raw = self._columns.get(("raw", field.path[0]))
        if raw and raw.path == field.path and raw.transform == transform.name:
            self.fields[field.field] = ("raw", field.path[0])
            return None
        key = ("canonical", entity, field.field)
        shown = plain_text(".".join(field.path), 80)
        description = f"Field {shown} of the stream, as the {entity}'s {field.field}."
        self._columns[key] = _column(field.path, transform.name, field.arguments, description)
        self.fields[field.field] = key
        return None

    def _fits(self, path: Path, transform: str) -> bool:
        types = {column.name: column.sql_type for column in self.stream.columns}
        return ("text" if len(path) > 1 else types[path[0]]) in TRANSFORMS[transform].accepts

    def columns(self) -> tuple[tuple[StagingColumn, ...], dict[str, str]]:
        """The columns in order of name, key first, and the column's name for each canonical field."""
        names = allocate({key: _wanted(key) for key in self._columns}, length=COLUMN_LENGTH)
        first = {("raw", path[0]) for path in self.stream.key}
        order = sorted(self._columns, key=lambda key: (key not in first, names[key]))
        columns = tuple(self._columns[key].model_copy(update={"name": names[key]}) for key in order)
        return columns, {field: names[key] for field, key in sorted(self.fields.items())}


def _wanted(key: Key) -> str:
    return safe_word(key[1]) if key[0] == "raw" else f"{key[1]}_{key[2]}"


def _column(path: Path, transform: str, arguments: tuple[Path, ...], description: str) -> StagingColumn:
    return StagingColumn(
        name="",
        path=path,
        transform=transform,
        arguments=arguments,
        sql_type=TRANSFORMS[transform].output,
        description=description,
    )
