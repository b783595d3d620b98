from concurrent.futures import ThreadPoolExecutor

import pytest

from analysis.errors import PermanentError
from analysis.modelling import ModelSet, example_plan, render


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "package"
    folder.mkdir()
    return folder


def test_a_set_is_mounted_under_its_name_with_a_link_to_the_package(tmp_path, package):
    model_set = render(example_plan())
    mounted = model_set.write(tmp_path / "sets", package)
    assert mounted == tmp_path / "sets" / model_set.name
    assert (mounted / "dbt_packages" / "sluice").resolve() == package
    assert {name: (mounted / name).read_text() for name in model_set.files} == dict(model_set.files)
    assert [path.name for path in (tmp_path / "sets").iterdir()] == [model_set.name]


def test_a_mounted_set_is_used_again_with_what_dbt_left_in_it(tmp_path, package):
    model_set = render(example_plan())
    mounted = model_set.write(tmp_path, package)
    (mounted / "target").mkdir()
    (mounted / "target" / "manifest.json").write_text("{}")
    before = (mounted / "dbt_project.yml").stat()
    assert model_set.write(tmp_path, package) == mounted
    assert (mounted / "dbt_project.yml").stat() == before
    assert (mounted / "target" / "manifest.json").exists()


@pytest.mark.parametrize("name", ["dbt_project.yml", "models/intermediate/int_order__union.sql", "macros/extra.sql"])
def test_a_mounted_set_that_was_changed_is_refused(tmp_path, package, name):
    model_set = render(example_plan())
    mounted = model_set.write(tmp_path, package)
    (mounted / name).write_text("changed")
    with pytest.raises(PermanentError, match=name):
        model_set.write(tmp_path, package)


def test_a_link_to_another_package_is_replaced(tmp_path, package):
    model_set = render(example_plan())
    model_set.write(tmp_path, tmp_path)
    mounted = model_set.write(tmp_path, package)
    assert (mounted / "dbt_packages" / "sluice").resolve() == package
    assert [path.name for path in (mounted / "dbt_packages").iterdir()] == ["sluice"]


def test_many_writers_at_once_mount_one_set(tmp_path, package):
    model_set = ModelSet(name="many", files={f"models/m{place}.sql": "select 1" for place in range(50)})
    with ThreadPoolExecutor(8) as pool:
        mounted = list(pool.map(lambda _: model_set.write(tmp_path / "sets", package), range(16)))
    assert set(mounted) == {tmp_path / "sets" / "many"}
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["many"]
