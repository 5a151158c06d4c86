"""Letters on papers: Chinese, Japanese and Korean are printed by our own fonts; what cannot be printed is said."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import update

from techex.brokering import agreement_paper, deals, paper_fonts
from techex.brokering.pipeline import Verb
from techex.core.context import Context
from techex.errors import BadInput, FieldErrors
from techex.organisations.tables import Organisation
from techex.web import identity
from tests.cast import sign_in

from .stage import Pair, actor_of
from .test_deals import agreed
from .test_disclosing import PARTIES
from .test_papers import TERMS

FIRM = "대한염색 주식회사"


def test_chinese_japanese_and_korean_are_printed_and_what_is_not_is_named() -> None:
    for text in (
        "Nước thải 60 °C ≥ 5 m³, α β, Ёж, “×” ✓",
        "한국생산기술연구원",
        "フィルム株式会社",
        "印染技术研究所",
        "臺灣工業技術",
    ):
        assert paper_fonts.unprintable(text) == "", text
    assert paper_fonts.unprintable("ไทย Ա 漢字 𠮷") == "ไทยԱ𠮷"
    assert paper_fonts.shown("ไ" * 12) == "ไ " * 9 + "ไ …"


def test_the_fonts_that_come_along_stay_small_and_are_those_that_papers_ask_for() -> None:
    assert sum(file.stat().st_size for file in paper_fonts.FOLDER.glob("*.otf")) < 2_800_000
    assert "SIL OPEN FONT LICENSE" in (paper_fonts.FOLDER / "LICENSE").read_text("utf-8")
    assert set(paper_fonts.FAMILIES) <= set(paper_fonts._fonts(False).families())


def test_an_agreement_names_people_of_three_scripts_with_the_same_bytes_each_time() -> None:
    people = {"person_a": "김지우", "capacity_a": "연구소장", "person_b": "王小明", "capacity_b": "代表取締役 ヤマダ"}
    terms = agreement_paper.checked(TERMS | people)
    parties = replace(PARTIES, first={"vi": FIRM, "en": "Korea Dyeing"})
    one, other = (agreement_paper.paper(parties, terms).content for _ in range(2))
    assert one == other
    reader = PdfReader(BytesIO(one))
    said = "".join("".join(page.extract_text() for page in reader.pages).split())
    for name in (FIRM, *people.values()):
        assert "".join(name.split()) in said, name
    fonts = {str(font.get_object()["/BaseFont"]) for font in reader.pages[0]["/Resources"]["/Font"].values()}  # type: ignore[index]
    assert {"PapersHan", "PapersHangul"} <= {name.rpartition("+")[2].partition("-")[0] for name in fonts}


def test_letters_that_cannot_be_printed_are_refused_by_name_and_never_become_boxes() -> None:
    with pytest.raises(FieldErrors) as refused:
        agreement_paper.checked(TERMS | {"person_a": "สมชาย Lê"})
    assert refused.value.fields == {
        "person_a": "has letters that the paper cannot print: ส ม ช า ย. Write it in other letters."
    }
    with pytest.raises(BadInput, match="cannot print these letters of a name or the title: ไ ท ย"):
        agreement_paper.paper(replace(PARTIES, matter="ไทย"), agreement_paper.checked(TERMS))


def test_the_page_of_the_agreement_says_it_before_anybody_fills_in_the_form(
    demo_app: Flask, pair: Pair, context: Context
) -> None:
    with demo_app.app_context(), identity.database().transaction() as session:
        deal = agreed(session, context, pair).id
        deals.take(session, Context(actor_of(session, "operator"), context.now), deal, Verb.INTRODUCE)
    officer, address = sign_in(demo_app, "officer"), f"/deals/{deal}/agreement"
    assert "cannot print" not in officer.get(address).text
    for name, status in ((FIRM, 303), ("บริษัทย้อม", 422)):
        with demo_app.app_context(), identity.database().transaction() as session:
            row = update(Organisation).where(Organisation.id == pair.firm)
            session.execute(row.values(name=name, names={}))
        assert officer.post(f"{address}/template", data=TERMS).status_code == status
    page = officer.get(address).text
    assert "A name or the title has letters that the template cannot print: บ ร ษ ท ย อ ม." in page
