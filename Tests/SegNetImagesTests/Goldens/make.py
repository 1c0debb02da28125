#!/usr/bin/env python3
"""Writes the small pictures of the tests in this folder, and what they must decode to.

    python3 -m venv .venv && .venv/bin/pip install pillow==13.0.0 numpy==2.4.6 opencv-python-headless==5.0.0.93
    .venv/bin/python Tests/SegNetImagesTests/Goldens/make.py

PNGs are written by the code below, because Pillow writes neither interlaced files nor 2-bit gray, and are compared with
Pillow's decoding here. JPEGs are written by Pillow, YCCK and unusual subsampling by libturbojpeg.

NAME.raw: width, height, channels (a byte each), then samples: the picture. NAME.ids: width, height (a byte each), then
16-bit little-endian numbers: the labels.
"""
import ctypes
import ctypes.util
import io
import pathlib
import struct
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
WIDTH, HEIGHT = 13, 9


def write_raw(name, samples):
    samples = np.atleast_3d(np.asarray(samples))
    assert samples.dtype == np.uint8
    height, width, channels = samples.shape
    (HERE / f"{name}.raw").write_bytes(bytes([width, height, channels]) + samples.tobytes())


def write_ids(name, ids):
    height, width = ids.shape
    (HERE / f"{name}.ids").write_bytes(bytes([width, height]) + ids.astype("<u2").tobytes())


# ---- PNG


def chunk(kind, payload):
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def packed_rows(samples, depth):
    """samples [height, width, channels] -> filtered rows, all with filter 0."""
    rows = b""
    for row in samples:
        flat = row.reshape(-1)
        if depth == 16:
            line = flat.astype(">u2").tobytes()
        elif depth == 8:
            line = flat.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(value), f"0{depth}b") for value in flat)
            bits += "0" * (-len(bits) % 8)
            line = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        rows += b"\0" + line
    return rows


def png(samples, color_type, depth, interlaced=False, palette=None, transparency=None):
    height, width, _ = samples.shape
    if interlaced:
        data = b""
        for top, left, down, right in [
            (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1),
        ]:
            part = samples[top::down, left::right]
            if part.size:
                data += packed_rows(part, depth)
    else:
        data = packed_rows(samples, depth)
    file = b"\x89PNG\r\n\x1a\n"
    file += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced)))
    if palette is not None:
        file += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparency is not None:
        file += chunk(b"tRNS", transparency)
    return file + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def test_samples(channels, depth):
    y, x, c = np.mgrid[0:HEIGHT, 0:WIDTH, 0:channels]
    values = (x * 7919 + y * 104729 + c * 1299709) % 65536
    return values * 2**depth // 65536


def to_8_bits(samples, depth):
    most = 2**depth - 1
    return ((samples * 255 + most // 2) // most).astype(np.uint8)


def make_png(name, color_type, depth, transparent=False):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    samples = test_samples(channels, depth)
    palette = transparency = None
    if color_type == 3:
        count = 2**depth
        index = np.arange(count)
        palette = np.stack([255 - index * 255 // max(count - 1, 1), index * 91 % 256, index * 37 % 256], axis=1)
        # Two equal colours: decoders that look colours up instead of keeping indices fail here.
        palette[count - 1] = palette[0]
        picture = palette[samples[..., 0]].astype(np.uint8)
        if transparent:
            alpha = np.array([255, 0, 100][:count])
            transparency = bytes(alpha.tolist())
            all_alpha = np.full(count, 255)
            all_alpha[: len(alpha)] = alpha
            picture = np.concatenate([picture, all_alpha[samples].astype(np.uint8)], axis=2)
    else:
        picture = to_8_bits(samples, depth)
        if transparent:
            key = samples[2, 3]
            transparency = b"".join(struct.pack(">H", int(value)) for value in key)
            opaque = np.any(samples != key, axis=2, keepdims=True)
            picture = np.concatenate([picture, np.where(opaque, 255, 0).astype(np.uint8)], axis=2)
            channels += 1
        if channels == 2:
            picture = picture[..., [0, 0, 0, 1]]
    for interlaced in (False, True):
        full_name = name + ("-interlaced" if interlaced else "")
        file = png(samples, color_type, depth, interlaced, palette, transparency)
        (HERE / f"{full_name}.png").write_bytes(file)
        if not transparent and depth < 16:
            mode = {1: "L", 3: "RGB", 4: "RGBA"}[picture.shape[2]]
            pillow = np.atleast_3d(np.asarray(Image.open(io.BytesIO(file)).convert(mode)))
            assert np.array_equal(pillow, picture), full_name
        elif transparent and depth == 8:
            pillow = np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"))
            expected = picture if picture.shape[2] == 4 else picture[..., [0, 0, 0, 1]]
            assert np.array_equal(pillow, expected), full_name
        elif depth == 16:
            flag = cv2.IMREAD_UNCHANGED
            decoded = np.atleast_3d(cv2.imdecode(np.frombuffer(file, np.uint8), flag))
            if decoded.shape[2] >= 3:
                decoded = decoded[..., [2, 1, 0] + ([3] if decoded.shape[2] == 4 else [])]
            if decoded.dtype == np.uint16 and decoded.shape[2] == picture.shape[2]:
                assert np.array_equal(to_8_bits(decoded.astype(np.int64), 16), picture), full_name
    write_raw(name, picture)
    if color_type in (0, 3, 4):
        write_ids(name, samples[..., 0])


for depth in (1, 2, 4, 8, 16):
    make_png(f"gray{depth}", 0, depth)
for depth in (1, 2, 4, 8):
    make_png(f"palette{depth}", 3, depth)
for depth in (8, 16):
    make_png(f"rgb{depth}", 2, depth)
    make_png(f"gray-alpha{depth}", 4, depth)
    make_png(f"rgba{depth}", 6, depth)
make_png("palette4-transparent", 3, 4, transparent=True)
make_png("palette8-transparent", 3, 8, transparent=True)
make_png("gray2-transparent", 0, 2, transparent=True)
make_png("gray8-transparent", 0, 8, transparent=True)
make_png("rgb8-transparent", 2, 8, transparent=True)
make_png("rgb16-transparent", 2, 16, transparent=True)

# ---- JPEG

y, x = np.mgrid[0:27, 0:35]
photo = np.stack([x * 255 // 34, y * 255 // 26, (x * y) % 256], axis=2).astype(np.uint8)
photo[8:18, 10:20] = [230, 40, 30]
rgb = Image.fromarray(photo)
cmyk_samples = np.stack([x * 7, y * 9, (x + y) * 4, (x * 3 + y) % 128], axis=2).astype(np.uint8)


def write_jpeg(name, file):
    (HERE / f"{name}.jpg").write_bytes(file)
    decoded = ImageOps.exif_transpose(Image.open(io.BytesIO(file)))
    write_raw(name, np.asarray(decoded if decoded.mode == "L" else decoded.convert("RGB")))


def saved(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", **options)
    return buffer.getvalue()


def without_segment(file, marker):
    at = 2
    while file[at + 1] != 0xDA:
        length = 2 + int.from_bytes(file[at + 2 : at + 4], "big")
        if file[at + 1] == marker:
            return file[:at] + file[at + length :]
        at += length
    raise ValueError("no such segment")


turbo = ctypes.CDLL(ctypes.util.find_library("turbojpeg") or "libturbojpeg.so.0")
turbo.tjInitCompress.restype = ctypes.c_void_p


def turbo_jpeg(samples, pixel_format, subsampling):
    handle = ctypes.c_void_p(turbo.tjInitCompress())
    out = ctypes.POINTER(ctypes.c_ubyte)()
    size = ctypes.c_ulong(0)
    height, width, channels = samples.shape
    source = np.ascontiguousarray(samples)
    assert 0 == turbo.tjCompress2(
        handle, source.ctypes.data_as(ctypes.c_void_p), width, 0, height, pixel_format, ctypes.byref(out),
        ctypes.byref(size), subsampling, 90, 4096,
    )
    return ctypes.string_at(out, size.value)


write_jpeg("baseline-444", saved(rgb, quality=90, subsampling=0))
write_jpeg("baseline-422", saved(rgb, quality=90, subsampling=1))
write_jpeg("baseline-420", saved(rgb, quality=90, subsampling=2))
write_jpeg("baseline-restarts", saved(rgb, quality=90, subsampling=2, restart_marker_blocks=2))
write_jpeg("baseline-440", turbo_jpeg(photo, 0, 4))
write_jpeg("baseline-411", turbo_jpeg(photo, 0, 5))
write_jpeg("progressive", saved(rgb, quality=90, progressive=True))
write_jpeg("gray", saved(rgb.convert("L"), quality=90))
write_jpeg("gray-progressive", saved(rgb.convert("L"), quality=90, progressive=True))
write_jpeg("stored-rgb", saved(rgb, quality=90, keep_rgb=True))
cmyk = saved(Image.fromarray(cmyk_samples, "CMYK"), quality=90)
write_jpeg("cmyk", cmyk)
write_jpeg("cmyk-progressive", saved(Image.fromarray(cmyk_samples, "CMYK"), quality=90, progressive=True))
write_jpeg("cmyk-without-adobe", without_segment(cmyk, 0xEE))
write_jpeg("ycck", turbo_jpeg(255 - cmyk_samples, 11, 0))
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    write_jpeg(f"orientation{orientation}", saved(rgb.crop((0, 0, 19, 11)), quality=80, exif=exif))

# ---- Resizing

y, x = np.mgrid[0:11, 0:17]
source = np.stack([(x * 31 + y * 57) % 256, (x * x * 5 + y) % 256, (x * 13) ^ (y * 29)], axis=2).astype(np.uint8)
write_raw("resize-source", source)
for width, height in [(30, 20), (9, 6), (17, 22), (34, 11), (5, 3), (1, 1), (23, 4)]:
    write_raw(f"resize-bilinear-{width}x{height}", cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR))
    write_raw(f"resize-nearest-{width}x{height}", cv2.resize(source, (width, height), interpolation=cv2.INTER_NEAREST)[..., 0])
for width, height in [(9, 6), (5, 3), (1, 1), (16, 10), (17, 4)]:
    write_raw(f"resize-area-{width}x{height}", cv2.resize(source, (width, height), interpolation=cv2.INTER_AREA))
