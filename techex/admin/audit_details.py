"""What the details of an entry of the audit log say on a page: the log keeps codes, which never change; here are words.

A detail is a name and a value. Names are those of ASPECTS; values are numbers, what somebody wrote, or codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import format_date, gettext

from techex.admin.desk import TASKS, Task
from techex.admin.saved_views import LISTS
from techex.brokering import pipeline
from techex.brokering import rules as interests
from techex.core.vocabulary import LANGUAGES, N_
from techex.listings import lifecycle
from techex.listings.rules import Teaser, Visibility
from techex.matching.verdicts import REASONS, Judgement
from techex.organisations.members import ROLES
from techex.organisations.rules import CHECKS
from techex.regions.naming import place_called

EVERYTHING = "everything"

# What a detail is called, by the name under which it is kept.
ASPECTS: Mapping[str, str] = {
    "kind": N_("kind"),
    "from": N_("was"),
    "to": N_("becomes"),
    "reason": N_("reason"),
    "note": N_("note"),
    "state": N_("state"),
    "stage": N_("stage"),
    "receipt": N_("receipt"),
    "until": N_("until"),
    "since": N_("since"),
    "items": N_("things"),
    "place": N_("place"),
    "places": N_("places"),
    "page": N_("page"),
    "name": N_("name"),
    "number": N_("number"),
    "key": N_("key"),
    "digest": N_("digest"),
    "parts": N_("parts left out"),
    "person": N_("person"),
    "role": N_("role"),
    "organisation": N_("organisation"),
    "invitation": N_("invitation"),
    "checked": N_("checked"),
    "fields": N_("changed"),
    "second_factor": N_("second factor"),
    "listing": N_("listing"),
    "listings": N_("listings"),
    "need": N_("need"),
    "needs": N_("needs"),
    "offer": N_("result"),
    "judgement": N_("verdict"),
    "version": N_("version"),
    "verdicts": N_("verdicts"),
    "batch": N_("batch"),
    "letters": N_("letters"),
    "plan": N_("plan"),
    "visibility": N_("visible to"),
    "anonymous": N_("without its name"),
    "teaser": N_("notice shown to"),
    "shared_with": N_("shared with organisations"),
    "passed": N_("questions passed"),
    "total": N_("questions asked"),
    "import": N_("import"),
    "rows": N_("rows"),
    "done": N_("done"),
    "created": N_("new"),
    "updated": N_("changed"),
    "unchanged": N_("unchanged"),
    "refused": N_("refused"),
    "undone": N_("taken back"),
    "kept": N_("kept"),
}

# What of an organisation was changed.
_OF_ORGANISATIONS: Mapping[str, str] = {
    "kind": N_("kind"),
    "name": N_("name"),
    "names": N_("names in other languages"),
    "keywords": N_("search words"),
    "country": N_("country"),
    "province": N_("province"),
    "website": N_("website"),
    "identifiers": N_("identifiers"),
    "fields": N_("fields of science and technology"),
}

# Codes that a value may be, by the name of the detail.
CODES: Mapping[str, Mapping[Any, str]] = {
    "kind": {"need": N_("need"), "offer": N_("result")},
    "from": {**lifecycle.STATES, **ROLES, **LANGUAGES},
    "to": {**lifecycle.STATES, **ROLES, **LANGUAGES},
    "role": ROLES,
    "state": interests.STATES,
    "stage": pipeline.STAGES,
    "reason": REASONS,
    "judgement": {Judgement.FIT: N_("fit"), Judgement.PARTLY: N_("partly"), Judgement.NO: N_("no")},
    "checked": CHECKS,
    "fields": _OF_ORGANISATIONS,
    "visibility": {
        Visibility.PUBLIC: N_("everybody"),
        Visibility.MEMBERS: N_("members"),
        Visibility.RESTRICTED: N_("who was let in"),
    },
    "teaser": {Teaser.NONE: N_("nobody"), Teaser.PUBLIC: N_("everybody"), Teaser.MEMBERS: N_("members")},
    "page": LISTS,
    "items": {EVERYTHING: N_("everything")},
}
_PLACES = frozenset({"place", "places"})
_DAYS = frozenset({"since", "until"})


def said(detail: Mapping[str, Any], names: Mapping[int, str]) -> Sequence[tuple[str, str]]:
    """Names and values of the details of an entry in the language of the page; what is empty is left out.

    `names` are those of people, by number.
    """
    told = {name: value for name, value in detail.items() if value not in (None, "", [])}
    return [(gettext(ASPECTS.get(name, name)), _value(name, value, names)) for name, value in told.items()]


def _value(name: str, value: Any, names: Mapping[int, str]) -> str:
    if isinstance(value, list):
        return ", ".join(_value(name, each, names) for each in value)
    if isinstance(value, bool):
        return str(gettext("yes") if value else gettext("no"))
    if name == "person":
        return names.get(value) or gettext("no. %(number)s", number=value)
    if name in _DAYS:
        return str(format_date(date.fromisoformat(value), "long"))
    if name in _PLACES:
        return place_called(str(value))
    if isinstance(value, str) and (words := CODES.get(name, {}).get(value)):
        return str(gettext(words))
    return _thing(str(value)) if name == "items" else str(value)


def _thing(value: str) -> str:
    """Something of a desk: its kind of work and its number."""
    task, _, key = value.partition(" ")
    return f"{gettext(TASKS[Task(task)])} {key}".rstrip() if task in set(Task) else value
