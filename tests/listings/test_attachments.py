"""Files: told by their content, freed of metadata, refused with a sentence, kept under their digest."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from techex.errors import BadInput
from techex.listings import attachments
from techex.listings.attachments import cleaned, keep, path_of, safe_name


def a_pdf(*, author: str = "Nguyễn Thị Lan", script: bool = False, password: str = "") -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Author"] = author
    with document.open_metadata() as metadata:
        metadata["dc:creator"] = [author]
    if script:
        document.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
    out = BytesIO()
    locked = pikepdf.Encryption(owner=password, user=password) if password else False
    document.save(out, encryption=locked)
    return out.getvalue()


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    image = Image.new(mode, size, 0)
    exif = image.getexif()
    exif[0x013B] = "Nguyen Thi Lan"  # artist
    exif[0x0112] = 6  # lies on its side
    out = BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def test_a_pdf_loses_its_author_and_its_scripts() -> None:
    file = cleaned(a_pdf(script=True))
    assert file.media_type == "application/pdf"
    assert b"Lan" not in file.content
    with pikepdf.open(BytesIO(file.content)) as document:
        assert "/Info" not in document.trailer or "/Author" not in document.trailer.Info
        assert not {"/Metadata", "/OpenAction"} & set(document.Root.keys())


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("JPEG", "CMYK"), ("PNG", "RGBA")])
def test_a_picture_loses_its_metadata_and_stands_upright(kind: str, mode: str) -> None:
    file = cleaned(a_picture(kind, mode=mode))
    assert b"Lan" not in file.content
    with Image.open(BytesIO(file.content)) as image:
        assert image.size == (20, 40)
        assert not image.getexif()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not what can be shown"),
        (b"<html><script>alert(1)</script>", "not what can be shown"),
        (b"PK\x03\x04" + b"\0" * 200, "not what can be shown"),
        (b"GIF89a" + b"\0" * 200, "not what can be shown"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200, "damaged"),
        (b"%PDF-1.7\nnothing of a document", "damaged"),
        (b"\xff\xd8\xff\xe0" + b"\0" * 100, "damaged"),
        (b"%PDF" + b" " * 5_000_000, "at most 5 MB"),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        cleaned(content)


def test_a_locked_pdf_is_refused() -> None:
    with pytest.raises(BadInput, match="locked"):
        cleaned(a_pdf(password="x"))


def test_a_picture_of_very_many_pixels_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadInput, match="megapixels"):
        cleaned(a_picture("PNG", (8_000, 6_000), "1"))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Sơ đồ công nghệ.PDF", "Sơ đồ công nghệ.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\tài liệu\\a.php.jpg", "a.php.pdf"),
        (".htaccess", "attachment.pdf"),
        ("CON", "attachment.pdf"),
        ('a"b\n;c‮.pdf', "a b c.pdf"),
        ("", "attachment.pdf"),
        ("x" * 300, "x" * 116 + ".pdf"),
    ],
)
def test_a_name_becomes_one_that_every_system_takes(name: str, safe: str) -> None:
    assert safe_name(name, "application/pdf") == safe


def test_content_is_kept_once_under_its_digest(tmp_path: Path) -> None:
    file = cleaned(a_picture())
    assert keep(tmp_path, file) == keep(tmp_path, file) == file.digest
    assert path_of(tmp_path, file.digest).read_bytes() == file.content
    assert [path.name for path in (tmp_path / attachments.FOLDER).glob("*/*")] == [file.digest]
