"""A site on disk as the browser sees it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = ("background-networking", "component-update", "sync", "default-apps", "extensions")
PATIENCE = 300_000  # ms: other tests may have all cores
# Images that wait until they are scrolled to are asked for at once.
LOAD_IMAGES = """() => Promise.all([...document.images].map(image => {
    image.loading = "eager"; return image.decode().catch(() => null); }))"""
EMPTY_IMAGES = "() => [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
LINKS = "() => [...document.querySelectorAll('a[href]')].map(link => link.href)"
ANCHORS = "() => [...document.querySelectorAll('[id]')].map(element => element.id)"
OVERFLOW = (
    "() => Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth"
)


@contextmanager
def opened(width: int) -> Iterator[Page]:
    """A page of headless Chromium, as wide as that; without a Chromium the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on the PATH; apt-get install chromium")
    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--no-first-run", *(f"--disable-{part}" for part in QUIET)]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        page = browser.new_page(viewport={"width": width, "height": 844})
        page.set_default_timeout(PATIENCE)
        yield page
        browser.close()


def faults(index: Path, width: int = 390) -> tuple[list[str], set[Path]]:
    """What is wrong with a site: its first page and all pages that it leads to.

    Returns:
        What went wrong: messages on the console, requests that failed or did not go to a file,
        images without a size, links that lead nowhere, pages wider than the window; and the pages
        that were seen.
    """
    found, links, anchors = [], {}, {}
    with opened(width) as page:
        page.on("console", lambda message: found.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: found.append(f"error: {error}"))
        page.on("requestfailed", lambda request: found.append(f"failed: {request.url}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "data:"))
                or found.append(f"not on disk: {request.url}")
            ),
        )
        waiting = [index.resolve()]
        while waiting:
            file = waiting.pop()
            page.goto(file.as_uri(), wait_until="load")
            page.evaluate(LOAD_IMAGES)
            found += [f"{file.name}: empty image {image}" for image in page.evaluate(EMPTY_IMAGES)]
            if (excess := page.evaluate(OVERFLOW)) > 0:
                found.append(f"{file.name}: {excess} pixels wider than the window")
            anchors[file] = set(map(unquote, page.evaluate(ANCHORS)))
            links[file] = {link for link in page.evaluate(LINKS) if link.startswith("file:")}
            targets = {_target(link)[0] for link in links[file]}
            pages = {to for to in targets if to.suffix == ".html" and to.is_file()}
            waiting += sorted(pages - set(anchors) - set(waiting))
    for file in links:
        for to, anchor in map(_target, links[file]):
            if not to.is_file() or (anchor and anchor not in anchors.get(to, ())):
                found.append(f"{file.name}: leads nowhere: {to}#{anchor}")
    return found, set(anchors)


def _target(link: str) -> tuple[Path, str]:
    """The file and the anchor that a link leads to."""
    address, anchor = urldefrag(link)
    return Path(unquote(urlsplit(address).path)), unquote(anchor)
