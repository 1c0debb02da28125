"""Where the files of each kind of data set lie, and what their labels mean (docs/data.md, Sources/SegNetData).

A data set holds no pixels: it names files by split and gives each number or colour of a label file its class.
"""

from dataclasses import dataclass
from pathlib import Path

from . import class_tables
from .errors import UserError
from .labels import IGNORED, LabelRule, camvid_colors

WITH_LISTS = ("camvid", "camvid12", "sunrgbd", "nyuv2", "list")
PICTURE_ENDINGS = (".png", ".jpg", ".jpeg")
OTHER_PICTURE_ENDINGS = (".tif", ".tiff", ".webp", ".heic", ".heif", ".avif", ".gif", ".bmp")  # which the package reads


@dataclass(frozen=True)
class Sample:
    image: str
    label: str

    @property
    def name(self):
        return Path(self.image).stem


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
        return self.rule.read(path, self.table)


def load(kind, folder, *, classes=None, ignored=(), offset=None, changes=None, colored=False, size=None, lists=None,
         validation_share=0.1):
    """Finds the files of a data set; opens no picture.

    classes: the word of a table or of a file; offset: added to every label number, below 0; changes: {old: new}, labels that mean another class, or void; lists: {split: files}, list
    files of other names than train.txt, val.txt and test.txt; validation_share: how many of the training pictures become validation
    where there is none, 0..<1.
    """
    table = class_tables.class_table(classes) if classes else None
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such folder; give the data set's folder (--data).")
    if lists and kind not in WITH_LISTS:
        raise UserError(f"{', '.join(next(iter(lists.values())))}: '{kind}' has no list files; name one of its splits, or take a kind that has "
                        f"lists ({', '.join(WITH_LISTS)}).")
    dataset = _LAYOUTS[kind](folder, table, lists or {})
    if table:
        dataset.table = table
    if len(dataset.classes) > IGNORED:
        raise UserError(f"{folder}: has {len(dataset.classes)} classes; this program takes {IGNORED} at most.")
    dataset.rule.is_colored = dataset.rule.is_colored or colored
    if dataset.rule.is_colored and not dataset.rule.colors:
        _require_distinct_colors(folder, dataset.table)
    if offset:
        if offset > 0 or kind not in ("folder", "list") or dataset.rule.is_colored:
            raise UserError(f"label-offset {offset}: is below 0, and for labels with numbers of the data sets 'folder' and 'list'.")
        dataset.rule.shift(offset, dataset.table)
    for number in ignored:
        dataset.rule.mapping[number] = None
    dataset.rule.change(changes or {}, dataset.table)
    dataset.size = tuple(size) if size else None
    _add_validation(dataset, validation_share)
    return dataset


def _require_distinct_colors(folder, table):
    known = {}
    for name, color in zip(table.classes, table.palette):
        other = known.setdefault(tuple(color), name)
        if other != name:
            raise UserError(f"{folder}: the classes '{other}' and '{name}' have the same colour {tuple(color)}, so they cannot be told apart in "
                            "painted labels; give each a different colour (--classes).")


# Layouts


def _camvid(folder, table, lists, own=class_tables.CAMVID):
    table = table or own
    splits = _lists(folder, lists)
    first = next(iter(splits.values()))[0]
    rule = LabelRule({len(table.classes): None})  # the number after the classes is void, in whatever table
    if first.label.endswith("_L.png") or own is class_tables.CAMVID12:
        rule = camvid_colors(table)
    return Dataset("camvid12" if own is class_tables.CAMVID12 else "camvid", table, rule, splits)


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
        raise UserError(f"{folder}: holds no folders images/ and labels/; give the folder that has them, or make them: images/ for the "
                        "pictures, labels/ for PNGs with the same names (each may have folders train, val, test).")
    named = [split for split in ("test", "train", "val") if (images / split).is_dir()]
    splits = {split: _pairs(images / split, labels / split) for split in named} or {"train": _pairs(images, labels)}
    return Dataset(folder.name or "data", _classes(folder, table), LabelRule({255: None}), splits)


def _pairs(images, labels):
    """Pictures and labels of the same names; both need their partner."""
    label_files = {path.stem: path for path in reversed(_pictures(labels))}
    pictures = _pictures(images)
    other = next(iter(_pictures(images, OTHER_PICTURE_ENDINGS)), None)
    if other:
        raise UserError(f"{other}: this program reads PNG and JPEG; convert it first.")
    if not pictures:
        raise UserError(f"{images}: holds no PNG or JPEG pictures.")
    for path in pictures:
        if path.stem not in label_files:
            raise UserError(f"{path}: has no label of the same name in {labels}; add it, or take the picture away.")
    return [Sample(str(path), str(label_files[path.stem])) for path in pictures]


def _pictures(folder, endings=PICTURE_ENDINGS):
    if not folder.is_dir():
        return []
    # By bytes, as Swift sorts: the order of the training pictures is part of what a seed means.
    files = sorted((path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: path.name.encode())
    return [path for path in files if path.name.lower().endswith(endings)]


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
                raise UserError(f"{path}: cannot be read; it needs one \"image label\" pair per line, relative to its folder. The folder "
                                f"has {others}.")
    if not splits:
        raise UserError(f"{folder}: holds no train.txt, val.txt or test.txt; each needs one \"image label\" pair per line, relative to "
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
    raise UserError(f"{folder}: nothing says which classes the labels have; add classes.txt with one name per line, in the order of the label "
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


def _add_validation(dataset, share):
    """Without a validation split some training pictures become one, evenly spread, the same each time: every n-th for a share of 1/n."""
    train = dataset.splits.get("train", [])
    if dataset.splits.get("val") or len(train) < 2 or share <= 0:
        return

    def chosen_of(count):  # how many of the first pictures; what is added makes up for rounding in count / n
        return int(count * share + 1e-6)

    # Of few pictures the last one; never the first, so that one is left to learn from.
    chosen = {len(train) - 1}
    if chosen_of(len(train)):
        chosen = {place for place in range(1, len(train)) if chosen_of(place + 1) > chosen_of(place)}
    dataset.splits["val"] = [train[place] for place in sorted(chosen)]
    dataset.splits["train"] = [sample for place, sample in enumerate(train) if place not in chosen]
