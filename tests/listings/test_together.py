"""Several people at one draft: nobody overwrites what they have not seen, and nothing that was typed is lost."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from techex.core.context import COMMAND_LINE, Context
from techex.listings.posting_tables import SavedDraft
from techex.listings.together import Typed, asides, flat, joined, shown
from tests.cast import Browser
from tests.conftest import NOW
from tests.listings.test_posting_views import SUMMARY, TITLE, SignedIn, _begin, _draft_id, _stored

FORM = re.compile(r'<input type="hidden" name="(page|seen)" value="([^"]*)"')
THEIRS, OURS = TITLE + ", của chị Lan", TITLE + ", của anh Huy"


def opened(browser: Browser, address: str) -> dict[str, str]:
    """What a form carries that was opened now."""
    return dict(FORM.findall(browser.get(address).text))


def typed(browser: Browser, address: str, page: dict[str, str], **values: Any) -> Any:
    return browser.post(
        address, data={"language": "vi", "title": TITLE, "summary": SUMMARY, "go": "save"} | page | values
    )


def two_at_work(signed_in: SignedIn) -> tuple[Browser, Browser, str]:
    lan, huy = signed_in("engineer"), signed_in("editor")
    address = _begin(lan)
    typed(lan, address, opened(lan, address))
    return lan, huy, address


def test_the_later_of_two_is_told_and_sees_both_texts_and_either_may_be_chosen(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    lan, huy, address = two_at_work(signed_in)
    first, second = opened(lan, address), opened(huy, address)
    assert typed(lan, address, first, title=THEIRS).status_code == 303
    reply = typed(huy, address, second, title=OURS, go="next")
    assert reply.status_code == 409
    page = html.unescape(reply.text)
    assert "Somebody else wrote here at the same time" in page
    assert f'value="{THEIRS}"' in page
    assert OURS in page
    assert "The text of Phạm Quốc Huy" in page
    draft = _draft_id(address)
    assert "written" not in html.unescape(lan.get(f"/drafts/{draft}/problem").text).partition("<form")[2][:200]
    refused = lan.post(f"/drafts/{draft}/submit")
    assert refused.status_code == 422
    assert "Two people wrote this at the same time" in refused.text
    page = lan.get(address).text  # whoever comes next may choose
    chosen = re.findall(r'name="choose.title" value="([^"]+)"', page)
    assert typed(lan, address, dict(FORM.findall(page)), title=THEIRS, **{"choose.title": chosen[1]}).status_code == 303
    (stored,) = _stored(demo_app, SavedDraft)
    assert (stored.values["title"], stored.asides) == (OURS, {})


def test_who_changed_other_fields_disturbs_nobody(demo_app: Flask, signed_in: SignedIn) -> None:
    lan, huy, address = two_at_work(signed_in)
    first, second = opened(lan, address), opened(huy, address)
    assert typed(lan, address, first, title=THEIRS).status_code == 303
    assert typed(huy, address, second, summary=SUMMARY + " Gấp.").status_code == 303
    (stored,) = _stored(demo_app, SavedDraft)
    assert (stored.values["title"], stored.values["summary"]) == (THEIRS, SUMMARY + " Gấp.")
    place = f"/drafts/{_draft_id(address)}/place"
    assert huy.post(place, data=second | {"place": "VN-01", "go": "save"}).status_code == 303


def test_the_stored_text_may_stay_or_be_put_together_from_both(demo_app: Flask, signed_in: SignedIn) -> None:
    lan, huy, address = two_at_work(signed_in)
    first, second = opened(lan, address), opened(huy, address)
    typed(lan, address, first, title=THEIRS)
    page = dict(FORM.findall(typed(huy, address, second, title=OURS).text))
    both = TITLE + ", của cả hai"
    assert typed(huy, address, page, title=both, **{"choose.title": "stored"}).status_code == 303
    (stored,) = _stored(demo_app, SavedDraft)
    assert (stored.values["title"], stored.asides) == (both, {})


def test_a_form_that_saves_itself_never_disturbs_its_own_writer_and_tells_of_others(
    demo_app: Flask, signed_in: SignedIn
) -> None:
    lan, huy, address = two_at_work(signed_in)
    first, second = opened(lan, address), opened(huy, address)
    for more in ("a", "ab", "abc"):  # answers that come too late for the next one
        assert typed(lan, address, first, title=TITLE + more, go="").status_code == 200
    assert typed(lan, address, first, title=TITLE + "abcd").status_code == 303
    reply = typed(huy, address, second, title=OURS, go="")
    assert reply.status_code == 200
    coach = html.unescape(reply.text).partition('id="coach"')[2]
    assert "Both texts are kept" in coach
    # His form still holds his text: what it says it has seen is still what it had seen.
    carried = second | dict(FORM.findall(coach))
    again = typed(huy, address, carried, title=OURS + "!", go="")
    assert "Both texts are kept" in html.unescape(again.text)
    (stored,) = _stored(demo_app, SavedDraft)
    assert stored.values["title"] == TITLE + "abcd"
    assert [one["value"] for one in stored.asides["title"]] == [OURS + "!"]


def test_texts_in_further_languages_are_minded_field_by_field(demo_app: Flask, signed_in: SignedIn) -> None:
    lan, huy, address = two_at_work(signed_in)
    english = f"/drafts/{_draft_id(address)}/language/en"
    first, second = opened(lan, english), opened(huy, english)
    text = {
        "origin": "author",
        "title": "Removing colour from waste water",
        "summary": "Sixty words. " * 9,
        "go": "done",
    }
    assert lan.post(english, data=first | text).status_code == 303
    reply = huy.post(english, data=second | text | {"title": "Taking the colour out of waste water"})
    assert reply.status_code == 409
    assert "Taking the colour out" in reply.text
    assert "Removing colour" in reply.text
    assert "written twice: choose" in lan.get(f"/drafts/{_draft_id(address)}/readers").text


NAMES = ("title", "summary", "fields", "en.title")
TEXTS = st.sampled_from(["", "a", "b", "a\r\nb", "a\nb", "ă"])
STEP = st.tuples(
    st.sampled_from(["one", "two", "three"]), st.booleans(), st.fixed_dictionaries(dict.fromkeys(NAMES, TEXTS))
)


@settings(deadline=None, max_examples=300)
@given(st.lists(STEP, max_size=12))
def test_whatever_several_pages_send_nothing_typed_is_lost(steps: list[tuple[str, bool, dict[str, str]]]) -> None:
    draft = SavedDraft(kind="need", values={}, writers={}, asides={})
    context, seen = Context(COMMAND_LINE, NOW), dict[str, dict[str, str]]()
    for page, reloads, values in steps:
        if reloads or page not in seen:
            seen[page] = shown(draft, NAMES)
        before = flat(draft)
        draft.values, torn = joined(context, draft, Typed(values, page, seen[page]))
        after, kept = flat(draft), asides(draft)
        for name in NAMES:
            aside = {one.value for one in kept.get(name, ())}
            if name in torn:
                assert values[name] in aside
                assert after.get(name, "") == before.get(name, "")
            elif after.get(name, "") != before.get(name, ""):
                assert after[name] == values[name] if values[name] else name not in after or not after[name]
