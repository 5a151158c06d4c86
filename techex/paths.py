"""Where templates, model cards, weights, indexes and data are: beside the code in a wheel, at the top of a checkout.

Knows the layout of the project and nothing else. Folders that are written at run time come from the settings.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent


def is_checkout() -> bool:
    """True when the code runs from a checkout (or an editable install of one) rather than from a wheel."""
    return (CHECKOUT / "pyproject.toml").is_file() and (CHECKOUT / "templates").is_dir()


def _packed(name: str) -> Path:
    inside = PACKAGE / name
    return inside if inside.is_dir() else CHECKOUT / name


def templates_dir() -> Path:
    """The Jinja templates."""
    return _packed("templates")


def cards_dir() -> Path:
    """The model cards, ``<name>.toml``."""
    return _packed("models")


def static_dir() -> Path:
    """Style sheet, scripts, fonts and icons."""
    return PACKAGE / "static"


def migrations_dir() -> Path:
    """Alembic's folder."""
    return PACKAGE / "migrations"


def translations_dir() -> Path:
    """The gettext catalogues."""
    return PACKAGE / "translations"
