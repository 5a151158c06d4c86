"""The letters that accounts write. Each says what happened, what to do, and what to do if it was not you."""

from __future__ import annotations

from sqlalchemy.orm import Session

from techex.accounts.sessions import digest
from techex.accounts.tables import Person
from techex.core import mail
from techex.core.context import Context
from techex.core.vocabulary import N_

# purpose -> (subject, text); %(link)s is where the reader goes on, %(name)s how they are called
LETTERS = {
    "register": (
        N_("Finish your registration at %(exchange)s"),
        N_(
            # Without the name: whoever typed it need not own this mailbox, and would be writing to a stranger.
            "Hello,\n\nsomebody, probably you, is registering at %(exchange)s with this address. Open this "
            "page within 24 hours and choose a password:\n\n%(link)s\n\nIf it was not you, you need not do anything: "
            "without that page there is no account."
        ),
    ),
    "known": (
        N_("You already have an account at %(exchange)s"),
        N_(
            "Hello %(name)s,\n\nsomebody, probably you, tried to register at %(exchange)s with this address, which "
            "already has an account. Sign in as usual. If you have forgotten your password, choose a new one here "
            "within an hour:\n\n%(link)s\n\nIf it was not you, you need not do anything."
        ),
    ),
    "reset": (
        N_("A new password for %(exchange)s"),
        N_(
            "Hello %(name)s,\n\nsomebody, probably you, asked for a new password at %(exchange)s. Choose it here "
            "within an hour:\n\n%(link)s\n\nIf it was not you, you need not do anything: your password stays as it is."
        ),
    ),
    "unknown": (
        N_("No account at %(exchange)s with this address"),
        N_(
            "Hello,\n\nsomebody, probably you, asked for a new password at %(exchange)s, but there is no account with "
            "this address. You may have registered with another one, or can register here:\n\n%(link)s\n\nIf it was "
            "not you, you need not do anything."
        ),
    ),
    "password": (
        N_("Your password at %(exchange)s was changed"),
        N_(
            "Hello %(name)s,\n\nyour password at %(exchange)s was changed, and you were signed out in all other "
            "browsers.\n\nIf it was not you, choose a new one at once:\n\n%(link)s"
        ),
    ),
    "email": (
        N_("Confirm your new address at %(exchange)s"),
        N_(
            "Hello %(name)s,\n\nyour account at %(exchange)s is to move to this address. Confirm it within 24 hours:"
            "\n\n%(link)s\n\nIf you know nothing of this, you need not do anything."
        ),
    ),
    "taken": (
        N_("This address already has an account at %(exchange)s"),
        N_(
            "Hello %(name)s,\n\nsomebody wanted to move another account at %(exchange)s to this address, which already "
            "has one. Nothing was changed. If it was you, delete one of the two accounts first:\n\n%(link)s"
        ),
    ),
    "moved": (
        N_("Your account at %(exchange)s has another address now"),
        N_(
            "Hello %(name)s,\n\nyour account at %(exchange)s has moved to another e-mail address; this one is no "
            "longer used.\n\nIf it was not you, write to those who run the exchange at once:\n\n%(link)s"
        ),
    ),
    "factor_on": (
        N_("The second factor of your account at %(exchange)s is on"),
        N_(
            "Hello %(name)s,\n\nfrom now on signing in at %(exchange)s asks for a code of your app. Keep the recovery "
            "codes where you find them without your phone.\n\nIf it was not you, choose a new password at once:"
            "\n\n%(link)s"
        ),
    ),
    "factor_off": (
        N_("The second factor of your account at %(exchange)s is off"),
        N_(
            "Hello %(name)s,\n\nsigning in at %(exchange)s no longer asks for a code of your app.\n\nIf it was not "
            "you, choose a new password at once:\n\n%(link)s"
        ),
    ),
    "recovery": (
        N_("A recovery code of your account at %(exchange)s was used"),
        N_(
            "Hello %(name)s,\n\nsomebody, probably you, signed in at %(exchange)s with a recovery code instead of a "
            "code of the app.\n\nIf it was not you, choose a new password at once:\n\n%(link)s"
        ),
    ),
    "deleted": (
        N_("Your account at %(exchange)s is deleted"),
        N_(
            "Hello %(name)s,\n\nyour account at %(exchange)s and what it held about you are deleted, as you asked."
            "\n\n%(link)s"
        ),
    ),
}
# Those whose link opens a door; their text is forgotten once they are sent.
SECRET = {"register", "known", "reset", "email"}


def write(
    session: Session, context: Context, about: str, *, to: str, name: str, language: str, link: str, exchange: str
) -> None:
    """Put one of the letters into the outbox."""
    subject, text = LETTERS[about]
    moment = digest(f"{to} {link} {context.now.isoformat()}")[:24]
    values = {"name": name, "link": link, "exchange": exchange}
    mail.write(
        session,
        context,
        key=f"account-{about.replace('_', '-')}-{moment}",
        to=to,
        language=language,
        subject=subject,
        text=text,
        values=values,
        secret=about in SECRET,
    )


def tell(session: Session, context: Context, person: Person, about: str, *, link: str, exchange: str) -> None:
    """Write one of the letters to a person."""
    write(
        session,
        context,
        about,
        to=person.email,
        name=person.name,
        language=person.language,
        link=link,
        exchange=exchange,
    )
