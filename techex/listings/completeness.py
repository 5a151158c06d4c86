"""How complete a listing is, what it lacks, and why that matters to whoever reads it; pure.

The weights of a kind add up to 100. They follow two things: what matching reads (texts about the problem and the
solution, figures, readiness, fields), and the reasons for which partners turn a listing down (too early, benefit
unclear, commercial route unclear, description unclear). Completeness is advice: only title, summary and, for a result,
its description are demanded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from techex.core.vocabulary import N_
from techex.listings.figures import has_figure, is_said_not_to_be_known, names_alternative
from techex.listings.rules import FIELD_BY_NAME, Kind

Values = Mapping[str, Any]

# Characters from which on a long text says something that can be matched: about two sentences.
SAYS_SOMETHING = 120
# A description from which a reader can judge: about eight sentences.
FULL_DESCRIPTION = 400
FULL = 100


@dataclass(frozen=True)
class Point:
    """One thing that a complete listing says: where it is said, what it weighs, what to write and why."""

    field: str
    weight: int
    what: str
    why: str
    met: Callable[[Values], bool]


@dataclass(frozen=True)
class Meter:
    """How complete a listing is: 0 to 100, and what is missing, the weightiest first."""

    score: int
    missing: tuple[Point, ...]


def _text(values: Values, name: str) -> str:
    value = values.get(name)
    return value.strip() if isinstance(value, str) else ""


def _within(name: str) -> Callable[[Values], bool]:
    rule = FIELD_BY_NAME[name]
    return lambda values: rule.shortest <= len(_text(values, name)) <= rule.longest


def _said(name: str, length: int = 1) -> Callable[[Values], bool]:
    return lambda values: len(_text(values, name)) >= length


def _stated(*names: str) -> Callable[[Values], bool]:
    return lambda values: any(values.get(name) not in (None, "", []) for name in names)


def _figure(*names: str) -> Callable[[Values], bool]:
    return lambda values: any(has_figure(_text(values, name)) for name in names)


def _measurable(values: Values) -> bool:
    text = _text(values, "required_result")
    return has_figure(text) or is_said_not_to_be_known(text)


def _better_than_what(values: Values) -> bool:
    return names_alternative(_text(values, "advantages"))


NEED_POINTS: tuple[Point, ...] = (
    Point(
        "title", 5,
        N_("a title of 10 to 160 characters"),
        N_("It is all that most readers see of a need."),
        _within("title"),
    ),
    Point(
        "summary", 10,
        N_("a summary of 50 to 500 characters"),
        N_("Readers decide by it whether to go on, and matching reads it first."),
        _within("summary"),
    ),
    Point(
        "problem", 15,
        N_("the problem now, in two sentences or more"),
        N_("A result is found by the problem it solves more often than by its name."),
        _said("problem", SAYS_SOMETHING),
    ),
    Point(
        "required_result", 10,
        N_("what has to be reached"),
        N_("Each requirement is compared with what a result states, line by line."),
        _said("required_result"),
    ),
    Point(
        "required_result", 15,
        N_("a figure with its unit for the required result, such as “below 50 mg/l”, or “not yet known”"),
        N_("Figures are compared as figures: without one nobody can tell whether a result is good enough."),
        _measurable,
    ),
    Point(
        "tried", 10,
        N_("what was already tried, and why it was not enough"),
        N_("It spares you offers of what you know already."),
        _said("tried"),
    ),
    Point(
        "constraints", 10,
        N_("the constraints: power, water, climate, space, standards"),
        N_("A result that cannot work at your site is told apart at once instead of after a visit."),
        _said("constraints"),
    ),
    Point(
        "trl", 5,
        N_("the lowest readiness you accept"),
        N_("“Too early” is the reason named first when a match is declined."),
        _stated("trl"),
    ),
    Point(
        "transfer_forms", 4,
        N_("the forms of transfer you accept"),
        N_("An owner who only licenses need not talk to somebody who only buys."),
        _stated("transfer_forms"),
    ),
    Point(
        "fields", 5,
        N_("a field of science and technology"),
        N_("Readers filter by it, and it steadies the matches of short texts."),
        _stated("fields"),
    ),
    Point(
        "budget_max", 5,
        N_("a budget, even a rough one"),
        N_("It spares both sides a talk that ends at the price."),
        _stated("budget_min", "budget_max"),
    ),
    Point(
        "deadline", 3,
        N_("a deadline"),
        N_("Institutes plan by it whether they can take part."),
        _stated("deadline"),
    ),
    Point(
        "reach", 3,
        N_("how far to look"),
        N_("The exchange then looks where you would go, and nowhere else."),
        _stated("reach"),
    ),
)  # fmt: skip

OFFER_POINTS: tuple[Point, ...] = (
    Point(
        "title", 5,
        N_("a title of 10 to 160 characters"),
        N_("It is all that most readers see of a result."),
        _within("title"),
    ),
    Point(
        "summary", 10,
        N_("a summary of 50 to 500 characters"),
        N_("Readers decide by it whether to go on, and matching reads it first."),
        _within("summary"),
    ),
    Point(
        "problem_solved", 10,
        N_("the problem it solves, in the words of whoever has it"),
        N_("Enterprises search for their problem, not for your method."),
        _said("problem_solved"),
    ),
    Point(
        "description", 10,
        N_("a description from which a reader can judge (400 characters or more)"),
        N_("“Description unclear” is a common reason for a decline."),
        _said("description", FULL_DESCRIPTION),
    ),
    Point(
        "description", 5,
        N_("a figure with its unit: capacity, consumption, yield, range"),
        N_("What a need demands in figures can only be met in figures."),
        _figure("description", "problem_solved", "summary"),
    ),
    Point(
        "advantages", 5,
        N_("the advantages"),
        N_("A result that describes science and no benefit is passed over."),
        _said("advantages", FIELD_BY_NAME["advantages"].shortest),
    ),
    Point(
        "advantages", 12,
        N_("what it is better than, by name, such as “38 %% less power than steam drying”"),
        N_("“Benefit unclear” is what most declines say: a benefit is one only over something the reader knows."),
        _better_than_what,
    ),
    Point(
        "economics", 10,
        N_("the economics: cost per unit, or the time until it pays"),
        N_("It opens the commercial route that declines miss most after the benefit."),
        _figure("economics"),
    ),
    Point(
        "trl", 5,
        N_("the readiness level"),
        N_("Without it a result is left out wherever a reader asks for a level."),
        _stated("trl"),
    ),
    Point(
        "trl_evidence", 6,
        N_("evidence for the readiness: which test, where, when"),
        N_("A level that anybody can claim convinces nobody."),
        _said("trl_evidence"),
    ),
    Point(
        "references", 5,
        N_("where it is in use"),
        N_("A place to call or to visit is worth more than a page of text."),
        _said("references"),
    ),
    Point(
        "ip_status", 5,
        N_("the state of the intellectual property"),
        N_("Whoever takes it over has to know what they get."),
        _stated("ip_status"),
    ),
    Point(
        "ownership", 3,
        N_("who owns it"),
        N_("Results of state money need a decision before they can be transferred."),
        _stated("ownership"),
    ),
    Point(
        "transfer_forms", 4,
        N_("the forms of transfer on offer"),
        N_("A buyer who wants a licence need not talk to an owner who only sells."),
        _stated("transfer_forms"),
    ),
    Point(
        "fields", 5,
        N_("a field of science and technology"),
        N_("Readers filter by it, and it steadies the matches of short texts."),
        _stated("fields"),
    ),
)  # fmt: skip

POINTS: Mapping[Kind, Sequence[Point]] = {Kind.NEED: NEED_POINTS, Kind.OFFER: OFFER_POINTS}


def meter(kind: Kind, values: Values) -> Meter:
    """How complete raw or checked values are."""
    missing = [point for point in POINTS[kind] if not point.met(values)]
    score = FULL - sum(point.weight for point in missing)
    return Meter(score, tuple(sorted(missing, key=lambda point: -point.weight)))
