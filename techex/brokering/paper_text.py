"""The words of a PDF, so that papers of a deal are found by what they say; nothing where there are none."""

from __future__ import annotations

import logging
from io import BytesIO
from time import monotonic

from techex.listings.attachments import Cleaned

MOST_PAGES = 40
MOST_CHARACTERS = 60_000  # some thirty pages of text
SECONDS = 3.0  # after so long no further page is begun: whoever hands a paper over waits for it

_log = logging.getLogger(__name__)


def words_in(file: Cleaned) -> str:
    """What stands in a file, as far as it is text; scans and pictures have none. What cannot be read has none either:
    the file was accepted, it is only not found by its words.
    """
    if file.media_type != "application/pdf":
        return ""
    from pypdf import PdfReader  # loaded when somebody hands over a PDF

    begun, found, length = monotonic(), [], 0
    try:
        for page in PdfReader(BytesIO(file.content)).pages[:MOST_PAGES]:
            text = " ".join(page.extract_text().replace("\x00", " ").split())
            found.append(text)
            length += len(text)
            if length > MOST_CHARACTERS or monotonic() - begun > SECONDS:
                break
    except Exception as error:  # whatever a damaged file does to the reader: it is only not found
        _log.info("a paper has no words that can be read: %s", type(error).__name__)
    return " ".join(found).encode("utf-8", "ignore").decode()[:MOST_CHARACTERS]
