"""A network with dropout that is small enough to write by hand: it names dark, middle and light pixels.

The tests need a second model, one that can be sampled, and nothing that has to be trained or downloaded for it.
"""

import json
import struct

NAMES = ["Shadow", "Middle", "Light"]
COLORS = [[32, 48, 96], [90, 140, 110], [240, 220, 130]]


def _convolution(name, source, channels):
    window = {"height": 1, "width": 1, "paddingX": 0, "paddingY": 0, "strideX": 1, "strideY": 1, "dilationX": 1, "dilationY": 1}
    parameters = {"groups": 1, "hasBias": True, "outputChannels": channels, "window": window}
    return {"inputs": [source], "kind": "convolution", "name": name, "outputs": [name], "parameters": parameters}


def write(path):
    """Writes the network as a .safetensors file of this package's kind."""
    brightness = [1 / (3 * 255)] * 3
    tensors = {
        # Four times the same brightness, of which dropout takes some away.
        "gray.weight": ([4, 3, 1, 1], brightness * 4),
        "gray.bias": ([4], [0.0] * 4),
        "tones.weight": ([3, 4, 1, 1], [-3.0] * 4 + [0.0] * 4 + [3.0] * 4),
        "tones.bias": ([3], [4.0, 0.0, -8.0]),
    }
    network = {
        "name": "tones",
        "input": {
            "name": "data",
            "channels": ["blue", "green", "red"],
            "height": 90,
            "width": 120,
            "mean": [0, 0, 0],
            "scale": [1, 1, 1],
        },
        "layers": [
            _convolution("gray", "data", 4),
            {
                "inputs": ["gray"],
                "kind": "dropout",
                "name": "drop",
                "outputs": ["gray"],
                "parameters": {"ratio": 0.5, "samplesAtTest": True},
            },
            _convolution("tones", "gray", 3),
        ],
    }
    header = {
        "__metadata__": {
            "format": "segnet",
            "format_version": "1",
            "name": "tones",
            "batchNormalization": "none",
            "class_names": json.dumps(NAMES),
            "palette": json.dumps(COLORS),
            "network": json.dumps(network),
        }
    }
    data = b""
    for name, (shape, values) in tensors.items():
        packed = struct.pack(f"<{len(values)}f", *values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded + data)
