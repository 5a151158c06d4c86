"""The form in which a listing is written, step by step: drafts that save themselves, advice, files, submission."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from techex.core.vocabulary import FIELD_GROUPS, LANGUAGES, N_
from techex.errors import BadInput, FieldErrors, NotFound, Sentence
from techex.listings import attachments, drafting, service
from techex.listings.drafting import Twins
from techex.listings.life_views import address_of
from techex.listings.posting_forms import read_language, read_step, read_translation, read_typed
from techex.listings.posting_tables import SavedDraft
from techex.listings.preview import READERS as PREVIEW_READERS
from techex.listings.preview import preview
from techex.listings.rules import (
    CURRENCIES,
    FIELD_BY_NAME,
    MOST_TRANSLATIONS,
    Kind,
    Origin,
    State,
    Visibility,
    translated_fields,
)
from techex.listings.steps import CHECK, HINTS, PLACE_STEP, READERS, STEPS, Step, neighbours, step_of, step_with
from techex.listings.tables import Listing
from techex.listings.together import Typed, asides, names_of_language
from techex.listings.writers import side_by_side
from techex.organisations import service as organisations
from techex.regions import service as regions
from techex.regions.rules import HOME_COUNTRY, Place
from techex.web import identity, language, policy, replies

_TWINS = "techex.twins"
_SETTINGS = "techex.settings"
LARGEST_UPLOAD = attachments.LARGEST_FILE + 100_000  # bytes of a request with a file and its form

blueprint = Blueprint("posting", __name__)


@blueprint.url_value_preprocessor
def _room_for_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # Asked before anything reads the form: the token of the form is in it too.
    if endpoint == "posting.add_file":
        request.max_content_length = LARGEST_UPLOAD


def init_app(app: Flask, twins: Twins | None = None) -> None:
    """Register the pages; `twins` finds listings that look like a draft."""
    app.extensions[_TWINS] = twins
    app.register_blueprint(blueprint)


def _data_dir() -> Path:
    found: Path = current_app.extensions[_SETTINGS].data_dir
    return found


@blueprint.get("/post")
@policy.open_to(policy.signed_in)
def begin() -> Response:
    """What to write, for which organisation; and what was begun before."""
    with identity.database().reading() as session:
        context = identity.context()
        found = drafting.organisations_of(session, context)
        drafts = drafting.drafts_of(session, context)
        return replies.page(
            "listings/begin.html",
            organisations=found,
            drafts=[(draft, drafting.how_complete(draft).score) for draft in drafts],
            first_steps={draft.id: STEPS[Kind(draft.kind)][0].name for draft in drafts},
        )


@blueprint.post("/post")
@policy.open_to(policy.signed_in)
def start() -> Response:
    """A new draft."""
    with identity.database().transaction() as session:
        context = identity.context()
        organisation = organisations.get_organisation(session, request.form.get("organisation", ""))
        kind = Kind.OFFER if request.form.get("kind") == Kind.OFFER else Kind.NEED
        draft = drafting.start(session, context, organisation, kind, language.page_language())
        return _to(draft, STEPS[kind][0])


@blueprint.get("/listings/<int:listing_id>/edit")
@policy.open_to(policy.signed_in)
def edit(listing_id: int) -> Response:
    """Before a listing is changed: what will happen to what stands."""
    with identity.database().reading() as session:
        context = identity.context()
        listing = service.get_visible(session, context, listing_id)
        service.permit(session, context, listing, drafting.verb_of(listing))
        return replies.page("listings/edit.html", listing=listing, is_published=listing.state == State.PUBLISHED)


@blueprint.post("/listings/<int:listing_id>/edit")
@policy.open_to(policy.signed_in)
def start_edit(listing_id: int) -> Response:
    """A draft of a new version of a listing, or the one that was begun before."""
    with identity.database().transaction() as session:
        context = identity.context()
        draft = drafting.of_listing(session, context, service.get_visible(session, context, listing_id))
        return _to(draft, STEPS[Kind(draft.kind)][0])


def _to(draft: SavedDraft, step: Step, **more: Any) -> Response:
    return replies.see_other(url_for("posting.show", draft_id=draft.id, step=step.name, **more))


def _step(draft: SavedDraft, name: str) -> Step:
    found = step_of(Kind(draft.kind), name)
    if found is None:
        raise NotFound(Sentence(N_("The form has no step called “%(name)s”."), name=name))
    return found


@blueprint.get("/drafts/<int:draft_id>/<step>")
@policy.open_to(policy.signed_in)
def show(draft_id: int, step: str) -> Response:
    """One step of the form; with `checked` what is wrong stands beside its field."""
    with identity.database().reading() as session:
        draft = drafting.get_draft(session, identity.context(), draft_id)
        asked = _step(draft, step)
        if asked is CHECK:
            return _check_page(session, draft)
        errors = _of_step(draft, asked, missing=True) if request.args.get("checked") else {}
        return _step_page(session, draft, asked, errors)


@blueprint.post("/drafts/<int:draft_id>/<step>")
@policy.open_to(policy.signed_in)
def save(draft_id: int, step: str) -> Response:
    """Keep what was typed; the button says where to go then. Without a button the form saves itself."""
    go = request.form.get("go", "")
    with identity.database().transaction() as session:
        draft = drafting.get_draft(session, identity.context(), draft_id, to_change=True)
        asked = _step(draft, step)
        values = read_step(request.form, Kind(draft.kind), asked, is_listed=draft.listing_id is not None)
        typed = read_typed(request.form, values)
        torn = drafting.save(session, identity.context(), draft, typed)
        if not go and typed.page:
            return _step_page(session, draft, asked, {}, typed=typed, torn=torn)
        if torn:
            return _step_page(session, draft, asked, {}, 409, torn=torn)
        before, after = neighbours(Kind(draft.kind), asked)
        errors = _of_step(draft, asked) if go == "next" else {}
        if errors:
            return _step_page(session, draft, asked, errors, status=422)
        if go == "matches":
            return replies.see_other(url_for("matching.draft_matches", draft_id=draft.id, step=asked.name))
        if go == "add_language" and (code := read_language(request.form)):
            return replies.see_other(url_for("posting.translation", draft_id=draft.id, code=code))
        if go == "file":
            return _to(draft, asked)
        return _to(draft, (after if go == "next" else before if go == "back" else asked) or asked)


def _of_step(draft: SavedDraft, step: Step, *, missing: bool = False) -> dict[str, str]:
    """What is wrong in one step; what is not there yet is wrong only when one asks for it."""
    values, kind = draft.values, Kind(draft.kind)
    found = {name: said for name, said in drafting.problems(draft).items() if step_with(kind, name) is step}
    return {name: said for name, said in found.items() if missing or "." in name or values.get(name)}


def _step_page(
    session: Session,
    draft: SavedDraft,
    step: Step,
    errors: dict[str, str],
    status: int = 200,
    *,
    typed: Typed | None = None,
    torn: Sequence[str] = (),
) -> Response:
    kind = Kind(draft.kind)
    names = read_step(MultiDict(), kind, step, is_listed=draft.listing_id is not None)
    before, after = neighbours(kind, step)
    return replies.page(
        "listings/step.html",
        status,
        draft=draft,
        step=step,
        steps=STEPS[kind],
        before=before,
        after=after,
        rules=[FIELD_BY_NAME[name] for name in step.fields],
        hints=HINTS,
        values=draft.values,
        errors=errors,
        meter=drafting.how_complete(draft),
        just_saved=identity.now() - draft.updated_at < timedelta(minutes=1),
        step_with=step_with,
        currencies=CURRENCIES,
        field_groups=FIELD_GROUPS,
        places=_places() if step.name == PLACE_STEP else (),
        asks_language=step is STEPS[kind][0],
        asks_readers=step is READERS,
        files=drafting.files_of(session, draft) if step is READERS else (),
        most_files=attachments.MOST_FILES,
        largest_file=attachments.LARGEST_FILE // 1_000_000,
        translations=draft.values.get("translations") or {},
        may_add_language=len(draft.values.get("translations") or {}) < MOST_TRANSLATIONS,
        visibilities=tuple(Visibility),
        is_published=draft.listing is not None and draft.listing.state == State.PUBLISHED,
        together=side_by_side(session, draft, names, typed),
        torn=torn,
        torn_languages={name.partition(".")[0] for name in asides(draft) if "." in name},
    )


def _places() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """(group, [(code, name)]) of every place, by name in the language of the page: provinces, then other countries."""
    code = language.page_language()
    provinces = [(f"{HOME_COUNTRY}-{one}", regions.province_name(one, code)) for one in regions.provinces()]
    countries = [(one, regions.place_name(Place(one), code)) for one in regions.countries()]
    named = [(_("Provinces and cities of Vietnam"), provinces), (_("Countries"), countries)]
    return [(group, sorted(rows, key=lambda row: regions.fold(row[1]))) for group, rows in named]


def _check_page(session: Session, draft: SavedDraft, status: int = 200, refused: str = "") -> Response:
    kind = Kind(draft.kind)
    errors = drafting.problems(draft) | drafting.undecided(draft)
    find: Twins | None = current_app.extensions[_TWINS]
    twins: Sequence[Listing] = () if find is None or errors else find(session, identity.context(), draft)
    found = drafting.findings(session, draft)
    return replies.page(
        "listings/check.html",
        status,
        draft=draft,
        step=CHECK,
        steps=STEPS[kind],
        before=neighbours(kind, CHECK)[0],
        errors=errors,
        refused=refused,
        meter=drafting.how_complete(draft),
        preview=preview(session, draft, request.args.get("as", "")),
        preview_readers=PREVIEW_READERS,
        blocking=[one for one in found if one.blocks],
        notes=[one for one in found if not one.blocks],
        twins=twins,
        step_with=step_with,
        label_of=_label,
        is_published=draft.listing is not None and draft.listing.state == State.PUBLISHED,
    )


def _label(name: str) -> str:
    """What a field is called on the page, those of further languages with their language."""
    code, _dot, field = name.rpartition(".")
    if field in FIELD_BY_NAME:
        said = _(FIELD_BY_NAME[field].label)
        return f"{said} ({LANGUAGES.get(code, code)})" if code else said
    others = {
        "language": _("Language"),
        "country": _("Place"),
        "province": _("Place"),
        "visibility": _("Who may read it"),
        "attachments": _("Files"),
        "translations": _("Further languages"),
    }
    return others.get(name) or LANGUAGES.get(name.partition(".")[0], name)


@blueprint.post("/drafts/<int:draft_id>/submit")
@policy.open_to(policy.signed_in)
def submit(draft_id: int) -> Response:
    """Hand the draft in for review."""
    try:
        with identity.database().transaction() as session:
            draft = drafting.get_draft(session, identity.context(), draft_id)
            listing = drafting.submit(session, identity.context(), draft)
    except FieldErrors:
        refused = _("Correct what is named below first.")
    except BadInput as error:
        refused = language.sentence(error.sentence)
    else:
        return replies.see_other(address_of(listing))
    with identity.database().reading() as session:
        return _check_page(session, drafting.get_draft(session, identity.context(), draft_id), 422, refused)


@blueprint.post("/drafts/<int:draft_id>/discard")
@policy.open_to(policy.signed_in)
def discard(draft_id: int) -> Response:
    """Throw a draft away."""
    with identity.database().transaction() as session:
        context = identity.context()
        drafting.discard(session, context, drafting.get_draft(session, context, draft_id))
    return replies.see_other(url_for("posting.begin"))


@blueprint.get("/drafts/<int:draft_id>/language/<code>")
@policy.open_to(policy.signed_in)
def translation(draft_id: int, code: str) -> Response:
    """The texts of a draft in a further language, beside what they say in its own."""
    with identity.database().reading() as session:
        draft = drafting.get_draft(session, identity.context(), draft_id)
        errors = drafting.problems(draft) if request.args.get("checked") else {}
        return _translation_page(session, draft, code, errors)


def _translation_page(
    session: Session, draft: SavedDraft, code: str, errors: dict[str, str], status: int = 200, torn: Sequence[str] = ()
) -> Response:
    if code not in LANGUAGES:
        raise NotFound(Sentence(N_("No listing is written in “%(code)s” here."), code=code))
    text = (draft.values.get("translations") or {}).get(code, {"origin": Origin.TRANSLATION.value, "values": {}})
    return replies.page(
        "listings/translation.html",
        status,
        together=side_by_side(session, draft, names_of_language(draft, code)),
        torn=torn,
        draft=draft,
        code=code,
        text=text,
        rules=translated_fields(Kind(draft.kind)),
        errors={name.removeprefix(f"{code}."): said for name, said in errors.items() if name.startswith(code)},
        readers=READERS,
    )


@blueprint.post("/drafts/<int:draft_id>/language/<code>")
@policy.open_to(policy.signed_in)
def save_translation(draft_id: int, code: str) -> Response:
    """Keep the texts in a further language, or take them out."""
    with identity.database().transaction() as session:
        draft = drafting.get_draft(session, identity.context(), draft_id, to_change=True)
        if code not in LANGUAGES:
            raise NotFound(Sentence(N_("No listing is written in “%(code)s” here."), code=code))
        typed = read_typed(request.form, read_translation(request.form, Kind(draft.kind), code))
        torn = drafting.save(session, identity.context(), draft, typed)
        if torn:
            return _translation_page(session, draft, code, {}, 409, torn)
        further = draft.values.get("translations") or {}
        errors = drafting.problems(draft) if code in further and request.form.get("go") != "save" else {}
        if any(name.startswith(code) for name in errors):
            return _translation_page(session, draft, code, errors, 422)
        if request.form.get("go") == "save":
            return replies.see_other(url_for("posting.translation", draft_id=draft.id, code=code))
        return _to(draft, READERS)


@blueprint.post("/drafts/<int:draft_id>/files")
@policy.open_to(policy.signed_in)
def add_file(draft_id: int) -> Response:
    """Put a file beside a draft."""
    sent = request.files.get("file")
    with identity.database().reading() as session:
        attachments.need_open(drafting.get_draft(session, identity.context(), draft_id))
    try:
        name, content = (sent.filename or "", sent.read(LARGEST_UPLOAD)) if sent else ("", b"")
        file = attachments.cleaned(content)
        with identity.database().transaction() as session:
            draft = drafting.get_draft(session, identity.context(), draft_id)
            attachments.add(session, identity.context(), _data_dir(), draft, name, file)
            return _to(draft, READERS, _anchor="files")
    except BadInput as error:
        with identity.database().reading() as session:
            draft = drafting.get_draft(session, identity.context(), draft_id)
            return _step_page(session, draft, READERS, {"file": error.sentence}, 422)


@blueprint.post("/drafts/<int:draft_id>/files/<int:attachment_id>/remove")
@policy.open_to(policy.signed_in)
def remove_file(draft_id: int, attachment_id: int) -> Response:
    """Take a file away."""
    with identity.database().transaction() as session:
        draft = drafting.get_draft(session, identity.context(), draft_id)
        attachments.remove(session, identity.context(), draft, attachment_id)
        return _to(draft, READERS, _anchor="files")


@blueprint.get("/attachments/<int:attachment_id>")
@policy.open_to(policy.everyone)
def attachment(attachment_id: int) -> Response:
    """A file as a download; no browser shows it as a page of ours."""
    with identity.database().reading() as session:
        found, name = attachments.get_visible(session, identity.context(), attachment_id)
        path = attachments.path_of(_data_dir(), found.digest)
        if not path.is_file():
            raise NotFound(
                Sentence(N_("The content of file number %(number)s is not here any more."), number=attachment_id)
            )
        content = BytesIO(path.read_bytes())
        response = send_file(content, found.media_type, as_attachment=True, download_name=name, etag=found.digest)
        response.headers["Content-Security-Policy"] = "sandbox"
        response.headers["Cache-Control"] = "private, no-cache"
        return response
