"""The demo exchange as a judged set of listings, in memory: needs, offers, and what fits what.

Listings are indexed here as they are on the pages (fields, languages, facts): what is measured is what is served.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from techex.embedding import centring
from techex.embedding.encoders import Encoder, FloatArray, Progress
from techex.embedding.passages import Passage, passages_of, words_of
from techex.interchange.demo import DemoExchange, DemoListing, Judgement
from techex.listings.rules import BODY_FIELDS, FIELD_BY_NAME, Kind, ListingDraft, Visibility
from techex.matching.candidates import Query
from techex.matching.ranking import Ranking, rank
from techex.matching.scoring import ALL_PARTS, Parts
from techex.matching.structure import Wanted
from techex.quantities import compact
from techex.regions.service import region_of
from techex.search.analysis import listing_terms
from techex.search.collection import Centring, Collection, Item, centring_class
from techex.search.facts import Facts
from techex.search.partitions import Partition
from techex.search.segments import Entry
from techex.search.segments import Passage as IndexedPassage


@dataclass(frozen=True)
class GoldNeed:
    """A need with its query and judgments: offer key -> 2 fits, 1 partly, 0 does not."""

    key: str
    language: str
    query: Query
    grades: Mapping[str, int]
    unmatched: bool


@dataclass(frozen=True)
class GoldSet:
    """Offers in one partition, needs with judgments, and some of the needs once more in another language."""

    offers: Partition
    names: Sequence[str]  # key of the offer with the listing id i + 1
    languages: Mapping[str, str]  # of offers, by key
    needs: Sequence[GoldNeed]
    parallel: Sequence[tuple[GoldNeed, GoldNeed]]
    _rankings: dict[tuple[int, Parts], Ranking] = field(default_factory=dict, compare=False, repr=False)

    def ranked(self, need: GoldNeed, parts: Parts = ALL_PARTS) -> Ranking:
        """The offers for one of its needs, ranked once."""
        key = (id(need), parts)
        if key not in self._rankings:
            self._rankings[key] = rank([self.offers], need.query, None, parts)
        return self._rankings[key]


def gold_set(
    exchange: DemoExchange, encoder: Encoder, means: Centring | None = None, progress: Progress | None = None
) -> GoldSet:
    """Embed and index a demo exchange. `means` replaces the centring that would be learned from it."""
    offers, needs = exchange.of_kind(Kind.OFFER), exchange.of_kind(Kind.NEED)
    twins = [(judgement.need, _twin(judgement, needs)) for judgement in exchange.judgements if judgement.parallel]
    drafts = [listing.draft for listing in (*offers, *needs)] + [draft for _, draft in twins]
    passages = [_passages(draft) for draft in drafts]
    vectors = _embedded(encoder, passages, progress)
    listed = len(offers) + len(needs)
    groups = defaultdict(list)
    for draft, own, rows in zip(drafts[:listed], passages, vectors, strict=False):
        for passage, row in zip(own, rows, strict=True):
            groups[draft.language, draft.kind.value, centring_class(passage.field, passage.length_class)].append(row)
    means = means or centring.learn(encoder.card, [(*key, np.array(rows)) for key, rows in groups.items()])
    items = [
        Item((Visibility.PUBLIC, Kind.OFFER), _entry(number, draft, own, rows))
        for number, (draft, own, rows) in enumerate(zip(drafts[: len(offers)], passages, vectors, strict=False), 1)
    ]
    collection = Collection.build(items, card_key=encoder.card.key, dimension=encoder.dimension, centring=means)
    owners = {listing.key: exchange.kind_of(listing.organisation) for listing in needs}
    asking = [*owners.values(), *(owners[key] for key, _ in twins)]
    queries = [
        _query(draft, own, rows, means, kind)
        for draft, own, rows, kind in zip(
            drafts[len(offers) :], passages[len(offers) :], vectors[len(offers) :], asking, strict=True
        )
    ]
    judged = {judgement.need: judgement for judgement in exchange.judgements}
    gold = [_need(listing, query, judged[listing.key]) for listing, query in zip(needs, queries, strict=False)]
    by_key = {need.key: need for need in gold}
    pairs = [
        (by_key[key], replace(by_key[key], query=query, language=draft.language))
        for (key, draft), query in zip(twins, queries[len(needs) :], strict=True)
    ]
    partition = collection.partitions[Visibility.PUBLIC, Kind.OFFER]
    languages = {listing.key: listing.draft.language for listing in offers}
    return GoldSet(partition, [listing.key for listing in offers], languages, gold, pairs)


def _need(listing: DemoListing, query: Query, judgement: Judgement) -> GoldNeed:
    return GoldNeed(listing.key, listing.draft.language, query, judgement.grades, judgement.unmatched)


def _twin(judgement: Judgement, needs: Sequence[DemoListing]) -> ListingDraft:
    own = next(listing.draft for listing in needs if listing.key == judgement.need)
    texts: dict[str, Any] = {name: text for name, text in judgement.parallel.items() if name != "language"}
    facts = {name: value for name, value in own.values.items() if name not in (*BODY_FIELDS, "title", "summary")}
    return replace(own, language=judgement.parallel["language"], values=facts | texts)


def _passages(draft: ListingDraft) -> list[Passage]:
    body = {name: draft.values[name] for name in BODY_FIELDS if draft.values.get(name) and FIELD_BY_NAME[name].embedded}
    return passages_of(draft.values["title"], draft.values["summary"], body, draft.language)


def _embedded(encoder: Encoder, passages: Sequence[Sequence[Passage]], progress: Progress | None) -> list[FloatArray]:
    flat = encoder.encode([passage.text for own in passages for passage in own], "listing", progress)
    return np.split(flat, np.cumsum([len(own) for own in passages])[:-1])


def _entry(number: int, draft: ListingDraft, passages: Sequence[Passage], vectors: FloatArray) -> Entry:
    held = [IndexedPassage(p.position, p.field, p.language, p.length_class, p.digest) for p in passages]
    facts = Facts(
        language=draft.language,
        country=draft.country,
        province=draft.province,
        region=region_of(draft.province),
        fields=tuple(draft.values.get("fields") or ()),
        trl=draft.values.get("trl"),
        ip_status=draft.values.get("ip_status"),
        transfer_forms=tuple(draft.values.get("transfer_forms") or ()),
        industry=draft.values.get("industry"),
        reach=draft.values.get("reach"),
        sdg=tuple(draft.values.get("sdg") or ()),
        partner_kinds=tuple(draft.values.get("partner_kinds") or ()),
    )
    text = _text(draft)
    figures = compact.stated(text, draft.language)
    return Entry(number, facts, listing_terms(text, draft.language), held, vectors, figures)


def _query(draft: ListingDraft, passages: Sequence[Passage], vectors: FloatArray, means: Centring, kind: str) -> Query:
    rows = np.concatenate(
        [
            means.apply(
                row[None], draft.language, draft.kind.value, centring_class(passage.field, passage.length_class)
            )
            for passage, row in zip(passages, vectors, strict=True)
        ]
    )
    text = _text(draft)
    wanted = Wanted.of(draft.kind, {**draft.values, "organisation_kind": kind})
    parts = rows[:-1] if len(rows) > 1 else rows
    figures = compact.asked(text, draft.language)
    return Query(text, draft.language, words_of(text), rows[-1], parts, wanted, figures=figures)


def _text(draft: ListingDraft) -> str:
    return "\n".join(draft.values[name] for name in ("title", "summary", *BODY_FIELDS) if draft.values.get(name))
