"""The colours to look at: neighbours differ in contrast, and no two classes look alike, with any of four kinds of sight."""

import itertools

import pytest

# Classes that touch in streets: at least a tenth of the border of one of the two, in CamVid's 367 training label maps; and
# pedestrians on roads.
NEIGHBOURS = """
    tree-sky pole-building pavement-road building-sky car-road signsymbol-building tree-building tree-pole pole-sky car-building
    pedestrian-building pavement-building signsymbol-tree pedestrian-pavement signsymbol-pole fence-building fence-tree
    fence-pavement bicyclist-road bicyclist-building bicyclist-pavement bicyclist-car pedestrian-road
""".split()
LEAST_CONTRAST = 2
LEAST_DISTANCE = 0.11

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1,
# on linear RGB.
SIGHTS = {
    "full": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# OKLab, https://bottosson.github.io/posts/oklab/
TO_LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def times(matrix, vector):
    return [sum(factor * value for factor, value in zip(row, vector)) for row in matrix]


def linear(color):
    values = [int(color[index : index + 2], 16) / 255 for index in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def seen(color, sight):
    return [min(max(value, 0), 1) for value in times(SIGHTS[sight], linear(color))]


def contrast(one, other):
    """The ratio of WCAG 2."""
    levels = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05 for r, g, b in (linear(one), linear(other)))
    return levels[1] / levels[0]


def distance(one, other, sight):
    labs = [times(TO_OKLAB, [value ** (1 / 3) for value in times(TO_LMS, seen(color, sight))]) for color in (one, other)]
    return sum((a - b) ** 2 for a, b in zip(*labs)) ** 0.5


@pytest.fixture
def colors(demo):
    """The colours that the legend shows, by class."""
    entries = demo.page.evaluate(
        """async () => {
          const {models} = await (await fetch("/v1/models")).json();
          const {withDisplayColors} = await import("/assets/display-palette.js");
          return withDisplayColors(models.find(({name}) => name === "segnet-basic-camvid").classes);
        }"""
    )
    return {entry["name"].lower(): entry["color"] for entry in entries}


def test_neighbours_differ_in_contrast(colors):
    assert len(colors) == 11
    for pair in NEIGHBOURS:
        one, other = pair.split("-")
        assert contrast(colors[one], colors[other]) >= LEAST_CONTRAST, pair


@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_classes_look_alike(colors, sight):
    for one, other in itertools.combinations(colors, 2):
        assert distance(colors[one], colors[other], sight) >= LEAST_DISTANCE, f"{one} and {other}"


def test_the_check_finds_fault_with_the_colours_of_the_data_set(demo):
    """In CamVid's own colours a car is hardly told from a road."""
    camvid = {"road": "#804080", "car": "#400080", "building": "#800000", "pedestrian": "#404000"}
    assert contrast(camvid["road"], camvid["car"]) < LEAST_CONTRAST
    assert distance(camvid["building"], camvid["pedestrian"], "protanopia") < LEAST_DISTANCE


def test_the_legend_and_the_picture_show_them_and_the_data_sets_are_one_click_away(demo, colors):
    demo.drop_sample()
    demo.set_opacity(100)
    swatch = demo.entry("Building").locator(".swatch")
    assert demo.pixel(0.1, 0.2) == [107, 75, 60]
    assert swatch.evaluate("item => getComputedStyle(item).backgroundColor") == "rgb(107, 75, 60)"
    demo.page.get_by_role("button", name="Data set's colours").click()
    demo.settle()
    assert demo.pixel(0.1, 0.2) == [128, 0, 0]
    assert swatch.evaluate("item => getComputedStyle(item).backgroundColor") == "rgb(128, 0, 0)"
    demo.page.get_by_role("button", name="Data set's colours").click()
    demo.settle()
    assert demo.pixel(0.1, 0.2) == [107, 75, 60]


def test_regions_have_thin_outlines(demo):
    demo.drop_sample()
    demo.set_opacity(100)
    white = demo.page.locator("#picture").evaluate(
        """(canvas) => {
          const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let bright = 0;
          for (let index = 0; index < data.length; index += 4) bright += Math.min(data[index], data[index + 1], data[index + 2]) > 190;
          return bright / (data.length / 4);
        }"""
    )
    assert 0.001 < white < 0.05, "no class is that bright in all three channels: outlines are"
