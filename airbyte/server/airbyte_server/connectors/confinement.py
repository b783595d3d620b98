"""Takes from a manifest what reaches outside its connector: files of this machine, and Python that nobody allowed."""

import hashlib
import os
import urllib.request
from collections.abc import Mapping
from typing import Any, Never

from airbyte_cdk.sources.declarative.parsers.custom_code_compiler import (
    ENV_VAR_ALLOW_CUSTOM_CODE,
    register_components_module_from_string,
)
from airbyte_cdk.sources.declarative.parsers.model_to_component_factory import ModelToComponentFactory
from airbyte_cdk.sources.declarative.schema import JsonFileSchemaLoader
from airbyte_cdk.sources.streams.http.http_client import HttpClient

from airbyte_server.connectors.components import SETTING
from airbyte_server.connectors.program import ConnectorProgram
from airbyte_server.errors import PermanentError


def confine_manifest(program: ConnectorProgram) -> None:
    """For the rest of this process, which runs this program alone.

    airbyte-cdk has no switch for these, and what a stream's template becomes is known only while it runs: so the
    functions themselves are replaced.
    """
    # Named after streams, so that a name would lead the cache of a parent's pages anywhere.
    HttpClient.cache_filename = property(_cache_name)  # type: ignore[method-assign,assignment]
    JsonFileSchemaLoader.get_json_schema = _no_file  # type: ignore[method-assign,assignment]
    # JSON schemas with a remote $ref are fetched by urllib, which would open files too.
    urllib.request.install_opener(urllib.request.OpenerDirector())
    os.environ[ENV_VAR_ALLOW_CUSTOM_CODE] = str(program.allows_python).lower()
    if not program.allows_python:
        ModelToComponentFactory._get_class_from_fully_qualified_class_name = staticmethod(_no_class)  # type: ignore[method-assign,assignment]
    elif program.components is not None:
        checksum = hashlib.sha256(program.components.encode()).hexdigest()
        register_components_module_from_string(program.components, {"sha256": checksum})


def _cache_name(client: HttpClient) -> str:
    return f"{hashlib.sha256(client._name.encode()).hexdigest()}.sqlite"


def _no_file(loader: JsonFileSchemaLoader) -> Mapping[str, Any]:
    # An OSError, which a stream without a schema loader takes for "no schema".
    raise FileNotFoundError("A manifest reads no schema from a file here; write it into the manifest.")


def _no_class(name: str) -> Never:
    raise PermanentError(f"{name} is a Python component, and this server runs none unless {SETTING} is set.")
