from analysis.mapping.mapping import FieldMapping, StreamMapping
from analysis.profiling.profile import Reference, SampleProfile, StreamProfile
from analysis.store import profiles


def stream(source, name, rows=3):
    return StreamProfile(source=source, stream=name, table=f"{source}_{name}", row_count=rows, columns=())


def reference(source, name):
    return Reference(
        source=source,
        stream=name,
        column=("customer",),
        to_stream="customers",
        to_column=("id",),
        confidence=1.0,
        evidence="3 of 3",
    )


def mapping(field, entity="customer"):
    fields = (
        FieldMapping(path=("a", "b"), field=field, transform="text", confidence=0.9, method="rule", evidence="name"),
    )
    return StreamMapping(source="stripe", stream="customers", entity=entity, confidence=0.9, evidence="", fields=fields)


def test_a_profile_comes_back_as_it_was_taken(store):
    taken = SampleProfile(
        streams=(stream("stripe", "charges"), stream("stripe", "customers")),
        references=(reference("stripe", "charges"),),
    )
    profiles.save_profile(store, "acme", taken)
    assert profiles.load_profile(store, "acme") == taken


def test_a_new_sample_replaces_its_own_sources_only(store):
    profiles.save_profile(store, "acme", SampleProfile(streams=(stream("github", "issues"), stream("stripe", "old"))))
    profiles.save_profile(store, "acme", SampleProfile(streams=(stream("stripe", "charges"),)))
    names = [(found.source, found.stream) for found in profiles.load_profile(store, "acme").streams]
    assert names == [("github", "issues"), ("stripe", "charges")]


def test_deciding_a_stream_again_replaces_its_mappings(store):
    for field in ("full_name", "email"):
        profiles.save_mappings(store, "acme", {"stripe": "source-stripe"}, [mapping(field)], decided_by="ada")
    (decided,) = profiles.load_mappings(store, "acme")
    assert [(field.field, field.path) for field in decided.fields] == [("email", ("a", "b"))]
    assert decided.entity == "customer"


def test_a_stream_without_an_entity_leaves_no_mapping(store):
    profiles.save_mappings(store, "acme", {"stripe": "source-stripe"}, [mapping("email", None)], decided_by="policy")
    assert profiles.load_mappings(store, "acme") == ()
