"""The page in a browser: what a reader presses, types and sees, from a file and from the server."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proofgym.bench import report
from proofgym.bench.catalogue import Catalogue
from proofgym.bench.serve import Server
from proofgym.envs.trajectory import Trajectory, Turn, write
from proofgym.verifiers import Credit, Verdict

sync_api: Any = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

HOSTILE = (
    "</script><img src=x onerror=\"document.title='pwned'\"><script>document.title='pwned'</script>\u202egnol\x00\ud800"
)


def episode(n: int) -> Trajectory:
    score = (n % 5) / 4
    verdict = Verdict.right("all follow") if score == 1 else Verdict.partial(score, f"reason {n}", tests=score)
    turns = [
        Turn(f"Question {n}", f"line one {n}\nline two", score / 2, [
            Credit(0, 8, score / 2, "step", "it follows"), Credit(9, 10, 0.0, "step", HOSTILE)]),
        Turn("And now?", HOSTILE, score / 2, [Credit(0, 3, score / 2, "answer")], verdict),
    ]  # fmt: skip
    task = {"id": f"sum:{n}", "fingerprint": f"{n // 2}", "family": f"family {n % 2}", "difficulty": (n % 4) / 4}
    made = Trajectory(f"proofgym/E{n // 2 % 3}-v0", task, 0, n // 2, n % 2, turns, "terminated")
    if n % 19 == 7:
        made.end, made.fault, turns[-1].verdict = "unjudged", "the sandbox died", None
    return made


def leaf(sample: int, nodes: list[int], reward: float) -> Trajectory:
    ends = list(range(1, len(nodes) + 1))
    turn = Turn("Grow.", "abcd"[: len(nodes)], reward, action_ids=nodes, nodes=nodes, token_ends=ends)
    turn.verdict = Verdict.right() if reward == 1 else Verdict.wrong("no")
    return Trajectory("proofgym/Tree-v0", {"fingerprint": "tree"}, 0, 900, sample, [turn], "terminated")


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    write(folder / "episodes/E.jsonl", [episode(n) for n in range(150)])
    write(folder / "episodes/Tree.jsonl", [leaf(0, [0, 1], 1.0), leaf(1, [0, 2], 0.0), leaf(2, [0, 2, 3], 1.0)])
    (folder / "config.json").write_text(json.dumps({"kind": "eval", "command": HOSTILE}))
    (folder / "proof.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def urls(run_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The same run as a file and from the server."""
    server = Server(Catalogue.of(report.open_runs(run_dir)), 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"file": report.write(run_dir).as_uri(), "server": server.url}
    server.shutdown()
    server.server_close()


Opener = Callable[..., Any]


@pytest.fixture
def visit(browser: Any, urls: dict[str, str]) -> Iterator[Opener]:
    """Open the page; what it complains of, or asks of anybody else, fails the test."""
    wrong: list[str] = []
    opened = []

    def open_page(kind: str, hash_: str = "#episodes", **settings: Any) -> Any:
        page = browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **settings})
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "console",
            lambda message: (
                wrong.append(message.text) if message.type == "error" and "404" not in message.text else None
            ),
        )
        page.on(
            "request",
            lambda request: None if request.url.startswith((urls[kind], "data:")) else wrong.append(request.url),
        )
        page.set_default_timeout(15_000)
        page.goto(urls[kind] + hash_)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        assert page.title() != "pwned"
        page.close()
    assert not wrong


both = pytest.mark.parametrize("kind", ["file", "server"])


def tally(page: Any, said: str) -> None:
    page.locator("#tally", has_text=said).wait_for()


@both
def test_filters_search_and_sorting_agree_with_the_episodes(visit: Opener, kind: str) -> None:
    page = visit(kind)
    tally(page, "153 of 153 episodes")
    page.click("#labels button[data-label=solved]")
    tally(page, "31 of 153")
    page.click("#labels button[data-label=unjudged]")
    tally(page, "39 of 153")
    page.click("#more")
    page.select_option("select[data-key=family]", "family 1")
    tally(page, "19 of 153")
    assert page.inner_text("#more") == "Filter (1)"
    page.click("#clear")
    tally(page, "153 of 153")
    page.select_option("select[data-key=level]", label="0.75")
    tally(page, "37 of 153")
    page.click("#clear")
    page.fill("#search", "SANDBOX died")
    tally(page, "8 of 153")
    page.fill("#search", "reason 14")
    tally(page, "7 of 153")
    page.select_option("select[data-key=sort]", "reward")
    page.check("#down")
    page.locator("#list li[aria-posinset='1'] b", has_text="0.75").wait_for()
    assert "text=reason+14" in page.url
    assert "sort=reward" in page.url


@both
def test_keys_lead_through_the_episodes_and_a_permalink_leads_back(visit: Opener, kind: str) -> None:
    page = visit(kind)
    page.wait_for_selector("#list a")
    page.keyboard.press("j")
    page.locator("#episode h1", has_text="sum:0").wait_for()
    for key in "jjkjk":
        page.keyboard.press(key)
    page.locator("#episode h1", has_text="sum:1").wait_for()
    assert page.locator("#list a[aria-current]").count() == 1
    page.go_back()
    page.wait_for_selector("#episode .hint")
    page.go_forward()
    page.locator("#episode h1", has_text="sum:1").wait_for()
    again = visit(kind, page.url[page.url.index("#") :])
    again.locator("#episode h1", has_text="sum:1").wait_for()
    assert again.inner_text("#episode .place") == "2 of 153"
    again.keyboard.press("Escape")
    again.wait_for_selector("#episode .hint")
    far = visit(kind, "#e=0.0.138&label=solved&label=partial")
    far.locator("#list a[aria-current]").wait_for()
    assert "e=0.0.138" in str(far.get_attribute("#list a[aria-current]", "href"))
    visit(kind, "#e=7.7.7").locator("#episode .hint").wait_for()
    for odd in ("#e=%3Cscript%3E&level=length&sort=constructor&label=x&run=__proto__", "#%00", "#e=0.0.1&file=../.."):
        visit(kind, odd).wait_for_selector("#tally")


@both
def test_an_episode_shows_credits_verdict_parts_and_hostile_text_as_text(visit: Opener, kind: str) -> None:
    page = visit(kind, "#e=0.0.3")
    page.wait_for_selector("#episode .verdict.partial")
    assert "reward 0.750" in page.inner_text("#episode .verdict")
    assert page.inner_text("#episode dl.parts dt") == "tests"
    page.hover("#episode mark.good >> nth=0")
    assert page.inner_text("#tip").split("\n") == ["+0.375  step", "it follows"]
    page.hover("#episode h1")
    page.click("#episode mark.zero")  # a tap
    assert "[U+202E]" in page.inner_text("#tip")
    text = page.inner_text("#episode .turn >> nth=1")
    assert "</script><img src=x onerror=" in text
    assert "U+202E" in text
    assert "␀" in text
    assert "U+D800" in text
    page.click("#episode .credits summary >> nth=0")
    page.click("#episode .credits li button >> nth=0")
    assert page.inner_text("#episode mark.lit") == "line one"
    page.focus("#episode mark.good >> nth=0")
    page.keyboard.press("Enter")
    assert page.is_visible("#tip")
    page.click("#episode .sibling >> nth=0")
    page.locator("#episode h1", has_text="sum:2").wait_for()


@both
def test_an_unjudged_episode_is_set_apart_with_its_fault(visit: Opener, kind: str) -> None:
    page = visit(kind, "#e=0.0.7")
    page.wait_for_selector("#episode .verdict.unjudged")
    said = page.inner_text("#episode .verdict")
    assert "the sandbox died" in said
    assert "no score" in said


@both
def test_a_leaf_of_the_tree_opens_its_episode(visit: Opener, kind: str) -> None:
    page = visit(kind, "#e=0.1.0")
    page.wait_for_selector("#episode svg.tree")
    assert page.locator("svg.tree .leaf").count() == 3
    assert page.locator("svg.tree .node").count() == 5
    page.hover("svg.tree .node circle >> nth=1")
    assert "value 0.667 · mean over 3 attempts · turn 1\na" in page.inner_text("#tip")
    page.click("svg.tree .leaf >> nth=2")
    page.locator("svg.tree .leaf.on", has_text="#3").wait_for()
    assert "e=0.1.2" in page.url


def test_light_dark_and_overview(visit: Opener) -> None:
    page = visit("file", "")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(paper)
    page.keyboard.press("t")
    dark = page.evaluate(paper)
    assert dark != light
    page.reload()
    assert page.evaluate(paper) == dark
    assert visit("file", "", color_scheme="dark").evaluate(paper) == dark
    assert page.is_visible("text=By family")
    assert page.get_attribute(".picture img", "src").startswith("data:image/svg+xml;base64,")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    page.click("#to-episodes")
    page.wait_for_selector("#list a")


def test_on_a_phone_the_list_and_the_episode_take_turns(visit: Opener) -> None:
    page = visit("file", viewport={"width": 380, "height": 760}, has_touch=True)
    page.tap("#list a >> nth=1")
    page.wait_for_selector("#episode .verdict")
    assert not page.is_visible("#side")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    page.tap("#episode mark >> nth=0")
    assert page.is_visible("#tip")
    page.tap(".back")
    page.wait_for_selector("#list a")
    assert not page.is_visible("#episode")


def test_every_control_has_a_name_and_texts_have_contrast(visit: Opener) -> None:
    for scheme in ("light", "dark"):
        page = visit("file", "#e=0.0.3", color_scheme=scheme)
        page.wait_for_selector("#episode .verdict")
        nameless = page.evaluate(
            "[...document.querySelectorAll('button, input, select, a')].filter((e) => e.checkVisibility() && "
            "!(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label'))).map((e) => e.outerHTML)"
        )
        assert nameless == []
        faint = page.evaluate(CONTRAST)
        assert faint == []


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('svg, script, style, .hush, .skip')) continue;
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
    const below = paint(layers), above = paint([...layers, getComputedStyle(element).color]);
    const [a, b] = [light(below), light(above)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.push(`${ratio.toFixed(2)} ${element.className} ${element.textContent.slice(0, 30)}`);
  }
  return [...new Set(faint)];
}"""


def test_a_hundred_thousand_episodes_stay_usable(visit: Opener, urls: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "big/episodes/train.jsonl"
    lines = [json.loads(episode(n).line()) for n in range(190)]
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", errors="surrogatepass") as file:
        for n in range(100_000):
            line = {**lines[n % 190], "index": n}
            line["turns"] = [{**line["turns"][0], "observation": f"Question number {n}."}, line["turns"][1]]
            file.write(json.dumps(line) + "\n")
    catalogue = Catalogue.of(report.open_runs(tmp_path / "big"))
    assert len(report.render(catalogue).encode("utf-8", "backslashreplace")) < 5_000_000
    server = Server(catalogue, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    urls["big"] = server.url
    try:
        page = visit("big")
        tally(page, "100,000 of 100,000")
        page.evaluate("document.getElementById('scroller').scrollTop = 66 * 98765")
        page.locator("#list li[aria-posinset='98766'] .gist", has_text="Question number 98765.").wait_for()
        assert page.locator("#list li").count() < 60
        page.fill("#search", "number 4321.")
        tally(page, "1 of 100,000")
        page.click("#list a")
        page.locator("#episode .turn", has_text="Question number 4321.").wait_for()
        page.keyboard.press("Escape")
        page.fill("#search", "")
        tally(page, "100,000 of 100,000")
        page.goto(server.url + "#e=0.0.70000")
        page.locator("#list a[aria-current]").wait_for()
        assert page.inner_text("#episode .place") == "70,001 of 100,000"
    finally:
        server.shutdown()
        server.server_close()
