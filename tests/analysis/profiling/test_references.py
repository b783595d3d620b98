from analysis.profiling import StreamSample, profile_sample


def stream(name, records, source="shop"):
    return StreamSample(source=source, stream=name, table=name, json_schema={}, primary_key=(("id",),), records=records)


CUSTOMERS = stream("customers", [{"id": f"cus_{number:08}"} for number in range(10)])


def references(*streams):
    found = profile_sample(streams).references
    return {(r.stream, r.column): (r.to_stream, r.to_column, round(r.confidence, 2)) for r in found}


def test_name_and_values_together_make_a_sure_reference():
    orders = stream("orders", [{"id": number, "customer_id": f"cus_{number:08}"} for number in range(5)])
    assert references(CUSTOMERS, orders)[("orders", ("customer_id",))] == ("customers", ("id",), 0.95)


def test_nested_ids_and_bare_names_refer_too():
    orders = stream("orders", [{"id": 1, "customer": "cus_00000001"}, {"id": 2, "buyer": {"customer": {"id": "x"}}}])
    found = references(CUSTOMERS, orders)
    assert found[("orders", ("customer",))][0] == "customers"
    assert found[("orders", ("buyer", "customer", "id"))][2] == 0.55


def test_small_numbers_that_happen_to_be_keys_are_no_reference():
    products = stream("products", [{"id": number} for number in range(20)])
    orders = stream("orders", [{"id": number + 100, "quantity": number % 5} for number in range(20)])
    assert references(products, orders) == {}


def test_telling_values_refer_without_a_name():
    orders = stream("orders", [{"id": number, "buyer": f"cus_{number:08}"} for number in range(8)])
    assert references(CUSTOMERS, orders)[("orders", ("buyer",))][:2] == ("customers", ("id",))


def test_texts_do_not_point_at_whole_numbers():
    repositories = stream("repositories", [{"id": 1}, {"id": 2}])
    issues = stream("issues", [{"id": 9, "repository": "acme/shop"}])
    assert references(repositories, issues) == {}


def test_references_stay_inside_their_source():
    orders = stream("orders", [{"id": number, "customer_id": f"cus_{number:08}"} for number in range(5)], source="crm")
    assert references(CUSTOMERS, orders) == {}
