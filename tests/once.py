"""Work that is the same for every exchange of a test process is done once: each test makes an application of its own.

Templates, addresses and SQL are compiled by the same code as always, the first time; what comes out is kept. Hashing a
password costs little here; `hash_at_full_cost` is for tests of what it costs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from werkzeug.routing import Rule

from techex.accounts import passwords
from techex.core import database

REAL_HASHER = passwords._HASHER


class _Templates(BytecodeCache):
    """Compiled templates, by name, file and text."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


def _keep_what_builds_addresses() -> None:
    compiled = Rule._compile_builder
    kept: dict[Any, Callable[..., tuple[str, str]]] = {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compiled(rule, append_unknown)
        key = (tuple(rule._trace), append_unknown)  # all that the code is made of
        if key not in kept:
            kept[key] = compiled(rule, append_unknown)
        return kept[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]


def _keep_compiled_sql() -> None:
    create_engine = database.create_engine
    first: list[Engine] = []

    def create(*args: Any, **values: Any) -> Engine:
        engine = create_engine(*args, **values)
        if engine.dialect.name == "sqlite":
            first.append(engine)
            del first[1:]
            # What is kept is kept by dialect.
            engine.dialect = engine.pool._dialect = first[0].dialect
            engine._compiled_cache = first[0]._compiled_cache
        return engine

    database.create_engine = create  # type: ignore[attr-defined]


def hash_at_full_cost(patch: pytest.MonkeyPatch) -> None:
    """Passwords cost in this test what they cost elsewhere."""
    patch.setattr(passwords, "_HASHER", REAL_HASHER)
    patch.setattr(passwords, "_nobodys", cache(passwords._nobodys.__wrapped__))


def begin() -> None:
    """Keep from now on, in this process."""
    if passwords._HASHER is not REAL_HASHER:
        return
    passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": _Templates()}
    _keep_what_builds_addresses()
    _keep_compiled_sql()
