"""Components that misbehave on command, for the tests of hosts and harnesses."""

import atexit
import ctypes
import os
import signal
import sys
import threading
import time

from lockstep.component import Component, Input, Output, Parameter, Timer
from std_msgs.msg import String


class Probe(Component):
    """Does what a message says: `<word> <argument>`, one method for each word."""

    command = Input(String)
    silent = Input(String)
    said = Output(String)
    echo = Output(String)
    slow = Timer(0.2)
    fast = Timer(0.1)
    factor = Parameter(2.0, minimum=0.0)
    count = Parameter(3)
    names = Parameter(["a", "b"])
    on_start_do = Parameter("", name="start.do")

    def __init__(self) -> None:
        self.taken = 0

    def on_start(self) -> None:
        self.do(self.on_start_do)

    def on_command(self, msg: String) -> None:
        self.taken += 1
        self.do(msg.data)

    def on_silent(self, msg: String) -> None:
        self.taken += 1

    def on_slow(self) -> None:
        self.say("slow")

    def on_fast(self) -> None:
        self.say("fast")

    def on_parameters_changed(self) -> None:
        self.say(f"factor {self.factor}")

    def say(self, text: str) -> None:
        self.said.publish(String(data=text))

    def do(self, text: str) -> None:
        word, _, argument = text.partition(" ")
        if word:
            getattr(self, f"do_{word}")(argument)

    def do_say(self, argument: str) -> None:
        self.say(argument)

    def do_echo(self, argument: str) -> None:
        self.echo.publish(String(data=argument))

    def do_tell(self, argument: str) -> None:
        values = self.taken, self.factor, self.count, list(self.names)
        self.say(" ".join(str(value) for value in values))

    def do_twice(self, argument: str) -> None:
        self.say(argument)
        self.echo.publish(String(data=argument))
        self.say(argument)

    def do_many(self, argument: str) -> None:
        count, size = map(int, argument.split())
        for _ in range(count):
            self.say("x" * size)

    def do_fail(self, argument: str) -> None:
        self.say("before")
        raise ValueError(argument)

    def do_quit(self, argument: str) -> None:
        sys.exit(int(argument))

    def do_exit(self, argument: str) -> None:
        print("goodbye")
        sys.stdout.flush()
        os._exit(int(argument))

    def do_publish_in(self, argument: str) -> None:
        """Publish when the run is over."""
        late = {
            "thread": lambda: threading.Thread(target=self._publish_late).start(),
            "exit": lambda: atexit.register(self.say, "at exit"),
            "destructor": lambda: setattr(self, "farewell", Farewell(self)),
        }
        late[argument]()

    def _publish_late(self) -> None:
        time.sleep(0.3)
        self.say("late")

    def do_crash(self, argument: str) -> None:
        ctypes.string_at(0)

    def do_kill(self, argument: str) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def do_hang(self, argument: str) -> None:
        time.sleep(60)

    def do_print(self, argument: str) -> None:
        print(argument)
        os.write(1, b"written\n")
        os.system("echo echoed")
        self.logger.warning("logged")

    def do_read(self, argument: str) -> None:
        self.say(repr(os.read(0, 10)))

    def do_close(self, argument: str) -> None:
        for descriptor in range(3, 64):
            try:
                os.close(descriptor)
            except OSError:
                continue  # it was not open


class Farewell:
    """Says something when it is destroyed."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    def __del__(self) -> None:
        self._probe.say("farewell")


class Stubborn(Component):
    """Cannot even be made."""

    said = Output(String)

    def __init__(self) -> None:
        raise ValueError("no such device")


class Deaf(Component):
    """Has no input."""

    said = Output(String)
