"""The report in a browser: each control does what it says, by mouse and by keyboard."""

import shutil
from pathlib import Path

import pytest

from sr_bench.report.html.build import build_report
from tests.report.html.zoo import keep_images, past_session, records_of, squeezed, with_mae

THEMES = ["light", "dark"]
KINDS = [
    "index",
    "model-zoo-near",
    "model-zoo-status",
    "model-zoo-lost",
    "trend-zoo-near",
    "compare",
]

CONTRAST = """(selector) => {
  const canvas = document.createElement("canvas")
    .getContext("2d", { willReadFrequently: true });
  const parse = (text) => {
    canvas.fillStyle = text;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) =>
    0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const found = parse(getComputedStyle(at).backgroundColor);
      if (found[3] > 250) return found;
    }
    return [255, 255, 255, 255];
  };
  const contrast = (node) => {
    const both = [light(parse(getComputedStyle(node).color)), light(ground(node))];
    return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
  };
  return [...document.querySelectorAll(selector)]
    .filter((node) => node.checkVisibility())
    .map((node) => [contrast(node), node.outerHTML.slice(0, 90)]);
}"""

PRESSED = "a, button, input, select, summary, [role=group], [role=region], [role=img], table img"
"""What must have a name that can be read aloud."""

NAMELESS = """(selector) => [...document.querySelectorAll(selector)]
  .filter((node) => node.checkVisibility())
  .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim()))
  .filter((node) => !node.closest("label"))
  .map((node) => node.outerHTML.slice(0, 90))"""


def style(page, name: str) -> str:
    return page.evaluate(f"getComputedStyle(panes).getPropertyValue('{name}')").strip()


def zoom(page) -> tuple[float, float]:
    """Return the scale and the horizontal shift, in widths, that all layers share."""
    transform = page.evaluate(
        "[...document.querySelectorAll('.layer')].map((layer) => {"
        " const matrix = new DOMMatrix(getComputedStyle(layer).transform);"
        " return [matrix.a, matrix.e / layer.offsetParent.getBoundingClientRect().width]; })"
    )
    assert len(transform) == 8
    for layer in transform:
        assert layer == pytest.approx(transform[0], abs=0.01)
    return transform[0][0], transform[0][1]


def until(page, condition: str) -> None:
    """Wait for a condition on the page.

    Playwright's own way evaluates strings in the page, which the page's policy forbids.
    """
    page.evaluate(
        """(what) => new Promise((done, failed) => {
          const end = performance.now() + 15000;
          const look = () => {
            if (CONDITION) done();
            else if (performance.now() > end) failed(what);
            else setTimeout(look, 20);
          };
          look();
        })""".replace("CONDITION", f"({condition})"),
        condition,
    )


def explorer(show, page: str = "model-zoo-near", **how: object):
    shown = show(page, **how)
    shown.locator("#panes").scroll_into_view_if_needed()
    until(
        shown,
        "[...document.querySelectorAll('#panes img')].every((i) => i.complete && i.naturalWidth)",
    )
    return shown


def test_links_lead_from_the_matrix_to_a_model_to_its_trend_and_back(show) -> None:
    page = show()
    page.get_by_role("link", name="near", exact=True).click()
    assert page.locator("h1").inner_text() == "near"
    page.get_by_role("link", name="trends").click()
    assert page.locator("h1").inner_text() == "Trend of near"
    page.get_by_role("link", name="sr-bench").click()
    assert page.locator("h1").inner_text() == "Claimed and measured"


def test_the_filter_hides_models_and_says_how_many_are_left(show) -> None:
    page = show()
    page.get_by_role("searchbox").fill("status loss")
    rows = page.locator("tr.model:visible")
    assert rows.count() == 1
    assert page.locator("#shown").inner_text() == "1 of 15 rows"
    page.get_by_role("searchbox").fill("no such")
    page.get_by_role("button", name="Show all").click()
    assert rows.count() == 14


def test_a_status_filters_and_is_pressed_by_the_keyboard(show) -> None:
    page = show()
    page.get_by_role("button", name="known gap").focus()
    page.keyboard.press("Enter")
    assert page.locator("tr.model:visible a bdi").all_inner_texts() == ["status_known_gap"]
    page.keyboard.press("Space")
    assert page.locator("tr.model:visible").count() == 14
    page.get_by_role("button", name="not run").click()  # which opens what is folded
    assert page.locator("tr.model:visible a bdi").all_inner_texts() == ["status_not_run", "far"]


def test_the_metric_changes_what_cells_show(show) -> None:
    page = show()
    row = page.locator("tr.model", has_text="near")
    assert "0.8800" not in row.inner_text()
    page.get_by_role("button", name="SSIM").click()
    assert "0.8800" in row.inner_text()
    assert "30.0000" not in row.inner_text()


def test_the_theme_follows_the_system_and_is_remembered(show) -> None:
    page = show(theme="dark")
    root = page.locator("html")
    assert root.get_attribute("data-theme") == "dark"
    page.locator("#theme").click()
    assert root.get_attribute("data-theme") == "light"
    page.get_by_role("link", name="near", exact=True).click()
    page.wait_for_url("**/model-*")
    assert root.get_attribute("data-theme") == "light"


def test_all_panes_share_one_zoom(show) -> None:
    page = explorer(show)
    assert zoom(page) == (1, 0)
    page.locator('[data-pane="hr"]').focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert zoom(page) == pytest.approx((2.250, -0.625), abs=0.01)
    page.keyboard.press("ArrowRight")
    assert zoom(page) == pytest.approx((2.250, -0.725), abs=0.01)
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert zoom(page) == pytest.approx((2.250, -1.250), abs=0.01)
    page.keyboard.press("0")
    assert zoom(page) == (1, 0)


def test_the_wheel_zooms_around_the_pointer_once_a_pane_has_the_focus(show) -> None:
    page = explorer(show)
    view = page.locator('[data-pane="a"]')
    view.scroll_into_view_if_needed()
    box = view.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.wheel(0, -1)
    assert zoom(page) == (1, 0)
    view.focus()
    box = view.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.999, box["y"] + 5)
    page.mouse.wheel(0, -400)
    until(page, "explorer.scale > 2")
    assert page.evaluate("explorer.x + 1 / explorer.scale") == pytest.approx(1, abs=0.01)


def test_dragging_moves_all_panes(show) -> None:
    page = explorer(show)
    page.evaluate("zoomBy(4)")
    before = zoom(page)
    box = page.locator('[data-pane="b"]').bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 20, box["y"] + 60)
    page.mouse.up()
    assert zoom(page)[1] < before[1] - 0.05


def test_two_fingers_pinch_to_zoom(show) -> None:
    page = explorer(show)
    page.evaluate(
        """() => {
          const view = document.querySelector('[data-pane="a"]');
          // Invented pointers can't be captured.
          view.setPointerCapture = () => {};
          const box = view.getBoundingClientRect();
          const send = (kind, pointerId, at) => {
            const clientX = box.left + at * box.width;
            const clientY = box.top + box.height / 2;
            const given = { pointerId, button: 0, clientX, clientY, bubbles: true };
            view.dispatchEvent(new PointerEvent(kind, given));
          };
          send("pointerdown", 1, 0.4);
          send("pointerdown", 2, 0.6);
          send("pointermove", 2, 0.8);
        }"""
    )
    assert page.evaluate("explorer.scale") == pytest.approx(2)


def test_the_slider_cuts_between_a_and_b_by_keyboard_and_by_hand(show) -> None:
    page = explorer(show)
    clip = "getComputedStyle(document.querySelector('.over')).clipPath"
    assert "50%" in page.evaluate(clip)
    page.locator("#cut").focus()
    page.keyboard.press("Home")
    assert "100%" in page.evaluate(clip)
    page.keyboard.press("End")
    assert page.evaluate(clip) == "inset(0px)" or "0%" in page.evaluate(clip)
    box = page.locator('[data-pane="slider"]').bounding_box()
    page.locator(".divider").hover(force=True)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 50)
    page.mouse.up()
    assert float(page.locator("#cut").input_value()) == pytest.approx(25, abs=1)


def test_the_error_map_is_a_difference_of_two_images_made_brighter(show) -> None:
    page = explorer(show)
    assert style(page, "--gain") == "32"
    page.locator("[data-gain='4']").click()
    assert page.evaluate("getComputedStyle(document.querySelector('.difference')).filter") == (
        "brightness(4)"
    )
    source = "document.querySelector('[data-show=\"{}\"]').getAttribute('src')"
    assert page.evaluate(source.format("base")) == page.evaluate(source.format("a"))
    page.locator("#against").select_option("bh")
    assert page.evaluate(source.format("base")) == page.evaluate(source.format("hr"))
    assert page.evaluate(source.format("top")) == page.evaluate(source.format("b"))


def test_the_error_map_of_equal_images_is_black_and_of_others_is_not(show) -> None:
    page = explorer(show)

    def brightest() -> int:
        shot = page.locator('[data-pane="error"]').screenshot()
        import cv2
        import numpy as np

        return int(cv2.imdecode(np.frombuffer(shot, np.uint8), 1)[8:-8, 8:-8].max())

    assert brightest() > 60
    page.locator("#side-a").select_option("int8_max")
    until(page, "document.querySelector('[data-show=\"base\"]').complete")
    # Scaling may round two equal images apart by one level, which is 32 after the gain.
    assert brightest() <= 32


def test_images_and_precisions_are_chosen_and_named(show) -> None:
    page = explorer(show)
    assert page.locator("#image").input_value() == "2"
    page.get_by_role("button", name="Next image").click()
    page.get_by_role("button", name="Next image").click()
    assert page.locator("#image").input_value() == "0"
    page.get_by_role("button", name="Show image_1").click()
    assert page.locator("#image").input_value() == "1"
    page.locator("#side-b").select_option("fp16")
    score = page.locator("figcaption", has_text="B: fp16").inner_text().replace("\xa0", " ")
    assert "PSNR 29.989 dB · SSIM 0.88900 · fidelity 69.00 dB" in score
    assert page.locator('[data-show="hr"]').get_attribute("alt") == "HR of image_1"


def test_emulated_images_say_so_beside_them(show) -> None:
    page = explorer(show)
    assert "B: int8_max (emulated)" in page.locator("#panes").inner_text()


def test_a_crop_opens_the_explorer_at_its_window(show) -> None:
    page = explorer(show)
    link = page.locator(".crop a").first
    number = link.get_attribute("href").split(":")[1]
    link.click()
    until(page, "explorer.scale === 1.25")
    assert page.locator("#image").input_value() == number
    assert page.locator("#side-b").input_value() == "fp16"


def values(page, plot: str) -> list[float]:
    """Return what the marks of a chart stand at, in the order in which they are drawn."""
    marks = f"[...document.querySelectorAll('#{plot} [data-y]')]"
    return page.evaluate(f"{marks}.map((mark) => Number(mark.dataset.y))")


def test_charts_are_drawn_and_a_point_opens_its_image(show) -> None:
    page = explorer(show)
    # Of four images in fp16 and int8, and the means of all three.
    assert len(values(page, "plot-ladder")) == 4 + 4 + 3
    assert page.locator("#plot-ladder .span").count() == 2  # as far as a gate judged
    point = page.locator("#plot-ladder .mark").nth(3)
    point.hover()
    assert page.locator("#plot-ladder .tip").inner_text() == "image_3\nfp16: 0.0130 dB"
    point.click()
    until(page, "explorer.image === 3")
    assert page.locator("#side-b").input_value() == "fp16"
    page.get_by_role("button", name="Fidelity to fp32").click()
    assert values(page, "plot-ladder")[0] == 70


def test_a_point_that_a_finger_pressed_says_what_it_is(show) -> None:
    page = show("trend-zoo-near")
    page.locator("#plot-value").scroll_into_view_if_needed()
    box = page.locator("#plot-value .mark").first.bounding_box()
    place = {"clientX": box["x"] + box["width"] / 2, "clientY": box["y"] + box["height"] / 2}
    chart, tip = page.locator("#plot-value svg"), page.locator("#plot-value .tip")
    for kind in ("pointerdown", "pointerleave"):
        chart.dispatch_event(kind, {**place, "pointerType": "touch"})
    assert tip.inner_text().startswith("30\n")
    chart.dispatch_event("pointerdown", {"clientX": 0, "clientY": 0, "pointerType": "touch"})
    assert tip.is_hidden()


def test_what_is_printed_is_dark_on_white_and_has_no_controls(show) -> None:
    page = show("model-zoo-near", theme="dark")
    page.emulate_media(media="print")
    colour = "getComputedStyle(document.querySelector('#numbers td')).color"
    assert page.evaluate(colour) == "rgb(27, 30, 34)"
    assert not page.locator("#explorer, .jump, .top").filter(visible=True).count()


def test_a_chart_takes_the_colours_of_the_theme(show) -> None:
    page = show("model-zoo-near")
    grid = "getComputedStyle(document.querySelector('#plot-scatter .grid')).stroke"
    before = page.evaluate(grid)
    page.locator("#theme").click()
    assert page.evaluate(grid) != before


def test_the_trend_shows_the_chosen_series(show) -> None:
    page = show("trend-zoo-near")
    assert values(page, "plot-value") == [30, 30]
    assert values(page, "plot-margin") == pytest.approx([0.0005] * 2)
    assert page.locator(".legend").first.inner_text().split() == [
        "tolerance",
        "claimed",
        "measured",
    ]
    options = page.locator("#series option").all_inner_texts()
    page.locator("#series").select_option(
        str(next(i for i, text in enumerate(options) if text.startswith("ssim int8_max")))
    )
    assert values(page, "plot-value") == pytest.approx([0.88] * 2)
    assert "0.88" in page.locator(".scroll[data-series]:visible").inner_text()
    assert page.locator(".scroll[data-series]:visible").count() == 1


def test_tables_sort_by_number(show) -> None:
    page = show("model-zoo-near")
    head = page.get_by_role("button", name="int8_max (emulated) fidelity")
    head.click()
    first = "#image-table tbody tr:first-child th"
    assert page.locator(first).inner_text() == "image_2"
    head.click()
    assert page.locator(first).inner_text() == "image_0"
    assert page.locator("th[aria-sort=descending]").count() == 1


def test_a_command_is_copied_or_selected(show) -> None:
    page = show("model-zoo-near")
    page.locator(".wide summary").first.click()
    page.get_by_role("button", name="Copy the command").first.click()
    until(page, "document.querySelector('.copy').textContent !== 'copy'")


def test_a_missing_image_is_named_and_not_shown_as_a_broken_picture(show) -> None:
    page = show("model-zoo-lost")
    page.locator("#panes").scroll_into_view_if_needed()
    assert page.locator(".gone:visible").count() == 6
    assert page.locator("h1").inner_text() == "lost<b>"


def test_images_outside_are_shown_and_named_once_they_are_moved(browser, outside: Path) -> None:
    for moved in (False, True):
        if moved:
            shutil.move(outside.parent / "outputs", outside.parent / "elsewhere")
        page = browser.new_page()
        page.goto(next(outside.glob("model-*.html")).as_uri())
        page.locator("#panes").scroll_into_view_if_needed()
        if moved:
            until(page, "document.querySelectorAll('.gone:not([hidden])').length === 6")
            assert "Was a folder moved?" in page.locator(".gone").first.inner_text()
        else:
            until(page, "[...document.querySelectorAll('#panes img')].every((i) => i.naturalWidth)")
        page.close()


def test_a_report_that_was_sent_shows_its_copies_and_no_error_map_of_them(
    browser, tmp_path: Path
) -> None:
    records = records_of("m")
    keep_images(tmp_path, records)
    squeezed(past_session(tmp_path, records), "inexact")
    shutil.rmtree(tmp_path / "outputs")
    page = browser.new_page()
    page.goto(next(tmp_path.glob("html/model-*.html")).as_uri())
    data = page.evaluate("JSON.parse(document.getElementById('page-data').textContent)")
    number = next(i for i, image in enumerate(data["images"]) if image["lr"] in data["copies"])
    page.locator("#image").select_option(str(number))
    page.locator("#panes").scroll_into_view_if_needed()
    until(page, "document.querySelectorAll('.gone:not([hidden])').length === 1")
    until(page, "[...panes.querySelectorAll('[data-pane=b] img')].every((i) => i.naturalWidth)")
    assert "The error map needs the exact images" in page.locator(".gone:visible").inner_text()
    page.close()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_text_and_statuses_have_contrast(show, kind: str, theme: str) -> None:
    page = show(kind, theme=theme)
    pairs = page.evaluate(
        CONTRAST, "h1, h2, p, a, th, td, li, button, .badge, .dot, .tag, .muted, summary, dt"
    )
    assert len(pairs) > 20
    assert [item for item in pairs if item[0] < 4.5] == []


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_can_be_pressed_has_a_name(show, kind: str) -> None:
    assert show(kind).evaluate(NAMELESS, PRESSED) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_scrolls_no_page_sideways_and_shows_each_status(show, kind: str) -> None:
    page = show(kind, width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    outside = "(nodes) => nodes.filter((node) => node.getBoundingClientRect().right > 390).length"
    assert page.locator(".badge:visible, .dot:visible").evaluate_all(outside) == 0


def test_a_page_opens_without_any_of_its_large_files(show, report: Path) -> None:
    page = show("model-zoo-near")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert sum(name.endswith(".webp") for name in loaded) <= 40


def test_a_ladder_of_a_metric_that_rises_shows_the_rise_as_a_loss(browser, tmp_path: Path) -> None:
    build_report(past_session(tmp_path, with_mae("m")), (), tmp_path / "html")
    (path,) = (tmp_path / "html").glob("model-*.html")
    page = browser.new_page()
    page.goto(path.as_uri())
    page.get_by_role("button", name="MAE rise").click()
    assert values(page, "plot-ladder")[:4] == pytest.approx([0.2, 0.4, 0.0, 0.0])
    title = page.locator("#plot-ladder .title").text_content()
    assert title == "MAE rise against fp32, levels"
    page.close()
