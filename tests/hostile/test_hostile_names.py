"""Names that would like to be SQL, paths, templates or each other, sent down the way that real names go."""

import itertools
import re
from types import SimpleNamespace

import pytest
from psycopg import sql

from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.modelling import ModelSet, plan_models, render
from analysis.modelling.checks import check_plan, check_set, check_sql
from analysis.profiling import ColumnProfile, SampleProfile, StreamProfile
from orchestration.resources import retargeting
from orchestration.settings import PROJECT_ROOT
from orchestration.tenancy import identifiers, registry
from orchestration.tenancy.identifiers import TenantId, TenantNames
from orchestration.tenancy.publishing import releases, sealing
from orchestration.tenancy.raw_names import raw_column_names, raw_table_name

NASTY = {
    "quotes": "a\"'; drop schema sluice; --",
    "nul": "a\0b",
    "long": "a" * 200,
    "right_to_left": "\u202eمرحبا",  # noqa: RUF001
    "path": "../../../etc/passwd",
    "jinja": "{{ env_var('PATH') }}",
    "jinja_block": "{% raw %}{% endraw %}{{ 1/0 }}",
    "comment": "a/* */--",
    "percent": "%s %(x)s {0} :x ?",
    "dollar": "$$; select 1; $$",
    "backslash": "\\'; --",
    "newline": "a\nb\r\nc",
    "separator": "a\u2028b",
    "emoji": "😀",
    "blank": " ",
    "empty": "",
    "upper": "ALPHA",
    "homoglyph": "аlpha",  # noqa: RUF001 - the first letter is Cyrillic
    "fullwidth": "ａlpha",  # noqa: RUF001
    "another": "beta_analytics",
    "another_build": "beta_analytics__build",
    "another_login": "beta_reader",
    "system": "pg_catalog.x",
}
ROLES = "select count(*) from pg_roles"


@pytest.mark.parametrize("kind", NASTY)
def test_a_hostile_tenant_id_is_refused_before_anything_is_made(attack, world, kind):
    before = world.admin.run(ROLES)
    attack.raises(lambda: registry.add_tenant(world.engine, world.key, NASTY[kind], {}), "A tenant id")
    attack.harmless(world.admin.run(ROLES) == before)
    attack.witnessed(TenantId("alpha_2") == "alpha_2")


@pytest.mark.parametrize("kind", [kind for kind in NASTY if not kind.startswith("another")])
def test_a_hostile_source_name_is_refused_before_anything_is_made(attack, world, kind):
    listed = "select count(*) from sluice.tenant_sources"
    before = world.control.run(listed)
    attack.raises(lambda: registry.add_tenant(world.engine, world.key, "alpha", {NASTY[kind]: "file"}), "A source name")
    attack.harmless(world.control.run(listed) == before)
    attack.witnessed(identifiers.check_source_name("shop_eu") == "shop_eu")


@pytest.mark.parametrize("kind", NASTY)
def test_a_hostile_stream_becomes_a_plain_table_name(attack, world, kind):
    table = raw_table_name("shop_", NASTY[kind])
    attack.harmless(bool(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", table)))
    made = sql.SQL("create table {} (id int)").format(sql.Identifier("tenant_alpha", table))
    attack.control(world.loader, made.as_string())


@pytest.mark.parametrize("kind", NASTY)
def test_a_hostile_field_becomes_a_plain_column_of_its_own(attack, world, kind):
    fields = [NASTY[kind], NASTY[kind] + "!", NASTY[kind] + "?", "_airbyte_raw_id"]
    columns = list(raw_column_names(fields).values())
    attack.harmless(len({column.lower() for column in columns}) == len(set(fields)))
    attack.harmless(all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", column) for column in columns))
    listed = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in columns)
    attack.control(world.loader, sql.SQL("create table tenant_alpha.odd ({})").format(listed).as_string())


def test_no_two_tenants_share_a_name(attack):
    ids = ["a", "a_b", "a_b_c", "b", "a1", "1a", "a_r1", "r1", "a_build", "build", "x" * 30, "x" * 29, "a_scratch"]
    refused = ["a_sample", "a_analytics", "a_history", "a_builder", "a_reader", "a__build", "a_", "x" * 31]
    for taken, wanted in (("a", "a_sample"), ("a", "a_analytics")):
        # What the rule prevents: the plain derivation of the one is the other's own schema.
        attack.witnessed(
            f"tenant_{wanted}" in (TenantNames(TenantId(taken)).sample, TenantNames(TenantId(taken)).analytics)
        )
    for wanted in refused:
        attack.raises(lambda wanted=wanted: TenantId(wanted), "A tenant id")
    derived = [derived_names(TenantNames(TenantId(each))) for each in ids]
    attack.harmless(all(not one & other for one, other in itertools.combinations(derived, 2)))
    attack.harmless(all(len(name.encode()) <= 63 for names in derived for name in names))


def derived_names(names: TenantNames) -> set[str]:
    releases_made = {names.release(number) for number in (1, 2, 11, 10**9, 10**12)}
    return (
        releases_made
        | {names.raw, names.sample, names.scratch, names.analytics, names.build, names.history}
        | {
            names.builder,
            names.reader,
        }
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("shop", "eu_orders"), ("shop_eu", "orders")),
        (("shop", "Orders"), ("shop", "orders")),
        (("shop", "a b"), ("shop", "a-b")),
        (("shop", "crème"), ("shop", "creme")),
    ],
    ids=["prefix", "case", "punctuation", "accents"],
)
def test_two_streams_that_would_share_a_table_are_refused(attack, first, second):
    attack.witnessed(
        raw_table_name(f"{first[0]}_", first[1]).lower() == raw_table_name(f"{second[0]}_", second[1]).lower()
    )
    attack.raises(lambda: identifiers.check_raw_tables([first, second]), "share a raw table")
    identifiers.check_raw_tables([first, ("shop", "other")])


def test_two_long_streams_that_begin_alike_do_not_collide(attack):
    one, other = (raw_table_name("shop_", "x" * 200 + end) for end in ("a", "b"))
    attack.witnessed(one[:54] == other[:54] and ("shop_" + "x" * 200)[:63] not in (one, other))
    attack.harmless(one != other and len(one) <= 63 and len(other) <= 63)


def hostile_plan(name: str):
    """A plan of one stream whose every name, and the key inside of its JSON, is the hostile one."""
    columns = [
        ColumnProfile(path=(field,), declared_type=kind, observed_type=kind, null_ratio=0, distinct_ratio=1)
        for field, kind in ((f"{name}id"[-60:], "string"), ("body", "object"))
    ]
    stream = StreamProfile(
        source="shop", stream=name, table=raw_table_name("shop_", name), row_count=1, columns=tuple(columns)
    )
    fields = [
        FieldMapping(path=path, field=field, transform="text", confidence=1, method="rule", evidence="")
        for field, path in (("id", columns[0].path), ("full_name", ("body", name)))
    ]
    mapping = StreamMapping(
        source="shop", stream=name, entity="customer", confidence=1, evidence="", fields=tuple(fields)
    )
    profile = SampleProfile(streams=(stream,))
    return plan_models(profile, [mapping]), profile


RENDERED = ("quotes", "jinja", "jinja_block", "comment", "path", "right_to_left")


@pytest.mark.slow
@pytest.mark.parametrize("kind", RENDERED)
def test_a_hostile_name_is_rendered_as_a_name(attack, kind):
    plan, profile = hostile_plan(NASTY[kind])
    rendered = render(plan)
    attack.harmless(check_plan(plan, profile) == () and check_set(rendered, plan) == ())
    attack.harmless(all(not set(path.split("/")) & {"..", "", "."} for path in rendered.files))
    attack.harmless(all(re.fullmatch(r"[A-Za-z0-9_./-]+", path) for path in rendered.files))
    text = "\n".join(body for path, body in rendered.files.items() if path.endswith(".sql"))
    attack.harmless("{{ env_var" not in text and "{{ 1/0" not in text)
    spoilt = rendered.model_copy(update={"files": {**rendered.files, first_sql(rendered): "select 1; drop schema x"}})
    attack.witnessed(check_set(spoilt, plan) != ())


def first_sql(rendered: ModelSet) -> str:
    return next(path for path in sorted(rendered.files) if path.endswith(".sql") and "stg" in path)


@pytest.mark.parametrize(
    "path", ["../outside.sql", "/tmp/outside.sql", "models/../../outside.sql", "models/./../../outside.sql"]
)
def test_a_model_set_writes_no_file_outside_of_its_folder(attack, tmp_path, path):
    package, sets = PROJECT_ROOT / "dbt_project", tmp_path / "deep" / "sets"
    fine = ModelSet(name="fine", files={"models/inside.sql": "select 1"})
    attack.witnessed((fine.write(sets, package) / "models" / "inside.sql").is_file())
    evil = ModelSet.model_construct(name="evil", files={path: "select 1"})
    attack.raises(lambda: evil.write(sets, package), "outside")
    attack.harmless(not list(tmp_path.rglob("outside.sql")))


def test_a_model_set_is_mounted_under_no_name_that_is_a_path(attack, tmp_path):
    package = PROJECT_ROOT / "dbt_project"
    attack.witnessed(ModelSet(name="fine", files={}).write(tmp_path / "sets", package).is_dir())
    evil = ModelSet.model_construct(name="../evil", files={"models/x.sql": "select 1"})
    attack.raises(lambda: evil.write(tmp_path / "sets", package), "outside")
    attack.harmless(not (tmp_path / "evil").exists())


@pytest.mark.parametrize(
    "query",
    [
        "select * from tenant_beta.shop_orders",
        'select * from "sluice"."tenant_beta_analytics"."own_orders"',
        "select * from sluice.tenants",
        "select (select email from tenant_beta.shop_orders limit 1)",
        "with shop_orders as (select 1 as x) select * from tenant_beta.shop_orders",
        "select * from ts_stat('select 1')",
        "select * from pg_catalog.pg_stats",
    ],
)
def test_a_model_that_names_another_schema_is_refused_by_the_check_and_by_the_builders_rights(
    attack, world, attacker, query
):
    own = "select id from tenant_alpha.shop_orders"
    attack.witnessed(check_sql(own, {("tenant_alpha", "shop_orders")}) == ())
    attack.control(attacker.builder, own)
    attack.harmless(check_sql(query, {("tenant_alpha", "shop_orders")}) != ())
    if "tenant_beta" in query or "sluice." in query:
        attack.refused(attacker.builder, query.replace('"sluice".', f'"{world.engine.url.database}".'))


@pytest.mark.parametrize("schema", ["tenant_beta_analytics__build", "public", 'x" cascade; --', ""])
def test_a_manifest_that_points_elsewhere_is_not_run(attack, schema):
    attack.witnessed(retargeting.relation_name("db", "tenant_alpha", "t") == '"db"."tenant_alpha"."t"')
    if '"' in schema or not schema:
        attack.raises(lambda: retargeting.relation_name("db", schema, "t"), "cannot quote")
        return
    target = retargeting.BuildTarget("postgresql://x@h/db", "tenant_alpha", "tenant_alpha_analytics__build")
    node = SimpleNamespace(
        unique_id="model.x", database="db", schema=schema, relation_name=f'"db"."{schema}"."t"', identifier="t"
    )
    manifest = SimpleNamespace(nodes={"x": node}, sources={}, unit_tests={})
    attack.raises(lambda: retargeting.assert_inside(manifest, target), "outside its tenant")


def test_relations_with_hostile_names_are_sealed_and_published_as_names(attack, world, rooms):
    made = [NASTY[kind] for kind in ("quotes", "right_to_left", "jinja", "percent", "dollar", "backslash", "newline")]
    for name in made:
        place = sql.Identifier(rooms.names.build, name)
        rooms.builder.session.execute(sql.SQL("create table {} as select 1 as id").format(place))
    attack.harmless(set(made) <= set(sealing.seal_build(world.engine, str(rooms)).counts))
    releases.publish(world.engine, str(rooms))
    attack.witnessed(world.control.run("select count(*) > 0 from sluice.tenants") == [(True,)])
