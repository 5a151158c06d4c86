"""Cut Tabler's style sheet down to the skeleton our pages stand on.

    python -m tests.house.trim_tabler .../package/dist/css/tabler.css > skeleton.css

Run it when the version changes or a template needs another family of classes. A rule stays if all the classes it names
belong to a family in KEPT; custom properties that nothing reads any more go. Colours, type and space are ours
(static/tokens.css): Tabler reads them through its own custom properties.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

# What our templates build on. Everything with behaviour (modals, dropdowns, sheets) is plain HTML here instead.
KEPT = re.compile(
    r"container(-fluid|-xl)?|row|col|col-(12|6|4|8|lg-[3469]|lg-8|md-6|md-4|md-8)|g-[0234]|table|table-responsive|"
    r"btn|btn-primary|btn-sm|form-control|form-select|form-label|form-check(-input|-label)?|"
    r"visually-hidden(-focusable)?|list-unstyled|d-(none|flex|block|grid)|breadcrumb(-item)?|active|disabled"
)
# Tabler switches to dark by an attribute that only a script can set; our tokens follow the reader's system instead.
DROPPED = re.compile(
    r"data-bs-theme|data-bs-toggle|\[dir=|btn-check|was-validated|\.is-(in)?valid|:-moz|-webkit-date|data-bs"
)


def blocks(css: str) -> list[tuple[str, str]]:
    """The top-level (prelude, body) pairs of a style sheet; statements without a body are left out."""
    found, depth, start, prelude = [], 0, 0, ""
    for position, character in enumerate(css):
        if character == "{":
            if depth == 0:
                prelude, start = css[start:position].strip(), position + 1
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                found.append((prelude, css[start:position]))
                start = position + 1
        elif character == ";" and depth == 0:
            start = position + 1
    return found


def kept_selectors(prelude: str) -> str:
    """The selectors of a list that name kept classes only."""
    kept = []
    for selector in re.split(r",(?![^(]*\))", prelude):
        if DROPPED.search(selector):
            continue
        classes = re.findall(r"\.((?:\\.|[\w-])+)", selector)
        if all(KEPT.fullmatch(name) for name in classes):
            kept.append(selector.strip())
    return ",".join(kept)


def trimmed(css: str) -> list[tuple[str, str]]:
    """The blocks that stay, recursively through media queries."""
    kept = []
    for prelude, body in blocks(css):
        if prelude.startswith(("@media", "@supports")):
            if "print" in prelude or "prefers-color" in prelude:
                continue  # we have our own
            inner = "".join(f"{p}{{{b}}}" for p, b in trimmed(body))
            if inner:
                kept.append((prelude, inner))
        elif not prelude.startswith("@") and (selectors := kept_selectors(prelude)):
            kept.append((selectors, re.sub(r"\s*\n\s*", "", body).strip()))
    return kept


def without_unread_properties(css: str) -> str:
    """`css` without custom properties that no declaration reads, and without rules that have become empty."""
    while True:
        read = set(re.findall(r"var\((--[\w-]+)", css))
        declared = set(re.findall(r"(--[\w-]+)\s*:", css))
        unread = "|".join(re.escape(name) for name in sorted(declared - read, key=len, reverse=True)) or "(?!)"
        shorter = re.sub(rf"(?<![\w-])(?:{unread})\s*:[^;{{}}]*(;|(?=\}}))", "", css)
        shorter = re.sub(r"(?<=[{};])[^{}@;]+\{\s*\}", "", shorter)
        if shorter == css:
            return css
        css = shorter


def main(path: str) -> None:
    """Print the trimmed sheet."""
    css = re.sub(r"/\*.*?\*/", "", Path(path).read_text(encoding="utf-8"), flags=re.DOTALL).replace(
        '@charset "UTF-8";', ""
    )
    rules = "".join(f"{prelude}{{{body}}}\n" for prelude, body in trimmed(css))
    note = "/* Tabler 1.6.1, https://tabler.io, MIT licence (see LICENSE), cut by tests/house/trim_tabler.py */\n"
    sys.stdout.write(note + without_unread_properties(rules))


if __name__ == "__main__":
    main(sys.argv[1])
