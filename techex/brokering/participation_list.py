"""Deals of others in which one has a part, as a list: orders, filters, columns of the file.

Whoever is only asked knows the number of the deal and nothing of what it is about, so neither does the list.
"""

from __future__ import annotations

from flask_babel import gettext

from techex.brokering.course import PARTICIPANT_STATES, ROLES, ParticipantState
from techex.brokering.course_tables import DealParticipant
from techex.core.vocabulary import N_
from techex.web import identity
from techex.web.language import page_language
from techex.web.tables import NEWEST, Column, Filter, Table


def _behalf(one: DealParticipant) -> str:
    """The organisation, or the reader's own name where they take part in person."""
    return one.organisation.name_in(page_language()) if one.organisation else identity.context().actor.name


def _state(code: str) -> str:
    if code == ParticipantState.INVITED:
        return str(gettext("waits for you"))
    return str(gettext(PARTICIPANT_STATES[ParticipantState(code)]))


def _role(code: str) -> str:
    return str(gettext(ROLES[code]))


TABLE = Table(
    "course.participations",
    "course.participations_file",
    {
        "newest": (NEWEST, lambda one: -one.id),
        "waiting": (N_("what waits for you first"), lambda one: (one.state != ParticipantState.INVITED, -one.id)),
        "deal": (N_("by number"), lambda one: (one.deal_id, -one.id)),
        "organisation": (N_("by organisation"), lambda one: (_behalf(one).casefold(), -one.id)),
    },
    (
        Column(N_("Deal"), lambda one: one.deal_id),
        Column(N_("Role"), lambda one: _role(one.role)),
        Column(N_("On behalf of"), _behalf),
        Column(N_("State"), lambda one: _state(one.state)),
    ),
    {
        "state": Filter(N_("State"), lambda one: [one.state], _state),
        "role": Filter(N_("Role"), lambda one: [one.role], _role),
        "for": Filter(N_("On behalf of"), lambda one: [_behalf(one)], lambda name: name),
    },
    name="participations",
)
