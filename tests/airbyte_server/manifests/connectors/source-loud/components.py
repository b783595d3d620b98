"""Python beside a manifest."""

import os
from dataclasses import dataclass
from typing import Any

from airbyte_cdk.sources.declarative.transformations import RecordTransformation

WITHHELD = ("AIRBYTE_SERVER_", "AIRBYTE_SECRET_", "SLUICE_", "DAGSTER_", "PG")


@dataclass
class Shout(RecordTransformation):
    """Writes names in capitals, and behind them what it sees of the server's variables."""

    def transform(self, record: dict[str, Any], *_: Any, **__: Any) -> None:
        seen = sorted(name for name in os.environ if name.startswith(WITHHELD))
        record["name"] = " ".join([record["name"].upper(), *seen])
