"""Recipes: what is read, what is refused and in which words."""

from support import ROOT, Case  # first: it makes the package importable

import os
import re
from dataclasses import fields
from unittest import mock

import torch
import yaml

from segnet_torch import architectures, model_store, starting_weights
from segnet_torch.class_tables import class_table
from segnet_torch.command import parser, resolved
from segnet_torch.network import Network
from segnet_torch.recipe import DatasetEntry, Multiplier, Multipliers, Phase, Recipe, Teacher
from segnet_torch.settings import key_of


class RecipeTests(Case):
    def read(self, text):
        path = self.folder / "recipe.yaml"
        path.write_text(text)
        try:
            return Recipe.read(path)
        except Exception as error:
            error.args = tuple(str(argument).replace(f"{path}", "recipe.yaml") for argument in error.args)
            raise

    def refuses(self, text, expected):
        self.assert_user_error(expected, self.read, text)

    def test_every_recipe_of_the_package_is_read(self):
        for path in sorted((ROOT / "recipes").glob("*.yaml")):
            if "dataset: synthetic" in path.read_text():
                continue
            with self.subTest(path.name):
                recipe = Recipe.read(path)
                model_store.resolve(recipe)
                self.load_models(recipe)

    def load_models(self, recipe):
        """Begins with the recipe's model, and reads its teacher, where the files are there."""
        classes = class_table("camvid11").classes  # all of these recipes learn them
        for file in filter(None, (recipe.model, recipe.teacher and recipe.teacher.model)):
            self.assertTrue((ROOT / file).is_file() or file.startswith("runs/"), file)
        if recipe.model and (ROOT / recipe.model).is_file():
            network = Network(architectures.network(recipe.architecture, len(classes), width=recipe.width))
            note, _ = starting_weights.load_model(
                network, ROOT / recipe.model, classes, lambda: [torch.full((1, 3, 32, 32), 100.0)])
            self.assertNotIn("new:", note)
            # segnet-streets is the only one of these models that is wider than a recipe's network.
            self.assertEqual("most important channels" in note, recipe.width < 1 and recipe.model.endswith("/segnet-streets.safetensors"))
        if recipe.teacher and (ROOT / recipe.teacher.model).is_file():
            starting_weights.load_teacher(ROOT / recipe.teacher.model, classes)

    def test_bundled_models_go_by_name(self):
        for name in ("first", "second"):
            (self.folder / name).mkdir()
            (self.folder / name / "mine.safetensors").touch()
        (self.folder / "first/.hidden.safetensors").touch()
        with mock.patch.dict(os.environ, {"SEGNET_MODELS": f"{self.folder}/first:{self.folder}/second"}):
            words = ["--output", "x", "--model", "mine", "--teacher", "segnet-streets", "--encoder", "some/vgg16.safetensors"]
            recipe = resolved(parser().parse_args(words))
            self.assertEqual(recipe.model, f"{self.folder}/first/mine.safetensors")
            self.assertEqual(recipe.teacher.model, str(ROOT / "Models/segnet-streets.safetensors"))
            self.assertEqual(recipe.encoder, "some/vgg16.safetensors")
            there = ("There are bayesian-segnet-camvid, mine, segnet-basic-camvid, segnet-camvid, segnet-indoor, segnet-streets, "
                     "segnet-streets-small.")
            self.assert_user_error(
                f"segnet-street: is neither a file nor a bundled model. Did you mean 'segnet-streets'? {there}",
                resolved, parser().parse_args(["--output", "x", "--model", "segnet-street"]))
            self.assert_user_error(
                f"teacher: xyzzy: is neither a file nor a bundled model. {there}",
                resolved, parser().parse_args(["--output", "x", "--teacher", "xyzzy"]))

    def test_every_setting_is_known_with_its_default(self):
        """Against the tables that `segnet recipe explain --markdown` prints."""
        groups = {"Settings": Recipe()}
        for entry in fields(Recipe):
            groups[f"`{key_of(entry)}`"] = getattr(Recipe(), entry.name)
        groups |= {"`datasets`": DatasetEntry(), "`phases`": Phase(), "`teacher`": Teacher()}
        found = 0
        for section in re.split(r"^##+ ", (ROOT / "docs/recipes.md").read_text(), flags=re.MULTILINE)[1:]:
            group = groups[section.split("\n")[0]]
            several = [group, Multiplier()] if group == Multipliers() else [group]
            known = {key_of(entry): getattr(one, entry.name) for one in several for entry in fields(one)}
            for key, default in re.findall(r"^\| `([^`]+)` \| .* \| ([^|]+) \| [^|]+ \|$", section, flags=re.MULTILINE):
                with self.subTest(section=section.split("\n")[0], key=key):
                    self.assertIn(key, known)
                    found += 1
                    default = yaml.safe_load(default)
                    if isinstance(default, (bool, int, float, list)) and known[key] is not None:
                        self.assertEqual(known[key], default)
        self.assertGreater(found, 80)

    def test_what_is_written_is_read(self):
        recipe = self.read("learning-rate: 1e-3\nmean: [123.68, 1, 2]\naugmentation: {scale: [5e-1, 2], crop: [32, 24]}\nmap: {7: Road}")
        self.assertEqual(recipe.learning_rate, 0.001)
        self.assertEqual(recipe.map, {"7": "Road"})
        self.assertEqual(self.read(recipe.text()), recipe)

    def test_numbers_as_swift_writes_them(self):
        self.assertEqual(self.read("average: 9e-1\nlearning-rate: 2e-3\noptimizer: {epsilon: 1e-08}").average, 0.9)

    def test_unknown_settings_are_named_with_the_closest(self):
        self.refuses("learnin-rate: 1", "recipe.yaml: 'learnin-rate' is not a setting of a training. Did you mean 'learning-rate'? "
                     "docs/recipes.md lists all.")
        self.refuses("optimizer: {clip: 1}", "recipe.yaml: 'optimizer.clip' is not a setting of a training. There are kind, momentum, beta1, "
                     "beta2, epsilon, weight-decay, clip-norm.")
        self.refuses("schedule: {gama: 1}", "recipe.yaml: 'schedule.gama' is not a setting of a training. Did you mean 'gamma'? There are "
                     "kind, gamma, every, power, final, start, peak, warm-up.")

    def test_entries_of_lists_count_from_1(self):
        self.refuses(
            "datasets:\n- {kind: camvid}\n- {kind: camvid, labeled: [Road]}",
            "recipe.yaml: 'datasets, entry 2: labeled' is not a setting of a training. Did you mean 'labelled'? There are kind, data, train, "
            "val, share, labelled, colored, ignore, label-offset, label-suffix, unlabelled, map, classes, count.")
        self.refuses("datasets:\n- {kind: camvid, ignore: [1, x]}",
                     "recipe.yaml: 'datasets, entry 1: ignore, entry 2': needs a whole number; found x.")
        self.refuses("phases:\n- 7", "recipe.yaml: 'phases, entry 1': needs settings with values (\"name: value\" on each line); found 7.")

    def test_wrong_values_are_named(self):
        self.refuses("batch-size: many", "recipe.yaml: 'batch-size': needs a whole number; found many.")
        self.refuses("batch-size: 0", "batch-size: needs 1...4096; found 0.")
        self.refuses("freeze: conv1", "recipe.yaml: 'freeze': needs a list; found conv1.")
        self.refuses(
            "schedule: {kind: onecycle}",
            "recipe.yaml: 'schedule.kind' needs one of constant, step, poly, cosine, one-cycle; found 'onecycle'. Did you mean 'one-cycle'?")
        self.refuses("augmentation: {scale: [2, 1]}",
                     "augmentation.scale: needs two factors [least, greatest] above 0 and up to 16; found [2.0, 1.0].")

    def test_what_it_cannot_follow_is_refused_by_name(self):
        self.refuses(
            "dataset: synthetic",
            "synthetic: streets are rendered by the Swift command alone; 'segnet dataset synthesize' writes them into a folder, which is read "
            "with --dataset folder.")
        self.refuses("folds: 5", "folds: this program does not divide a data set; leave it out, or use 'segnet train'.")
        self.refuses("label-suffix: _m", "label-suffix: this program does not know it; leave it out, or use 'segnet train'.")
        self.refuses(
            "inputs: [rgb, depth]",
            "inputs: this program trains on colour pictures (rgb) alone; found rgb, depth. 'segnet train' takes other channels.")

    def test_what_does_nothing_here_is_said(self):
        self.assertEqual(
            self.read("storage: float16").notes(),
            ["storage: speaks of the CPU's engine and does nothing here; how maps are stored follows from --precision."])

    def test_several_data_sets_stand_alone(self):
        self.refuses(
            "dataset: camvid\ndatasets:\n- {kind: camvid}",
            "recipe.yaml: 'dataset' cannot be used with 'datasets'; set it in the entries of 'datasets', or remove 'datasets'.")
        self.refuses(
            "datasets:\n- {kind: camvid}\nphases:\n- {from: 0.5, shares: [1, 2]}",
            "phases, entry 1: shares: needs one number for each of the 1 data sets; found 2.")
        self.refuses(
            "datasets:\n- {kind: camvid, share: 1}\n- {kind: list, data: x}",
            "datasets, entry 2 (x): give all entries a share, or none of them (then each counts by its number of pictures).")
        self.refuses(
            "datasets:\n- {kind: camvid, share: 1e308}\n- {kind: list, data: x, share: 1e308}",
            "datasets, entry 1 (.): share: needs a number in 0...1000000; found 1e+308.")
        text = self.read("datasets:\n- {kind: camvid, share: 2, labelled: [Road], val: none}").text()
        self.assertEqual(
            yaml.safe_load(text)["datasets"],
            [{"kind": "camvid", "val": "none", "share": 2.0, "labelled": ["Road"]}])
        self.assertNotIn("train-split", text)

    def test_options_go_before_the_recipe(self):
        path = self.folder / "recipe.yaml"
        path.write_text("iterations: 7\nfreeze: [conv1]\nmap: {a: b}")
        words = ["--config", str(path), "--output", "x", "--epochs", "3", "--freeze", "conv2*", "--map", "c=void", "--crop", "32x24",
                 "--mean", "1,2,3"]
        recipe = resolved(parser().parse_args(words))
        self.assertEqual((recipe.epochs, recipe.iterations, recipe.freeze), (3.0, None, ["conv1", "conv2*"]))
        self.assertEqual((recipe.map, recipe.augmentation.crop, recipe.mean), ({"a": "b", "c": "void"}, [32, 24], [1, 2, 3]))
