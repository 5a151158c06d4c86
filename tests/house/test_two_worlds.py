"""Nobody sees or feels what they may not: two exchanges that differ only in it answer outsiders byte for byte alike.

And the test is worth something: changes of the code that leak, each in another way, are caught by it.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select, true
from sqlalchemy.orm import Session, object_session

from techex import paths
from techex.admin import views as admin_views
from techex.core.context import COMMAND_LINE, Context, MemberRole, Membership
from techex.core.mail import Letter
from techex.errors import NotAllowed
from techex.listings import disclosure, queries, service
from techex.listings.rules import BODY_FIELDS, Visibility
from techex.listings.tables import Listing
from techex.matching import results
from techex.search import queries as search_queries
from tests.cast import CAST
from tests.house import worlds
from tests.house.worlds import CANARY, MEMBERS, OUTSIDERS, PROBE, World

Pair = tuple[World, World]
LEAST_PAIRS = 10_000  # of all people together
THOROUGH = ("anonymous", "stranger", *MEMBERS)  # ask for every address
OTHERS_ASK = 4  # the others for one address of so many


class Lines(logging.Handler):
    """Every line that is logged."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def logged() -> Iterator[Lines]:
    handler = Lines()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def _pair(folder: Path, migrated: Path, members_too: bool) -> Iterator[Pair]:
    models = paths.CHECKOUT / "models"
    with time_machine.travel(worlds.NOW + timedelta(hours=5), tick=False):
        left = worlds.build(folder / "left", migrated, "left", members_too=members_too, models=models)
        right = worlds.build(folder / "right", migrated, "right", members_too=members_too, models=models)
        yield left, right
        left.close()
        right.close()


@pytest.fixture(scope="module")
def for_outsiders(tmp_path_factory: pytest.TempPathFactory, migrated: Path, logged: Lines) -> Iterator[Pair]:
    yield from _pair(tmp_path_factory.mktemp("outside"), migrated, members_too=True)


@pytest.fixture(scope="module")
def for_members(tmp_path_factory: pytest.TempPathFactory, migrated: Path, logged: Lines) -> Iterator[Pair]:
    yield from _pair(tmp_path_factory.mktemp("inside"), migrated, members_too=False)


def differing(pair: Pair, person: str, asked: list[str]) -> list[str]:
    """The addresses at which the two answer this person differently, or name what is confidential."""
    left, right = pair
    found = []
    for path in asked:
        here, there = left.ask(person, path), right.ask(person, path)
        if here != there or CANARY.encode() in here[2]:
            found.append(f"{person} {path}: {here[0]} and {there[0]}")
    return found


def asked_of(pair: Pair) -> list[str]:
    return list(dict.fromkeys(worlds.paths(pair[0])))


@pytest.mark.parametrize("person", [*OUTSIDERS, *MEMBERS])
def test_nobody_without_rights_feels_what_is_confidential(request: pytest.FixtureRequest, person: str) -> None:
    pair: Pair = request.getfixturevalue("for_members" if person in MEMBERS else "for_outsiders")
    every = asked_of(pair)
    asked = every if person in THOROUGH else every[::OTHERS_ASK]
    people = [*OUTSIDERS, *MEMBERS]
    assert sum(len(every) if one in THOROUGH else len(every) // OTHERS_ASK for one in people) >= LEAST_PAIRS
    # Administrators answer for the installation: its log, which names listings by number alone, and the size of its
    # index are theirs to read.
    asked = [path for path in asked if person != "administrator" or not path.startswith(("/audit", "/healthz"))]
    assert differing(pair, person, asked) == []


def test_letters_to_others_and_the_log_hold_no_confidential_word(for_outsiders: Pair, logged: Lines) -> None:
    for person in OUTSIDERS:
        assert differing(for_outsiders, person, sample(for_outsiders)[:6]) == []
    letters: list[Letter] = []
    for world in for_outsiders:
        with world.app.extensions["techex.database"].reading() as session:
            letters += session.scalars(select(Letter))
    told = {letter.recipient for letter in letters if CANARY in letter.text}
    assert told == {CAST[name].email for name in ("engineer", "editor")}, "editors and managers of what was returned"
    assert [line for line in logged.lines if CANARY in line] == []


def _asked_for(world: World, person: str, path: str) -> list[str]:
    """The SQL that a reply takes: how many statements, and which."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    engine = world.app.extensions["techex.database"].engine
    event.listen(engine, "before_cursor_execute", note)
    world.ask(person, path)
    event.remove(engine, "before_cursor_execute", note)
    return asked


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for cycles in what all tests have made: it takes a second, of whoever happens to be measured."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_a_reply_takes_the_same_work_whatever_is_hidden(for_outsiders: Pair) -> None:
    """The same statements, and as much of the processor, within what chance does to it."""
    asked, spent = sample(for_outsiders), [0.0, 0.0]
    for person in ("anonymous", "stranger"):
        for path in asked:
            here, there = (_asked_for(world, person, path) for world in for_outsiders)
            assert here == there, f"{person} {path}"
        with uncollected():
            for side, world in enumerate(for_outsiders):
                began = time.process_time()
                for path in asked:
                    world.ask(person, path)
                spent[side] += time.process_time() - began
    assert 0.5 < spent[0] / spent[1] < 2.0, spent


# ---- changes that leak


def _everything_shown(patch: pytest.MonkeyPatch) -> None:
    for module in (queries, service):
        patch.setattr(module, "shown", lambda context: (Listing.state == "published",))


def _drafts_shown(patch: pytest.MonkeyPatch) -> None:
    for module in (queries, service):
        patch.setattr(module, "shown", lambda context: (Listing.visibility == "public",))


def _details_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "may_see", lambda actor, state, *rest: state == "published")


def _owners_filtered_by(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(queries, "owner_known", lambda context: true())


def _owners_named(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "may_know_owner", lambda *given: True)


def _fields_unguarded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(service, "hidden_fields", lambda actor, owner: frozenset())


def _guarded_texts_quoted(patch: pytest.MonkeyPatch) -> None:
    texts = property(lambda listing: {name: listing.body[name] for name in BODY_FIELDS if listing.body.get(name)})
    patch.setattr(Listing, "texts", texts)


def _matched_with_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(results, "visible_classes", lambda actor: frozenset(Visibility))


def _refused_instead_of_absent(patch: pytest.MonkeyPatch) -> None:
    real = service.get_visible

    def told(session: Any, context: Any, listing_id: int, *rest: Any, **more: Any) -> Listing:
        listing = session.get(Listing, listing_id)
        if listing is not None and not service.sees(context, listing):
            raise NotAllowed("This listing is not for you.")
        return real(session, context, listing_id, *rest, **more)

    patch.setattr(service, "get_visible", told)


def _title_in_the_refusal(patch: pytest.MonkeyPatch) -> None:
    real = service.get_visible

    def told(session: Any, context: Any, listing_id: int, *rest: Any, **more: Any) -> Listing:
        listing = session.get(Listing, listing_id)
        if listing is not None and not service.sees(context, listing):
            raise service.NotFound(f"{listing.title} is not shown.")
        return real(session, context, listing_id, *rest, **more)

    patch.setattr(service, "get_visible", told)


def _teasers_for_all(patch: pytest.MonkeyPatch) -> None:
    real = disclosure.teasers

    def told(session: Session, context: Context, *rest: Any) -> Any:
        member = replace(context.actor, memberships=(Membership(0, MemberRole.VIEWER, True),))
        return real(session, Context(member, context.now), *rest)

    patch.setattr(disclosure, "teasers", told)


def _own_house_left_out(patch: pytest.MonkeyPatch) -> None:
    real = results.index_filters

    def told(filters: Any, place: Any, listing: Any, siblings: Any = (), verified: Any = frozenset()) -> Any:
        if listing is not None:
            session = object_session(listing)
            same = Listing.organisation_id == listing.organisation_id
            siblings = session.scalars(select(Listing.id).where(same)).all() if session else ()
        return real(filters, place, listing, siblings, verified)

    patch.setattr(results, "index_filters", told)


def _health_counts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(admin_views, "_COUNTS", ())


def _totals_of_all(patch: pytest.MonkeyPatch) -> None:
    real = queries.totals

    def told(session: Session, context: Context) -> Any:
        return real(session, Context(COMMAND_LINE, context.now))

    patch.setattr(queries, "totals", told)


def _kind_of_owner_in_the_index(patch: pytest.MonkeyPatch) -> None:
    real = search_queries._facts

    def told(row: Any, *rest: Any) -> Any:
        return replace(real(row, *rest), organisation=row.organisation_id, organisation_kind=row.organisation_kind)

    patch.setattr(search_queries, "_facts", told)


def _found_by_guarded_fields(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(search_queries, "_FOUND_BY", BODY_FIELDS)


def _one_partition(patch: pytest.MonkeyPatch) -> None:
    real = search_queries.items

    def told(*given: Any) -> Any:
        for item in real(*given):
            yield replace(item, key=(Visibility.PUBLIC, item.key[1]))

    patch.setattr(search_queries, "items", told)


def _means_of_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(search_queries, "Visibility", _Open(search_queries.Visibility))


class _Open:
    """Visibility, whose public class is whatever a row has: a condition that always holds."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.PUBLIC = type("Any", (), {"value": Listing.visibility})

    def __call__(self, code: str) -> Any:
        return self.real(code)


Leak = Callable[[pytest.MonkeyPatch], None]
LEAKS: tuple[Leak, ...] = (
    *(_everything_shown, _drafts_shown, _details_open, _owners_filtered_by, _owners_named, _fields_unguarded),
    *(_guarded_texts_quoted, _matched_with_all, _refused_instead_of_absent, _title_in_the_refusal, _teasers_for_all),
    *(_own_house_left_out, _health_counts, _totals_of_all),
)
# These show once the index is read, or learned from, anew.
INDEX_LEAKS: tuple[Leak, ...] = (_kind_of_owner_in_the_index, _found_by_guarded_fields, _one_partition, _means_of_all)


def sample(pair: Pair) -> list[str]:
    """A few addresses of each sort: enough for any of the leaks above."""
    ids = pair[0].ids
    hidden = [ids[name] for name in ("restricted.0", "restricted.1", "members.0", "members.1", "state.draft")]
    asked = ["/", "/needs", "/results", "/places", "/places/VN-33", "/on-request", "/healthz", "/organisations"]
    asked += ["/needs?q=left-house", "/needs?organisation=left-house", "/results?org=institute", "/results?page=2"]
    asked += [f"/{kind}/{number}" for kind in ("needs", "results") for number in hidden]
    asked += [f"/results/{ids['open.1']}", f"/results/{ids['open.3']}", f"/needs/{ids['anonymous.1']}"]
    asked += [
        f"/matches/{ids[name]}"
        for name in ("open.0", "open.2", "house.0", "house.1", "house.2", "house.3", "anonymous.1")
    ]
    texts = ("dye+house+waste+water+colour+removal+membrane", f"{PROBE}+water", PROBE, "heat+pump")
    asked += [f"/matches?text={text}{more}" for text in texts for more in ("", "&for=need", "&org=institute")]
    return asked


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__.strip("_"))
def test_a_leak_is_caught(for_outsiders: Pair, monkeypatch: pytest.MonkeyPatch, leak: Leak) -> None:
    leak(monkeypatch)
    for world in for_outsiders:
        world.app.extensions.pop("techex.flows", None)
    assert differing(for_outsiders, "anonymous", sample(for_outsiders)) != []


@pytest.mark.parametrize("leak", INDEX_LEAKS, ids=lambda leak: leak.__name__.strip("_"))
def test_a_leak_through_the_index_is_caught(for_outsiders: Pair, monkeypatch: pytest.MonkeyPatch, leak: Leak) -> None:
    leak(monkeypatch)
    for world in for_outsiders:
        world.index_anew(learn=leak is _means_of_all)
    found = differing(for_outsiders, "anonymous", sample(for_outsiders))
    monkeypatch.undo()
    for world in for_outsiders:
        world.index_anew(learn=leak is _means_of_all)
    assert found != []
    assert differing(for_outsiders, "anonymous", sample(for_outsiders)) == []
