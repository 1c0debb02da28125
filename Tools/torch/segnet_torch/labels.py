"""What the numbers or colours of label files mean (Sources/SegNetData/LabelRule.swift, LabelChange.swift)."""

from dataclasses import dataclass, field

import numpy as np

from .class_tables import CAMVID_COLORS, ClassTable
from .errors import UserError
from .pictures import open_picture

IGNORED = 255  # stands for pixels without ground truth, whatever number the files use


@dataclass
class LabelRule:
    """What the numbers of label files mean. A number that is not in the mapping stands for the class of that number."""

    mapping: dict = field(default_factory=dict)  # number -> class, or None: no ground truth
    is_colored: bool = False
    colors: ClassTable = None  # where they are not those of the classes; numbers are then mapped

    def numbers(self, id):
        """The label numbers that stand for a class."""
        own = [] if id in self.mapping else [id]
        return own + sorted(number for number, target in self.mapping.items() if target == id)

    def read(self, path, table):
        """Class ids [height, width] of a label file, IGNORED where there is no ground truth."""
        numbers = _colored(path, self.colors or table) if self.is_colored else label_numbers(path)
        return self._classes(numbers, path, table)

    def _classes(self, numbers, path, table):
        count = len(table.classes)
        meanings = np.full(65536, -1, np.int64)
        meanings[:count] = np.arange(count)
        meanings[[id for id in table.ignored if id < 65536]] = IGNORED
        for number, id in self.mapping.items():
            meanings[number] = IGNORED if id is None else id
        ids = meanings[numbers]
        if (ids < 0).any():
            y, x = np.argwhere(ids < 0)[0]
            number = numbers[y, x]
            raise UserError(
                f"{path}: has the label {number} at x {x}, y {y} ({(numbers == number).sum()} pixels), but the classes are "
                f"0...{count - 1}; map it (--map {number}=CLASS) or ignore it (--ignore {number}).")
        return ids.astype(np.uint8)

    def shift(self, offset, table):
        """Labels that count from another number: a number means the class number + offset, void below 0."""
        for number in range(min(len(table.classes) - offset, 65536)):
            self.mapping[number] = number + offset if number + offset >= 0 else None

    def change(self, changes, table):
        """Labels that mean another class, or none: {old: new}. All look at the rule as it was: none acts on what another has made."""
        mapping, known = dict(self.mapping), {}
        for old, new in sorted(changes.items()):
            id = _new_class(old, new, table)
            for number in _old_numbers(old, new, self, table):
                other, other_id = known.setdefault(number, (f"{old}={new}", id))
                if other_id != id:
                    raise UserError(f"--map {old}={new}: '{other}' gives the label {number} another meaning; leave one of them out.")
                mapping[number] = id
        self.mapping = mapping


def _new_class(old, new, table):
    if new.lower() == "void":
        return None
    if new.isdigit():
        if int(new) >= len(table.classes):
            raise UserError(f"--map {old}={new}: there are {len(table.classes)} classes, 0...{len(table.classes) - 1}.")
        return int(new)
    if table.id(new) is None:
        raise UserError(f"--map {old}={new}: there is no class '{new}'; the classes are {', '.join(table.classes)}.")
    return table.id(new)


def _old_numbers(old, new, rule, table):
    if old.isdigit() and int(old) < 65536:
        return [int(old)]
    if table.id(old) is not None:
        return rule.numbers(table.id(old))
    if rule.colors and rule.colors.id(old) is not None:
        return [rule.colors.id(old)]
    painted = f", the labels' colours {', '.join(rule.colors.classes)}" if rule.colors else ""
    raise UserError(f"--map {old}={new}: there is no class '{old}'; the classes are {', '.join(table.classes)}{painted}.")


def camvid_colors(table):
    """The 32 colours of CamVid's original labels. Where no class is for them, road markings are road."""
    mapping = {}
    for number, (_, _, group) in enumerate(CAMVID_COLORS):
        id = table.id(group) if group else None
        if group == "RoadMarking":
            id = next((found for name in ("Road_marking", "RoadMarking", "Road") if (found := table.id(name)) is not None), None)
        mapping[number] = id
    names = tuple(name for name, _, _ in CAMVID_COLORS)
    colors = tuple(color for _, color, _ in CAMVID_COLORS)
    return LabelRule(mapping, True, ClassTable("camvid32", names, colors))


def _colored(path, table):
    pixels = np.asarray(open_picture(path).convert("RGB")).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    known = {}
    if table.ignored:
        known[table.ignored_color] = table.ignored[0]
    for id in reversed(range(len(table.classes))):
        known[table.palette[id]] = id
    colors, places = np.unique(packed, return_inverse=True)
    ids = []
    for color in colors.tolist():
        color_bytes = (color >> 16, color >> 8 & 255, color & 255)
        if color_bytes not in known:
            y, x = np.argwhere(packed == color)[0]
            raise UserError(f"{path}: has the colour {color_bytes} at x {x}, y {y}, which is not a colour of '{table.name}'; smoothed "
                            "edges make such colours: export without smoothing.")
        ids.append(known[color_bytes])
    return np.array(ids, np.int64)[places].reshape(packed.shape)


def label_numbers(path):
    """The numbers of a label PNG: palette indices, or gray values as they stand in the file."""
    image = open_picture(path)
    if image.mode in ("P", "L"):
        numbers = np.asarray(image)
        bits = _gray_bits(path) if image.mode == "L" else 8
        # Pillow spreads gray of fewer than 8 bits over 0...255; the file's own numbers are wanted.
        return (numbers // (255 // ((1 << bits) - 1)) if bits < 8 else numbers).astype(np.int64)
    if image.mode == "1":
        return np.asarray(image).astype(np.int64)
    if image.mode == "LA":
        return np.asarray(image)[..., 0].astype(np.int64)
    if image.mode in ("I", "I;16", "I;16B"):
        return np.asarray(image).astype(np.int64)
    raise UserError(f"{path}: is a picture in colours ({image.mode}); labels are gray or palette PNGs whose values are class ids. Labels "
                    "painted in the classes' colours are read with --colored.")


def _gray_bits(path):
    """Bits a sample of a PNG: the ninth byte of its first chunk."""
    with open(path, "rb") as file:
        head = file.read(25)
    return head[24] if head[:8] == b"\x89PNG\r\n\x1a\n" else 8
