"""Ray: a cluster that is there, or one on this machine that ends with the suite."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict

from ..errors import UsageError
from ..run.strays import end_adopted
from ..strict_yaml import StrictModel, read_yaml
from .cluster_workers import CONNECT_S, engine, knock, said
from .elsewhere import Answer, answer, tool

_PACKAGE = "ray[client]"
_CLIENT_PORT = 10001
_STORE_BYTES = 80_000_000  # of a Ray on this machine; the least that it takes
_ADDRESS = "RAY_ADDRESS"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _RuntimeEnv(StrictModel):
    """What workers get before they run anything, which Ray knows all about."""

    model_config = ConfigDict(extra="allow")


class RayCluster:
    """As cluster_workers.Cluster; without a URL the one that RAY_ADDRESS names, as for whoever is
    a job of Ray itself, or else one of this machine, with so many cores."""

    def __init__(self, url: str | None, jobs: int | None, runtime_env: Path | None) -> None:
        self.name = url or os.environ.get(_ADDRESS) or "Ray on this machine"
        self._url, self._jobs = url, jobs
        self._runtime_env: dict[str, Any] | None = None
        if runtime_env is not None:
            self._runtime_env = read_yaml(
                runtime_env, _RuntimeEnv, "a runtime environment of Ray"
            ).model_dump()
        self._ray = engine("ray", _PACKAGE)
        self._remote: Any = None

    def connect(self) -> None:
        logging.getLogger("ray").setLevel(logging.CRITICAL)  # what goes wrong is raised as well
        options: dict[str, Any] = {"logging_level": logging.CRITICAL, "log_to_driver": False}
        if self._runtime_env is not None:
            options["runtime_env"] = self._runtime_env
        if self._url is not None:
            self._knock()
            options["address"] = self._url
        elif not os.environ.get(_ADDRESS):
            os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
            options |= {
                "address": "local",
                "num_cpus": self._jobs or len(os.sched_getaffinity(0)),
                "include_dashboard": False,
                "object_store_memory": _STORE_BYTES,
            }
        with _handlers_kept(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self._init(options)
            except (ConnectionError, UsageError):
                raise
            except Exception as error:
                if self._url is None:
                    end_adopted()  # what has started of it, which Ray has lost sight of
                raise UsageError(f"{self.name} cannot be used: {said(error)}") from error
        self._remote = self._ray.remote(max_retries=0)(answer)

    def _init(self, options: dict[str, Any]) -> None:
        """As ray.init, once more where a busy head took too long to start what serves a client."""
        try:
            self._ray.init(**options)
        except ConnectionError as error:
            if "Initialization failure" not in str(error):
                raise
            self._ray.shutdown()
            self._ray.init(**options)

    def _knock(self) -> None:
        """Raises ConnectionError sooner than Ray where nobody speaks its protocol."""
        parts = urlsplit(self._url or "")
        host, port = parts.hostname or "", parts.port or _CLIENT_PORT
        knock(host, port)
        if os.environ.get("RAY_USE_TLS", "0").lower() in ("0", "false"):
            grpc = engine("grpc", _PACKAGE)
            with grpc.insecure_channel(f"{host}:{port}") as channel:
                try:
                    grpc.channel_ready_future(channel).result(timeout=CONNECT_S)
                except grpc.FutureTimeoutError:
                    raise ConnectionError("who listens there is no Ray") from None

    def disconnect(self) -> None:
        with suppress(Exception), _handlers_kept():
            self._ray.shutdown()

    def machines(self) -> list[int]:
        with self._told():
            nodes = self._ray.nodes()
        found = [int(node["Resources"].get("CPU", 0)) for node in nodes if node["Alive"]]
        return [cores for cores in found if cores]

    def start(self, job: bytes, cores: int) -> Any:
        with self._told():
            return self._remote.options(num_cpus=cores).remote(tool(), job)

    def ended(self, started: Collection[Any], patience_s: float) -> list[Any]:
        with self._told():
            ready: list[Any] = list(started)
            if ready:
                ready, rest = self._ray.wait(ready, num_returns=1, timeout=patience_s)
                if ready and rest:
                    ready += self._ray.wait(rest, num_returns=len(rest), timeout=0)[0]
            return ready

    def answer(self, started: Any) -> Answer:
        errors = self._ray.exceptions
        with self._told():
            try:
                found: Answer = self._ray.get(started)
                return found
            except (errors.RayTaskError, errors.RuntimeEnvSetupError) as error:
                told = said(getattr(error, "cause", None) or error)
                raise UsageError(f"a worker of {self.name} cannot run a case: {told}") from error
            except errors.RayError:
                return "lost", b""

    def cancel(self, started: Collection[Any], patience_s: float) -> None:
        with self._told():
            for each in started:
                self._ray.cancel(each, force=False)
            self._ray.wait(list(started), num_returns=len(started), timeout=patience_s)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Whatever Ray raises where its head is gone becomes a ConnectionError."""
        try:
            yield
        except (ConnectionError, UsageError):
            raise
        except ImportError as error:
            raise UsageError(f"the workers of {self.name} lack a module: {said(error)}") from error
        except Exception as error:
            # A head that was restarted knows nothing of what its client asks it, which still takes
            # itself for connected.
            asked_in_vain = isinstance(error, engine("grpc", _PACKAGE).RpcError)
            if self._ray.is_initialized() and not asked_in_vain:
                raise
            raise ConnectionError(said(error)) from error


@contextmanager
def _handlers_kept() -> Iterator[None]:
    """Ray has signals end the process in its own way."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
