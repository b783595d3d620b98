"""Personal data: which columns say who a person is."""

from analysis.profiling.facts import Facts
from analysis.profiling.names import singular, words

_MEANINGS = frozenset({"email", "phone", "person_name"})
_PLAIN = frozenset({"boolean_like", "json", "enum", "iso_timestamp", "date", "epoch_seconds", "epoch_milliseconds"})
_NAMES = (
    *(
        {"address", "line"},
        {"address", "street"},
        {"street"},
        {"line"},
        {"address", "1"},
        {"address", "2"},
        {"postal", "code"},
    ),
    *({"zip"}, {"postcode"}, {"ssn"}, {"birth"}, {"birthday"}, {"birthdate"}, {"dob"}, {"passport"}, {"iban"}, {"ip"}),
    *({"latitude"}, {"longitude"}, {"gender"}, {"tax", "id"}, {"vat", "number"}, {"first", "name"}, {"last", "name"}),
    *({"full", "name"}, {"firstname"}, {"lastname"}, {"fullname"}, {"surname"}, {"email"}, {"phone"}, {"mobile"}),
    *({"login"}, {"username"}, {"avatar"}, {"last", "4"}, {"fingerprint"}, {"credit", "card"}),
)
_PEOPLE = frozenset(
    {"customer", "contact", "user", "person", "author", "owner", "member", "employee", "recipient", "sender"}
)
_HARMLESS = frozenset(
    {"count", "id", "type", "status", "verified", "enabled", "check", "is", "has", "country", "at", "sent"}
)


def is_personal(facts: Facts, meaning: str) -> bool:
    """Whether values can name, reach or place a person; flags, counts and ids about them do not count."""
    if meaning in _MEANINGS:
        return True
    if any(names <= facts.name for names in _NAMES) and meaning != "json":
        return meaning not in _PLAIN - {"date"} and (not facts.name & _HARMLESS or {"tax", "id"} <= facts.name)
    if meaning in _PLAIN or facts.leaf != ("name",):
        return False
    around = {singular(word) for part in facts.path[:-1] for word in words(part)}
    return facts.has_email_beside or bool(_PEOPLE & around)
