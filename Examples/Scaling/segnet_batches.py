"""`segnet predict` for some pictures at a time, for engines that hand out batches: the program starts once per batch."""

import json
import os
import pathlib
import subprocess
import tempfile

SEGNET = os.environ.get("SEGNET", "segnet")
# Of the files in a folder, the command takes those with these endings for pictures (docs/pictures.md).
ENDINGS = ".png .jpg .jpeg .tif .tiff .webp .heic .heif .avif .gif .bmp".split()


def pictures(folder):
    """The paths of all pictures in a folder and in those inside it, sorted."""
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*") if path.suffix.lower() in ENDINGS)


def segment(paths, *options):
    """Segments pictures.

    paths: pictures that this machine can read, in any format that the command takes.
    options: more words for `segnet predict`, such as "--threads", "2".
    Returns a dictionary for each picture, in the order of the paths: path, mask (a PNG of class ids, or None), classes (name: share of
    the picture), error (None, or why there is no mask).
    """
    with tempfile.TemporaryDirectory(prefix="segnet-batch-") as folder:
        folder = pathlib.Path(folder)
        (folder / "in").mkdir()
        # Numbers as names: pictures in different folders may have the same name.
        for number, path in enumerate(paths):
            (folder / "in" / f"{number}{pathlib.Path(path).suffix}").symlink_to(os.path.abspath(path))
        words = [SEGNET, "predict", folder / "in", "--output", folder / "out", "--save", "mask", "--mask-format", "png"]
        words += ["--json", "--quiet", *options]
        done = subprocess.run(words, capture_output=True, text=True)
        # 1: some pictures failed, and the report says which.
        if done.returncode not in (0, 1) or not done.stdout:
            raise RuntimeError(f"segnet ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        found = {}
        for picture in json.loads(done.stdout)["pictures"]:
            stem = pathlib.Path(picture["input"]).stem
            mask = folder / "out" / f"{stem}.mask.png"
            found[int(stem)] = {
                "mask": None if picture.get("error") else mask.read_bytes(),
                "classes": {part["name"]: part["share"] for part in picture.get("classes") or []},
                "error": picture.get("error"),
            }
        return [{"path": str(path), **found[number]} for number, path in enumerate(paths)]
