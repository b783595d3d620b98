"""The one Definitions: loads offline, with no secret set and nothing running."""

import dagster as dg

from orchestration import automation, jobs
from orchestration.assets import approval, ingestion, insights, modelling, sampling, transformation
from orchestration.resources.airbyte_client import AirbyteClient
from orchestration.resources.model_builds import ModelBuilds
from orchestration.resources.tenant_run import tenant_run
from orchestration.resources.tenant_workspaces import TenantWorkspaces
from orchestration.resources.warehouse import Warehouse
from orchestration.settings import load_settings
from orchestration.stack.endpoints import load_endpoints

settings = load_settings()
warehouse = Warehouse(settings, lambda: load_endpoints(settings.home))
airbyte = AirbyteClient(lambda: load_endpoints(settings.home))
airbyte_workspaces = TenantWorkspaces(lambda: load_endpoints(settings.home), settings.sync_seconds)

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([sampling, modelling, approval, ingestion, transformation, insights]),
    jobs=jobs.JOBS,
    schedules=automation.SCHEDULES,
    sensors=automation.SENSORS,
    executor=jobs.ONE_PROCESS,
    resources={
        "warehouse": warehouse,
        "airbyte": airbyte,
        "airbyte_workspaces": airbyte_workspaces,
        "model_builds": ModelBuilds(warehouse),
        "tenant_run": tenant_run,
    },
)
