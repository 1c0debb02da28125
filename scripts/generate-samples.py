"""Makes the demo page's sample scenes: Server/Sources/SegNetServer/Page/samples/*.jpg.

    .venv-web/bin/python scripts/generate-samples.py PATH/TO/segnet

Renders streets with `segnet dataset synthesize` (ours, no rights of others). Most get the overcast sky of CamVid's days, from which
SegNet-Basic has learnt; one keeps its blue sky. The photographs next to them are not made by this script (NOTICE names their sources). Needs Pillow and NumPy. samples.json next to the pictures is written by hand.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from PIL import Image, ImageFilter

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "Server/Sources/SegNetServer/Page/samples"
SKY = 0
OVERCAST = {"overcast": 3, "avenue": 24, "cyclist": 12}
BLUE = {"blue-sky": 6}


def render(segnet, seed, folder):
    """The street of this seed, 960x720, with its class ids."""
    subprocess.run(
        [segnet, "dataset", "synthesize", "--count", "1", "--seed", str(seed), "--size", "960x720", "--output", folder],
        check=True,
        capture_output=True,
    )
    picture = next(Path(folder, "images").glob("*.png"))
    return Image.open(picture).convert("RGB"), Image.open(Path(folder, "labels", picture.name))


def overcast(picture, labels):
    """A white sky, paler and darker ground, the softness and noise of a camera."""
    pixels = numpy.asarray(picture, dtype=float)
    gray = pixels.mean(2, keepdims=True)
    sky = Image.fromarray(((numpy.asarray(labels) == SKY) * 255).astype("uint8")).filter(ImageFilter.GaussianBlur(0.8))
    share = numpy.asarray(sky)[..., None] / 255
    above = numpy.array([219.6, 221.4, 223.2]) + gray * numpy.array([0.098, 0.1, 0.102])
    below = 255 * ((gray + (pixels - gray) * 0.62) / 255) ** 1.15
    soft = Image.fromarray((above * share + below * (1 - share)).clip(0, 255).astype("uint8"))
    soft = numpy.asarray(soft.filter(ImageFilter.GaussianBlur(1)), dtype=float)
    noise = numpy.random.default_rng(1).normal(0, 3, soft.shape[:2])[..., None]
    return Image.fromarray((soft + noise).clip(0, 255).astype("uint8"))


def main(segnet):
    SAMPLES.mkdir(parents=True, exist_ok=True)
    for name, seed in (OVERCAST | BLUE).items():
        with tempfile.TemporaryDirectory() as folder:
            picture, labels = render(segnet, seed, folder)
            if name in OVERCAST:
                picture = overcast(picture, labels)
            picture.save(SAMPLES / f"{name}.jpg", quality=80, optimize=True, progressive=True)


main(sys.argv[1])
