"""PNG files of any size without any library, and damaged ones."""

import random
import struct
import zlib


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, seed):
    """Blocks of random colour, 16 pixels a side."""
    colours = random.Random(seed)
    across = (width + 15) // 16
    rows = []
    for _ in range((height + 15) // 16):
        row = b"".join(bytes(colours.randrange(256) for _ in range(3)) * 16 for _ in range(across))
        rows.append(b"\0" + row[: width * 3])
    lines = b"".join(rows[y // 16] for y in range(height))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(lines, 1))
        + _chunk(b"IEND", b"")
    )


def huge_header(width=60000, height=60000):
    """A header that declares gigabytes, and next to nothing behind it."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(b"\0" * 64))
        + _chunk(b"IEND", b"")
    )
