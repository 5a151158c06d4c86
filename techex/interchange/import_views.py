"""A table of listings through the browser: upload, columns, a dry run by cell, the run with its progress, its undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for
from flask_babel import gettext as _

from techex.core import vocabulary
from techex.core.context import Context
from techex.errors import BadInput
from techex.interchange import advancing, run_list, runs, texts
from techex.interchange.columns import EXTERNAL_ID, ONE_TEXT, constants_of, further_targets, targets
from techex.interchange.rules import ENVELOPE
from techex.interchange.service import LanguageOf
from techex.interchange.spreadsheets import write_template
from techex.interchange.tables import ImportRun
from techex.listings import drafting
from techex.listings.rules import FIELD_BY_NAME, FieldRule, Kind
from techex.listings.steps import HINTS
from techex.organisations import service as organisations
from techex.regions import service as regions
from techex.web import identity, language, policy, replies, tables

_LANGUAGE_OF = "techex.language_of"
_SETTINGS = "techex.settings"
ROWS_SHOWN = 200  # rows with errors, and rows that look like others, on the page; whoever has more has one cause in all
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

blueprint = Blueprint("imports", __name__)


@blueprint.url_value_preprocessor
def _room_for_tables(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if endpoint == "imports.upload":
        request.max_content_length = runs.LARGEST_FILE + 100_000


def init_app(app: Flask, language_of: LanguageOf | None = None) -> None:
    """Register the pages; `language_of` tells the language of rows that do not say it."""
    app.extensions[_LANGUAGE_OF] = language_of
    app.register_blueprint(blueprint)


def _data_dir() -> Path:
    found: Path = current_app.extensions[_SETTINGS].data_dir
    return found


def _language_of() -> LanguageOf | None:
    found: LanguageOf | None = current_app.extensions[_LANGUAGE_OF]
    return found


@blueprint.get("/imports")
@policy.open_to(policy.signed_in)
def begin() -> Response:
    """Where a table is uploaded, with those that were uploaded before."""
    return _begin_page()


def _begin_page(wrong: str = "", status: int = 200) -> Response:
    with identity.database().reading() as session:
        context = identity.context()
        return replies.page(
            "interchange/begin.html",
            status,
            organisations=drafting.organisations_of(session, context),
            found=run_list.TABLE.ask(run_list.lines(session, context), request.args),
            state_name=run_list.state_name,
            wrong=wrong,
            largest=runs.LARGEST_FILE // 1_000_000,
            most_rows=runs.MOST_ROWS,
        )


@blueprint.get(f"/imports.{tables.FILE}")
@policy.open_to(policy.signed_in)
def file(suffix: str) -> Response:
    """All imports of that list, with the same filters."""
    with identity.database().reading() as session:
        return run_list.TABLE.file(run_list.lines(session, identity.context()), request.args, suffix)


@blueprint.post("/imports")
@policy.open_to(policy.signed_in)
def upload() -> Response:
    """Take a table."""
    sent = request.files.get("file")
    slug, context = request.form.get("organisation", ""), identity.context()
    kind = Kind.NEED if request.form.get("kind") == Kind.NEED else Kind.OFFER
    with identity.database().reading() as session:
        runs.need_editor(context, organisations.get_organisation(session, slug))
    try:
        name, content = (sent.filename or "", sent.read(runs.LARGEST_FILE + 1)) if sent else ("", b"")
        received = runs.receive(_data_dir(), content, name)
        with identity.database().transaction() as session:
            organisation = organisations.get_organisation(session, slug)
            return _to(runs.begin(session, context, organisation, kind, name, received))
    except BadInput as error:
        return _begin_page(language.sentence(error.sentence), 422)


def _to(run: ImportRun) -> Response:
    return replies.see_other(url_for("imports.show", run_id=run.id))


@blueprint.get("/imports/<int:run_id>")
@policy.open_to(policy.signed_in)
def show(run_id: int) -> Response:
    """How far an import is, and what is to be done next."""
    with identity.database().reading() as session:
        run = runs.get_run(session, identity.context(), run_id)
        return _page(session, run)


def _page(session: Any, run: ImportRun, wrong: str = "", status: int = 200) -> Response:
    kind = Kind(run.kind)
    organisation = organisations.organisations(session, [run.organisation_id])[run.organisation_id]
    mapping = run.state in ("uploaded", "checked")
    return replies.page(
        "interchange/run.html",
        status,
        run=run,
        organisation=organisation,
        state_name=run_list.state_name,
        counts=runs.counts(session, run),
        shortened=runs.shortened(session, run),
        twins=runs.twins_of(session, identity.context(), run) if run.state == "done" else (),
        refused=runs.refused_rows(session, run, ROWS_SHOWN),
        said=lambda cell: language.sentence(runs.unpacked(cell["said"])),
        targets=[(target, label_of(target)) for target in targets(kind)] if mapping else (),
        further={target: label_of(target) for target in further_targets(kind)} if mapping else {},
        label_of=label_of,
        samples=runs.samples(_data_dir(), run) if mapping else (),
        most_twins=ROWS_SHOWN,
        wrong=wrong,
        languages=vocabulary.LANGUAGES,
        same=_same_choices() if mapping else (),
    )


def _same_choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """(field, [(value, name)]) of what may be said once for all rows, by name in the language of the page."""
    page = language.page_language()
    names: dict[str, Callable[[str], str]] = {
        "country": lambda code: regions.country_name(code, page),
        "fields": lambda code: str(_(vocabulary.FIELDS[code])),
    }
    found = []
    for name, values in constants_of().items():
        say = names.get(name, str)
        rows = [(value, say(value)) for value in values]
        found.append((name, sorted(rows, key=lambda row: regions.fold(row[1])) if name == "country" else rows))
    return found


def label_of(target: str) -> str:
    """What a target of a column is called on the page."""
    if target in FIELD_BY_NAME:
        return str(_(FIELD_BY_NAME[target].label))
    labels = {
        EXTERNAL_ID: _("Id of the row (never changes)"),
        ONE_TEXT: _("All of the text (summary and main text are taken from it)"),
        "language": _("Language"),
        "country": _("Country"),
        "province": _("Province"),
        "visibility": _("Who may read it"),
    }
    name, code = texts.split(target) or target.partition(".")[::-2]
    if code in vocabulary.LANGUAGES:
        said = _("Where does this text come from?") if name == texts.ORIGIN else label_of(name)
        return f"{said} ({vocabulary.LANGUAGES[code]})"
    return str(labels.get(target, target))


@blueprint.post("/imports/<int:run_id>/columns")
@policy.open_to(policy.signed_in)
def columns(run_id: int) -> Response:
    """Say what the columns are, and judge every row without storing anything."""
    context, database = identity.context(), identity.database()
    constants = {name: request.form.get(f"same-{name}", "") for name in constants_of()}
    try:
        with database.transaction() as session:
            run = runs.get_run(session, context, run_id, to_change=True)
            # Columns are sent by their number: a heading may be anything.
            chosen = {column: request.form.get(f"column-{at}", "") for at, column in enumerate(run.columns)}
            runs.map_columns(session, context, run, chosen, request.form.get("language", ""), constants)
        with database.reading() as session:
            seen = runs.get_run(session, context, run_id)
            found = runs.tried(session, _data_dir(), seen, _language_of())
        with database.transaction() as session:
            run = runs.get_run(session, context, run_id, to_change=True)
            runs.keep_tried(session, context, run, seen, found)
            return _to(run)
    except BadInput as error:
        with identity.database().reading() as session:
            run = runs.get_run(session, identity.context(), run_id)
            return _page(session, run, language.sentence(error.sentence), 422)


@blueprint.post("/imports/<int:run_id>/start")
@policy.open_to(policy.signed_in)
def start(run_id: int) -> Response:
    """Begin the run, or go on after a stop."""
    return _done(run_id, runs.start)


@blueprint.post("/imports/<int:run_id>/stop")
@policy.open_to(policy.signed_in)
def stop(run_id: int) -> Response:
    """Stop after the rows that are being done."""
    return _done(run_id, runs.stop)


@blueprint.post("/imports/<int:run_id>/undo")
@policy.open_to(policy.signed_in)
def undo(run_id: int) -> Response:
    """Take back all that an import did."""
    return _done(run_id, runs.undo)


@blueprint.post("/imports/<int:run_id>/advance")
@policy.open_to(policy.signed_in)
def advance(run_id: int) -> Response:
    """Do the next rows now, without waiting for the worker."""
    with identity.database().reading() as session:
        seen = runs.get_run(session, identity.context(), run_id)
        ahead = advancing.judged_ahead(session, _data_dir(), seen, _language_of())

    def go_on(session: Any, context: Context, run: ImportRun) -> None:
        advancing.advance(session, context, run, ahead)

    return _done(run_id, go_on)


def _done(run_id: int, verb: Any) -> Response:
    with identity.database().transaction() as session:
        context = identity.context()
        run = runs.get_run(session, context, run_id, to_change=True)
        verb(session, context, run)
        return _to(run)


@blueprint.get("/imports/template/<any(need, offer):kind>")
@policy.open_to(policy.everyone)
def template(kind: str) -> Response:
    """An empty table with a column for every field, and a second sheet that explains them."""
    names = [name for name in targets(Kind(kind)) if name != ONE_TEXT]
    other = "en" if language.page_language() == "vi" else "vi"
    names += [texts.target(name, other) for name in ("title", "summary", texts.ORIGIN)]
    explained = [[_("Column"), _("What it is"), _("What to write"), _("Limits and codes")]]
    explained += [[name, label_of(name), _hint(name), _limits(name)] for name in names]
    content = write_template({_("Rows"): [names], _("Columns"): explained}, [18, 30, 50, 60] + [24] * len(names))
    response = Response(content, content_type=SHEET)
    response.headers["Content-Disposition"] = f"attachment; filename=techex-{kind}.xlsx"
    return response


def _hint(name: str) -> str:
    hint = HINTS.get(name)
    return " ".join(_(text).replace("%%", "%") for text in (hint.what, hint.example) if text) if hint else ""


def _limits(name: str) -> str:
    if texts.split(name):
        return "author, translation" if name.startswith(texts.ORIGIN) else str(_("if there is such a text"))
    rule = FIELD_BY_NAME.get(name)
    if rule is None:
        known = {
            EXTERNAL_ID: _("required"),
            "language": ", ".join(vocabulary.LANGUAGES),
            "country": "VN, NL, JP …",
            "province": _("code (33) or name (Hưng Yên)"),
            "visibility": "public, members, restricted",
        }
        return known[name] if name in (EXTERNAL_ID, *ENVELOPE) else ""
    return "; ".join(part for part in (_("required") if rule.required else "", _shape(rule)) if part)


def _shape(rule: FieldRule) -> str:
    match rule.shape:
        case "line" | "text":
            if rule.shortest:
                return str(_("%(shortest)s to %(longest)s characters", shortest=rule.shortest, longest=rule.longest))
            return str(_("at most %(longest)s characters", longest=rule.longest))
        case "trl":
            return "1–9"
        case "number":
            return str(_("Digits without separators."))
        case "date":
            return "2027-06-30"
        case "currency":
            return "VND, USD, EUR …"
        case _:
            known = getattr(vocabulary, rule.vocabulary)
            return "; ".join(f"{code} = {_(label)}" for code, label in known.items())
