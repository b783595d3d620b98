"""The dimensions and metrics that can be asked for, and how a view or a set of views gives their values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from airbyte_sandbox.ga4.visits import View, Visit

Value = int | float


@dataclass
class Tally:
    """What the views of one row add up to."""

    visitors: set[str] = field(default_factory=set)
    newcomers: set[str] = field(default_factory=set)
    visits: set[tuple[object, int]] = field(default_factory=set)
    engaged: set[tuple[object, int]] = field(default_factory=set)
    views: int = 0
    seconds: float = 0.0
    key_events: int = 0
    purchases: int = 0
    revenue: float = 0.0

    def add(self, visit: Visit, view: View) -> None:
        """Count one view."""
        key = (visit.day, visit.number)
        self.visitors.add(visit.visitor.id)
        if visit.is_first and view is visit.views[0]:
            self.newcomers.add(visit.visitor.id)
        self.visits.add(key)
        if visit.is_engaged:
            self.engaged.add(key)
        self.views += 1
        self.seconds += view.seconds
        self.key_events += view.event is not None
        self.purchases += view.event == "purchase"
        self.revenue += view.revenue


@dataclass(frozen=True)
class Metric:
    """A metric's type, as the headers of a report name it, and its value."""

    type: str
    value: Callable[[Tally], Value]


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0


_KEY_EVENTS = Metric("TYPE_FLOAT", lambda tally: tally.key_events)
_REVENUE = Metric("TYPE_CURRENCY", lambda tally: round(tally.revenue, 2))
METRICS: Mapping[str, Metric] = {
    "totalUsers": Metric("TYPE_INTEGER", lambda tally: len(tally.visitors)),
    "activeUsers": Metric("TYPE_INTEGER", lambda tally: len(tally.visitors)),
    "newUsers": Metric("TYPE_INTEGER", lambda tally: len(tally.newcomers)),
    "sessions": Metric("TYPE_INTEGER", lambda tally: len(tally.visits)),
    "engagedSessions": Metric("TYPE_INTEGER", lambda tally: len(tally.engaged)),
    "sessionsPerUser": Metric("TYPE_FLOAT", lambda tally: _share(len(tally.visits), len(tally.visitors))),
    "averageSessionDuration": Metric("TYPE_SECONDS", lambda tally: _share(tally.seconds, len(tally.visits))),
    "userEngagementDuration": Metric("TYPE_SECONDS", lambda tally: round(tally.seconds)),
    "screenPageViews": Metric("TYPE_INTEGER", lambda tally: tally.views),
    "screenPageViewsPerSession": Metric("TYPE_FLOAT", lambda tally: _share(tally.views, len(tally.visits))),
    "screenPageViewsPerUser": Metric("TYPE_FLOAT", lambda tally: _share(tally.views, len(tally.visitors))),
    "bounceRate": Metric("TYPE_FLOAT", lambda tally: _share(len(tally.visits) - len(tally.engaged), len(tally.visits))),
    "engagementRate": Metric("TYPE_FLOAT", lambda tally: _share(len(tally.engaged), len(tally.visits))),
    "conversions": _KEY_EVENTS,
    "keyEvents": _KEY_EVENTS,
    "transactions": Metric("TYPE_INTEGER", lambda tally: tally.purchases),
    "ecommercePurchases": Metric("TYPE_INTEGER", lambda tally: tally.purchases),
    "purchaseRevenue": _REVENUE,
    "totalRevenue": _REVENUE,
}

DIMENSIONS: Mapping[str, Callable[[Visit, View], str]] = {
    "date": lambda visit, _: visit.day.isoformat().replace("-", ""),
    "year": lambda visit, _: f"{visit.day:%Y}",
    "yearMonth": lambda visit, _: f"{visit.day:%Y%m}",
    "month": lambda visit, _: f"{visit.day:%m}",
    "day": lambda visit, _: f"{visit.day:%d}",
    "dayOfWeek": lambda visit, _: f"{visit.day:%w}",
    "sessionSource": lambda visit, _: visit.source,
    "sessionMedium": lambda visit, _: visit.medium,
    "sessionSourceMedium": lambda visit, _: f"{visit.source} / {visit.medium}",
    "sessionDefaultChannelGroup": lambda visit, _: visit.channel,
    "deviceCategory": lambda visit, _: visit.visitor.device,
    "operatingSystem": lambda visit, _: visit.visitor.system,
    "browser": lambda visit, _: visit.visitor.browser,
    "country": lambda visit, _: visit.visitor.country,
    "newVsReturning": lambda visit, _: "new" if visit.is_first else "returning",
    "landingPage": lambda visit, _: visit.views[0].page.path.split("?")[0],
    "hostName": lambda _, view: view.page.host,
    "pagePath": lambda _, view: view.page.path.split("?")[0],
    "pagePathPlusQueryString": lambda _, view: view.page.path,
    "pageTitle": lambda _, view: view.page.title,
}
