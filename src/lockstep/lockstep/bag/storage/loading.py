"""Loading ahead: reading, decompressing and checksums run in threads beside Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")
_THREADS = 2


def ahead(
    load: Callable[[Item], Loaded], items: Iterable[Item]
) -> Generator[Future[Loaded], None, None]:
    """`load(item)` for each item, in order; at most two are loaded before they are asked for."""
    pending: deque[Future[Loaded]] = deque()
    with ThreadPoolExecutor(_THREADS, "lockstep-bag") as pool:
        try:
            for item in items:
                pending.append(pool.submit(load, item))
                if len(pending) > _THREADS:
                    yield pending.popleft()
            while pending:
                yield pending.popleft()
        finally:
            for future in pending:
                future.cancel()
