"""Bring the catalogues up to date with the code and the templates.

    python -m techex.translations.update

New messages appear with an empty translation at the place where they belong, messages nobody uses any more go.
Nothing is guessed ("fuzzy"): a person writes each translation. The English catalogue repeats its messages.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from techex import paths

# `_l` is how skin code imports lazy_gettext; `N_` marks what a template translates later.
KEYWORDS = {**DEFAULT_KEYWORDS, **parse_keywords(["N_", "_l", "lazy_gettext"])}
LANGUAGES = ("vi", "en")
LINE_WIDTH = 110
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")  # what is filled in when a message is shown
HEADER_NOISE = tuple(
    f'"{name}'.encode()
    for name in ("Project-Id", "Report-", "POT-", "PO-", "Last-T", "Language-T", "Generated-By", "MIME-")
)


def extract() -> Catalog:
    """Every message of the checkout, with the files that use it."""
    with (paths.translations_dir() / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)
    catalogue = Catalog(project="TechEx", charset="utf-8")
    for folder in ("techex", "templates"):
        root = paths.CHECKOUT / folder
        inside = [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in methods]
        options_inside = {pattern.removeprefix(f"{folder}/"): value for pattern, value in options.items()}
        found = extract_from_dir(str(root), inside, options_inside, KEYWORDS, comment_tags=("NOTE:",))
        for filename, _line, message, comments, context in found:
            # Without line numbers, so that moving code does not change the catalogues.
            catalogue.add(message, None, [(f"{folder}/{filename}", 0)], auto_comments=comments, context=context)
    return catalogue


def catalogue_path(language: str) -> Path:
    """Where the catalogue of a language is kept."""
    return paths.translations_dir() / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """The catalogue of a language; an empty one for a new language."""
    path = catalogue_path(language)
    if not path.exists():
        return Catalog(locale=language, project="TechEx", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str, template: Catalog) -> Catalog:
    """The catalogue of a language with the messages of `template`, translations kept by exact message."""
    old, new = read(language), Catalog(locale=language, charset="utf-8", fuzzy=False)
    new.header_comment = f"# TechEx, language {language}: python -m techex.translations.update brings it up to date."
    for message in sorted((m for m in template if m.id), key=lambda m: (str(m.locations[0][0]), str(m.id))):
        known = old.get(message.id, message.context)
        translation = known.string if known else None
        if language == "en":
            translation = message.id
        new.add(
            message.id, translation, message.locations, flags=message.flags, auto_comments=message.auto_comments,
            context=message.context,
        )  # fmt: skip
    return new


def write(catalogue: Catalog, language: str) -> Path:
    """Write a catalogue to its place; the same messages give the same bytes."""
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=LINE_WIDTH, include_lineno=False)
    # Of the header only what gettext reads: dates and names would change the file each time.
    lines = [line for line in buffer.getvalue().split(b"\n") if not line.startswith(HEADER_NOISE)]
    path = catalogue_path(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\n".join(lines))
    return path


def untranslated(catalogue: Catalog) -> list[str]:
    """The messages that still lack a translation, or one of its plural forms."""
    return [
        str(message.id)
        for message in catalogue
        if message.id and not all(message.string if isinstance(message.string, tuple) else (message.string,))
    ]


def main() -> None:
    """Rewrite the catalogues and say what is left to translate."""
    template = extract()
    for language in LANGUAGES:
        catalogue = updated(language, template)
        path, empty = write(catalogue, language), untranslated(catalogue)
        sys.stdout.write(f"{path.relative_to(paths.CHECKOUT)}: {len(catalogue)} messages, {len(empty)} to translate\n")
        sys.stdout.writelines(f"  {message}\n" for message in empty)


if __name__ == "__main__":
    main()
