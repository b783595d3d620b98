import psycopg
from psycopg import sql

from analysis.mapping import propose_mappings
from analysis.modelling import plan_models, render
from analysis.modelling.checks import check_plan, check_set, check_sql
from analysis.modelling.conservation import StreamCounts, counting_query, judge_stream
from analysis.profiling import profile_sample

# Of GitHub's 34 streams those with a part of their own: entities, a key of two columns, no cursor, nested keys.
STREAMS = {
    "stripe": (),
    "github": ("repositories", "pull_requests", "issues", "tags", "users", "pull_request_commits", "team_memberships"),
    "shopify": (),
}
CANONICAL = {
    ("canonical_customer", "stripe"): ("stripe_customers", "id"),
    ("canonical_payment", "stripe"): ("stripe_charges", "id"),
    ("canonical_repository", "github"): ("github_repositories", "id"),
    ("canonical_pull_request", "github"): ("github_pull_requests", "id"),
    ("canonical_product", "shopify"): ("shopify_products", "id"),
}


def test_real_connectors_build_and_every_raw_row_is_staged(read_connector, load_raw, run_dbt, database):
    samples = [sample for connector, streams in STREAMS.items() for sample in read_connector(connector, streams)]
    profile = profile_sample(samples)
    plan = plan_models(profile, propose_mappings(profile))
    load_raw(plan, {(sample.source, sample.stream): sample.records for sample in samples})
    model_set = render(plan)
    assert check_plan(plan, profile) == ()
    assert check_set(model_set, plan) == ()

    results, compiled = run_dbt(model_set, "build")

    assert [result for result in results if result["status"] not in {"success", "pass", "warn"}] == []
    with psycopg.connect(database) as connection:
        verdicts = [
            judge_stream(_counts(connection, plan, model, compiled[model.name], len(sample.records)))
            for model in plan.staging
            for sample in samples
            if (sample.source, sample.stream) == (model.source, model.stream)
        ]
        assert [verdict.sentence for verdict in verdicts if not verdict.is_conserved] == []
        assert len(verdicts) == len(plan.staging) == len(samples)
        for (model, source), (table, key) in CANONICAL.items():
            assert _keys(connection, model, source) == _raw_keys(connection, table, key), model
    allowed = {
        (psycopg.conninfo.conninfo_to_dict(database)["dbname"], "sluice_raw", stream.table)
        for source in plan.sources
        for stream in source.streams
    }
    assert [check_sql(compiled[model.name], allowed) for model in plan.staging] == [()] * len(plan.staging)


def _counts(connection, plan, model, compiled, emitted):
    row = connection.execute(counting_query(plan.stream_of(model), "sluice_raw")).fetchone()
    staged = connection.execute(f"select count(*) from ({compiled}) as staged").fetchone()
    return StreamCounts(
        source=model.source,
        stream=model.stream,
        emitted=emitted,
        raw_rows=row[0],
        raw_duplicates=row[1],
        staged_rows=staged[0],
    )


def _keys(connection, model, source):
    query = sql.SQL("select _source_record_id from analytics.{} where _source = %s").format(sql.Identifier(model))
    return sorted(row[0] for row in connection.execute(query, [source]))


def _raw_keys(connection, table, key):
    query = sql.SQL("select distinct {}::text from sluice_raw.{}").format(sql.Identifier(key), sql.Identifier(table))
    return sorted(row[0] for row in connection.execute(query))
