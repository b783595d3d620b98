"""Mappings as the UI shows them in place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import dagster as dg

from analysis.mapping import StreamMapping
from orchestration.assets.charts import bar
from orchestration.assets.tables import rows_table


def entity_table(mapped: Sequence[StreamMapping]) -> dg.MetadataValue:
    """What feeds each canonical entity: streams, and fields of all of them."""
    by_entity: dict[str, list[StreamMapping]] = defaultdict(list)
    for stream in mapped:
        by_entity[str(stream.entity)].append(stream)
    most = max((sum(len(each.fields) for each in streams) for streams in by_entity.values()), default=0)
    rows = [
        {
            "entity": entity,
            "streams": len(streams),
            "fields": sum(len(each.fields) for each in streams),
            "bar": bar(sum(len(each.fields) for each in streams), most),
        }
        for entity, streams in sorted(by_entity.items())
    ]
    return rows_table(rows, limit=len(rows))
