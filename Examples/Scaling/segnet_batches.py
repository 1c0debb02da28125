"""`segnet predict` for some pictures at a time, for engines that hand out batches: the program starts once per batch."""

import json
import os
import pathlib
import subprocess
import tempfile

SEGNET = os.environ.get("SEGNET", "segnet")


def segment(paths, *options):
    """Segments pictures.

    paths: files that this machine can read, PNG or JPEG.
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
        words = [SEGNET, "predict", folder / "in", "--output", folder / "out", "--save", "mask", "--json", "--quiet", *options]
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
