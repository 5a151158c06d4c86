"""Matching's public face: matches for a text or a listing, with their reasons; needs and offers look for each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.database import Database
from techex.core.text import clean
from techex.core.vocabulary import N_
from techex.embedding.cards import ModelCard
from techex.embedding.encoders import Encoder, load_encoder
from techex.embedding.languages import detect
from techex.embedding.passages import WHOLE_FIELD, words_of
from techex.errors import Environment
from techex.listings import service as listings
from techex.listings.rules import Kind, visible_classes
from techex.listings.tables import Listing
from techex.matching import places_in_text, ranking, verdicts, versions
from techex.matching.asked import AskedText, text_query
from techex.matching.candidates import Query
from techex.matching.evidence import Side
from techex.matching.heeding import Said
from techex.matching.pairs import Pairs
from techex.matching.results import Asked, Results, index_filters, passage_texts
from techex.matching.rules import NO_FILTERS, Band, Filters, MatchPage, Standing
from techex.matching.standing import standing
from techex.matching.strength import REVIEW, band, falling, strength
from techex.matching.structure import Wanted
from techex.quantities import units
from techex.regions.rules import Place
from techex.search.collection import Collection
from techex.search.partitions import Partition
from techex.search.service import SearchIndex
from techex.settings import Settings

if TYPE_CHECKING:
    from techex.matching.best_pairs import Asked as AskedPairs
    from techex.matching.best_pairs import Count, Pair, Progress
    from techex.matching.verdicts import Shown

KEYWORDS_ONLY = N_(
    "The language model is not ready, so only words are compared: texts in other languages are not found."
)
_log = logging.getLogger(__name__)


class Index(Protocol):
    """What a matcher needs of an index."""

    @property
    def card(self) -> ModelCard:
        """The model its vectors come from."""

    def collection(self) -> Collection:
        """Everything committed so far."""

    def known(self) -> Collection | None:
        """What was loaded last, without asking the database."""


class Matcher:
    """Matches over the listings of one exchange. Cheap to make: model and index are loaded at their first use.

    `index` is that of the settings unless another one is handed in.
    """

    def __init__(self, settings: Settings, database: Database, index: Index | None = None) -> None:
        self._settings = settings
        self._index: Index = index or SearchIndex(settings, database, self.encoder)
        self._learned = versions.Following(self._index.card.key)
        self.pairs = Pairs(
            lambda texts: self.encoder().encode(texts, "listing"), lambda: self._index.collection().centring
        )
        self._encoder: Encoder | None = None
        self._reason = ""
        self._loading = threading.Lock()

    def encoder(self) -> Encoder:
        """The model, loaded once. Raises Environment errors that name the command that repairs it."""
        with self._loading:
            if self._encoder is None:
                settings = self._settings
                try:
                    self._encoder = load_encoder(
                        self._index.card,
                        settings.models_dir,
                        engine=settings.engine or None,
                        threads=settings.threads,
                    )
                except Environment as error:
                    self._reason = str(error)
                    raise
                self._reason = ""
            return self._encoder

    def warm(self) -> None:
        """Load index and model and answer one question, so that the first visitor does not wait."""
        self._index.collection()
        text_query("warm", self.encoder(), "en")
        units.warm()

    def state(self) -> dict[str, Any]:
        """Model and index, for machines; loads neither."""
        model: dict[str, Any] = {"ok": not self._reason, "card": self._index.card.name}
        if self._reason:
            model["reason"] = self._reason
        known = self._index.known()
        index: dict[str, Any] = {"ok": True, "listings": 0, "change": 0}
        if known is not None:
            index |= {"listings": known.listing_count, "change": known.version}
        return {"model": model, "index": index}

    def matches_for_text(
        self,
        session: Session,
        context: Context,
        text: str,
        kind: Kind = Kind.OFFER,
        language: str | None = None,
        place: Place | None = None,
        filters: Filters = NO_FILTERS,
        page: int = 1,
    ) -> MatchPage:
        """Listings of a kind that answer a free text, which may be in any language.

        `place` is the reader's own; where it is not given, one that the text names is taken. Raises BadInput for a
        text with characters that no text has.
        """
        return self._of_text(session, context, text, kind, language, place, filters).page(page)

    def _of_text(
        self,
        session: Session,
        context: Context,
        text: str,
        kind: Kind,
        language: str | None,
        place: Place | None,
        filters: Filters,
    ) -> Results:
        text = clean(text, "text")
        collection = self._index.collection()
        language = language or detect(text)[0]
        notes: tuple[str, ...] = ()
        try:
            asked = text_query(text, self.encoder(), language)
        except Environment as error:
            _log.warning("Only words are compared: %s", error)
            asked, notes = AskedText.of_words(text, language), (KEYWORDS_ONLY,)
        query = asked.centred(collection.centring, kind.other)
        vectors = query.passages if query.passages is not None else np.empty((0, 0), np.float32)
        own = Side([passage.text for passage in asked.quotable], vectors, language)
        what = Asked(query, own, kind, place or places_in_text.find(text), filters)
        learned = self._learned.at(session, collection.version)
        return Results(session, context, collection, what, learned, notes)

    def matches_for(
        self,
        session: Session,
        context: Context,
        listing: Listing,
        filters: Filters = NO_FILTERS,
        page: int = 1,
        heed: bool = False,
    ) -> MatchPage:
        """Listings of the other kind that answer a listing, those of its own organisation left out.

        `heed`: in the order that follows what the reader said of some of them, where they said something.
        """
        results = self._of_listing(session, context, listing, filters)
        if heed and results.mode == "vectors":
            results = replace(results, said=self._said(session, context, listing))
        return results.page(page)

    def _said(self, session: Session, context: Context, listing: Listing) -> Said | None:
        """What the reader said of listings that they may still see; words are those that everybody reads of them."""
        said = verdicts.said_of(session, context, listing)
        rows = listings.visible_by_id(session, context, sorted(said)) if said else {}
        if not rows:
            return None
        texts = {
            row.id: ("\n".join([row.title, row.summary, *row.texts.values()]), row.language)
            for row in rows.values()
            if said[row.id] > 0
        }
        return Said({listing_id: said[listing_id] for listing_id in rows}, texts)

    def _of_listing(self, session: Session, context: Context, listing: Listing, filters: Filters) -> Results:
        collection = self._index.collection()
        query, own = self._asking(session, collection, listing)
        what = Asked(query, own, Kind(listing.kind).other, listing.place, filters, listing)
        notes = (KEYWORDS_ONLY,) if query.whole is None else ()
        learned = self._learned.at(session, collection.version)
        return Results(session, context, collection, what, learned, notes)

    def standing_for_text(
        self,
        session: Session,
        context: Context,
        text: str,
        other: Listing,
        kind: Kind = Kind.OFFER,
        language: str | None = None,
        place: Place | None = None,
        filters: Filters = NO_FILTERS,
    ) -> Standing:
        """Where one listing stands among what answers a free text; arguments as in `matches_for_text`."""
        return standing(self._of_text(session, context, text, kind, language, place, filters), other)

    def standing_for(
        self, session: Session, context: Context, listing: Listing, other: Listing, filters: Filters = NO_FILTERS
    ) -> Standing:
        """Where one listing stands among what answers another."""
        return standing(self._of_listing(session, context, listing, filters), other)

    def shown(self, session: Session, context: Context, need: Listing, offer: Listing) -> Shown:
        """The numbers an offer stands with among the offers for a need; raises NotFound where it is no candidate."""
        from techex.matching.training import shown_in  # it stands on this module; only verdicts ask for it

        collection = self._index.collection()
        return shown_in(collection, self._learned.at(session, collection.version), context, need, offer)

    def best_pairs(
        self,
        session: Session,
        context: Context,
        asked: AskedPairs,
        count: Count | None = None,
        *,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> Iterator[Pair]:
        """The best pairs of two territories or of the whole exchange, need by need."""
        from techex.matching.best_pairs import best_pairs  # it stands on this module; only operators ask for it

        collection = self._index.collection()
        learned = self._learned.at(session, collection.version)
        return best_pairs(session, context, collection, learned, asked, workers=workers, progress=progress, count=count)

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        """(listing, its match, strength, band) for the best matches of several listings worth a second look.

        Stored vectors only, and no reasons; nothing for a listing that has no vectors yet.
        """
        collection = self._index.collection()
        learned = self._learned.at(session, collection.version)
        pairs: list[tuple[int, int, int, Band]] = []
        for listing in listings:
            query = stored_query(collection, listing)
            if query.whole is None:
                continue
            partitions = collection.view(visible_classes(context.actor), Kind(listing.kind).other)
            ranked = ranking.rank(partitions, query, index_filters(NO_FILTERS, None, listing), learned=learned)
            strengths = learned.strength(falling(strength(ranked.plain[:most], query.words)))
            for match, value in zip(ranked.ids.tolist(), strengths.tolist(), strict=False):
                if value >= REVIEW:
                    pairs.append((listing.id, match, round(value), band(value)))
        return pairs

    def _asking(self, session: Session, collection: Collection, listing: Listing) -> tuple[Query, Side]:
        """The query of a listing and its passages to quote; without vectors its words alone."""
        query = stored_query(collection, listing)
        held = _partition_of(collection, listing)
        if held is None:
            return query, Side((), np.empty((0, self._index.card.dimension), np.float32), listing.language)
        texts = {row.position: row.text for row in session.execute(passage_texts([listing.id]))}
        passages = held.passages(np.array([listing.id], np.int64))
        rows = [
            row
            for row, (position, whole) in enumerate(
                zip(passages.positions.tolist(), passages.is_label("field", WHOLE_FIELD), strict=True)
            )
            if position in texts and not whole
        ]
        quoted = [texts[position] for position in passages.positions[rows].tolist()]
        return query, Side(quoted, passages.vectors[rows], listing.language)


def stored_query(collection: Collection, listing: Listing) -> Query:
    """The query a listing makes, with the vectors the index has of it."""
    text = "\n".join([listing.title, listing.summary, *listing.texts.values()])
    stated = {"industry": listing.industry, "sdg": listing.body.get("sdg"), "trl": listing.trl}
    codes = {"fields": listing.fields, "transfer_forms": listing.transfer_forms}
    # Whose an anonymous listing is must not show in the order of what it finds.
    partner = {"partner_kinds": listing.body.get("partner_kinds"), "organisation_kind": listing.kind_of_owner}
    wanted = Wanted.of(Kind(listing.kind), stated | codes | partner)
    side = Kind(listing.kind)
    partition, at = _partition_of(collection, listing), np.array([listing.id], np.int64)
    passages = partition.passages(at) if partition else None
    if partition is None or passages is None or not len(passages.owners):
        return Query(text, listing.language, words_of(text), wanted=wanted, side=side)
    whole = passages.is_label("field", WHOLE_FIELD)
    parts = passages.vectors[~whole] if whole.any() and not whole.all() else passages.vectors
    figures, _ = partition.figures(at)
    return Query(text, listing.language, words_of(text), passages.vectors[-1], parts, wanted, side, figures)


def _partition_of(collection: Collection, listing: Listing) -> Partition | None:
    """The partition that holds a listing; None if it is in none."""
    at = np.array([listing.id], np.int64)
    for (_, kind), partition in collection.partitions.items():
        if kind == listing.kind and len(partition.passages(at).owners):
            return partition
    return None
