"""The checker lets the rules' own report through and nothing that was changed in it."""

import random
import re
from datetime import date

import pytest

from analysis.errors import PermanentError
from analysis.insights import Sentence, check_report, check_sentences, write_report

DAY = date(2026, 6, 30)


@pytest.fixture
def fact(facts):
    return next(found for found in facts if found.id == "revenue.gross_amount.USD.last_28_days")


def refused(facts, text: str, *cited: str) -> bool:
    try:
        check_sentences([Sentence(text=text, facts=cited)], facts)
    except PermanentError as error:
        assert "refused" in str(error)
        return True
    return False


def test_a_true_sentence_passes(facts, fact):
    value = f"{fact.value:,.2f}"
    assert not refused(facts, f"Gross revenue in USD of the last 28 days: {value} USD.", fact.id)
    assert not refused(facts, "Gross revenue in USD did well.", fact.id)
    assert not refused(facts, "Nothing to report.")


def test_every_changed_number_of_a_report_is_refused(facts):
    report = write_report("acme", DAY, facts)
    dice = random.Random(11)
    changed = 0
    for place, sentence in enumerate(report.insights):
        for digit in re.finditer(r"\d", sentence.text):
            other = dice.choice([number for number in "0123456789" if number != digit[0]])
            text = sentence.text[: digit.start()] + other + sentence.text[digit.end() :]
            lying = (*report.insights[:place], Sentence(text=text, facts=sentence.facts), *report.insights[place + 1 :])
            with pytest.raises(PermanentError):
                check_report(report.model_copy(update={"insights": lying}), facts)
            changed += 1
    assert changed > 100


@pytest.mark.parametrize("swap", [("up", "down"), ("down", "up"), ("USD", "EUR"), (" %", ""), ("high", "low")])
def test_a_reversed_direction_or_swapped_unit_is_refused(facts, swap):
    old, new = swap
    tried = 0
    for sentence in write_report("acme", DAY, facts).insights:
        if re.search(rf"{old}(?!\w)", sentence.text):
            text = re.sub(rf"{old}(?!\w)", new, sentence.text)
            assert refused(facts, text, *sentence.facts), text
            tried += 1
    assert tried or old == "high"


@pytest.mark.parametrize(
    "text",
    [
        "Gross revenue in USD of the last 28 days: 1.00 USD.",
        "Gross revenue in USD doubled.",
        "Gross revenue in USD: three customers left.",
        "Gross revenue in USD: ٣ customers.",
        "Gross revenue in USD: ½ of it.",
        "Gross revenue in USD on 2026-01-01.",
        "Gross revenue in USD: up 99.0 %.",
        "Gross revenue in USD is rising.",
        "Gross revenue in USD was unusually low.",
        "Net revenue: fine.",
    ],
)
def test_what_no_cited_fact_says_is_refused(facts, fact, text):
    assert refused(facts, text, fact.id)


def test_a_number_of_another_fact_is_refused(facts, fact):
    other = next(found for found in facts if found.id == "revenue.gross_amount.EUR.last_28_days")
    text = f"Gross revenue in USD of the last 28 days: {other.value:,.2f} USD."
    assert refused(facts, text, fact.id)


@pytest.mark.parametrize("reference", ["no.such.fact", ":change", ":same_weekday", ":anomaly", ":trend", ":unknown"])
def test_a_citation_of_nothing_is_refused(facts, fact, reference):
    cited = reference if reference[0] != ":" else fact.id + reference
    assert refused(facts, "Gross revenue in USD did well.", cited)


def test_changed_scores_and_tables_are_refused(facts):
    report = write_report("acme", DAY, facts)
    figure = report.figures[0].model_copy(update={"value": "1.00 USD"})
    for update in ({"health_score": 1}, {"churn_risk": 99}, {"figures": (figure, *report.figures[1:])}):
        with pytest.raises(PermanentError, match="refused"):
            check_report(report.model_copy(update=update), facts)
