from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from techex import paths
from techex.app import create_app
from techex.errors import Environment
from techex.settings import Settings
from techex.web import security
from tests.cast import Browser

HEADERS = ("Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/site.css", "/language/vi", "/healthz"])
def test_every_reply_carries_the_headers(visitor: FlaskClient, path: str) -> None:
    reply = visitor.get(path, buffered=True)
    assert [name for name in HEADERS if name not in reply.headers] == []
    policy = reply.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy


@pytest.mark.parametrize("secure", [True, False])
def test_where_https_is_browsers_are_told_to_stay_with_it(settings: Settings, secure: bool) -> None:
    app = create_app(settings.model_copy(update={"cookie_secure": secure}), testing=True)
    told = app.test_client().get("/nowhere").headers.get("Strict-Transport-Security", "")
    assert ("max-age=31536000" in told) is secure
    app.extensions["techex.database"].close()


def test_templates_hold_no_script_or_style_of_their_own() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son(?!e=)[a-z]+=|hx-on|javascript:", re.IGNORECASE)
    found = [
        f"{path.relative_to(paths.templates_dir())}: {hit.group()}"
        for path in sorted(paths.templates_dir().rglob("*.html"))
        for hit in inline.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_assets_name_no_other_site() -> None:
    outside = [
        f"{path.name}: {hit}"
        for path in sorted(paths.static_dir().rglob("*.css"))
        for hit in re.findall(r"url\([\"']?(https?:[^)]*)", path.read_text(encoding="utf-8"))
    ]
    assert outside == []


def test_the_signing_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new", secret_key="")
    key = security.signing_key(settings)
    assert len(key) >= 40
    assert security.signing_key(settings) == key
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(Environment, match="TECHEX_DATA_DIR"):
        security.signing_key(Settings(data_dir=tmp_path / "file" / "in", secret_key=""))


@pytest.mark.parametrize(
    ("address", "followed"),
    [
        ("/needs?page=2", "/needs?page=2"),
        ("/nhu-cầu", "/nhu-cầu"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("//[", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https:evil.example", "/"),
        (" /needs", "/"),
        ("/\tevil", "/"),
        (None, "/"),
    ],
)
def test_only_paths_of_this_site_are_followed(address: str | None, followed: str) -> None:
    assert security.local_path(address) == followed


@pytest.mark.parametrize(
    ("host", "status"),
    [("exchange.example", 200), ("127.0.0.1:8000", 200), ("evil.example", 400), ("exchange.example.evil.example", 400)],
)
def test_an_exchange_that_knows_its_name_answers_to_no_other(settings: Settings, host: str, status: int) -> None:
    app = create_app(settings.model_copy(update={"base_url": "https://exchange.example"}), testing=True)
    reply = app.test_client().get("/needs", headers={"Host": host})
    assert reply.status_code == status
    assert "evil" not in reply.text
    app.extensions["techex.database"].close()


@pytest.mark.parametrize("more", ["", '; filename="a.pdf"'])
@pytest.mark.parametrize("path", ["/account/email", "/sign-in", "/matches"])
def test_a_form_with_a_part_that_has_no_name_is_refused(client: Browser, path: str, more: str) -> None:
    parts = ('form-data; name="csrf_token"', client.csrf_token()), (f"form-data{more}", "what?")
    body = "".join(f"--b\r\nContent-Disposition: {head}\r\n\r\n{text}\r\n" for head, text in parts) + "--b--\r\n"
    reply = FlaskClient.post(client, path, data=body.encode(), content_type="multipart/form-data; boundary=b")
    assert reply.status_code == 400
