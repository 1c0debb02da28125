"""Weights that a training begins with: an encoder, a whole model (Sources/SegNetTraining/Trainer/StartingWeights.swift, Unfolding.swift)."""

import json
import typing

import numpy as np
import torch

from . import model_files, pruning
from .errors import UserError
from .network import Network

UNFOLDING_PICTURES = 60  # enough for a mean, few enough for a start
BGR = ["blue", "green", "red"]


class Loaded(typing.NamedTuple):
    """What was loaded: a note, and the convolutions that have a file's weights."""

    note: str
    layers: set


def read(path, setting):
    """(arrays, network description or None, names of classes) of a file with weights."""
    if not str(path).lower().endswith(".safetensors"):
        raise UserError(f"{setting}: '{path}' is not a .safetensors file, the only kind that is read here; 'segnet convert' makes one of a "
                        ".caffemodel.")
    arrays, metadata = model_files.read(path)
    network = model_files.description(metadata, path) if metadata.get("format") == "segnet" else None
    return arrays, network, json.loads(metadata.get("class_names", "[]"))


def input_of_model(path):
    """({channel: mean}, {channel: scale}) of a model's input."""
    network = read(path, "model")[1]
    if network is None:
        return {}, {}
    data = network["input"]
    return dict(zip(data["channels"], data["mean"])), dict(zip(data["channels"], data["scale"]))


def load_teacher(path, classes):
    """A finished model as a network that does not learn; it must have these classes."""
    arrays, metadata = model_files.read(path)
    network = Network(model_files.description(metadata, path))
    known = json.loads(metadata.get("class_names", "[]"))
    if known != list(classes):
        raise UserError(f"teacher: {path}: has the classes {', '.join(known)}, but the data have {', '.join(classes)}; give a teacher of the same "
                        "classes in the same order.")
    if network.description["input"]["channels"] != BGR:
        raise UserError(f"teacher: {path}: reads {', '.join(network.description['input']['channels'])}; give one that reads blue, green, red.")
    missing = set(network.tensors()) - network.load(arrays)
    if missing:
        raise UserError(f"{path}: lacks the tensor '{sorted(missing)[0]}', which its network needs.")
    network.learn(False)
    return network.requires_grad_(False)


def load_encoder(network, path):
    """Takes the encoder's convolutions by name: VGG16's, or a model's. Returns what was loaded."""
    note, layers = _take_encoder(network, path)
    return Loaded(f"encoder: {note}", layers)


def _take_encoder(network, path):
    """(a note, the convolutions that have the file's weights)"""
    arrays, described, _ = read(path, "encoder")
    if described is not None:
        _fold(arrays, described)
    _fit_channels(arrays, described, network, path)
    kinds = [layer["kind"] for layer in network.description["layers"]]
    encoder = set(network.names[: kinds.index("unpooling")]) & set(network.convolutions)
    _refuse_other_shapes(network, arrays, path, encoder.__contains__)
    found = network.load(arrays, encoder.__contains__)
    if not found:
        raise UserError(f"{path}: holds no weights for this network's encoder ({network.convolutions[0]}.weight, ...); VGG16's 13 convolutions "
                        "fit the architecture segnet.")
    layers = {name.split(".")[0] for name in found}
    return f"{len(layers)} layer{'s' if len(layers) > 1 else ''} from {path}.", layers


def load_model(network, path, classes, pictures, learns=lambda layer: True, encoder=None):
    """Takes everything that fits by name; a classifier of another class count, or of classes that are partly these at other numbers, keeps
    its new weights. Of a model with the same layers but more channels, those that matter most are taken. Returns what was loaded.

    Where the model's statistics are folded in, scales, shifts and statistics are found with pictures of the training set, so that the
    training begins with the function that the model is. pictures(): some of them, each a batch; learns: whether a layer does; encoder: a
    file whose convolutions take the place of the model's encoder, so that the training begins with the function of both together.
    """
    arrays, described, known = read(path, "model")
    is_of_other_classes = _has_other_order(path, known, classes)
    wide = pruning.widened(network.description, described) if described else None
    if wide is None:
        note, fresh = _load_fitting(network, arrays, described, path, is_of_other_classes, pictures, learns, encoder)
        return Loaded(note, set(network.convolutions) - set(fresh))
    if encoder is not None:
        raise UserError(f"{path} is wider than this network, and the encoder of {encoder} cannot be cut to fit; give a model of this network's "
                        "width, or one of the two alone.")
    # The model goes into a network of its widths, and of that the channels which matter most go into this one.
    whole = Network(wide).to(network.input_mean.device)
    whole.initialize(0)
    note, fresh = _load_fitting(whole, arrays, described, path, is_of_other_classes, pictures, learns)
    return Loaded(f"{note} {_take_channels(network, whole, path, fresh, learns)}", set(network.convolutions) - set(fresh))


def check_frozen(network, frozen, still, loaded, path):
    """Refuses layers that do not learn and for which the file to start from has no weights: they would give random features to all others,
    silently.

    frozen: by name; still: all that do not learn; loaded: the convolutions with a file's weights; path: the file, or None. Returns a
    warning if there is none: a recipe may want random features.
    """
    random = [layer for layer in network.convolutions if layer in still and layer not in loaded]
    if not random:
        return None
    layers = (f"{len(random)} frozen layer{'s' if len(random) > 1 else ''} "
              f"({', '.join(random[:3])}{', ...' if len(random) > 3 else ''})")
    is_by_name = all(layer in frozen for layer in random)
    remedy = "take them out of 'freeze'" if is_by_name else "give them a rate above 0 ('freeze' and 'rates' together)"
    if path is None:
        return f"{layers} will keep random weights, because the training starts from no --model; name one, or {remedy}."
    raise UserError(f"{'freeze' if is_by_name else 'rates'}: {layers} would keep random weights, because {path} has none that fit them; "
                    f"{remedy}, or start from a --model of the same architecture and width.")


def _load_fitting(network, arrays, described, path, is_of_other_classes, pictures, learns, encoder=None):
    """(a note, the convolutions that got no weights)"""
    if encoder is not None and described is not None:  # with another encoder, the model's statistics say nothing about its maps
        _fold(arrays, described)
    folded = _folded_factors(described, arrays)
    for layer in folded or {}:  # folded scales and shifts mean something else than learnt ones
        arrays.pop(f"{layer}.scale", None)
        arrays.pop(f"{layer}.shift", None)
    _fit_channels(arrays, described, network, path)
    scores = pruning.classifier(network.description)
    if described is None:  # nothing says that it is wider or narrower on purpose
        _refuse_other_shapes(network, arrays, path, lambda layer: layer != scores)
    found = network.load(arrays, lambda layer: not (is_of_other_classes and layer == scores))
    if not found:
        raise UserError(f"{path}: holds no weights of this network's layers; give the architecture that it was trained with, or another model.")
    fresh = [layer for layer in network.convolutions if f"{layer}.weight" not in found]
    said = ""
    if encoder is not None:
        text, taken = _take_encoder(network, encoder)
        said = f" In place of its encoder: {text}"
        fresh = [layer for layer in fresh if layer not in taken]
        for layer, normalization in network.read_by_normalization():
            if folded is not None and layer in taken:
                folded.pop(normalization, None)
    note = f"model: {len(found)} tensors from {path}" + (f"; new layers: {', '.join(fresh)}" if fresh else "") + "." + said
    if is_of_other_classes:
        note += " The last layer is learnt anew, because the model has other numbers for some of your classes."
    if folded is not None:
        _resize_filters(network, folded, {*fresh, *filter(lambda layer: not learns(layer), network.names)})
        unfold(network, folded, fresh, pictures())
        note += (" A finished model no longer has the means and deviations of its batch normalisation; they were measured anew on pictures of "
                 "the training set." if encoder is None else
                 " The means and deviations of batch normalisation were measured anew on pictures of the training set.")
    return note, fresh


def _take_channels(network, whole, path, fresh, learns):
    """Takes the channels of a wider network that matter most, but nothing of its fresh layers. Returns a note."""
    before, after = pruning.widths(whole.description), pruning.widths(network.description)
    cut = [name for name in after if before[name] != after[name]]
    fixed = next((name for name in cut if name not in fresh and not learns(name)), None)
    if fixed:
        raise UserError(f"{path} is wider than this network, so '{fixed}' would lose some of its channels, and a layer that does not learn "
                        "cannot make up for them; let it learn ('freeze', 'rates'), or use the model's own width.")
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in whole.tensors().items()}
    kept = pruning.pruned(whole.description, network.description, arrays)
    # What the model has no weights for keeps its own.
    kept = {name: array for name, array in kept.items() if name.rsplit(".", 1)[0] not in fresh}
    network.load(kept)
    examples = [f"{after[name][1]} of {before[name][1]} of {name}" for name in (cut[0], cut[-2])]
    return f"It is wider than this network, so its most important channels were kept: {', ...; '.join(examples)}, ..."


def _has_other_order(path, known, classes):
    """Whether the model has one of these classes at another number: then a class number means another class to it."""
    own, names = ([name.lower() for name in list_] for list_ in (known, classes))
    # A name that a table has twice is in its place at either number.
    is_other = any(own[index : index + 1] != [name] and name in own for index, name in enumerate(names))
    if is_other and set(own) == set(names):
        raise UserError(f"{path}: has the classes {', '.join(known)}, but the data have them in the order {', '.join(classes)}; give the model's "
                        "order as the data's --classes.")
    return is_other


def _fold(arrays, described):
    """Takes a model's batch normalisation, folded or not, into the convolutions before it, in its arrays and in its description."""
    steps = described["layers"]
    for before, layer in list(zip(steps, steps[1:])):
        name, parameters = layer["name"], layer.get("parameters", {})
        if layer["kind"] != "batchNormalization" or before["kind"] != "convolution":
            continue
        scale, shift = (arrays.pop(f"{name}.{role}").astype(np.float64) for role in ("scale", "shift"))
        if parameters["statistics"] != "folded":
            scale = scale / np.sqrt(arrays.pop(f"{name}.variance").astype(np.float64) + parameters["epsilon"])
            shift = shift - arrays.pop(f"{name}.mean") * scale
        weight, bias = (f"{before['name']}.{role}" for role in ("weight", "bias"))
        arrays[weight] = (arrays[weight] * scale[:, None, None, None]).astype(np.float32)
        arrays[bias] = (arrays[bias] * scale + shift).astype(np.float32)
        steps.remove(layer)


def _folded_factors(described, arrays):
    """What each batch normalisation of a finished model multiplies by and adds; empty where all of them went into convolutions; None for a
    model that keeps its statistics, and for a file without a network."""
    if described is None:
        return None
    factors = {}
    for layer in described["layers"]:
        if layer["kind"] == "batchNormalization":
            if layer["parameters"]["statistics"] != "folded":
                return None
            name = layer["name"]
            factors[name] = arrays[f"{name}.scale"], arrays[f"{name}.shift"]
    return factors


@torch.no_grad()
def _resize_filters(network, factors, left_alone):
    """Gives filters that batch normalisation was folded into the size that new ones begin with, so that a learning rate means what it means
    in a training from the beginning, and adds to the factors what makes up for it."""
    for layer, normalization in network.read_by_normalization():
        if normalization in factors or layer in left_alone or layer not in network.convolutions:
            continue
        tensors = {name.rsplit(".", 1)[1]: tensor for name, tensor in network.tensors().items() if name.rsplit(".", 1)[0] == layer}
        squares = tensors["weight"].double().square().sum((1, 2, 3))
        sizes = torch.where(squares > 0, (2 / squares).sqrt(), 1)
        sizes = torch.where(sizes.isfinite(), sizes, 1).float()
        tensors["weight"].mul_(sizes[:, None, None, None])
        if "bias" in tensors:
            tensors["bias"].mul_(sizes)
        factors[normalization] = (1 / sizes).cpu().numpy(), np.zeros(len(sizes), np.float32)


@torch.no_grad()
def unfold(network, factors, fresh, pictures):
    """A finished model says y = s x + t where the training says y = scale (x - mean) / sqrt(variance + epsilon) + shift. With mean and
    variance of x over pictures, scale = s sqrt(variance + epsilon) and shift = t + s mean make both the same function.

    What follows the first fresh layer keeps its initial scale and shift.
    """
    network.learn(False)
    known, is_before_fresh = {}, True
    for name in network.names:
        is_before_fresh = is_before_fresh and name not in fresh
        module = dict(network.normalizations).get(name)
        if module is None:
            continue
        scale, shift = factors.get(name, (1.0, 0.0))
        scale, shift = (torch.as_tensor(value, dtype=torch.float32, device=module.scale.device) for value in (scale, shift))
        module.scale.copy_(scale.expand_as(module.scale))
        module.shift.copy_(shift.expand_as(module.shift))
        module.mean.zero_()
        module.variance.fill_(1 - module.epsilon)
        known[name] = is_before_fresh
    sums = {name: torch.zeros(3, module.channels, dtype=torch.float64, device=module.mean.device)
            for name, module in network.normalizations if known[name]}

    def observe(name, inputs):
        if name in sums:
            x = inputs[0].double()
            # Each picture counts alike, as a crop of it does where it is learnt.
            sums[name] += torch.stack([torch.ones_like(sums[name][0]), x.mean((0, 2, 3)), (x * x).mean((0, 2, 3))])

    for batch in pictures:
        network(batch, observe)
    for name, module in network.normalizations:
        if name not in sums:
            module.scale.fill_(1)
            module.shift.zero_()
            module.variance.fill_(1)
            continue
        count, total, squares = sums[name]
        mean = total / count
        variance = (squares / count - mean * mean).clamp(min=0)
        factor = module.scale.double()
        module.shift.copy_(module.shift.double() + factor * mean)
        module.scale.copy_(factor * (variance + module.epsilon).sqrt())
        module.mean.copy_(mean)
        module.variance.copy_(variance)


def _fit_channels(arrays, described, network, path):
    """Puts the first convolution's filters into the order and the scale of this network's channels."""
    name = f"{network.convolutions[0]}.weight"
    weight = arrays.get(name)
    if weight is None:
        return
    data = described["input"] if described else {"channels": BGR, "scale": [1, 1, 1]}
    own = network.description["input"]
    if weight.shape[1] != len(data["channels"]) or set(data["channels"]) != set(own["channels"]):
        raise UserError(f"{path}: reads the channels {', '.join(data['channels'])}; this program trains on colour pictures (rgb) alone.")
    order = [data["channels"].index(channel) for channel in own["channels"]]
    factors = np.array([data["scale"][place] / scale for place, scale in zip(order, own["scale"])], np.float32)
    arrays[name] = weight[:, order] * factors[None, :, None, None]


def _refuse_other_shapes(network, arrays, path, is_wanted):
    for name, tensor in network.parameters_by_name().items():
        if is_wanted(name.rsplit(".", 1)[0]) and name in arrays and arrays[name].shape != tuple(tensor.shape):
            raise UserError(f"{path}: its '{name}' is {list(arrays[name].shape)}, the network needs {list(tensor.shape)}; it is of another "
                            "architecture or width.")
