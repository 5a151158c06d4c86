"""What entries of the audit log are called on a page: the log itself keeps English words, which never change."""

from __future__ import annotations

from collections.abc import Mapping

from techex.brokering import disclosing, pipeline
from techex.brokering import rules as interests
from techex.core.vocabulary import N_

SUBJECTS = (
    N_("listing"),
    N_("listing_draft"),
    N_("organisation"),
    N_("person"),
    N_("letter"),
    N_("duplicate_pair"),
    N_("verdict"),
    N_("learned_version"),
    N_("interest"),
    N_("deal"),
    N_("commission"),
    N_("plan"),
    N_("report"),
    N_("alert"),
    N_("import_run"),
)

# Deeds whose word means a state elsewhere on the pages, and is translated so there; those of introductions and deals
# are called what their own pages call them.
OTHERWISE: Mapping[str, str] = {
    "submitted": N_("sent for review"),
    "returned": N_("sent back with comments"),
    "published": N_("put on the exchange"),
    "closed for interest": N_("stopped taking interest"),
    "reported": N_("complained about"),
    "expired": N_("let run out"),
    "archived": N_("filed away"),
    "withdrawn": N_("took off the exchange"),
    "verified": N_("confirmed who it is"),
    "duplicate": N_("said that it is listed twice"),
    "different": N_("said that they are two things"),
    "open": N_("took back what was said of them"),
    **{f"interest {verb}": words for verb, words in interests.DONE.items()},
    **{f"deal {verb}": words for verb, words in {**pipeline.DONE, **disclosing.DONE}.items()},
}

VERBS = (
    # of listings
    N_("created"),
    N_("edited"),
    N_("recalled"),
    N_("taken up"),
    N_("read"),
    N_("revision proposed"),
    N_("revision accepted"),
    N_("revision refused"),
    N_("revision taken back"),
    N_("disclosed"),
    N_("introduced"),
    N_("opened for interest"),
    N_("put on hold"),
    N_("released"),
    N_("extended"),
    N_("reopened"),
    N_("file added"),
    N_("file removed"),
    N_("demo removed"),
    # of organisations
    N_("registered"),
    N_("verification withdrawn"),
    N_("invited"),
    N_("invitation taken back"),
    N_("joined"),
    N_("role changed"),
    N_("left"),
    N_("removed"),
    N_("dissolved"),
    # of people
    N_("account changed"),
    N_("signed in"),
    N_("signed out"),
    N_("signed out everywhere"),
    N_("second factor on"),
    N_("second factor off"),
    N_("second factor reset"),
    N_("recovery codes renewed"),
    N_("password changed"),
    N_("password reset"),
    N_("address changed"),
    N_("made administrator"),
    N_("disabled"),
    N_("enabled"),
    N_("deleted"),
    N_("place granted"),
    N_("place taken away"),
    N_("handed over"),
    N_("hand-over ended"),
    N_("view shared"),
    N_("alert begun"),
    N_("alert stopped"),
    N_("deadline letters begun"),
    N_("deadline letters stopped"),
    N_("calendar address made"),
    N_("calendar address ended"),
    # of batches, proposals for commissioned tasks, plan documents, reports
    N_("batch sent"),
    N_("batches wanted"),
    N_("batches refused"),
    N_("commission drafted"),
    N_("commission drafted again"),
    N_("commission changed"),
    N_("commission removed"),
    N_("consent asked"),
    N_("consent given"),
    N_("consent declined"),
    N_("plan entered"),
    N_("plan changed"),
    N_("plan tag"),
    N_("plan tag removed"),
    N_("report made"),
    # of imports
    N_("import begun"),
    N_("import started"),
    N_("import stopped"),
    N_("import done"),
    N_("import undone"),
    N_("import taken back"),
    # of letters
    N_("letter reduced"),
    N_("letter dropped"),
    # of matches
    N_("judged"),
    N_("learned"),
    N_("activated"),
    N_("reverted"),
)
