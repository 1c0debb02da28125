"""Whole trainings, small: against the Swift command, resumed, on several processes."""

from support import SEGNET, TOOL, Case, log_of, needs_segnet, relative, run_program, run_segnet, train, write_streets  # first

import json
import os
import subprocess
import sys
import unittest

import yaml

from segnet_torch import model_files

RECIPE = {
    "architecture": "segnet-basic", "width": 0.25, "dataset": "folder", "class-weight-power": 0.5, "batch-size": 2, "iterations": 4,
    "augmentation": {"flip": True, "scale": [0.7, 1.5], "crop": [40, 32], "brightness": 0.25, "contrast": 0.25, "saturation": 0.25, "hue": 10,
                     "blur": 0.3, "noise": 4},
    "learning-rate": 0.002, "optimizer": {"kind": "adamw", "weight-decay": 0.01}, "schedule": {"kind": "one-cycle", "peak": 0.2},
    "average": 0.9, "validate-every": 1000, "accuracy": "exact", "tensorboard": False}


class TrainingTests(Case):
    def setUp(self):
        super().setUp()
        self.data = write_streets(self.folder / "streets", 20)

    def recipe(self, **changes):
        path = self.folder / "recipe.yaml"
        path.write_text(yaml.safe_dump({**RECIPE, "data": str(self.data), **{key.replace("_", "-"): value for key, value in changes.items()}}))
        return path

    def run_both(self, recipe, *words):
        """(folder of the Swift command's run, folder of ours)"""
        folders = self.folder / "theirs", self.folder / "ours"
        run_segnet("train", "--config", recipe, "--output", folders[0], "--threads", 1, *words)
        train("--config", recipe, "--output", folders[1], *words)
        return folders

    def assert_same_training(self, theirs, ours, bar=2e-3):
        expected, found = log_of(theirs), log_of(ours)
        self.assertEqual([line["step"] for line in found], [line["step"] for line in expected])
        for key, first_bar in (("loss", 1e-5), ("gradientNorm", max(1e-4, bar / 10)), ("learningRate", 1e-9)):
            self.assertLess(abs(found[0][key] / expected[0][key] - 1), first_bar, key)
            for one, other in zip(found, expected):
                self.assertLess(abs(one[key] / other[key] - 1), bar, f"{key} of step {one['step']}")
        arrays = [model_files.read(folder / "last.safetensors")[0] for folder in (ours, theirs)]
        self.assertEqual(set(arrays[0]), set(arrays[1]))
        for name in arrays[0]:
            if not name.endswith(".mean"):  # those may be near 0
                self.assertLess(relative(arrays[0][name], arrays[1][name]), 10 * bar, name)

    @needs_segnet
    def test_is_the_training_of_the_swift_command(self):
        """The same initial weights, pictures, changes, losses, steps and statistics."""
        self.assert_same_training(*self.run_both(self.recipe()))
        recipes = [yaml.load((self.folder / name / "recipe.yaml").read_text(), yaml.SafeLoader) for name in ("theirs", "ours")]
        self.assertEqual(set(recipes[0]) - set(recipes[1]), set())

    @needs_segnet
    def test_sgd_with_accumulated_batches(self):
        recipe = self.recipe(optimizer={"kind": "sgd", "clip-norm": 0.5}, learning_rate=0.01, accumulate=2, average=0, iterations=3,
                             loss_divisor="weights", statistics="original", batch_size=3, mean=[120, 110, 100], initialization="xavier",
                             rates={"conv4*": 0.5}, freeze=["conv1"])
        self.assert_same_training(*self.run_both(recipe))

    @needs_segnet
    def test_one_step_of_segnet(self):
        """One, because rounding soon picks other places in the pooling of maps that are so small."""
        recipe = self.recipe(architecture="segnet", iterations=1, batch_size=4, optimizer={"kind": "sgd"}, learning_rate=0.01)
        self.assert_same_training(*self.run_both(recipe), bar=1e-2)

    @needs_segnet
    def test_begins_with_a_finished_model(self):
        train("--config", self.recipe(), "--output", self.folder / "first")
        model = self.folder / "folded.safetensors"
        run_segnet("convert", self.folder / "first/last.safetensors", model, "--precision", "float16")
        recipe = self.recipe(model=str(model), iterations=2, learning_rate=0.0001)
        self.assert_same_training(*self.run_both(recipe))

    @needs_segnet
    def test_evaluate_says_what_the_program_says(self):
        train("--config", self.recipe(iterations=6), "--output", self.folder / "run")
        said = log_of(self.folder / "run", "validation")[-1]
        report = self.folder / "scores.json"
        # A validation takes statistics over some pictures; of so few it takes all, as the end of the run does.
        run_segnet("evaluate", "--model", self.folder / "run/last.safetensors", "--dataset", "folder", "--data", self.data, "--split", "val", "--bf",
                   "none", "--accuracy", "exact", "--threads", 1, "--json", report)
        found = json.loads(report.read_text())
        for key in ("globalAccuracy", "classAverageAccuracy", "meanIoU"):
            self.assertAlmostEqual(said[key], found[key], delta=0.0005, msg=key)

    def test_a_training_that_goes_on_is_the_one_without_a_break(self):
        from segnet_torch import processes, recipe, trainer

        bayesian = self.recipe(architecture="bayesian-segnet-basic", iterations=6, validate_every=0.25)
        train("--config", bayesian, "--output", self.folder / "whole")
        broken = self.folder / "broken"
        running = trainer.Trainer(recipe.Recipe.read(bayesian), broken, processes.Processes("cpu"), trainer.Computing(threads=1))
        self.assertFalse(running.run(should_stop=lambda: running.progress.step == 3))
        running.close()
        status, errors = run_program("--config", bayesian, "--output", broken)
        self.assertEqual((status, errors), (1, f"Error: {broken}: holds a training already (last.pt); go on with --resume, or give another "
                                               "--output.\n"))
        train("--config", broken / "recipe.yaml", "--output", broken, "--resume")
        for name in ("best.safetensors", "last.safetensors"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (broken / name).read_bytes(), name)
        self.assertEqual([line["loss"] for line in log_of(self.folder / "whole")], [line["loss"] for line in log_of(broken)])

    def test_two_processes_make_the_same_steps_as_one(self):
        recipe = self.recipe(accumulate=2, iterations=3)
        train("--config", recipe, "--output", self.folder / "one")
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(TOOL / "train.py"), "--device", "cpu",
             "--threads", "1", "--config", str(recipe), "--output", str(self.folder / "two")], capture_output=True, text=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        for one, two in zip(log_of(self.folder / "one"), log_of(self.folder / "two")):
            self.assertLess(abs(one["loss"] / two["loss"] - 1), 1e-5)
            self.assertAlmostEqual(one["runningMeanIoU"], two["runningMeanIoU"], places=3)
        arrays = [model_files.read(self.folder / name / "last.safetensors")[0] for name in ("one", "two")]
        for name in arrays[0]:
            if name.endswith((".weight", ".scale")):
                self.assertLess(relative(arrays[0][name], arrays[1][name]), 1e-3, name)

    def test_several_data_sets(self):
        other = write_streets(self.folder / "other", 10, size=(64, 36), seed=5)
        recipe = self.recipe(
            datasets=[{"kind": "folder", "data": str(self.data), "share": 0.5},
                      {"kind": "folder", "data": str(other), "share": 0.5, "labelled": ["sky", "ground"]}],
            phases=[{"from": 0.5, "shares": [1, 0]}], label_smoothing=0.1)
        text = yaml.safe_load(recipe.read_text())
        recipe.write_text(yaml.safe_dump({key: value for key, value in text.items() if key not in ("dataset", "data")}))
        if SEGNET and "datasets" in run_segnet_or_error(recipe, self.folder / "theirs"):
            train("--config", recipe, "--output", self.folder / "ours")
            self.skipTest("this segnet command does not know 'datasets': compared with nothing")
        train("--config", recipe, "--output", self.folder / "ours")
        if SEGNET:
            self.assert_same_training(self.folder / "theirs", self.folder / "ours")

    def test_bf16(self):
        """A CPU has it too, slowly: what a GPU's default does is near what float32 does."""
        train("--config", self.recipe(iterations=2), "--output", self.folder / "exact")
        train("--config", self.recipe(iterations=2), "--output", self.folder / "half", "--precision", "bf16", "--float32-share", 0)
        for one, two in zip(log_of(self.folder / "exact"), log_of(self.folder / "half")):
            self.assertNotEqual(one["loss"], two["loss"])
            self.assertLess(abs(one["loss"] / two["loss"] - 1), 0.05)

    def test_frozen_layers_do_not_move(self):
        train("--config", self.recipe(iterations=1), "--output", self.folder / "first")
        train("--config", self.recipe(iterations=2), "--output", self.folder / "second", "--model", self.folder / "first/last.safetensors", "--freeze",
              "conv1*")
        arrays = [model_files.read(self.folder / name / "last.safetensors")[0] for name in ("first", "second")]
        for name in arrays[0]:
            is_still = bool((arrays[0][name] == arrays[1][name]).all())
            if name.endswith((".weight", ".scale", ".shift")):
                self.assertEqual(is_still, name.startswith("conv1"), name)


def run_segnet_or_error(recipe, output):
    done = subprocess.run([SEGNET, "train", "--config", str(recipe), "--output", str(output), "--threads", "1"], capture_output=True, text=True)
    return done.stderr if done.returncode else ""


if __name__ == "__main__":
    unittest.main()
