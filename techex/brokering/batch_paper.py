"""A batch as a PDF: the same bytes for the same data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def paper(data: Mapping[str, Any]) -> bytes:
    """The PDF. Its bytes depend on nothing but the data, the template and the version of typst: no date, no font of the
    system.
    """
    import typst  # loaded when somebody asks for a paper: thirty megabytes

    held = json.dumps(data, ensure_ascii=False, sort_keys=True)
    source = (_HERE / "batch.typ").read_bytes()
    made = typst.compile(source, format="pdf", ignore_system_fonts=True, sys_inputs={"data": held})
    assert isinstance(made, bytes)  # noqa: S101 - one PDF was asked for
    return made
