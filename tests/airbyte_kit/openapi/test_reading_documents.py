"""Documents that cannot be read, or must not be: one sentence each, and nothing is fetched."""

import json

import pytest
from airbyte_kit.errors import KitError
from airbyte_kit.new_folders import checked_name
from airbyte_kit.openapi.document import Document
from airbyte_kit.openapi.drafting import draft
from airbyte_kit.openapi.folder import connector_name, write_folder
from airbyte_kit.openapi.loading import LARGEST_MIB

from tests.airbyte_kit.openapi.documents import TASK, array, content, document, listing, query

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{', '.join([f'*{before}'] * 30)}], {name}: 1}}\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)
REFUSED = {
    "no-object": ("[1, 2]", "no object"),
    "no-yaml": ("openapi: [3", "neither JSON nor YAML"),
    "not-utf8": (b"openapi: \xff\xfe", "not UTF-8"),
    "swagger": ("swagger: '2.0'\npaths: {}", "Swagger 2.0; give a document of OpenAPI 3.0 or 3.1"),
    "later-version": ("openapi: 4.0.0\npaths: {/a: {}}", "openapi: 4.0.0"),
    "no-paths": ("openapi: 3.1.0\ninfo: {}", "no paths"),
    "aliases": (BOMB, "more than 2,000,000 values"),
    "merges": (MERGED, "more than 2,000,000 values"),
    "own-alias": ("a: &a [*a]", "leads back to itself"),
    "deep-yaml": ("[" * 5000 + "]" * 5000, "levels deep"),
    "deep-json": ('{"a":' * 5000 + "1" + "}" * 5000, "levels deep"),
    "deep-blocks": ("".join(f"{' ' * depth}a:\n" for depth in range(200)), "levels deep"),
    "python": ("a: !!python/object/apply:os.system [x]", "neither JSON nor YAML"),
    "long-number": ('{"a": ' + "9" * 5000 + "}", "too long"),
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path, text, sentence):
    file = tmp_path / "api.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(KitError, match=sentence) as caught:
        Document.read(file)
    assert "\n" not in str(caught.value) and "api.yaml" in str(caught.value)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    file = tmp_path / "api.json"
    with file.open("wb") as sparse:
        sparse.truncate(LARGEST_MIB * 1024 * 1024 + 1)
    with pytest.raises(KitError, match="larger than 32 MiB"):
        Document.read(file)
    with pytest.raises(KitError, match="cannot be read"):
        Document.read(tmp_path / "none.yaml")


def test_yaml_is_read_as_openapi_means_it(tmp_path):
    file = tmp_path / "api.yaml"
    file.write_text(
        "openapi: 3.1.0\npaths:\n  /a:\n    on: {200: yes, date: 2020-01-01, time: 1:30, n: 010, null: ~}\n"
    )
    found = Document.read(file).content["paths"]["/a"]["on"]
    assert found == {"200": "yes", "date": "2020-01-01", "time": "1:30", "n": 10, "null": None}


REFERENCES = {
    "https": ("https://example.com/schemas.json#/Task", "outside of it"),
    "file": ("../other.yaml#/Task", "outside of it"),
    "passwords": ("file:///etc/passwd", "outside of it"),
    "missing": ("#/components/schemas/None", "which it does not have"),
    "itself": ("#/components/schemas/Loop", "chain of more than 50|needs more than|no GET"),
}


@pytest.mark.parametrize(("reference", "sentence"), REFERENCES.values(), ids=REFERENCES)
def test_references_lead_nowhere_else(reference, sentence):
    loop = {"schemas": {"Loop": {"$ref": "#/components/schemas/Loop"}}}
    with pytest.raises(KitError, match=sentence):
        draft(document({"/tasks": listing({"$ref": reference})}, components=loop))


def test_a_path_item_that_is_a_reference_to_itself_ends():
    with pytest.raises(KitError, match="chain of more than 50 references"):
        draft(document({"/tasks": {"$ref": "#/paths/~1tasks"}}))


ODD_PATHS = ["/../admin", "/tasks/../../users", "/{{config['api_key']}}", "/a\nb", "/tasks?all={{1}}", "/{%raw%}", "x"]


@pytest.mark.parametrize("path", ODD_PATHS)
def test_a_path_that_leaves_the_api_or_is_a_template_is_no_stream(path):
    with pytest.raises(KitError, match="no GET that answers with a list"):
        draft(document({path: listing(array())}))


def test_no_template_of_the_document_reaches_the_manifest():
    evil = "{{ config['access_token'] }}"
    item = {"type": "object", "properties": {"id": {"type": "string"}, evil: {"type": "string"}, "$ref": TASK}}
    made = document(
        {"/tasks": listing({"type": "object", "properties": {evil: array(item), "data": array(item)}}, [query(evil)])},
        servers=[{"url": f"https://{evil}"}, {"url": "https://api.example.com"}],
    )
    manifest = draft(made).manifest
    schema = manifest["schemas"].pop("tasks")
    assert evil not in json.dumps(manifest)
    # A field's name is no template anywhere, and one that airbyte-cdk reads as its own is left out.
    assert list(schema["properties"]) == ["id", evil]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "UPPER", "x" * 50, "-a"])
def test_a_name_that_is_no_folder_is_refused(tmp_path, name):
    with pytest.raises(KitError, match="no connector's name"):
        write_folder(draft(document({"/tasks": listing(array())})), tmp_path, name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Acme CRM REST API v2", "acme-crm"),
        ("3scale", "api-3scale"),
        ("API", "api"),
        ("Ünï & co.", "uni-co"),
        ("日本", "api"),
    ],
)
def test_a_title_becomes_a_name_that_may_be_given_too(title, name):
    assert connector_name(title) == checked_name(name) == name


def test_a_folder_that_exists_is_left_alone(tmp_path):
    made = draft(document({"/tasks": listing(array())}))
    folder = write_folder(made, tmp_path)
    assert folder.name == "source-task"
    assert sorted(each.name for each in folder.iterdir()) == [
        "README.md",
        "manifest.yaml",
        "metadata.yaml",
        "openapi.yaml",
    ]
    with pytest.raises(KitError, match="exists already"):
        write_folder(made, tmp_path)
    with pytest.raises(KitError, match="no directory"):
        write_folder(made, tmp_path / "none")


def test_titles_cannot_write_yaml_or_markdown(tmp_path):
    made = content({"/tasks": listing(array())})
    made["info"]["title"] = "X\nversion: 9\n<script>[a](b)|\x1b[2J"
    made["components"] = {"securitySchemes": {"a\x1b[2J\n# b": {"type": "openIdConnect"}}}
    made["security"] = [{"a\x1b[2J\n# b": []}]
    folder = write_folder(draft(Document.of(made)), tmp_path, "x")
    assert (folder / "manifest.yaml").read_text().splitlines()[1] == "version: 6.0.0"
    readme = (folder / "README.md").read_text()
    assert "<script>" not in readme and "\x1b" not in readme and "\n# b" not in readme
