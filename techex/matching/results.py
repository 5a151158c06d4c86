"""A ranking as the page a reader sees: filtered, counted, hydrated, with strengths and reasons."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.embedding.passages import WHOLE_FIELD
from techex.embedding.tables import PassageRow
from techex.listings import queries as listing_queries
from techex.listings import service as listings
from techex.listings.rules import BODY_FIELDS, Kind, visible_classes
from techex.listings.tables import Listing
from techex.matching import evidence, ranking, scoring
from techex.matching.candidates import LEXICAL, Query
from techex.matching.declared import declared_facts
from techex.matching.evidence import Side
from techex.matching.heeding import Said
from techex.matching.learned import NOTHING, Learned
from techex.matching.ranking import Ranking
from techex.matching.rules import PAGE_SIZE, Fact, Filters, Match, MatchPage, Mode, Reason, Understood
from techex.matching.strength import EXPLORE, band, falling, strength, strength_of_words
from techex.organisations import queries as organisation_queries
from techex.quantities.reading import find_quantities
from techex.regions import service as regions
from techex.regions import working_days
from techex.regions.rules import HOME_COUNTRY, Place
from techex.search.collection import Collection
from techex.search.dense import IntArray
from techex.search.facts import FACTS, FactRows, Reach, Where, counted, facts_of
from techex.search.facts import Filters as IndexFilters
from techex.search.partitions import Partition

# Where nothing fits, the nearest are shown so that a reader sees how near that is.
CLOSEST = 3
# Fields of science that most of the best candidates share are taken for the text's own.
FIELDS_FROM = 5
MOST_FIELDS = 2
MOST_QUANTITIES = 6
NOBODY = -1  # an organisation that no listing is of
# Filters and the column of facts that each is counted from.
FACETS: Mapping[str, str] = {
    "fields": "fields",
    "transfer_forms": "transfer_forms",
    "countries": "country",
    "provinces": "province",
    "regions": "region",
    "ip_statuses": "ip_status",
    "organisation_kinds": "organisation_kind",
}


@dataclass(frozen=True)
class Asked:
    """What is searched for, by whom: the query, its passages to quote, the reader's place, the listing if it is one."""

    query: Query
    own: Side
    kind: Kind  # of what is looked for
    place: Place | None
    filters: Filters
    listing: Listing | None = None


@dataclass
class Results:
    """The ranked listings that one reader may see for one question."""

    session: Session
    context: Context
    collection: Collection
    asked: Asked
    learned: Learned = NOTHING
    notes: Sequence[str] = field(default=())
    also: Sequence[int] = ()  # listings to be ranked even where they are no candidates
    said: Said | None = None  # what the reader said of some of them, to be heeded by the order

    @cached_property
    def partitions(self) -> tuple[Partition, ...]:
        """The partitions this reader may search."""
        return self.collection.view(visible_classes(self.context.actor), self.asked.kind)

    @cached_property
    def ranked(self) -> Ranking:
        """All candidates under the filters."""
        return self._bare_and_ranked[1]

    @cached_property
    def _bare_and_ranked(self) -> tuple[Ranking, Ranking]:
        """The order without what the reader said, which strength is read from, and that of the list."""
        today = working_days.here(self.context.now)
        query, limits = self.asked.query, self.limits
        if self.said is not None:
            return ranking.both(self.partitions, query, limits, self.said, self.learned, today)
        bare = ranking.rank(self.partitions, query, limits, learned=self.learned, also=self.also, today=today)
        return bare, bare

    @cached_property
    def limits(self) -> IndexFilters:
        """What a listing must be to be ranked: the reader's filters, and what a pair must not be."""
        asked = self.asked
        return index_filters(asked.filters, asked.place, asked.listing, self._siblings(), self.verified)

    @cached_property
    def verified(self) -> frozenset[int]:
        """The organisations that somebody has checked, where the reader asks for these only."""
        return organisation_queries.verified_ids(self.session) if self.asked.filters.verified else frozenset()

    def _siblings(self) -> Sequence[int]:
        """Listings of the asking one's organisation that the index does not know as such, and this reader does."""
        listing = self.asked.listing
        if listing is None or not listings.knows_owner(self.context, listing):
            return ()
        return listing_queries.siblings_of(self.session, self.context, listing)

    @property
    def mode(self) -> Mode:
        """Whether meaning was compared, or words alone."""
        return "keywords" if self.asked.query.whole is None else "vectors"

    @cached_property
    def strengths(self) -> scoring.Numbers:
        """(n,) 0 to 100, not rounded. They fall along the list, unless it heeds what its reader said: that moves a
        listing, but makes no pair stronger."""
        bare, ranked = self._bare_and_ranked
        words = self.asked.query.words
        if self.mode == "keywords":
            found = strength_of_words(bare.parts[LEXICAL] / scoring.lexical_weight(words))
        else:
            found = self.learned.strength(falling(strength(bare.plain, words)))
        if bare is ranked:
            return found
        # What only the order that heeds has found has no place in the other; its strength is its own.
        own = self.learned.strength(strength(ranked.plain, words))
        ascending = np.argsort(bare.ids)
        places = ascending[np.searchsorted(bare.ids, ranked.ids, sorter=ascending).clip(max=len(bare) - 1)]
        return np.where(bare.ids[places] == ranked.ids, found[places], own)

    @cached_property
    def listed(self) -> Sequence[int]:
        """Places in `ranked` of what is listed: all that fits, and as many as fit of those that stand before it."""
        fits = self.strengths >= EXPLORE
        fitting = int(np.count_nonzero(fits))
        if not fitting:
            return range(min(CLOSEST, len(self.ranked)))
        found: list[int] = np.flatnonzero(fits | (np.arange(len(fits)) < fitting)).tolist()
        return found

    def page(self, number: int) -> MatchPage:
        """One page of matches; the last one for a number beyond it."""
        suitable = bool((self.strengths >= EXPLORE).any())
        if self.said is not None and not suitable:  # what comes closest does so whatever was said
            return replace(self, said=None).page(number)
        total = int(np.count_nonzero(self.strengths >= EXPLORE)) if suitable else len(self.listed)
        pages = max(1, -(-len(self.listed) // PAGE_SIZE))
        number = min(max(number, 1), pages)
        first = (number - 1) * PAGE_SIZE
        return MatchPage(
            self._matches(first),
            total,
            number,
            pages,
            self._understood(),
            suitable,
            self.mode,
            self._facets(),
            self.notes,
            len(self.said.grades) if self.said else 0,
        )

    def _matches(self, first: int) -> list[Match]:
        places = self.listed[first : first + PAGE_SIZE]
        ids = [int(self.ranked.ids[place]) for place in places]
        rows = listings.visible_by_id(self.session, self.context, ids)
        sides = self._sides(ids)
        return [
            Match(
                row,
                number,
                round(float(self.strengths[place])),
                band(float(self.strengths[place])),
                float(self.ranked.scores[place]),
                regions.distance_between(self.asked.place, row.place) if self.asked.place else None,
                self._reason(row, sides.get(row.id)),
            )
            for number, (place, listing_id) in enumerate(zip(places, ids, strict=True), first + 1)
            if (row := rows.get(listing_id)) is not None
        ]

    def _sides(self, ids: Sequence[int]) -> Mapping[int, Side]:
        """The passages of listings with their texts, by listing; the whole text is no quote."""
        texts: dict[tuple[int, int], str] = {}
        languages: dict[int, str] = {}
        for row in self.session.execute(passage_texts(ids)):
            texts[row.listing_id, row.position] = row.text
            languages[row.listing_id] = row.language
        found: dict[int, tuple[list[str], list[Any]]] = defaultdict(lambda: ([], []))
        for partition in self.partitions:
            held = partition.passages(np.array(ids, np.int64))
            whole = held.is_label("field", WHOLE_FIELD)
            for place, owner, position, vector in zip(
                range(len(whole)), held.owners.tolist(), held.positions.tolist(), held.vectors, strict=True
            ):
                text = texts.get((ids[owner], position))
                if text is not None and not whole[place]:
                    found[ids[owner]][0].append(text)
                    found[ids[owner]][1].append(vector)
        return {
            listing: Side(own, np.array(vectors, np.float32), languages[listing])
            for listing, (own, vectors) in found.items()
        }

    def _reason(self, row: Listing, theirs: Side | None) -> Reason:
        own, asking = self.asked.own, self.asked.listing
        quotes = evidence.quotes(own, theirs, self.ranked.idf) if theirs else []
        spoken = Side([self.asked.query.text], own.vectors, self.asked.query.language)
        said = Side([row.title, row.summary, *row.texts.values()], own.vectors, row.language)
        terms = evidence.shared_terms(spoken, said, self.ranked.idf)
        return Reason(quotes, terms, _facts(self.context, asking, row) if asking is not None else [])

    def _understood(self) -> Understood:
        query, asking = self.asked.query, self.asked.listing
        if asking is not None:
            return Understood(asking.language, self.asked.place, (), tuple(asking.fields))
        quantities = [
            query.text[found.start : found.end].strip() for found in find_quantities(query.text, query.language)
        ]
        labels = self.collection.tables.labels
        often = Counter(
            code for row in self._facts(self.ranked.ids[:PAGE_SIZE]) for code in facts_of(row, labels).fields
        )
        fields = [code for code, count in often.most_common(MOST_FIELDS) if count >= FIELDS_FROM]
        chosen = tuple(dict.fromkeys(quantities))[:MOST_QUANTITIES]
        return Understood(query.language, self.asked.place, chosen, fields if self.mode == "vectors" else ())

    def _facets(self) -> dict[str, Sequence[tuple[str, int]]]:
        """For each filter its values among the matches, the most frequent first."""
        counts = counted(self._facts(self.ranked.ids[self.listed]), self.collection.tables.labels)
        return {
            name: sorted(counts[column].items(), key=lambda item: (-item[1], item[0]))
            for name, column in FACETS.items()
        }

    def _facts(self, ids: IntArray) -> FactRows:
        """(n,) the facts of ranked listings, in their order."""
        found = [partition.fact_rows(ids) for partition in self.partitions]
        if len(found) == 1:  # one visibility class: its facts need not be joined with others
            places, rows = found[0]
            return rows[np.argsort(places)]
        places = np.concatenate([np.empty(0, np.int64), *(places for places, _ in found)])
        return np.concatenate([np.empty(0, FACTS), *(rows for _, rows in found)])[np.argsort(places)]


def index_filters(
    filters: Filters,
    place: Place | None,
    listing: Listing | None,
    siblings: Sequence[int] = (),
    verified: frozenset[int] = frozenset(),
) -> IndexFilters:
    """The reader's filters as the index applies them; an organisation is not matched with itself.

    What is missing from a list tells as much as what is in it: an anonymous listing stays among the matches of its own
    organisation, and the other way round, but for readers who know whose it is (`siblings`).
    """
    elsewhere: tuple[str, str | None] | None = None
    if filters.elsewhere and place is not None:
        elsewhere = (place.country, regions.region_of(place.province) if place.country == HOME_COUNTRY else None)
    within: tuple[Reach, Where] | None = None
    seen_from: Where | None = None
    if listing is not None:
        # How far to look is a condition of whoever said it: of the need as of the result.
        seen_from = Where(listing.country, regions.region_of(listing.province), listing.province)
        within = (cast(Reach, listing.reach), seen_from) if listing.reach else None
    return IndexFilters(
        countries=frozenset(filters.countries),
        provinces=frozenset(filters.provinces),
        regions=frozenset(filters.regions),
        fields=frozenset(filters.fields),
        trl_min=filters.trl_min,
        ip_statuses=frozenset(filters.ip_statuses),
        transfer_forms=frozenset(filters.transfer_forms),
        organisation_kinds=frozenset(filters.organisation_kinds),
        # The index knows no owner of an anonymous listing, so these are not of a verified one.
        organisations=verified | {NOBODY} if filters.verified else frozenset(),
        elsewhere_than=elsewhere,
        within=within,
        seen_from=seen_from,
        without_organisations=frozenset({listing.organisation_id} if listing and not listing.anonymous else ()),
        without_listings=frozenset(siblings),
    )


def passage_texts(ids: Sequence[int]) -> Select[int, int, str, str]:
    """listing_id, position, language and text of the passages that listings are quoted by: those in their own language.

    A text in a further language helps to find a listing; the words of its owner are what is shown as the reason.
    """
    columns = select(PassageRow.listing_id, PassageRow.position, PassageRow.language, PassageRow.text)
    own = columns.join(Listing, Listing.id == PassageRow.listing_id).where(PassageRow.language == Listing.language)
    return own.where(PassageRow.listing_id.in_(ids))


def _facts(context: Context, asking: Listing, row: Listing) -> list[Fact]:
    need, offer = (asking, row) if asking.is_need else (row, asking)
    return declared_facts(_values(context, need), _values(context, offer), need.place, offer.place)


def _values(context: Context, listing: Listing) -> dict[str, Any]:
    """What the reader may read of a listing, by field."""
    names = ("title", "summary", "trl", "ip_status", "reach", "budget_min", "budget_max", "price", "currency")
    values: dict[str, Any] = {name: getattr(listing, name) for name in names}
    values |= {"deadline": listing.deadline, "validity": listing.validity}
    values |= {"fields": listing.fields, "transfer_forms": listing.transfer_forms}
    values |= {name: listing.body.get(name) for name in (*BODY_FIELDS, "partner_kinds")}
    values["organisation_kind"] = listing.kind_of_owner
    return values | dict.fromkeys(listings.guarded(context, listing))
