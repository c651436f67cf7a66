"""The executor of this machine: a process for each call, so many at a time.

In: calls. Out: futures. A server forks the processes (`formal.executor.server`); a thread here listens to it.
"""

from __future__ import annotations

import os
import pickle
import select
from collections.abc import Callable
from concurrent.futures import Executor, Future, InvalidStateError
from contextlib import suppress
from threading import RLock, Thread
from typing import Any

from formal.children import Child, Ended, Tell
from formal.executor.calls import Began, Call, Done, Drop, Lost, Within
from formal.executor.server import Server
from formal.framing import send


class Processes(Executor):
    """`again(number, why)` is called from another thread when a call, the number-th from 0, is tried once more. Make it before there are
    threads: it forks."""

    def __init__(self, jobs: int, again: Callable[[int, str], None] = lambda _number, _why: None) -> None:
        orders, self._orders = os.pipe()
        self._server = Child(_serving(orders, self._orders, jobs))
        os.close(orders)
        self._again = again
        self._lock = RLock()  # over all that follows; a callback may come back here
        self._open = True
        self._count = 0
        self._futures: dict[int, Future[Any]] = {}
        self._listener = Thread(target=self._listen, name="formal-processes", daemon=True)
        self._listener.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Raises RuntimeError after `shutdown`, and what pickle raises."""
        payload = pickle.dumps((fn, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)
        future: Future[Any] = Future()
        with self._lock:
            if not self._open:
                raise RuntimeError("the executor is shut down")
            number, self._count = self._count, self._count + 1
            self._futures[number] = future
            self._send(Call(number, payload, fn.seconds if isinstance(fn, Within) else None))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """No more calls. `cancel_futures`: those that have not begun are not carried out."""
        with self._lock:
            self._open = False
            for number, future in list(self._futures.items()) if cancel_futures else ():
                if future.cancel():
                    future.set_running_or_notify_cancel()
                    self._drop(number)
            self._close_when_done()
        if wait:
            self._listener.join()

    def stop(self) -> None:
        """End everything now; what has no answer yet raises `Lost`."""
        with self._lock:
            self._open = False
            self._close()
        self._listener.join()

    def _drop(self, number: int) -> None:
        self._futures.pop(number, None)
        self._send(Drop(number))

    def _close_when_done(self) -> None:
        if not self._open and not self._futures:
            self._close()

    def _close(self) -> None:
        if self._orders >= 0:
            os.close(self._orders)
            self._orders = -1

    def _send(self, order: Call | Drop) -> None:
        if self._orders >= 0:
            try:
                send(self._orders, order)
            except BrokenPipeError:  # the server is gone: the listener hears of it, too
                self._close()

    def _listen(self) -> None:
        while not self._server.ended:
            select.select([self._server.fd], [], [])
            for value in self._server.receive():
                self._take(value)
        with self._lock:
            self._close()
            left, self._futures = self._futures, {}
        for future in left.values():
            with suppress(InvalidStateError):  # cancelled
                future.set_exception(Lost("its process ended without an answer"))

    def _take(self, value: Began | Done | Ended) -> None:
        match value:
            case Began(number=number, again=None):
                with self._lock:
                    future = self._futures.get(number)
                    if future is not None and not future.set_running_or_notify_cancel():
                        self._drop(number)
                        self._close_when_done()
            case Began(number=number, again=str() as why):
                self._again(number, why)
            case Done(number=number, payload=payload):
                with self._lock:
                    future = self._futures.pop(number, None)
                if future is not None:
                    _settle(future, payload)
                with self._lock:
                    self._close_when_done()
            case Ended():
                pass


def _settle(future: Future[Any], payload: bytes) -> None:
    try:
        returned, answer = pickle.loads(payload)
    except Exception as error:
        returned, answer = False, Lost(f"its answer cannot be read: {error}")
    if returned:
        future.set_result(answer)
    else:
        future.set_exception(answer)


def _serving(orders: int, theirs: int, jobs: int) -> Callable[[Tell], None]:
    def serve(tell: Tell) -> None:
        os.close(theirs)
        Server(orders, jobs, tell).run()

    return serve
