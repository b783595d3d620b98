"""Settings from the environment (`SLUICE_*`), read once at the edge."""

from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are; an unset URL means the embedded one. Ports of 0 are chosen free."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_", extra="ignore")

    home: Path = PROJECT_ROOT / ".sluice"
    database_url: SecretStr | None = None
    """The control role's URL of a PostgreSQL >= 16 with `vector`; unset: the embedded one."""
    dagster_database_url: SecretStr | None = None
    """Dagster's storage; unset: the database `sluice_dagster` beside the warehouse."""
    airbyte_url: str | None = None
    """Root of an Airbyte, such as http://airbyte.internal:8000; unset: the embedded one."""
    airbyte_client_id: str | None = None
    airbyte_client_secret: SecretStr | None = None
    postgres_port: int = 0
    airbyte_port: int = 0
    dagster_port: int = 0
    sandbox_port: int = 0
    sample_records: int = 1000
    """Records per stream that a sample may hold."""
    sample_bytes: int = Field(default=100 * 1024**2, ge=1)
    """Bytes of records that a sample of one source may hold."""
    sample_seconds: int = 300
    """How long one source may be read for a sample."""
    sample_days: int = Field(default=90, ge=1)
    """How far back a sample goes on an Airbyte that cannot bound it, where the source can be told when to begin."""
    sync_seconds: int = 86_400
    kept_releases: int = Field(default=2, ge=1)
    """Releases kept beside the published one, for rolling back."""
    builder_seconds: int = 3600
    """How long one transaction of a tenant's builder may take; longer ones are ended from outside."""
    reader_seconds: int = 300
    idle_transaction_seconds: int = 60
    """How long a tenant's open transaction may wait for its client."""


@cache
def load_settings() -> Settings:
    """The process's settings; `home` made absolute."""
    settings = Settings()
    return settings.model_copy(update={"home": settings.home.resolve()})
