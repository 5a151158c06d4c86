"""Papers, the agreement and messages inside a deal, over their pages: who sees what when, and what stands of it in the
ledger. One story per test, each told by the cast."""

from __future__ import annotations

import hashlib
import json
import re
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from click.testing import CliRunner
from flask import Flask
from PIL import Image
from sqlalchemy import delete, select, update

from techex.brokering import agreement_paper, deals, papers
from techex.brokering.deal_tables import Deal, DealStep
from techex.brokering.paper_tables import DealPaper, DealPaperVersion
from techex.cli import techex
from techex.core.context import Context
from techex.core.mail import Letter
from techex.listings import attachments
from techex.web import identity
from tests.cast import CAST, Browser, sign_in

from .stage import Pair
from .test_deals import agreed
from .test_disclosing import PARTIES

TERMS = {
    "languages": "both", "years": "5", "law": "VN", "place": "Hưng Yên", "person_a": "Lê Minh Châu",
    "capacity_a": "Phó hiệu trưởng", "person_b": "Nguyễn Thị Lan", "capacity_b": "Giám đốc kỹ thuật",
}  # fmt: skip
SIGNERS = {"officer": ("Lê Minh Châu", "Phó hiệu trưởng"), "engineer": ("Nguyễn Thị Lan", "Giám đốc kỹ thuật")}
SECRET = "Canary: enzyme Zyphora at Thái Bình"  # noqa: S105 - a canary
TITLE = "Công thức Zyphora"


def pdf(text: str = "") -> bytes:
    """A small PDF of its own."""
    with pikepdf.new() as document:
        page = document.add_blank_page()
        page.Contents = document.make_stream(text.encode() or b"q Q")
        written = BytesIO()
        document.save(written, deterministic_id=True)
    return written.getvalue()


@pytest.fixture
def deal(demo_app: Flask, pair: Pair, context: Context) -> int:
    with demo_app.app_context(), identity.database().transaction() as session:
        return agreed(session, context, pair).id


@pytest.fixture
def introduced(demo_app: Flask, deal: int) -> int:
    operator = sign_in(demo_app, "operator")
    assert operator.post(f"/deals/{deal}/introduce", data={"revision": 1}).status_code == 303
    return deal


def _add(browser: Browser, deal: int, rung: str, content: bytes = b"", **said: str) -> Any:
    file = (BytesIO(content or pdf()), "Zyphora recipe.pdf")
    return browser.post(f"/deals/{deal}/papers", data={"file": file, "title": TITLE, "rung": rung} | said)


def _text(browser: Browser, path: str) -> str:
    reply = browser.get(path)
    assert reply.status_code == 200, path
    return str(reply.get_data(as_text=True))


def _propose(browser: Browser, deal: int, **changed: str) -> str:
    """Propose by template; returns the digest."""
    assert browser.post(f"/deals/{deal}/agreement/template", data=TERMS | changed).status_code == 303
    return _digest(browser, deal)


def _digest(browser: Browser, deal: int) -> str:
    found = re.search(r'class="digest">([0-9a-f]{64})', _text(browser, f"/deals/{deal}/agreement"))
    assert found
    return found[1]


def _download_of(browser: Browser, deal: int) -> str:
    found = re.search(rf'href="(/deals/{deal}/papers/\d+/\d+)"', _text(browser, f"/deals/{deal}/agreement"))
    assert found
    return found[1]


def _accept(browser: Browser, name: str, deal: int, digest: str) -> Any:
    signer, capacity = SIGNERS[name]
    said = {"sha256": digest, "name": signer, "capacity": capacity}
    looked = browser.post(f"/deals/{deal}/agreement/accept", data=said)
    if looked.status_code != 200:
        return looked
    page = looked.get_data(as_text=True)
    assert digest in page
    assert signer in page
    return browser.post(f"/deals/{deal}/agreement/accept", data=said | {"sure": "yes"})


def _agree(app: Flask, deal: int) -> tuple[Browser, Browser]:
    """Both sides read and accept an agreement; returns the officer's and the engineer's browsers."""
    officer, engineer = sign_in(app, "officer"), sign_in(app, "engineer")
    digest = _propose(officer, deal)
    for name, browser in (("officer", officer), ("engineer", engineer)):
        assert browser.get(_download_of(browser, deal)).status_code == 200
        assert _accept(browser, name, deal, digest).status_code == 303
    return officer, engineer


def _ledger(app: Flask, deal: int) -> list[tuple[str, int | None, dict[str, Any]]]:
    with app.app_context(), identity.database().reading() as session:
        found = session.get_one(Deal, deal)
        assert deals.broken_at(found) is None
        return [(step.verb, step.organisation_id, step.detail) for step in found.ledger]


def test_papers_are_seen_rung_by_rung(demo_app: Flask, introduced: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    for number, rung in enumerate(("teaser", "non_confidential", "under_nda", "documents")):
        assert _add(officer, introduced, rung, pdf(f"% {number}"), title=f"Zyphora {rung}").status_code == 303

    def seen(browser: Browser) -> list[int]:
        page = _text(browser, f"/deals/{introduced}/papers")
        shown = [int(number) for number in re.findall(r'id="paper-(\d)"', page)]
        statuses = [browser.get(f"/deals/{introduced}/papers/{number}/1").status_code for number in (1, 2, 3, 4)]
        assert shown == [number for number, status in zip((1, 2, 3, 4), statuses, strict=True) if status == 200]
        for number, rung in enumerate(("teaser", "non_confidential", "under_nda", "documents"), 1):
            assert (f"Zyphora {rung}" in page) is (number in shown)
        return shown

    assert seen(officer) == [1, 2, 3, 4]
    assert seen(engineer) == seen(operator) == [1, 2]
    assert "1 paper of the other side waits here" in _text(engineer, f"/deals/{introduced}")
    _agree(demo_app, introduced)
    assert seen(engineer) == seen(operator) == [1, 2, 3]
    assert engineer.post(f"/deals/{introduced}/papers/open").status_code == 303
    assert seen(engineer) == [1, 2, 3], "each side opens its own"
    assert officer.post(f"/deals/{introduced}/papers/open").status_code == 303
    assert seen(engineer) == seen(operator) == [1, 2, 3, 4]
    assert engineer.post(f"/deals/{introduced}/lose", data={"revision": 0}).status_code == 409
    page = _text(engineer, f"/deals/{introduced}")
    revision = re.search(r'name="revision" value="(\d+)"', page)
    assert revision
    lost = {"revision": revision[1], "reason": "out_of_scope"}
    assert engineer.post(f"/deals/{introduced}/lose", data=lost).status_code == 303
    assert seen(engineer) == [1, 2], "what was secret is shut again"
    assert _add(officer, introduced, "teaser").status_code == 409


def test_before_the_introduction_a_file_has_a_name_of_ours(demo_app: Flask, deal: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    assert _add(officer, deal, "teaser", title="A paper without names").status_code == 303
    page = _text(engineer, f"/deals/{deal}/papers")
    assert "Zyphora" not in page
    assert "Phương Nam" not in page
    assert "paper-1.pdf" in engineer.get(f"/deals/{deal}/papers/1/1").headers["Content-Disposition"]
    assert "Zyphora" in officer.get(f"/deals/{deal}/papers/1/1").headers["Content-Disposition"]
    refused = officer.post(f"/deals/{deal}/agreement/template", data=TERMS)
    assert refused.status_code == 409, "an agreement names both: it comes after the introduction"


def test_the_agreement_comes_into_force_with_the_second_acceptance_and_the_deal_goes_on_under_it(
    demo_app: Flask, introduced: int
) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    digest = _propose(officer, introduced)
    assert _accept(engineer, "engineer", introduced, digest).status_code == 409, "not read yet"
    file = engineer.get(_download_of(engineer, introduced))
    assert hashlib.sha256(file.data).hexdigest() == digest
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert _accept(engineer, "engineer", introduced, "0" * 64).status_code == 409, "another text"
    refused = engineer.post(f"/deals/{introduced}/agreement/accept", data={"sha256": digest, "name": "L"})
    assert refused.status_code == 422
    assert "has 1 characters; expected 2 to 100." in refused.get_data(as_text=True)
    assert _accept(engineer, "engineer", introduced, digest).status_code == 303
    assert "accepted by 1 of 2" in _text(officer, f"/deals/{introduced}")
    assert _accept(engineer, "engineer", introduced, digest).status_code == 409, "once is enough"
    officer.get(_download_of(officer, introduced))
    assert _accept(officer, "officer", introduced, digest).status_code == 303
    page = _text(engineer, f"/deals/{introduced}")
    assert "In force" in page
    assert "Nguyễn Thị Lan, Giám đốc kỹ thuật" in page
    assert re.search(r'aria-current="step">Under confidentiality', page)
    accepted = [detail for verb, _, detail in _ledger(demo_app, introduced) if verb == "accept_nda"]
    assert [line["sha256"] for line in accepted] == [digest, digest]
    assert [line["name"] for line in accepted] == ["Nguyễn Thị Lan", "Lê Minh Châu"]
    again = officer.post(f"/deals/{introduced}/agreement/template", data=TERMS | {"years": "9"})
    assert again.status_code == 409, "what both have accepted stands"
    assert officer.post(f"/deals/{introduced}/agreement/take-back").status_code == 409


def test_a_changed_agreement_makes_the_first_acceptance_void(demo_app: Flask, introduced: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    first = _propose(officer, introduced)
    officer.get(_download_of(officer, introduced))
    assert _accept(officer, "officer", introduced, first).status_code == 303
    file = (BytesIO(pdf("% another text")), "NDA.pdf")
    assert engineer.post(f"/deals/{introduced}/agreement/upload", data={"file": file}).status_code == 303
    second = _digest(engineer, introduced)
    assert second != first
    engineer.get(_download_of(engineer, introduced))
    assert _accept(engineer, "engineer", introduced, first).status_code == 409
    assert _accept(engineer, "engineer", introduced, second).status_code == 303
    assert "accepted by 1 of 2" in _text(officer, f"/deals/{introduced}"), "the officer accepted another text"
    assert officer.post(f"/deals/{introduced}/agreement/take-back").status_code == 403, "it is the other side's"
    officer.get(_download_of(officer, introduced))
    assert _accept(officer, "officer", introduced, second).status_code == 303
    assert "In force" in _text(officer, f"/deals/{introduced}")


def test_an_agreement_is_a_pdf_and_nothing_else(demo_app: Flask, introduced: int) -> None:
    picture = BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    picture.seek(0)
    reply = sign_in(demo_app, "officer").post(
        f"/deals/{introduced}/agreement/upload", data={"file": (picture, "nda.pdf")}
    )
    assert reply.status_code == 422
    assert "An agreement is a PDF." in reply.get_data(as_text=True)


def test_every_download_and_every_reading_stands_in_the_ledger(demo_app: Flask, introduced: int, pair: Pair) -> None:
    officer, engineer, viewer = (sign_in(demo_app, name) for name in ("officer", "engineer", "viewer"))
    _add(officer, introduced, "non_confidential")
    officer.post(f"/deals/{introduced}/messages", data={"text": SECRET})
    assert engineer.head(f"/deals/{introduced}/papers/1/1").status_code == 200, "nothing is handed out"
    assert engineer.get(f"/deals/{introduced}/papers/1/1").status_code == 200
    assert viewer.get(f"/deals/{introduced}/papers/1/1").status_code == 200
    for _ in range(2):
        assert SECRET in _text(engineer, f"/deals/{introduced}")
    lines = _ledger(demo_app, introduced)
    looked = [(side, detail["sha256"]) for verb, side, detail in lines if verb == "look_at_paper"]
    assert [side for side, _ in looked] == [pair.firm, pair.firm]
    assert len({digest for _, digest in looked}) == 1
    assert len({detail["person"] for verb, _, detail in lines if verb == "look_at_paper"}) == 2
    read = [len(detail["messages"]) for verb, _, detail in lines if verb == "read_messages"]
    assert read == [1], "once, not each time"
    page = _text(officer, f"/deals/{introduced}/papers")
    assert "Downloaded 2 times" in page
    assert CAST["viewer"].called in page
    with demo_app.app_context(), identity.database().transaction() as session:
        looks = update(DealStep).where(DealStep.verb == "look_at_paper")
        session.execute(looks.values(detail={"paper": 1, "version": 1}))
    assert "has been changed" in _text(officer, f"/deals/{introduced}")


def test_a_secret_message_waits_for_the_agreement(demo_app: Flask, introduced: int) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    path = f"/deals/{introduced}/messages"
    assert officer.post(path, data={"text": SECRET, "rung": "under_nda"}).status_code == 303
    assert officer.post(path, data={"text": SECRET, "rung": "documents"}).status_code == 422
    page = _text(engineer, f"/deals/{introduced}")
    assert SECRET not in page
    assert "1 message of the other side waits" in page
    assert SECRET in _text(officer, f"/deals/{introduced}")
    assert SECRET not in _text(engineer, "/deals/search?q=zyphora")
    _agree(demo_app, introduced)
    assert SECRET in _text(engineer, f"/deals/{introduced}")


def test_messages_and_papers_are_found_with_and_without_accents(demo_app: Flask, introduced: int) -> None:
    officer, engineer, rival = (sign_in(demo_app, name) for name in ("officer", "engineer", "rival"))
    officer.post(f"/deals/{introduced}/messages", data={"text": SECRET})
    _add(officer, introduced, "non_confidential")
    for words, said, named in (
        ("thai+binh", True, False), ("Thái+Bình", True, False), ("thái+bính", False, False),
        ("cong+thuc", False, True), ("công", False, True), ("zyphora", True, True), ("nothing", False, False),
    ):  # fmt: skip
        over_all, inside = (_text(engineer, f"/deals/{page}?q={words}") for page in ("search", introduced))
        assert (SECRET in over_all, TITLE in over_all) == (said, named), words
        assert (SECRET in inside, TITLE in inside) == (said, named), words
        assert "Zyphora" not in _text(rival, f"/deals/search?q={words}")


def test_a_paper_is_found_by_what_it_says_and_is_kept_from_those_it_is_not_open_to(
    demo_app: Flask, introduced: int
) -> None:
    officer, engineer = sign_in(demo_app, "officer"), sign_in(demo_app, "engineer")
    _propose(officer, introduced, languages="vi")
    for words, found in (("giu+bi+mat", True), ("giữ+bí+mật", True), ("giủ+bí+mật", False), ("phuong+nam", True)):
        assert ("Agreement on confidentiality" in _text(engineer, f"/deals/search?q={words}")) is found, words
    made = agreement_paper.paper(PARTIES, agreement_paper.checked(TERMS))
    _add(officer, introduced, "under_nda", made.content, title="Closed")
    assert "Closed" in _text(officer, "/deals/search?q=dyeing")
    assert "Closed" not in _text(engineer, "/deals/search?q=dyeing")


def test_versions_moves_and_withdrawal_are_the_owners(demo_app: Flask, introduced: int) -> None:
    officer, engineer, operator = (sign_in(demo_app, name) for name in ("officer", "engineer", "operator"))
    _add(officer, introduced, "non_confidential", pdf("% one"))
    path = f"/deals/{introduced}/papers/1"

    def version(browser: Browser, text: str) -> int:
        data = {"file": (BytesIO(pdf(text)), "two.pdf")}
        return int(browser.post(f"{path}/versions", data=data).status_code)

    assert version(engineer, "% two") == version(operator, "% two") == 403
    assert version(officer, "% one") == 409, "the same content is no new version"
    assert version(officer, "% two") == 303
    one, two = (engineer.get(f"{path}/{number}").data for number in (1, 2))
    assert one != two
    assert engineer.post(f"{path}/rung", data={"rung": "teaser"}).status_code == 403
    assert officer.post(f"{path}/rung", data={"rung": "attic"}).status_code == 422
    assert officer.post(f"{path}/rung", data={"rung": "under_nda"}).status_code == 303
    assert engineer.get(f"{path}/1").status_code == 404
    assert officer.post(f"{path}/rung", data={"rung": "non_confidential"}).status_code == 303
    assert engineer.post(f"{path}/withdraw").status_code == 403
    assert officer.post(f"{path}/withdraw").status_code == 303
    assert engineer.get(f"{path}/2").status_code == officer.get(f"{path}/2").status_code == 404
    assert "withdrawn" in _text(engineer, f"/deals/{introduced}/papers")
    with demo_app.app_context(), identity.database().reading() as session:
        data_dir = demo_app.extensions["techex.settings"].data_dir
        later = session.get_one(Deal, introduced).opened_at.replace(year=2100)
        kept = [attachments.path_of(data_dir, digest, papers.FOLDER) for digest in _digests(session)]
        assert all(path.is_file() for path in kept)
        assert papers.sweep(session, data_dir, later) == 2
        assert not any(path.exists() for path in kept)


def _digests(session: Any) -> list[str]:
    return list(session.scalars(select(DealPaperVersion.digest).order_by(DealPaperVersion.id)))


def test_only_those_who_act_in_a_deal_hand_over_papers(demo_app: Flask, introduced: int) -> None:
    for name in ("viewer", "rival", "other_operator", "stranger", "administrator"):
        browser, status = sign_in(demo_app, name), 403 if name == "viewer" else 404
        assert _add(browser, introduced, "teaser").status_code == status
        assert browser.post(f"/deals/{introduced}/agreement/template", data=TERMS).status_code == status
        assert browser.post(f"/deals/{introduced}/papers/open").status_code == status
        said = {"sha256": "0" * 64, "name": "Hà", "capacity": "x1"}
        assert browser.post(f"/deals/{introduced}/agreement/accept", data=said).status_code == status
    with demo_app.app_context(), identity.database().reading() as session:
        assert session.scalar(select(DealPaper)) is None


def test_to_everybody_else_a_deal_with_papers_is_like_one_that_is_not_there(demo_app: Flask, introduced: int) -> None:
    officer, _ = _agree(demo_app, introduced)
    _add(officer, introduced, "teaser")
    officer.post(f"/deals/{introduced}/messages", data={"text": SECRET})
    for name in ("rival", "stranger", "unverified", "other_operator", "unarmed_operator", "administrator"):
        browser = sign_in(demo_app, name)
        for path in ("", "/papers", "/papers/1/1", "/papers/2/1", "/agreement"):
            hidden, absent = (browser.get(f"/deals/{number}{path}") for number in (introduced, 99999))
            assert hidden.status_code == absent.status_code == 404, f"{name} {path}"
            varying = r'(number |deals(?:/|%2F))\d+|(name="csrf_token" value=")[^"]*'
            pages = [re.sub(varying, r"\1\2N", reply.get_data(as_text=True)) for reply in (hidden, absent)]
            assert pages[0] == pages[1]
        assert "Zyphora" not in _text(browser, "/deals/search?q=zyphora") + _text(browser, "/deals")


def test_letters_hold_a_number_and_a_link_and_nothing_that_was_said_or_shown(demo_app: Flask, introduced: int) -> None:
    officer, _engineer = _agree(demo_app, introduced)
    _add(officer, introduced, "under_nda", note=SECRET)
    officer.post(f"/deals/{introduced}/papers/open")
    for rung in ("non_confidential", "under_nda"):
        officer.post(f"/deals/{introduced}/messages", data={"text": SECRET, "rung": rung})
    with demo_app.app_context(), identity.database().reading() as session:
        letters = list(session.scalars(select(Letter).where(Letter.key.startswith(f"deal-{introduced}-"))))
    to_firm = [letter for letter in letters if letter.recipient == CAST["engineer"].email]
    assert {"nda" in letter.key for letter in to_firm} == {True, False}
    assert len([letter for letter in to_firm if "-news-" in letter.key]) == 1, "once a day, however much is said"
    assert not [letter for letter in letters if letter.recipient == CAST["viewer"].email]
    told = ("Zyphora", "Canary", "Phương Nam", "Sông Hồng", "Châu", "Lan", "Dye bath", "recipe", ".pdf", "Hưng Yên")
    for letter in letters:
        assert f"/deals/{introduced}" in letter.text
        for word in told:
            assert word not in letter.subject + letter.text
        assert not re.search(r"[0-9a-f]{12}", letter.subject + letter.text), "no digest either"


def test_the_command_names_what_does_not_hold(
    demo_app: Flask, introduced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer, _ = _agree(demo_app, introduced)
    _add(officer, introduced, "under_nda")
    data_dir = demo_app.extensions["techex.settings"].data_dir
    monkeypatch.setenv("TECHEX_DATA_DIR", str(data_dir))

    def walked() -> tuple[int, dict[str, Any]]:
        done = CliRunner().invoke(techex, ["audit", "deals", "--deal", str(introduced), "--json"])
        return done.exit_code, json.loads(done.output.splitlines()[-1])

    status, found = walked()
    assert (status, found["whole"], found["papers"]) == (0, True, 2)
    with demo_app.app_context(), identity.database().transaction() as session:
        path = attachments.path_of(data_dir, _digests(session)[0], papers.FOLDER)
        last = session.get_one(Deal, introduced).ledger[-1].id
        was = path.read_bytes()
        path.write_bytes(was + b" ")
    status, found = walked()
    assert (status, found["flaws"][0]["reason"]) == (1, "the content of paper 1, version 1 was changed on the disk")
    path.write_bytes(was)
    with demo_app.app_context(), identity.database().transaction() as session:
        session.execute(delete(DealStep).where(DealStep.id == last))
    status, found = walked()
    assert status == 1
    assert "the audit log knows other lines of it" in found["flaws"][0]["reason"]
    done = CliRunner().invoke(techex, ["audit", "deals"])
    assert done.exit_code == 1
    assert f"Deal {introduced}, the audit log knows other lines" in done.output
