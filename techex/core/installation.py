"""What this installation remembers about itself, one row a fact: for instance that it is a demo."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from techex.core.database import Base


class Fact(Base):
    """One fact by its name."""

    __tablename__ = "installation_fact"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)


def recall(session: Session, name: str) -> Any:
    """The value of a fact; None where there is none."""
    found = session.get(Fact, name)
    return found.value if found else None


def remember(session: Session, name: str, value: Any) -> None:
    """Keep a fact, instead of what was kept under this name before."""
    session.merge(Fact(name=name, value=value))


def forget(session: Session, name: str) -> None:
    """Drop a fact."""
    if found := session.get(Fact, name):
        session.delete(found)
