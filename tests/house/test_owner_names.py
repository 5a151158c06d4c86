"""Pages say whose a listing is through one macro, which asks whether their reader may know."""

from __future__ import annotations

import re

from techex import paths

SAYS = re.compile(r"\.organisation\.(name|slug|kind)|organisation_name\([a-z_.]*\.organisation")
# Here it is known: the macros that ask, pages for the owner alone, pages for operators alone.
KNOWN = {"_macros.html", "listings/mine.html", "listings/queue.html", "listings/review.html"}
GUARDED = "{% if knows_owner("


def test_no_page_names_the_owner_of_a_listing_without_asking() -> None:
    found = []
    for path in sorted(paths.templates_dir().rglob("*.html")):
        name = path.relative_to(paths.templates_dir()).as_posix()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
            said = re.search(r"\b(listing|other|need|offer|match\.listing)" + SAYS.pattern, line)
            if said and name not in KNOWN and GUARDED not in line:
                found.append(f"{name}:{number}")
    assert found == []
