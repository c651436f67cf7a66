"""Drawings: what they say, that they are well-formed whatever a model is called, and that nothing overlaps."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tools import Told

from formal.drawings.deeds import deeds
from formal.drawings.flow import flow, flows
from formal.drawings.graph import Edge, Line, Node, Picture
from formal.drawings.labels import place_labels
from formal.drawings.layout import downwards, lay_out
from formal.drawings.mermaid import mermaid
from formal.drawings.painting import paint
from formal.drawings.text import text
from formal.drawings.waits import tones, waits
from formal.frontend import load, load_text
from formal.outline import reachable
from formal.program import Program

MODELS = Path(__file__).resolve().parent.parent / "models"
SOME = (
    "savevm_locked",
    "multifd_sync_locked",
    "classic/philosophers_naive",
    "classic/bounded_buffer_signal",
    "classic/readers_writer_builtin",
)
SVG = "{http://www.w3.org/2000/svg}"


def program(body: str) -> Program:
    """A program, from its declarations."""
    loaded = load_text(f"protocol p;\nbool wrong; invariant fine: !wrong;\n{body}")
    assert loaded.program is not None, [diagnostic.render() for diagnostic in loaded.diagnostics]
    return loaded.program


def drawn(found: Program, name: str) -> str:
    """The flow of one body as text, without its heading."""
    body = next(body for body in reachable(found) if body.name == name)
    return text([flow(found, body)]).partition("\n")[2]


def said(found: Program) -> set[str]:
    """The deeds as sentences."""
    return {f"{deed.actor} {deed.verb} {deed.object}" + (f" holding {', '.join(deed.held)}" if deed.held else "") for deed in deeds(found)}


# ---------------------------------------------------------------- control flow


def test_straight_lines_are_one_box_with_brackets() -> None:
    found = program("mutex A; mutex B; thread t { skip; lock A; with B { skip; } unlock A; skip; }")
    assert drawn(found, "t").splitlines() == [
        "          skip",
        "       /  lock A",
        "       |/ with B {",
        "       ||   skip",
        "       |\\ }",
        "       \\  unlock A",
        "          skip",
    ]


def test_branches_loops_and_ways_out() -> None:
    found = program(
        """bool x;
        thread t { loop { if (x) { break; } else { while (x) { x = false; continue; } } choose { skip; } or { return; } } x = true; }"""
    )
    picture = flows(found)[0]
    edges = {(edge.source, edge.label, edge.tone) for edge in picture.edges}
    heads = {node.id: node.lines[0].text for node in picture.nodes}
    named = {(heads[edge.source], edge.label, heads[edge.target]) for edge in picture.edges}
    assert named == {
        ("start", "", "loop"),
        ("loop", "", "if (x)"),
        ("if (x)", "yes", "x = true"),
        ("if (x)", "no", "while (x)"),
        ("while (x)", "yes", "x = false"),
        ("x = false", "", "while (x)"),
        ("while (x)", "no", "choose"),
        ("choose", "or 1", "skip"),
        ("choose", "or 2", "end"),
        ("skip", "", "loop"),
        ("x = true", "", "end"),
    }
    assert sum(tone == "back" for _, _, tone in edges) == 2


def test_what_nobody_gets_to_is_not_drawn() -> None:
    found = program("thread t { loop { skip; } }")
    assert "end" not in [line.text for node in flows(found)[0].nodes for line in node.lines]


def test_an_atomic_is_shown_whole() -> None:
    found = program("mutex A; bool x; thread t { atomic { with A { if (x) { x = false; } else { choose { skip; } or { x = true; } } } } }")
    assert [line.strip() for line in drawn(found, "t").splitlines()] == [
        "atomic {",
        "/   with A {",
        "|     if (x) {",
        "|       x = false",
        "|     } else {",
        "|       choose {",
        "|         skip",
        "|       } or {",
        "|         x = true",
        "|       }",
        "|     }",
        "\\   }",
        "}",
    ]


def test_a_call_that_takes_a_lock_holds_it_behind() -> None:
    found = program("mutex A; proc take() { lock A; } proc give() { unlock A; } thread t { take(); skip; give(); skip; }")
    (box,) = next(one for one in flows(found) if one.title == "thread t").nodes
    assert [(line.text, line.held) for line in box.lines] == [("take()", ()), ("skip", ("A",)), ("give()", ("A",)), ("skip", ())]
    assert box.lines[0].target == "flow-take"


def test_what_is_required_is_held_from_the_start() -> None:
    found = program("mutex A; proc p() requires holds(A) && !wrong { skip; } thread t { lock A; p(); unlock A; }")
    (box,) = next(one for one in flows(found) if one.title == "proc p").nodes
    assert [line.held for line in box.lines] == [("A",), ("A",)]


def test_what_is_not_used_and_what_does_nothing_is_left_out() -> None:
    found = program("proc unused() { skip; } proc nothing() { } thread t { nothing(); skip; }")
    assert [picture.title for picture in flows(found)] == ["thread t"]


# ---------------------------------------------------------------- who waits for whom


def test_locks_held_meanwhile_go_through_calls_branches_and_loops() -> None:
    found = program("""
        mutex A; mutex B; mutex C[2]; bool x; sem S max 1 = 0;
        proc take(ref mutex m) { lock m; }
        thread t {
            if (x) { take(A); } else { skip; }
            lock C[0];
            if (x) { unlock A; return; }
            post S;
            loop { lock B; if (x) { break; } unlock B; }
            wait S;
        }
    """)
    assert said(found) == {
        "t takes A",
        "t takes C[*] holding A",
        "t posts S holding A, C[*]",
        "t takes B holding A, C[*]",
        "t waits for S holding A, B, C[*]",
    }


def test_every_way_out_counts() -> None:
    found = program("""
        mutex A; mutex B; mutex C; bool x; sem S max 1 = 0; sem T max 1 = 0;
        proc early() { lock C; if (x) { return; } unlock C; }
        thread t { loop { with A { if (x) { break; } } } post S; }
        thread u { loop { post S; lock B; } }
        thread v { early(); post T; }
    """)
    assert said(found) == {
        "t takes A",
        "t posts S",
        "u posts S",
        "u posts S holding B",
        "u takes B",
        "u takes B holding B",
        "v takes C",
        "v posts T holding C",
    }


def test_every_kind_of_deed() -> None:
    found = program("""
        mutex L; rwlock R; sem S max 1 = 0; event E; cond C; context X home main; bh b on X { lock L; }
        thread main { loop { poll X; aio_wait_while X (wrong); } }
        thread w { rdlock R; wait E; lock L; wait C with L; unlock L; await pending(X) || count(S) > 0; poll X blocking; join h; }
        thread h { set E; reset E; signal C; schedule b; post S; with L { broadcast C; } }
        thread s { spawn h; }
    """)
    assert said(found) == {
        "main polls X",
        "main waits in X",
        "b takes L",
        "w takes R",
        "w waits for E holding R",
        "w takes L holding R",
        "w waits for C holding R",
        "w waits for X holding R",
        "w waits for S holding R",
        "w waits in X holding R",
        "w joins h holding R",
        "h sets E",
        "h resets E",
        "h wakes C",
        "h wakes C holding L",
        "h schedules b",
        "h posts S",
        "h takes L",
        "s spawns h",
    }


def test_the_graph_has_the_order_of_locks_and_who_ends_waits() -> None:
    found = program(
        "mutex A; mutex B; sem S max 1 = 0; thread t { with A { with B { wait S; } } } thread u { post S; } thread idle { skip; }"
    )
    picture = waits(found)
    edges = {(edge.source, edge.tone, edge.target): edge.label for edge in picture.edges}
    assert edges == {
        ("t", "asks", "A"): "takes",
        ("t", "asks", "B"): "takes",
        ("t", "asks", "S"): "waits for, holding A, B",
        ("S", "helps", "u"): "posted by",
        ("A", "order", "B"): "held while t takes it",
    }
    assert {node.id for node in picture.nodes} == {"A", "B", "S", "t", "u", "idle"}
    assert "    waits for S, holding A, B" in text([picture]).splitlines()


def test_recursion_and_any_order_come_to_an_end() -> None:
    found = program("""
        mutex A; bool x; nesting 3; hook H;
        callback c for H { with A { skip; } } callback d for H { r(); }
        proc r() { if (x) { lock A; r(); } }
        thread t { invoke any H; r(); }
    """)
    assert "t takes A" in said(found)
    assert len(flows(found)) == 4


# ---------------------------------------------------------------- the three formats


@pytest.mark.parametrize("name", SOME)
def test_models_are_drawn_without_overlaps(name: str) -> None:
    found = load(str(MODELS / f"{name}.dsl")).program
    assert found is not None
    graph = waits(found)
    pictures = [graph, *flows(found)]
    tree = ElementTree.fromstring(paint("title", pictures, {graph.id: tones(graph)}))
    links = {link.get("href", "") for link in tree.iter(f"{SVG}a")}
    ids = {f"#{group.get('id')}" for group in tree.iter(f"{SVG}g")}
    assert links <= ids
    for picture in pictures:
        sizes = {node.id: (20.0 + 7 * max(len(line.text) for line in node.lines), 20.0 * len(node.lines)) for node in picture.nodes}
        laid = lay_out(picture, sizes, (30.0, 40.0))
        boxes = [(x - sizes[one][0] / 2, y - sizes[one][1] / 2, *sizes[one]) for one, (x, y) in laid.centres.items()]
        for number, (x, y, w, h) in enumerate(boxes):
            assert -1 <= x <= laid.width + 1
            assert y + h <= laid.height + 1
            for ox, oy, ow, oh in boxes[:number]:
                assert x >= ox + ow - 1 or ox >= x + w - 1 or y >= oy + oh - 1 or oy >= y + h - 1, (picture.title, number)
        assert sum(len(arrow.edges) for arrow in laid.arrows) == len(picture.edges)
        assert all(label.x >= 0 for label in place_labels(laid, sizes, 7.0))


HOSTILE = '<script>alert("1")</script> & "]] --> `x` #quot; \x1b[2J |%'


def hostile() -> Picture:
    """A picture in which every text is hostile."""
    box, other = Node("a", "plain", (Line(HOSTILE, held=(HOSTILE,), target="b"),)), Node("b", "test", (Line(HOSTILE), Line("")))
    return Picture("waits", HOSTILE, HOSTILE, (box, other), (Edge("a", "b", HOSTILE), Edge("b", "a"), Edge("b", "b", "self")))


def test_whatever_a_model_says_is_text_in_svg() -> None:
    svg = paint(HOSTILE, [hostile()], {"waits": (("asks", HOSTILE),)})
    tree = ElementTree.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in tree.iter()}.isdisjoint({"script", "image", "foreignObject"})
    assert any("<script>" in (element.text or "") for element in tree.iter(f"{SVG}text"))
    assert "\x1b" not in svg
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in svg


def test_whatever_a_model_says_is_text_in_mermaid() -> None:
    chart = mermaid([hostile()])
    assert "<script" not in chart
    assert "\x1b" not in chart
    for line in chart.splitlines():
        quoted = re.findall(r'"([^"]*)"', line)
        assert line.count('"') == 2 * len(quoted)
        assert all(re.fullmatch(r"(?:[\w _.,:/\-\u2502\u250c\u2514]|#\d+;|<br/>|&nbsp;)*", one) for one in quoted), line
    assert "#60;script#62;" in chart


def test_a_terminal_is_safe_from_text() -> None:
    assert "\x1b" not in text([hostile()])


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.tuples(st.just(n), st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=25))
    )
)
def test_any_graph_is_laid_out(graph: tuple[int, list[tuple[int, int]]]) -> None:
    number, pairs = graph
    names = [f"n{one}" for one in range(number)]
    edges = tuple(Edge(f"n{source}", f"n{target}") for source, target in pairs)
    links = downwards(names, [(edge.source, edge.target) for edge in edges])
    order = {name: place for place, name in enumerate(_sorted(names, links))}
    assert all(order[source] < order[target] for source, target in links)
    assert {frozenset(link) for link in links} == {frozenset((one.source, one.target)) for one in edges if one.source != one.target}
    picture = Picture("p", "t", "", tuple(Node(name, "plain", (Line(name),)) for name in names), edges)
    laid = lay_out(picture, dict.fromkeys(names, (40.0, 20.0)), (30.0, 30.0))
    assert set(laid.centres) == set(names)
    assert len(set(laid.centres.values())) == number
    assert sum(len(arrow.edges) for arrow in laid.arrows) == len(edges)
    assert all(len(arrow.points) >= 2 for arrow in laid.arrows)


def _sorted(names: list[str], links: list[tuple[str, str]]) -> list[str]:
    """The names so that all links lead forward; raises IndexError where there is a circle."""
    rest, ordered = list(names), []
    while rest:
        free = [name for name in rest if not any(target == name and source in rest for source, target in links)]
        ordered.append(free[0])
        rest.remove(free[0])
    return ordered


# ---------------------------------------------------------------- the command

ABBA = str(MODELS / "classic" / "abba.dsl")


def test_what_is_asked_for_is_shown(told: Told, tmp_path: Path) -> None:
    code, both, _ = told("show", ABBA)
    assert code == 0
    assert both == told("show", ABBA, "--what", "waits")[1] + "\n" + told("show", ABBA, "--what", "flow")[1]
    one = told("show", ABBA, "--body", reachable_name())[1]
    assert one.rstrip() in both
    assert told("show", ABBA, "--to", "mermaid", "--what", "waits")[1].startswith("flowchart TD\n")
    assert "```mermaid\nflowchart TD" in told("show", ABBA, "--to", "mermaid")[1]
    for name, start in (("d.svg", "<svg "), ("d.mmd", "flowchart"), ("d.txt", "abba")):
        target = tmp_path / name
        assert told("show", ABBA, "--what", "waits", "-o", str(target))[:2] == (0, "")
        assert target.read_text().startswith(start)


def reachable_name() -> str:
    """Some body of ABBA."""
    found = load(ABBA).program
    assert found is not None
    return reachable(found)[0].name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "png"], "unknown --to `png`"),
        (["--what", "all"], "unknown --what `all`"),
        (["--body", "nobody"], "no thread comes to a body `nobody`"),
        (["--body", "x", "--what", "waits"], "--body goes with --what flow"),
        (["-o", ABBA], "that is a model"),
    ],
)
def test_bad_usage_is_exit_2(told: Told, words: list[str], message: str) -> None:
    code, out, err = told("show", ABBA, *words)
    assert (code, out) == (2, "")
    assert message in err
