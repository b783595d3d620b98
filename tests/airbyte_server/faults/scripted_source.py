"""A connector as a program of its own, which goes wrong as `fault.json` beside its records tells it to, once.

Its one file holds the log of a shop's changes; every stream reads all of it, or goes on after the last change that its
state knows. It stands on Python alone, so that it starts at once.
"""

import ctypes
import json
import os
import signal
import sys
import time

PROPERTIES = {"id": {"type": "integer"}, "seq": {"type": "integer"}, "note": {"type": "string"}}


def write(**message):
    sys.stdout.write(json.dumps(message) + "\n")


def status(stream, what):
    described = {"stream_descriptor": {"name": stream}, "status": what}
    write(type="TRACE", trace={"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": described})


def state(stream, seq):
    described = {"stream_descriptor": {"name": stream}, "stream_state": {"seq": seq}}
    write(type="STATE", state={"type": "STREAM", "stream": described})


def discover(config):
    streams = [
        {
            "name": name,
            "json_schema": {"type": "object", "properties": PROPERTIES},
            "supported_sync_modes": ["full_refresh", "incremental"],
            "source_defined_cursor": True,
            "default_cursor_field": ["seq"],
            "source_defined_primary_key": [["id"]],
        }
        for name in config["streams"]
    ]
    write(type="CATALOG", catalog={"streams": streams})


class Faults:
    """What goes wrong after how many records; the file is gone before it does, so that a repeat goes well."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "fault.json")  # noqa: PTH118
        self.left = None
        if os.path.exists(self.path):  # noqa: PTH110
            with open(self.path) as file:  # noqa: PTH123
                self.fault = json.load(file)
            self.left = self.fault["after"]

    def after_record(self):
        if self.left is None:
            return
        self.left -= 1
        if self.left > 0:
            return
        self.left = None
        if not self.fault.get("stays"):
            os.unlink(self.path)  # noqa: PTH108
        sys.stdout.flush()
        getattr(self, self.fault["kind"])()

    def slow(self):
        time.sleep(self.fault["seconds"])

    def garbage(self):
        sys.stdout.write('{"type": "RECORD", "record": {"stre\n')

    def noise(self):
        sys.stdout.write("Downloading … 100%\n")

    def exit_0(self):
        os._exit(0)

    def exit_1(self):
        os._exit(1)

    def half_a_line(self):
        os.write(1, b'{"type": "RECORD", "record": {"stream": "kept", "data": {"id": 1, "se')
        os._exit(1)

    def crash(self):
        ctypes.string_at(0)

    def close_output(self):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        time.sleep(600)

    def silence(self):
        time.sleep(600)

    def memory(self):
        hoard = []
        while True:
            hoard.append(b"x" * (16 << 20))

    def complaints(self):
        for _ in range(self.fault["mib"]):
            os.write(2, (b"w" * 1023 + b"\n") * 1024)

    def long_line(self):
        piece = "x" * (1 << 20)
        sys.stdout.write('{"type": "RECORD", "record": {"stream": "kept", "emitted_at": 1, "data": {"note": "')
        for _ in range(self.fault["mib"]):
            sys.stdout.write(piece)
        sys.stdout.write('"}}}\n')

    def orphan(self):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(600)
            os._exit(0)
        os._exit(1)


def read(config, catalog, states):
    known = {each["stream"]["stream_descriptor"]["name"]: each["stream"]["stream_state"]["seq"] for each in states}
    with open(os.path.join(config["folder"], "changes.jsonl")) as file:  # noqa: PTH118, PTH123
        changes = [json.loads(line) for line in file]
    faults = Faults(config["folder"])
    for configured in catalog["streams"]:
        stream = configured["stream"]["name"]
        since = known.get(stream, 0) if configured["sync_mode"] == "incremental" else 0
        status(stream, "STARTED")
        for number, change in enumerate((each for each in changes if each["seq"] > since), 1):
            write(type="RECORD", record={"stream": stream, "data": change, "emitted_at": 1_700_000_000_000 + number})
            if number % config.get("state_every", 10) == 0:
                state(stream, change["seq"])
            faults.after_record()
        if changes:
            state(stream, changes[-1]["seq"])
        status(stream, "COMPLETE")


def main():
    command, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2], strict=True))
    files = {}
    for option, path in options.items():
        with open(path) as file:  # noqa: PTH123
            files[option.removeprefix("--")] = json.load(file)
    if command == "check":
        write(type="CONNECTION_STATUS", connectionStatus={"status": "SUCCEEDED"})
    elif command == "discover":
        discover(files["config"])
    elif command == "read":
        read(files["config"], files["catalog"], files.get("state", []))
    sys.stdout.flush()


main()
