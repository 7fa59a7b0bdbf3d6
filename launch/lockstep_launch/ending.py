"""How processes, jobs and launches end.

`ros2 launch` ends with 1 if an event handler raises, else with 0, whatever the exit codes of its
processes. So what must not pass for success raises: RunError with the sentence that ends up last in
the log. A launch file that includes one of this package's is told by an event that its job is done.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from launch import Action, Event, LaunchContext
from launch.actions import EmitEvent, ExecuteProcess, OpaqueFunction, RegisterEventHandler
from launch.event_handler import EventHandler
from launch.event_handlers import OnShutdown
from launch.events import Shutdown, matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from lockstep.errors import DIFFERENT, RunError

from .arguments import value_of

OnExit = Callable[[ProcessExited, LaunchContext], "list[Action] | None"]


def unless_shut_down(on_exit: Callable[[ProcessExited], list[Action]]) -> OnExit:
    """An exit handler that is silent once the launch is ending: then every process has to go."""

    def handler(event: ProcessExited, context: LaunchContext) -> list[Action] | None:
        return None if context.is_shutdown else on_exit(event)

    return handler


def require_success(event: ProcessExited, name: str) -> None:
    """Raise RunError if the process ended with anything but 0."""
    if event.returncode != 0:
        raise RunError(f"{name} failed ({how_it_ended(event)}); its log is above")


def how_it_ended(event: ProcessExited) -> str:
    """`exit code 3` or `SIGSEGV`."""
    code = event.returncode
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def stop(process: ExecuteProcess) -> Action:
    """End a process the ordinary way, with SIGINT."""
    return EmitEvent(event=ShutdownProcess(process_matcher=matches_action(process)))


class Completed(Event):
    """The job of an included launch file is done: `job` is its name, such as verify or ab.

    `matches` is whether all outputs match, None where nothing was compared; `output` is the folder
    of bags, reports and diffs, None where none was written. What fails without a result (a crash, a
    hang, loss) ends the launch instead.
    """

    name = "lockstep_launch.Completed"

    def __init__(self, job: str, matches: bool | None, output: Path | None) -> None:
        super().__init__()
        self.job = job
        self.matches = matches
        self.output = output


class OnCompleted(EventHandler):
    """Calls `handler` with a Completed and the context; what it returns is done next.

    A difference ends the launch with 1, but only after this handler.
    """

    def __init__(self, handler: Callable[[Completed, LaunchContext], list[Action] | None]) -> None:
        super().__init__(matcher=lambda event: isinstance(event, Completed), entities=None)
        self._handler = handler

    def handle(self, event: Event, context: LaunchContext) -> list[Action] | None:
        super().handle(event, context)
        return self._handler(event, context)


class Job:
    """What one launch file of this package does, from its first action to its result."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._done = False

    def fail_if_interrupted(self) -> Action:
        """Make Ctrl-C before the result end the launch with 1.

        Must come first: what raises keeps older handlers from their turn.
        """

        def on_shutdown(event: Shutdown, context: LaunchContext) -> None:
            if event.due_to_sigint and not self._done:
                raise RunError("interrupted before the end")

        return RegisterEventHandler(OnShutdown(on_shutdown=on_shutdown))

    def completed(
        self,
        context: LaunchContext,
        *,
        matches: bool | None = None,
        output: Path | None = None,
        difference: str = "",
    ) -> list[Action]:
        """Tell the result; then end the launch, unless its argument `shutdown` is false.

        With a `difference`, a sentence, the launch ends with 1 in any case.
        """
        self._done = True
        if context.is_shutdown and difference:  # by Ctrl-C, so that no event has its turn any more
            raise RunError(difference)
        shut_down = value_of(context, "shutdown") == "true"

        def end(context: LaunchContext) -> list[Action]:
            if difference:
                raise RunError(difference)
            reason = f"{self.name} is done"
            return [EmitEvent(event=Shutdown(reason=reason))] if shut_down else []

        return [EmitEvent(event=Completed(self.name, matches, output)), _Later(end)]

    def compared(
        self, event: ProcessExited, context: LaunchContext, what: str, diffs: Path, output: Path
    ) -> list[Action]:
        """Tell the result of the comparator that has ended: whether `what` differs, see `diffs`.

        Raises RunError if it failed.
        """
        difference = ""
        if event.returncode == DIFFERENT:
            difference = f"{what} differ; see {diffs}"
        else:
            require_success(event, "the comparator")
        return self.completed(context, matches=not difference, output=output, difference=difference)


class _Later(Action):
    """Calls a function after the events that wait now have been handled."""

    def __init__(self, function: Callable[[LaunchContext], list[Action]]) -> None:
        super().__init__()
        self._then = OpaqueFunction(function=function)

    def execute(self, context: LaunchContext) -> list[Action]:
        due = _Due()
        handler = EventHandler(
            matcher=lambda event: event is due, entities=[self._then], handle_once=True
        )
        return [RegisterEventHandler(handler), EmitEvent(event=due)]


class _Due(Event):
    name = "lockstep_launch.due"
