"""Dask: a scheduler that is there, and its workers."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from queue import Empty, Queue
from typing import Any

from ..errors import UsageError
from .cluster_workers import engine, knock, said
from .elsewhere import Answer, answer, tool

_PORT = 8786
_TIMEOUT_S = 10
_CORES = "cores"


class DaskCluster:
    """As cluster_workers.Cluster."""

    def __init__(self, host: str, port: int | None) -> None:
        self._host, self._port = host, port or _PORT
        self.name = f"dask://{host}:{self._port}"
        self._distributed = engine("distributed", "distributed")
        self._client: Any = None
        self._ended: Queue[Any] = Queue()

    def connect(self) -> None:
        knock(self._host, self._port)
        for name in ("distributed", "distributed.client", "distributed.core"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._ended = Queue()
        address = f"tcp://{self._host}:{self._port}"
        with self._told():
            self._client = self._distributed.Client(
                address, timeout=_TIMEOUT_S, set_as_default=False
            )
            versions = self._client.get_versions()
        ours = self._of(versions["client"])
        for where, theirs in (("scheduler", versions["scheduler"]), *versions["workers"].items()):
            if theirs is not None and self._of(theirs) != ours:
                raise UsageError(
                    f"{self.name}: {where} has {self._of(theirs)}, and here is {ours}; install the "
                    "same"
                )

    def disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.close(timeout=_TIMEOUT_S)

    def machines(self) -> list[int]:
        with self._told():
            return list(self._client.nthreads().values())

    def start(self, job: bytes, cores: int) -> Any:
        with self._told():
            future = self._client.submit(
                _answer,
                tool(),
                job,
                key=f"lockstep-{uuid.uuid4().hex}",
                pure=False,
                retries=0,
                resources={_CORES: cores} if cores > 1 else None,
            )
            future.add_done_callback(self._ended.put)
            return future

    def ended(self, started: Collection[Any], patience_s: float) -> list[Any]:
        found = []
        with suppress(Empty):
            found.append(self._ended.get(timeout=patience_s))
            while True:
                found.append(self._ended.get_nowait())
        return [future for future in found if future in started]

    def answer(self, started: Any) -> Answer:
        status = started.status
        if status == "finished":
            with self._told():
                found: Answer = started.result()
                return found
        if status == "error":
            error = started.exception()
            if isinstance(error, self._distributed.KilledWorker):
                return "lost", b""
            raise UsageError(f"a worker of {self.name} cannot run a case: {said(error)}") from error
        if self._client.status != "running":
            raise ConnectionError("its scheduler is gone")
        return "lost", b""

    def cancel(self, started: Collection[Any], patience_s: float) -> None:
        with self._told():
            self._client.cancel(list(started), force=True)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever Dask raises where its scheduler is gone becomes a ConnectionError."""
        try:
            yield
        except (ConnectionError, UsageError):
            raise
        except Exception as error:
            if self._client is not None and self._client.status == "running":
                raise
            raise ConnectionError(said(error)) from error

    @staticmethod
    def _of(told: Any) -> str:
        """The versions that have to be the same, in words."""
        names = ("distributed", "dask", "python")
        return ", ".join(f"{name} {told['packages'].get(name)}" for name in names)


def _answer(asked_by: str, job: bytes) -> Answer:
    """On a worker: once for each time that we have started it, though Dask starts again what a
    worker has died of; and only as long as a client wants it."""
    distributed = import_module("distributed")
    worker, client = distributed.get_worker(), distributed.get_client()
    key = worker.get_current_task()
    if client.get_metadata(key, None) is not None:
        return "lost", b""
    client.set_metadata(key, worker.address)

    def is_wanted() -> bool:
        task = worker.state.tasks.get(key)
        return task is not None and task.state == "executing"

    return answer(asked_by, job, is_wanted)
