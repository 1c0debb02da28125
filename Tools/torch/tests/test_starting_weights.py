"""What a training begins with: channels of a wider model, classes at other numbers, bundled models by name."""

from support import CLASSES, Case, needs_segnet, np, relative, run_program, run_segnet, torch, train, write_streets  # first

import json

import yaml

from segnet_torch import architectures, model_files, pruning, starting_weights
from segnet_torch.network import Network


def write_model(path, architecture="segnet-basic", width=0.5, classes=CLASSES, seed=3):
    """A model with random weights, scales, shifts and statistics."""
    description = architectures.network(architecture, len(classes), width=width, size=(48, 40))
    network = Network(description)
    network.initialize(seed)
    random = np.random.default_rng(seed)
    arrays = {}
    for name, tensor in network.tensors().items():
        array = tensor.detach().numpy()
        if name.endswith((".scale", ".variance")):
            array = random.uniform(0.3, 2, array.shape)
        elif not name.endswith(".weight"):
            array = random.normal(0, 0.5, array.shape)
        arrays[name] = array.astype(np.float32)
    model_files.write(path, arrays, description, name="x", classes=classes, palette=[(1, 2, 3)] * len(classes), notes={})
    return path, arrays


def pictures():
    for number in range(2):
        yield torch.from_numpy(np.random.default_rng(number).uniform(0, 255, (1, 3, 40, 48)).astype(np.float32))


class PruningTests(Case):
    def narrow(self, architecture="segnet-basic", width=0.25):
        network = Network(architectures.network(architecture, len(CLASSES), width=width, size=(48, 40)))
        network.initialize(1)
        return network

    def test_maps_that_share_indices_are_cut_alike(self):
        path, wide = write_model(self.folder / "wide.safetensors", "segnet")
        network = self.narrow("segnet")
        note, layers = starting_weights.load_model(network, path, CLASSES, pictures)
        self.assertEqual(layers, set(network.convolutions))
        self.assertEqual(
            note,
            f"model: 152 tensors from {path}. It is wider than this network, so its most important channels were kept: 16 of 32 of conv1_1, "
            "...; 16 of 32 of conv1_2_D, ...")
        cut = {name: tensor.detach().numpy() for name, tensor in network.tensors().items()}

        def kept(layer):  # each scale is another number
            return [int(np.flatnonzero(wide[f"{layer}_bn.scale"] == value)[0]) for value in cut[f"{layer}_bn.scale"]]

        self.assertEqual(kept("conv1_2"), kept("conv2_1_D"))  # the last of stage 1, and what is unpooled by its indices
        self.assertNotEqual(kept("conv1_1"), kept("conv1_2"))
        self.assertEqual(kept("conv1_2"), sorted(kept("conv1_2")))
        self.assertTrue((cut["conv1_2.weight"] == wide["conv1_2.weight"][kept("conv1_2")][:, kept("conv1_1")]).all())
        self.assertTrue((cut["conv1_1_D.weight"] == wide["conv1_1_D.weight"][:, kept("conv1_2_D")]).all())

    def test_what_is_always_zero_goes_first(self):
        path, wide = write_model(self.folder / "wide.safetensors")
        wide["conv1_bn.scale"][:] = 1
        wide["conv1_bn.shift"][:16] = -50  # nothing is left of these behind ReLU
        groups = ("conv1", "conv_decode2")  # of one group of maps
        description = json.loads(model_files.read(path)[1]["network"])
        wide["conv_decode2_bn.scale"][:] = 1
        wide["conv_decode2_bn.shift"][:] = 0
        wide["conv_decode2_bn.shift"][:16] = -50
        cut = pruning.pruned(description, self.narrow().description, wide)
        for name in groups:
            self.assertTrue((cut[f"{name}_bn.shift"] > -50).all(), name)

    def test_rectified_squares(self):
        """Against the mean over many numbers."""
        numbers = np.random.default_rng(0).normal(0, 1, 1_000_000)
        for mean, deviation in ((0, 1), (1, 0.5), (-1, 2), (3, 0), (-3, 0)):
            expected = (np.maximum(mean + deviation * numbers, 0) ** 2).mean()
            self.assertAlmostEqual(pruning.rectified_square(mean, deviation), expected, delta=0.01 * max(expected, 0.1))

    def test_layers_that_cannot_make_up_are_named(self):
        path, _ = write_model(self.folder / "wide.safetensors")
        self.assert_user_error(
            f"{path} is wider than this network, so 'conv2' would lose some of its channels, and a layer that does not learn cannot "
            "make up for them; let it learn ('freeze', 'rates'), or use the model's own width.",
            starting_weights.load_model, self.narrow(), path, CLASSES, pictures, lambda layer: layer != "conv2")

    def test_tensors_without_a_description_must_fit(self):
        path, arrays = write_model(self.folder / "wide.safetensors")
        header = {name: {"dtype": "F32", "shape": list(array.shape)} for name, array in arrays.items()}
        place = 0
        for name, array in arrays.items():
            header[name]["data_offsets"] = [place, place + array.nbytes]
            place += array.nbytes
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(array.tobytes() for array in arrays.values()))
        self.assert_user_error(
            f"{path}: its 'conv1.weight' is [32, 3, 7, 7], the network needs [16, 3, 7, 7]; it is of another architecture or width.",
            starting_weights.load_model, self.narrow(), path, CLASSES, pictures)

    def test_classes_at_other_numbers(self):
        path, wide = write_model(self.folder / "model.safetensors", width=0.25)
        network = self.narrow()
        note, layers = starting_weights.load_model(network, path, ["wall", "sky", "car"], pictures)
        self.assertEqual(layers, set(network.convolutions) - {"conv_classifier"})
        self.assertIn("; new layers: conv_classifier. The last layer is learnt anew, because the model has other numbers for some of your "
                      "classes.", note)
        self.assert_user_error(
            f"{path}: has the classes sky, wall, ground, but the data have them in the order wall, sky, ground; give the model's order as the "
            "data's --classes.", starting_weights.load_model, network, path, ["wall", "sky", "ground"], pictures)


class OtherEncoderTests(Case):
    """Another encoder takes the place of a model's, and the training begins with the function of the two together."""

    @needs_segnet
    def test_here_and_there_begin_alike(self):
        data = write_streets(self.folder / "streets", 12, size=(64, 64))
        model, _ = write_model(self.folder / "model.safetensors", width=0.25, classes=["a", "b", "c", "d"])
        other, _ = write_model(self.folder / "other.safetensors", width=0.25, seed=9)
        folded = self.folder / "folded.safetensors"
        run_segnet("convert", model, folded, "--precision", "float16")
        for number, start in enumerate((model, folded)):
            recipe = self.folder / "recipe.yaml"
            recipe.write_text(yaml.safe_dump({  # a step that changes next to nothing
                "architecture": "segnet-basic", "width": 0.25, "model": str(start), "encoder": str(other), "dataset": "folder",
                "data": str(data), "batch-size": 4, "iterations": 1, "learning-rate": 1e-9, "optimizer": {"weight-decay": 0.0},
                "accuracy": "exact", "tensorboard": False, "validate-every": 1000, "statistics": "original"}))
            folders = [self.folder / f"{name}{number}" for name in ("theirs", "ours")]
            run_segnet("train", "--config", recipe, "--output", folders[0], "--threads", 1)
            said = train("--config", recipe, "--output", folders[1])
            self.assertIn(f"In place of its encoder: 4 layers from {other}.", said)
            theirs, ours = (model_files.read(folder / "last.safetensors")[0] for folder in folders)
            self.assertEqual(set(theirs), set(ours))
            for name, array in theirs.items():
                if not name.endswith((".mean", ".variance")):
                    self.assertLess(relative(ours[name], array), 1e-4, name)

    def test_a_wider_model_is_refused(self):
        path, _ = write_model(self.folder / "wide.safetensors")
        network = Network(architectures.network("segnet-basic", len(CLASSES), width=0.25, size=(48, 40)))
        network.initialize(1)
        self.assert_user_error(
            f"{path} is wider than this network, and the encoder of vgg.safetensors cannot be cut to fit; give a model of this network's "
            "width, or one of the two alone.",
            starting_weights.load_model, network, path, CLASSES, pictures, encoder="vgg.safetensors")


class FrozenLayersTests(Case):
    def begin(self, *words):
        data = self.folder / "streets"
        if not data.exists():
            write_streets(data, 6)
        return run_program(
            "--architecture", "segnet-basic", "--dataset", "folder", "--data", data, "--batch-size", 2, "--iterations", 1, "--output",
            self.folder / f"run{len(list(self.folder.iterdir()))}", *words)

    def test_without_a_model_a_note_names_those_that_stay_random(self):
        status, errors = self.begin("--freeze", "conv1", "--freeze", "conv_*", "--crop", "32x32")
        self.assertEqual(status, 0, errors)
        self.assertIn(
            "6 frozen layers (conv1, conv_decode4, conv_decode3, ...) will keep random weights, because the training starts from no "
            "--model; name one, or take them out of 'freeze'.", errors)

    def test_those_that_the_model_has_no_weights_for_are_refused(self):
        path, _ = write_model(self.folder / "model.safetensors", width=1, classes=["a", "b", "c", "d"])
        status, errors = self.begin("--model", path, "--freeze", "conv*")
        self.assertEqual(
            (status, errors),
            (1, f"Error: freeze: 1 frozen layer (conv_classifier) would keep random weights, because {path} has none that fit them; take "
                "them out of 'freeze', or start from a --model of the same architecture and width.\n"))
        (self.folder / "rates.yaml").write_text("rates: {conv_classifier: 0}\n")
        status, errors = self.begin("--model", path, "--config", self.folder / "rates.yaml")
        self.assertEqual(
            (status, errors),
            (1, f"Error: rates: 1 frozen layer (conv_classifier) would keep random weights, because {path} has none that fit them; give "
                "them a rate above 0 ('freeze' and 'rates' together), or start from a --model of the same architecture and width.\n"))
        status, errors = self.begin("--model", path, "--freeze", "conv1*", "--crop", "32x32")
        self.assertEqual(status, 0, errors)
        self.assertNotIn("random weights", errors)


class LargeWeightsTests(Case):
    def test_their_file_is_named_and_not_the_learning_rate(self):
        path, arrays = write_model(self.folder / "model.safetensors", width=0.25)
        description = model_files.description(model_files.read(path)[1], path)
        arrays["conv_decode2.weight"][:] = 3e38  # finite, and beyond float32 as soon as two of them are added
        model_files.write(path, arrays, description, name="x", classes=CLASSES, palette=[(1, 2, 3)] * len(CLASSES), notes={})
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(yaml.safe_dump({
            "architecture": "segnet-basic", "width": 0.25, "model": str(path), "dataset": "folder",
            "data": str(write_streets(self.folder / "streets", 6)), "batch-size": 2, "iterations": 1, "tensorboard": False}))
        status, errors = run_program("--config", recipe, "--output", self.folder / "run")
        self.assertEqual(status, 1)
        self.assertIn(
            f"Error: training cannot begin with the weights of {path}: before anything is learnt, the output of layer 'conv_decode2' is not a "
            "finite number. Some of them are too large to compute with; begin with another model, or with random weights.", errors)


class SwiftTests(Case):
    """A recipe with a wider model begins with the same weights here and there."""

    def compare(self, architecture, classes=CLASSES, precision=None):
        data = write_streets(self.folder / "streets", 12, size=(64, 64))
        model, _ = write_model(self.folder / "wide.safetensors", architecture, classes=classes)
        if precision:  # folds the statistics
            model = self.folder / "folded.safetensors"
            run_segnet("convert", self.folder / "wide.safetensors", model, "--precision", precision)
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(yaml.safe_dump({  # a step that changes next to nothing
            "architecture": architecture, "width": 0.25, "model": str(model), "dataset": "folder", "data": str(data), "batch-size": 4,
            "iterations": 1, "learning-rate": 1e-9, "optimizer": {"weight-decay": 0.0}, "accuracy": "exact", "tensorboard": False,
            "validate-every": 1000, "statistics": "original"}))
        run_segnet("train", "--config", recipe, "--output", self.folder / "theirs", "--threads", 1)
        said = train("--config", recipe, "--output", self.folder / "ours")
        self.assertIn("its most important channels were kept", said)
        theirs, ours = (model_files.read(self.folder / name / "last.safetensors")[0] for name in ("theirs", "ours"))
        self.assertEqual(set(theirs), set(ours))
        for name, array in theirs.items():
            if not name.endswith((".mean", ".variance")):
                self.assertLess(relative(ours[name], array), 1e-4, name)
        logs = [json.loads((self.folder / name / "log.jsonl").read_text().splitlines()[1]) for name in ("theirs", "ours")]
        self.assertLess(abs(logs[1]["loss"] / logs[0]["loss"] - 1), 1e-4)

    @needs_segnet
    def test_of_segnet(self):
        self.compare("segnet")

    @needs_segnet
    def test_of_folded_segnet_basic(self):
        self.compare("segnet-basic", precision="float16")

    @needs_segnet
    def test_of_other_classes(self):
        self.compare("segnet-basic", classes=["a", "b", "c", "d"])
