"""Makes the files of this folder with the programs whose forms they have.

    python make.py

Needs pycocotools (2.0.11), labelme (6.3.1, without its window), datumaro (1.13.12), label-studio-sdk (2.1.2), numpy, pillow.
All of them say the same about a picture of 16x12: a `car` (a rectangle with a rectangular hole), over it a `tree` (a blob). `truth.png` has
the result: 0 nothing, 1 car, 2 tree.
"""
import importlib, importlib.util, json, os, shutil, sys, types
from unittest.mock import MagicMock

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(here)
W, H = 16, 12
rng = np.random.default_rng(7)
picture = rng.integers(0, 255, (H, W, 3), dtype=np.uint8)
car = np.zeros((H, W), np.uint8)
car[2:10, 1:11] = 1
tree = np.zeros((H, W), np.uint8)
yy, xx = np.mgrid[0:H, 0:W]
tree[(xx - 11) ** 2 + (yy - 4) ** 2 < 10] = 1
truth = car.copy()
truth[tree > 0] = 2
Image.fromarray(truth).save("truth.png")
Image.fromarray(picture).save("photo.png")
rectangle = [1, 2, 11, 2, 11, 10, 1, 10]


def runs(mask):
    flat, counts, current, length = mask.flatten(order="F"), [], 0, 0
    for value in flat:
        if value != current:
            counts.append(length)
            current, length = value, 0
        length += 1
    return [int(c) for c in counts + [length]]


# COCO: the car as a polygon, the tree as run lengths in both forms.
packed = coco_mask.encode(np.asfortranarray(tree))
for name, segmentation in [
    ("coco-compressed", {"size": packed["size"], "counts": packed["counts"].decode()}),
    ("coco-counts", {"size": [H, W], "counts": runs(tree)}),
]:
    with open(f"{name}.json", "w") as file:
        json.dump(
            {
                "images": [{"id": 7, "file_name": "photo.png", "width": W, "height": H}],
                "categories": [{"id": 3, "name": "car", "supercategory": "vehicle"}, {"id": 9, "name": "tree"}],
                "annotations": [
                    {"id": 1, "image_id": 7, "category_id": 3, "iscrowd": 0, "area": int(car.sum()),
                     "bbox": [1, 2, 10, 8], "segmentation": [rectangle]},
                    {"id": 2, "image_id": 7, "category_id": 9, "iscrowd": 1, "area": int(tree.sum()),
                     "bbox": [float(v) for v in coco_mask.toBbox(packed)], "segmentation": segmentation},
                ],
            },
            file,
        )

# labelme's own writer.
for name in ["PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets", "onnxruntime"]:
    sys.modules[name] = MagicMock()
package = types.ModuleType("labelme")
package.__path__ = list(importlib.util.find_spec("labelme").submodule_search_locations)
package.__version__ = "6.3.1"
sys.modules["labelme"] = package
utils = importlib.import_module("labelme.utils")
label_file = importlib.import_module("labelme._label_file")
rows, columns = np.where(tree)
top, left, bottom, right = rows.min(), columns.min(), rows.max(), columns.max()
shape = lambda label, points, kind, mask=None: dict(
    label=label, points=points, shape_type=kind, flags={}, description="", group_id=None, mask=mask, other_data={})
encoded = utils.img_arr_to_b64(tree[top : bottom + 1, left : right + 1].astype(np.uint8))
keys = ["label", "points", "shape_type", "flags", "description", "group_id", "mask"]
label_file.write_label_file(
    "labelme.json",
    shapes=[
        {k: v for k, v in s.items() if k in keys}
        for s in [
            shape("car", [[1, 2], [11, 2], [11, 10], [1, 10]], "polygon"),
            shape("tree", [[int(left), int(top)], [int(right), int(bottom)]], "mask", encoded),
            shape("line", [[0, 0], [3, 3]], "line"),
        ]
    ],
    image_path="photo.png",
    image_height=H,
    image_width=W,
)

# Label Studio: a polygon, and a brush that its own encoder packs.
from label_studio_sdk.converter import brush

alpha = np.zeros((H, W, 4), np.uint8)
alpha[tree > 0] = 255
result = lambda kind, value: dict(
    id=kind[:5], type=kind, from_name="tag", to_name="image", original_width=W, original_height=H, image_rotation=0, value=value)
with open("label-studio.json", "w") as file:
    json.dump(
        [
            {
                "id": 5,
                "data": {"image": "/data/upload/1/0a1b2c3d-photo.png"},
                "annotations": [
                    {"id": 1, "was_cancelled": True, "result": []},
                    {"id": 2, "was_cancelled": False, "result": [
                        result("polygonlabels", {"points": [[100 * x / W, 100 * y / H] for x, y in zip(rectangle[::2], rectangle[1::2])],
                                                 "closed": True, "polygonlabels": ["car"]}),
                        result("brushlabels", {"format": "rle", "rle": brush.encode_rle(alpha.flatten()), "brushlabels": ["tree"]}),
                        result("rectanglelabels", {"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["car"]}),
                    ]},
                ],
            }
        ],
        file,
    )

# CVAT and panoptic by datumaro.
import datumaro as dm


def outline(mask):
    sides = {}
    for y in range(H):
        for x in range(W):
            if not mask[y, x]:
                continue
            for other, a, b in [((y - 1, x), (x, y), (x + 1, y)), ((y, x + 1), (x + 1, y), (x + 1, y + 1)),
                                ((y + 1, x), (x + 1, y + 1), (x, y + 1)), ((y, x - 1), (x, y + 1), (x, y))]:
                if not (0 <= other[0] < H and 0 <= other[1] < W and mask[other]):
                    sides[a] = b
    start = min(sides)
    points, at = [], start
    while not points or at != start:
        points += at
        at = sides[at]
    return [float(p) for p in points]


item = dm.DatasetItem(
    id="photo", subset="train", media=dm.Image.from_numpy(picture, ext=".png"),
    annotations=[
        dm.Polygon([float(v) for v in rectangle], label=0, z_order=0, id=1, group=1),
        dm.Polygon(outline(tree), label=1, z_order=1, id=2, group=2),
    ],
)
dataset = dm.Dataset.from_iterable([item], categories=["car", "tree"], media_type=dm.Image)
for form, target in [("cvat", "cvat"), ("coco_panoptic", "panoptic")]:
    shutil.rmtree(target, ignore_errors=True)
    try:
        if form == "coco_panoptic":
            masks = [dm.Mask((car > 0) & (tree == 0), label=0, id=5, group=5), dm.Mask(tree > 0, label=1, id=300, group=300)]
            flat = dm.Dataset.from_iterable(
                [dm.DatasetItem(id="photo", subset="train", media=dm.Image.from_numpy(picture, ext=".png"), annotations=masks)],
                categories=["car", "tree"], media_type=dm.Image)
            flat.export(target, form, save_media=True)
        else:
            dataset.export(target, form, save_media=True)
    except Exception as error:  # said, and the others are made
        print(form, type(error), error)
# YOLO by Label Studio's converter, which writes polygons.
import tempfile
from label_studio_sdk.converter import Converter

ring = lambda points, label: result("polygonlabels", {
    "points": [[100 * x / W, 100 * y / H] for x, y in zip(points[::2], points[1::2])], "closed": True, "polygonlabels": [label]})
config = "<View><Image name='image' value='$image'/><PolygonLabels name='tag' toName='image'><Label value='car'/><Label value='tree'/></PolygonLabels></View>"
shutil.rmtree("yolo", ignore_errors=True)
with tempfile.TemporaryDirectory() as folder:
    with open(f"{folder}/tasks.json", "w") as file:
        json.dump([{"id": 1, "data": {"image": "photo.png"}, "annotations": [
            {"id": 1, "result": [ring(rectangle, "car"), ring(outline(tree), "tree")]}]}], file)
    Converter(config, folder, download_resources=False).convert_to_yolo(f"{folder}/tasks.json", "yolo", is_dir=False)
os.makedirs("yolo/images", exist_ok=True)
shutil.copy("photo.png", "yolo/images/photo.png")

# A mask as CVAT's server writes it (cvat/apps/dataset_manager/bindings.py, mask_tools): row after row within its rectangle.
rows = tree[top : bottom + 1, left : right + 1].flatten()
counts, current, length = [], 0, 0
for value in rows:
    if value != current:
        counts.append(length)
        current, length = value, 0
    length += 1
print("cvat mask:", int(left), int(top), int(right - left + 1), int(bottom - top + 1), counts + [length])
