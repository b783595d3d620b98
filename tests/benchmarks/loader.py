"""How fast records become rows, side by side with dlt and with a bare COPY of the same rows.

    .venv/bin/python tests/benchmarks/loader.py --json

Replays one file of 100,000 and one of 1,000,000 messages through a job's process as the server starts it: its
connector is `cat` in a child of that process. dlt is installed into a virtual environment of its own, which is kept in
the user's cache.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orders
import psycopg
from airbyte_server.connectors.processes import ProcessPool
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.jobs.messages import JobOrder, Report
from airbyte_server.jobs.process import run_job
from airbyte_server.loader import StreamTarget
from airbyte_server.loader.batches import Records, read_batches
from airbyte_server.loader.columns import columns_of
from airbyte_server.loader.messages import record_of
from airbyte_server.loader.rows import RowWriter
from airbyte_server.loader.tables import create_table
from psycopg import sql
from throwaway import Watch, children_of, cluster, machine

SIZES = (100_000, 1_000_000)
PEER = ("dlt[postgres]==1.31.0", "pyarrow==26.0.1", "orjson==3.13.0")
NAMESPACE = "benchmark"
REPEATS = 10
"""Of a hundred records so many are newer versions of others, in the file that is deduplicated."""
CHUNK = 1 << 17


@dataclass
class Runs:
    """One way of loading one file: seconds of each round, and the most that its processes took."""

    records: int
    seconds: list[float] = field(default_factory=list)
    processor: dict[str, list[float]] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)

    def add(self, seconds: float, processor: dict[str, float], mib: dict[str, float] | None = None) -> None:
        """Note a round."""
        self.seconds.append(seconds)
        for name, used in processor.items():
            self.processor.setdefault(name, []).append(used)
        for name, most in (mib or {}).items():
            self.peak_mib[name] = max(most, self.peak_mib.get(name, 0.0))

    @property
    def rate(self) -> float:
        """Records a second, of the median round."""
        return self.records / statistics.median(self.seconds)

    def told(self) -> dict[str, Any]:
        """The figures for the JSON object."""
        return {
            "records": self.records,
            "rounds": len(self.seconds),
            "seconds": round(statistics.median(self.seconds), 2),
            "records_per_second": round(self.rate),
            "processor_seconds": {name: round(statistics.median(used), 2) for name, used in self.processor.items()},
            **({"peak_mib": {name: round(most) for name, most in self.peak_mib.items()}} if self.peak_mib else {}),
        }


class Bench:
    """Files, a cluster and a server's pool of processes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.columns = columns_of(orders.JSON_SCHEMA)
        self.pool = ProcessPool()
        self.pool.warm_up()
        self.job_id = 0
        self.python: Path | None = None
        self.admin = psycopg.connect(url, autocommit=True)
        self.admin.execute(sql.SQL("create schema {}").format(sql.Identifier(NAMESPACE)))

    def write(self, records: int) -> Path:
        """The messages, and the rows that they become."""
        path = self.folder / f"{records}.jsonl"
        orders.write_file(path, records, repeats=records * REPEATS // 100)
        rows = RowWriter(self.columns, sync_id=1, generation_id=1)
        with path.with_suffix(".rows").open("wb") as file:
            for item in read_batches(_batches(path)):
                if isinstance(item, Records):
                    file.write(rows.block(item.data, item.emitted_at))
                elif item[2]["type"] == "RECORD":
                    _, data, emitted_at, _ = record_of(item[2], item[0])
                    file.write(rows.line(data, emitted_at).encode())
        return path

    def load(self, path: Path, runs: Runs, *, deduped: bool) -> None:
        """One job, from the moment at which the server would start its process."""
        table = "deduped" if deduped else "replaced"
        self.drop(table)
        self.job_id += 1
        order = self._order(path, table, deduped)
        started = time.perf_counter()
        with Watch() as watch:
            child = self.pool.start(run_job, order)
            watch.add("job", child.pid)
            try:
                last = self._follow(child.messages(), watch, child.pid)
            finally:
                child.close()
            seconds = time.perf_counter() - started
        if last is None or last.kind != "done":
            raise SystemExit(f"The job failed: {last.text if last else 'no word'}")
        runs.add(seconds, watch.used.seconds, watch.used.mib)

    def _follow(self, reports: Iterable[Report], watch: Watch, pid: int) -> Report | None:
        last = None
        for report in reports:
            last = report
            for connector in children_of(pid):
                watch.add("connector", connector)
            query = "select pid from pg_stat_activity where application_name = 'airbyte_server loader'"
            for (backend,) in self.admin.execute(query).fetchall():
                watch.add("postgres", backend)
        return last

    def _order(self, path: Path, table: str, deduped: bool) -> JobOrder:
        script = path.with_suffix(".sh")
        script.write_text(f"#!/bin/sh\nexec /bin/cat {path}\n")
        script.chmod(0o700)
        program = ConnectorProgram(
            source_type="replay", version="1", executable=str(script), scratch=str(self.folder / "scratch")
        )
        target = StreamTarget(
            stream=orders.STREAM,
            namespace=NAMESPACE,
            table=table,
            json_schema=orders.JSON_SCHEMA,
            sync_mode="incremental_deduped_history" if deduped else "full_refresh_overwrite",
            primary_key=[["id"]],
            cursor=["updated_at"],
            generation_id=1,
        )
        return JobOrder(
            job_id=self.job_id,
            attempt=0,
            connection_id="benchmark",
            program=program,
            configuration={},
            configured_catalog={"streams": []},
            targets=[target],
            states=[],
            state_version=None,
            destination=self.url,
            staging_schema="airbyte_internal",
            budget=None,
            secrets=(),
        )

    def copy(self, path: Path, runs: Runs, *, indexed: bool) -> None:
        """The same rows by COPY into the same table, and by wish the index that the loader makes."""
        self.drop("copied")
        table = sql.Identifier(NAMESPACE, "copied")
        with psycopg.connect(self.url, autocommit=True) as connection, Watch() as watch:
            create_table(connection, table, self.columns)
            watch.add("postgres", connection.info.backend_pid)
            started, used = time.perf_counter(), time.process_time()
            with path.with_suffix(".rows").open("rb") as rows, connection.transaction(), connection.cursor() as cursor:
                with cursor.copy(sql.SQL("copy {} from stdin").format(table)) as copy:
                    while chunk := rows.read(CHUNK):
                        copy.write(chunk)
                if indexed:
                    connection.execute(sql.SQL("create index on {} (_airbyte_extracted_at)").format(table))
            seconds = time.perf_counter() - started
            time.sleep(0.05)
        runs.add(seconds, {**watch.used.seconds, "client": time.process_time() - used})

    def dlt(self, path: Path, runs: Runs, *, mode: str, form: str) -> None:
        """The same file by dlt, from a prepared process on: its imports do not count."""
        dataset = f"dlt_{mode}_{form}"
        for schema in (dataset, f"{dataset}_staging"):
            self.admin.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        order = {
            "path": str(path),
            "url": self.url,
            "mode": mode,
            "form": form,
            "folder": str(self.folder / f"pipelines-{time.monotonic_ns()}"),
            "dataset": dataset,
            "json_schema": orders.JSON_SCHEMA,
        }
        script = Path(__file__).with_name("dlt_peer.py")
        with Watch() as watch:
            peer = subprocess.Popen(
                [str(self._peer()), str(script), json.dumps(order)], stdout=subprocess.PIPE, text=True
            )
            watch.add("dlt", peer.pid)
            output = peer.communicate()[0]
        if peer.returncode != 0:
            raise SystemExit("dlt failed; its message is above.")
        told = json.loads(output.splitlines()[-1])
        runs.add(told["seconds"], {"dlt": told["processor"]}, watch.used.mib)

    def _peer(self) -> Path:
        """The interpreter of dlt's own virtual environment, made on first use."""
        if self.python is None:
            cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
            folder = cache / "sluice" / "benchmarks" / "-".join(PEER).replace("[", "-").replace("]", "")
            self.python = folder / "bin" / "python"
            if not (folder / "installed").exists():
                venv.create(folder, with_pip=True, clear=True)
                subprocess.run([self.python, "-m", "pip", "install", "--quiet", *PEER], check=True, stdout=sys.stderr)
                (folder / "installed").touch()
        return self.python

    def drop(self, table: str) -> None:
        """Every round begins without the table."""
        self.admin.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(NAMESPACE, table)))

    def check(self, records: int) -> None:
        """Both have loaded every record, so that they did the same work."""
        distinct = records - records * REPEATS // 100
        for table, expected in (("replaced", records), ("deduped", distinct), ("copied", records)):
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(NAMESPACE, table))
            if self.admin.execute(query).fetchone() != (expected,):
                raise SystemExit(f"Table {table} has not the rows that it should have.")


def _batches(path: Path) -> Iterable[list[bytes]]:
    with path.open("rb") as file:
        while lines := file.readlines(1 << 16):
            yield [line.rstrip(b"\n") for line in lines]


def measure(bench: Bench, sizes: Iterable[int], rounds: int, *, with_dlt: bool) -> dict[str, Any]:
    """Every way at every size, in turn; dlt at the first size only, where its rate is already its best."""
    found: dict[int, dict[str, Runs]] = {}
    for number, size in enumerate(sizes):
        path = bench.write(size)
        ways: dict[str, Callable[[Runs], None]] = {
            "loader_replace": partial(bench.load, path, deduped=False),
            "copy": partial(bench.copy, path, indexed=False),
            "copy_and_index": partial(bench.copy, path, indexed=True),
            "loader_deduped": partial(bench.load, path, deduped=True),
        }
        if with_dlt and number == 0:
            for mode in ("replace", "merge"):
                for form, suffix in (("dicts", ""), ("arrow", "_of_arrow")):
                    ways[f"dlt_{mode}{suffix}"] = partial(bench.dlt, path, mode=mode, form=form)
        found[size] = {name: Runs(size) for name in ways}
        for _ in range(rounds if number == 0 else max(1, rounds - 1)):
            for name, way in ways.items():
                way(found[size][name])
        bench.check(size)
        path.unlink()
        path.with_suffix(".rows").unlink()
    return summary(found)


def summary(found: dict[int, dict[str, Runs]]) -> dict[str, Any]:
    """The ratios at the size at which they are worst."""

    def worst(ours: str, other: str) -> float | None:
        ratios = [ways[ours].rate / ways[other].rate for ways in found.values() if other in ways]
        return round(min(ratios), 2) if ratios else None

    loads = [ways[name] for ways in found.values() for name in ("loader_replace", "loader_deduped")]
    return {
        "ratio_vs_dlt_replace": worst("loader_replace", "dlt_replace"),
        "ratio_vs_copy": worst("loader_replace", "copy"),
        "ratio_dedup_vs_dlt_merge": worst("loader_deduped", "dlt_merge"),
        "peak_mib": round(max(load.peak_mib.get("job", 0.0) for load in loads)),
        "records_per_second": {
            name: {str(size): round(ways[name].rate) for size, ways in found.items() if name in ways}
            for name in {name: None for ways in found.values() for name in ways}
        },
        "ratio_vs_copy_and_index": worst("loader_replace", "copy_and_index"),
        "ratio_vs_dlt_replace_of_arrow": worst("loader_replace", "dlt_replace_of_arrow"),
        "ratio_dedup_vs_dlt_merge_of_arrow": worst("loader_deduped", "dlt_merge_of_arrow"),
        "runs": {str(size): {name: runs.told() for name, runs in ways.items()} for size, ways in found.items()},
        "machine": machine(),
    }


def print_table(found: dict[str, Any]) -> None:
    """For people."""
    print(f"{'way':20}{'records':>10}{'seconds':>9}{'records/s':>11}  processor seconds; peak MiB")
    for ways in found["runs"].values():
        for name, runs in ways.items():
            used = ", ".join(f"{who} {seconds}" for who, seconds in runs["processor_seconds"].items())
            peak = ", ".join(f"{who} {mib}" for who, mib in runs.get("peak_mib", {}).items())
            print(
                f"{name:20}{runs['records']:>10,}{runs['seconds']:>9}{runs['records_per_second']:>11,}  {used}; {peak}"
            )
    for name, value in found.items():
        if name.startswith(("ratio", "peak", "machine")):
            print(f"{name}: {value}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, nargs="+", default=SIZES, help="sizes of the files; dlt gets the first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-dlt", action="store_true", help="do not install and run dlt")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with cluster() as (url, home):
        found = measure(Bench(url, home), options.records, options.rounds, with_dlt=not options.no_dlt)
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        print_table(found)


if __name__ == "__main__":
    main()
