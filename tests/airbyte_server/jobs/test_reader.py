"""What a job's process makes of a connector that misbehaves, without a server or a database."""

import os
import time
from pathlib import Path

import orjson
import pytest
from airbyte_server.connectors.limits import ConnectorLimits
from airbyte_server.connectors.process_tree import descendants
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.errors import PermanentError, RetryableError
from airbyte_server.jobs.lines import LimitExceededError
from airbyte_server.jobs.messages import JobOrder
from airbyte_server.jobs.reader import ConnectorReader


@pytest.fixture(scope="module")
def command(make_script_source, tmp_path_factory):
    return make_script_source(tmp_path_factory.mktemp("environments"))


@pytest.fixture
def start(command, tmp_path):
    """Starts the source with this code."""
    readers = []

    def run(code, on_renewal=lambda fields: None, **limits):
        order = JobOrder(
            job_id=1,
            attempt=0,
            connection_id="one",
            program=ConnectorProgram(
                source_type="script", version="1", executable=str(command), scratch=str(tmp_path / "runs")
            ),
            configuration={"read": code},
            configured_catalog={"streams": []},
            targets=(),
            states=(),
            destination="",
            staging_schema="",
            state_version=None,
            budget=None,
            secrets=(),
            limits=ConnectorLimits(**limits),
        )
        readers.append(ConnectorReader(order, on_renewal))
        return readers[-1]

    yield run
    for reader in readers:
        reader.kill()


@pytest.fixture
def read(start):
    """Runs the source with this code to its end; its messages, or the error."""
    return lambda code, **limits: [orjson.loads(line) for line in start(code, **limits).messages()]


def ids(messages):
    return [message["record"]["data"]["id"] for message in messages if message["type"] == "RECORD"]


def is_gone(pid):
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] in "ZX"


def test_lines_that_are_no_messages_become_a_bounded_number_of_log_lines(read):
    messages = read(
        """
for number in range(250):
    print(number, "bottles \\0 \\N{SNOWMAN}")
    record(number)
print()
print("  ")
"""
    )
    assert ids(messages) == list(range(250))
    said = [message["log"]["message"] for message in messages if message["type"] == "LOG"]
    assert said[0] == "No message: 0 bottles \0 \N{SNOWMAN}"
    assert len(said) == 101
    assert said[-1] == "150 more lines of the connector were no messages."


def test_text_in_the_line_of_a_record_is_refused_for_the_record_would_be_lost(read):
    with pytest.raises(PermanentError, match="into the line of a record"):
        read("print('warning: ', end=''); record(1)")


@pytest.mark.parametrize("end", ["print()", "pass"], ids=["whole", "unfinished"])
def test_a_line_that_is_too_long_is_refused_and_never_held(read, end):
    with pytest.raises(LimitExceededError, match=r"more than 1 MiB.*AIRBYTE_SERVER_CONNECTOR_LONGEST_LINE_MIB"):
        read(f"print('{{', 'x' * (2 << 20), sep='', end='', flush=True); {end}; time.sleep(60)", longest_line_mib=1)


def test_a_line_as_long_as_it_may_be_is_read(read):
    (message,) = read("record(1, note='x' * ((1 << 20) - 200))", longest_line_mib=1)
    assert len(message["record"]["data"]["note"]) == (1 << 20) - 200


def test_a_connector_that_says_nothing_is_given_up(read):
    with pytest.raises(RetryableError, match=r"nothing for 0.6 s.*AIRBYTE_SERVER_CONNECTOR_SILENCE_SECONDS"):
        read("record(1); time.sleep(600)", silence_seconds=0.6)


def test_a_connector_that_closes_its_output_and_stays_is_ended(read):
    with pytest.raises(RetryableError, match="closed its output and did not end"):
        read("record(1); os.close(1); time.sleep(600)", silence_seconds=0.6)


def test_a_connector_that_needs_too_much_memory_says_which_setting(read):
    with pytest.raises(LimitExceededError, match=r"more than 256 MiB.*AIRBYTE_SERVER_CONNECTOR_MEMORY_MIB"):
        read("record(1); hoard = [bytearray(8 << 20) for _ in range(200)]", memory_mib=256)


def test_the_memory_of_what_a_connector_starts_is_bounded_too(read):
    code = "import sys; hoard = bytearray(900 << 20); sys.exit(0)"
    messages = read(f"record(subprocess.run([sys.executable, '-c', {code!r}]).returncode)", memory_mib=256)
    assert ids(messages) == [1]


def test_a_flood_on_stderr_neither_stops_the_connector_nor_is_it_kept(read):
    with pytest.raises(RetryableError, match=r"exit code 3.*It said: line 29999") as caught:
        read("[print('line', n, file=sys.stderr) for n in range(30_000)]; sys.exit(3)")
    assert len(str(caught.value)) < 200


def test_half_a_line_of_a_connector_that_died_is_no_message(read):
    with pytest.raises(RetryableError, match="stopped half-way with signal 9"):
        read("""print('{"type": "RECORD", "rec', end='', flush=True); os.kill(os.getpid(), 9)""")


def test_a_last_line_needs_no_newline(read):
    assert read("""print('{"type": "LOG", "log": {}}', end='')""") == [{"type": "LOG", "log": {}}]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("config_error", PermanentError), ("system_error", RetryableError), ("transient_error", RetryableError)],
)
def test_only_a_connectors_own_word_on_its_configuration_is_final(read, kind, expected):
    with pytest.raises(expected, match="The key is wrong"):
        read(f"fail('The key is wrong.', '{kind}')")


def test_a_configuration_that_the_connector_renews_is_noticed_among_records(read):
    renewed = []
    code = """
record(1)
say("control", type="CONNECTOR_CONFIG", emitted_at=1, connectorConfig={"config": {**config, "token": "new"}})
record(2)
"""
    assert ids(read(code, on_renewal=renewed.append)) == [1, 2]
    assert renewed == [{"token": "new"}]


def test_what_a_connector_leaves_behind_holds_nothing_up(read):
    messages = read("record(child(start_new_session=True))")
    (orphan,) = ids(messages)
    assert not is_gone(orphan)
    os.kill(orphan, 9)


def test_killing_the_connector_ends_what_it_started_too(start):
    code = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], "
grandchild += "start_new_session=True); time.sleep(600)"
for pid in (os.getpid(), child(start_new_session=True), child(grandchild)):
    record(pid)
time.sleep(600)
"""
    reader = start(code)
    messages = reader.messages()
    pids = [orjson.loads(next(messages))["record"]["data"]["id"] for _ in range(3)]
    while not (below := descendants(pids[2])):
        time.sleep(0.01)
    reader.kill()
    deadline = time.monotonic() + 5
    while not all(map(is_gone, (*pids, *below))):
        assert time.monotonic() < deadline
        time.sleep(0.01)
