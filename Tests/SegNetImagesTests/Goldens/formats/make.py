#!/usr/bin/env python3
"""Writes the TIFF, WebP, HEIC, AVIF, GIF and BMP files of the tests, and what they must decode to, into this folder or another.

    apt-get install libtiff-tools webp
    python3 -m venv .venv
    .venv/bin/pip install numpy==2.4.6 pillow==13.0.0 pillow-heif==1.8.1 tifffile==2026.3.3 imagecodecs==2026.3.6
    .venv/bin/python Tests/SegNetImagesTests/Goldens/formats/make.py [FOLDER]

NAME.raw and NAME.ids as in the folder above. What is compressed with losses is compared with a tolerance.
"""
import io
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
import pillow_heif
import tifffile
from PIL import Image, ImageCms

OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
OUT.mkdir(parents=True, exist_ok=True)
WIDTH, HEIGHT = 45, 37
pillow_heif.register_heif_opener()


def raw(name, samples):
    samples = np.asarray(samples)
    samples = samples[..., None] if samples.ndim == 2 else samples
    assert samples.dtype == np.uint8
    height, width, channels = samples.shape
    (OUT / f"{name}.raw").write_bytes(bytes([width, height, channels]) + samples.tobytes())


def ids(name, numbers):
    height, width = numbers.shape
    (OUT / f"{name}.ids").write_bytes(bytes([width, height]) + numbers.astype("<u2").tobytes())


y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
RGB = np.stack([x * 255 // (WIDTH - 1), y * 255 // (HEIGHT - 1), (x * 7 + y * 11) % 256], axis=2).astype(np.uint8)
GRAY = RGB[..., 2]
ALPHA = ((x * 5 + y * 3) % 256).astype(np.uint8)
RGBA = np.dstack([RGB, ALPHA])
DEEP = (np.stack([x * 1489, y * 1820, (x * y * 37) % 65536], axis=2) % 65536).astype(np.uint16)
CLASSES = ((x // 6 + y // 5) % 12).astype(np.uint8)


def byte(deep):
    """16 bits rounded to 8, as libpng does it."""
    return ((deep.astype(np.uint32) * 255 + 32895) >> 16).astype(np.uint8)


def tiff(name, data, expected=None, numbers=None, **options):
    tifffile.imwrite(OUT / f"{name}.tif", data, metadata=None, software=False, **options)
    if expected is not None:
        raw(name, expected)
    if numbers is not None:
        ids(name, numbers)


def tool(*arguments):
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True)


# ---- TIFF

tiff("strips-lzw", RGB, RGB, photometric="rgb", rowsperstrip=7, compression="lzw", predictor=True)
GEO = [
    (33550, "d", 3, (0.5, 0.5, 0.0), True),
    (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 5600000.0, 0.0), True),
    (34735, "H", 16, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632), True),
    (34736, "d", 2, (6378137.0, 298.257223563), True),
    (34737, "s", 0, "WGS 84 / UTM zone 32N|", True),
    (42113, "s", 0, "255", True),
]
tiff("geo-big-tiles", RGB, RGB, photometric="rgb", tile=(16, 32), compression="zlib", bigtiff=True, extratags=GEO)
tiff("planar", np.moveaxis(RGB, 2, 0), RGB, photometric="rgb", planarconfig="separate", rowsperstrip=5)
tiff("planar-tiles", np.moveaxis(DEEP, 2, 0), byte(DEEP), photometric="rgb", planarconfig="separate", tile=(16, 16))
tiff("gray16", DEEP[..., 2], byte(DEEP[..., 2]), DEEP[..., 2], photometric="minisblack", byteorder=">")
tiff("gray8", GRAY, GRAY, GRAY, photometric="minisblack", compression="packbits")
tiff("white-is-zero", GRAY, 255 - GRAY, GRAY, photometric="miniswhite")
tiff("rgb16", DEEP, byte(DEEP), photometric="rgb", byteorder=">", compression="lzw")
tiff("rgba", RGBA, RGBA, photometric="rgb", extrasamples=["unassalpha"], tile=(16, 16))
tiff("gray-alpha", np.dstack([GRAY, ALPHA]), np.dstack([GRAY, GRAY, GRAY, ALPHA]), GRAY, photometric="minisblack",
     extrasamples=["unassalpha"], planarconfig="contig")
multiplied = (RGB.astype(np.uint32) * ALPHA[..., None] // 255).astype(np.uint8)
back = np.minimum(255, (multiplied.astype(np.uint32) * 255 + ALPHA[..., None].astype(np.uint32) // 2) // np.maximum(1, ALPHA[..., None].astype(np.uint32)))
back[ALPHA == 0] = 0
tiff("premultiplied", np.dstack([multiplied, ALPHA]), np.dstack([back.astype(np.uint8), ALPHA]), photometric="rgb",
     extrasamples=["assocalpha"])
tiff("infrared", np.dstack([RGB, ALPHA, GRAY]), RGB, photometric="rgb", extrasamples=["unspecified", "unspecified"])
tiff("fifth-is-alpha", np.dstack([RGB, GRAY, ALPHA]), RGBA, photometric="rgb", extrasamples=["unspecified", "unassalpha"])
palette = np.stack([np.arange(256) * 3 % 256, np.arange(256) * 5 % 256, np.arange(256) * 7 % 256]).astype(np.uint16)
tiff("palette", CLASSES, palette.T.astype(np.uint8)[CLASSES], CLASSES, photometric="palette", colormap=palette * 257)
tiff("float", RGB.astype(np.float32), photometric="rgb")
tiff("signed", DEEP[..., 0].astype(np.int16), photometric="minisblack")
for depth in (1, 2, 4):
    few = GRAY >> (8 - depth)
    if depth == 1:
        Image.fromarray((few * 255).astype(np.uint8)).convert("1", dither=0).save(OUT / "gray1.tif", compression="raw")
        raw("gray1", few * 255)
        ids("gray1", few)
        Image.fromarray((few * 255).astype(np.uint8)).convert("1", dither=0).save(OUT / "fax.tif", compression="group4")
        raw("fax", few * 255)
    else:
        packed = np.zeros((HEIGHT, (WIDTH * depth + 7) // 8 * 8 // depth), np.uint8)
        packed[:, :WIDTH] = few
        per = 8 // depth
        rows = sum(packed[:, i::per].astype(np.uint16) << (8 - depth * (i + 1)) for i in range(per)).astype(np.uint8)
        # Written by hand: nothing else writes them.
        body = rows.tobytes()
        tags = [(256, 3, 1, WIDTH), (257, 3, 1, HEIGHT), (258, 3, 1, depth), (259, 3, 1, 1), (262, 3, 1, 1),
                (273, 4, 1, 8), (277, 3, 1, 1), (278, 3, 1, HEIGHT), (279, 4, 1, len(body))]
        body += b"\0" * (len(body) % 2)
        file = b"II*\0" + struct.pack("<I", 8 + len(body)) + body + struct.pack("<H", len(tags))
        file += b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0\0\0\0"
        (OUT / f"gray{depth}.tif").write_bytes(file)
        raw(f"gray{depth}", (few.astype(np.uint32) * 255 // (2**depth - 1)).astype(np.uint8))
        ids(f"gray{depth}", few)
# libtiff's own writer: JPEG in YCbCr, tiles and strips.
tool("tiffcp", "-c", "jpeg:90", "-t", "-w", 32, "-l", 16, OUT / "strips-lzw.tif", OUT / "jpeg-tiles.tif")
raw("jpeg-tiles", tifffile.imread(OUT / "jpeg-tiles.tif"))
tool("tiffcp", "-c", "jpeg:90", "-r", 16, OUT / "strips-lzw.tif", OUT / "jpeg-strips.tif")
raw("jpeg-strips", tifffile.imread(OUT / "jpeg-strips.tif"))
Image.fromarray(RGB).convert("CMYK").save(OUT / "cmyk.tif", compression="tiff_lzw")
raw("cmyk", RGB)
Image.fromarray(RGB).convert("YCbCr").save(OUT / "ycbcr.tif")
raw("ycbcr", RGB)
small = RGB[:5, :7]
for orientation in range(1, 9):
    tiff(f"orientation{orientation}", small, photometric="rgb", extratags=[(274, "H", 1, orientation, True)])
turned = {1: small, 2: small[:, ::-1], 3: small[::-1, ::-1], 4: small[::-1], 5: small.transpose(1, 0, 2),
          6: np.rot90(small, -1), 7: small[::-1, ::-1].transpose(1, 0, 2), 8: np.rot90(small, 1)}
for orientation, picture in turned.items():
    raw(f"orientation{orientation}", np.ascontiguousarray(picture))

# A profile that is not sRGB: red and green change places, and so does the profile's name.
profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
count = struct.unpack(">I", profile[128:132])[0]
for entry in range(count):
    at = 132 + 12 * entry
    name = bytes(profile[at : at + 4])
    if name in (b"rXYZ", b"gXYZ"):
        profile[at : at + 4] = b"gXYZ" if name == b"rXYZ" else b"rXYZ"
    if name == b"desc":
        offset, size = struct.unpack(">II", profile[at + 4 : at + 12])
        text = bytes(profile[offset : offset + size])
        profile[offset : offset + size] = text.replace("sRGB".encode("utf-16-be"), "sBGR".encode("utf-16-be")).replace(b"sRGB", b"sBGR")
profile = bytes(profile)
converted = ImageCms.profileToProfile(Image.fromarray(RGB), ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"))
tiff("profile", RGB, np.asarray(converted), photometric="rgb", iccprofile=profile)

# ---- WebP

with tempfile.TemporaryDirectory() as scratch:
    rgb, rgba = pathlib.Path(scratch, "rgb.png"), pathlib.Path(scratch, "rgba.png")
    Image.fromarray(RGB).save(rgb)
    Image.fromarray(RGBA).save(rgba)
    tool("cwebp", "-lossless", rgb, "-o", OUT / "lossless.webp")
    tool("cwebp", "-q", 95, rgb, "-o", OUT / "lossy.webp")
    tool("cwebp", "-lossless", "-exact", rgba, "-o", OUT / "alpha.webp")
raw("lossless", RGB)
raw("lossy", np.asarray(Image.open(OUT / "lossy.webp").convert("RGB")))
raw("alpha", RGBA)
exif = Image.Exif()
exif[0x0112] = 6
Image.fromarray(RGB).save(OUT / "turned.webp", lossless=True, exif=exif)
raw("turned", np.ascontiguousarray(np.rot90(RGB, -1)))
Image.fromarray(RGB).save(OUT / "profile.webp", lossless=True, icc_profile=profile)
frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
frames[0].save(OUT / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)

# ---- HEIC and AVIF

heif = pillow_heif.from_pillow(Image.fromarray(RGB))
heif.save(OUT / "photo.heic", quality=95)
raw("photo-heic", np.asarray(Image.open(OUT / "photo.heic").convert("RGB")))
pillow_heif.from_pillow(Image.fromarray(RGBA)).save(OUT / "alpha.heic", quality=95)
raw("alpha-heic", np.asarray(Image.open(OUT / "alpha.heic").convert("RGBA")))
Image.fromarray(RGB).save(OUT / "turned.heic", quality=95, exif=exif.tobytes())
raw("turned-heic", np.ascontiguousarray(np.rot90(np.asarray(Image.open(OUT / "photo.heic").convert("RGB")), -1)))
Image.fromarray(RGB).save(OUT / "photo.avif", quality=90, subsampling="4:4:4")
raw("photo-avif", np.asarray(Image.open(OUT / "photo.avif").convert("RGB")))

# ---- GIF and BMP

indexed = Image.frombytes("P", (WIDTH, HEIGHT), CLASSES.tobytes())
indexed.putpalette(palette.T.astype(np.uint8).tobytes())
colored = palette.T.astype(np.uint8)[CLASSES]
indexed.save(OUT / "plain.gif", interlace=0)
raw("plain-gif", colored)
indexed.save(OUT / "interlaced.gif", interlace=1)
indexed.save(OUT / "transparent.gif", transparency=3)
# Fully transparent pixels have no colour.
alpha = np.where(CLASSES == 3, 0, 255).astype(np.uint8)
raw("transparent-gif", np.dstack([np.where(alpha[..., None] > 0, colored, 0).astype(np.uint8), alpha]))
indexed.save(OUT / "animated.gif", save_all=True, append_images=[indexed.transpose(Image.Transpose.FLIP_TOP_BOTTOM)])

Image.fromarray(RGB).save(OUT / "rgb.bmp")
raw("rgb-bmp", RGB)
indexed.save(OUT / "palette8.bmp")
raw("palette8-bmp", colored)
Image.fromarray(((GRAY >> 7) * 255).astype(np.uint8)).convert("1", dither=0).save(OUT / "bits1.bmp")
raw("bits1-bmp", np.repeat(((GRAY >> 7) * 255)[..., None], 3, axis=2).astype(np.uint8))


def bmp(name, bits, rows, compression=0, masks=b"", colors=b"", height=-HEIGHT):
    body = b"".join(row + b"\0" * (-len(row) % 4) for row in rows)
    header = struct.pack("<IiiHHIIiiII", 40, WIDTH, height, 1, bits, compression, len(body), 0, 0, 0, 0)
    start = 14 + len(header) + len(masks) + len(colors)
    file = b"BM" + struct.pack("<IHHI", start + len(body), 0, 0, start) + header + masks + colors + body
    (OUT / f"{name}.bmp").write_bytes(file)


high = ((RGB[..., 0].astype(np.uint16) >> 3) << 11) | ((RGB[..., 1].astype(np.uint16) >> 2) << 5) | (RGB[..., 2] >> 3)
bmp("rgb565", 16, [row.astype("<u2").tobytes() for row in high], 3, struct.pack("<III", 0xF800, 0x07E0, 0x001F))
spread = np.stack([(high >> 11) * 255 // 31, (high >> 5 & 63) * 255 // 63, (high & 31) * 255 // 31], axis=2)
raw("rgb565-bmp", spread.astype(np.uint8))
bmp("bgra", 32, [row[:, [2, 1, 0, 3]].tobytes() for row in RGBA[::-1]], 6,
    struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000), height=HEIGHT)
raw("bgra-bmp", RGBA)
four = np.zeros((HEIGHT, 46), np.uint8)
four[:, :WIDTH] = CLASSES
bmp("palette4", 4, [(row[0::2] << 4 | row[1::2]).tobytes() for row in four], colors=b"".join(
    bytes([palette[2, i] & 255, palette[1, i] & 255, palette[0, i] & 255, 0]) for i in range(16)))
raw("palette4-bmp", colored)
