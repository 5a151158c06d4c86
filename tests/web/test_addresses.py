from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from techex.web.addresses import LARGEST_ROW


@pytest.mark.parametrize("number", [LARGEST_ROW + 1, 2**63, "9" * 400, "9" * 5000, "-1", "1_0", "٣", "１", "+1", "1e3"])
@pytest.mark.parametrize(
    "path", ["/needs/{}", "/drafts/{}/matches", "/listings/{}/edit", "/pairs/1/{}", "/interests/{}"]
)
def test_a_number_that_no_row_can_have_is_no_address(client: FlaskClient, path: str, number: object) -> None:
    assert client.get(path.format(number)).status_code == 404


def test_the_largest_number_a_row_can_have_is_looked_for(client: FlaskClient) -> None:
    assert client.get(f"/needs/{LARGEST_ROW}").status_code == 404
    assert client.get("/needs/1").status_code == 404
