"""From published marts to a daily report: facts by SQL, patterns, scores, and sentences that cite facts."""

from analysis.insights.checker import check_sentences
from analysis.insights.collecting import collect_facts
from analysis.insights.facts import Comparison, Fact, Period
from analysis.insights.report import DailyReport, check_report, write_report
from analysis.insights.rules import Recommendation
from analysis.insights.sentences import Sentence

__all__ = [
    "Comparison",
    "DailyReport",
    "Fact",
    "Period",
    "Recommendation",
    "Sentence",
    "check_report",
    "check_sentences",
    "collect_facts",
    "write_report",
]
