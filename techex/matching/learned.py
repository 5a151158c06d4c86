"""What verdicts have taught, as ranking and strength take it: a turn of queries, factors of parts, a calibration.

Pure. `NOTHING` changes no number at all: the former scores come back bit for bit when it is put in the place of others.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from techex.listings.rules import Kind
from techex.matching.calibration import Calibration, Isotonic, Platt
from techex.matching.mapping import QueryMap
from techex.search.dense import FloatArray

_FORMAT = 1
_CURVES: Mapping[str, type[Calibration]] = {"platt": Platt, "isotonic": Isotonic}


@dataclass(frozen=True)
class Learned:
    """What is applied; a part that was not learned is None or empty."""

    query_map: QueryMap | None = None
    factors: Mapping[str, float] = field(default_factory=dict)
    calibration: Calibration | None = None

    @property
    def is_nothing(self) -> bool:
        """True when it changes no number."""
        return self.query_map is None and not self.factors and self.calibration is None

    @cached_property
    def version(self) -> str:
        """Names these numbers, the same on every machine; empty for nothing."""
        if self.is_nothing:
            return ""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()[:12]

    def turned(self, vectors: FloatArray, side: Kind) -> FloatArray:
        """(n, d) centred unit rows of what is asked with, a need (or any text) or an offer -> (n, d) unit rows."""
        if self.query_map is None:
            return vectors
        return (self.query_map if side is Kind.NEED else self._for_offers).turned(vectors)

    def factor(self, part: str) -> float:
        """What the contribution of a part to the score is multiplied with; 1 where nothing was learned of it."""
        return self.factors.get(part, 1.0)

    def strength(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n,) strengths 0-100 by comparison with random pairs -> strengths 0-100 by verdicts, in the same order."""
        return raw if self.calibration is None else self.calibration(raw)

    @property
    def uncalibrated(self) -> Learned:
        """The same without its calibration."""
        return replace(self, calibration=None)

    @cached_property
    def _for_offers(self) -> QueryMap:
        if self.query_map is None:
            raise ValueError("there is no map to transpose")
        return self.query_map.transposed

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back to the same numbers."""
        curve = None
        if self.calibration is not None:
            name = next(name for name, kind in _CURVES.items() if isinstance(self.calibration, kind))
            curve = {"curve": name, **asdict(self.calibration)}
        shape = None
        if self.query_map is not None:
            shape = {"down": _packed(self.query_map.down), "up": _packed(self.query_map.up)}
        return {"format": _FORMAT, "factors": dict(self.factors), "calibration": curve, "query_map": shape}


NOTHING = Learned()


def from_dict(stored: Mapping[str, Any]) -> Learned:
    """What `as_dict` wrote. Raises ValueError for anything else."""
    try:
        if stored["format"] != _FORMAT:
            raise ValueError(f"format {stored['format']!r}, expected {_FORMAT}")
        curve, shape = stored["calibration"], stored["query_map"]
        calibration: Calibration | None = None
        if curve is not None:
            numbers: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in curve.items()
                if name != "curve"
            }
            calibration = _CURVES[curve["curve"]](**numbers)
        query_map = QueryMap(_unpacked(shape["down"]), _unpacked(shape["up"])) if shape is not None else None
        return Learned(query_map, dict(stored["factors"]), calibration)
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is nothing that was learned: {error}") from None


def _packed(array: FloatArray) -> dict[str, Any]:
    little = np.ascontiguousarray(array, "<f4")
    return {"shape": list(little.shape), "data": base64.b64encode(little.tobytes()).decode("ascii")}


def _unpacked(stored: Mapping[str, Any]) -> FloatArray:
    data = base64.b64decode(stored["data"], validate=True)
    array: FloatArray = np.frombuffer(data, "<f4").reshape(stored["shape"]).astype(np.float32)
    return array
