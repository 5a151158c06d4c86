"""The table of a listing's life is whole, is what the README shows, and the service follows it whatever is tried."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from techex import paths
from techex.core import audit
from techex.core.context import ANONYMOUS, COMMAND_LINE, Actor, Context, MemberRole, Membership, Role
from techex.core.database import Database
from techex.errors import BadInput, Conflict, NotAllowed, NotFound
from techex.listings import lifecycle, reviews, service
from techex.listings.disclosure import report
from techex.listings.lifecycle import DONE, LABELS, STATES, TRANSITIONS, Need, Party, Standing, Verb
from techex.listings.queries import shown
from techex.listings.reviews import Scores
from techex.listings.rules import Kind, State, Visibility, may_see
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations.rules import OrganisationDraft
from techex.organisations.service import upsert
from tests.cast import person_of

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)  # a Friday
HUNG_YEN = "VN-33"


def test_the_readme_shows_the_table() -> None:
    readme = (paths.CHECKOUT / "README.md").read_text("utf-8")
    assert "\n".join(lifecycle.as_markdown()) in readme


def test_every_state_and_verb_has_its_words_and_its_rows() -> None:
    assert set(STATES) == set(State)
    assert set(LABELS) == set(DONE) == set(Verb) == {row.verb for row in TRANSITIONS}


def test_for_each_verb_state_and_party_there_is_one_row_at_most() -> None:
    cells = [(row.verb, state, row.who) for row in TRANSITIONS for state in row.sources]
    assert len(cells) == len(set(cells))


def test_a_draft_can_come_to_every_state_and_from_each_a_listing_can_be_published_again() -> None:
    steps = {state: set[State]() for state in State}
    for row in TRANSITIONS:
        if row.who is not Party.SYSTEM or row.verb in (Verb.EXPIRE, Verb.ARCHIVE):
            for state in row.sources:
                steps[state].add(row.leads_to(state))

    def reached(start: State) -> set[State]:
        found, to_see = {start}, [start]
        while to_see:
            for state in steps[to_see.pop()] - found:
                found.add(state)
                to_see.append(state)
        return found

    assert reached(State.DRAFT) == set(State)
    assert all(State.PUBLISHED in reached(state) for state in State)


def test_only_a_review_a_release_or_an_extension_leads_to_publication_for_people() -> None:
    ways = {
        row.verb
        for row in TRANSITIONS
        if row.target is State.PUBLISHED and row.who is not Party.SYSTEM and set(row.sources) != {State.PUBLISHED}
    }
    assert ways == {Verb.PUBLISH, Verb.RELEASE, Verb.EXTEND}


def test_whoever_brokers_does_not_judge_their_own_house() -> None:
    actor = Actor("m", Role.PERSON, 1, (Membership(7, MemberRole.VIEWER, True),), frozenset({HUNG_YEN}), True)
    own = Standing(State.SUBMITTED, 7, (HUNG_YEN, "VN"))
    other = Standing(State.SUBMITTED, 8, (HUNG_YEN, "VN"))
    assert lifecycle.find(actor, own, Verb.TAKE_UP, NOW) is None
    assert lifecycle.find(actor, other, Verb.TAKE_UP, NOW) is not None


@pytest.mark.parametrize(
    # 24 November is Culture Day, a public holiday since 2026.
    ("working_days", "due"),
    [(1, date(2026, 11, 23)), (5, date(2026, 11, 30)), (6, date(2026, 12, 1))],
)
def test_a_deadline_counts_working_days(working_days: int, due: date) -> None:
    assert lifecycle.review_due(NOW.date(), working_days) == due


def test_a_review_is_not_due_on_a_public_holiday_of_its_country() -> None:
    assert lifecycle.review_due(date(2026, 8, 31), 1) == date(2026, 9, 3), "1 and 2 September are free in Vietnam"
    assert lifecycle.review_due(date(2026, 8, 31), 1, "NL") == date(2026, 9, 1)


@pytest.mark.parametrize(
    ("days_to_end", "may"), [(31, False), (30, True), (1, True), (-1, True), (-365, True), (-366, False)]
)
def test_an_extension_has_a_window_around_the_end(days_to_end: int, may: bool) -> None:
    standing = Standing(State.EXPIRED, 1, (), expires_at=NOW + timedelta(days=days_to_end))
    assert lifecycle.is_met(Need.WINDOW, standing, NOW) is may


GOOD, BAD = Scores(4, 4, 3, 3), Scores(5, 5, 5, 0)


class LifeOfAListing(RuleBasedStateMachine):
    """One listing, six people and a clock: the state follows the table, and nothing else ever happens."""

    template: Path

    @initialize(target_kind=st.sampled_from(list(Kind)))
    def begin(self, target_kind: Kind) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(self.template, self.folder / "techex.db")
        self.database = Database(f"sqlite:///{self.folder / 'techex.db'}")
        self.now = NOW
        self.deeds = 0
        self.state = State.DRAFT
        self.passed: set[str] = set()
        self.failed: set[str] = set()
        with self.database.transaction() as session:
            owner, _ = upsert(session, Context(COMMAND_LINE, NOW), OrganisationDraft("House", slug="house"))
            people = {
                name: person_of(session, name).id for name in ("editor", "operator", "other_operator", "stranger")
            }
            member = Membership(owner.id, MemberRole.EDITOR, True)
            reader = Membership(owner.id, MemberRole.VIEWER, True)
            self.actors = {
                "editor": Actor("editor", Role.PERSON, people["editor"], (member,)),
                "viewer": Actor("viewer", Role.PERSON, people["editor"], (reader,)),
                "operator": Actor("op", Role.PERSON, people["operator"], (), frozenset({HUNG_YEN}), True),
                "other": Actor("other", Role.PERSON, people["other_operator"], (), frozenset({"VN-80"}), True),
                "stranger": Actor("stranger", Role.PERSON, people["stranger"]),
                "anonymous": ANONYMOUS,
                "clock": COMMAND_LINE,
            }
            values = {"title": "A title long enough", "summary": "What it is about. " * 4}
            values |= {"description": "How it works. " * 10} if target_kind is Kind.OFFER else {}
            draft = checked_draft(target_kind, values, language="en", country="VN", province="33")
            self.number = service.post(session, Context(COMMAND_LINE, NOW), owner, draft).id
            self.before = session.scalar(select(func.count(audit.AuditEntry.id))) or 0

    def _listing(self, session: Session) -> Listing:
        found = session.get(Listing, self.number)
        assert found is not None
        return found

    def _context(self, who: str) -> Context:
        return Context(self.actors[who], self.now)

    @rule(days=st.sampled_from([1, 20, 200, 340, 400]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @rule(
        who=st.sampled_from(["editor", "viewer", "operator", "other", "stranger", "anonymous", "clock"]),
        verb=st.sampled_from(
            [verb for verb in Verb if verb not in (Verb.EDIT, Verb.PROPOSE, Verb.ACCEPT, Verb.REFUSE)]
        ),
    )
    def somebody_tries(self, who: str, verb: Verb) -> None:
        if verb in (Verb.DISCLOSE, Verb.INTRODUCE):
            return
        context = self._context(who)
        with self.database.reading() as session:
            listing = session.get(Listing, self.number)
            assert listing is not None
            standing = service.standing_of(session, context, listing)
            row = lifecycle.find(context.actor, standing, verb, self.now)
        expected = row is not None
        if expected and verb is Verb.PUBLISH and who != "clock":
            expected = len(self.passed) >= 2 and not self.failed
        refusal: Exception | None = None
        try:
            with self.database.transaction() as session:
                self._do(session, context, self._listing(session), verb)
        except (NotAllowed, NotFound, Conflict) as error:
            refusal = error
        # Nobody reports the same listing twice: the one thing the table does not know.
        again = verb is Verb.REPORT and isinstance(refusal, Conflict)
        assert (refusal is None) is expected or again, f"{who}, {verb}, {self.state}: {refusal}"
        if refusal is not None:
            return
        assert row is not None
        self.state = row.leads_to(self.state)
        self.deeds += 1
        if self.state not in (State.SUBMITTED, State.UNDER_REVIEW):
            self.passed, self.failed = set(), set()

    def _do(self, session: Session, context: Context, listing: Listing, verb: Verb) -> None:
        match verb:
            case Verb.TAKE_UP:
                reviews.take_up(session, context, listing)
            case Verb.PUBLISH if not context.actor.is_system:
                reviews.publish(session, context, listing, 2)
            case Verb.RETURN:
                said = {"title": "Say how much."}
                reviews.give_back(session, context, listing, said, lambda _: "link", "x")
            case Verb.REPORT:
                report(session, context, listing, "untrue", "It is not true at all.")
            case _:
                service.do(session, context, listing, verb, "A reason in words.")

    @rule(who=st.sampled_from(["operator", "other", "stranger", "editor"]), scores=st.sampled_from([GOOD, GOOD, BAD]))
    def somebody_reads(self, who: str, scores: Scores) -> None:
        may = self.actors[who].is_operator and self.state is State.UNDER_REVIEW
        try:
            with self.database.transaction() as session:
                reviews.read(session, self._context(who), self._listing(session), scores, {})
        except (NotAllowed, Conflict, BadInput):
            assert not may
            return
        assert may
        (self.passed if scores.passed else self.failed).add(who)
        (self.failed if scores.passed else self.passed).discard(who)
        self.deeds += 1

    @invariant()
    def the_database_is_where_the_table_leads(self) -> None:
        if not hasattr(self, "number"):
            return
        with self.database.reading() as session:
            listing = session.get(Listing, self.number)
            assert listing is not None
            assert listing.state == self.state
            in_lists = bool(session.scalars(select(Listing.id).where(*shown(Context(ANONYMOUS)))).all())
            assert in_lists is (self.state is State.PUBLISHED)
            assert may_see(ANONYMOUS, self.state, Visibility.PUBLIC) is in_lists
            entries = session.scalar(select(func.count(audit.AuditEntry.id))) or 0
            assert entries - self.before == self.deeds
            if self.state is State.PUBLISHED:
                assert listing.published_at is not None
                assert listing.expires_at is not None
                assert listing.expires_at - listing.published_at <= timedelta(days=730)
            open_review = reviews.open_review(session, listing)
            assert (open_review is not None) is (self.state in (State.SUBMITTED, State.UNDER_REVIEW))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()
            shutil.rmtree(self.folder)


def test_whatever_is_tried_the_state_follows_the_table(migrated: Path) -> None:
    machine = type("Machine", (LifeOfAListing,), {"template": migrated})
    machine.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
    machine.TestCase().runTest()
