"""Places in words of the page that is being drawn."""

from __future__ import annotations

from techex.regions import service
from techex.web.language import page_language


def place_called(code: str) -> str:
    """A place by its code (VN-33, NL) in the language of the page; the code itself where nobody knows it."""
    place = service.place_of_code(code)
    return service.place_name(place, page_language()) if place else code
