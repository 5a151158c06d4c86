"""Every setting of the exchange, with its default and its help, read from ``TECHEX_*`` variables.

The help texts are the documentation: a test compares them with the README.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from techex import paths
from techex.errors import SettingsInvalid


def _beside(name: str) -> Path:
    """A folder at the top of the checkout; below the working directory where TechEx is installed from a wheel."""
    return (paths.CHECKOUT if paths.is_checkout() else Path.cwd()) / name


class Settings(BaseSettings):
    """The configuration of one installation; frozen once read."""

    model_config = SettingsConfigDict(env_prefix="TECHEX_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=lambda: _beside("instance"),
        description="Folder for the database file and the secret key.",
    )
    database_url: str = Field(
        default="",
        description="SQLAlchemy address of the database; empty means the file techex.db in the data folder. "
        "PostgreSQL: postgresql+psycopg://user@host/name.",
    )
    models_dir: Path = Field(
        default_factory=lambda: _beside("models"), description="Folder for the weights of prepared models."
    )
    indexes_dir: Path = Field(
        default_factory=lambda: _beside("indexes"),
        description="Folder for index snapshots; it may be deleted at any time.",
    )
    card: str = Field(default="multilingual-e5-small", description="Name of the model card in use.")
    engine: Literal["", "openvino", "sentence-transformers", "hashing"] = Field(
        default="", description="Engine that runs the model; empty means the one its card names."
    )
    threads: int = Field(default=1, ge=1, le=64, description="Threads a process may use to embed text.")
    snapshot_from: int = Field(
        default=20_000, ge=0, description="Write an index snapshot from this many passages on; 0 means always."
    )
    secret_key: str = Field(
        default="", description="Key that signs cookies; empty means one is made in the data folder at first start."
    )
    base_url: str = Field(
        default="", description="Address at which people reach this exchange, for links printed outside a request."
    )
    exchange_name: str = Field(default="TechEx", description="Name of this exchange in the page header.")
    review_readers: int = Field(
        default=2,
        ge=1,
        le=3,
        description="Operators who must each have passed a listing before it is published; 1 where one person runs the "
        "exchange.",
    )
    languages: str = Field(default="vi,en", description="Languages of the pages, the default one first.")
    timezone: str = Field(default="Asia/Ho_Chi_Minh", description="Time zone in which dates are shown.")
    cookie_secure: bool = Field(default=False, description="Send cookies over HTTPS only (set it wherever HTTPS is).")

    proxies: int = Field(
        default=0, ge=0, le=9, description="Reverse proxies in front whose X-Forwarded headers are believed."
    )
    smtp_url: str = Field(
        default="",
        description="Mail server, smtp://user:password@host:587 or smtps://host:465; empty means letters become files.",
    )
    mail_from: str = Field(default="TechEx <techex@localhost>", description="Sender of letters.")
    mail_dir: Path | None = Field(
        default=None, description="Folder for letters where no mail server is set; empty means mail in the data folder."
    )

    @property
    def mail_folder(self) -> Path:
        """Where letters become files, the default filled in."""
        return self.mail_dir or self.data_dir / "mail"

    @property
    def database_address(self) -> str:
        """The address to connect to, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'techex.db'}"

    @property
    def language_list(self) -> list[str]:
        """The page languages in order."""
        return [code.strip() for code in self.languages.split(",") if code.strip()]


def load_settings(**overrides: object) -> Settings:
    """Read the settings from the environment.

    Raises SettingsInvalid naming every variable that is wrong, not only the first.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        problems = [f"TECHEX_{str(item['loc'][0]).upper()}: {item['msg']}" for item in error.errors()]
        raise SettingsInvalid(problems) from None
