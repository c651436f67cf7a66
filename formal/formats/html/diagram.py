"""The sequence diagram of a witness: threads as lifelines from left to right, steps from top to bottom, a row a step.

In: a witness and what happens in it. Out: a `Diagram` of shapes with coordinates in CSS pixels, for a template to spell as SVG. Text is
laid out for a monospaced font whose advance is at most `CHAR`. A row belongs to one thread, so its text may run on over the lifelines to
its right; what links two rows runs on the left of the thread's line, where no text is, down through lanes in the margin.
"""

from __future__ import annotations

from collections.abc import Iterable

from formal.formats.html.happenings import Effect, Happenings, Hold, Link
from formal.formats.html.shapes import CHAR, Bar, Diagram, Head, Line, Piece, Row, cross, lanes, right
from formal.formats.html.words import NAME, STATEMENT, begun, place_words, shortened, waits
from formal.verdict import Hop, Witness, WitnessStep

_ROW, _PLACE, _GAP, _FOOT = 19.0, 15.0, 5.0, 20.0
_BAR, _LANE = 6.0, 8.0
_NUMBERS = 34.0  # for the steps' numbers
_WIDTH, _ROOM = 680.0, 290.0  # of all that should be seen at once, and of the last column
_LEAST, _MOST = 76.0, 190.0  # distance between two lifelines


def diagram(witness: Witness, found: Happenings, threads: Iterable[str], prop: str) -> Diagram:
    """All of it. `threads`: every thread of the model, in its order."""
    return _Layout(witness, found, tuple(threads), prop).draw()


class _Layout:
    def __init__(self, witness: Witness, found: Happenings, threads: tuple[str, ...], prop: str) -> None:
        self.witness, self.found, self.prop = witness, found, prop
        self.made = Diagram()
        shown = {step.thread for step in witness.steps} | {spawn.target for spawn in found.spawns}
        self.waiting = [why for why in witness.why if isinstance(why, Hop)]
        shown |= {hop.thread for hop in self.waiting if hop.spot is not None}
        self.threads = [name for name in threads if name in shown]
        self.made.still = tuple(name for name in threads if name not in shown)
        self.locks = {name: number for number, name in enumerate(found.locks)}
        self.hold_lanes = lanes((hold.thread, hold.start, hold.end) for hold in found.holds)
        self.linked = [link for link in found.links if link.kind == "bh" or link.end is not None]
        self.link_lanes = lanes(("", link.start, link.end) for link in self.linked)
        self.y: dict[int, float] = {}
        self.x = self._columns()

    def draw(self) -> Diagram:
        made = self.made
        self._rows()
        bottom = made.rows[-1].top + made.rows[-1].height if made.rows else 0.0
        self.bottom = self._end_rows(bottom)
        made.height = self.bottom + 6
        made.heads = [Head(x, shortened(name, int(self.distance / CHAR) - 1), name) for name, x in self.x.items()]
        for name in self.threads:
            self._lifeline(name)
        self._active()
        self._bars()
        for number, link in enumerate(self.linked):
            self._link(link, self.link_lanes[number])
        self._spawns()
        self._loop()
        made.width = max([_WIDTH, *(right(row) + 14 for row in made.rows)])
        return made

    # ---------------------------------------------------------------- columns and rows

    def _columns(self) -> dict[str, float]:
        loop = 14.0 if self.witness.loop_to is not None else 0.0
        self.made.numbers_x = loop + _NUMBERS - 6
        self.lanes_x = loop + _NUMBERS + 8
        self.lanes_right = self.lanes_x + _LANE * (max(self.link_lanes, default=-1) + 1)
        left = self.lanes_right + 14
        gaps = max(1, len(self.threads) - 1)
        longest = max((len(name) for name in self.threads), default=0) * CHAR + 14
        self.distance = max(_LEAST, min((_WIDTH - left - _ROOM) / gaps, _MOST, max(longest, 132.0)))
        if len(self.threads) == 1:
            self.distance = max(longest, _LEAST)
        return {name: left + number * self.distance for number, name in enumerate(self.threads)}

    def _text_x(self, thread: str) -> float:
        mine = [lane for hold, lane in zip(self.found.holds, self.hold_lanes, strict=True) if hold.thread == thread]
        return self.x[thread] + 9 + _BAR * (max(mine, default=-1) + 1)

    def _rows(self) -> None:
        first = self.made.numbers_x + 12
        start = (Piece("before the first step", "dim"),)
        self.made.rows.append(Row(0, 0.0, _ROW, _ROW / 2, first, first, (), start, "before the first step", "start"))
        y, where = _ROW + 2, dict[str, str]()
        spawning = {spawn.step for spawn in self.found.spawns}
        before: WitnessStep | None = None
        for step in self.witness.steps:
            gap = _GAP if before is not None and before.thread != step.thread else 0.0
            place = step.c_source or (step.stack[-1] if step.stack else step.thread)
            changed = where.get(step.thread, step.thread) != place
            where[step.thread] = place
            height = gap + _ROW + (_PLACE if changed else 0.0)
            self.y[step.step] = y + height - _ROW / 2
            height += _GAP if step.step in spawning else 0.0  # its arrow runs below the text
            self.made.rows.append(self._row(step, y, height, place_words(place) if changed else ()))
            y += height
            before = step

    def _row(self, step: WitnessStep, top: float, height: float, place: tuple[Piece, ...]) -> Row:
        effects = self.found.effects.get(step.step, [])
        text = [Piece(begun(step.statement))]
        text += [Piece(shortened(effect.text, NAME), "effect", self._colour(effect)) for effect in effects]
        label = f"step {step.step}, {step.thread}: {step.statement}"
        if step.c_source:
            label += f", in {step.c_source}"
        if effects:
            label += f" [{'; '.join(effect.text for effect in effects)}]"
        keys = self.witness.key_steps
        kind = "" if not keys or step.step in keys else "minor"
        if step.step == len(self.witness.steps) and self.witness.loop_to is None:
            kind = "last"
        x = self.x[step.thread]
        return Row(step.step, top, height, self.y[step.step], x, self._text_x(step.thread), place, tuple(text), label, kind)

    def _colour(self, effect: Effect) -> int | None:
        return None if effect.lock is None else self.locks.get(effect.lock)

    def _end_rows(self, y: float) -> float:
        """What is said below the last step: the violation, or the way back, and who waits for what."""
        last = self.witness.steps[-1] if self.witness.steps else None
        x = self.x[last.thread] if last is not None else self.made.numbers_x + 12
        loop = self.witness.loop_to
        if loop is not None:
            stays = loop == len(self.witness.steps)
            words = "no thread can move any more" if stays else f"back to step {loop + 1}, again and again"
            x = self.made.numbers_x + 12 if stays else self.made.numbers_x + 4
            y = self._end_row(y, x, Piece(words, "back"), words)
        text_x = self._text_x(last.thread) if last is not None and loop is None else self.made.numbers_x + 12
        y = self._end_row(y, text_x, Piece(f"\N{MULTIPLICATION SIGN} {self.prop}", "bad"), f"{self.prop} is violated")
        for hop in self.waiting:
            if hop.spot is not None:
                words = waits(hop, hop.spot)
                here = self.x[hop.thread]
                self.made.lines.append(cross(here, y + _FOOT / 2, f"{hop.thread} {words}"))
                piece = Piece(shortened(words, STATEMENT), "blocked")
                y = self._end_row(y, self._text_x(hop.thread), piece, f"{hop.thread} {words}")
        pending = ", ".join(dict.fromkeys(link.name for link in self.linked if link.end is None))
        if pending:
            words = f"still pending: {pending}"
            y = self._end_row(y, self.lanes_right + 4, Piece(shortened(words, 2 * STATEMENT), "dim"), words)
        return y

    def _end_row(self, y: float, x: float, piece: Piece, label: str) -> float:
        self.made.rows.append(Row(None, y, _FOOT, y + _FOOT / 2, x, x, (), (piece,), label, "end"))
        return y + _FOOT

    # ---------------------------------------------------------------- threads

    def _lifeline(self, name: str) -> None:
        x = self.x[name]
        spawned = next((spawn.step for spawn in self.found.spawns if spawn.target == name), None)
        start = 0.0 if spawned is None else self.y[spawned]
        end = self.y.get(self.found.finished.get(name, 0), self.bottom)
        if start:
            self.made.lines.append(Line(f"M{x:g} 0V{start:g}", "unborn", f"{name} is not spawned"))
        self.made.lines.append(Line(f"M{x:g} {start:g}V{end:g}", "life", name))
        if end < self.bottom:
            self.made.lines.append(Line(f"M{x - 4:g} {end + 5:g}h8M{x:g} {end:g}v5", "stop", f"{name} has finished"))

    def _active(self) -> None:
        """A thicker line while a thread moves and no other does."""
        first = last = None
        for step in (*self.witness.steps, None):
            if last is not None and first is not None and (step is None or step.thread != last.thread):
                x = self.x[last.thread]
                self.made.lines.append(
                    Line(f"M{x:g} {self.y[first.step] - 6:g}V{self.y[last.step] + 6:g}", "moves", f"{last.thread} moves")
                )
                first = step
            first = first or step
            last = step

    def _spawns(self) -> None:
        for spawn in self.found.spawns:
            here, there, y = self.x[spawn.source], self.x[spawn.target], self.y[spawn.step] + _ROW / 2 + 1
            label = f"{spawn.source} spawns {spawn.target} at step {spawn.step}"
            if here != there:
                way = 1 if there > here else -1
                self.made.lines.append(Line(f"M{here:g} {y - 8:g}V{y:g}H{there - 3 * way:g}", "spawn", label, (there - 2 * way, y, way)))

    # ---------------------------------------------------------------- what lasts

    def _bars(self) -> None:
        for hold, lane in zip(self.found.holds, self.hold_lanes, strict=True):
            if hold.thread in self.x:
                self.made.bars.append(self._bar(hold, self.x[hold.thread] + 4 + lane * _BAR))
        for run in self.found.runs:
            start, end = self.y[run.start], self.bottom if run.end is None else self.y[run.end] + 6
            label = f"{run.thread} runs {run.name}, from step {run.start}{'' if run.end is None else f' to {run.end}'}"
            self.made.bars.append(Bar(self.x[run.thread] - 7, start, end - start, None, False, run.end is None, label))

    def _bar(self, hold: Hold, x: float) -> Bar:
        start = self.y[hold.start] if hold.start else 0.0
        end = self.bottom if hold.end is None else self.y[hold.end]
        span = f"from step {hold.start}" + ("" if hold.end is None else f" to {hold.end}")
        label = f"{hold.thread} {'reads' if hold.reading else 'holds'} {hold.lock}, {span}"
        return Bar(x, start, end - start, self.locks[hold.lock], hold.reading, hold.end is None, label)

    def _link(self, link: Link, lane: int) -> None:
        """From where it was put down left to its lane, down, and right to where it was taken up."""
        lane_x, start, here = self.lanes_x + lane * _LANE, self.y[link.start], self.x[link.source]
        verb = "scheduled" if link.kind == "bh" else "posted"
        label = f"{link.name}: {verb} by {link.source} at step {link.start}"
        if link.end is None or link.target is None:
            path = f"M{here:g} {start:g}H{lane_x + 4:g}q-4 0 -4 4V{self.bottom:g}"
            self.made.lines.append(Line(path, link.kind, f"{label}, still pending at the end"))
            return
        end, there = self.y[link.end], self.x[link.target]
        label += f", {'run' if link.kind == 'bh' else 'taken'} by {link.target} at step {link.end}"
        path = f"M{here:g} {start:g}H{lane_x + 4:g}q-4 0 -4 4V{end - 4:g}q0 4 4 4H{there - 9:g}"
        self.made.lines.append(Line(path, link.kind, label, (there - 4, end, 1)))

    def _loop(self) -> None:
        loop = self.witness.loop_to
        if loop is None or loop == len(self.witness.steps):
            return
        top, bottom = self.y[loop + 1], self.y[len(self.witness.steps)] + _ROW
        path = f"M16 {bottom:g}H6q-4 0 -4 -4V{top + 4:g}q0 -4 4 -4H9"
        self.made.lines.append(Line(path, "loop", f"steps {loop + 1} to {len(self.witness.steps)} repeat", (14, top, 1)))
