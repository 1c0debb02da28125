"""Names and colours of classes (Sources/SegNetImages/ClassTable+Named.swift), and the files that name others."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from .errors import UserError


@dataclass(frozen=True)
class ClassTable:
    name: str
    classes: tuple  # names, in the order of the network's outputs
    palette: tuple  # (red, green, blue) of each
    ignored: tuple = ()  # label numbers without ground truth
    ignored_color: tuple = (0, 0, 0)

    def id(self, name):
        """The class of this name, upper and lower case alike; None if there is none."""
        return next((id for id, other in enumerate(self.classes) if other.lower() == name.lower()), None)


def _table(name, entries, ignored, **more):
    return ClassTable(name, tuple(entry[0] for entry in entries), tuple(entry[1] for entry in entries), (ignored,), **more)


def generic_color(id):
    """Pascal VOC's colour of the next number: its bits in turns become the top bits of red, green and blue."""
    return voc_color(id + 1)


def voc_color(number):
    color = [0, 0, 0]
    for bit in range(24):
        color[bit % 3] |= (number >> bit & 1) << (7 - bit // 3)
    return tuple(color)


_CAMVID = [
    ("Sky", (128, 128, 128)), ("Building", (128, 0, 0)), ("Pole", (192, 192, 128)), ("Road", (128, 64, 128)),
    ("Pavement", (60, 40, 222)), ("Tree", (128, 128, 0)), ("SignSymbol", (192, 128, 128)), ("Fence", (64, 64, 128)),
    ("Car", (64, 0, 128)), ("Pedestrian", (64, 64, 0)), ("Bicyclist", (0, 128, 192)),
]
_SUN = [
    ("Wall", (153, 112, 72)), ("Floor", (91, 134, 83)), ("Cabinet", (153, 91, 90)),
    ("Bed", (118, 106, 128)), ("Chair", (118, 94, 89)), ("Sofa", (148, 109, 126)), ("Table", (119, 119, 119)),
    ("Door", (131, 131, 85)), ("Window", (95, 131, 137)), ("Bookshelf", (153, 153, 107)), ("Picture", (151, 77, 68)),
    ("Counter", (152, 108, 59)), ("Blinds", (151, 123, 137)), ("Desk", (113, 77, 113)), ("Shelves", (153, 142, 67)),
    ("Curtain", (33, 76, 110)), ("Dresser", (91, 47, 98)), ("Pillow", (153, 153, 31)), ("Mirror", (148, 77, 115)),
    ("Floor mat", (59, 18, 13)), ("Clothes", (11, 85, 123)), ("Ceiling", (60, 118, 145)), ("Books", (9, 69, 63)),
    ("Fridge", (32, 56, 90)), ("TV", (71, 91, 37)), ("Paper", (32, 80, 95)), ("Towel", (77, 91, 118)),
    ("Shower curtain", (103, 118, 79)), ("Box", (27, 53, 83)), ("Whiteboard", (140, 96, 41)), ("Person", (68, 37, 71)),
    ("Night stand", (94, 95, 133)), ("Toilet", (44, 51, 79)), ("Sink", (109, 124, 64)), ("Lamp", (59, 73, 34)),
    ("Bathtub", (139, 112, 49)), ("Bag", (84, 65, 29)),
]
_VOC = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person pottedplant sheep sofa "
    "train tvmonitor"
).split()
_CITYSCAPES = [
    ("road", (128, 64, 128)), ("sidewalk", (244, 35, 232)), ("building", (70, 70, 70)), ("wall", (102, 102, 156)),
    ("fence", (190, 153, 153)), ("pole", (153, 153, 153)), ("traffic light", (250, 170, 30)), ("traffic sign", (220, 220, 0)),
    ("vegetation", (107, 142, 35)), ("terrain", (152, 251, 152)), ("sky", (70, 130, 180)), ("person", (220, 20, 60)),
    ("rider", (255, 0, 0)), ("car", (0, 0, 142)), ("truck", (0, 0, 70)), ("bus", (0, 60, 100)), ("train", (0, 80, 100)),
    ("motorcycle", (0, 0, 230)), ("bicycle", (119, 11, 32)),
]

CAMVID = _table("camvid11", _CAMVID, 11)
CAMVID12 = _table("camvid12", [*_CAMVID[:3], ("Road_marking", (255, 69, 0)), *_CAMVID[3:]], 12)
SUN38 = _table("sunrgbd37", [("void", (0, 0, 0)), *_SUN], 0)
SUN = _table("sunrgbd37-without-void", _SUN, 255)
VOC = _table("voc21", [(name, voc_color(id)) for id, name in enumerate(_VOC)], 255)
CITYSCAPES = _table("cityscapes19", _CITYSCAPES, 255)
TABLES = {table.name: table for table in (CAMVID, CAMVID12, SUN38, SUN, VOC, CITYSCAPES)}

# The colours of CamVid's original labels, and the class of the SegNet authors to which each belongs: MathWorks' grouping (docs/data.md).
CAMVID_COLORS = [
    ("Animal", (64, 128, 64), "Pedestrian"), ("Archway", (192, 0, 128), "Building"), ("Bicyclist", (0, 128, 192), "Bicyclist"),
    ("Bridge", (0, 128, 64), "Building"), ("Building", (128, 0, 0), "Building"), ("Car", (64, 0, 128), "Car"),
    ("CartLuggagePram", (64, 0, 192), "Pedestrian"), ("Child", (192, 128, 64), "Pedestrian"),
    ("Column_Pole", (192, 192, 128), "Pole"), ("Fence", (64, 64, 128), "Fence"), ("LaneMkgsDriv", (128, 0, 192), "RoadMarking"),
    ("LaneMkgsNonDriv", (192, 0, 64), "RoadMarking"), ("Misc_Text", (128, 128, 64), "SignSymbol"),
    ("MotorcycleScooter", (192, 0, 192), "Bicyclist"), ("OtherMoving", (128, 64, 64), "Car"),
    ("ParkingBlock", (64, 192, 128), "Pavement"), ("Pedestrian", (64, 64, 0), "Pedestrian"), ("Road", (128, 64, 128), "Road"),
    ("RoadShoulder", (128, 128, 192), "Pavement"), ("Sidewalk", (0, 0, 192), "Pavement"),
    ("SignSymbol", (192, 128, 128), "SignSymbol"), ("Sky", (128, 128, 128), "Sky"), ("SUVPickupTruck", (64, 128, 192), "Car"),
    ("TrafficCone", (0, 0, 64), "Pole"), ("TrafficLight", (0, 64, 64), "SignSymbol"), ("Train", (192, 64, 128), "Car"),
    ("Tree", (128, 128, 0), "Tree"), ("Truck_Bus", (192, 128, 192), "Car"), ("Tunnel", (64, 0, 64), "Building"),
    ("VegetationMisc", (192, 192, 0), "Tree"), ("Void", (0, 0, 0), None), ("Wall", (64, 192, 0), "Building"),
]


def class_table(word):
    """A table by its name, or from a file."""
    if word.lower() in TABLES:
        return TABLES[word.lower()]
    if not Path(word).is_file():
        raise UserError(f"classes: '{word}' is neither a class table ({', '.join(TABLES)}) nor a file.")
    return read_class_table(word)


def read_class_table(path):
    """JSON as the package writes it, or one class per line: "name" or "name red green blue". A line "void red green blue" gives the colour of
    pixels without ground truth, "void" alone black; # begins a comment."""
    path = Path(path)
    text = path.read_text(encoding="utf-8")
    if path.suffix.lower() == ".json":
        return _from_json(text, path)
    names, colors, void, bare_void = [], [], (0, 0, 0), None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        if not names and len(words) > 3 and [word.lower() for word in words[-3:]] in (["r", "g", "b"], ["red", "green", "blue"]):
            raise UserError(f"{path}, line {number}: '{line}' looks like a heading, not a class; remove it, or begin it with '#'.")
        color = None
        are_numbers = [word.lstrip("-").isdigit() for word in words[-3:]]
        # Two numbers behind one word are a colour with one missing; one is part of a name, such as "lane 2".
        if any(are_numbers) if len(words) > 3 else are_numbers == [False, True, True]:
            if len(words) == 3 or not all(word.isdigit() and int(word) < 256 for word in words[-3:]):
                raise UserError(f"{path}, line {number}: '{line}' does not end in three numbers of 0...255; write \"name red green blue\".")
            words, color = words[:-3], tuple(map(int, words[-3:]))
        name = " ".join(words)
        if name.lower() == "void":
            void = color or void
            bare_void = bare_void if color else number
            continue
        if bare_void:
            raise UserError(f"{path}, line {bare_void}: 'void' is not a class and has no number; move it to the end, or give it a colour.")
        names.append(name)
        colors.append(color or generic_color(len(colors)))
    if not names:
        raise UserError(f"{path}: names no classes; write one per line.")
    firsts = [re.match(r"(\d+)[:.)]?\s", name) for name in names]
    if len(names) > 1 and all(firsts) and len({int(first[1]) - index for index, first in enumerate(firsts)}) == 1:
        raise UserError(f"{path}: '{names[0]}' begins with a number, as all classes here do. A class's number is its place in the list, from "
                        "0, and its line is its name; remove the numbers.")
    return ClassTable(path.name, tuple(names), tuple(colors), (255,) if len(names) <= 255 else (), void)


def _from_json(text, path):
    try:
        value = json.loads(text)
        classes = value["classes"]
        colors = tuple(tuple(int(sample) for sample in entry["color"]) for entry in classes)
        names = tuple(str(entry["name"]) for entry in classes)
        ignored_color = tuple(value.get("ignoredColor") or (0, 0, 0))
        return ClassTable(str(value["name"]), names, colors, tuple(value.get("ignoredIDs", [])), ignored_color)
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: is not a class table ({error!r}); docs/data.md shows the form.") from error
