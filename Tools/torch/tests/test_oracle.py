"""Three training steps of the original program on two small pictures: ../shared/oracle/training, whose README says what another correct
program may differ by."""

from support import ORACLE, Case, np, relative, torch  # first: it makes the package importable

import json
import unittest

from segnet_torch import architectures, class_weights, loss, optimizers
from segnet_torch.labels import IGNORED
from segnet_torch.network import Network
from segnet_torch.recipe import Multiplier, Multipliers, Optimizer


def fields(data):
    """(number, value) of a protobuf message; strings and messages as bytes."""
    place = 0

    def varint():
        nonlocal place
        result = shift = 0
        while True:
            byte = data[place]
            place += 1
            result |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return result

    while place < len(data):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            yield number, varint()
            continue
        length = {1: 8, 5: 4}.get(kind) or varint()
        yield number, bytes(data[place : place + length])
        place += length


def read_caffemodel(path):
    """{layer: [arrays]} of a model in the new encoding with packed floats."""
    result = {}
    for number, message in fields(path.read_bytes()):
        if number == 100:
            parts = list(fields(message))
            name = next(value.decode() for number, value in parts if number == 1)
            blobs = [dict(fields(blob)) for number, blob in parts if number == 7]
            result[name] = [np.frombuffer(blob[5], "<f4") for blob in blobs]
    return result


def two_stages(classes=11):
    """The oracle's second net: a SegNet cut after two stages, with 16 and 32 features."""
    make = architectures._Factory(kernel=3)
    for stage, channels, count in ((1, 16, 2), (2, 32, 2)):
        for number in range(1, count + 1):
            make.convolution(f"conv{stage}_{number}", channels, has_relu=True)
        make.pool(f"pool{stage}")
    make.unpool("upsample2", "pool2", "pool2_D")
    make.convolution("conv2_2_D", 32, has_relu=True)
    make.convolution("conv2_1_D", 16, has_relu=True)
    make.unpool("upsample1", "pool1", "pool1_D")
    make.convolution("conv1_2_D", 16, has_relu=True)
    make.convolution("conv1_1_D", classes, is_normalized=False)
    data = {"channels": ["blue", "green", "red"], "height": 40, "mean": [0, 0, 0], "name": "data", "scale": [1, 1, 1], "width": 64}
    return {"input": data, "layers": make.layers, "name": "two-stages"}


@unittest.skipUnless(ORACLE.is_dir(), "needs ../shared/oracle/training")
class OracleTests(Case):
    def check(self, folder, description, decays_shift):
        folder = ORACLE / folder
        network = Network(description)
        arrays = {}
        for layer, blobs in read_caffemodel(folder / "init.caffemodel").items():
            kinds = ("scale", "shift") if layer.endswith("_bn") else ("weight", "bias")
            for kind, blob in zip(kinds, blobs):
                name = f"{layer}.{kind}"
                arrays[name] = blob.reshape(network.tensors()[name].shape).copy()
        self.assertEqual(network.load(arrays), set(network.parameters_by_name()))
        pixels = torch.from_numpy(np.load(ORACLE / "data.npy"))
        labels = torch.from_numpy(np.load(ORACLE / "label.npy")).long()[:, 0]
        labels[labels == 11] = IGNORED
        weights = torch.tensor(class_weights.AUTHORS)
        # SegNet-Basic's prototxt names no multipliers for batch normalisation: shifts decay too.
        multipliers = Multipliers(shift=Multiplier(1, 1 if decays_shift else 0))
        settings = Optimizer("sgd", momentum=0.9, weight_decay=0.0005)
        optimizer = optimizers.Optimizer(settings, multipliers, network.parameters_by_name(), {}, set())
        expected = json.loads((folder / "results.json").read_text())["losses"]
        network.learn()
        for step, bar in enumerate((1e-5, 1e-4, 1e-4, 1e-3)):
            for parameter in network.parameters():
                parameter.grad = None
            divisor = float(loss.labelled_pixels(labels, weights)[0])
            value = loss.cross_entropy(network(pixels), labels, weights, divisor)
            self.assertLess(abs(float(value.detach()) / expected[step] - 1), bar, f"loss after {step} steps")
            value.backward()
            gradients = optimizer.gradients()
            if step == 0:
                self.compare(folder, network, "gradient", dict(zip(optimizer.names, gradients)))
            optimizer.step(0.1)
            if step == 0:
                self.compare(folder, network, "after1", network.parameters_by_name())

    def compare(self, folder, network, what, tensors):
        count = 0
        for path in sorted(folder.glob(f"*.{what}.npy")):
            name = ".".join(path.name.split(".")[:2])
            found, expected = tensors[name].detach().numpy(), np.load(path)
            if "every8th" in path.name:
                found = found[::8, ::8]
            expected = expected.reshape(found.shape)
            with self.subTest(f"{what} of {name}"):
                if np.linalg.norm(expected) < 1e-6:  # of a bias in front of batch normalisation: rounding
                    self.assertLess(np.abs(found).max(), 1e-6)
                else:
                    self.assertLess(relative(found, expected), 1e-4)
            count += 1
        self.assertGreater(count, 10)

    def test_steps_of_segnet_basic(self):
        self.check("segnet_basic", architectures.network("segnet-basic", 11, size=(64, 40)), decays_shift=True)

    def test_steps_of_two_stages_of_segnet(self):
        self.check("segnet_two_stages", two_stages(), decays_shift=False)


class LossTests(Case):
    """Against the definition, pixel by pixel in float64."""

    def reference(self, scores, labels, weights, named=None, smoothing=0.0):
        total = 0.0
        count = scores.shape[1]
        for b, y, x in np.argwhere(labels != IGNORED):
            label = labels[b, y, x]
            part = [c for c in range(count) if named is None or named[b, c] or c == label]
            row = scores[b, part, y, x].astype(np.float64)
            logarithms = row - row.max() - np.log(np.exp(row - row.max()).sum())
            targets = np.full(len(part), smoothing / len(part))
            targets[part.index(label)] += 1 - smoothing
            total -= weights[label] * (targets * logarithms).sum()
        return total / (labels != IGNORED).sum()

    def test_named_classes_and_smoothing(self):
        random = np.random.default_rng(1)
        scores, labels = random.normal(0, 2, (3, 5, 4, 6)).astype(np.float32), random.integers(0, 5, (3, 4, 6))
        labels[random.random(labels.shape) < 0.2] = IGNORED
        weights = np.array([0.5, 1, 2, 0, 1.5], np.float32)
        named = np.array([[1, 1, 1, 1, 1], [1, 0, 1, 0, 0], [0, 1, 0, 1, 1]], bool)
        for some in (None, named):
            for smoothing in (0.0, 0.1):
                with self.subTest(named=some is not None, smoothing=smoothing):
                    leaf = torch.from_numpy(scores).requires_grad_()
                    arguments = torch.from_numpy(labels), torch.from_numpy(weights), float((labels != IGNORED).sum())
                    value = loss.cross_entropy(leaf, *arguments, None if some is None else torch.from_numpy(some), smoothing)
                    value.backward()
                    self.assertAlmostEqual(float(value.detach()), self.reference(scores, labels, weights, some, smoothing), places=5)
                    self.assertTrue(bool(leaf.grad.isfinite().all()))
                    if some is not None:
                        known = arguments[0].masked_fill(arguments[0] == IGNORED, 0)
                        outside = ~loss.taking_part(known, torch.from_numpy(some))
                        self.assertEqual(float(leaf.grad[outside].abs().max()), 0)

    def test_a_teacher_s_divergence_and_its_gradient(self):
        random = np.random.default_rng(2)
        own, teacher = (random.normal(0, 3, (2, 5, 3, 4)) for _ in range(2))
        temperature = 2.5

        def softened(scores):
            powers = np.exp(scores / temperature)
            return powers / powers.sum(1, keepdims=True)

        p, q = softened(own), softened(teacher)
        leaf = torch.from_numpy(own.astype(np.float32)).requires_grad_()
        value = loss.distillation(leaf, torch.from_numpy(teacher.astype(np.float32)), temperature)
        value.backward()
        self.assertAlmostEqual(float(value.detach()) / float(temperature**2 * (q * np.log(q / p)).sum()), 1, places=5)
        self.assertLess(relative(leaf.grad, temperature * (p - q)), 1e-5)

    def test_schedules(self):
        from segnet_torch.recipe import Schedule

        def factors(total, **settings):
            return [round(optimizers.rate_factor(Schedule(**settings), step, total), 6) for step in range(total)]

        self.assertEqual(factors(4, kind="poly", power=1.0), [1, 0.75, 0.5, 0.25])
        self.assertEqual(factors(4, kind="step", gamma=0.5, every=2), [1, 1, 0.5, 0.5])
        self.assertEqual(factors(4, kind="constant", warm_up=2), [0.5, 1, 1, 1])
        self.assertEqual(factors(4, kind="cosine"), [1, 0.853553, 0.5, 0.146447])
        self.assertEqual(factors(4, kind="one-cycle", start=0.1, peak=0.5), [0.1, 0.55, 1, 0.5])
