"""Where the files of each kind of data set lie, and what their labels mean (docs/data.md, Sources/SegNetData).

A data set holds no pixels: it names files by split and gives each number or colour of a label file its class.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from . import class_tables
from .errors import UserError

IGNORED = 255  # stands for pixels without ground truth, whatever number the files use
WITH_LISTS = ("camvid", "camvid12", "sunrgbd", "nyuv2", "list")
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Sample:
    image: str
    label: str

    @property
    def name(self):
        return Path(self.image).stem


@dataclass
class LabelRule:
    """What the numbers of label files mean. A number that is not in the mapping stands for the class of that number."""

    mapping: dict = field(default_factory=dict)  # number -> class, or None: no ground truth
    is_colored: bool = False
    colors: class_tables.ClassTable = None  # where they are not those of the classes; numbers are then mapped

    def numbers(self, id):
        """The label numbers that stand for a class."""
        own = [] if id in self.mapping else [id]
        return own + sorted(number for number, target in self.mapping.items() if target == id)


@dataclass
class Dataset:
    name: str
    table: class_tables.ClassTable
    rule: LabelRule
    splits: dict
    size: tuple = None  # (width, height) to which pictures are resized when they are read

    @property
    def classes(self):
        return self.table.classes

    def samples(self, split):
        found = self.splits.get(split)
        if not found:
            names = ", ".join(sorted(name for name, samples in self.splits.items() if samples)) or "none"
            raise UserError(f"data set '{self.name}' has no split '{split}'; it has {names}.")
        return found

    def labels(self, path):
        """Class ids [height, width] of a label file, IGNORED where there is no ground truth."""
        numbers = self._colored(path) if self.rule.is_colored else _label_numbers(path)
        return self._classes_of(numbers, path)

    def _colored(self, path):
        table = self.rule.colors or self.table
        pixels = np.asarray(_open(path).convert("RGB")).astype(np.uint32)
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

    def _classes_of(self, numbers, path):
        count = len(self.classes)
        table = np.full(65536, -1, np.int64)
        table[:count] = np.arange(count)
        table[[id for id in self.table.ignored if id < 65536]] = IGNORED
        for number, id in self.rule.mapping.items():
            table[number] = IGNORED if id is None else id
        ids = table[numbers]
        if (ids < 0).any():
            y, x = np.argwhere(ids < 0)[0]
            number = numbers[y, x]
            raise UserError(
                f"{path}: has the label {number} at x {x}, y {y} ({(numbers == number).sum()} pixels), which is none of the {count} classes "
                f"0...{count - 1} and is not ignored; map it (--map {number}=CLASS) or ignore it (--ignore {number}).")
        return ids.astype(np.uint8)


def load(kind, folder, *, classes=None, ignored=(), changes=None, colored=False, size=None, lists=None, takes_validation=True):
    """Finds the files of a data set; opens no picture.

    classes: the word of a table or of a file; changes: {old: new}, labels that mean another class, or void; lists: {split: files}, list
    files of other names than train.txt, val.txt and test.txt; takes_validation: whether training pictures become validation where there
    is none.
    """
    table = class_tables.class_table(classes) if classes else None
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; give the data set's folder (--data).")
    if lists and kind not in WITH_LISTS:
        raise UserError(f"{', '.join(next(iter(lists.values())))}: '{kind}' has no list files; name one of its splits, or take a kind that has lists "
                        f"({', '.join(WITH_LISTS)}).")
    dataset = _LAYOUTS[kind](folder, table, lists or {})
    if table:
        dataset.table = table
    if len(dataset.classes) > IGNORED:
        raise UserError(f"{folder}: has {len(dataset.classes)} classes; this program takes {IGNORED} at most.")
    dataset.rule.is_colored = dataset.rule.is_colored or colored
    for number in ignored:
        dataset.rule.mapping[number] = None
    _change(dataset, changes or {})
    dataset.size = tuple(size) if size else None
    if takes_validation:
        _add_validation(dataset)
    return dataset


# Layouts


def _camvid(folder, table, lists, own=class_tables.CAMVID):
    table = table or own
    splits = _lists(folder, lists)
    first = next(iter(splits.values()))[0]
    rule = LabelRule({len(table.classes): None})  # the number after the classes is void, in whatever table
    if first.label.endswith("_L.png") or own is class_tables.CAMVID12:
        rule = _camvid_colors(table)
    return Dataset("camvid12" if own is class_tables.CAMVID12 else "camvid", table, rule, splits)


def _camvid_colors(table):
    """The 32 colours of CamVid's original labels. Where no class is for them, road markings are road."""
    mapping = {}
    for number, (_, _, group) in enumerate(class_tables.CAMVID_COLORS):
        id = table.id(group) if group else None
        if group == "RoadMarking":
            id = next((found for name in ("Road_marking", "RoadMarking", "Road") if (found := table.id(name)) is not None), None)
        mapping[number] = id
    names = tuple(name for name, _, _ in class_tables.CAMVID_COLORS)
    colors = tuple(color for _, color, _ in class_tables.CAMVID_COLORS)
    return LabelRule(mapping, True, class_tables.ClassTable("camvid32", names, colors))


def _sun(folder, table, lists):
    mapping = {0: None, **{number: number - 1 for number in range(1, 38)}}
    return Dataset("sunrgbd", class_tables.SUN, LabelRule(mapping), _lists(folder, lists))


def _nyu(folder, table, lists):
    return Dataset("nyuv2", class_tables.SUN, LabelRule({255: None}), _lists(folder, lists))


def _cityscapes(folder, table, lists):
    found = []
    for split in ("train", "val", "test"):
        for image in sorted((folder / "leftImg8bit" / split).glob("*/*_leftImg8bit.png")):
            stem = image.name.removesuffix("_leftImg8bit.png")
            found.append((split, image, folder / "gtFine" / split / image.parent.name / f"{stem}_gtFine_"))
    if not found:
        raise UserError(f"{folder}: holds no leftImg8bit/SPLIT/CITY/*_leftImg8bit.png; unpack leftImg8bit_trainvaltest.zip and "
                        "gtFine_trainvaltest.zip into one folder and give that.")
    uses_train_ids = all(Path(f"{base}labelTrainIds.png").exists() for _, _, base in found)
    ending = "labelTrainIds.png" if uses_train_ids else "labelIds.png"
    splits = {}
    for split, image, base in found:
        splits.setdefault(split, []).append(Sample(str(image), f"{base}{ending}"))
    mapping = {255: None}
    if not uses_train_ids:
        mapping.update({number: None for number in range(34)})
        ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
        mapping.update({number: id for id, number in enumerate(ids)})
    return Dataset("cityscapes", class_tables.CITYSCAPES, LabelRule(mapping), splits)


def _voc(folder, table, lists):
    splits = {}
    for split in ("train", "val", "trainval", "test"):
        names = folder / "ImageSets/Segmentation" / f"{split}.txt"
        if names.is_file():
            splits[split] = [Sample(str(folder / f"JPEGImages/{name}.jpg"), str(folder / f"SegmentationClass/{name}.png"))
                             for name in names.read_text().split()]
    splits = {split: samples for split, samples in splits.items() if samples}
    if not splits:
        raise UserError(f"{folder}: holds no ImageSets/Segmentation/train.txt; give the folder VOCdevkit/VOC2012.")
    return Dataset("voc", class_tables.VOC, LabelRule({255: None}), splits)


def _folder(folder, table, lists):
    images, labels = folder / "images", folder / "labels"
    if not images.is_dir() or not labels.is_dir():
        raise UserError(f"{folder}: holds no folders images/ and labels/; put pictures into the one and label PNGs of the same names "
                        "into the other (each may have folders train, val, test).")
    named = [split for split in ("test", "train", "val") if (images / split).is_dir()]
    splits = {split: _pairs(images / split, labels / split) for split in named} or {"train": _pairs(images, labels)}
    return Dataset(folder.name or "data", _classes(folder, table), LabelRule({255: None}), splits)


def _pairs(images, labels):
    """Pictures and labels of the same names; both need their partner."""
    label_files = {path.stem: path for path in reversed(_pictures(labels))}
    pictures = _pictures(images)
    if not pictures:
        raise UserError(f"{images}: holds no PNG or JPEG pictures.")
    for path in pictures:
        if path.stem not in label_files:
            raise UserError(f"{path}: has no label of the same name in {labels}; add it, or take the picture away.")
    return [Sample(str(path), str(label_files[path.stem])) for path in pictures]


def _pictures(folder):
    if not folder.is_dir():
        return []
    # By bytes, as Swift sorts: the order of the training pictures is part of what a seed means.
    files = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.name.encode())
    return [path for path in files if path.name.lower().endswith(PICTURE_ENDINGS)]


def _list(folder, table, lists):
    splits = _lists(folder, lists)
    return Dataset(folder.name or "data", _classes(folder, table), LabelRule({255: None}), splits)


def _lists(folder, lists):
    """The splits of train.txt, val.txt and test.txt, whichever there are, or of the files that stand for them."""
    splits = {}
    for split in dict.fromkeys(["train", "val", "test", *lists]):
        for path in [folder / name for name in lists.get(split, [f"{split}.txt"])]:
            if path.is_file():
                splits.setdefault(split, []).extend(read_list(path, folder))
            elif split in lists:
                others = ", ".join(sorted(other.name for other in folder.glob("*.txt"))) or "no text files"
                raise UserError(f"{path}: cannot be read; it is to have one \"image label\" pair a line, relative to its folder. The folder "
                                f"has {others}.")
    if not splits:
        raise UserError(f"{folder}: holds no train.txt, val.txt or test.txt; each is to have one \"image label\" pair a line, relative to "
                        "this folder. Give the folder that holds them (--data), or another --dataset.")
    return splits


def read_list(path, folder):
    samples = []
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            raise UserError(f"{path}, line {number}: has {len(words)} words; expected \"image label\". Names with spaces need the folder "
                            "layout (--dataset folder).")
        samples.append(Sample(*(_resolved(folder, word) for word in words)))
    if not samples:
        raise UserError(f"{path}: lists no pictures.")
    return samples


def _resolved(folder, word):
    """A path of a list: relative to the folder, absolute, or the authors' /SegNet/CamVid/..., which stands for the folder."""
    for prefix in ("/SegNet/CamVid/", "/SegNet/"):
        if word.startswith(prefix):
            return str(folder / word.removeprefix(prefix))
    return word if word.startswith("/") else str(folder / word)


def _classes(folder, table):
    if table:
        return table
    for name in ("classes.json", "classes.txt"):
        if (folder / name).is_file():
            return class_tables.read_class_table(folder / name)
    raise UserError(f"{folder}: nothing says which classes the labels have; add classes.txt with one name a line, in the order of the label "
                    "values (\"name\" or \"name red green blue\"), or give --classes.")


_LAYOUTS = {
    "camvid": _camvid,
    "camvid12": lambda folder, table, lists: _camvid(folder, table, lists, class_tables.CAMVID12),
    "sunrgbd": _sun,
    "nyuv2": _nyu,
    "cityscapes": _cityscapes,
    "voc": _voc,
    "folder": _folder,
    "list": _list,
}


# Changes


def _change(dataset, changes):
    """Labels that mean another class, or none. All changes look at the rule as it was: none acts on what another has made."""
    rule, table = dataset.rule, dataset.table
    mapping = dict(rule.mapping)
    for old, new in sorted(changes.items()):
        id = _new_class(old, new, table)
        for number in _old_numbers(old, new, rule, table):
            mapping[number] = id
    rule.mapping = mapping


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


def _add_validation(dataset, every=10):
    """Without a validation split every tenth training picture becomes one, the same each time; of fewer than ten the last one."""
    train = dataset.splits.get("train", [])
    if dataset.splits.get("val") or len(train) < 2:
        return
    chosen = {len(train) - 1} if len(train) < every else set(range(every - 1, len(train), every))
    dataset.splits["val"] = [train[place] for place in sorted(chosen)]
    dataset.splits["train"] = [sample for place, sample in enumerate(train) if place not in chosen]


# Files


def _open(path):
    try:
        image = Image.open(path)
        image.load()
        return image
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: cannot be read as a picture ({error}).") from error


def _label_numbers(path):
    """The numbers of a label PNG: palette indices, or gray values as they stand in the file."""
    image = _open(path)
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


def read_picture(path):
    """[height, width, 3] bytes, red, green, blue."""
    image = _open(path)
    if image.mode in ("I", "I;16", "I;16B"):
        return np.repeat((np.asarray(image).astype(np.int64) >> 8).astype(np.uint8)[..., None], 3, 2)
    return np.asarray(image.convert("RGB"))
