"""The page in a browser: nothing complains, the filter works, by keyboard too, and everything can be read."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from leadstate.report.formats.html import COLORS, to_html
from tests.harness.browser import CHROMIUM, NO_BROWSER
from tests.harness.reports import account, change, diagnostic, hundred, many, report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)

PHONE = {"width": 360, "height": 740}
COLORFUL = report(
    account("emea", *(change("~", f"emea/label:L {color}", ("color", color, "red")) for color in COLORS),
            labels=[(f"L {color}", color) for color in COLORS]),
    account("us", change("+", "us/lead:welcome", ("title", None, "Welcome " + "x" * 200)),
            change("-", "us/label:" + "long name " * 12, ("color", "gray", None), line=None)),
    diagnostics=(diagnostic("error", "e", "broken", hint="fix", excerpt="x" * 300), diagnostic("warning", "w", "x")),
)  # fmt: skip

CONTRAST = """() => {
  const parse = (text) => (text.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = parse(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return parse(getComputedStyle(document.documentElement).colorScheme === "dark" ? "0 0 0" : "255 255 255");
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility() || element.matches("script, style, option")) continue;
    const [one, two] = [light(parse(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    found.push([element.className || element.tagName, element.textContent.slice(0, 30), ratio]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Browser, folder: Path, text: str, **context: Any) -> tuple[Page, list[str]]:
    """The page, and what the browser complains about: policy violations and requests included."""
    file = folder / "plan.html"
    file.write_text(text, encoding="utf-8")
    page = browser.new_context(**context).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url))
    page.goto(file.as_uri())
    complaints.remove(file.as_uri())
    return page, complaints


def shown(page: Page) -> int:
    return page.locator("tbody.change:visible").count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(browser: Browser, tmp_path: Path, scheme: str) -> None:
    page, complaints = opened(browser, tmp_path, to_html(COLORFUL), color_scheme=scheme)
    found = page.evaluate(CONTRAST)
    assert len(found) > 100
    assert not [pair for pair in found if pair[2] < 4.5]
    assert not complaints


def test_the_page_filters_by_words_action_and_account(browser: Browser, tmp_path: Path) -> None:
    page, complaints = opened(browser, tmp_path, to_html(COLORFUL))
    status = page.get_by_role("status")
    assert status.inner_text() == "12 changes"
    page.get_by_role("searchbox").fill("PINK emea")
    assert shown(page) == 1
    assert status.inner_text() == "1 of 12 changes"
    page.get_by_role("searchbox").fill("nothing like it")
    assert status.inner_text() == "0 of 12 changes"
    assert page.locator("details.account:visible").count() == 0
    page.get_by_role("searchbox").fill("")
    page.get_by_label("update").uncheck()
    assert shown(page) == 2
    page.get_by_label("add", exact=True).uncheck()
    assert status.inner_text() == "1 of 12 changes"
    page.keyboard.press("Escape")
    page.get_by_role("combobox").select_option("us")
    assert shown(page) == 2
    assert not complaints


def test_the_page_is_operable_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, to_html(COLORFUL))

    def focused() -> str:
        return str(page.evaluate("(e => e.name || e.className || e.tagName)(document.activeElement)"))

    order = []
    for _ in range(11):
        page.keyboard.press("Tab")
        order.append(focused())
    assert order == [
        *("skip", "SUMMARY", "SUMMARY", "text", "action", "action", "action", "account", "SUMMARY", "SUMMARY", "scroll")
    ]
    page.keyboard.press("/")
    assert focused() == "text"
    page.keyboard.type("welcome")
    page.keyboard.press("Enter")
    assert focused() == "change add"
    assert page.evaluate("document.activeElement.textContent").count("lead:welcome") == 1
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    assert focused() == "text"
    assert shown(page) == 12


@pytest.mark.parametrize("viewport", [PHONE, {"width": 1280, "height": 800}])
def test_the_page_needs_no_horizontal_scrolling(browser: Browser, tmp_path: Path, viewport: dict[str, int]) -> None:
    page, _ = opened(browser, tmp_path, to_html(COLORFUL), viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_the_printed_page_shows_every_change_and_no_filter(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, to_html(COLORFUL), color_scheme="dark")
    page.emulate_media(media="print")
    assert shown(page) == 12
    assert not page.get_by_role("searchbox").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_without_script_everything_is_shown(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, to_html(COLORFUL), java_script_enabled=False)
    assert page.locator("tbody.change").count() == 12
    assert not page.locator("#filter").is_visible()


def test_thousands_of_changes_are_rendered_on_demand(browser: Browser, tmp_path: Path) -> None:
    page, complaints = opened(browser, tmp_path, to_html(many(3_000)))
    cells = "[...document.querySelectorAll('tbody.change td')]"
    skipped = f"{cells}.filter(e => !e.checkVisibility({{contentVisibilityAuto: true}})).length"
    assert page.evaluate(skipped) > 3_000
    page.get_by_role("searchbox").fill("renewal 2999")
    assert page.get_by_role("status").inner_text() == "1 of 3,000 changes"
    assert not complaints


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}, {"width": 1200, "height": 800}])
def test_the_changes_of_a_hundred_accounts_begin_on_the_first_screen(
    browser: Browser, tmp_path: Path, viewport: dict[str, int]
) -> None:
    errors = tuple(diagnostic("error", "network", f"no answer from server {number}", hint="x") for number in range(30))
    page, complaints = opened(browser, tmp_path, to_html(replace(hundred(), diagnostics=errors)), viewport=viewport)
    box = page.locator("tbody.change").first.bounding_box()
    assert box is not None
    assert box["y"] < viewport["height"]
    assert not complaints


def test_the_filter_counts_a_shared_change_for_each_account(browser: Browser, tmp_path: Path) -> None:
    page, _ = opened(browser, tmp_path, to_html(hundred()))
    status = page.get_by_role("status")
    assert status.inner_text() == "195 changes"
    page.get_by_role("searchbox").fill("hot")
    assert status.inner_text() == "97 of 195 changes"
    page.get_by_role("searchbox").fill("customer-00 red")
    assert status.inner_text() == "10 of 195 changes"
    page.get_by_role("searchbox").fill("")
    page.get_by_role("combobox").select_option("customer-005")
    assert status.inner_text() == "2 of 195 changes"
    assert shown(page) == 2
