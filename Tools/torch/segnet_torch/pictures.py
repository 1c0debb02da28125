"""Picture files."""

import numpy as np
from PIL import Image, ImageOps

from .errors import UserError


def open_picture(path):
    try:
        image = Image.open(path)
        image.load()
        return image
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a picture ({error}).") from error


def read_picture(path):
    """[height, width, 3] bytes, red, green, blue; an array of its own, because PyTorch warns of Pillow's memory, which is read-only.

    A JPEG is turned as its EXIF block says; a PNG's is not looked at.
    """
    image = open_picture(path)
    if image.format in ("JPEG", "MPO"):  # MPO: a JPEG with more pictures behind the first
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "I;16", "I;16B"):
        return np.repeat((np.asarray(image).astype(np.int64) >> 8).astype(np.uint8)[..., None], 3, 2)
    return np.array(image.convert("RGB"))
