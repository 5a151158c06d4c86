"""A second, real implementation of what the pages ask of matching: shared words, no model, no index.

Slow and simple on purpose; page tests use it so that they depend on the contract and not on the engine.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.embedding.cards import load_card
from techex.embedding.encoders import load_encoder
from techex.errors import NotFound
from techex.listings import queries
from techex.listings import service as listings
from techex.listings.rules import Kind
from techex.listings.tables import Listing
from techex.matching.best_pairs import Asked, Count, Pair
from techex.matching.pairs import Pairs
from techex.matching.rules import (
    NO_FILTERS,
    PAGE_SIZE,
    Band,
    Fact,
    Filters,
    Match,
    MatchPage,
    Quote,
    Reason,
    Standing,
    Understood,
)
from techex.matching.verdicts import Shown
from techex.regions import service as regions
from techex.regions.rules import Place
from techex.search.collection import Raw

FLOOR = 8  # strength below which two listings share words by chance
QUANTITY = re.compile(r"\d[\d.,]*\s?(?:°C|kg|m³|%|ha|kWh|mm)")


@lru_cache(maxsize=4096)
def words(text: str) -> frozenset[str]:
    return frozenset(word for word in re.findall(r"\w+", text.casefold()) if len(word) > 3)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?。])\s*", text) if part]


def texts_of(listing: Listing) -> list[str]:
    return [listing.title, listing.summary, *listing.texts.values()]


# Listings with their words: read once where many are matched with the same ones.
Worded = Sequence[tuple[Listing, frozenset[str]]]


class WordMatcher:
    """Matches by the share of words that two texts have in common."""

    def __init__(self) -> None:
        encoder = load_encoder(load_card("hashing"), Path())
        self.pairs = Pairs(lambda texts: encoder.encode(texts, "listing"), Raw)

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
        language = language or ("vi" if re.search(r"[ạảấầẩậắằẵặẹẻẽếềểễệỉịọỏốồổộớờởỡợụủứừửữựỳỵỷỹđ]", text) else "en")
        understood = Understood(language, place, QUANTITY.findall(text))
        return self._page(session, context, [text], language, place, kind, filters, page, understood, None)

    def matches_for(
        self,
        session: Session,
        context: Context,
        listing: Listing,
        filters: Filters = NO_FILTERS,
        page: int = 1,
        heed: bool = False,
        among: Worded | None = None,
    ) -> MatchPage:
        own = texts_of(listing)
        understood = Understood(listing.language, listing.place, (), listing.fields)
        kind = Kind(listing.kind).other
        return self._page(
            session, context, own, listing.language, listing.place, kind, filters, page, understood, listing, among
        )

    def best_pairs(
        self, session: Session, context: Context, asked: Asked, count: Count | None = None
    ) -> Iterator[Pair]:
        needs = [row for row in session.scalars(listings.visible(context)).unique() if row.is_need]
        offers, filters = (
            self._worded(session, context, Kind.OFFER),
            replace(asked.origin.filters, elsewhere=asked.across),
        )
        for need in needs:
            if asked.application.places and need.place not in asked.application.places:
                continue
            page = self.matches_for(session, context, need, filters, among=offers)
            heads = queries.heads_of(session, context, [need.id, *(one.listing.id for one in page.matches)])
            for one in page.matches[: asked.top]:
                if one.strength >= asked.least:
                    ends = heads[need.id], heads[one.listing.id]
                    yield Pair(*ends, one.strength, one.band, one.score, one.distance_km)

    def outline(
        self, session: Session, context: Context, listings: Sequence[Listing], most: int = 5
    ) -> list[tuple[int, int, int, Band]]:
        found = []
        for listing in listings:
            matches = self.matches_for(session, context, listing).matches[:most]
            found += [
                (listing.id, m.listing.id, m.strength, m.band) for m in matches if m.band in ("introduce", "review")
            ]
        return found

    def state(self) -> dict[str, Any]:
        return {"model": {"ok": False, "card": "none", "reason": "words only"}, "index": {"ok": True}}

    def warm(self) -> None:
        """Nothing to load."""

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
        return self._standing(session, context, [text], kind, other, place, filters)

    def standing_for(
        self, session: Session, context: Context, listing: Listing, other: Listing, filters: Filters = NO_FILTERS
    ) -> Standing:
        kind = Kind(listing.kind).other
        if other.kind == kind and listing.organisation_id == other.organisation_id:
            return Standing("organisation")
        return self._standing(session, context, texts_of(listing), kind, other, listing.place, filters)

    def shown(self, session: Session, context: Context, need: Listing, offer: Listing) -> Shown:
        found = self.standing_for(session, context, need, offer)
        if found.strength is None:
            raise NotFound("The two are not compared.")
        return Shown(found.score, found.parts, found.strength, found.strength, found.place)

    def _standing(
        self,
        session: Session,
        context: Context,
        own: list[str],
        kind: Kind,
        other: Listing,
        place: Place | None,
        filters: Filters,
    ) -> Standing:
        if other.kind != kind:
            return Standing("kind")
        scored = self._scored(own, self._worded(session, context, kind))
        places = [row.id for _, row, _ in scored]
        if other.id not in places:
            return Standing("unsearched")
        at = places.index(other.id)
        strength = scored[at][0]
        fitting = sum(item[0] >= FLOOR for item in scored)
        usual = sum(item[0] for item in scored[: fitting or 3]) / (fitting or 3)
        blocked = tuple(
            each.name
            for each in fields(filters)
            if getattr(filters, each.name)
            and not passes(other, replace(NO_FILTERS, **{each.name: getattr(filters, each.name)}), place)
        )
        obstacle = "filters" if blocked else "" if at < fitting else "mark"
        return Standing(
            obstacle,
            at + 1,
            len(scored),
            fitting,
            strength,
            band_of(strength),
            float(strength),
            {"lexical": float(strength)},
            {"lexical": usual},
            blocked,
            FLOOR,
            "keywords",
        )

    def _worded(self, session: Session, context: Context, kind: Kind) -> Worded:
        rows = session.scalars(listings.visible(context).where(Listing.kind == kind)).unique().all()
        return [(row, words(" ".join(texts_of(row)))) for row in rows]

    def _scored(self, own: list[str], among: Worded) -> list[tuple[int, Listing, frozenset[str]]]:
        asked = words(" ".join(own))
        scored = []
        for row, said in among:
            shared = asked & said
            strength = min(100, round(300 * len(shared) / (len(asked) + 20)))
            if shared:
                scored.append((strength, row, shared))
        return sorted(scored, key=lambda item: (-item[0], item[1].id))

    def _page(
        self,
        session: Session,
        context: Context,
        own: list[str],
        language: str,
        place: Place | None,
        kind: Kind,
        filters: Filters,
        page: int,
        understood: Understood,
        listing: Listing | None,
        among: Worded | None = None,
    ) -> MatchPage:
        scored = self._scored(own, self._worded(session, context, kind) if among is None else among)
        suitable = bool(scored) and scored[0][0] >= FLOOR
        fitting = [item for item in scored if item[0] >= FLOOR] if suitable else scored[:3]
        passed = [item for item in fitting if passes(item[1], filters, place)]
        pages = max(1, -(-len(passed) // PAGE_SIZE))
        page = min(page, pages)
        start = (page - 1) * PAGE_SIZE
        matches = [
            Match(
                row,
                start + number,
                strength,
                band_of(strength),
                float(strength),
                regions.distance_between(place, row.place) if place else None,
                reason(own, language, row, shared, listing),
            )
            for number, (strength, row, shared) in enumerate(passed[start : start + PAGE_SIZE], start=1)
        ]
        facets = facets_of(row for _, row, _ in passed)
        return MatchPage(matches, len(passed), page, pages, understood, suitable, "keywords", facets)


def passes(row: Listing, filters: Filters, place: Place | None) -> bool:
    region = regions.region_of(row.province)
    here = regions.region_of(place.province) if place else None
    return all(
        (
            not filters.fields or set(filters.fields) & set(row.fields),
            not filters.countries or row.country in filters.countries,
            not filters.provinces or row.province in filters.provinces,
            not filters.regions or region in filters.regions,
            not filters.trl_min or (row.trl or 0) >= filters.trl_min,
            not filters.ip_statuses or row.ip_status in filters.ip_statuses,
            not filters.transfer_forms or set(filters.transfer_forms) & set(row.transfer_forms),
            not filters.organisation_kinds or row.organisation.kind in filters.organisation_kinds,
            not (filters.elsewhere and place) or region != here,
        )
    )


def facets_of(rows: Iterable[Listing]) -> dict[str, list[tuple[str, int]]]:
    counted: dict[str, Counter[str]] = {
        name: Counter()
        for name in (
            "fields",
            "countries",
            "provinces",
            "regions",
            "ip_statuses",
            "transfer_forms",
            "organisation_kinds",
        )
    }
    for row in rows:
        counted["fields"].update(row.fields)
        counted["countries"].update([row.country])
        counted["transfer_forms"].update(row.transfer_forms)
        counted["organisation_kinds"].update([row.organisation.kind])
        if row.province:
            counted["provinces"].update([row.province])
            counted["regions"].update([regions.region_of(row.province) or ""])
        if row.ip_status:
            counted["ip_statuses"].update([row.ip_status])
    return {name: counter.most_common() for name, counter in counted.items()}


def band_of(strength: int) -> Band:
    if strength >= 70:
        return "introduce"
    if strength >= 40:
        return "review"
    return "explore" if strength >= FLOOR else "none"


def reason(own: list[str], language: str, row: Listing, shared: frozenset[str], listing: Listing | None) -> Reason:
    def best(texts: list[str]) -> list[str]:
        found = [sentence for text in texts for sentence in sentences(text)]
        return sorted(found, key=lambda sentence: -len(words(sentence) & shared))[:2]

    pairs = zip(best(own), best(texts_of(row)), strict=False)
    quotes = [Quote(mine, theirs, language, row.language, 50) for mine, theirs in pairs]
    facts = []
    if listing is not None:
        need, offer = (listing, row) if listing.is_need else (row, listing)
        if need.trl and offer.trl:
            verdict = "met" if offer.trl >= need.trl else "clash"
            facts.append(Fact("trl", verdict, str(need.trl), str(offer.trl)))
        common = sorted(set(need.transfer_forms) & set(offer.transfer_forms))
        forms = ",".join(need.transfer_forms)
        if common:
            facts.append(Fact("transfer_forms", "met", forms, ",".join(common)))
        if need.budget_max and need.currency:
            price = f"{offer.price:.0f} {offer.currency}" if offer.price and offer.currency else ""
            within = offer.currency == need.currency and offer.price is not None and offer.price <= need.budget_max
            budget = f"{need.budget_max:.0f} {need.currency}"
            facts.append(Fact("budget", "met" if within else "unknown", budget, price))
    return Reason(quotes, sorted(shared, key=lambda word: (-len(word), word))[:8], facts)
