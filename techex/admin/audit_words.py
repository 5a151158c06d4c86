"""What entries of the audit log are called on a page: the log itself keeps English words, which never change."""

from __future__ import annotations

from techex.core.vocabulary import N_

SUBJECTS = (
    N_("listing"),
    N_("listing_draft"),
    N_("organisation"),
    N_("person"),
    N_("duplicate_pair"),
    N_("verdict"),
    N_("learned_version"),
)

VERBS = (
    # of listings
    N_("created"),
    N_("edited"),
    N_("submitted"),
    N_("recalled"),
    N_("taken up"),
    N_("read"),
    N_("returned"),
    N_("published"),
    N_("revision proposed"),
    N_("revision accepted"),
    N_("revision refused"),
    N_("disclosed"),
    N_("introduced"),
    N_("closed for interest"),
    N_("opened for interest"),
    N_("put on hold"),
    N_("reported"),
    N_("released"),
    N_("extended"),
    N_("expired"),
    N_("archived"),
    N_("withdrawn"),
    N_("reopened"),
    N_("file added"),
    N_("file removed"),
    N_("demo removed"),
    # of organisations
    N_("registered"),
    N_("verified"),
    N_("verification withdrawn"),
    N_("invited"),
    N_("invitation taken back"),
    N_("joined"),
    N_("role changed"),
    N_("left"),
    N_("removed"),
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
    # of matches
    N_("judged"),
    N_("learned"),
    N_("activated"),
    N_("reverted"),
)
