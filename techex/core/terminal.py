"""Progress on a terminal: bars and spinners on standard error, and nothing where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Update(Protocol):
    """Moves a bar: how many are done, of how many if that is known."""

    def __call__(self, done: int, total: int | None = None) -> None: ...


@contextmanager
def bar(what: str, quiet: bool = False) -> Iterator[Update]:
    """A bar for work whose steps can be counted."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=_unwatched(quiet)) as progress:
        task = progress.add_task(what, total=None)

        def update(done: int, total: int | None = None) -> None:
            progress.update(task, completed=done, total=total)

        yield update


@contextmanager
def spinner(what: str, quiet: bool = False) -> Iterator[None]:
    """A sign of life for work without steps."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=_unwatched(quiet), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def _unwatched(quiet: bool) -> bool:
    return quiet or not sys.stderr.isatty()
