"""Small lists of words; every name, company and address made from them is invented."""

import random
import unicodedata
from dataclasses import dataclass
from functools import cache

_FIRST = (
    "Ada", "Amir", "Anna", "Bruno", "Carla", "Chloé", "Daniel", "Elif", "Emma", "Farid", "Grace", "Hana", "Hugo",
    "Ines", "Ivan", "Jana", "Jonas", "Kenji", "Lara", "Leon", "Lucía", "Maja", "Marco", "Mina", "Nadia", "Nils", "Olga",
    "Omar", "Paula", "Priya", "Quentin", "Rosa", "Sami", "Sofia", "Tariq", "Tomás", "Uma", "Viktor", "Yuki", "Zoë",
)  # fmt: skip
_LAST = (
    "Abe", "Almeida", "Bauer", "Becker", "Bianchi", "Brown", "Castro", "Clarke", "Costa", "Dubois", "Engel", "Evans",
    "Fischer", "Fontaine", "Garcia", "Haas", "Hansen", "Hughes", "Ito", "Jensen", "Kaya", "Keller", "Khan", "Kowalski",
    "Laurent", "Lopez", "Mäkinen", "Martin", "Meyer", "Moreau", "Nagy", "Novak", "O'Neill", "Okafor", "Petrov", "Rossi",
    "Sato", "Silva", "Tanaka", "Weber",
)  # fmt: skip
NAME_COUNT = len(_FIRST) * len(_LAST)
DOMAINS = ("example.com", "example.org", "example.net")
COMPANIES = (
    "Acorn Works", "Birchline Ltd", "Copperfield Labs", "Driftwood Studio", "Elmstreet GmbH", "Fernway Systems",
    "Granite Peak", "Harbourlight SARL", "Ironleaf KK", "Juniper Foods", "Kestrel Media", "Lanternfish Games",
    "Meadowlark Health", "Northbeam Energy", "Oakbarrel Wines", "Pinecone Robotics", "Quillfeather Press",
    "Riverstone Bikes", "Saltmarsh Coffee", "Thistledown Textiles",
)  # fmt: skip
STREETS = ("Main Street", "Station Road", "Park Avenue", "Mill Lane", "Harbour Street", "School Road", "Garden Way")
VERBS = ("Add", "Fix", "Speed up", "Document", "Remove", "Rework", "Test", "Simplify")
SUBJECTS = (
    "the login page", "retries of webhooks", "search filters", "the export", "time zones", "the invoice view",
    "rate limits", "dark mode", "the settings form", "pagination", "error messages", "the release notes",
)  # fmt: skip


@dataclass(frozen=True)
class Country:
    """A country with its currency; `minor_units` is how many make one unit, `per_usd` a fixed rate."""

    code: str
    name: str
    currency: str
    minor_units: int
    per_usd: float
    tax: float
    phone: str
    """A number in the capital; each # is a digit."""
    cities: tuple[str, ...]
    weight: int


COUNTRIES = (
    Country(
        "US", "United States", "usd", 100, 1.0, 0.07, "+1202555####", ("Austin", "Boston", "Denver", "Seattle"), 42
    ),
    Country("DE", "Germany", "eur", 100, 0.92, 0.19, "+4930########", ("Berlin", "Hamburg", "Leipzig"), 18),
    Country("FR", "France", "eur", 100, 0.92, 0.2, "+331########", ("Lyon", "Nantes", "Paris"), 12),
    Country("GB", "United Kingdom", "gbp", 100, 0.79, 0.2, "+4420########", ("Bristol", "Leeds", "London"), 16),
    Country("JP", "Japan", "jpy", 1, 150.0, 0.1, "+813########", ("Kyoto", "Osaka", "Tokyo"), 12),
)


def name(seed: int, number: int) -> tuple[str, str]:
    """First and last name; a pair comes again only after all pairs were used."""
    first, last = _shuffled(seed)
    row, column = divmod(number % NAME_COUNT, len(first))
    return first[column], last[(7 * column + row) % len(last)]


@cache
def _shuffled(seed: int) -> tuple[list[str], list[str]]:
    dice = random.Random(f"{seed}/names")  # noqa: S311 - nothing here is secret
    return dice.sample(_FIRST, len(_FIRST)), dice.sample(_LAST, len(_LAST))


def ascii_letters(text: str) -> str:
    """The letters of a name without accents and signs."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if letter.isascii() and letter.isalpha())


def domain(company: str) -> str:
    """Where a company's people have their addresses."""
    return f"{company.split()[0].lower()}.example"
