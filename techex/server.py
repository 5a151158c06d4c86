"""`techex serve`: the exchange on this machine, behind gunicorn, in one process with threads.

One worker holds one model and one index; threads share them. The model and the index are loaded after the fork: a
fork after OpenMP was used hangs.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

import click

from techex.core import memory
from techex.errors import Environment, TechexError
from techex.settings import Settings, load_settings

if TYPE_CHECKING:
    from flask import Flask

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
DEFAULT_THREADS = 8  # pages wait for the database more than they compute; searches take turns on the cores anyway
REQUEST_LINE = 8_190  # bytes: the most gunicorn allows; matching.forms keeps addresses below half of it
GRACEFUL_SECONDS = 10
# Set before any import that reads them: one OpenMP thread answers a query ten times faster than two.
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def check_port(host: str, port: int) -> None:
    """Raise Environment, naming the way out, where the address cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise Environment(
                f"Port {port} may not be used by this account ({error.strerror}). Choose one above 1023: "
                "techex serve --port 8000."
            ) from error
        except OSError as error:
            raise Environment(
                f"Nothing can be served at {host}:{port} ({error.strerror}). If another program uses the port, stop it "
                f"or choose another: techex serve --port {port + 1}."
            ) from error


def _warm(app: Flask) -> None:
    """Load model and index aside, so that the first reader does not wait for them."""
    from techex.matching import views as matching_views

    with app.app_context():
        try:
            matching_views.matcher().warm()
        except TechexError as error:
            # Pages work without; those that search say so in a banner.
            app.logger.warning("Search goes by keywords: %s", error)
    memory.settle()


def _application(settings: Settings) -> Callable[[], Flask]:
    def load() -> Flask:
        from techex.app import create_app

        app = create_app(settings)
        Thread(target=_warm, args=(app,), name="warm", daemon=True).start()
        return app

    return load


def run(settings: Settings, host: str, port: int, threads: int, workers: int) -> None:
    """Serve until stopped.

    Raises Environment for a port that cannot be used, DatabaseNotReady for a database that is not migrated.
    """
    from gunicorn.app.base import BaseApplication

    from techex.core.database import Database
    from techex.migrations import run as migrations
    from techex.web import security

    check_port(host, port)
    database = Database(settings.database_address)
    migrations.require_current(database)
    database.close()
    security.signing_key(settings)  # here, where a folder that cannot be written to still gets a sentence
    load = _application(settings)
    shown = f"[{host}]" if ":" in host else host

    def say_address(worker: Any) -> None:
        if worker.age == 1:  # the first one, at the start
            click.echo(f"TechEx is served at http://{shown}:{port}/ (stop with Ctrl-C)")
            sys.stdout.flush()

    class Server(BaseApplication):  # type: ignore[misc]
        """gunicorn with our settings instead of its files and arguments."""

        def load_config(self) -> None:
            for name, value in {
                "bind": f"{shown}:{port}",
                "worker_class": "gthread",
                "workers": workers,
                "threads": threads,
                "timeout": 120,  # seconds; a worker that loads a large model on a slow disk is not dead
                "graceful_timeout": GRACEFUL_SECONDS,
                "keepalive": 5,
                "limit_request_line": REQUEST_LINE,
                "accesslog": None,
                "errorlog": "-",
                "loglevel": "warning",
                "proc_name": "techex",
                "post_worker_init": say_address,
                "control_socket_disable": True,
                "preload_app": False,
            }.items():
                if name in self.cfg.settings:  # older versions have no control socket to switch off
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            return load()

    Server().run()


@click.command()
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, show_default=True, type=click.IntRange(1, 65_535), help="Port.")
@click.option(
    "--threads", default=DEFAULT_THREADS, show_default=True, type=click.IntRange(1, 256), help="Requests at a time."
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; each holds a model and an index of its own.",
)
def serve(host: str, port: int, threads: int, workers: int) -> None:
    """Serve the exchange on this machine."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    run(load_settings(), host, port, threads, workers)
