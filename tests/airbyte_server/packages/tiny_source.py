"""A source of the Airbyte protocol in the standard library alone; its configuration says how it behaves."""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

SCHEMA = {"type": "object", "properties": {"id": {"type": "integer"}, "seen": {"type": "object"}}}
STREAM = {
    "name": "items",
    "json_schema": SCHEMA,
    "supported_sync_modes": ["full_refresh", "incremental"],
    "source_defined_cursor": True,
    "default_cursor_field": ["id"],
    "source_defined_primary_key": [["id"]],
}


def write(**message):
    print(json.dumps(message), flush=True)


def status(name):
    stream = {"stream_descriptor": {"name": "items"}, "status": name}
    write(type="TRACE", trace={"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": stream})


def is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def what_it_sees():
    """What a connector can find out about where it runs."""
    return {
        "environment": dict(os.environ),
        "arguments": sys.argv[1:],
        "modes": {path.name: oct(path.stat().st_mode & 0o777) for path in map(Path, sys.argv[2:]) if path.is_file()},
        "folder": oct(Path.home().parent.stat().st_mode & 0o777),
        "descriptors": [number for number in range(256) if is_open(number)],
        "working_directory": str(Path.cwd()),
    }


def read(config, state):
    since = state[0]["stream"]["stream_state"]["id"] if state else 0
    print("this is no message")
    status("STARTED")
    write(type="LOG", log={"level": "INFO", "message": "reading with " + config.get("password", "nothing")})
    for number in range(since + 1, since + 1 + config.get("count", 3)):
        seen = what_it_sees() if config.get("tells") else {}
        write(type="RECORD", record={"stream": "items", "data": {"id": number, "seen": seen}, "emitted_at": 1})
    if config.get("hangs"):
        sleeping = [sys.executable, "-c", "import time; time.sleep(600)"]
        child = subprocess.Popen(sleeping, start_new_session=config["hangs"] == "with a daemon")
        write(type="LOG", log={"level": "INFO", "message": f"pids {os.getpid()} {child.pid} {os.environ['HOME']}"})
        time.sleep(600)
    if config.get("eats_mib"):
        bytearray(config["eats_mib"] << 20)
    stream = {"stream_descriptor": {"name": "items"}, "stream_state": {"id": since + config.get("count", 3)}}
    write(type="STATE", state={"type": "STREAM", "stream": stream})
    status("COMPLETE")
    sys.exit(config.get("exit_code", 0))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    for name in ("config", "catalog", "state"):
        parser.add_argument(f"--{name}", type=lambda path: json.loads(Path(path).read_text()))
    given = parser.parse_args()
    if given.command == "spec":
        schema = {"type": "object", "properties": {"pin": {"type": "string", "airbyte_secret": True}}}
        write(type="SPEC", spec={"connectionSpecification": schema})
    elif given.command == "check":
        succeeds = "refuses" not in given.config
        status = {"status": "SUCCEEDED"} if succeeds else {"status": "FAILED", "message": given.config["refuses"]}
        write(type="CONNECTION_STATUS", connectionStatus=status)
    elif given.command == "discover":
        write(type="CATALOG", catalog={"streams": [STREAM]})
    else:
        read(given.config, given.state)
