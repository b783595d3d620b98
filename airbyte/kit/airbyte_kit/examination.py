"""One connector's check: which steps there are, in which order, and what ends it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from airbyte_server.secrets.masking import scrubbed, secrets_in

from airbyte_kit.connector import Connector
from airbyte_kit.errors import KitError
from airbyte_kit.findings import Finding, excepted, failed, skipped
from airbyte_kit.live import Live
from airbyte_kit.replay.server import Replay
from airbyte_kit.resolved import Resolved, resolved
from airbyte_kit.running.following import Bounds
from airbyte_kit.running.forker import Forker, Pace
from airbyte_kit.running.run import Run
from airbyte_kit.sampled import Sampled
from airbyte_kit.session import Session
from airbyte_kit.steps.credentials import problems_of, puts_key_in_address
from airbyte_kit.steps.describing import judge_catalog, judge_connection, judge_specification, streams_of
from airbyte_kit.steps.refusing import judge_refusal, judge_secrets
from airbyte_kit.steps.replaying import Samples, judge_replays
from airbyte_kit.subjects import Subject

BOUNDS = Bounds(seconds=120.0, records=1000)


class Examination:
    """One connector, its sessions, and what the steps share."""

    def __init__(
        self,
        connector: Connector,
        forks: Forker,
        subject: Subject | None,
        replay: Replay | None,
        scratch: Path,
        wanted: Sequence[str] | None,
    ) -> None:
        self._connector = connector
        self._subject = subject
        self._wanted = wanted
        self._samples: Samples | None = None
        if replay is not None:
            written = connector.sample_configuration(replay.root)
            still = Bounds(seconds=BOUNDS.seconds)
            self._samples = Samples(Session(connector, forks, written, "standing", still, scratch), replay)
        if subject is not None:
            pace: Pace = "unhurried" if subject.is_made_up else "real"
            bounds = replace(BOUNDS, records=None) if subject.is_made_up else BOUNDS
            self._main = Session(connector, forks, subject.configuration, pace, bounds, scratch)
        elif self._samples is not None:
            self._main = self._samples.session
        else:
            raise KitError(f"There is nothing to check {connector.path.name} against.")

    @property
    def secrets(self) -> list[str]:
        """Every secret of the configurations, in each form that texts give it."""
        used = [self._main.configuration, *([self._samples.session.configuration] if self._samples else [])]
        plain = [secret for each in used for secret in self._connector.secrets(each)]
        return secrets_in({"secret": plain})

    def findings(self) -> Iterator[Finding]:
        """What each step found, with no secret in it."""
        for finding in excepted(self._steps(), self._connector.exceptions):
            yield replace(finding, reason=scrubbed(finding.reason, self.secrets))

    def _steps(self) -> Iterator[Finding]:
        """Where one fails that others stand on, those are not tried."""
        specification = self._specification()
        yield specification
        if specification.outcome == "failed":
            yield skipped("check", "Nothing runs without a spec.")
            return
        connection = judge_connection(self._checked())
        yield connection
        found = self._main.run("discover")
        catalog = list(judge_catalog(found, self._wanted))
        yield from catalog
        if connection.outcome == "failed" or (found.code or not streams_of(found)):
            yield skipped("read", "Neither streams nor pages are looked at until check and discover succeed.")
        else:
            self._main.discovered = streams_of(found)
            yield from self._of_streams(resolved(self._connector.written))
        in_address = puts_key_in_address(self._connector.manifest)
        yield judge_secrets(self._all_runs(), self.secrets, may_be_in_address=in_address)

    def _specification(self) -> Finding:
        try:
            assert self._connector.folder  # the server reads its metadata first
        except KitError as error:
            return failed("spec", str(error))
        problems = problems_of(self._connector.manifest, self._connector.specification)
        return judge_specification(self._main.run("spec"), self._main.configuration, problems)

    def _checked(self) -> Run:
        if self._subject is None and self._samples is not None:
            return self._samples.check()
        return self._main.run("check")

    def _of_streams(self, manifest: Resolved) -> Iterator[Finding]:
        streams = [name for name in self._wanted or self._main.discovered if name in self._main.discovered]
        if not streams:
            return
        if self._subject is not None:
            yield from Live(self._main, self._subject, manifest, streams).steps()
        if self._samples is None:
            yield skipped("replay", "It has no samples.")
            return
        self._samples.session.discovered = self._main.discovered
        sampled = [name for name in self._connector.sampled if name in streams]
        unknown = [name for name in self._connector.sampled if name not in self._main.discovered]
        yield from (failed("replay", "Its sample is of no stream that there is.", name) for name in unknown)
        if not sampled:
            yield skipped("replay", "None of these streams has a sample.")
            return
        yield from judge_replays(self._samples, sampled)
        if self._subject is None:
            yield from Sampled(self._samples, manifest, sampled).steps()
        yield judge_refusal(self._samples.refused(sampled), sampled, self.secrets, "the replayed API")

    def _all_runs(self) -> list[Run]:
        sessions = [self._main, *([self._samples.session] if self._samples else [])]
        return [run for session in {id(each): each for each in sessions}.values() for run in session.runs]
