import pytest

from analysis.mapping import CANONICAL_ENTITIES, StreamMapping, load_vocabulary, propose_mappings
from analysis.profiling import profile_sample

FED = {
    ("stripe", "customers"): (
        "customer",
        {"id": "id", "email": "email", "full_name": "name", "created_at": "created", "address_city": "address.city"},
    ),
    ("stripe", "charges"): (
        "payment",
        {
            "id": "id",
            "amount": "amount",
            "currency": "currency",
            "status": "status",
            "customer_id": "customer",
            "created_at": "created",
        },
    ),
    ("stripe", "refunds"): ("refund", {"payment_id": "charge", "amount": "amount", "reason": "reason"}),
    ("github", "repositories"): (
        "repository",
        {
            "id": "id",
            "full_name": "full_name",
            "owner": "owner.login",
            "stars": "stargazers_count",
            "is_private": "private",
        },
    ),
    ("github", "pull_requests"): (
        "pull_request",
        {
            "id": "id",
            "number": "number",
            "title": "title",
            "state": "state",
            "merged_at": "merged_at",
            "author_login": "user.login",
            "author_id": "user.id",
            "is_draft": "draft",
        },
    ),
    ("github", "issues"): ("ticket", {"title": "title", "description": "body", "status": "state"}),
    ("shopify", "products"): ("product", {"id": "id", "name": "title", "description": "body_html", "vendor": "vendor"}),
    ("zendesk-support", "tickets"): ("ticket", {"title": "subject", "priority": "priority", "assignee": "assignee_id"}),
    ("jira", "issues"): ("ticket", {"title": "fields.summary", "status": "fields.status.name"}),
    ("recharge", "orders"): ("order", {"total_amount": "total_price", "customer_id": "customer_id"}),
    ("prestashop", "orders"): ("order", {"order_number": "reference", "customer_id": "id_customer"}),
}

NOT_FED = {
    "stripe": [
        "payment_intents",
        "customer_cards",
        "customer_balance_transactions",
        "payment_methods",
        "setup_intents",
    ],
    "github": ["issue_reactions", "pull_request_stats", "pull_request_commits", "issue_labels", "project_cards"],
    "shopify-graphql": [
        "order_refunds",
        "order_transactions",
        "order_metafields",
        "product_variants",
        "fulfillment_orders",
    ],
    "amazon-ads": ["sponsored_product_ads", "sponsored_product_ad_groups"],
    "monday": ["items"],
    "zendesk-support": ["ticket_fields", "ticket_metrics", "group_memberships"],
}


@pytest.fixture(scope="module")
def mappings_of(read_connector):
    known: dict[str, dict[str, StreamMapping]] = {}

    def propose(connector):
        if connector not in known:
            found = propose_mappings(profile_sample(read_connector(connector)))
            known[connector] = {mapping.stream: mapping for mapping in found}
        return known[connector]

    return propose


@pytest.mark.parametrize(("connector", "stream"), FED, ids=[".".join(key) for key in FED])
def test_a_stream_feeds_its_entity_field_by_field(mappings_of, connector, stream):
    entity, fields = FED[connector, stream]
    mapping = mappings_of(connector)[stream]
    found = {field.field: ".".join(field.path) for field in mapping.fields}
    assert mapping.entity == entity
    assert {name: found.get(name) for name in fields} == fields


@pytest.mark.parametrize("connector", NOT_FED)
def test_details_of_an_entity_are_not_taken_for_it(mappings_of, connector):
    mappings = mappings_of(connector)
    assert {stream: mappings[stream].entity for stream in NOT_FED[connector]} == dict.fromkeys(NOT_FED[connector])


def test_payments_are_cast_by_what_their_columns_hold(mappings_of):
    fields = {field.field: field for field in mappings_of("stripe")["charges"].fields}
    assert (fields["amount"].transform, fields["amount"].arguments) == ("minor_units", (("currency",),))
    assert fields["created_at"].transform == "epoch_seconds"
    assert fields["id"].transform == "text"


def test_the_stream_that_lost_an_entity_says_to_whom(mappings_of):
    assert "'charges' feeds that entity" in mappings_of("stripe")["payment_intents"].evidence


def test_every_mapping_of_every_connector_keeps_the_rules(shared, mappings_of):
    vocabulary = load_vocabulary()
    for folder in sorted((shared / "records").iterdir()):
        fed = [mapping for mapping in mappings_of(folder.name).values() if mapping.entity]
        assert len({mapping.entity for mapping in fed}) == len(fed)
        for mapping in fed:
            names = [field.field for field in mapping.fields]
            paths = [field.path for field in mapping.fields]
            assert names[0] == "id"
            assert len(set(names)) == len(names) and len(set(paths)) == len(paths)
            assert set(names) <= {field.name for field in vocabulary[mapping.entity].fields}


def test_canonical_entities_are_never_fed_by_reports_and_settings(shared, mappings_of):
    fed = {
        (folder.name, mapping.stream): mapping.entity
        for folder in (shared / "records").iterdir()
        for mapping in mappings_of(folder.name).values()
        if mapping.entity in CANONICAL_ENTITIES
    }
    suspicious = ("report", "analytics", "insights", "settings", "stats", "metafields", "fields", "types", "groups")
    assert [key for key in fed if key[1].endswith(suspicious)] == []
