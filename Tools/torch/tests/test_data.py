"""Data sets, labels, class weights, the order of pictures and their changes."""

from support import CLASSES, Case, needs_segnet, np, run_segnet, torch, write_streets  # first: it makes the package importable

import warnings

from PIL import Image

from segnet_torch import class_tables, class_weights, datasets, sources
from segnet_torch import labels as labels_
from segnet_torch.augmentation import Augmentation
from segnet_torch.examples import Example, SamplingAxis, read_example, resized
from segnet_torch.pictures import read_picture
from segnet_torch.pool import Phase, Pool, PoolOrder, SampleOrder, Source
from segnet_torch.random_numbers import RandomNumbers
from segnet_torch.recipe import Augmentation as Settings
from segnet_torch.recipe import DatasetEntry, Recipe


class ClassListTests(Case):
    def names(self, text):
        path = self.folder / "classes.txt"
        path.write_text(text)
        return class_tables.read_class_table(path).classes

    def test_a_heading_is_not_a_class(self):
        expected = f"{self.folder / 'classes.txt'}, line 2: 'name,r,g,b' looks like a heading, not a class; remove it, or begin it with '#'."
        self.assert_user_error(expected, self.names, "# CamVid\nname,r,g,b\nSky,1,2,3\n")
        self.assertEqual(len(self.names("Sky,1,2,3\nname r g b\n")), 2)

    def test_numbers_in_front_of_all_names_are_refused(self):
        for text, first in (("0 Sky\n1 Road", "0 Sky"), ("1: Sky 1 2 3\n2: Road 3 4 5", "1: Sky"), ("7) a\n8) b", "7) a")):
            expected = (f"{self.folder / 'classes.txt'}: '{first}' begins with a number, as all classes here do. A class's number is its place "
                        "in the list, from 0, and its line is its name; remove the numbers.")
            self.assert_user_error(expected, self.names, text)
        for text in ("2 wheels\n4 wheels", "0 Sky", "1 a\nb", "12\n13"):
            self.assertEqual(len(self.names(text)), len(text.splitlines()))


class RandomNumberTests(Case):
    def test_is_splitmix64(self):
        """The reference numbers of the algorithm's authors."""
        numbers = RandomNumbers(1234567)
        self.assertEqual([numbers.next() for _ in range(3)], [6457827717110365317, 3203168211198807973, 9817491932198370423])
        self.assertEqual(RandomNumbers(1234567).many(3).tolist(), [6457827717110365317, 3203168211198807973, 9817491932198370423])

    def test_many_are_those_that_come_one_by_one(self):
        one, many = RandomNumbers(5, 7), RandomNumbers(5, 7)
        self.assertEqual([one.uniform() for _ in range(9)], many.uniforms(9).tolist())
        self.assertEqual(one.next(), many.next())

    def test_shuffles_keep_everything(self):
        self.assertEqual(sorted(RandomNumbers(3).shuffled(50)), list(range(50)))


class DatasetTests(Case):
    def test_every_tenth_picture_becomes_validation(self):
        dataset = datasets.load("folder", write_streets(self.folder / "streets", 20))
        self.assertEqual([sample.name for sample in dataset.samples("val")], ["009", "019"])
        self.assertEqual(len(dataset.samples("train")), 18)
        self.assertEqual(dataset.classes, tuple(CLASSES))

    def test_other_shares_are_evenly_spread(self):
        folder = write_streets(self.folder / "streets", 10)
        for share, expected in (
                (0, []), (0.05, [9]), (0.2, [4, 9]), (0.3, [3, 6, 9]), (0.75, [1, 2, 3, 5, 6, 7, 9]), (1 - 1e-7, range(1, 10))):
            splits = datasets.load("folder", folder, validation_share=share).splits
            self.assertEqual([int(sample.name) for sample in splits.get("val", [])], list(expected), share)
            self.assertEqual(len(splits["train"]), 10 - len(expected), share)

    def test_no_picture_is_taken_away_for_another_validation(self):
        folder = write_streets(self.folder / "streets", 10)
        for split, expected in (("none", (10, 0)), ("train", (10, 10)), ("val", (9, 1))):
            pool, validation = sources.load(Recipe(dataset="folder", data=str(folder), validation_split=split))
            self.assertEqual((pool.count, len(validation)), expected, split)
        self.assert_user_error(
            "validation-split: data set 'streets' has no split 'test'; it has train. Give one of these or 'none', or leave it out.",
            sources.load, Recipe(dataset="folder", data=str(folder), validation_split="test"))

    def test_pictures_of_other_formats_are_named(self):
        folder = write_streets(self.folder / "streets", 3)
        for name in ("001.webp", "002.TIF", "003.heic"):
            (folder / "images" / name).touch()
            self.assert_user_error(
                f"{folder}/images/{name}: this program reads PNG and JPEG; convert it first.", datasets.load, "folder", folder)
            (folder / "images" / name).unlink()

    def test_jpegs_are_turned_as_their_cameras_were_held(self):
        pixels = np.zeros((8, 16, 3), np.uint8)
        pixels[:, :8] = 255  # white on the left
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned clockwise
        for name, shape in (("a.jpg", (16, 8, 3)), ("a.png", (8, 16, 3))):
            Image.fromarray(pixels).save(self.folder / name, exif=exif)
            found = read_picture(self.folder / name)
            self.assertEqual(found.shape, shape)
            self.assertTrue((found[:8, :8] > 250).all() and (found[-8:, -8:] < 5).all(), name)

    def test_labels_are_read_as_they_stand_in_their_files(self):
        for bits, mode in ((1, "1"), (8, "L"), (8, "P")):
            path = self.folder / f"{mode}{bits}.png"
            numbers = np.array([[0, 1], [1, 0]], np.uint8)
            image = Image.fromarray(numbers) if mode != "1" else Image.fromarray(numbers * 255).convert("1")
            if mode == "P":
                image = Image.fromarray(numbers, "P")
                image.putpalette([9, 9, 9, 200, 0, 0])
            image.save(path)
            self.assertEqual(labels_.label_numbers(path).tolist(), [[0, 1], [1, 0]], mode)

    def test_painted_labels(self):
        folder = write_streets(self.folder / "streets", 2)
        (folder / "classes.txt").write_text("sky 1 2 3\nwall 4 5 6\nground 7 8 9\nvoid 0 0 0\n")
        colors = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]], np.uint8)
        for path in (folder / "labels").iterdir():
            numbers = np.asarray(Image.open(path))
            Image.fromarray(colors[np.where(numbers == 255, 3, numbers)]).save(path)
        dataset = datasets.load("folder", folder, colored=True)
        plain = datasets.load("folder", write_streets(self.folder / "plain", 2))
        self.assertTrue((dataset.labels(folder / "labels/000.png") == plain.labels(self.folder / "plain/labels/000.png")).all())
        (folder / "classes.txt").write_text("sky 1 2 3\nwall 4 5 6\nground 1 2 3\n")
        self.assert_user_error(
            f"{folder}: the classes 'sky' and 'ground' have the same colour (1, 2, 3), so they cannot be told apart in painted labels; give "
            "each a different colour (--classes).", datasets.load, "folder", folder, colored=True)

    def test_camvid_s_32_colours_are_grouped(self):
        folder = self.folder / "camvid"
        folder.mkdir()
        colors = np.array([[[64, 0, 128], [128, 0, 192], [0, 0, 0], [192, 0, 128]]], np.uint8)  # Car, LaneMkgsDriv, Void, Archway
        Image.fromarray(colors).save(folder / "a_L.png")
        Image.fromarray(colors).save(folder / "a.png")
        (folder / "train.txt").write_text("/SegNet/CamVid/a.png /SegNet/CamVid/a_L.png\n")
        for kind, expected in (("camvid", [8, 3, 255, 1]), ("camvid12", [9, 3, 255, 1])):
            dataset = datasets.load(kind, folder)
            self.assertEqual(dataset.labels(dataset.samples("train")[0].label).tolist(), [expected], kind)

    def test_labels_that_mean_something_else(self):
        folder = write_streets(self.folder / "streets", 2)
        dataset = datasets.load("folder", folder, changes={"sky": "wall", "wall": "void"}, ignored=[2])
        plain = datasets.load("folder", folder).labels(folder / "labels/000.png")
        changed = dataset.labels(folder / "labels/000.png")
        self.assertEqual(np.unique(changed[plain == 0]).tolist(), [1])
        self.assertEqual(np.unique(changed[plain != 0]).tolist(), [labels_.IGNORED])
        datasets.load("folder", folder, changes={"sky": "wall", "0": "1"})
        self.assert_user_error(
            "--map sky=wall: '0=ground' gives the label 0 another meaning; leave one of them out.",
            datasets.load, "folder", folder, changes={"sky": "wall", "0": "ground"})

    def test_labels_that_count_from_one(self):
        folder = write_streets(self.folder / "streets", 1)
        plain = datasets.load("folder", folder).labels(folder / "labels/000.png")
        Image.fromarray((plain + 1).astype(np.uint8)).save(folder / "labels/000.png")
        shifted = datasets.load("folder", folder, offset=-1).labels(folder / "labels/000.png")
        self.assertTrue((shifted == plain).all())
        Image.fromarray(np.zeros_like(plain, np.uint8)).save(folder / "labels/000.png")
        self.assertTrue((datasets.load("folder", folder, offset=-1).labels(folder / "labels/000.png") == labels_.IGNORED).all())
        self.assert_user_error(
            "label-offset -1: is below 0, and for labels with numbers of the data sets 'folder' and 'list'.",
            datasets.load, "folder", folder, offset=-1, colored=True)
        (folder / "classes.txt").write_text("".join(f"class{number}\n" for number in range(255)))
        Image.fromarray(np.array([[0, 1, 255]], np.uint8)).save(folder / "labels/000.png")
        last = datasets.load("folder", folder, offset=-1).labels(folder / "labels/000.png")
        self.assertEqual(last.tolist(), [[labels_.IGNORED, 0, 254]])

    def test_what_is_wrong_is_named(self):
        folder = write_streets(self.folder / "streets", 2)
        Image.fromarray(np.full((40, 48), 9, np.uint8)).save(folder / "labels/001.png")
        dataset = datasets.load("folder", folder)
        self.assert_user_error(
            f"{folder}/labels/001.png: has the label 9 at x 0, y 0 (1920 pixels), but the classes are 0...2; map "
            "it (--map 9=CLASS) or ignore it (--ignore 9).", dataset.labels, f"{folder}/labels/001.png")
        Image.fromarray(np.zeros((4, 4), np.uint8)).save(folder / "labels/000.png")
        sample = datasets.Sample(f"{folder}/images/000.png", f"{folder}/labels/000.png")
        self.assert_user_error(
            f"{folder}/labels/000.png: is 4x4, but its picture {folder}/images/000.png is 48x40; labels must have the picture's size. Export them "
            "again.", read_example, dataset, sample)
        (folder / "labels/000.png").unlink()
        self.assert_user_error(
            f"{folder}/images/000.png: has no label of the same name in {folder}/labels; add it, or take the picture away.",
            datasets.load, "folder", folder)
        self.assert_user_error(
            "--map sky=heaven: there is no class 'heaven'; the classes are sky, wall, ground.",
            datasets.load, "folder", write_streets(self.folder / "other", 2), changes={"sky": "heaven"})

    @needs_segnet
    def test_class_weights_are_the_package_s(self):
        folder = write_streets(self.folder / "streets", 15)
        text = run_segnet("dataset", "weights", "--dataset", "folder", "--data", folder)
        theirs = {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if line and not line.startswith("#")}
        recipe = Recipe(dataset="folder", data=str(folder))
        pool, _ = sources.load(recipe)
        ours, _ = class_weights.of_recipe(recipe, pool, [1.0], lambda function, items: map(function, items))
        for name, weight in zip(CLASSES, ours):
            self.assertAlmostEqual(weight, theirs[name], delta=2e-4 * weight)


    def test_pictures_are_read_without_a_warning(self):
        """PyTorch warns of arrays that cannot be written."""
        folder = write_streets(self.folder / "streets", 3)
        Image.open(folder / "images/001.png").convert("L").save(folder / "images/001.png")
        Image.fromarray(np.arange(48 * 40, dtype=np.uint16).reshape(40, 48)).save(folder / "images/002.png")
        for size in (None, [24, 20]):
            dataset = datasets.load("folder", folder, size=size, validation_share=0)
            for sample in dataset.samples("train"):
                example = read_example(dataset, sample)
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    torch.from_numpy(example.pixels)
                    torch.from_numpy(example.labels)
                self.assertTrue(example.pixels.flags.writeable and example.labels.flags.writeable)


class PoolTests(Case):
    def pool(self, counts, shares, phases=(), named=None):
        return Pool([Source(None, list(range(count)), share) for count, share in zip(counts, shares)], list(phases))

    def test_a_single_source_goes_through_shuffled_passes(self):
        order = PoolOrder(self.pool([5], [1]), 3)
        found = [order[place] for place in range(10)]
        plain = SampleOrder(5, 3)
        self.assertEqual(found, [(0, plain[place]) for place in range(10)])
        self.assertEqual(sorted(number for _, number in found[5:]), list(range(5)))

    def test_shares_hold_in_each_batch_and_change_with_the_phase(self):
        order = PoolOrder(self.pool([7, 9], [0.75, 0.25], [Phase(16, [0, 1])]), 1)
        found = [order[place][0] for place in range(24)]
        self.assertEqual([found[start : start + 4].count(1) for start in range(0, 16, 4)], [1, 1, 1, 1])
        self.assertEqual(found[16:], [1] * 8)

    def test_places_are_a_function_of_the_seed(self):
        pool = self.pool([7, 9], [2, 1], [Phase(10, [1, 1])])
        ahead, back = PoolOrder(pool, 1), PoolOrder(pool, 1)
        found = [ahead[place] for place in range(30)]
        self.assertEqual([back[place] for place in reversed(range(30))], found[::-1])

    def test_representatives_are_mixed_as_batches_are(self):
        pool = self.pool([100, 10], [0.25, 0.75])
        for number in (None, 8, 60):
            chosen = pool.representatives(number, 0)
            self.assertEqual([[source for source, _ in chosen[start : start + 4]].count(0) for start in range(0, len(chosen) - 3, 4)],
                             [1] * (len(chosen) // 4))
        self.assertEqual(len(pool.representatives(None, 0)), 110)
        # Tests/SegNetDataTests/DatasetPoolTests.swift has the same line.
        self.assertEqual(self.pool([5, 3], [1, 1]).representatives(None, 0),
                         [(0, 2), (1, 0), (0, 0), (1, 1), (0, 1), (1, 2), (0, 3), (1, 1)])
        for counts in ([100], [30, 20, 7]):
            chosen = self.pool(counts, counts).representatives(None, 0)
            self.assertEqual(sorted(chosen), [(source, number) for source, count in enumerate(counts) for number in range(count)])
            self.assertNotEqual([number for source, number in chosen if source == 0], list(range(counts[0])))

    def test_statistics_normalise_pictures_of_one_size_together(self):
        from types import SimpleNamespace

        from segnet_torch import statistics

        def batches(sizes, size):
            examples = [SimpleNamespace(size=size, number=number) for number, size in enumerate(sizes)]
            return [[example.number for example in batch] for batch in statistics._batches(iter(examples), len(examples), size)]

        self.assertEqual(batches("aaaaaaaaaa", 4), [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]])
        self.assertEqual(batches("abababab", 4), [[0, 2, 4, 6], [1, 3, 5, 7]])
        self.assertEqual(batches("abcdefghab", 2)[:2], [[0], [1]])  # eight wait, and are enough

    def test_class_weights_count_data_sets_by_share_whatever_their_sizes(self):
        def frequencies(times, *pictures):
            found = class_weights.Frequencies(3)
            for labels in pictures:
                found.add(np.repeat(np.array(labels), times))
            return found

        first, labels = frequencies(1, [0, 0, 0, 1], [0, 0, 1, 2]), ([0, 0, 0, 0], [0, 0, 0, 2], [0, 0, 0, 0], [0, 0, 1, 1])
        plain, large = (class_weights.of_pool([(first, 0.3, None), (frequencies(times, *labels), 0.7, None)]) for times in (1, 16))
        np.testing.assert_allclose(plain, large)

    def test_data_sets_of_a_recipe(self):
        for name in ("a", "b"):
            write_streets(self.folder / name, 12)
        recipe = Recipe(datasets=[
            DatasetEntry(kind="folder", data=str(self.folder / "a")),
            DatasetEntry(kind="folder", data=str(self.folder / "b"), labelled=["sky", "ground"])])
        pool, validation = sources.load(recipe)
        self.assertEqual([len(source.samples) for source in pool.sources], [11, 12])
        self.assertEqual([source.named for source in pool.sources], [None, [0, 2]])
        self.assertEqual([source for source, _ in validation], [0])
        for vals, expected in ((["none", None], []), ([None, "none"], [0]), ([None, "val"], [1]), (["none", "none"], []), (["val", None], [0])):
            for entry, val in zip(recipe.datasets, vals):
                entry.validation = val
            self.assertEqual([source for source, _ in sources.load(recipe)[1]], expected, vals)
        recipe.datasets[1].validation = None
        recipe.datasets[1].labelled = ["sea"]
        self.assert_user_error(
            f"datasets, entry 2 ({self.folder}/b): labelled: there is no class 'sea'. The classes are sky, wall, ground.", sources.load, recipe)


def augmented(settings, examples, places):
    make = Augmentation(settings, 1, torch.device("cpu"))
    return make(make.prepare(examples, places))


class AugmentationTests(Case):
    def example(self, size=(9, 7)):
        random = np.random.default_rng(1)
        return Example(random.integers(0, 256, (size[1], size[0], 3), np.uint8), random.integers(0, 3, (size[1], size[0]), np.uint8))

    def test_nothing_asked_nothing_changed(self):
        example = self.example()
        pixels, labels = augmented(Settings(), [example], [0])
        self.assertTrue((pixels[0].permute(1, 2, 0).flip(2).numpy() == example.pixels).all())
        self.assertTrue((labels[0].numpy() == example.labels).all())

    def test_a_crop_is_a_part_of_the_picture(self):
        example = self.example()
        pixels, labels = augmented(Settings(crop=[4, 3]), [example], [5])
        found = pixels[0].permute(1, 2, 0).flip(2).numpy()
        places = [(y, x) for y in range(5) for x in range(6) if (example.pixels[y : y + 3, x : x + 4] == found).all()]
        self.assertEqual(len(places), 1)
        y, x = places[0]
        self.assertTrue((labels[0].numpy() == example.labels[y : y + 3, x : x + 4]).all())

    def test_what_lies_outside_is_black_and_ignored(self):
        pixels, labels = augmented(Settings(crop=[20, 7]), [self.example()], [5])
        outside = labels[0] == labels_.IGNORED
        self.assertEqual(int(outside.sum()), 11 * 7)
        self.assertEqual(float(pixels[0][:, outside].abs().max()), 0)

    def test_the_draws_belong_to_the_place(self):
        settings = Settings(flip=True, scale=[0.5, 2], crop=[6, 5], brightness=0.3, hue=20, blur=0.5, noise=5)
        both = augmented(settings, [self.example(), self.example((5, 12))], [3, 4])
        alone = augmented(settings, [self.example((5, 12))], [4])
        self.assertTrue(torch.equal(both[0][1], alone[0][0]) and torch.equal(both[1][1], alone[1][0]))

    def test_turning_hues_leaves_greys(self):
        gray = Example(np.arange(48, dtype=np.uint8).repeat(3).reshape(6, 8, 3), np.zeros((6, 8), np.uint8))
        pixels, _ = augmented(Settings(hue=90), [gray], [2])
        self.assertTrue((pixels[0].permute(1, 2, 0).numpy() == gray.pixels).all())

    def test_resizing_to_the_same_size_changes_nothing(self):
        example = self.example()
        self.assertTrue((resized(example, 9, 7).pixels == example.pixels).all())
        self.assertEqual(SamplingAxis(4, 8, 2.0).nearest.tolist(), [1, 3, 5, 7])

    def flat(self, color, size=(12, 10)):
        return Example(np.full((size[1], size[0], 3), color, np.uint8), np.zeros((size[1], size[0]), np.uint8))

    def test_turning_by_nothing_is_cropping(self):
        straight = augmented(Settings(flip=True, scale=[0.8, 1.4], crop=[8, 6]), [self.example((20, 15))] * 4, [1, 2, 3, 4])
        turned = augmented(Settings(flip=True, scale=[0.8, 1.4], crop=[8, 6], rotation=1e-9), [self.example((20, 15))] * 4, [1, 2, 3, 4])
        self.assertLess(float((straight[0] - turned[0]).abs().max()), 2)
        self.assertGreater(float((straight[1] == turned[1]).float().mean()), 0.98)

    def test_corners_from_beyond_the_picture_are_black_and_ignored(self):
        pixels, labels = augmented(Settings(rotation=45), [self.flat((90, 90, 90))] * 3, [1, 2, 3])
        outside = labels == labels_.IGNORED
        self.assertTrue(bool(outside.any()) and bool((~outside).any()))
        self.assertEqual(float(pixels.sum(1)[outside].max()), 0)
        self.assertEqual(float(pixels.permute(0, 2, 3, 1)[~outside].min()), 90)

    def test_erased_rectangles_lose_their_labels(self):
        example = self.flat((90, 90, 90), (60, 40))
        pixels, labels = augmented(Settings(erase=1), [example] * 8, range(8))
        ignored = labels == labels_.IGNORED
        self.assertEqual(float(pixels.permute(0, 2, 3, 1)[~ignored].min()), 90)
        shares = ignored.float().mean((1, 2))
        self.assertGreater(float(shares.min()), 0.01)
        self.assertLess(float(shares.max()), 0.46)
        self.assertEqual(int((augmented(Settings(erase=0.0), [example], [0])[1] == labels_.IGNORED).sum()), 0)

    def test_light(self):
        blue, green, red = augmented(Settings(temperature=0.5), [self.flat((100, 100, 100))] * 6, range(6))[0][:, :, 0, 0].T
        self.assertTrue(bool((green == 100).all()))
        self.assertTrue(bool((((red > 100) & (blue < 100)) | ((red <= 100) & (blue >= 100))).all()))
        self.assertLess(float((red * blue - 100 * 100).abs().max()), 150)
        bent = augmented(Settings(gamma=1), [self.flat((0, 100, 255))] * 6, range(6))[0][:, :, 0, 0]
        self.assertTrue(bool((bent[:, 0] == 255).all()) and bool((bent[:, 2] == 0).all()))
        self.assertGreater(len(set(bent[:, 1].tolist())), 3)

    def test_some_lose_their_colours(self):
        pixels, _ = augmented(Settings(gray=0.5), [self.example()] * 12, range(12))
        is_gray = (pixels == pixels[:, :1]).all(3).all(2).all(1)
        self.assertTrue(0 < int(is_gray.sum()) < 12)

    def test_blur_by_radius_keeps_what_is_flat(self):
        flat, _ = augmented(Settings(blur=1, blur_radius=4), [self.flat((7, 130, 255))], [3])
        self.assertTrue(bool((flat[0].permute(1, 2, 0).flip(2) == torch.tensor([7.0, 130, 255])).all()))
        example = self.example((40, 30))
        blurred, _ = augmented(Settings(blur=1, blur_radius=2), [example], [3])
        self.assertLess(float(blurred.std()), 0.7 * example.pixels.std())
        self.assertLess(abs(float(blurred.mean()) - example.pixels.mean()), 3)

    def test_jpeg_changes_a_little(self):
        example = resized(self.example((6, 5)), 48, 40)
        pixels, labels = augmented(Settings(jpeg=1, jpeg_quality=[60, 90]), [example], [3])
        difference = np.abs(pixels[0].permute(1, 2, 0).flip(2).numpy() - example.pixels)
        self.assertTrue(0 < difference.mean() < 15)
        self.assertTrue((labels[0].numpy() == example.labels).all())
