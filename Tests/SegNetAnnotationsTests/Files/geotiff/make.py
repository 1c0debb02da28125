"""GeoTIFFs by GDAL, and where GDAL says that their corners lie.

    pip install rasterio==1.4.4 && python make.py      (GDAL 3.10.3)

Writes NAME.tif, 40 x 30 pixels of noise, and places.json: for each the EPSG code and the coordinates of the corners (column, row) of CORNERS,
counted from the outer corner of the first pixel; null where GDAL has none.
"""
import json
import pathlib
import warnings

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine

FOLDER = pathlib.Path(__file__).parent
CORNERS = [(0, 0), (40, 0), (0, 30), (40, 30), (7, 11)]
NORTH_UP = Affine(0.5, 0, 500000, 0, -0.25, 5650000)
NOISE = np.random.default_rng(5).integers(0, 256, (3, 30, 40), dtype=np.uint8)
MINE = "+proj=tmerc +lat_0=3 +lon_0=11 +k=0.9 +x_0=10 +y_0=20 +ellps=bessel +units=m +no_defs"

FILES = {
    "utm": dict(crs="EPSG:32633", transform=NORTH_UP),
    "degrees": dict(crs="EPSG:4326", transform=Affine(0.001, 0, 13.25, 0, -0.002, 52.5)),
    "turned": dict(crs="EPSG:3857", transform=Affine.translation(1000, 2000) * Affine.rotation(30) * Affine.scale(2, -3)),
    "south-up": dict(crs="EPSG:32733", transform=Affine(0.5, 0, 500000, 0, 0.25, 5650000)),
    "point": dict(crs="EPSG:32633", transform=NORTH_UP, tags=dict(AREA_OR_POINT="Point")),
    "turned-point": dict(crs="EPSG:32633", transform=Affine.rotation(20) * NORTH_UP, tags=dict(AREA_OR_POINT="Point")),
    "own-system": dict(crs=MINE, transform=NORTH_UP),
    "no-system": dict(transform=NORTH_UP),
    "only-system": dict(crs="EPSG:32633"),
    "tiepoints": dict(crs="EPSG:32633", gcps=[GroundControlPoint(r, c, 100 + c + r * r, 900 - r, 0) for c, r in CORNERS]),
    "nothing": {},
}

warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
places = {}
for name, options in FILES.items():
    tags = options.pop("tags", {})
    path = FOLDER / f"{name}.tif"
    with rasterio.open(path, "w", driver="GTiff", width=40, height=30, count=3, dtype="uint8", photometric="rgb",
                       compress="deflate", **options) as file:
        file.update_tags(**tags)
        file.write(NOISE)
    with rasterio.open(path) as file:
        has = not file.transform.is_identity
        code = file.crs.to_epsg() if file.crs else None
        places[name] = {"epsg": code, "corners": [list(file.transform * corner) for corner in CORNERS] if has else None}
    # GDAL writes what does not fit into a file next to it.
    path.with_suffix(".tif.aux.xml").unlink(missing_ok=True)
(FOLDER / "places.json").write_text(json.dumps(places, indent=1) + "\n")
