"""The package's model files (docs/formats.md, Sources/SegNetFormats/Safetensors), read and written with NumPy."""

import json
import os
import struct

import numpy as np

from .errors import UserError

_TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2"), "I8": np.dtype("i1"), "U8": np.dtype("u1")}
_SCALE = ":scale"  # the scales of a tensor of 8-bit or 4-bit numbers are stored next to it under its name and this
ALIGNMENT = 64


def read(path):
    """(arrays of float32 by name, metadata)"""
    try:
        with open(path, "rb") as file:
            data = file.read()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        arrays = {}
        for name, entry in header.items():
            kind = _TYPES.get(entry["dtype"])
            if kind is None:
                continue
            first, last = entry["data_offsets"]
            values = np.frombuffer(data, kind, (last - first) // kind.itemsize, 8 + length + first)
            if entry["dtype"] == "BF16":
                values = (values.astype(np.uint32) << 16).view(np.float32)
            values = values.reshape(entry["shape"])
            arrays[name] = values if entry["dtype"] == "U8" else values.astype(np.float32)
        for name in [name for name in arrays if name.endswith(_SCALE)]:
            scale, name = arrays.pop(name), name.removesuffix(_SCALE)
            if name in arrays:
                arrays[name] = _expanded(arrays[name], scale)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path.") from error
    except (ValueError, KeyError, TypeError, struct.error, AttributeError) as error:
        raise UserError(f"{path}: is not a safetensors file, or a damaged one ({error}).") from error
    return {name: array for name, array in arrays.items() if array.dtype != np.uint8}, metadata


def _expanded(numbers, scale):
    """Whole numbers times their scales: one per row, or in 4 bits one per 32 indices of the second axis."""
    if numbers.dtype != np.uint8:
        return numbers * scale.reshape(-1, *[1] * (numbers.ndim - 1))
    halves = np.stack([(numbers << 4).view(np.int8) >> 4, numbers.view(np.int8) >> 4], axis=2)
    shape = numbers.shape[0], 2 * numbers.shape[1], *numbers.shape[2:]
    return halves.reshape(shape).astype(np.float32) * np.repeat(scale, 32, axis=1)


def description(metadata, path):
    """The network that a file describes."""
    if metadata.get("format") != "segnet" or "network" not in metadata:
        raise UserError(f"{path}: holds tensors but no network description; give a file that 'segnet convert', 'segnet train' or this "
                        "program has written.")
    return json.loads(metadata["network"])


def write(path, arrays, network, *, name, classes, palette, notes):
    """Writes a model in float32, under a temporary name and renamed into place."""
    kinds = [layer["parameters"] for layer in network["layers"] if layer["kind"] == "batchNormalization"]
    metadata = {
        "format": "segnet", "format_version": "1", "network": _compact(network), "name": name,
        "batchNormalization": "none" if not kinds else "folded" if kinds[0]["statistics"] == "folded" else "statistics",
        "class_names": _compact(list(classes)), "palette": _compact([list(color) for color in palette]), "notes": _compact(notes),
    }
    if kinds:
        metadata["epsilon"] = repr(float(kinds[0]["epsilon"]))
    header, place = {"__metadata__": metadata}, 0
    blocks = {key: np.ascontiguousarray(arrays[key], "<f4") for key in sorted(arrays)}
    for key, block in blocks.items():
        header[key] = {"dtype": "F32", "shape": list(block.shape), "data_offsets": [place, place + block.nbytes]}
        place += block.nbytes
    text = _compact(header).encode()
    text += b" " * (-(len(text) + 8) % ALIGNMENT)
    with open(f"{path}.part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for block in blocks.values():
            file.write(block.tobytes())
    os.replace(f"{path}.part", path)


def _compact(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
