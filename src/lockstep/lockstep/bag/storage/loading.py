"""Loading ahead: reading, decompressing and checksums run in threads beside Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
_THREADS = 2


def ahead(
    load: Callable[[Item], Loaded], items: Iterable[Item], is_work: Callable[[Item], bool]
) -> Generator[Callable[[], Loaded], None, None]:
    """What gives `load(item)` for each item, in order;
    at most two are loaded before they are asked for.

    Items that are no work but only to be read are loaded when they are asked for: memory that a
    thread asks for is not that which was just given back, so that the system must find new pages,
    which takes longer than reading.
    """
    pending: deque[Future[Loaded] | partial[Loaded]] = deque()
    with ThreadPoolExecutor(_THREADS, "lockstep-bag") as pool:
        try:
            for item in items:
                pending.append(pool.submit(load, item) if is_work(item) else partial(load, item))
                if len(pending) > _THREADS:
                    yield _result(pending.popleft())
            while pending:
                yield _result(pending.popleft())
        finally:
            for loading in pending:
                if isinstance(loading, Future):
                    loading.cancel()


def _result(loading: Future[Loaded] | partial[Loaded]) -> Callable[[], Loaded]:
    return loading.result if isinstance(loading, Future) else loading
