"""Pictures that the tests make."""

import io

from PIL import Image

from demo_page import SAMPLES


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def sample(name="street.jpg"):
    return Image.open(SAMPLES / name).convert("RGB")


def three_bands(width=300, height=100):
    """Black, gray and white side by side: what the model `tones` tells apart exactly."""
    image = Image.new("RGB", (width, height))
    for index, value in enumerate((0, 128, 255)):
        image.paste((value,) * 3, (index * width // 3, 0, (index + 1) * width // 3, height))
    return image


def rotated_by_exif():
    """A JPEG that lies on its side and says so: upright it is 100 wide and 300 high, white above, black below."""
    image = three_bands()
    exif = Image.Exif()
    exif[0x0112] = 8  # To be turned by 90 degrees against the clock.
    return encoded(image, "JPEG", quality=95, exif=exif)
