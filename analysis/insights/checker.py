"""Nothing untrue leaves: every number, date and direction of a sentence must be that of a fact it cites."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn

from analysis.errors import PermanentError
from analysis.insights.facts import COMPARISON_PHRASES, ComparisonName, Fact, Period
from analysis.insights.sentences import (
    ANOMALY_WORDS,
    TREND_WORDS,
    Sentence,
    shown_change,
    shown_comparison,
    shown_value,
)

_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_NUMBER = re.compile(r"(?:\b(?:up|down)\s)?[-+\u2212]?\d(?:[\d,.]*\d)?(?:\s?%|\s[A-Z]{3}\b)?")
_DIRECTIONS = (*ANOMALY_WORDS.values(), *TREND_WORDS.values(), "unchanged")
# What a sentence may not say because nothing here could check it: directions and numbers in other words.
_UNCHECKED = re.compile(
    r"\b(up|down|high|higher|highest|low|lower|lowest|more|less|fewer|above|below|grew|grow\w*|rose|rise\w*|fell|falls?|"
    r"increas\w*|decreas\w*|declin\w*|doubl\w*|tripl\w*|halv\w*|half|soar\w*|plung\w*|percent|per cent|zero|two|three|"
    r"four|five|six|seven|eight|nine|ten|eleven|twelve|dozen\w*|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    r"ninety|hundred\w*|thousand\w*|million\w*|billion\w*)\b",
    re.IGNORECASE,
)


def check_sentences(sentences: Iterable[Sentence], facts: Sequence[Fact]) -> None:
    """Refuse the first sentence that says what no fact it cites says."""
    by_id = {fact.id: fact for fact in facts}
    for sentence in sentences:
        _Check(sentence, by_id).run()


class _Check:
    def __init__(self, sentence: Sentence, facts: Mapping[str, Fact]) -> None:
        self.sentence = sentence
        self.allowed: set[str] = set()
        self.names: set[str] = set()
        self.dates: set[str] = set()
        for reference in sentence.facts:
            self._read(reference, facts)

    def run(self) -> None:
        rest = self._without_names(self.sentence.text)
        rest = self._without(rest, _DATE, self.dates, "a date")
        for direction in _DIRECTIONS:
            rest = self._without(rest, re.compile(rf"\b{direction}\b"), self.allowed, "a direction")
        rest = self._without(rest, _NUMBER, self.allowed, "a number")
        numeral = next((letter for letter in rest if letter.isnumeric()), None)
        if numeral:
            self._refuse("a numeral that cannot be checked", numeral)
        word = _UNCHECKED.search(rest)
        if word:
            self._refuse("a word for a number or direction that cannot be checked", word[0])

    def _read(self, reference: str, facts: Mapping[str, Fact]) -> None:
        fact_id, *part = reference.split(":")
        fact = facts.get(fact_id)
        if fact is None:
            self._refuse("a fact that does not exist", fact_id)
        self.names.add(fact.label)
        self._date(fact.period)
        if (fact.period.end - fact.period.start).days == 27:
            self.names.add("the last 28 days")
        match part:
            case []:
                if fact.value is not None:
                    self.allowed.add(shown_value(fact))
            case ["anomaly"] if fact.anomaly and fact.anomaly.verdict in ANOMALY_WORDS:
                self.allowed.add(ANOMALY_WORDS[fact.anomaly.verdict])
            case ["trend"] if fact.trend and fact.trend.verdict in TREND_WORDS:
                self.allowed.add(TREND_WORDS[fact.trend.verdict])
            case [name, *change] if name in COMPARISON_PHRASES and change in ([], ["change"]):
                self._read_comparison(fact, name, is_change=bool(change))  # type: ignore[arg-type]
            case _:
                self._refuse("a part that its fact does not have", reference)

    def _read_comparison(self, fact: Fact, name: ComparisonName, *, is_change: bool) -> None:
        compared = fact.compared(name)
        if compared is None or (is_change and fact.change(name) is None):
            self._refuse("a comparison that its fact does not have", f"{fact.id}:{name}")
        self.names.add(COMPARISON_PHRASES[name])
        self._date(compared.period)
        self.allowed.add(shown_change(fact, name) if is_change else shown_comparison(fact, name))

    def _date(self, period: Period) -> None:
        self.dates |= {period.start.isoformat(), period.end.isoformat()}

    def _without_names(self, text: str) -> str:
        """The text without the names of what it cites; a sentence that does not name it is refused."""
        for name in sorted(self.names, key=len, reverse=True):
            pattern = re.compile(re.escape(name), re.IGNORECASE)
            if not pattern.search(self.sentence.text) and name != "the last 28 days":
                self._refuse("a number without naming its measure", name)
            text = pattern.sub(" · ", text)
        return text

    def _without(self, text: str, pattern: re.Pattern[str], allowed: set[str], what: str) -> str:
        for found in pattern.findall(text):
            if found not in allowed:
                self._refuse(f"{what} that no fact it cites has", found)
        return pattern.sub(" ", text)

    def _refuse(self, what: str, found: str) -> NoReturn:
        raise PermanentError(
            f"The report is refused: a sentence holds {what}; write it from the facts again.",
            found=found,
            text=self.sentence.text,
        )
