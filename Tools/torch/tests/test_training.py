"""Whole trainings, small: against the Swift command, resumed, on several processes."""

from support import SEGNET, TOOL, Case, log_of, needs_segnet, relative, run_program, run_segnet, train, write_streets  # first

import json
import os
import signal
import subprocess
import sys
import time
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
        self.check_evaluate(self.recipe(iterations=6))

    @needs_segnet
    def test_evaluate_says_so_without_averaged_weights(self):
        """Running statistics lag behind weights that move fast."""
        self.check_evaluate(self.recipe(
            iterations=6, average=0, optimizer={"kind": "sgd"}, learning_rate=0.1, schedule={"kind": "constant"}))

    def check_evaluate(self, recipe):
        train("--config", recipe, "--output", self.folder / "run")
        said = log_of(self.folder / "run", "validation")[-1]
        report = self.folder / "scores.json"
        # A validation takes statistics over some pictures; of so few it takes all, as the end of the run does.
        run_segnet("evaluate", "--model", self.folder / "run/last.safetensors", "--dataset", "folder", "--data", self.data, "--split", "val",
                   "--bf", "none", "--accuracy", "exact", "--threads", 1, "--json", report)
        found = json.loads(report.read_text())
        for key in ("globalAccuracy", "classAverageAccuracy", "meanIoU"):
            self.assertAlmostEqual(said[key], found[key], delta=0.0005, msg=key)

    def test_a_training_that_goes_on_is_the_one_without_a_break(self):
        from segnet_torch import learner, processes, recipe, trainer

        bayesian = self.recipe(architecture="bayesian-segnet-basic", iterations=6, validate_every=0.25)
        train("--config", bayesian, "--output", self.folder / "whole")
        broken = self.folder / "broken"
        running = trainer.Trainer(recipe.Recipe.read(bayesian), broken, processes.Processes("cpu"), learner.Computing(threads=1))
        self.assertFalse(running.run(should_stop=lambda: running.progress.step == 3))
        running.close()
        status, errors = run_program("--config", bayesian, "--output", broken)
        self.assertEqual((status, errors), (1, f"Error: {broken}: already holds a training (last.pt); continue with --resume, or give another "
                                               "--output.\n"))
        train("--config", broken / "recipe.yaml", "--output", broken, "--resume")
        for name in ("best.safetensors", "last.safetensors"):
            self.assertEqual((self.folder / "whole" / name).read_bytes(), (broken / name).read_bytes(), name)
        self.assertEqual([line["loss"] for line in log_of(self.folder / "whole")], [line["loss"] for line in log_of(broken)])

    def test_ctrl_c_saves_and_prints_the_command_that_goes_on(self):
        given = ["--device", "cpu", "--precision", "bf16", "--threads", "1"]
        for number in (signal.SIGINT, signal.SIGTERM):
            folder = self.folder / number.name
            run = subprocess.Popen([sys.executable, TOOL / "train.py", "--config", self.recipe(iterations=100000), "--output", folder, *given],
                                   stderr=subprocess.PIPE, text=True)
            log = folder / "log.jsonl"
            while run.poll() is None and not (log.exists() and log.stat().st_size):  # a step is done: signals are heard
                time.sleep(0.05)
            run.send_signal(number)
            errors = run.communicate()[1]
            self.assertEqual(run.returncode, 128 + number, errors)
            self.assertTrue((folder / "last.pt").exists())
            self.assertTrue(errors.endswith(f"--output {folder} --resume {' '.join(given)}\n"), errors)

    def test_statistics_come_from_batches_of_eight_where_the_training_s_are_smaller(self):
        from segnet_torch import arithmetic, learner, processes, recipe, statistics, trainer

        for training, pictures in ((1, 4), (2, 8), (3, 8), (7, 8), (8, 8), (9, 9), (64, 64)):
            self.assertEqual(statistics.batch_size(training, "exact"), pictures)
            self.assertEqual(statistics.batch_size(training, "original"), training)
        for rule, size, other in (("exact", 8, 2), ("original", 2, 8)):
            given = recipe.Recipe.read(self.recipe(iterations=1, statistics=rule))
            running = trainer.Trainer(given, self.folder / rule, processes.Processes("cpu"), learner.Computing(threads=1))
            running.run()
            found, judge = model_files.read(self.folder / rule / "last.safetensors")[0], running.judge
            for batch, is_same in ((size, True), (other, False)):
                judge.load(running.learner.network, running.learner.average)
                with arithmetic.exact():
                    statistics.take(judge.network, running.pool.representatives(None, 1), batch, read_ahead=judge.reading.examples,
                                    to_batch=judge.reading.whole, processes=judge.processes, rule=rule)
                self.assertEqual(all((found[name] == array).all() for name, array in judge.arrays().items()), is_same, (rule, batch))
            running.close()

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
            phases=[{"from": 0.5, "shares": [1, 0]}], label_smoothing=0.1, jaccard_weight=0.5)
        text = yaml.safe_load(recipe.read_text())
        recipe.write_text(yaml.safe_dump({key: value for key, value in text.items() if key not in ("dataset", "data")}))
        self.compare_if_known(recipe, "datasets")

    def test_robustness(self):
        """Every change of pictures that other cameras and other light make."""
        changes = {"rotation": 8, "gamma": 0.5, "temperature": 0.3, "gray": 0.3, "erase": 0.5, "blur": 0.5, "blur-radius": 1.5, "jpeg": 0.6,
                   "jpeg-quality": [30, 90], "paste": 0.5, "paste-classes": ["wall"]}
        self.compare_if_known(self.recipe(augmentation={**RECIPE["augmentation"], **changes}, batch_size=4), "rotation")

    def test_a_teacher(self):
        train("--config", self.recipe(iterations=3, width=0.5), "--output", self.folder / "teacher")
        teacher = self.folder / "teacher/last.safetensors"
        # Three steps: from then on Adam has made the rounding of small gradients larger than the bar.
        recipe = self.recipe(teacher={"model": str(teacher), "temperature": 3, "share": 0.6}, accumulate=2, jaccard_weight=0.3, iterations=3)
        self.compare_if_known(recipe, "teacher")
        first = log_of(self.folder / "ours")[0]["loss"]
        train("--config", self.recipe(accumulate=2), "--output", self.folder / "alone")
        self.assertNotAlmostEqual(first, log_of(self.folder / "alone")[0]["loss"], places=3)
        others = write_streets(self.folder / "others", 4)
        (others / "classes.txt").write_text("a\nb\nc\n")
        status, errors = run_program("--config", self.recipe(data=str(others)), "--output", self.folder / "x", "--teacher", teacher)
        self.assertEqual(status, 1)
        self.assertIn("has the classes sky, wall, ground, but the data have a, b, c; give a teacher of the same classes in the same order.", errors)

    def compare_if_known(self, recipe, setting):
        """Trains here, and there where the Swift command knows the setting."""
        train("--config", recipe, "--output", self.folder / "ours")
        if not SEGNET:
            return
        done = subprocess.run([SEGNET, "train", "--config", str(recipe), "--output", str(self.folder / "theirs"), "--threads", "1"],
                              capture_output=True, text=True)
        if f"'{setting}'" in done.stderr:
            return  # an older command, which refuses the setting
        self.assertEqual(done.returncode, 0, done.stderr)
        if f"{setting}:" not in (self.folder / "theirs/recipe.yaml").read_text():
            return  # an older command, which passes it over
        self.assert_same_training(self.folder / "theirs", self.folder / "ours")

    def test_bf16(self):
        """A CPU has it too, slowly: what a GPU's default does is near what float32 does."""
        train("--config", self.recipe(iterations=2), "--output", self.folder / "exact")
        train("--config", self.recipe(iterations=2), "--output", self.folder / "half", "--precision", "bf16", "--float32-share", 0)
        for one, two in zip(log_of(self.folder / "exact"), log_of(self.folder / "half")):
            self.assertNotEqual(one["loss"], two["loss"])
            self.assertLess(abs(one["loss"] / two["loss"] - 1), 0.05)

    def test_a_training_that_diverges_says_where(self):
        recipe = self.recipe(learning_rate=1e30, optimizer={"kind": "sgd"}, schedule={"kind": "constant"}, average=0)
        status, errors = run_program("--config", recipe, "--output", self.folder / "run")
        self.assertEqual(status, 1)
        self.assertRegex(errors, "Error: training diverged: the (output of layer|gradient of|parameter) .* is not a finite number. Try a lower")

    def test_batches_without_labels_change_nothing(self):
        from PIL import Image

        for path in (self.data / "labels").iterdir():
            if path.stem not in ("009", "019"):
                Image.new("L", (48, 40), 255).save(path)
        status, errors = run_program("--config", self.recipe(iterations=1), "--output", self.folder / "run")
        self.assertEqual(status, 0)
        self.assertIn("step 1: no pixel of the batch has a label; it changed nothing.", errors)
        self.assertIn("no training pixel shows sky, wall, ground; the model cannot learn it.", errors)

    def test_without_a_labelled_pixel_no_model_is_the_best(self):
        from PIL import Image

        for name in ("009", "019"):  # those for validation
            Image.new("L", (48, 40), 255).save(self.data / f"labels/{name}.png")
        status, errors = run_program("--config", self.recipe(iterations=1), "--output", self.folder / "run")
        self.assertEqual(status, 0, errors)
        self.assertIn("no pixel of the validation pictures has a label, so no model can be called the best.", errors)
        self.assertEqual([line["isBest"] for line in log_of(self.folder / "run", "validation")], [False])
        self.assertFalse((self.folder / "run/best.safetensors").exists())

    def test_statistics_are_those_of_the_shares_at_the_model_s_own_step(self):
        from unittest import mock

        from segnet_torch import judge, learner, processes, recipe, trainer

        running = trainer.Trainer(
            recipe.Recipe.read(self.recipe()), self.folder / "run", processes.Processes("cpu"), learner.Computing(threads=1))
        self.addCleanup(running.close)
        running.run()
        running.progress.best_step = 3
        with mock.patch.object(judge.Judge, "take_statistics") as taken:
            running._finish(lambda kind, report: None)
        self.assertEqual([call.args[0] for call in taken.call_args_list], [4 * 2 - 1, 3 * 2 - 1])

    def test_averaged_weights_have_no_running_statistics(self):
        from unittest import mock

        from segnet_torch import judge, learner, processes, recipe, trainer

        for average, rules in ((0.9, ["exact"]), (0, [])):
            running = trainer.Trainer(
                recipe.Recipe.read(self.recipe(statistics="running", average=average)), self.folder / str(average), processes.Processes("cpu"),
                learner.Computing(threads=1))
            self.addCleanup(running.close)
            with mock.patch.object(judge.Judge, "take_statistics") as taken:
                running._finish(lambda kind, report: None)
            self.assertEqual([call.args[1] for call in taken.call_args_list], rules)

    def test_devices(self):
        status, errors = run_program("--config", self.recipe(), "--output", self.folder / "run", "--device", "meta")
        self.assertEqual(
            (status, errors),
            (1, "Error: --device meta: this program runs on cuda (NVIDIA, or AMD with PyTorch for ROCm) and cpu.\n"))

    def test_frozen_layers_do_not_move(self):
        train("--config", self.recipe(iterations=1), "--output", self.folder / "first")
        train("--config", self.recipe(iterations=2), "--output", self.folder / "second", "--model", self.folder / "first/last.safetensors",
              "--freeze", "conv1*")
        arrays = [model_files.read(self.folder / name / "last.safetensors")[0] for name in ("first", "second")]
        for name in arrays[0]:
            is_still = bool((arrays[0][name] == arrays[1][name]).all())
            if name.endswith((".weight", ".scale", ".shift")):
                self.assertEqual(is_still, name.startswith("conv1"), name)


if __name__ == "__main__":
    unittest.main()
