"""The recipe of a training: the package's YAML (Sources/SegNetTraining/TrainingConfiguration.swift).

Every setting is here with its default. An unknown one is refused with the closest known one; a setting that this program cannot follow
is refused by its name; one that speaks of the CPU engine's memory alone, and changes nothing of what is learnt, is noted.
"""

import math
import typing
from dataclasses import dataclass, field

import yaml

from . import settings
from .errors import UserError
from .settings import formerly, named, one_of

ARCHITECTURES = ["segnet", "segnet-basic", "bayesian-segnet", "bayesian-segnet-basic"]
DATASETS = ["camvid", "camvid12", "sunrgbd", "nyuv2", "cityscapes", "voc", "folder", "list", "synthetic"]
# Of a data set, relative to the others': the sum has to be finite.
GREATEST_SHARE = 1_000_000

# What `datasets` says for each data set of its own.
ONE_DATASET = ("dataset", "data", "train-split", "validation-split", "count", "colored", "ignore", "label-offset",
               "label-suffix", "unlabelled", "map", "classes")


@dataclass
class Augmentation:
    flip: bool = False
    scale: typing.Optional[list[float]] = None
    rotation: float = 0.0
    crop: typing.Optional[list[int]] = None
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    hue: float = 0.0
    gamma: float = 0.0
    temperature: float = 0.0
    gray: float = 0.0
    erase: float = 0.0
    blur: float = 0.0
    blur_radius: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0
    jpeg_quality: list[int] = field(default_factory=lambda: [20, 80])
    paste: float = 0.0
    paste_classes: list[str] = field(default_factory=list)


@dataclass
class Optimizer:
    kind: str = one_of("sgd", "sgd", "adamw")
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0005
    clip_norm: typing.Optional[float] = None


@dataclass
class Schedule:
    kind: str = one_of("constant", "constant", "step", "poly", "cosine", "one-cycle")
    gamma: float = 0.1
    every: int = 1
    power: float = 0.9
    final: float = 0.0
    start: float = 0.04
    peak: float = 0.3
    warm_up: int = 0


@dataclass
class Multiplier:
    """Caffe's lr_mult and decay_mult of a kind of parameter."""

    learning_rate: float = formerly(1.0, "learningRate")
    decay: float = 1.0


@dataclass
class Multipliers:
    weight: Multiplier = field(default_factory=lambda: Multiplier(1, 1))
    bias: Multiplier = field(default_factory=lambda: Multiplier(2, 0))
    scale: Multiplier = field(default_factory=lambda: Multiplier(1, 1))
    shift: Multiplier = field(default_factory=lambda: Multiplier(1, 0))


@dataclass
class Teacher:
    """A finished model from whose scores the network learns in addition to the labels."""

    model: str = ""
    temperature: float = 2.0
    share: float = 0.5


@dataclass
class DatasetEntry:
    """One data set of several: its folder, the pictures to learn from and to validate on, its share of each batch."""

    IS_SHORT: typing.ClassVar[bool] = True

    kind: str = one_of("", *DATASETS)
    data: str = "."
    train: list[str] = field(default_factory=lambda: ["train"], metadata={"word": True})  # a split, or list files
    validation: typing.Optional[str] = named(None, "val")
    share: typing.Optional[float] = None
    labelled: list[str] = field(default_factory=list)
    colored: bool = False
    ignore: list[int] = field(default_factory=list)
    label_offset: typing.Optional[int] = None
    label_suffix: typing.Optional[str] = None
    unlabelled: typing.Optional[str] = None
    map: dict[str, str] = field(default_factory=dict)
    classes: typing.Optional[str] = None
    count: int = 1000


@dataclass
class Phase:
    """Other shares of the data sets from a part of the training on."""

    start: float = named(0.0, "from")
    shares: list[float] = field(default_factory=list)


@dataclass
class Recipe:
    # Network
    architecture: str = one_of("segnet-basic", *ARCHITECTURES)
    width: float = 1.0
    batch_normalization: typing.Optional[bool] = None
    fc: typing.Optional[int] = None
    upsampling: str = one_of("released", "released", "fixed", "learnt")
    model: typing.Optional[str] = None
    encoder: typing.Optional[str] = None
    initialization: str = one_of("he", "he", "xavier")
    freeze: list[str] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    # Data
    dataset: str = one_of("camvid", *DATASETS)
    data: str = "."
    size: typing.Optional[list[int]] = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    train_split: str = "train"
    validation_split: str = "val"
    validation_share: float = 0.1
    folds: int = 0
    fold: int = 1
    count: int = 1000
    colored: bool = False
    ignore: list[int] = field(default_factory=list)
    label_offset: typing.Optional[int] = None
    label_suffix: typing.Optional[str] = None
    unlabelled: typing.Optional[str] = None
    map: dict[str, str] = field(default_factory=dict)
    classes: typing.Optional[str] = None
    inputs: list[str] = field(default_factory=lambda: ["rgb"])
    mean: typing.Optional[list[float]] = None
    scale: typing.Optional[list[float]] = None
    datasets: list[DatasetEntry] = field(default_factory=list)
    phases: list[Phase] = field(default_factory=list)
    cache_megabytes: int = 512
    # Loss
    class_weights: str = "auto"
    class_weight_power: float = 1.0
    loss_divisor: str = one_of("labelled-pixels", "labelled-pixels", "weights", "pictures")
    loss_resolution: str = one_of("released", "released", "full")
    label_smoothing: float = 0.0
    jaccard_weight: float = 0.0
    teacher: typing.Optional[Teacher] = None
    # Steps
    batch_size: int = 4
    accumulate: int = 1
    epochs: float = 100.0
    iterations: typing.Optional[int] = None
    learning_rate: float = 0.1
    optimizer: Optimizer = field(default_factory=Optimizer)
    schedule: Schedule = field(default_factory=Schedule)
    multipliers: Multipliers = field(default_factory=Multipliers)
    average: float = 0.0
    # Run
    validate_every: float = 1.0
    patience: typing.Optional[int] = None
    metric: str = one_of("mean-iou", "mean-iou", "global-accuracy")
    statistics: str = one_of("exact", "exact", "original", "running")
    checkpoint_minutes: float = 10.0
    tensorboard: bool = True
    seed: int = 1
    accuracy: str = one_of("fast", "fast", "accurate", "exact")
    storage: str = one_of("float32", "float32", "float16")
    recompute: bool = False

    # Files

    @classmethod
    def read(cls, path):
        """Reads a recipe; `UserError` names the file and the key that is wrong."""
        try:
            with open(path, encoding="utf-8") as file:
                values = yaml.load(file, Loader=settings.Loader)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot be read ({error}); give the file of a recipe.") from error
        except yaml.YAMLError as error:
            raise UserError(f"{path}: cannot be read as YAML ({' '.join(str(error).split())}).") from error
        recipe = settings.value_of(cls, {} if values is None else values, "", str(path))
        both = [key for key in ONE_DATASET if key in (values or {})]
        if recipe.datasets and both:
            raise UserError(f"{path}: '{both[0]}' cannot be used with 'datasets'; set it in the entries of 'datasets', or remove 'datasets'.")
        recipe.check()
        return recipe

    def text(self):
        """As YAML, with every setting: what `segnet train` reads, too."""
        values = settings.values_of(self)
        for key in ONE_DATASET if self.datasets else ("datasets", "phases"):
            values.pop(key, None)
        return yaml.safe_dump(values, sort_keys=True, default_flow_style=None, allow_unicode=True, width=120)

    def check(self):
        """Refuses numbers that cannot work, and settings that this program cannot follow."""
        def need(condition, key, text):
            if not condition:
                raise UserError(f"{key}: needs {text}; found {settings.value_at(self, key)}.")

        need(1 <= self.batch_size <= 4096, "batch-size", "1...4096")
        need(1 <= self.accumulate <= 4096, "accumulate", "1...4096")
        need(self.learning_rate > 0 and math.isfinite(self.learning_rate), "learning-rate", "a number above 0")
        need(0 < self.epochs < 1e7, "epochs", "a number above 0")
        need(self.iterations is None or self.iterations > 0, "iterations", "at least 1")
        need(self.validate_every > 0, "validate-every", "a number above 0")
        need(0 <= self.average < 1, "average", "0 up to below 1")
        need(0 < self.width <= 16, "width", "a number above 0 and up to 16")
        need(all(rate >= 0 and math.isfinite(rate) for rate in self.rates.values()), "rates", "factors of at least 0")
        need(0 <= self.label_smoothing < 1, "label-smoothing", "0 up to below 1")
        need(self.jaccard_weight >= 0 and math.isfinite(self.jaccard_weight), "jaccard-weight", "a number of at least 0")
        need(0 <= self.validation_share < 1, "validation-share", "0 up to below 1")
        need(0 <= self.cache_megabytes <= 1_000_000, "cache-megabytes", "0...1000000")
        need(self.mean is None or all(map(math.isfinite, self.mean)), "mean", "finite numbers")
        need(self.scale is None or all(math.isfinite(s) and s != 0 for s in self.scale), "scale", "finite numbers other than 0")
        sizes = [("size", self.size), ("augmentation.crop", self.augmentation.crop)]
        for key, size in sizes:
            need(size is None or len(size) == 2 and all(1 <= n <= 16384 for n in size), key, "[width, height] of 1...16384")
        limits = {"rotation": 45, "gamma": 4, "temperature": 1, "gray": 1, "erase": 1, "blur-radius": 10, "jpeg": 1, "paste": 1}
        for key, greatest in limits.items():
            need(0 <= settings.value_at(self.augmentation, key) <= greatest, f"augmentation.{key}", f"0...{greatest}")
        quality = self.augmentation.jpeg_quality
        need(len(quality) == 2 and 1 <= quality[0] <= quality[1] <= 100, "augmentation.jpeg-quality",
             "two qualities [least, greatest] of 1...100")
        need(self.augmentation.paste == 0 or self.augmentation.paste_classes, "augmentation.paste-classes", "the classes that paste copies")
        if self.teacher:
            need(self.teacher.model != "", "teacher.model", "the file of a model")
            need(0.1 <= self.teacher.temperature <= 100, "teacher.temperature", "0.1...100")
            need(0 < self.teacher.share <= 1, "teacher.share", "more than 0 and up to 1")
        scale = self.augmentation.scale
        need(scale is None or len(scale) == 2 and 0 < scale[0] <= scale[1] <= 16, "augmentation.scale",
             "two factors [least, greatest] above 0 and up to 16")
        self._check_datasets()
        if "synthetic" in ([entry.kind for entry in self.datasets] or [self.dataset]):
            raise UserError("synthetic: streets are rendered by the Swift command alone; 'segnet dataset synthesize' writes them into a "
                            "folder, which is read with --dataset folder.")
        if self.batch_normalization is False:
            raise UserError("batch-normalization: this program trains SegNet and SegNet-Basic with it alone. 'segnet train' trains without.")
        if self.folds:
            raise UserError("folds: this program does not divide a data set; leave it out, or use 'segnet train'.")
        for entry in [self, *self.datasets]:
            for key in "label-suffix", "unlabelled":
                if settings.value_at(entry, key) is not None:
                    raise UserError(f"{key}: this program does not know it; leave it out, or use 'segnet train'.")
        if self.patience is not None:
            raise UserError("patience: this program trains to the last step; leave it out, or use 'segnet train'.")
        if self.inputs != ["rgb"]:
            raise UserError(f"inputs: this program trains on colour pictures (rgb) alone; found {', '.join(self.inputs)}. "
                            "'segnet train' takes other channels.")

    def _check_datasets(self):
        for number, entry in enumerate(self.datasets, 1):
            where = f"datasets, entry {number} ({entry.data})"
            if not entry.kind:
                raise UserError(f"{where}: lacks its kind, one of {', '.join(DATASETS)}.")
            if not entry.train or len(entry.train) > 1 and not all(word.endswith(".txt") for word in entry.train):
                raise UserError(f"{where}: train: needs a split such as train, or one or more list files, whose names end in .txt.")
            if entry.share is not None and not 0 <= entry.share <= GREATEST_SHARE:
                raise UserError(f"{where}: share: needs a number in 0...{GREATEST_SHARE}; found {entry.share}.")
            if (entry.share is None) != (self.datasets[0].share is None):
                raise UserError(f"{where}: give all entries a share, or none of them (then each counts by its number of pictures).")
        if self.datasets and not any(entry.share is None or entry.share > 0 for entry in self.datasets):
            raise UserError("datasets: all shares are 0; give at least one entry a share above 0.")
        if self.phases and not self.datasets:
            raise UserError("phases: change the shares of several data sets; list these under 'datasets', or take 'phases' away.")
        last = 0.0
        for number, phase in enumerate(self.phases, 1):
            where = f"phases, entry {number}"
            if not last < phase.start < 1:
                raise UserError(f"{where}: from: needs a part of the steps above {last:g} and below 1; found {phase.start:g}.")
            last = phase.start
            if len(phase.shares) != len(self.datasets):
                raise UserError(f"{where}: shares: needs one number for each of the {len(self.datasets)} data sets; found {len(phase.shares)}.")
            if not all(0 <= share <= GREATEST_SHARE for share in phase.shares) or not any(phase.shares):
                raise UserError(f"{where}: shares: needs numbers in 0...{GREATEST_SHARE}, one of them above 0; found {phase.shares}.")

    def notes(self):
        """What is set and does nothing here, a sentence each."""
        default = Recipe()
        found = []
        for key, why in [
            ("storage", "how maps are stored follows from --precision"),
            ("recompute", "maps are kept"),
            ("accuracy", "convolutions are PyTorch's"),
        ]:
            if settings.value_at(self, key) != settings.value_at(default, key):
                found.append(f"{key}: speaks of the CPU's engine and does nothing here; {why}.")
        for key in ["fc", "upsampling", "loss-resolution"]:
            if settings.value_at(self, key) != settings.value_at(default, key):
                found.append(f"{key}: speaks of FCN, DeepLab and DeconvNet and does nothing for {self.architecture}.")
        return found
