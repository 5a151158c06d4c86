"""Import and export: the same validator as every other surface, idempotent by external id, resumable at any moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy.orm import Session

from techex.core.context import Context
from techex.core.database import Database
from techex.core.vocabulary import N_
from techex.errors import BadInput, FieldErrors, Sentence
from techex.interchange import texts
from techex.interchange.columns import in_codes
from techex.interchange.formats import Row
from techex.interchange.rules import ENVELOPE, ImportMap, apply_map
from techex.listings import service as listings
from techex.listings.rules import BODY_FIELDS, LOOSE_FACTS, Kind, ListingDraft, Visibility, fields_of
from techex.listings.tables import Listing
from techex.listings.validation import checked_draft
from techex.organisations import service as organisations
from techex.organisations.rules import OrganisationDraft
from techex.organisations.tables import Organisation
from techex.regions.service import find_place

# Rows that share one transaction: few enough that a kill loses nothing worth keeping and a reader never waits long.
BATCH = 100

# Stands where neither the file, nor its map, nor the caller says in which language a text is.
DEFAULT_LANGUAGE = "en"

# Names the language of a text; handed in by whoever can tell (embedding knows, this domain must not).
LanguageOf = Callable[[str], str]


@dataclass(frozen=True)
class RowProblem:
    """Why one row was not stored."""

    line: int
    external_id: str
    reason: str


@dataclass
class ImportReport:
    """What an import did, row by row."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[RowProblem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self.created + self.updated + self.unchanged + len(self.refused)


def get_or_create_organisation(
    session: Session, context: Context, name: str, *, kind: str = "enterprise", country: str = "VN", province: str = ""
) -> Organisation:
    """The organisation of this name, made where there is none yet; raises FieldErrors."""
    found = organisations.find_by_name(session, name)
    if found is not None:
        return found
    draft = OrganisationDraft(name=name, kind=kind, country=country, province=province or None)
    return organisations.upsert(session, context, draft)[0]


def import_rows(
    database: Database,
    context: Context,
    rows: Iterable[Row],
    *,
    kind: Kind,
    organisation: OrganisationDraft,
    mapping: ImportMap | None = None,
    language_of: LanguageOf | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Store rows as published listings of one organisation.

    A row is known by its external id: an unknown one is created, a changed one updated, the same one left alone, so
    an import that was stopped is simply run again. `language_of` answers for rows that do not say their language.
    `dry_run` does all but keep it. `progress` gets the number of rows done so far. Raises FieldErrors where the
    organisation itself is wrong.
    """
    mapping = mapping or ImportMap()
    report = ImportReport()
    seen: dict[str, int] = {}
    source = iter(rows)
    while batch := list(islice(source, BATCH)):
        with _kept_unless(database, dry_run) as session:
            owner = _owner(session, context, organisation)
            for row in batch:
                _import_row(session, context, row, kind, owner, mapping, language_of, report, seen)
        if progress:
            progress(report.rows)
    return report


def _kept_unless(database: Database, dry_run: bool) -> Any:
    return database.reading() if dry_run else database.transaction()


def _owner(session: Session, context: Context, draft: OrganisationDraft) -> Organisation:
    return organisations.find_by_name(session, draft.name) or organisations.upsert(session, context, draft)[0]


def _import_row(
    session: Session,
    context: Context,
    row: Row,
    kind: Kind,
    owner: Organisation,
    mapping: ImportMap,
    language_of: LanguageOf | None,
    report: ImportReport,
    seen: dict[str, int],
) -> None:
    found = judge(row, kind, owner, mapping, language_of, seen)
    if found.draft is None:
        report.refused.append(RowProblem(row.line, found.external_id, found.reason))
        return
    report.notes.extend(f"line {row.line} ({found.external_id}): {note}" for note in found.notes)
    match store(session, context, owner, found.draft, keep_visibility=not found.says_visibility):
        case "created":
            report.created += 1
        case "updated":
            report.updated += 1
        case _:
            report.unchanged += 1


@dataclass(frozen=True)
class Judged:
    """A row after the map and the validator: a draft, or what is wrong, by field; "" is the row as a whole."""

    external_id: str
    draft: ListingDraft | None
    wrong: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    says_visibility: bool = False  # a row that does not leaves a listing as visible as it is

    @property
    def reason(self) -> str:
        """All that is wrong, as one sentence."""
        return "; ".join(f"{name} {sentence}" if name else sentence for name, sentence in self.wrong.items())


def judge(
    row: Row,
    kind: Kind,
    owner: Organisation,
    mapping: ImportMap,
    language_of: LanguageOf | None,
    seen: dict[str, int],
) -> Judged:
    """The verdict on one row, the same on the command line and in the browser; `seen` holds the ids of rows before."""
    external_id = ""
    try:
        if row.problem:
            raise BadInput(row.problem)
        mapped = apply_map(row.values, kind, mapping)
        external_id = mapped.external_id
        if external_id in seen:
            raise BadInput(
                Sentence(
                    N_("has the id %(id)s, which line %(line)s has already. Ids must differ."),
                    id=repr(external_id),
                    line=seen[external_id],
                )
            )
        seen[external_id] = row.line
        envelope = dict(mapped.envelope)
        if "language" not in envelope and language_of is not None:
            envelope["language"] = language_of(" ".join(str(mapped.values.get(n, "")) for n in ("title", "summary")))
        draft = _draft(kind, owner, external_id, in_codes(mapped.values, kind), envelope, mapped.translations)
    except FieldErrors as error:
        return Judged(external_id, None, error.fields)
    except BadInput as error:
        return Judged(external_id, None, {error.about: error.sentence})
    return Judged(external_id, draft, notes=mapped.notes, says_visibility="visibility" in envelope)


def draft_for(found: Judged, listing: Listing) -> ListingDraft:
    """What a row says of a listing that is there; raises BadInput for a row that was refused."""
    if found.draft is None:
        raise BadInput(found.reason)
    draft = _beside(found.draft, listing)
    return draft if found.says_visibility else replace(draft, visibility=Visibility(listing.visibility))


def _draft(
    kind: Kind,
    owner: Organisation,
    external_id: str,
    values: Mapping[str, Any],
    envelope: Mapping[str, str],
    translations: Mapping[str, Mapping[str, Any]] | None,
) -> ListingDraft:
    country = envelope.get("country", owner.country)
    province = envelope.get("province", owner.province if country == owner.country else None)
    if province and (place := find_place(province)) is not None:
        province = place.province  # people write the name
    return checked_draft(
        kind,
        values,
        language=envelope.get("language", DEFAULT_LANGUAGE),
        country=country,
        province=province,
        visibility=envelope.get("visibility", Visibility.PUBLIC.value),
        external_id=external_id,
        translations=translations,
    )


def _beside(draft: ListingDraft, listing: Listing) -> ListingDraft:
    """A draft with the texts that its listing has in languages of which the draft says nothing."""
    if draft.translations is None:
        return draft
    kept = {code: text for code, text in (listing.translations or {}).items() if code != draft.language}
    return replace(draft, translations={**kept, **draft.translations})


def store(
    session: Session, context: Context, owner: Organisation, draft: ListingDraft, *, keep_visibility: bool = False
) -> str:
    """Create or update one listing by its external id and publish a new one; "created", "updated" or "unchanged".

    With `keep_visibility` a listing that is there stays as visible as it is.
    """
    if draft.external_id is None:
        raise BadInput(
            Sentence(N_("is missing; an imported listing needs one to be recognised again.")), about="external_id"
        )
    found = listings.find_external(session, owner, draft.kind.value, draft.external_id)
    if found is None:
        listings.publish(session, context, listings.post(session, context, owner, draft))
        return "created"
    draft = _beside(draft, found)
    if keep_visibility:
        draft = replace(draft, visibility=Visibility(found.visibility))
    return "updated" if listings.edit(session, context, found, draft) else "unchanged"


def columns_of(kind: Kind, languages: Iterable[str] = ()) -> list[str]:
    """The columns of an export, in order, with texts in these further languages; an import without a map reads them."""
    own = ["external_id", "organisation", *ENVELOPE, *(rule.name for rule in fields_of(kind))]
    return [*own, *texts.columns(kind, languages)]


def further_languages(session: Session, context: Context, kind: Kind) -> set[str]:
    """The further languages in which listings say something that the asker may see."""
    query = listings.visible(context).where(Listing.kind == kind.value).with_only_columns(Listing.translations)
    return {code for found in session.scalars(query) for code in found or {}}


def export_rows(session: Session, context: Context, kind: Kind) -> Iterator[dict[str, Any]]:
    """Every listing of a kind that the asker may see, as rows in the order of their numbers; see `texts.flat`."""
    found = session.scalars(
        listings.visible(context)
        .where(Listing.kind == kind.value)
        .order_by(Listing.id)
        .execution_options(yield_per=200)
    )
    for listing in found:
        yield portable(listing)


def portable(listing: Listing) -> dict[str, Any]:
    """A listing as a row, its texts in further languages as one object; what is not stated is left out."""
    row: dict[str, Any] = {
        "external_id": listing.external_id or f"techex-{listing.id}",
        "organisation": listing.organisation.name,
        **{name: getattr(listing, name) for name in ENVELOPE},
    }
    for rule in fields_of(Kind(listing.kind)):
        if rule.name in BODY_FIELDS or rule.name in LOOSE_FACTS:
            value = listing.body.get(rule.name)
        else:
            value = getattr(listing, rule.name)
        row[rule.name] = value.isoformat() if isinstance(value, date) else value
    row[texts.NESTED] = listing.translations
    return {name: value for name, value in row.items() if value not in (None, "", [], {})}


def refused_sentences(problems: Sequence[RowProblem]) -> list[str]:
    """One sentence for each refused row."""
    return [f"line {p.line}{f' ({p.external_id})' if p.external_id else ''}: {p.reason}" for p in problems]
