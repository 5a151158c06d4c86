"""The form in steps: which fields stand together, why they are asked for, and a good example beside each; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from techex.core.vocabulary import N_
from techex.listings.rules import Kind


@dataclass(frozen=True)
class Step:
    """One question group: its name in addresses, its heading, why it is asked, its fields."""

    name: str
    title: str
    why: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hint:
    """What to write into a field, and an example of it done well."""

    what: str
    example: str = ""


READERS = Step(
    "readers",
    N_("Who reads it"),
    N_("You decide who sees the listing, in which languages, and with which files."),
    ("contact",),
)
CHECK = Step(
    "check",
    N_("Check and submit"),
    N_("Before an operator reads it: what is missing, what gives too much away, what is listed already."),
)

STEPS: Mapping[Kind, tuple[Step, ...]] = {
    Kind.NEED: (
        Step(
            "need",
            N_("What you need"),
            N_("The two texts that everybody reads first. Name the problem, not the machine you have in mind."),
            ("title", "summary"),
        ),
        Step(
            "problem",
            N_("The problem and the result"),
            N_("Institutes answer a problem they can measure. Figures with units are compared line by line."),
            ("problem", "required_result", "tried", "constraints"),
        ),
        Step(
            "terms",
            N_("Terms"),
            N_("What you would accept, so that nobody offers what cannot work."),
            ("trl", "transfer_forms", "budget_min", "budget_max", "currency", "deadline"),
        ),
        Step(
            "place",
            N_("Place and field"),
            N_("Where it will be used and to which field it belongs: operators and filters go by it."),
            ("reach", "fields", "industry", "sdg"),
        ),
        READERS,
        CHECK,
    ),
    Kind.OFFER: (
        Step(
            "result",
            N_("What it is"),
            N_("The texts that everybody reads first. Begin with the problem: enterprises search for theirs."),
            ("title", "summary", "problem_solved"),
        ),
        Step(
            "benefit",
            N_("How it works and what is better"),
            N_("A benefit counts over something the reader knows, in figures: name the alternative."),
            ("description", "advantages", "economics"),
        ),
        Step(
            "readiness",
            N_("Readiness"),
            N_("“Too early” is the first reason for a decline: show how far it has come, and where it runs."),
            ("trl", "trl_evidence", "references", "standards"),
        ),
        Step(
            "rights",
            N_("Rights"),
            N_("Whoever takes it over has to know what they get and from whom."),
            ("ip_status", "ip_numbers", "ownership", "decision_number", "decision_date", "originating_task"),
        ),
        Step(
            "transfer",
            N_("Transfer"),
            N_("What you offer, to whom, and roughly at which price."),
            ("transfer_forms", "partner_sought", "partner_kinds", "price", "currency", "validity"),
        ),
        Step(
            "place",
            N_("Place and field"),
            N_("Where it comes from and to which field it belongs: operators and filters go by it."),
            ("reach", "fields", "industry", "sdg"),
        ),
        READERS,
        CHECK,
    ),
}
# Where the place is asked for.
PLACE_STEP = "place"

HINTS: Mapping[str, Hint] = {
    "title": Hint(
        N_("The problem or the result in one line, with its most telling figure."),
        N_("Removing colour from 400 m³ of dyeing waste water a day without more sludge"),
    ),
    "summary": Hint(
        N_("Who has the problem, what it costs, what has to change: three sentences."),
        N_("A dyeing mill lets out 400 m³ a day at 300 Pt-Co; 50 are allowed. The biological step stays."),
    ),
    "problem": Hint(
        N_("What happens, how often, what it costs."),
        N_("After the biological tank the colour is still 300 Pt-Co; coagulation leaves 2 t of sludge a week."),
    ),
    "required_result": Hint(
        N_("What has to be reached, measurable. Write “not yet known” where you cannot say it."),
        N_("Colour below 50 Pt-Co and COD below 75 mg/l at 400 m³ a day, no more sludge than now."),
    ),
    "tried": Hint(N_("And why it was not enough."), N_("Ozone reached 80 Pt-Co but cost 9,000 VND a cubic metre.")),
    "constraints": Hint(
        N_("Power, water, climate, space, standards."), N_("At most 60 m² of ground, 3-phase 50 kW, QCVN 13-MT:2015.")
    ),
    "problem_solved": Hint(
        N_("In the words of whoever has the problem."),
        N_("Dried longan turns brown and loses its smell when it is dried with steam."),
    ),
    "description": Hint(
        N_("How it works, what it consists of, what it takes in and gives out, in figures."),
        N_("A two-stage heat pump dries 500 kg a batch at 45 °C down to 18 %% moisture in 20 hours."),
    ),
    "advantages": Hint(
        N_("Better than what? Name it, and by how much."),
        N_("38 %% less power than steam drying, and the colour stays (ΔE 3 instead of 11)."),
    ),
    "economics": Hint(N_("Cost per unit, or time until it pays."), N_("420 VND a kilogram; it pays in 26 months.")),
    "trl": Hint(N_("1 is an idea, 4 a test in the laboratory, 7 a demonstration at a user, 9 a product in use.")),
    "trl_evidence": Hint(
        N_("Which test, where, when, with what outcome."), N_("Six months at a cooperative in Hưng Yên, 2025, 40 t.")
    ),
    "references": Hint(N_("Where it runs, since when."), N_("Two dryers in Khoái Châu since June 2025.")),
    "standards": Hint("", "ISO 22000, TCVN 5603:2008"),
    "ip_numbers": Hint(N_("Only operators read them."), "1-0023456"),
    "contact": Hint(N_("A name, a telephone number or an address for the operators, who alone read it.")),
    "decision_number": Hint(N_("The decision by which the right was given to you, for results of state money.")),
    "originating_task": Hint(N_("The science and technology task it comes from.")),
    "transfer_forms": Hint(N_("One to three are usual.")),
    "partner_sought": Hint(N_("Who would make use of it, and in which role."), N_("A maker of dryers with sales.")),
    "partner_kinds": Hint(N_("Needs of other kinds come a little later among your matches. None: open to all.")),
    "reach": Hint(N_("Who is farther away is not matched with it. Nothing chosen: everywhere.")),
    "price": Hint(N_("Digits without separators. Only members of verified organisations read it."), "250000000"),
    "budget_min": Hint(N_("Digits without separators."), "250000000"),
    "budget_max": Hint(N_("Digits without separators."), "900000000"),
    "fields": Hint(N_("Up to three, the most important one first.")),
    "deadline": Hint(N_("By when a partner should have answered or begun.")),
    "validity": Hint(N_("How long the offer stands.")),
}


def step_of(kind: Kind, name: str) -> Step | None:
    """The step of this name; None if this kind has none."""
    return next((step for step in STEPS[kind] if step.name == name), None)


def neighbours(kind: Kind, step: Step) -> tuple[Step | None, Step | None]:
    """The steps before and after one."""
    steps = STEPS[kind]
    at = steps.index(step)
    return (steps[at - 1] if at else None), (steps[at + 1] if at + 1 < len(steps) else None)


def step_with(kind: Kind, field: str) -> Step:
    """The step in which a field is asked for; what is no field (place, texts, files) is asked with the readers."""
    if field in ("country", "province", PLACE_STEP):
        return next(step for step in STEPS[kind] if step.name == PLACE_STEP)
    if field == "language":
        return STEPS[kind][0]
    return next((step for step in STEPS[kind] if field in step.fields), READERS)
