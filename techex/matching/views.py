"""The first page, the results for a text, and the matches of a listing."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from techex.listings.rules import Kind
from techex.matching import queries
from techex.web import identity, policy, replies

NEWEST = 6  # listings a column on the first page: what a reader takes in before scrolling on
LONGEST_TEXT = 5_000  # characters of a free text; a longer one is cut, with a note

# One example in three languages each reader is likely to know or recognise; texts people might really type.
EXAMPLES = (
    ("vi", "Xưởng dệt nhuộm của chúng tôi thải 400 m³ nước mỗi ngày, màu còn 300 Pt-Co sau bể sinh học; cần giảm xuống dưới 50 mà không tăng lượng bùn."),
    ("en", "We dry longan in season and lose a third of the fruit to browning; we need a dryer below 60 °C for 500 kg a day that runs on rice husk."),
    ("ko", "중소 도금 공장에서 니켈 이온이 포함된 폐수를 회수하여 재사용할 수 있는 설비를 찾고 있습니다. 하루 20톤, 회수율 90% 이상."),
)  # fmt: skip  # noqa: E501

blueprint = Blueprint("matching", __name__)


@blueprint.get("/")
@policy.open_to(policy.everyone)
def home() -> Response:
    """What this is, where to describe a problem, what is listed now."""
    with identity.database().reading() as session:
        context = identity.context()
        return replies.page(
            "matching/home.html",
            open_now=queries.open_now(session, context),
            needs=queries.newest(session, context, Kind.NEED, NEWEST),
            results=queries.newest(session, context, Kind.OFFER, NEWEST),
            examples=EXAMPLES,
            longest_text=LONGEST_TEXT,
        )


def state() -> dict[str, Any]:
    """Model and index, for `/healthz`."""
    return {}


@blueprint.route("/matches", methods=["GET", "POST"])
@policy.open_to(policy.everyone)
def search() -> Response:
    return replies.see_other("/")
