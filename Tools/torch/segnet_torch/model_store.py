"""The models that come with the package, by name (Sources/SegNet/Models/ModelStore.swift): files NAME.safetensors in the folders of
SEGNET_MODELS and in the repository's Models/."""

import os
from pathlib import Path

from .errors import UserError, hint

MODELS = Path(__file__).resolve().parents[3] / "Models"


def models():
    """{name: file}, the first folder's before a later one's of the same name."""
    folders = [Path(word) for word in os.environ.get("SEGNET_MODELS", "").split(":") if word] + [MODELS]
    found = {}
    for folder in folders:
        for file in folder.glob("*.safetensors"):
            if not file.name.startswith("."):
                found.setdefault(file.stem, file)
    return dict(sorted(found.items()))


def resolved(text, setting=None):
    """The file that a setting means: the text itself where it can be a path, else the model of this name."""
    if os.path.isfile(text) or "/" in text or "." in text:
        return text
    known = models()
    if text in known:
        return str(known[text])
    if os.path.isdir(text):  # whoever reads it says what is wrong
        return text
    there = f"There are {', '.join(known)}." if known else "There are no bundled models; give a .safetensors file."
    raise UserError(f"{f'{setting}: ' if setting else ''}{text}: is neither a file nor a bundled model.{hint(text, known)} {there}")


def resolve(recipe):
    """Puts the files of bundled models in place of their names. A run's saved recipe has the files."""
    if recipe.model:
        recipe.model = resolved(recipe.model)
    if recipe.encoder:
        recipe.encoder = resolved(recipe.encoder, "encoder")
    if recipe.teacher and recipe.teacher.model:
        recipe.teacher.model = resolved(recipe.teacher.model, "teacher")
