from analysis.mapping import load_vocabulary
from analysis.mapping.entities import named_entities
from analysis.mapping.stream_names import core_names
from analysis.mapping.synonyms import load_synonyms, phrase


def test_every_entity_of_the_vocabulary_has_terms_and_no_other():
    assert set(load_synonyms().entities) == set(load_vocabulary())


def test_terms_name_only_fields_that_exist():
    for name, terms in load_synonyms().entities.items():
        assert terms.needs | terms.distinct <= {field.name for field in load_vocabulary()[name].fields}


def test_every_field_is_called_by_its_own_name_first():
    for (_, field), names in load_synonyms().fields.items():
        assert names[0] == phrase(field)


def test_an_entity_answers_to_its_own_name():
    for name in load_vocabulary():
        score, _ = named_entities(phrase(name))[name]
        assert score >= 0.8 or name == "event"


def test_a_noun_after_the_entity_is_another_thing():
    assert named_entities(phrase("customer_cards")) == {}
    assert named_entities(phrase("pull_request_stats")) == {}
    assert "order" not in named_entities(phrase("purchase_orders"))


def test_words_that_all_streams_of_a_source_share_are_left_out():
    names = [f"incremental_{noun}_acme_stream" for noun in ("leads", "deals", "notes", "tasks", "contacts")]
    assert set(core_names("acme", names).values()) == {("lead",), ("deal",), ("note",), ("task",), ("contact",)}


def test_the_noun_itself_is_never_left_out():
    assert core_names("acme_ads", ["product_ads"])["product_ads"] == ("product", "ad")
