"""Networks: descriptions, every kind of layer, logits against the Swift command's."""

from support import Case, needs_segnet, np, relative, ROOT, run_segnet, torch  # first: it makes the package importable

import json

from PIL import Image

from segnet_torch import architectures, model_files
from segnet_torch.layers import MaxPooling, Unpooling
from segnet_torch.network import Network, layer_patterns, rates_by_layer

BUNDLED = ROOT / "Models/segnet-basic-camvid.safetensors"
BGR = ["blue", "green", "red"]


def read_network(path):
    arrays, metadata = model_files.read(path)
    network = Network(model_files.description(metadata, path))
    network.load(arrays)
    network.learn(False)
    return network


def picture(size, seed=0):
    """Colours that change slowly, with noise, so that few pooling windows are ties."""
    random = np.random.default_rng(seed)
    small = Image.fromarray(random.integers(60, 196, (6, 8, 3), np.uint8))
    large = np.asarray(small.resize(size, Image.Resampling.BICUBIC)) + random.normal(0, 25, (size[1], size[0], 3))
    return Image.fromarray(large.clip(0, 255).astype(np.uint8))


def as_batch(image):
    return torch.from_numpy(np.asarray(image)[..., ::-1].copy()).permute(2, 0, 1)[None].float()


def window(extent, stride=1, padding=0, dilation=1):
    return {"height": extent, "width": extent, "strideX": stride, "strideY": stride, "paddingX": padding, "paddingY": padding,
            "dilationX": dilation, "dilationY": dilation}


def zoo():
    """A small network of the layers that SegNets do not have: those of FCN, DeepLab and DeconvNet."""
    layers = []

    def add(kind, name, inputs, parameters=None, outputs=None):
        layers.append({"kind": kind, "name": name, "inputs": inputs, "outputs": outputs or [name], "parameters": parameters or {}})

    def convolution(name, inputs, channels, shape, groups=1, bias=True):
        add("convolution", name, inputs, {"outputChannels": channels, "window": shape, "groups": groups, "hasBias": bias})

    add("localContrastNormalization", "contrast", ["data"], {"size": 9, "sigma": 2})
    convolution("first", ["contrast"], 16, window(3, 2, 1))
    add("batchNormalization", "first_bn", ["first"], {"statistics": "folded", "epsilon": 1e-5}, ["first"])
    add("relu", "first_relu", ["first"], None, ["first"])
    add("maxPooling", "pool", ["first"], {"window": window(3, 2, 1), "givesIndices": False})
    convolution("dilated", ["pool"], 16, window(3, 1, 2, 2), groups=4, bias=False)
    add("addition", "sum", ["pool", "dilated"])
    add("concatenation", "joined", ["sum", "dilated"])
    add("maxPooling", "half", ["joined"], {"window": window(2, 2), "givesIndices": True}, ["half", "half_mask"])
    add("unpooling", "whole", ["half", "half_mask"])
    add("transposedConvolution", "larger", ["whole"], {"outputChannels": 5, "window": window(4, 2, 0), "groups": 1, "hasBias": True})
    add("crop", "cut", ["larger", "first"], {"top": 1, "left": 1})
    add("bilinearUpsampling", "scores", ["cut"], {"factor": 2})
    data = {"name": "data", "channels": BGR, "height": 32, "width": 40, "mean": [100, 110, 120], "scale": [1, 0.5, 2]}
    return {"name": "zoo", "input": data, "layers": layers}


class ArchitectureTests(Case):
    def test_the_bundled_model_has_these_layers(self):
        described = json.loads(model_files.read(BUNDLED)[1]["network"])
        ours = architectures.network("segnet-basic", 11)
        convolutions = [[layer for layer in network["layers"] if layer["kind"] in ("convolution", "maxPooling", "localResponseNormalization")]
                        for network in (described, ours)]
        for theirs, mine in zip(*convolutions):
            self.assertEqual((theirs["name"], theirs["parameters"]), (mine["name"], mine["parameters"]))

    @needs_segnet
    def test_descriptions_are_the_package_s(self):
        run_segnet("benchmark", "networks", *architectures_known(), "--no-memory", "--repeat", 1, "--size", "32x32", "--threads", 1, "--output",
                   self.folder)
        for name in architectures_known():
            with self.subTest(name):
                theirs = json.loads(model_files.read(self.folder / f"{name}.safetensors")[1]["network"])
                ours = architectures.network(name, 11, size=(theirs["input"]["width"], theirs["input"]["height"]))
                for layer in theirs["layers"]:  # theirs may be folded already
                    if layer["kind"] == "batchNormalization":
                        layer["parameters"]["statistics"] = "kept"
                self.assertEqual(ours, theirs)


def architectures_known():
    from segnet_torch.recipe import ARCHITECTURES

    return ARCHITECTURES


class NetworkTests(Case):
    def assert_same_logits(self, model, size, bar=1e-5):
        image = picture(size)
        image.save(self.folder / "picture.png")
        run_segnet("predict", self.folder / "picture.png", "--model", model, "--output", self.folder, "--save", "logits", "--accuracy", "exact",
                   "--size", "native", "--threads", 1)
        theirs = np.load(self.folder / "picture.logits.npy").transpose(2, 0, 1)
        with torch.inference_mode():
            ours = read_network(model)(as_batch(image))[0].numpy()
        self.assertEqual(ours.shape, theirs.shape)
        # A window whose two best values are nearly equal may choose the other place: the median tells whether the arithmetic is right.
        error = np.abs(ours - theirs) / theirs.std()
        self.assertLess(np.median(error), bar)
        self.assertGreater((ours.argmax(0) == theirs.argmax(0)).mean(), 0.998)

    @needs_segnet
    def test_logits_of_the_bundled_model(self):
        self.assert_same_logits(BUNDLED, (101, 75))

    @needs_segnet
    def test_logits_of_a_narrow_segnet(self):
        path = self.folder / "narrow.safetensors"
        network = Network(architectures.network("segnet", 4, width=0.25, size=(193, 145), mean=[103.939, 116.779, 123.68]))
        network.initialize(3)
        self.settle(network)
        self.write(network, path)
        # Random weights in 26 layers blow rounding up: both programs are 1e-5 from float64.
        self.assert_same_logits(path, (193, 145), bar=5e-5)

    @needs_segnet
    def test_logits_of_every_other_kind_of_layer(self):
        path = self.folder / "zoo.safetensors"
        network = Network(zoo())
        network.initialize(4)
        self.write(network, path)
        self.assert_same_logits(path, (40, 32))

    def settle(self, network):
        """Statistics of a batch, as after a training."""
        network.learn()
        with torch.no_grad():
            network(torch.cat([as_batch(picture((193, 145), seed)) for seed in (1, 2)]))
        for _, module in network.normalizations:
            module.mean.copy_(module.last[0])
            module.variance.copy_(module.last[1])

    def write(self, network, path):
        count = network.class_count
        model_files.write(path, {name: tensor.detach().numpy() for name, tensor in network.tensors().items()}, network.description, name="test",
                          classes=[f"class {number}" for number in range(count)], palette=[(number, 0, 0) for number in range(count)], notes={})

    def test_pooling_is_pytorch_s_in_every_size_and_format(self):
        torch.manual_seed(0)
        for size in [(1, 1), (1, 7), (2, 2), (5, 8), (12, 15), (9, 13)]:
            for dtype in (torch.float32, torch.bfloat16):
                for layout in (torch.contiguous_format, torch.channels_last):
                    with self.subTest(size=size, dtype=dtype, layout=layout):
                        x = torch.randn(2, 5, *size).relu().to(dtype).contiguous(memory_format=layout)  # zeros are ties
                        mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
                        pooled, places = MaxPooling({"window": window(2, 2), "givesIndices": True}, [5])(mine)
                        back = Unpooling({}, [5])(pooled * 2 + 1, places)
                        expected, indices = torch.nn.functional.max_pool2d(theirs, 2, 2, ceil_mode=True, return_indices=True)
                        expected_back = torch.nn.functional.max_unpool2d(expected * 2 + 1, indices, 2, 2, output_size=size)
                        gradient = torch.randn(back.shape).to(dtype)
                        back.backward(gradient)
                        expected_back.backward(gradient)
                        self.assertTrue(torch.equal(pooled, expected) and torch.equal(back, expected_back))
                        self.assertTrue(torch.equal(mine.grad, theirs.grad))

    def test_biases_in_front_of_batch_normalization_are_not_trained(self):
        network = Network(architectures.network("segnet-basic", 3, width=0.25))
        trained = [name for name in network.convolutions if network.layer(name).trains_bias]
        self.assertEqual(trained, ["conv_classifier"])

    def test_layers_by_pattern(self):
        names = ["conv1_1", "conv1_2", "conv2_1"]
        self.assertEqual(layer_patterns(["conv1*", "conv2_1"], names, "freeze"), {"conv1*": names[:2], "conv2_1": names[2:]})
        self.assert_user_error(
            "freeze: no layer is called 'conv1-1'. Did you mean 'conv1_1'? 'segnet info' lists the layers.",
            layer_patterns, ["conv1-1"], names, "freeze")

    def test_the_closest_pattern_decides_a_layer_s_rate(self):
        """In whatever order they stand: a run's recipe is written with sorted keys."""
        rates = {"conv1_1": 2.0, "conv*": 0.5, "*": 0.1, "conv1_1*": 3.0, "conv2*": 0.0}
        for order in (sorted(rates), sorted(rates, reverse=True)):
            found = rates_by_layer({pattern: rates[pattern] for pattern in order}, ["conv1_1", "conv1_2", "conv2_1", "pool1"])
            self.assertEqual(found, {"conv1_1": 2.0, "conv1_2": 0.5, "conv2_1": 0.0, "pool1": 0.1})
        self.assert_user_error(
            "rates: no layer is called 'conv1-1'. Did you mean 'conv1_1'? 'segnet info' lists the layers.",
            rates_by_layer, {"conv1-1": 1}, ["conv1_1"])

    def test_a_layer_that_is_not_known_is_named(self):
        description = zoo()
        description["layers"][6]["kind"] = "multiplication"
        self.assert_user_error("layer 'sum': layers of the kind 'multiplication' are not known here.", Network, description)


class ModelFileTests(Case):
    def test_what_is_written_is_read(self):
        network = Network(zoo())
        network.initialize(1)
        path = self.folder / "zoo.safetensors"
        NetworkTests.write(self, network, path)
        arrays, metadata = model_files.read(path)
        self.assertEqual(model_files.description(metadata, path), network.description)
        self.assertEqual(set(arrays), set(network.tensors()))
        self.assertEqual(relative(arrays["first.weight"], network.tensors()["first.weight"].detach()), 0)

    def test_eight_bits_with_scales_are_expanded(self):
        import struct

        numbers, scales = np.array([[1, -2], [3, 4]], np.int8), np.array([0.5, 0.25], np.float32)
        header = {"a": {"dtype": "I8", "shape": [2, 2], "data_offsets": [8, 12]},
                  "a:scale": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
        text = json.dumps(header).encode()
        path = self.folder / "small.safetensors"
        path.write_bytes(struct.pack("<Q", len(text)) + text + scales.tobytes() + numbers.tobytes())
        arrays, _ = model_files.read(path)
        self.assertEqual({name: array.tolist() for name, array in arrays.items()}, {"a": [[0.5, -1], [0.75, 1]]})

    def test_four_bits_with_scales_are_expanded(self):
        import struct

        scales = np.array([0.5, 2, 1, 1], np.float16)
        numbers = np.arange(0x10, 0x10 + 2 * 16 * 2, dtype=np.uint8)
        header = {"a": {"dtype": "U8", "shape": [2, 16, 2], "data_offsets": [8, 72]},
                  "a:scale": {"dtype": "F16", "shape": [2, 1, 2], "data_offsets": [0, 8]}}
        text = json.dumps(header).encode()
        path = self.folder / "small.safetensors"

        def write(text):
            path.write_bytes(struct.pack("<Q", len(text)) + text + scales.tobytes() + numbers.tobytes())

        write(text)
        array = model_files.read(path)[0]["a"]
        self.assertEqual(array.shape, (2, 32, 2))
        for (row, channel, place), number in np.ndenumerate(array):
            byte = int(numbers[(row * 16 + channel // 2) * 2 + place])
            half = byte >> 4 if channel % 2 else byte & 15
            self.assertEqual(number, (half if half < 8 else half - 16) * float(scales[row * 2 + place]))
        write(text.replace(b"[2, 1, 2]", b"[1, 4, 1]"))
        with self.assertRaisesRegex(Exception, "is not a safetensors file, or a damaged one"):
            model_files.read(path)
        write(text.replace(b"a:scale", b"b:scale"))
        self.assertNotIn("a", model_files.read(path)[0])

    def test_damaged_files_are_refused(self):
        path = self.folder / "broken.safetensors"
        path.write_bytes(b"\x10\0\0\0\0\0\0\0not JSON, surely")
        with self.assertRaisesRegex(Exception, "is not a safetensors file, or a damaged one"):
            model_files.read(path)
