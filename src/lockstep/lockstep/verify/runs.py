"""The runs of a verification, each into a folder of its own."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..component import Contract
from ..errors import BagError, RunError, unforeseen
from ..progress import Progress
from ..run.direct import run_direct
from ..run.direct_program import DirectProgram, direct_environment
from ..run.folder import create_folder
from ..run.forks import ForkServer
from ..run.implementation import contracts_of, direct_command
from ..run.live import LiveRun
from ..run.model import Implementation
from ..run.nodes.run_node import run_node
from ..run.prepared import PreparedHost
from ..run.processes import Processes, fork_server
from ..run.request import RunRequest
from ..run.result import RunResult
from .judge import Recorded
from .model import Verification

if TYPE_CHECKING:
    from typing_extensions import Self

Watch = Callable[[str], Progress]
"""Takes what begins; gives what takes how far it is."""


@contextmanager
def a_run_has_begun() -> Iterator[None]:
    """From here on a full disk or a bag that is taken away is no bad usage, but a failed run."""
    try:
        yield
    except BagError as error:
        raise RunError(str(error)) from error
    except OSError as error:
        raise RunError(unforeseen(error)) from error


class _Run(Protocol):
    """A run whose processes were started."""

    def let_go(self) -> None:
        """Let it play from now on."""

    def play(self, progress: Progress | None) -> None:
        """Play it to its end."""

    def finish(self) -> RunResult:
        """End its processes."""


class _DirectRun:
    """A run in direct mode, which plays when it is asked to."""

    def __init__(self, request: RunRequest, program: DirectProgram) -> None:
        self._request, self._program = request, program

    def let_go(self) -> None:
        """Nothing to do: this process is what plays."""

    def play(self, progress: Progress | None) -> None:
        self._result = run_direct(self._request, self._program, progress)

    def finish(self) -> RunResult:
        """What it gave."""
        return self._result


class _NodeRun:
    """A direct run of an ordinary node, which starts when it plays: its time begins with its
    inputs."""

    def __init__(self, request: RunRequest, processes: Processes) -> None:
        self._request, self._processes = request, processes

    def let_go(self) -> None:
        """Nothing to do: this process is what plays."""

    def play(self, progress: Progress | None) -> None:
        self._result = run_node(self._request, self._processes, progress)

    def finish(self) -> RunResult:
        """What it gave."""
        return self._result


class Runs:
    """Makes runs one after the other and keeps their outputs open; use it in a with-statement.

    What can be is done while something else is waited for: the program of a direct run, or the host
    of a Python component, is started when its contract is asked for, so that no interpreter starts
    twice, and the processes of a run
    meet while the ones before go on.
    """

    def __init__(self, verification: Verification, watch: Watch | None = None) -> None:
        self._run = verification.run
        self._watch = watch
        self._stack = ExitStack()
        self._programs: dict[Path, DirectProgram] = {}
        self._hosts: dict[Path, PreparedHost] = {}
        self._folders: Mapping[str, Path] = {}
        self._untried: set[Path] = set()
        self._forks: ForkServer | None = None
        self._seeds = count(1)

    def __enter__(self) -> Self:
        self._processes = self._stack.enter_context(Processes(direct_environment()))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
        for folder in self._untried:  # of runs that were begun ahead, and never came to their turn
            shutil.rmtree(folder)

    @contextmanager
    def planning(self, folder: Path, folders: Mapping[str, Path]) -> Iterator[None]:
        """Meanwhile contracts are told by the programs of the runs that will be in `folders`, by
        name.

        All is in `folder`, of which nothing is left if the plan cannot be run; what a failed
        program logged is kept.
        """
        create_folder(folder)
        self._folders = folders
        if self._run.mode == "live":
            self._forks = self._stack.enter_context(fork_server(self._processes))
        try:
            yield
        except RunError:
            raise
        except BaseException:
            for program in self._programs.values():
                program.end()
            for host in self._hosts.values():
                host.end()
            shutil.rmtree(folder)
            self._untried.clear()
            raise

    def contracts(self, implementations: Mapping[str, Implementation]) -> dict[str, Contract]:
        """The contracts of implementations that are no black boxes, which are asked at once."""
        own: dict[str, DirectProgram | PreparedHost] = {}
        for name, implementation in implementations.items():
            if name not in self._folders:
                continue
            if self._run.mode == "live":
                if implementation.component is not None:
                    own[name] = self._host(name, implementation.component)
            else:
                program = own[name] = self._program(name, implementation, self._folders[name])
                program.start()
        others = {name: one for name, one in implementations.items() if name not in own}
        asked = contracts_of(others) if others else {}
        told = {name: own[name].contract for name in own} | asked
        self._untried.update(self._programs, self._hosts)
        return told

    def each(self, requests: Sequence[tuple[str, RunRequest]]) -> Iterator[Recorded]:
        """Run each, called by a label, when it is asked for; raises RunError if one fails."""
        begun: deque[_Run] = deque()
        for number, (label, request) in enumerate(requests):
            run = begun.popleft() if begun else self._begin(request)
            self._untried.discard(request.folder)
            following = [request for _, request in requests[number + 1 : number + 3]]
            result = self._finished(label, run, following, begun)
            yield Recorded(label, result, self._stack.enter_context(result.outputs()))

    def _begin(self, request: RunRequest) -> _Run:
        """Start the processes of a run."""
        request.folder.mkdir(parents=True, exist_ok=True)
        if self._forks is not None:
            prepared = self._hosts.get(request.folder)
            seed = self._another_seed() if prepared is None else None
            run = LiveRun(request, self._forks, seed, prepared)
            self._stack.callback(run.end)
            return run
        if request.implementation.is_node:
            return _NodeRun(request, self._processes)
        program = self._program(request.name, request.implementation, request.folder)
        program.start()
        return _DirectRun(request, program)

    def _finished(
        self, label: str, run: _Run, following: Sequence[RunRequest], begun: deque[_Run]
    ) -> RunResult:
        """The result of a run; `begun` are those of the `following` two that have started.

        The processes of the next one start and meet while this one does and plays, and it plays as
        soon as this one has played; those of the one after it start meanwhile.
        """
        show = self._watch(f"running {label}") if self._watch else None
        self._begin_ahead(following[:1], begun)
        run.play(show)
        if begun:
            begun[0].let_go()
            self._begin_ahead(following, begun)
        return run.finish()

    def _begin_ahead(self, following: Sequence[RunRequest], begun: deque[_Run]) -> None:
        """Start the processes of runs that come next."""
        for request in following[len(begun) :]:
            if request.implementation.is_node:
                return  # a black box might do something before its turn
            begun.append(self._begin(request))
            self._untried.add(request.folder)

    def _program(self, name: str, implementation: Implementation, folder: Path) -> DirectProgram:
        """The program of a run in a folder, which may have been started for its contract."""
        if folder not in self._programs:
            folder.mkdir(parents=True, exist_ok=True)
            command = direct_command(name, implementation)
            self._programs[folder] = DirectProgram(
                name,
                command,
                folder / "node.log",
                self._processes,
                self._run.timeout,
                variables=self._another_seed(),
            )
        return self._programs[folder]

    def _host(self, name: str, component: str) -> PreparedHost:
        """The host of the first run of a Python component, which takes the longest to start."""
        folder = self._folders[name]
        folder.mkdir(parents=True, exist_ok=True)
        self._hosts[folder] = PreparedHost(
            name, component, folder / "node.log", self._processes, self._another_seed()
        )
        return self._hosts[folder]

    def _another_seed(self) -> dict[str, str]:
        """The seed of Python's hashes, another one for each run and the same ones in each
        verification: what rests on the order of a set shows, and shows again."""
        return {"PYTHONHASHSEED": str(next(self._seeds))}
