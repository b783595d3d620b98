"""Readers notice a swap by newer rows alone."""

import threading

import psycopg

from orchestration.tenancy import credentials, releases

QUERIES = (
    "select min(id), max(id), count(*) from {schema}.own_orders",
    "select min(id), max(id), count(*) from own_orders",
    "select customer_count, customer_count, 500 from dashboard_summary",
    "select min(release), max(release), 500 from analytics.dashboard_summary",
    "select customer_count, release, 500 from analytics.dashboard_summary",
)


class Reader(threading.Thread):
    """Reads without a pause until it is told to stop; `errors` are what it should never see."""

    def __init__(self, url, schema, prepare):
        super().__init__(daemon=True)
        self.url, self.queries, self.prepare = url, [query.format(schema=schema) for query in QUERIES], prepare
        self.stopped, self.errors, self.statements = threading.Event(), [], 0

    def run(self):
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.stopped.is_set():
                for query in self.queries:
                    try:
                        low, high, rows = connection.execute(query, prepare=self.prepare).fetchone()
                        if low != high or rows != 500:
                            self.errors.append((query, low, high, rows))
                    except (psycopg.Error, TypeError) as error:
                        self.errors.append((query, repr(error)))
                    self.statements += 1


def test_readers_see_no_error_and_no_mixture_through_swaps_and_rollbacks(tenant):
    models = {"own_orders": "select {n} as id from generate_series(1, 500)"}
    tenant.publish(models)
    with tenant.engine.connect() as connection:
        url = credentials.reader_url(connection, str(tenant), tenant.key)
    readers = [Reader(url, tenant.names.analytics, prepare) for prepare in (True, False, None)]
    for reader in readers:
        reader.start()
    for _ in range(8):
        tenant.publish(models)
        releases.rollback(tenant.engine, str(tenant))
        releases.drop_old_releases(tenant.engine, str(tenant))
    for reader in readers:
        reader.stopped.set()
        reader.join(20)
    assert [error for reader in readers for error in reader.errors] == []
    assert min(reader.statements for reader in readers) >= 200
