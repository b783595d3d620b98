"""Which packages are known, and what an operator may add."""

import pytest
from airbyte_server.connectors.packages import Packages, checked_version
from airbyte_server.errors import PermanentError, RefusedError

REGISTRY_ID = "dfd88b22-b603-4c3d-aad7-3701784586b1"


def test_an_operator_adds_packages_and_chooses_versions():
    packages = Packages(
        "airbyte-source-faker==7.2.1, Airbyte_Source.Big-Shop==1.02 6f1e2a7c-0d5b-4a57-8c0f-1f3f0a3c1c11,"
    )
    faker, shop = packages.find("faker"), packages.find("big-shop")
    assert (faker.version, faker.definition_id) == ("7.2.1", REGISTRY_ID)
    assert (shop.distribution, shop.version, shop.command) == ("airbyte-source-big-shop", "1.2", "source-big-shop")
    assert (shop.docker_repository, shop.definition_id[:8]) == ("airbyte/source-big-shop", "6f1e2a7c")
    (known,) = Packages()
    assert (known.definition_id, known.version) == (REGISTRY_ID, "6.2.32")
    unnamed = [Packages("airbyte-source-x==1").find("x").definition_id for _ in range(2)]
    assert unnamed[0] == unnamed[1] != REGISTRY_ID


@pytest.mark.parametrize(
    "entry",
    [
        "airbyte-source-x",
        "airbyte-source-x>=1",
        "airbyte-source-x==1.*",
        "airbyte-source-x==1,<2",
        "airbyte-source-x[extra]==1",
        "airbyte-source-x@file:///tmp/x",
        "requests==2",
        "--index-url=http://127.0.0.1",
        "airbyte-source-x==1 not-an-id",
    ],
)
def test_what_is_not_one_version_of_one_source_is_refused(entry):
    with pytest.raises(PermanentError, match="AIRBYTE_SERVER_PYPI_CONNECTORS names each as"):
        Packages(entry)


@pytest.mark.parametrize("tag", ["latest", "dev", "", "1.0 --pre", "../../1.0", "1.0;python_version>'3'"])
def test_a_tag_that_is_no_version_is_refused(tag):
    with pytest.raises(RefusedError, match="is no version of airbyte-source-faker"):
        checked_version(Packages().find("faker"), tag)
