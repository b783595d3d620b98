"""Sluice's own client over this server: a sync, and the refusal of another tenant's connection."""

import pytest

from analysis.errors import PermanentError
from orchestration.resources.airbyte_client import Airbyte
from orchestration.resources.airbyte_sync import sync_connection
from orchestration.stack.endpoints import Endpoints


def test_a_sync_of_a_connection_by_its_id_and_only_in_its_own_namespace(shop):
    none = dict.fromkeys(("control_url", "dagster_url", "loader_login", "loader_password"), "")
    login = {"airbyte_client_id": "client-of-the-tests", "airbyte_client_secret": "secret-of-the-tests"}
    airbyte = Airbyte(lambda: Endpoints(**none, **login, airbyte_url=shop.server.root))
    made = shop.connect(shop.source(catalog=shop.configuration["catalog"]))["connectionId"]
    with pytest.raises(PermanentError, match="its tenant's namespace"):
        sync_connection(airbyte, shop.workspace_id, made, namespace="tenant_other", seconds=60)
    assert airbyte.last_job(made) is None
    job = sync_connection(airbyte, shop.workspace_id, made, namespace=shop.namespace, seconds=60)
    assert (job.status, len(shop.rows("shop_orders"))) == ("succeeded", 3)
    assert made in {each.id for each in airbyte.connections(shop.workspace_id)}
