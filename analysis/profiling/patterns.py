"""What single texts look like: one predicate per kind, each cheap and free of side effects."""

import re
from datetime import datetime
from functools import cache

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_BARE_URL = re.compile(
    r"(www\.)\S+\.\S+|[a-z0-9-]+(\.[a-z0-9-]+)*\.(com|org|net|io|co|dev|app|eu)(/\S*)?", re.IGNORECASE
)
_UUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_LOOSE_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?\s?(Z|UTC|[+-]\d\d(:?\d\d)?)?"
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?")
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_PHONE = re.compile(r"\+?[\d\s().\-/]{6,24}(\s*(x|ext\.?)\s*\d{1,6})?", re.IGNORECASE)
_PERSON = re.compile(r"[^\W\d_][^\d_@/\\:;#<>{}]{0,60}")
_OPAQUE = re.compile(r"(?=[^\s]*\d)(?=[^\s]*[A-Za-z])[\w-]{10,}")
_TOKEN = re.compile(r"[\w.:-]{1,40}")

BOOLEAN_TEXTS = frozenset({"true", "false", "yes", "no", "y", "n", "t", "f", "on", "off", "0", "1"})


def is_email(text: str) -> bool:
    """An e-mail address by its syntax; reserved domains such as example.com count."""
    if not _EMAIL.fullmatch(text):
        return False
    import email_validator  # heavy; only where a text has an @

    try:
        email_validator.validate_email(text, check_deliverability=False, globally_deliverable=False)
    except email_validator.EmailNotValidError:
        return False
    return True


def is_phone(text: str, *, is_named: bool) -> bool:
    """A possible phone number; without a + only a column named so is trusted, and read as North American."""
    if not _PHONE.fullmatch(text) or not (text.startswith("+") or is_named):
        return False
    import phonenumbers  # heavy; only where a text has the shape

    try:
        number = phonenumbers.parse(text, None if text.startswith("+") else "US")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


def is_url(text: str) -> bool:
    """An absolute URL."""
    return _URL.fullmatch(text) is not None


def is_bare_url(text: str) -> bool:
    """A host or URL without its scheme, such as www.example.com."""
    return _BARE_URL.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    """A UUID, with or without dashes."""
    return _UUID.fullmatch(text) is not None


def is_timestamp(text: str) -> bool:
    """An ISO 8601 date and time that exists."""
    if not _TIMESTAMP.match(text):
        return False
    from dateutil import parser

    try:
        parser.isoparse(text.replace(" ", "T", 1))
    except (ValueError, OverflowError):
        return _parses_loosely(text)
    return True


def _parses_loosely(text: str) -> bool:
    """ISO texts with a zone set apart or a long fraction, which isoparse refuses and PostgreSQL reads."""
    return _LOOSE_TIMESTAMP.fullmatch(text) is not None and is_date(text[:10])


def is_date(text: str) -> bool:
    """An ISO 8601 date without time that exists."""
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_number(text: str) -> bool:
    """A plain decimal number, as PostgreSQL's numeric reads it."""
    return _NUMBER.fullmatch(text) is not None


def is_integer(text: str) -> bool:
    """A whole number in digits."""
    return _INTEGER.fullmatch(text) is not None


def is_boolean(text: str) -> bool:
    """One of the words that PostgreSQL casts to boolean."""
    return text.lower() in BOOLEAN_TEXTS


def is_person_name(text: str) -> bool:
    """One to five words of letters that start with a capital."""
    parts = text.split()
    return _PERSON.fullmatch(text) is not None and 1 <= len(parts) <= 5 and any(part[:1].isupper() for part in parts)


def is_token(text: str) -> bool:
    """A short code without spaces."""
    return _TOKEN.fullmatch(text) is not None


def is_opaque(text: str) -> bool:
    """A code of letters and digits that nobody reads: ten characters or more, no spaces."""
    return _OPAQUE.fullmatch(text) is not None


def is_json(text: str) -> bool:
    """The text of a JSON object or array, by its brackets."""
    return len(text) > 1 and (text[0], text[-1]) in (("{", "}"), ("[", "]"))


def is_sentence(text: str) -> bool:
    """Running text: several words, or very long."""
    return len(text) > 120 or text.count(" ") >= 4 or "\n" in text


def is_currency(text: str) -> bool:
    """An ISO 4217 alphabetic code, in either case."""
    return text.upper() in _currencies()


def is_country(text: str) -> bool:
    """An ISO 3166 code or English country name."""
    return text.upper() in _countries()


@cache
def _currencies() -> frozenset[str]:
    import pycountry

    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


@cache
def _countries() -> frozenset[str]:
    import pycountry

    names: set[str] = set()
    for country in pycountry.countries:
        known = (country.alpha_2, country.alpha_3, country.name, getattr(country, "common_name", country.name))
        names.update(name.upper() for name in known)
    return frozenset(names)
