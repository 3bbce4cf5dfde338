"""The site's own search gives the right page first."""

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.harness.browser import CHROMIUM, NO_BROWSER

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=NO_BROWSER)

QUESTIONS = {
    "fork": "explanation/security",
    "rollback": "how-to/roll-back",
    "undo an apply": "how-to/roll-back",
    "upgrade": "reference/versioning",
    "migration": "reference/versioning",
    "Docker": "how-to/install",
    "concurrency": "how-to/operations",
    "rename": "how-to/rename",
    "exit code": "reference/command-line",
    "lock file": "reference/files",
    "rotate token": "how-to/rotate-tokens",
    "GitLab": "how-to/gitlab",
    "Airflow": "how-to/schedulers",
    "spreadsheet": "how-to/seeds",
    "conflict": "how-to/operations",
    "drift": "how-to/drift",
    "Terraform": "explanation/comparison",
    "rate-limit tokens": "explanation/limits-and-cost",
}
"""What somebody types → the page that answers it."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Build the site and serve it on loopback."""
    folder = tmp_path_factory.mktemp("site")
    words = f"--quiet --fail-on-warning --doctree-dir {folder}/trees {ROOT}/docs {folder}/html".split()
    subprocess.run([sys.executable, "-m", "sphinx", *words], check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(folder / "html")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


@pytest.mark.parametrize(("question", "answer"), QUESTIONS.items())
def test_the_search_gives_the_right_page_first(site: str, page: Page, question: str, answer: str) -> None:
    page.goto(f"{site}/search.html?q={quote_plus(question)}")
    page.locator(".search-summary").get_by_text("found").wait_for()
    found = [link.get_attribute("href") or "" for link in page.locator("#search-results ul.search li > a").all()]
    assert found, "nothing is found"
    assert found[0].partition("?")[0].partition("#")[0] == f"{answer}.html", found[:5]
