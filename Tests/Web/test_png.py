"""The page's own PNG reader: every row filter, exact values, and errors that say what is wrong."""

import base64
import random
import struct
import zlib

import pytest

WIDTH, HEIGHT = 13, 9

DECODE = """
async (text) => {
  const { decodeGray } = await import("/assets/png.js");
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const { width, height, values } = await decodeGray(bytes);
    return { width, height, values: [...values] };
  } catch (error) {
    return error.message;
  }
}
"""


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(a, b, c):
    distances = [abs(b - c), abs(a - c), abs(a + b - 2 * c)]
    return (a, b, c)[distances.index(min(distances))]


def filtered(values, filter):
    """The rows with one filter, by the PNG specification, section 9."""
    rows = b""
    for y in range(HEIGHT):
        rows += bytes([filter])
        for x in range(WIDTH):
            at = lambda dx, dy: values[(y - dy) * WIDTH + x - dx] if x >= dx and y >= dy else 0
            a, b, c = at(1, 0), at(0, 1), at(1, 1)
            predicted = [0, a, b, (a + b) // 2, paeth(a, b, c)][filter]
            rows += bytes([(values[y * WIDTH + x] - predicted) % 256])
    return rows


def png(rows, depth=8, kind=0, interlace=0, parts=1):
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, kind, 0, 0, interlace)
    data = zlib.compress(rows)
    step = -(-len(data) // parts)
    pieces = [chunk(b"IDAT", data[start : start + step]) for start in range(0, len(data), step)]
    text = chunk(b"tEXt", b"Comment\0between")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + text + b"".join(pieces) + chunk(b"IEND", b"")


VALUES = random.Random(3).choices(range(256), k=WIDTH * HEIGHT)


def decode(demo, data):
    return demo.page.evaluate(DECODE, base64.b64encode(data).decode())


@pytest.mark.parametrize("parts", [1, 3])
def test_each_row_filter_gives_the_exact_values(demo, parts):
    for filter in range(5):
        found = decode(demo, png(filtered(VALUES, filter), parts=parts))
        assert found == {"width": WIDTH, "height": HEIGHT, "values": VALUES}, f"filter {filter}"


def test_what_it_does_not_read_is_said(demo):
    good = png(filtered(VALUES, 0))
    assert decode(demo, b"hello, world") == "the answer is not a PNG"
    assert decode(demo, good[:60]) == "the PNG is cut off"
    assert decode(demo, good[:90]) == "the PNG is cut off"
    damaged = good.replace(zlib.compress(filtered(VALUES, 0))[:8], b"\x78\x9c" + bytes([255] * 6))
    assert decode(demo, damaged) == "the PNG's pixels are damaged"
    assert decode(demo, png(filtered(VALUES, 0)[:40])) == "the PNG is cut off"
    assert decode(demo, png(b"\x05" + filtered(VALUES, 0)[1:])) == "the PNG has an unknown row filter (5)"
    for options in ({"depth": 16}, {"kind": 2}, {"interlace": 1}):
        assert decode(demo, png(filtered(VALUES, 0), **options)) == "the PNG is not 8-bit gray without interlace"
