"""A proposal for a commissioned task as it leaves the exchange: the same facts on its page, as PDF, JSON and XLSX."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from techex.brokering import paper_fonts
from techex.brokering.commission_tables import Commission
from techex.brokering.commissioning import Consent, may_quote
from techex.core import sheets
from techex.core.context import ANONYMOUS, Context
from techex.core.mail import said_in
from techex.core.vocabulary import FIELDS, N_
from techex.listings import queries
from techex.organisations import service as organisations
from techex.regions.service import place_name

LABELS: Mapping[str, str] = {
    "kind": N_("Proposal for a commissioned task"),
    "field": N_("Field"),
    "places": N_("Places of the needs"),
    "problem": N_("Problem"),
    "result": N_("Measurable result"),
    "behind": N_("Who has the problem"),
    "counted": N_("Not named, since they have not agreed: organisations"),
    "needs": N_("Needs it stands on"),
    "unquoted": N_("Needs that are counted and not quoted"),
    "offers": N_("Nearest partial offers"),
    "no_offers": N_("No result on the exchange comes near."),
    "institutes": N_("Institutions that might take it on"),
    "title": N_("Title"),
    "place": N_("Place"),
    "number": N_("Number"),
    "strength": N_("Strength"),
    "organisation": N_("Organisation"),
    "source": N_(
        "Numbers in brackets name the need that a passage comes from. Drafted on the exchange from its listings."
    ),
    "draft": N_("Draft"),
    "illustrative": N_("Illustrative: made from invented listings of a demo exchange"),
}


def facts(session: Session, context: Context, commission: Commission, exchange: str) -> dict[str, Any]:
    """What it says, in its own language. Firms stand in it by name only where they agreed; offers are public ones."""
    language = commission.language
    needs = [row.listing for row in commission.need_rows]
    quoted = [need for need in needs if may_quote(commission, need)]
    agreed = [row for row in commission.consents if row.state == Consent.AGREED]
    strengths = {int(number): int(value) for number, value in commission.offers}
    heads = queries.heads_of(session, Context(ANONYMOUS, context.now), list(strengths))
    houses = organisations.organisations(session, commission.institutes)
    field = FIELDS.get(commission.field, "")
    return {
        "number": commission.id,
        "language": language,
        "exchange": exchange,
        "day": f"{commission.updated_at:%Y-%m-%d}",
        "title": commission.title,
        "field": said_in(language, field) if field else "",
        "places": list(dict.fromkeys(place_name(need.place, language) for need in needs)),
        "problem": commission.problem,
        "result": commission.result,
        "behind": [row.organisation.name_in(language) for row in agreed],
        "counted": len(commission.consents) - len(agreed),
        "needs": [
            {
                "number": need.id,
                "title": need.title,
                "language": need.language,
                "place": place_name(need.place, language),
            }
            for need in quoted
        ],
        "unquoted": len(needs) - len(quoted),
        "offers": [
            {"number": head.id, "title": head.title, "language": head.language, "strength": strengths[head.id]}
            | {"organisation": head.organisation, "place": place_name(head.place, language)}
            for number in strengths
            if (head := heads.get(number))
        ],
        "institutes": [
            {
                "id": number,
                "name": houses[number].name_in(language),
                "place": place_name(houses[number].place, language),
            }
            for number in commission.institutes
            if number in houses
        ],
        "illustrative": any(need.illustrative for need in needs),
    }


def words(language: str) -> dict[str, str]:
    """The labels in a language."""
    return {name: said_in(language, text) for name, text in LABELS.items()}


def as_json(found: Mapping[str, Any]) -> bytes:
    """For machines."""
    return (json.dumps(found, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def as_xlsx(found: Mapping[str, Any]) -> bytes:
    """One table of what it is and what it says; no text comes alive as a formula."""
    say = words(found["language"])
    rows: list[list[Any]] = [
        [say["kind"], found["number"]],
        [say["title"], found["title"]],
        [say["field"], found["field"]],
        [say["places"], "; ".join(found["places"])],
        [say["problem"], found["problem"]],
        [say["result"], found["result"]],
        *([say["behind"], name] for name in found["behind"]),
        [say["counted"], found["counted"]],
        *([say["needs"], f"[{need['number']}] {need['title']}", need["place"]] for need in found["needs"]),
        [say["unquoted"], found["unquoted"]],
        *(
            [say["offers"], f"[{one['number']}] {one['title']}", one["organisation"], one["place"], one["strength"]]
            for one in found["offers"]
        ),
        *([say["institutes"], one["name"], one["place"]] for one in found["institutes"]),
    ]
    widest = max(len(row) for row in rows)
    head = [found["exchange"], found["day"], *[""] * (widest - 2)]
    return sheets.as_xlsx(head, [row + [None] * (widest - len(row)) for row in rows], say["draft"])


def as_pdf(found: Mapping[str, Any]) -> bytes:
    """For reading. Nothing of what it says is read as markup."""
    return paper_fonts.made("commission.typ", {**found, "say": words(found["language"])})
