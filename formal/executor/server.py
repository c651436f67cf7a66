"""A process with one thread that forks a child for each call, since a process with threads must not fork.

In: `Call`s and `Drop`s, through a pipe. Out: `Began` and `Done`, told. When the pipe is closed, every child is ended and so is the server.
"""

from __future__ import annotations

import os
import pickle
import select
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from formal.children import Child, Ended, Tell
from formal.executor.calls import TRIES, Began, Call, Done, Drop, Lost, Overdue
from formal.framing import Inbox

_TICK: Final = 0.2  # seconds between looks at the clock


@dataclass(slots=True)
class _Work:
    """A call at work."""

    call: Call
    tries: int
    since: float
    answer: bytes | None = None


class Server:
    """Carries out so many calls at a time, in the order in which they came."""

    def __init__(self, fd: int, jobs: int, tell: Tell) -> None:
        self.inbox = Inbox(fd)
        self.jobs = jobs
        self.tell = tell
        self.queue: list[Call] = []
        self.working: dict[Child, _Work] = {}

    def run(self) -> None:
        """Until the pipe is closed."""
        try:
            while not self.inbox.closed:
                self._fill()
                ready = set(select.select([self.inbox.fd, *(child.fd for child in self.working)], [], [], _TICK)[0])
                for child in [child for child in self.working if child.fd in ready]:
                    self._hear(child)
                if self.inbox.fd in ready:
                    for order in self.inbox.receive():
                        self._obey(order)
                self._look_at_the_clock()
        finally:
            for child in self.working:
                child.end()

    def _obey(self, order: Call | Drop) -> None:
        if isinstance(order, Call):
            self.queue.append(order)
            return
        self.queue = [call for call in self.queue if call.number != order.number]
        for child in [child for child, work in self.working.items() if work.call.number == order.number]:
            child.end()
            del self.working[child]

    def _fill(self) -> None:
        while self.queue and len(self.working) < self.jobs:
            self._start(_Work(self.queue.pop(0), 1, time.monotonic()), None)

    def _start(self, work: _Work, again: str | None) -> None:
        self.working[Child(_carried_out(work.call.payload, self.inbox.fd), list(self.working))] = work
        self.tell(Began(work.call.number, again))

    def _hear(self, child: Child) -> None:
        work = self.working[child]
        for value in child.receive():
            match value:
                case bytes():
                    work.answer = value
                case Ended(crash=crash):
                    del self.working[child]
                    self._end(work, crash)

    def _end(self, work: _Work, crash: str | None) -> None:
        if work.answer is not None:
            self.tell(Done(work.call.number, work.answer))
        elif work.tries < TRIES:
            again = f"its process was {crash}" if crash and crash.startswith("killed") else "its process ended without an answer"
            self._start(_Work(work.call, work.tries + 1, time.monotonic()), again)
        else:
            self.tell(Done(work.call.number, _raised(Lost(f"{crash or 'its process ended without an answer'}, {TRIES} times"))))

    def _look_at_the_clock(self) -> None:
        now = time.monotonic()
        for child, work in list(self.working.items()):
            if work.call.seconds is not None and now - work.since > work.call.seconds:
                child.end()
                del self.working[child]
                self.tell(Done(work.call.number, _raised(Overdue(f"ended from outside after {now - work.since:.0f} s"))))


def _carried_out(payload: bytes, orders: int) -> Callable[[Tell], None]:
    def work(tell: Tell) -> None:
        os.close(orders)  # the server's alone
        tell(answer_to(payload))

    return work


def answer_to(payload: bytes) -> bytes:
    """A call's end, for `Done`. Whatever it raises is part of the answer."""
    try:
        function, arguments, named = pickle.loads(payload)
        return pickle.dumps((True, function(*arguments, **named)), protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        error.add_note(traceback.format_exc())
        return _raised(error)


def _raised(error: Exception) -> bytes:
    try:
        data = pickle.dumps((False, error), protocol=pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # some can be written and not be read
    except Exception:
        return pickle.dumps((False, Lost("".join(traceback.format_exception(error)))), protocol=pickle.HIGHEST_PROTOCOL)
    return data
