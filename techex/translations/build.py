"""Compile the catalogues (.po, in git) to what gettext reads (.mo, not in git).

Used twice: as hatchling's build hook, which runs this file by its path and so may import nothing of ours, and at the
start of an exchange that runs from a checkout.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po


def compile_catalogues(folder: Path) -> list[Path]:
    """Compile every catalogue below `folder` that is newer than its result; returns what was written.

    Raises OSError where the folder cannot be written to.
    """
    written = []
    for source in sorted(folder.glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        # Aside, then renamed: another process may be reading the old one.
        handle, aside = tempfile.mkstemp(dir=target.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            write_mo(file, catalogue)
        Path(aside).chmod(0o644)
        Path(aside).replace(target)
        written.append(target)
    return written


def get_build_hook() -> type[Any]:
    """What hatchling asks this file for; hatchling is there only while a wheel is built."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class CatalogueHook(BuildHookInterface[Any]):
        """Compiles the catalogues before the wheel is packed."""

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            compile_catalogues(Path(self.root) / "techex" / "translations")

    return CatalogueHook
