from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mapping import KnownMapping, propose_mappings
from analysis.profiling import StreamSample, profile_sample


def stream(name, records, primary_key=(("id",),), source="shop"):
    return StreamSample(
        source=source, stream=name, table=name, json_schema={}, primary_key=primary_key, records=records
    )


PEOPLE = [{"id": n, "email": f"a{n}@example.com", "name": "Ada", "nick": f"ada{n}"} for n in range(3)]
MONEY = [{"id": n, "amount": 100 * n, "currency": "eur", "customer": f"c{n}"} for n in range(3)]


def propose(*streams, known=()):
    return {mapping.stream: mapping for mapping in propose_mappings(profile_sample(streams), known)}


def paths(mapping):
    return {field.field: ".".join(field.path) for field in mapping.fields}


def test_the_singular_and_the_plural_name_the_same_entity():
    for name in ("customer", "customers", "Customers", "shop_customers"):
        assert propose(stream(name, PEOPLE))[name].entity == "customer"


def test_the_better_stream_feeds_the_entity_and_the_other_says_so():
    found = propose(stream("transactions", MONEY), stream("payments", MONEY))
    assert (found["payments"].entity, found["transactions"].entity) == ("payment", None)
    assert "'payments'" in found["transactions"].evidence
    assert found["transactions"].fields == ()


def test_two_sources_may_feed_the_same_entity():
    found = propose_mappings(profile_sample([stream("customers", PEOPLE), stream("customers", PEOPLE, source="crm")]))
    assert [mapping.entity for mapping in found] == ["customer", "customer"]


def test_a_stream_without_a_key_of_one_column_feeds_nothing():
    records = [{"email": "a@example.com", "name": "Ada"}] * 2
    assert propose(stream("customers", records, primary_key=()))["customers"].entity is None
    composite = propose(stream("customers", PEOPLE, primary_key=(("id",), ("email",))))
    assert composite["customers"].entity is None


def test_the_id_is_the_key_whatever_else_is_called_id():
    records = [{"id": 7, "number": f"N{n}", "email": f"a{n}@example.com", "name": "Ada"} for n in range(3)]
    assert paths(propose(stream("customers", records, primary_key=(("number",),)))["customers"])["id"] == "number"


def test_unknown_streams_are_left_alone():
    found = propose(stream("widget_configuration", [{"id": 1, "name": "x", "email": "a@example.com"}]))
    assert found["widget_configuration"].entity is None
    assert found["widget_configuration"].evidence


def test_minor_units_without_a_currency_are_not_mapped():
    records = [{"id": n, "amount_cents": 100 * n, "status": "paid"} for n in range(3)]
    mapping = propose(stream("payments", records))["payments"]
    assert "amount" not in paths(mapping)


def test_a_state_without_an_address_beside_it_is_no_province():
    records = [{"id": 1, "email": "a@example.com", "name": "Ada", "state": "enabled"}]
    assert "address_state" not in paths(propose(stream("customers", records))["customers"])


def test_a_known_mapping_wins_over_the_rules():
    approved = KnownMapping(
        source="shop", stream="customers", path=("nick",), entity="customer", field="full_name", transform="text"
    )
    mapping = propose(stream("customers", PEOPLE), known=[approved])["customers"]
    chosen = next(field for field in mapping.fields if field.field == "full_name")
    assert (chosen.path, chosen.method) == (("nick",), "registry")
    assert paths(mapping)["email"] == "email"


def test_a_known_mapping_gives_a_stream_an_entity_that_its_name_hides():
    approved = KnownMapping(
        source="shop", stream="ppl", path=("email",), entity="customer", field="email", transform="lower_trim"
    )
    found = propose(stream("ppl", PEOPLE), stream("customers", PEOPLE), known=[approved])
    assert (found["ppl"].entity, found["customers"].entity) == ("customer", None)


def test_a_known_mapping_of_a_path_that_is_gone_is_forgotten():
    gone = KnownMapping(
        source="shop", stream="customers", path=("gone",), entity="customer", field="full_name", transform="text"
    )
    assert paths(propose(stream("customers", PEOPLE), known=[gone])["customers"])["full_name"] == "name"


NAMES = st.sampled_from(["customers", "orders", "payments", "items", "", "a/b", "SELECT", "users_1", "日本"])
RECORDS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "name", "email", "", "amount", "currency", "total", "created", "a.b", "état"])
        | st.text(max_size=6),
        st.none()
        | st.integers()
        | st.text(max_size=8)
        | st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
        max_size=8,
    ),
    max_size=5,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(NAMES, RECORDS, max_size=4))
def test_no_sample_crashes_the_proposal(streams):
    profile = profile_sample([stream(name, records, primary_key=()) for name, records in streams.items()])
    found = propose_mappings(profile)
    assert [mapping.stream for mapping in found] == list(streams)
    assert found == propose_mappings(profile)
