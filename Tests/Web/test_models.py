"""Changing the model, and models that can be sampled."""

from playwright.sync_api import expect

import pictures


def test_another_model_segments_the_same_photo(demo):
    demo.drop_sample()
    demo.page.locator("#model").select_option("tones")
    expect(demo.entries).to_have_count(3)
    demo.wait_for_result()
    assert set(demo.shares()) == {"Shadow", "Middle", "Light"}
    demo.page.locator("#model").select_option("segnet-basic-camvid")
    expect(demo.entries).to_have_count(11)
    demo.wait_for_result()
    assert list(demo.shares())[0] == "Building"


def test_without_a_photo_the_legend_lists_what_the_model_knows(demo):
    demo.open_empty()
    demo.page.locator("#model").select_option("tones")
    expect(demo.entries).to_have_count(3)
    expect(demo.entries.first).to_be_disabled()


def test_help_describes_the_model(demo):
    demo.page.get_by_role("button", name="Help").click()
    about = demo.page.locator("#about-model")
    expect(about).to_contain_text("SegNet-Basic, CamVid")
    expect(about).to_contain_text("segnet-basic-camvid")
    expect(about).to_contain_text("480 x 360")
    demo.page.keyboard.press("Escape")
    expect(about).to_be_hidden()


def test_models_have_names_that_people_write(demo):
    options = demo.page.locator("#model option")
    titles = dict(options.evaluate_all("all => all.map(({value, textContent}) => [value, textContent])"))
    assert titles["segnet-basic-camvid"] == "SegNet-Basic, CamVid"
    assert titles["segnet-streets"] == "SegNet, streets"
    assert titles["segnet-streets-small"] == "SegNet, streets (small)"
    assert titles["bayesian-segnet-camvid"] == "Bayesian, with uncertainty"
    assert titles["tones"] == "tones"


def test_uncertainty_changes_to_a_model_that_can_be_sampled_and_back(demo):
    demo.drop_sample()
    with demo.page.expect_request(lambda request: "samples=10" in request.url) as asked:
        demo.choose_view("Uncertainty")
    demo.wait_for_result()
    assert "model=tones" in asked.value.url
    expect(demo.page.locator("#model")).to_have_value("tones")
    expect(demo.page.locator("#scale")).to_contain_text("samples differ")
    demo.choose_view("Overlay")
    expect(demo.page.locator("#model")).to_have_value("segnet-basic-camvid")
    expect(demo.entries).to_have_count(11)
    demo.wait_for_result()
    assert list(demo.shares())[0] == "Building"


def test_uncertainty_shows_where_samples_differ(demo):
    demo.page.locator("#model").select_option("tones")
    demo.drop(("bands.png", "image/png", pictures.encoded(pictures.three_bands(), "PNG")))
    demo.wait_for_result()
    with demo.page.expect_request(lambda request: "samples=10" in request.url):
        demo.choose_view("Uncertainty")
    demo.wait_for_result()
    expect(demo.page.locator("#scale")).to_contain_text("samples differ")
    demo.set_opacity(100)
    # Dropout takes nothing from black: its samples agree. On gray and white they do not.
    dark = sum(demo.pixel(0.16, 0.5))
    assert dark < sum(demo.pixel(0.5, 0.5)) or dark < sum(demo.pixel(0.83, 0.5))
    demo.point_at(0.16, 0.5)
    expect(demo.readout.locator(".readout-value")).to_contain_text("uncertainty 0 %")

    with demo.page.expect_request(lambda request: "samples=20" in request.url):
        demo.page.locator("#sample-count").select_option("20")
    demo.wait_for_result()
    assert demo.page.locator("input[value=uncertainty]").is_checked()


def test_a_model_without_samples_returns_to_the_overlay(demo):
    demo.page.locator("#model").select_option("tones")
    demo.drop_sample()
    demo.choose_view("Uncertainty")
    demo.wait_for_result()
    demo.page.locator("#model").select_option("segnet-basic-camvid")
    expect(demo.entries).to_have_count(11)
    demo.wait_for_result()
    assert demo.page.locator("input[value=overlay]").is_checked()
    expect(demo.page.locator("#samples-field")).to_be_hidden()
