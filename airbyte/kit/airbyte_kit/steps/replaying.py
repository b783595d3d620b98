"""A connector's samples, replayed: every exchange is asked for, and what was read is right."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from airbyte_server.connectors.program import Command

from airbyte_kit.findings import Finding, failed, judged
from airbyte_kit.replay.exchanges import JsonObject
from airbyte_kit.replay.scripts import Api, NothingNew, Script
from airbyte_kit.replay.server import Replay
from airbyte_kit.running.run import Run
from airbyte_kit.running.watching import Injected
from airbyte_kit.session import Session
from airbyte_kit.steps.records import judge_keys, judge_reading, judge_schema


@dataclass
class Samples:
    """The replayed API of one connector; each stream's sample is read once."""

    session: Session
    replay: Replay
    scripts: dict[str, Script] = field(default_factory=dict)
    first: dict[str, Run] = field(default_factory=dict)

    def run(
        self,
        command: Command,
        api: Api,
        streams: Sequence[str] = (),
        states: Sequence[JsonObject] = (),
        injected: Injected | None = None,
    ) -> Run:
        """One command, while the API answers so."""
        self.replay.base_path = self.session.connector.base_path
        self.replay.answer, self.replay.asked = api.answer, []
        run = self.session.run(command, streams, states, injected=injected)
        run.asked = self.replay.asked
        return run

    def check(self) -> Run:
        """The connection, checked against all samples, those of the streams that are checked first."""
        connector = self.session.connector
        checked = (connector.manifest.get("check") or {}).get("stream_names") or []
        ordered = sorted(connector.sampled, key=lambda name: (name not in checked, name))
        exchanges = [one for name in ordered for one in connector.exchanges(name)]
        return self.run("check", Script(exchanges, connector.base_path))

    def read(self, stream: str) -> Run:
        """The stream's first read."""
        connector = self.session.connector
        script = self.scripts[stream] = Script(connector.exchanges(stream), connector.base_path)
        self.first[stream] = self.run("read", script, [stream])
        return self.first[stream]

    def again(self, stream: str) -> tuple[Run, NothingNew]:
        """A second read with the state of the first, of an API that has nothing new."""
        api = NothingNew(self.scripts[stream], self.session.connector.base_path)
        return self.run("read", api, [stream], self.first[stream].state), api

    def read_with(self, stream: str, injected: Injected) -> Run:
        """The first read once more, of an API that fails now and then."""
        connector = self.session.connector
        script = Script(connector.exchanges(stream), connector.base_path)
        return self.run("read", script, [stream], injected=injected)

    def refused(self, streams: Sequence[str]) -> Run:
        """A read of an API that says what it refuses; airbyte-cdk quotes it, so the secrets step sees none of this."""
        run = self.run("read", self.session.connector.refusal(repeats=True), streams)
        self.session.runs.remove(run)
        return run

    def problems(self, stream: str) -> list[str]:
        """What is wrong with how the sample was read."""
        script = self.scripts[stream]
        problems = [f"No exchange answers {one.method} {one.path} {_query(one.values)}." for one in script.unanswered]
        if not problems:
            problems += [f"Nobody asked for {one[:200]}" for one in script.unused]
        return problems


def judge_replays(samples: Samples, streams: Sequence[str]) -> Iterator[Finding]:
    """One line per sample: all of it was asked for, and its records are as they should be."""
    for name in streams:
        run = samples.read(name)
        found = samples.problems(name)
        if found:
            yield judged("replay", found, stream=name)
            continue
        stream = samples.session.discovered[name]
        rows = run.rows_by_stream.get(name, [])
        judgements = [
            judge_reading(name, run, must_have_rows=True),
            judge_schema(stream, rows),
            judge_keys(stream, rows),
        ]
        wrong = next((each for each in judgements if each.outcome == "failed"), None)
        if wrong:
            yield failed("replay", wrong.reason, name)
        else:
            yield judged("replay", [], f"{len(samples.scripts[name].exchanges)} exchanges, {len(rows)} records", name)


def _query(values: dict[str, object]) -> str:
    return "&".join(f"{name}={value}" for name, value in values.items())[:200]
