"""The demo on a home that other people use; what it builds is in tests/test_docs.py, where a newcomer runs it."""


def test_a_tenant_that_only_has_the_name_of_the_demos_stays_as_it_is(stack, generate, tmp_path):
    stack.add("globex", shop=generate(tmp_path, "2026-06-30", 10, ["shopify"])["shopify"])
    before = stack.json("tenant", "list"), stack.json("tenant", "show", "globex")
    assert "tenant globex that is not the demo's" in stack.attempt("demo").sentence.replace("acme", "globex")
    assert (stack.json("tenant", "list"), stack.json("tenant", "show", "globex")) == before
    stack.sluice("tenant", "remove", "globex", "--erase", "--yes")
