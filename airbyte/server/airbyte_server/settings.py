"""The server's settings, read once from the environment (AIRBYTE_SERVER_*) and the command line."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_BESIDE_THE_SERVER = Path(__file__).resolve().parents[2] / "connectors"


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
    """For `check`, `discover` and a look at a manifest."""
    connector_cache_seconds: Annotated[float, Field(ge=0)] = 900.0
    """How long the answers of `check` and `discover` are kept."""
    connectors_directory: Path | None = _BESIDE_THE_SERVER
    """Where connectors are folders `source-<name>` with a manifest; read at the start."""
    allow_python_components: bool = False
    """Whether manifests may bring Python, which then does what the server's user may do."""
    job_log_lines: Annotated[int, Field(ge=10, le=1_000_000)] = 10_000
    """The newest lines of each job's log are kept."""
    job_retention_days: Annotated[float, Field(gt=0)] = 90.0
    """Ended jobs are kept this long, and the newest of each connection for ever."""
    pypi_connectors: str = ""
    """More sources from PyPI, or other versions of known ones: `airbyte-source-x==1.2.3` each, between commas."""
    environment_directory: Path = Path("~/.local/share/airbyte-server/connectors")
    """Where the virtual environments of sources from PyPI are made."""
    install_timeout_seconds: Annotated[float, Field(gt=0)] = 900.0
    """Making one of them may take this long, beside the connector's own time."""
    installer: Literal["auto", "uv", "pip"] = "auto"
    install_arguments: str = ""
    """More arguments of `uv pip install` and `pip install`, such as an index."""
    samples_enabled: bool = True
    """Whether `/api/embedded/v1/samples` is there; a full Airbyte has none."""

    job_attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    """How often a job is tried in all, where its failure may pass."""
    job_retry_pause_seconds: Annotated[float, Field(ge=0)] = 10.0
    """The pause before the second attempt; each later one is three times as long."""
    job_retry_longest_pause_seconds: Annotated[float, Field(ge=0)] = 600.0
    job_timeout_seconds: Annotated[float, Field(gt=0)] = 86_400.0
    """An attempt that takes longer is ended."""
    connector_memory_mib: Annotated[int, Field(ge=256)] = 1024
    connector_silence_seconds: Annotated[float, Field(gt=0)] = 5400.0
    """A connector that writes nothing for so long is ended."""
    connector_longest_line_mib: Annotated[int, Field(ge=1, le=512)] = 64
    schedules: bool = True
    """Whether connections with a cron schedule start their own jobs."""
    longest_body_mib: Annotated[int, Field(ge=1)] = 32
    """A longer request body is refused."""

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
