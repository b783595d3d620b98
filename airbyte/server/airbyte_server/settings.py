"""The server's settings, read once from the environment (AIRBYTE_SERVER_*) and the command line."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """Where the server listens, keeps its state and what it may spend; on loopback it may go without credentials."""

    model_config = SettingsConfigDict(
        env_prefix="AIRBYTE_SERVER_", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    database_url: SecretStr
    secret_key: SecretStr | None = None
    secret_key_file: Path = Path("~/.config/airbyte-server/secret.key")
    """Read where `secret_key` is not set; made at the first start."""
    secret_directory: Path = Path("~/.config/airbyte-server/secrets")
    """Where the files of `secret_coordinate::file/…` must be; no other file is read."""
    secret_variable_prefix: Annotated[str, Field(min_length=1)] = "AIRBYTE_SECRET_"  # noqa: S105 no secret but how names begin
    """How the names of `secret_coordinate::env/…` must begin; no other variable is read."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    client_id: str | None = None
    client_secret: SecretStr | None = None
    token_lifetime_seconds: Annotated[int, Field(ge=1)] = 3600
    max_concurrent_jobs: Annotated[int, Field(ge=1, le=64)] = 2
    connector_timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    job_log_lines: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    """The newest lines of each job's log are kept."""
    job_retention_days: Annotated[float, Field(gt=0)] = 90.0
    """Ended jobs are kept this long, and the newest of each connection for ever."""

    @property
    def has_credentials(self) -> bool:
        """Whether callers must bring a token."""
        return self.client_id is not None

    @model_validator(mode="after")
    def _refuse_the_key_among_secrets(self) -> Self:
        key, folder = (path.expanduser().resolve() for path in (self.secret_key_file, self.secret_directory))
        if self.secret_key is None and key.is_relative_to(folder):
            raise ValueError("The secret key is in AIRBYTE_SERVER_SECRET_DIRECTORY, where connectors read; move one.")
        return self

    @model_validator(mode="after")
    def _refuse_an_open_door(self) -> Self:
        if (self.client_id is None) != (self.client_secret is None):
            raise ValueError("Set both AIRBYTE_SERVER_CLIENT_ID and AIRBYTE_SERVER_CLIENT_SECRET, or neither.")
        if self.client_id is None and not _is_loopback(self.host):
            raise ValueError("Without a client id and secret the server listens on loopback only; set both to open it.")
        return self


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
