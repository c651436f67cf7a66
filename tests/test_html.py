"""The HTML report, as a browser shows it: headless Chromium steps through witnesses, and what it shows is compared with their states."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright
from tools import tool

from formal.diagnostics import Source
from formal.formats import Style, load_format
from formal.formats.html import json_in_html, render
from formal.formats.html.diagram import diagram
from formal.formats.html.happenings import Happenings, Hold, Link, Run, Spawn, happenings
from formal.formats.html.shapes import Diagram, Line
from formal.formats.html.timelines import initial_state
from formal.formats.states import states
from formal.formats.states import threads as threads_of
from formal.formats.witness import show
from formal.frontend import load
from formal.pipeline import Request, prove, select
from formal.verdict import (
    Evidence,
    Fact,
    Hop,
    Loop,
    Owed,
    PropertyResult,
    Report,
    SourceRef,
    Spot,
    Verdict,
    ViewValue,
    Witness,
    WitnessStep,
)

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
Changes: TypeAlias = dict[str, tuple[ViewValue | None, ViewValue | None]]
State: TypeAlias = dict[str, ViewValue]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    executable = tool(*_BROWSERS, package="chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable, args=_FLAGS)
        yield started
        started.close()


class Opened:
    """A report in a browser. Whatever the page complains about, asks for or pops up is kept."""

    def __init__(self, browser: Browser, path: Path, *reports: Report, width: int = 1280, scheme: Any = "light") -> None:
        path = path / "report.html"
        path.write_text(render(reports, Style()) + "\n", encoding="utf-8")
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", lambda request: self.troubles.append(request.url) if request.url != path.as_uri() else None)
        self.page.goto(path.as_uri())

    def _dialog(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def step(self, anchor: str = "w1") -> int:
        return int(self.page.evaluate(f"document.querySelector('#{anchor} [aria-selected=true]').dataset.step"))

    def state(self, anchor: str = "w1") -> dict[str, str]:
        """What the state panel shows, by the keys of a view."""
        return dict(self.page.evaluate(f"(anchor) => ({_STATE})(anchor)", anchor))

    def walk(self, key: str, times: int) -> list[dict[str, str]]:
        """What the first state panel shows after each press of a key in the diagram."""
        walk = """([key, times]) => Array.from({ length: times }, () => {
          document.querySelector('#w1 .diagram').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
          return (STATE)('w1');
        })"""
        return [dict(pairs) for pairs in self.page.evaluate(walk.replace("STATE", _STATE), [key, times])]

    def texts(self, selector: str) -> list[str]:
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]

    def close(self) -> None:
        self.context.close()
        assert self.troubles == []


def proved(path: str, *names: str) -> Report:
    program = load(path, {}, ()).program
    assert program is not None
    return prove(program, Request(select(program, names)[0], engine="explicit")).report


@pytest.fixture(scope="module")
def savevm() -> Report:
    return proved("models/savevm_unlocked.dsl", "wrong_context", "relock")


@pytest.fixture(scope="module")
def philosophers() -> Report:
    return proved("models/classic/philosophers_unfair.dsl", "liveness.eats", "relock")


def witness_of(report: Report) -> Witness:
    return next(result.witness for result in report.properties if result.witness is not None)


# ---------------------------------------------------------------- a made-up witness, with everything in it


def made_step(number: int, thread: str, statement: str, changes: Changes, stack: tuple[str, ...] = ()) -> WitnessStep:
    return WitnessStep(number, thread, statement, SourceRef("m.dsl", number), "hw/a.c:f", stack or (thread,), changes)


def made(steps: Sequence[WitnessStep], start: State, loop_to: int | None = None, why: tuple[Evidence, ...] = ()) -> Witness:
    return Witness(tuple(steps), 1, loop_to, "They wait.", start, why)


def reported(witness: Witness, *, kind: str = "deadlock", name: str = "deadlock.global") -> Report:
    broken = PropertyResult(name, kind, SourceRef("m.dsl", 9), Verdict.VIOLATED, len(witness.steps), "bmc", "", witness)
    fine = PropertyResult("relock", "builtin", None, Verdict.PROVED, None, "explicit", "all states were explored")
    bounded = PropertyResult("range", "builtin", None, Verdict.PROVED_UP_TO, 7, "bmc", "no violation within 7 steps")
    source = Source("m.dsl", "\n".join(f"line {number}; // text" for number in range(1, 400)))
    parts = ("m", "a title", "m.dsl", "sha256:0", {"N": 2, "B": True}, 7, 0.5, ("weak fairness",), (fine, bounded, broken))
    return Report(
        *parts,
        warnings=("careful",),
        statistics={"states": 1234},
        defines={"N": "2"},
        sources=(source,),
        invariant=("x <= 3",),
        follows=("relock",),
    )


def busy() -> Witness:
    """t schedules a bottom half, spawns u and posts; u runs it, with a lock; both wait at the end."""
    steps = (
        made_step(1, "t", "schedule b", {"b.pending": (0, 1)}),
        made_step(2, "t", "atomic { spawn u; schedule b; }", {"u.status": ("not spawned", "running"), "b.pending": (1, 2)}),
        made_step(3, "u", "poll X", {"b.pending": (2, 1)}),
        made_step(4, "u", "lock L", {"L.owner": ("none", "u"), "u/1.x": (None, 4)}, ("u", "b")),
        made_step(5, "t", "post S", {"S.count": (1, 2)}),
        made_step(6, "u", "wait S", {"S.count": (2, 0), "u/1.x": (4, None)}, ("u", "b")),
        made_step(7, "u", "rdlock R", {"R.readers": ((), ("u",))}),
        made_step(8, "u", "wait C with L", {"L.owner": ("u", "none"), "C.waiters": ((), ("u",)), "E.set": (False, True)}),
        made_step(9, "t", "lock M", {"M.owner": ("none", "t"), "M.count": (0, 1), "t.mine": (0, 1), "v": (0, 1)}),
    )
    spot = Spot("lock R", SourceRef("m.dsl", 3), "hw/a.c:g", ("t", "g"))
    why = (Hop("t", "cycle", "lock", "R", ("u",), 7, spot), Fact("holds(R)", "false", 7))
    start: State = {"L.owner": "none", "M.owner": "none", "M.count": 0, "R.writer": "none", "R.readers": (), "S.count": 1}
    start |= {
        "C.waiters": (),
        "E.set": False,
        "b.pending": 0,
        "v": 0,
        "w": 5,
        "t.mine": 0,
        "t.status": "running",
        "u.status": "not spawned",
    }
    return made(steps, start, why=why)


def test_what_happens_in_a_witness() -> None:
    witness = busy()
    found = happenings(witness, initial_state(witness))
    assert found.holds == [Hold("u", "L", False, 4, 8), Hold("u", "R", True, 7), Hold("t", "M", False, 9)]
    assert found.locks == ("L", "R", "M")
    assert found.links == [Link("bh", "b", 1, "t", 3, "u"), Link("bh", "b", 2, "t"), Link("sem", "S", 5, "t", 6, "u")]
    assert found.runs == [Run("u", "b", 3, 6)]
    assert found.spawns == [Spawn(2, "t", "u")]
    said = {step: [effect.text for effect in effects] for step, effects in found.effects.items()}
    assert said[1] == ["schedules b"]
    assert said[3] == ["runs b"]
    assert said[7] == ["+R (read)"]
    assert said[8] == ["\N{MINUS SIGN}L", "waits on C", "E set"]
    assert said[9] == ["+M"]


def drawn(witness: Witness) -> tuple[Diagram, Happenings]:
    found = happenings(witness, initial_state(witness))
    return diagram(witness, found, threads_of(witness), "p"), found


def test_a_row_a_step_from_top_to_bottom() -> None:
    shown, _ = drawn(busy())
    assert [row.step for row in shown.rows if row.step is not None] == list(range(10))
    assert all(one.top + one.height <= other.top for one, other in zip(shown.rows, shown.rows[1:], strict=False))
    assert shown.rows[-1].top + shown.rows[-1].height <= shown.height
    said = ["".join(piece.text for piece in row.text) for row in shown.rows if row.step is None]
    assert said == ["\N{MULTIPLICATION SIGN} p", "waits for R, held by u", "still pending: b"]


def lines(shown: Diagram, kind: str) -> list[Line]:
    return [line for line in shown.lines if line.kind == kind]


def test_arrows_end_where_things_are_taken_up() -> None:
    shown, _ = drawn(busy())
    row = {row.step: row for row in shown.rows if row.step}
    (ran, pending), (taken,) = lines(shown, "bh"), lines(shown, "sem")
    assert ran.path.startswith(f"M{row[1].x:g} {row[1].line:g}H")
    assert ran.tip is not None
    assert ran.tip[:2] == (row[3].x - 4, row[3].line)
    assert pending.tip is None
    assert taken.tip is not None
    assert taken.tip[1] == row[6].line
    (spawn,) = lines(shown, "spawn")
    assert spawn.tip is not None
    assert (spawn.tip[0] - row[3].x, spawn.tip[2]) == (-2, 1)
    assert len(lines(shown, "cross")) == 1
    bars = [(bar.y, bar.lock, bar.reading, bar.open) for bar in shown.bars if bar.lock is not None]
    assert bars == [(row[4].line, 0, False, False), (row[7].line, 1, True, True), (row[9].line, 2, False, True)]
    assert shown.bars[0].y + shown.bars[0].height == row[8].line
    assert shown.bars[1].y + shown.bars[1].height > shown.rows[-1].top


def test_a_bottom_half_that_still_runs() -> None:
    steps = (
        made_step(1, "t", "schedule b", {"b.pending": (False, True)}),
        made_step(2, "t", "poll X", {"b.pending": (True, False)}),
        made_step(3, "t", "skip", {}, ("t", "b")),
    )
    found = happenings(made(steps, {"b.pending": False, "t.status": "running"}), {"b.pending": False, "t.status": "running"})
    assert found.runs == [Run("t", "b", 2, None)]


# ---------------------------------------------------------------- stepping


@pytest.mark.parametrize("which", ["savevm", "philosophers", "busy"])
def test_every_state_is_shown(browser: Browser, tmp_path: Path, which: str, request: pytest.FixtureRequest) -> None:
    report = reported(busy()) if which == "busy" else request.getfixturevalue(which)
    witness = witness_of(report)
    expected = [{key: show(value) for key, value in state.items()} for state in states(witness)]
    opened = Opened(browser, tmp_path, report)
    assert opened.state() == expected[-1]
    length = len(witness.steps)
    assert opened.walk("ArrowUp", length + 1) == [*reversed(expected[:-1]), expected[0]]
    assert opened.walk("ArrowDown", length + 1) == [*expected[1:], expected[-1]]
    opened.close()


def test_keys_buttons_and_links_step(browser: Browser, tmp_path: Path) -> None:
    report = reported(replace(busy(), key_steps=(4, 7, 9)))
    opened = Opened(browser, tmp_path, report)
    page = opened.page
    assert opened.step() == 9
    for key, step in [("Home", 9), ("k", 8), ("ArrowLeft", 7), ("j", 8), ("ArrowRight", 9), ("p", 7), ("p", 4), ("p", 0), ("n", 4)]:
        page.keyboard.press(key)  # from anywhere on the page, but for the keys that scroll it
        assert opened.step() == step, key
    page.locator("#w1 [data-go=last]").focus()
    for key, step in [("Home", 0), ("End", 9), ("ArrowUp", 8), ("PageUp", 0), ("ArrowUp", 0), ("ArrowDown", 1)]:
        page.keyboard.press(key)
        assert opened.step() == step, key
    page.locator("#w1 [data-go=last]").click()
    page.locator("#w1 [data-go=first]").click()
    page.locator("#w1 [data-go=next]").click()
    assert opened.step() == 1
    page.locator("#w1 [data-step='4']").click()
    assert opened.step() == 4
    assert opened.texts("#w1 .change") == ["L.owner: none \N{RIGHTWARDS ARROW} u", "u/1.x = 4"]
    assert opened.texts("#w1 .changed [data-cell]") == ["L", "u", "4"]  # what u holds, who has L, u's x
    page.locator("#w1 .why [data-to='7']").first.click()
    assert opened.step() == 7
    page.locator("#w1 tr", has_text="S.count").locator("button").click()
    assert opened.step() == 6
    assert page.locator("#w1 tr:not([hidden]) .was:not(:empty)").all_inner_texts() == ["2"]
    page.locator("#w1 input[type=range]").fill("3")
    assert opened.step() == 3
    page.wait_for_function("() => location.hash === '#w1-3'")
    opened.close()


def test_the_source_follows(browser: Browser, tmp_path: Path, savevm: Report) -> None:
    opened = Opened(browser, tmp_path, savevm)
    opened.page.evaluate("document.querySelector('.explorer').scrollIntoView()")
    witness = witness_of(savevm)
    texts = {source.path: source.text.split("\n") for source in savevm.sources}
    for number in (1, 15, len(witness.steps)):
        opened.page.locator(f"#w1 [data-step='{number}'] .number").click()
        source = witness.steps[number - 1].source
        line = opened.page.locator("#w1 .lines .current")
        assert line.locator("span").first.inner_text() == str(source.line)
        assert line.locator("pre").text_content() == texts[source.file][source.line - 1]
        assert line.evaluate(
            "(one) => { const p = one.closest('.lines').getBoundingClientRect(), b = one.getBoundingClientRect(); "
            "return b.top >= p.top && b.bottom <= p.bottom }"
        )
    shown = opened.page.locator("#w1 .lines li").count()
    assert shown == len(texts[witness.steps[-1].source.file])
    opened.page.locator("#w1 .lines [data-line]").first.click()
    assert opened.step() < len(witness.steps)
    opened.close()


def test_a_step_can_be_linked_to(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(busy()))
    opened.page.evaluate("location.hash = '#w1-5'")
    opened.page.wait_for_function("() => document.querySelector('[aria-selected=true]').dataset.step === '5'")
    opened.page.reload()
    assert opened.step() == 5
    assert opened.page.evaluate("Math.abs(document.querySelector('.explorer').getBoundingClientRect().top)") < 2
    opened.troubles = [trouble for trouble in opened.troubles if not trouble.endswith("#w1-5")]  # the reload itself
    opened.close()


# ---------------------------------------------------------------- what is said


def test_the_summary(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(busy()))
    rows = [re.sub(r"\s+", " ", row) for row in opened.texts(".properties tbody tr")]
    assert rows[0] == "relock \N{CHECK MARK} proveda explicit built in"
    assert rows[1].startswith("range \N{LESS-THAN OR EQUAL TO} proved up tob 7 bmc")
    assert rows[2].startswith("deadlock.global \N{MULTIPLICATION SIGN} violated 9 bmc m.dsl:9")
    notes = [re.sub(r"\s+", " ", note) for note in opened.texts(".notes li")]
    assert notes == ["a all states were explored", "b no violation within 7 steps"]
    said = opened.page.locator("article").inner_text()
    for words in (
        "at most 7 steps: longer ones were not looked at",
        "weak fairness",
        "careful",
        "x <= 3",
        "1 of the 3 properties follows from it alone: relock",
        "(set by -D)",
        "true",
        "sha256:0",
    ):
        assert words in said
    assert "formal prove m.dsl --property deadlock.global -D N=2" in said
    assert "t waits for R at lock R (m.dsl:3, hw/a.c:g), which u holds since step 7" in said
    opened.page.locator(".properties a[href='#w1']").click()
    assert opened.page.evaluate("location.hash") == "#w1"
    opened.close()


def test_a_lasso_is_marked(browser: Browser, tmp_path: Path, philosophers: Report) -> None:
    witness = witness_of(philosophers)
    assert witness.loop_to is not None
    shown, _ = drawn(witness)
    (loop,) = lines(shown, "loop")
    assert loop.tip is not None
    assert loop.tip[1] == next(row.line for row in shown.rows if row.step == witness.loop_to + 1)
    opened = Opened(browser, tmp_path, philosophers)
    assert f"back to step {witness.loop_to + 1}, again and again" in opened.page.locator("#w1 .body").text_content()  # type: ignore[operator]
    opened.close()


def test_a_lasso_that_stays_where_it_is() -> None:
    why = (Owed("q", "p", 1), Owed("q", "", None), Loop(2, 2, ("t",)))
    witness = made([made_step(1, "t", "skip", {})], {"t.status": "running"}, 1, why)
    text = render([reported(witness, kind="liveness", name="liveness.1")], Style())
    assert "no thread can move any more" in text
    assert "again and again" not in text
    assert "moves in them" in text


def test_a_violation_of_the_initial_state(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(made([], {"x": 3, "t.status": "running"}), kind="invariant", name="invariant.1"))
    opened.page.keyboard.press("j")
    assert (opened.step(), opened.state()) == (0, {"x": "3", "t.status": "running"})
    opened.close()


def test_a_witness_that_knows_its_changes_only() -> None:
    witness = made([made_step(1, "t", "x = 1;", {"x": (0, 1)})], {})
    assert initial_state(witness) == {"x": 0, "t.status": "running"}
    assert "x = 1;" in render([replace(reported(witness), sources=())], Style())


def test_several_reports(browser: Browser, tmp_path: Path, philosophers: Report) -> None:
    opened = Opened(browser, tmp_path, reported(busy()), philosophers)
    assert len(opened.texts("nav tbody tr")) == 2
    opened.page.locator("#w2 [data-go=first]").click()
    assert (opened.step("w1"), opened.step("w2")) == (9, 0)
    opened.page.keyboard.press("j")
    assert (opened.step("w1"), opened.step("w2")) == (9, 1)
    opened.close()


def test_quiet_and_statistics() -> None:
    assert "explorer" not in render([reported(busy())], Style(quiet=True)).split("</style>")[1].split('id="data"')[0]
    assert "1,234" not in render([reported(busy())], Style())
    assert "1,234" in render([reported(busy())], Style(statistics=True))


def test_the_same_report_gives_the_same_bytes(savevm: Report) -> None:
    assert render([savevm], Style()) == render([savevm], Style())
    assert load_format("html") is render


# ---------------------------------------------------------------- for everyone's eyes


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Browser, tmp_path: Path, scheme: str, philosophers: Report) -> None:
    opened = Opened(browser, tmp_path, reported(busy()), philosophers, scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('.explorer').forEach((one) => one.scrollIntoView())")
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    opened.page.locator("#w2 .lines li").first.wait_for()
    for key in ("End", "p", "p"):
        opened.page.locator("#w1 .diagram").press(key)
        opened.page.wait_for_timeout(100)  # the fading of the marked row
        found = opened.page.evaluate(_CONTRASTS)
        assert len(found) > 100
        assert [one for one in found if one[0] < 4.5] == []
    opened.close()


def test_the_toggle_changes_the_theme(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(busy()))
    paper = "getComputedStyle(document.body).backgroundColor"
    light = opened.page.evaluate(paper)
    opened.page.locator("#theme").click()
    dark = opened.page.evaluate(paper)
    opened.page.locator("#theme").click()
    assert dark != light == opened.page.evaluate(paper)
    opened.page.emulate_media(color_scheme="dark")
    assert opened.page.evaluate(paper) == light  # what was chosen stays
    opened.close()


@pytest.mark.parametrize("name", ["t", "a_thread_with_a_very_long_name_of_its_own" * 4])
def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, tmp_path: Path, name: str, savevm: Report) -> None:
    statement = "await " + "x" * 300
    steps = [made_step(1, name, statement, {f"{name}.local": (0, 1)}, (name,) * 9)]
    long = made(steps, {f"{name}.local": 0, f"{name}.status": "running"})
    opened = Opened(browser, tmp_path, reported(long, name=f"invariant.{name}"), savevm, width=390)
    assert opened.page.evaluate("document.documentElement.scrollWidth") == 390
    opened.page.locator("#w2 [data-go=first]").click()
    opened.page.locator("#w2 [data-go=next]").click()
    assert opened.step("w2") == 1
    opened.close()


def test_focus_is_seen_and_everything_has_a_name(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(busy()))
    opened.page.locator("#theme").focus()
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    nameless = "[...document.querySelectorAll('button, select, input, [tabindex], section')].filter((one) => !one.hidden && "
    nameless += "!one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby') && !one.textContent.trim()).length"
    assert opened.page.evaluate(nameless) == 0
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    opened.close()


def test_a_large_witness(browser: Browser, tmp_path: Path) -> None:
    names = [f"worker[{number}]" for number in range(16)]
    start: State = {f"{name}.status": "running" for name in names}
    steps = []
    for number in range(1, 201):
        name = names[(number - 1) // 2 * 7 % 16]
        owner: tuple[ViewValue, ViewValue] = ("none", name) if number % 2 else (name, "none")
        steps.append(made_step(number, name, f"x = {number};", {"x": (number - 1, number), "L.owner": owner}))
    witness = made(steps, start | {"x": 0, "L.owner": "none"})
    opened = Opened(browser, tmp_path, reported(witness))
    opened.page.evaluate("document.querySelector('.explorer').scrollIntoView()")
    for key, step in (("Home", 0), *(("PageDown", 10 * number) for number in range(1, 7)), ("End", 200), ("PageUp", 190)):
        opened.page.locator("#w1 .diagram").press(key)
        assert opened.step() == step
        assert opened.page.evaluate(_IN_VIEW, f"[data-step='{step}'] text:not(.number)")
    assert opened.state() == {key: show(value) for key, value in states(witness)[190].items()}
    opened.close()


# ---------------------------------------------------------------- hostile words


_HOSTILE = "</script><img src=x onerror=alert(1)>\N{LINE SEPARATOR}<!--{{ 7*7 }}'\"&amp;\N{SNOWMAN}"


def test_hostile_words_stay_words(browser: Browser, tmp_path: Path) -> None:
    bad = _HOSTILE
    step = WitnessStep(1, bad, bad, SourceRef(bad, 1), bad, (bad, bad), {f"{bad}.owner": ("none", bad), bad: (bad, bad + bad)}, bad)
    spot = Spot(bad, SourceRef(bad, 1), bad, (bad,))
    why = (Fact(bad, bad, 1), Hop(bad, bad, bad, bad, (bad,), 1, spot), Owed(bad, bad, 1), Loop(1, 1, (bad,)))
    witness = Witness((step,), 0, None, bad, {f"{bad}.status": "running", f"{bad}.owner": "none", bad: bad}, why)
    result = PropertyResult(bad, "invariant", SourceRef(bad, 1), Verdict.VIOLATED, 1, bad, bad, witness, bad)
    report = Report(
        bad, bad, bad, bad, {bad: bad}, None, 0.1, (bad,), (result,), (bad,), {bad: bad}, {bad: bad}, (bad,), (Source(bad, bad),), (bad,)
    )
    opened = Opened(browser, tmp_path, report, report)
    opened.page.locator("#w2 .diagram").press("Home")
    opened.page.locator("#w2 .diagram").press("j")
    opened.page.locator("#w2 .lines li").first.wait_for()
    assert opened.page.locator("img").count() == 0
    assert opened.page.locator("script").count() == 2
    assert opened.page.title().count("<img src=x onerror=alert(1)>") == 2
    said = opened.page.locator("body").inner_text()
    assert "{{ 7*7 }}" in said
    assert "49" not in said
    assert opened.texts("#w1 .explained > p")[0].startswith("</script><img src=x onerror=alert(1)>")
    opened.close()


def test_the_policy_stops_what_is_not_ours(browser: Browser, tmp_path: Path) -> None:
    opened = Opened(browser, tmp_path, reported(busy()))
    image = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" onerror="window.hacked = 1">'
    script = "const one = document.createElement('script'); one.textContent = 'window.hacked = 2'; document.body.append(one);"
    opened.page.evaluate("(image) => document.body.insertAdjacentHTML('beforeend', image)", image)
    opened.page.evaluate(f"() => {{ {script} }}")
    opened.page.wait_for_timeout(100)
    assert opened.page.evaluate("window.hacked") is None
    assert opened.troubles != []
    opened.troubles.clear()
    opened.close()


def test_the_page_is_ascii_and_whole() -> None:
    odd = replace(reported(busy()), title="caf\N{LATIN SMALL LETTER E WITH ACUTE} \ud800", assumptions=("\N{SNOWMAN}",))
    text = render([odd], Style())
    assert text.isascii()
    assert "caf&#233;" in text
    assert not re.search(r"(?:src|href)=.?(?:https?:)?//", text)


def test_json_cannot_end_its_element() -> None:
    written = json_in_html({"<!--</script>&": "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}"})
    assert written == '{"\\u003c!--\\u003c/script\\u003e\\u0026":"\\u2028\\u2029"}'


# Whether something of a diagram is in its box, and not behind the threads' names.
_IN_VIEW = """(selector) => {
  const one = document.querySelector(selector).getBoundingClientRect(), box = document.querySelector('.diagram').getBoundingClientRect();
  const top = document.querySelector('.heads').getBoundingClientRect().bottom;
  return one.top >= top && one.bottom <= box.bottom && one.left >= box.left && one.left < box.right;
}"""

# What a state panel shows, as pairs.
_STATE = """(anchor) => {
  const root = document.getElementById(anchor), found = [];
  for (const row of root.querySelectorAll('.cells tr[data-row]'))
    if (!row.hidden) found.push([row.querySelector('th').textContent, row.querySelector('[data-cell]').textContent]);
  for (const thread of root.querySelectorAll('.thread'))
    found.push([thread.querySelector('b').textContent + '.status', thread.querySelector('[data-cell]').textContent]);
  return found;
}"""

# For every piece of text that is seen: its contrast by WCAG 2, and the text. In a diagram, a row's ground is its band.
_CONTRASTS = """() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const known = new Map();
  const rgb = (colour) => known.get(colour) ?? (known.set(colour, pixel(colour)), known.get(colour));
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (colour) => {
    const [r, g, b] = [...rgb(colour)].slice(0, 3).map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const row = one.closest('.row');
    if (row) {
      const fill = getComputedStyle(row.closest('svg').querySelector(`[data-band="${row.dataset.step}"]`)).fill;
      if (rgb(fill)[3] === 255) return fill;
    }
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (rgb(colour)[3] === 255) return colour;
    }
    return 'white';
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode()); ) {
    const one = node.parentElement, style = getComputedStyle(one);
    if (!node.textContent.trim() || !one.checkVisibility() || one.closest('script, title, option')) continue;
    const ink = one instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(ground(one))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.textContent.trim()]);
  }
  return found;
}"""
