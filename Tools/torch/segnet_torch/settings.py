"""Settings in YAML files: a class with fields is what a file may say, its types are what is accepted, its values are the defaults."""

import dataclasses
import re
import typing
from dataclasses import field

import yaml

from .errors import UserError, hint


def one_of(default, *words):
    """A setting that takes one of these words."""
    return field(default=default, metadata={"words": words})


def named(default, name):
    """A setting whose name in files does not follow from its name here."""
    return field(default=default, metadata={"name": name})


def formerly(default, name):
    """A setting that earlier versions called otherwise: that name is read as well."""
    return field(default=default, metadata={"former": name})


class Loader(yaml.SafeLoader):
    """YAML 1.2's numbers: 1e-3 is one, as Swift's reader has it."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"),
    list("-+0123456789."),
)


def key_of(entry):
    """What a field is called in files."""
    return entry.metadata.get("name", entry.name.replace("_", "-"))


def value_at(recipe, path):
    value = recipe
    for word in path.split("."):
        value = getattr(value, word.replace("-", "_"))
    return value


def values_of(value):
    """What YAML shall hold. Settings without a value are left out; of a class with `IS_SHORT` those at their defaults too."""
    if dataclasses.is_dataclass(value):
        default = type(value)() if getattr(value, "IS_SHORT", False) else None
        pairs = [(entry, getattr(value, entry.name)) for entry in dataclasses.fields(value)]
        return {key_of(entry): values_of(inner) for entry, inner in pairs
                if inner is not None and not (default and inner == getattr(default, entry.name))}
    if isinstance(value, list):
        return [values_of(inner) for inner in value]
    if isinstance(value, dict):
        return {key: values_of(inner) for key, inner in value.items()}
    return value


def value_of(kind, values, path, file):
    """A value of a type from what YAML holds."""
    where = f"{file}: '{path}'" if path else file
    if dataclasses.is_dataclass(kind):
        if not isinstance(values, dict):
            raise UserError(f"{where}: needs settings with values (\"name: value\" on each line); found {_word(values)}.")
        entries = {key_of(entry): entry for entry in dataclasses.fields(kind)}
        former = {entry.metadata["former"]: key_of(entry) for entry in entries.values() if "former" in entry.metadata}
        hints = typing.get_type_hints(kind)
        result = kind()
        for key, value in values.items():
            key = former.get(key, key)
            inner = _inside(path, key)
            if key not in entries:
                there = f" There are {', '.join(entries)}." if path else " docs/recipes.md lists all."
                raise UserError(f"{file}: '{inner}' is not a setting of a training.{hint(str(key), entries)}{there}")
            entry = entries[key]
            if value is None:
                continue
            if entry.metadata.get("word") and isinstance(value, str):
                value = [value]  # one word stands for a list of it
            found = value_of(hints[entry.name], value, inner, file)
            words = entry.metadata.get("words")
            if words and found not in words:
                raise UserError(f"{file}: '{inner}' needs one of {', '.join(words)}; found '{found}'.{hint(str(found), words)}")
            setattr(result, entry.name, found)
        return result
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Union:
        return value_of(next(inner for inner in arguments if inner is not type(None)), values, path, file)
    if origin is list:
        if not isinstance(values, list):
            raise UserError(f"{where}: needs a list; found {_word(values)}.")
        return [value_of(arguments[0], value, f"{path}, entry {number}", file) for number, value in enumerate(values, 1)]
    if origin is dict:
        if not isinstance(values, dict):
            raise UserError(f"{where}: needs names with values; found {_word(values)}.")
        return {str(key): value_of(arguments[1], value, _inside(path, key), file) for key, value in values.items()}
    if kind is bool and isinstance(values, bool):
        return values
    if kind is int and isinstance(values, int) and not isinstance(values, bool):
        return values
    if kind is float and isinstance(values, (int, float)) and not isinstance(values, bool):
        return float(values)
    if kind is str and isinstance(values, (str, int, float)) and not isinstance(values, bool):
        return str(values)
    wanted = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}[kind]
    raise UserError(f"{where}: needs {wanted}; found {_word(values)}.")


def _inside(path, key):
    """What errors call a key: 'optimizer.kind', 'datasets, entry 2: share'."""
    if not path:
        return str(key)
    return f"{path}: {key}" if re.search(r", entry \d+$", path) else f"{path}.{key}"


def _word(value):
    text = yaml.safe_dump(value, default_flow_style=True).strip().removesuffix("...").strip()
    return text if len(text) < 60 else text[:60] + "..."
