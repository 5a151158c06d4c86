"""`techex`: the command line. Commands live in the `commands.py` of their domain and are loaded when asked for."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from techex import __version__
from techex.errors import TechexError

# command -> (module, attribute, help): a table, so that `techex --help` imports none of them.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "serve": ("techex.server", "serve", "Serve the exchange on this machine."),
    "work": ("techex.work", "work", "Send letters and do timed jobs."),
    "people": ("techex.organisations.commands", "people", "Look after accounts; make the first administrator."),
    "migrate": ("techex.admin.commands", "migrate", "Bring the database to the schema of this version."),
    "demo": ("techex.admin.commands", "demo", "Load or reset the demo exchange."),
    "import": ("techex.admin.commands", "import_file", "Import needs or offers from a file."),
    "export": ("techex.admin.commands", "export", "Export needs and offers to a file."),
    "listings": ("techex.listings.commands", "listings", "Put right the language of a listing."),
    "match": ("techex.matching.commands", "match", "Match a text against the exchange."),
    "evaluate": ("techex.matching.evaluate_commands", "evaluate_command", "Measure match quality on judged pairs."),
    "pairs": ("techex.matching.best_pairs_commands", "pairs", "List the best pairs of needs and results."),
    "duplicates": (
        "techex.matching.duplicate_commands",
        "duplicates",
        "Find listings that are listed twice and decide about them.",
    ),
    "learn": ("techex.matching.learn_commands", "learn", "Learn from verdicts on matches."),
    "audit": ("techex.admin.audit_commands", "audit", "Check the audit log."),
    "index": ("techex.search.commands", "index", "Look after the search index."),
    "models": ("techex.embedding.commands", "models", "Prepare, list and verify embedding models."),
    "bench": ("techex.bench", "bench", "Measure quality and speed, as tables."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[name]
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong row in the table above
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="techex")
def techex() -> None:
    """A technology exchange: needs and research results in any language, matched with reasons.

    Exit codes: 0 all went well, 1 part of it did, 2 the request cannot be carried out, 3 the installation lacks
    something.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors of the exchange become one sentence and an exit code, never a stack trace."""
    try:
        techex.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped. What was done is kept; the same command goes on from here.", err=True)
        sys.exit(1)
    except TechexError as error:
        click.echo(f"techex: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more while flushing at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
