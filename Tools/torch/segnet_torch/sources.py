"""The data sets that a recipe names, as a pool, and the pictures to validate on (TrainingConfiguration+Datasets.swift)."""

from . import datasets
from .errors import UserError, hint
from .pool import Phase, Pool, Source


def load(recipe):
    """(pool, [(source, sample)] to validate on)"""
    if not recipe.datasets:
        dataset = datasets.load(
            recipe.dataset, recipe.data, classes=recipe.classes, ignored=recipe.ignore, offset=recipe.label_offset, changes=recipe.map,
            colored=recipe.colored, size=recipe.size,
            validation_share=_used_share(recipe.validation_share, recipe.validation_split))
        pool = Pool([Source(dataset, dataset.samples(recipe.train_split))])
        judging = dataset.splits.get(recipe.validation_split, [])
        if not judging and recipe.validation_split not in ("val", "none"):
            names = ", ".join(sorted(split for split, samples in dataset.splits.items() if samples))
            raise UserError(f"validation-split: data set '{dataset.name}' has no split '{recipe.validation_split}'; it has {names}. Give "
                            "one of these or 'none', or leave it out.")
        return pool, [(0, sample) for sample in judging]
    pool, validation = Pool([]), []
    # The first entry's val is what validates where none names another: 'none' takes an entry out, but is no choice for the others.
    is_implicit = all(entry.validation in (None, "none") for entry in recipe.datasets)
    for index, entry in enumerate(recipe.datasets):
        title = f"datasets, entry {index + 1} ({entry.data})"
        wanted = entry.validation or ("val" if is_implicit and index == 0 else "none")
        try:
            source = _source(entry, wanted, recipe.size, recipe.validation_share)
        except UserError as error:
            raise UserError(f"{title}: {error}") from error
        pool.sources.append(source)
        own, others = source.dataset.classes, pool.sources[0].dataset.classes
        if own != others:
            raise UserError(f"{title}: has the {len(own)} classes {', '.join(own)}; entry 1 has the {len(others)} classes "
                            f"{', '.join(others)}. A network learns a single table of classes: give all entries the same 'classes', and "
                            "use 'map' for labels whose numbers mean something else.")
        if wanted == "none":
            continue
        split = "val" if wanted.endswith(".txt") else wanted
        samples = source.dataset.splits.get(split)
        if not samples and entry.validation is not None:
            raise UserError(f"{title}: has no split '{split}' to validate on; it has {', '.join(sorted(source.dataset.splits))}. Give val one "
                            "of these, a list file, or none.")
        validation += [(index, sample) for sample in samples or []]
    for source, entry in zip(pool.sources, recipe.datasets):
        if entry.share is None:
            source.share = len(source.samples) / max(1, pool.count)
    return pool, validation


def _source(entry, validation, size, validation_share):
    lists = {split: files for split, words in (("train", entry.train), ("val", [validation]))
             if (files := [word for word in words if word.endswith(".txt")])}
    dataset = datasets.load(
        entry.kind, entry.data, classes=entry.classes, ignored=entry.ignore, offset=entry.label_offset, changes=entry.map,
        colored=entry.colored, size=size, lists=lists, validation_share=_used_share(validation_share, validation))
    if "train" in lists:  # entries of one folder are told apart by their lists
        dataset.name = "+".join(word.removesuffix(".txt") for word in lists["train"])
    samples = dataset.samples("train" if "train" in lists else entry.train[0])
    ids = set()
    for name in entry.labelled:
        id = dataset.table.id(name)
        if id is None:
            raise UserError(f"labelled: there is no class '{name}'.{hint(name, dataset.classes)} The classes are "
                            f"{', '.join(dataset.classes)}.")
        ids.add(id)
    named = sorted(ids) if ids and len(ids) < len(dataset.classes) else None
    return Source(dataset, samples, 1.0 if entry.share is None else entry.share, named)


def _used_share(share, split):
    """No training picture is taken away for a validation that does not happen, or that is on another split."""
    return share if split == "val" else 0


def phases(recipe, total_steps):
    """Where the shares change, counted in pictures."""
    per_step = recipe.batch_size * recipe.accumulate
    return [Phase(int(phase.start * total_steps + 0.5) * per_step, phase.shares) for phase in recipe.phases]
