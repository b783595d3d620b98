import pytest
from airbyte_server.connections.cron import normalised
from airbyte_server.errors import RefusedError


@pytest.mark.parametrize(
    "expression", ["0 15 * * * ?", "0 15 * * * ? UTC", " 0  15 * * * ?  utc "], ids=["without", "with", "untidy"]
)
def test_there_is_exactly_one_time_zone(expression):
    assert normalised(expression) == "0 15 * * * ? UTC"
    assert normalised(normalised(expression)) == normalised(expression)


@pytest.mark.parametrize(
    "expression",
    ["* * * * *", "0 0 3 * * ? Europe/Paris", "* 15 * * * ?", "*/5 15 * * * ?", "0 15 * * * ; UTC", "UTC", ""],
)
def test_what_quartz_or_airbyte_would_refuse_is_refused(expression):
    with pytest.raises(RefusedError, match="cronExpression"):
        normalised(expression)
