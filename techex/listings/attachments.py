"""Files beside a listing: PDF, PNG or JPEG, told by their content, freed of what they say about their makers.

A file is kept below the data folder under the SHA-256 of its cleaned content, so no name of an upload ever becomes a
path. It is handed out as a download only, to those who may see its listing.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import filetype
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from techex.core import audit
from techex.core.context import Context
from techex.core.vocabulary import N_
from techex.errors import BadInput, Conflict, NotFound, Sentence
from techex.listings import drafting, service
from techex.listings.posting_tables import Attachment, SavedDraft
from techex.listings.rules import State
from techex.listings.tables import Listing

FOLDER = "files"  # below the data folder
LARGEST_FILE = 5_000_000  # bytes; a datasheet with pictures
MOST_FILES = 5  # of a listing
MOST_PIXELS = 40_000_000  # a photograph of today's largest telephones; a bomb has a thousand times more
REST = timedelta(days=1)  # a file without a row stays so long
LONGEST_NAME = 120  # characters, as the column has
ENDINGS: Mapping[str, str] = {"application/pdf": ".pdf", "image/png": ".png", "image/jpeg": ".jpg"}

_ABOUT = "file"
_NAME = re.compile(r"[^\w .()+,-]")
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


@dataclass(frozen=True)
class Cleaned:
    """A file as it is kept: what it is, and its content without metadata."""

    media_type: str
    content: bytes

    @property
    def digest(self) -> str:
        """The name it is kept under."""
        return hashlib.sha256(self.content).hexdigest()


def cleaned(content: bytes) -> Cleaned:
    """A file by its content, without metadata, scripts and embedded files.

    Raises BadInput for an empty, too large, damaged or locked file and for any other type.
    """
    if not content:
        raise _refused(N_("The file is empty. Choose another one."))
    if len(content) > LARGEST_FILE:
        raise _refused(
            N_("The file has %(size)s MB; expected at most %(most)s MB. Make it smaller or leave it out."),
            size=round(len(content) / 1e6, 1),
            most=LARGEST_FILE // 1_000_000,
        )
    kind = filetype.guess(content)
    media_type = kind.mime if kind else ""
    if media_type == "application/pdf":
        return Cleaned(media_type, _clean_pdf(content))
    if media_type in ENDINGS:
        return Cleaned(media_type, _clean_image(content, media_type))
    raise _refused(
        N_("The file is not what can be shown here, whatever its name says. Expected a PDF, a PNG or a JPEG.")
    )


def _refused(pattern: str, **values: object) -> BadInput:
    return BadInput(Sentence(pattern, **values), about=_ABOUT)


def _clean_pdf(content: bytes) -> bytes:
    import pikepdf  # loaded when somebody sends a PDF: a third of a second

    try:
        with pikepdf.open(BytesIO(content)) as document:
            if document.is_encrypted:
                raise _refused(N_("The PDF is locked. Save it without a password and try again."))
            if "/Info" in document.trailer:
                del document.trailer["/Info"]
            for key in ("/Metadata", "/OpenAction", "/AA", "/PieceInfo"):
                if key in document.Root:
                    del document.Root[key]
            if "/Names" in document.Root:
                for key in ("/JavaScript", "/EmbeddedFiles"):
                    if key in document.Root.Names:
                        del document.Root.Names[key]
            for page in document.pages:
                for key in ("/Metadata", "/PieceInfo", "/AA"):
                    if key in page:
                        del page[key]
            for found in document.objects:
                if isinstance(found, pikepdf.Stream) and "/Metadata" in found:
                    del found["/Metadata"]
            written = BytesIO()
            document.save(written, deterministic_id=True)
    except pikepdf.PasswordError:
        raise _refused(N_("The PDF is locked. Save it without a password and try again.")) from None
    except (pikepdf.PdfError, ValueError, RuntimeError):
        raise _refused(N_("The PDF is damaged and cannot be read. Save it once more and try again.")) from None
    return written.getvalue()


def _clean_image(content: bytes, media_type: str) -> bytes:
    from PIL import Image, ImageOps

    try:
        with Image.open(BytesIO(content), formats=["PNG", "JPEG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _refused(
                    N_("The picture has %(pixels)s megapixels; expected at most %(most)s. Make it smaller."),
                    pixels=image.width * image.height // 1_000_000,
                    most=MOST_PIXELS // 1_000_000,
                )
            upright = ImageOps.exif_transpose(image)
            jpeg = media_type == "image/jpeg"
            wanted = ("L", "RGB") if jpeg else ("1", "L", "LA", "P", "RGB", "RGBA")
            plain = upright if upright.mode in wanted else upright.convert("RGB" if jpeg else "RGBA")
            bare = Image.new(plain.mode, plain.size)
            if plain.mode == "P" and (palette := plain.getpalette()):
                bare.putpalette(palette)
            bare.paste(plain)
            written = BytesIO()
            bare.save(written, "JPEG" if jpeg else "PNG", **({"quality": 88} if jpeg else {"optimize": False}))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _refused(N_("The picture is damaged and cannot be read. Save it once more and try again.")) from None
    return written.getvalue()


def safe_name(name: str, media_type: str) -> str:
    """A name under which a file may be downloaded on every system, with the ending that belongs to its content."""
    text = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    text = " ".join(_NAME.sub(" ", text).split())
    ending = ENDINGS[media_type]
    stem = text.rsplit(".", 1)[0] if "." in text else text
    stem = stem.strip(" .")[: LONGEST_NAME - len(ending)].rstrip(" .")
    if not stem or _RESERVED.fullmatch(stem):
        stem = "attachment"
    return stem + ending


def path_of(data_dir: Path, digest: str, folder: str = FOLDER) -> Path:
    """Where the content with this digest is kept."""
    return data_dir / folder / digest[:2] / digest


def keep(data_dir: Path, file: Cleaned, folder: str = FOLDER) -> str:
    """Write a cleaned file to its place, whole or not at all; returns its digest."""
    path = path_of(data_dir, file.digest, folder)
    if path.exists():
        path.touch()  # so that `sweep` does not take it before its new row is there
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_suffix(f".{os.getpid()}.part")
        with aside.open("wb") as out:
            out.write(file.content)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(path)
    return file.digest


def add(session: Session, context: Context, data_dir: Path, draft: SavedDraft, name: str, file: Cleaned) -> Attachment:
    """Put a file beside a draft; raises Conflict where there are enough or the listing is published.

    Cleaning takes time, so callers do it before they open the transaction.
    """
    need_open(draft)
    if len(drafting.files_of(session, draft)) >= MOST_FILES:
        raise Conflict(Sentence(N_("A listing has at most %(most)s files. Remove one first."), most=MOST_FILES))
    same = Attachment.digest == file.digest
    if found := session.scalar(select(Attachment).where(same, Attachment.draft_id == draft.id)):
        return found
    made = Attachment(
        draft_id=draft.id,
        digest=keep(data_dir, file),
        media_type=file.media_type,
        size=len(file.content),
        name=safe_name(name, file.media_type),
        added_at=context.now,
        added_by=context.actor.name,
    )
    session.add(made)
    session.flush()
    audit.record(session, context, "file added", "listing_draft", draft.id, {"digest": made.digest})
    return made


def need_open(draft: SavedDraft) -> None:
    """Raises Conflict where the files may not change: nobody has looked at a file added to a published listing."""
    if draft.listing is not None and draft.listing.state == State.PUBLISHED:
        raise Conflict(Sentence(N_("Files can be changed while a listing is a draft or returned, not once published.")))


def remove(session: Session, context: Context, draft: SavedDraft, attachment_id: int) -> None:
    """Take a file away from a draft or the listing it changes; its content goes with `sweep`."""
    need_open(draft)
    found = next((file for file in drafting.files_of(session, draft) if file.id == attachment_id), None)
    if found is None:
        raise NotFound(Sentence(N_("There is no file number %(number)s here."), number=attachment_id))
    audit.record(session, context, "file removed", "listing_draft", draft.id, {"digest": found.digest})
    session.delete(found)


def of_listing(session: Session, context: Context, listing: Listing) -> list[tuple[Attachment, str]]:
    """The files of a listing that the reader may see, with their names for this reader, in the order they came."""
    query = select(Attachment).where(Attachment.listing_id == listing.id).order_by(Attachment.id)
    return [(file, name_for(context, file, listing)) for file in session.scalars(query)]


def name_for(context: Context, file: Attachment, listing: Listing) -> str:
    """What a file is called for this reader of its listing."""
    # What its owner called it may say whose it is.
    known = service.knows_owner(context, listing)
    return file.name if known else f"attachment-{file.id}{ENDINGS[file.media_type]}"


def get_visible(session: Session, context: Context, attachment_id: int) -> tuple[Attachment, str]:
    """A file that this person may download, and under which name; raises NotFound for any other, there or not.

    The files of an anonymous listing have names of ours for whoever may not know its owner.
    """
    absent = NotFound(
        Sentence(N_("There is no file number %(number)s here. Its listing may have ended."), number=attachment_id)
    )
    found = session.get(Attachment, attachment_id)
    if found is None:
        raise absent
    try:
        if found.listing_id is None:
            drafting.get_draft(session, context, found.draft_id or 0)
            return found, found.name
        listing = service.get_visible(session, context, found.listing_id)
    except NotFound:
        raise absent from None
    return found, name_for(context, found, listing)


def sweep(session: Session, data_dir: Path, now: datetime) -> int:
    """Delete what no row names any more; returns how many files went. What was written within a day is left alone: its
    row may be on its way.
    """
    return sweep_folder(data_dir, FOLDER, set(session.scalars(select(Attachment.digest))), now)


def sweep_folder(data_dir: Path, folder: str, kept: Collection[str], now: datetime) -> int:
    """Delete the files of a folder that are not to be kept, but for the newest; returns how many."""
    gone = 0
    for path in (data_dir / folder).glob("??/*"):
        if path.name not in kept and path.stat().st_mtime < (now - REST).timestamp():
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def forget(session: Session, listing_id: int) -> int:
    """Take all files away from a listing that goes; returns how many."""
    count = session.scalar(select(func.count(Attachment.id)).where(Attachment.listing_id == listing_id)) or 0
    session.execute(delete(Attachment).where(Attachment.listing_id == listing_id))
    return count
