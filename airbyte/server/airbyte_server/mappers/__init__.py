"""Mappers: what is done to a stream's fields and records between its source and its table, as Airbyte's platform does.

mappers = parse_mappers(stream["name"], stream["mappers"])
shape = map_shape(Shape(properties, primary_key, cursor), mappers)
target = StreamTarget(..., mapper=RecordMapper.of(mappers, properties))
"""

from airbyte_server.mappers.mapper import Mapper, Shape
from airbyte_server.mappers.parsing import parse_mappers, with_ids
from airbyte_server.mappers.records import RecordMapper
from airbyte_server.mappers.shapes import check_shape, map_shape

__all__ = ["Mapper", "RecordMapper", "Shape", "check_shape", "map_shape", "parse_mappers", "with_ids"]
