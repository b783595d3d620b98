"""Where the running stack answers: written by `sluice up`, read by everything else."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from analysis.errors import PermanentError

FILE_NAME = "endpoints.json"


class Endpoints(BaseModel):
    """URLs and logins of one stack; holds secrets, so its file is 0600 and it is never logged."""

    model_config = ConfigDict(frozen=True)

    control_url: str
    """postgresql://sluice_control:…@127.0.0.1:port/sluice, without a driver name."""
    dagster_url: str
    """The same for Dagster's storage."""
    airbyte_url: str
    """Root of the Airbyte; the public API is at /api/public/v1, the config API at /api/v1."""
    airbyte_client_id: str
    airbyte_client_secret: str
    loader_login: str
    """The login that Airbyte's Postgres destination uses."""
    loader_password: str
    dagster_ui_url: str | None = None

    def __repr__(self) -> str:
        return "Endpoints(…)"

    def save(self, home: Path) -> None:
        """Write the file for this home, readable by its owner alone."""
        path = home / FILE_NAME
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.chmod(0o600)
        fresh.write_text(self.model_dump_json())
        fresh.replace(path)


def load_endpoints(home: Path) -> Endpoints:
    """The endpoints of the stack under this home; a PermanentError when it was never started."""
    path = home / FILE_NAME
    if not path.exists():
        raise PermanentError("The stack is not running; start it with `sluice up`.", home=str(home))
    return Endpoints.model_validate_json(path.read_text())
