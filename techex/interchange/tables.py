"""Imports through the browser as rows: what was uploaded, how its columns were read, what became of each row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from techex.core.database import Base, UTCDateTime


class ColumnMemory(Base):
    """How an organisation's tables were read the last time: column -> field, and field -> value of all rows."""

    __tablename__ = "import_columns"
    __table_args__ = (UniqueConstraint("organisation_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    columns: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    constants: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)


class ImportRun(Base):
    """One upload: from the file to the listings it made, and back again where it is undone."""

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("kind IN ('need', 'offer')", name="kind"),
        CheckConstraint(
            "state IN ('uploaded', 'checked', 'running', 'stopped', 'done', 'undoing', 'undone')", name="state"
        ),
        Index("ix_import_run_state", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(8))
    state: Mapped[str] = mapped_column(String(8), default="uploaded")
    file_name: Mapped[str] = mapped_column(String(120))
    file_format: Mapped[str] = mapped_column(String(8))
    digest: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(8))  # of rows that do not say theirs
    columns: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    constants: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # field -> value of rows that do not say it
    rows: Mapped[int] = mapped_column(default=0)  # in the file
    done: Mapped[int] = mapped_column(default=0)  # of them, or of those taken back
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    updated_at: Mapped[datetime] = mapped_column(UTCDateTime)
    compared_at: Mapped[datetime | None] = mapped_column(UTCDateTime)  # when its rows were looked for among the others


class ImportedRow(Base):
    """What became of one row; `before` is what its listing said before a change, `twin_id` another it looks like."""

    __tablename__ = "import_row"
    __table_args__ = (UniqueConstraint("run_id", "line"), Index("ix_import_row_outcome", "run_id", "outcome"))

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"))
    line: Mapped[int]
    external_id: Mapped[str] = mapped_column(String(200), default="")
    outcome: Mapped[str] = mapped_column(String(10))  # created, updated, unchanged, refused, undone, kept
    listing_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id", ondelete="SET NULL"), index=True)
    twin_id: Mapped[int | None] = mapped_column(ForeignKey("listing.id", ondelete="SET NULL"), index=True)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    cells: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)  # what is wrong, cell by cell
