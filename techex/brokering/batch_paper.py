"""A batch as a PDF: the same bytes for the same data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from techex.brokering import paper_fonts


def paper(data: Mapping[str, Any]) -> bytes:
    """The PDF. Its bytes depend on nothing but the data, the template and the fonts: no date."""
    return paper_fonts.made("batch.typ", data)
