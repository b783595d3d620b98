"""Who works on the repositories, and what they open there."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Developer:
    """Someone who commits: of the team, or a customer who contributes under the same e-mail."""

    id: int
    login: str
    name: str
    email: str
    since: datetime | None
    """None for the team, which was there before the first day."""


@dataclass(frozen=True)
class Work:
    """A pull request or an issue with its planned end; what lies after the horizon does not show."""

    kind: str
    repository: int
    number: int
    author: Developer
    created_at: datetime
    closes_at: datetime | None
    merges: bool
    title: str
    sha: str
    label: str

    def closed_by(self, horizon: datetime) -> datetime | None:
        """When it closed, if it has."""
        return self.closes_at if self.closes_at and self.closes_at <= horizon else None
