"""Semantic types: what a column means, from its name, its declared type and its values."""

from collections.abc import Callable

from analysis.profiling import patterns
from analysis.profiling.facts import ENOUGH, Facts

Verdict = tuple[str, str]

ID_WORDS = frozenset({"id", "uuid", "guid", "gid", "sid", "uid", "oid", "pk", "identifier"})
_TIME_WORDS = frozenset(
    {
        *("at", "date", "time", "timestamp", "ts", "created", "create", "updated", "update", "modified"),
        *("modify", "changed", "deleted", "start", "started", "end", "ended", "expire", "expires"),
        *("expiry", "expiration", "due", "since", "until", "paid", "closed", "opened", "begin"),
        *("period", "day", "when", "seen", "joined", "sent", "received", "published", "canceled"),
        *("cancelled", "finished", "completed", "anchor", "last", "issued"),
    }
)
_MONEY_WORDS = frozenset(
    {
        *("amount", "total", "subtotal", "price", "cost", "tax", "fee", "balance", "discount", "due"),
        *("paid", "refund", "refunded", "captured", "net", "gross", "revenue", "charge", "payment"),
        *("value", "spend", "shipping"),
    }
)
_NOT_MONEY = frozenset(
    {
        *("count", "number", "quantity", "id", "percent", "percentage", "rate", "ratio", "position"),
        *("day", "attempt", "month", "year", "sequence"),
    }
)
_MINOR_WORDS = frozenset({"cent", "cents", "minor", "pence"})
_PHONE_WORDS = frozenset({"phone", "telephone", "mobile", "tel", "fax", "cell", "cellphone", "msisdn"})
_FLAG_WORDS = frozenset(
    {"is", "has", "can", "should", "enabled", "active", "deleted", "archived", "verified", "allow", "allowed"}
)
_ENUM_WORDS = frozenset(
    {"status", "state", "type", "kind", "category", "stage", "priority", "mode", "level", "severity", "method"}
)
_TEXT_WORDS = frozenset(
    {"description", "body", "content", "note", "comment", "message", "summary", "bio", "html", "desc", "memo"}
)
_PERSON_WORDS = (
    {"first", "name"},
    {"last", "name"},
    {"full", "name"},
    {"middle", "name"},
    {"given", "name"},
    {"family", "name"},
    {"real", "name"},
    {"firstname"},
    {"lastname"},
    {"fullname"},
    {"surname"},
    {"middlename"},
)

# 1990-01-01 to 2100-01-01
_EARLIEST, _LATEST = 631_152_000, 4_102_444_800


def semantic_type(facts: Facts) -> Verdict:
    """The semantic type and the sentence it stands on; `unknown` is an answer."""
    if facts.observed in ("object", "array") or (facts.observed == "unknown" and facts.declared in ("object", "array")):
        return "json", "Values are JSON objects or arrays."
    if facts.declared in ("timestamptz", "timestamp"):
        return "iso_timestamp", f"Declared {facts.declared}."
    if facts.declared == "date":
        return "date", "Declared date."
    if facts.observed == "boolean" or (facts.observed == "unknown" and facts.declared == "boolean"):
        return "boolean_like", "Values are true and false."
    if not facts.texts:
        return _by_name(facts)
    for detect in _DETECTORS:
        verdict = detect(facts)
        if verdict is not None:
            return verdict
    return "unknown", f"No pattern fits {len(facts.texts)} distinct values."


def _share(facts: Facts, fits: Callable[[str], bool]) -> float:
    texts = [text for text in facts.texts if text.strip()]
    return sum(fits(text.strip()) for text in texts) / len(texts) if texts else 0.0


def _agree(facts: Facts, fits: Callable[[str], bool], kind: str, words: str) -> Verdict | None:
    share = _share(facts, fits)
    return (kind, f"{share:.0%} of {len(facts.texts)} distinct values are {words}.") if share >= ENOUGH else None


def _by_name(facts: Facts) -> Verdict:
    if is_identifier_name(facts.leaf):
        return "identifier", "No values; the name ends like an identifier."
    if facts.name & {"email", "mail"} and facts.declared in ("string", "unknown"):
        return "email", "No values; named as an e-mail address."
    if facts.declared in ("integer", "number"):
        return "number", f"No values; declared {facts.declared}."
    return "unknown", "No values."


def is_identifier_name(leaf: tuple[str, ...]) -> bool:
    """A name that ends in a word for identifiers."""
    return bool(leaf) and (leaf[-1] in ID_WORDS or (leaf[-1] == "ref" and len(leaf) > 1))


def _numbers(facts: Facts) -> Verdict | None:
    if _share(facts, patterns.is_number) < ENOUGH:
        return None
    whole = _share(facts, patterns.is_integer) >= ENOUGH
    if whole and is_identifier_name(facts.leaf):
        return "identifier", "Whole numbers under an identifier's name."
    epoch = _epoch(facts) if whole or facts.observed == "number" else None
    if epoch is not None:
        return epoch
    if facts.observed != "string" and facts.declared in ("integer", "unknown") and whole and _is_minor(facts):
        return "minor_units", "Declared whole numbers under a money name, with a currency beside them."
    if set(facts.texts) <= {"0", "1"} and facts.name & _FLAG_WORDS:
        return "boolean_like", "Only 0 and 1 under a flag's name."
    if facts.name & _PHONE_WORDS and _share(facts, _named_phone) >= ENOUGH:
        return "phone", "Digits of a phone number under a phone's name."
    return "number", "Values are numbers."


def _is_minor(facts: Facts) -> bool:
    if facts.name & _MINOR_WORDS:
        return True
    return facts.has_currency_beside and bool(facts.name & _MONEY_WORDS) and not facts.name & _NOT_MONEY


def _epoch(facts: Facts) -> Verdict | None:
    if not facts.name & _TIME_WORDS:
        return None
    numbers = [float(text) for text in facts.texts if patterns.is_number(text.strip()) and float(text) != 0]
    for factor, kind, words in ((1, "epoch_seconds", "seconds"), (1000, "epoch_milliseconds", "milliseconds")):
        inside = sum(_EARLIEST * factor <= number < _LATEST * factor for number in numbers)
        if numbers and inside / len(numbers) >= ENOUGH:
            return kind, f"A time's name, and numbers that are {words} since 1970 between 1990 and 2100."
    return None


def _named_phone(text: str) -> bool:
    return patterns.is_phone(text, is_named=True)


def _email(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_email, "email", "e-mail addresses")


def _uuid(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_uuid, "uuid", "UUIDs")


def _url(facts: Facts) -> Verdict | None:
    named = facts.name & {"url", "website", "link", "homepage", "uri", "site"}
    fits = (lambda text: patterns.is_url(text) or patterns.is_bare_url(text)) if named else patterns.is_url
    return _agree(facts, fits, "url", "URLs")


def _timestamp(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_timestamp, "iso_timestamp", "ISO 8601 timestamps")


def _date(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_date, "date", "ISO 8601 dates")


def _phone(facts: Facts) -> Verdict | None:
    named = bool(facts.name & _PHONE_WORDS)
    return _agree(facts, lambda text: patterns.is_phone(text, is_named=named), "phone", "phone numbers")


def _currency(facts: Facts) -> Verdict | None:
    if not facts.name & {"currency", "curr"}:
        return None
    return _agree(facts, patterns.is_currency, "currency", "ISO 4217 currency codes")


def _country(facts: Facts) -> Verdict | None:
    if "country" not in facts.name:
        return None
    return _agree(facts, patterns.is_country, "country", "countries")


def _identifier(facts: Facts) -> Verdict | None:
    if is_identifier_name(facts.leaf):
        return _agree(facts, lambda text: " " not in text, "identifier", "codes under an identifier's name")
    return _agree(facts, patterns.is_opaque, "identifier", "opaque codes of letters and digits")


def _boolean(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_boolean, "boolean_like", "words for true and false")


def _json(facts: Facts) -> Verdict | None:
    return _agree(facts, patterns.is_json, "json", "JSON texts")


def _person(facts: Facts) -> Verdict | None:
    if any(words <= facts.name for words in _PERSON_WORDS) or (facts.leaf == ("name",) and facts.has_email_beside):
        return _agree(facts, patterns.is_person_name, "person_name", "names of people")
    return None


def _enum(facts: Facts) -> Verdict | None:
    if facts.enumerated:
        return "enum", "The schema lists the values."
    few = facts.distinct_count <= 20 and facts.value_count >= 10 * facts.distinct_count / 3
    if few or facts.name & _ENUM_WORDS:
        return _agree(
            facts, patterns.is_token, "enum", f"short codes, {facts.distinct_count} among {facts.value_count} values"
        )
    return None


def _free_text(facts: Facts) -> Verdict | None:
    if facts.name & _TEXT_WORDS:
        return "free_text", "Texts under a name for running text."
    share = _share(facts, patterns.is_sentence)
    return ("free_text", f"{share:.0%} of the values are running text.") if share >= 0.5 else None


_DETECTORS = (
    _email, _uuid, _url, _timestamp, _date, _numbers, _phone, _currency, _country,
    _identifier, _boolean, _json, _person, _enum, _free_text,
)  # fmt: skip
