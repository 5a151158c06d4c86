"""What `techex evaluate --demo` measured, kept as a file in the data folder, so that the quality page can show it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from techex.errors import UnreadableFile
from techex.matching.rules import Band

FILE = "evaluation.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True, extra="ignore", serialize_by_alias=True)


class Figures(_Part):
    """Ratios from 0 to 1 over all needs for which something fits."""

    ndcg: float = Field(alias="ndcg@10", ge=0, le=1)
    mrr: float | None = Field(default=None, alias="mrr@10", ge=0, le=1)
    recall: float | None = Field(default=None, alias="recall@10", ge=0, le=1)
    recall_deep: float | None = Field(default=None, alias="recall@100", ge=0, le=1)


class Ablated(Figures):
    """The same figures with one part of matching switched off; empty for the whole."""

    without: str = ""


class LanguagePair(_Part):
    """Needs in one language whose fitting results are in another (or the same) one."""

    need: str
    result: str
    needs: int = Field(ge=0)
    ndcg: float | None = Field(default=None, alias="ndcg@10", ge=0, le=1)
    recall: float = Field(alias="recall@10", ge=0, le=1)


class BandCount(_Part):
    """How many matches of a band were shown on first pages, and how many of them readers judged to fit."""

    band: Band
    shown: int = Field(ge=0)
    fits: int = Field(ge=0)
    partly: int = Field(ge=0)


class Abstention(_Part):
    """Needs for which nothing fits and how many were told so; needs with a fit and how many were told so wrongly."""

    unmatched: int = Field(ge=0)
    said_so: int = Field(ge=0)
    matched: int = Field(ge=0)
    wrongly: int = Field(ge=0)


class Parallel(_Part):
    """The same needs in two languages, and the mean share of their first five matches that is the same."""

    pairs: int = Field(ge=0)
    overlap: float = Field(alias="overlap@5", ge=0, le=1)


class Hubs(_Part):
    """How often offers stand in first tens: skewness of the counts, the greatest, the share that stands in none."""

    ndcg: float = Field(alias="ndcg@10", ge=0, le=1)
    skewness: float
    most: int = Field(ge=0)
    never: float = Field(ge=0, le=1)


class Spread(_Part):
    """Lists in which no place crowds out others: what that costs, and how many places the first ten come from."""

    bound: float = Field(ge=0)
    ndcg: float = Field(alias="ndcg@10", ge=0, le=1)
    ndcg_spread: float = Field(alias="ndcg@10 spread", ge=0, le=1)
    places: float = Field(ge=0)
    places_spread: float = Field(ge=0)


class Exposure(_Part):
    """How evenly offers and places are shown: as served, and with a correction of hubs that is measured only."""

    served: Hubs
    corrected: Hubs
    spread: Spread


class Point(_Part):
    """Pairs of about equal strength: what it promised and what readers said, 0 to 1."""

    pairs: int = Field(ge=0)
    promised: float = Field(ge=0, le=1)
    found: float = Field(ge=0, le=1)


class Reliability(_Part):
    """Whether strengths keep their word on needs that the curve was not fitted to.

    `as_shown` is the error of the curve in use, `of_matches` that among pairs strong enough to be shown; `fitted` is
    the curve of the day, beside that `in_use`.
    """

    pairs: int = Field(ge=0)
    error: float = Field(ge=0, le=1)
    as_shown: float = Field(ge=0, le=1)
    of_matches: float | None = Field(default=None, ge=0, le=1)
    brier: float = Field(ge=0, le=1)
    curve: tuple[Point, ...] = ()
    abstention: Abstention | None = None
    fitted: dict[str, float] = {}
    in_use: dict[str, float] = {}


class Separated(_Part):
    """Fitting pairs of two languages against random ones: area under the curve, and the share above a common mark."""

    need: str
    result: str
    right: int = Field(ge=0)
    auc: float = Field(ge=0, le=1)
    found: float = Field(ge=0, le=1)
    auc_raw: float = Field(ge=0, le=1)
    found_raw: float = Field(ge=0, le=1)


class LanguageParity(_Part):
    """All pairs of languages with enough fitting pairs, at one mark for all."""

    false_positives: float = Field(ge=0, le=1)
    pairs: tuple[Separated, ...] = ()
    ratio: float | None = Field(default=None, ge=1)
    ratio_raw: float | None = Field(default=None, ge=1)


class Measured(_Part):
    """One run over the demo exchange. All but the first six may be missing."""

    format: Literal[1] = 1
    made_at: AwareDatetime
    card: str
    engine: str
    needs: int = Field(ge=0)
    results: int = Field(ge=0)
    figures: Figures
    ablation: tuple[Ablated, ...] = ()
    languages: tuple[LanguagePair, ...] = ()
    bands: tuple[BandCount, ...] = ()
    abstention: Abstention | None = None
    parallel: Parallel | None = None
    exposure: Exposure | None = None
    reliability: Reliability | None = None
    parity: LanguageParity | None = None


def save(measured: Measured, folder: Path) -> Path:
    """Keep what was measured, in place of what was there before; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    aside = path.with_suffix(".new")
    aside.write_text(measured.model_dump_json(indent=2) + "\n", encoding="utf-8")
    aside.replace(path)
    return path


def load(folder: Path) -> Measured | None:
    """What was measured last; None if nothing was.

    Raises UnreadableFile where the file is not what `save` writes.
    """
    path = folder / FILE
    try:
        return Measured.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise UnreadableFile(
            f"The stored figures in {path} cannot be read ({reason}). Make them anew: techex evaluate --demo."
        ) from None
