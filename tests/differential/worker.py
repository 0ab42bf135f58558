"""Runs programs in one interpreter, each in a namespace and in event loops of its own, and says what could be observed.

Run as a script: one request a line on standard input, `{"text": ...}`, and for each one line with the log, a list of
events `[time, kind, text]`. The kinds are
  print       what the program printed
  raised      the exception that ended it, or `ended` where none did
  left        the coroutines of the program that still ran when a run of the loop was over
  loop        what reached the loop's exception handler
  warning     a coroutine that was never awaited, and what else is a RuntimeWarning
  unraisable  what was raised where nobody could catch it
  stuck       everything waits, and for nothing; or the program does not come to an end

Time is virtual. It passes where everything waits, where a function blocks (`time.sleep`, `subprocess.run`), and nowhere
else: sleeps cost nothing, and two runs of a program give the same log. What runs in an executor runs at once, in a context
of its own as in a new thread, and its result arrives after as much time as it would have blocked.
"""

import asyncio
import builtins
import contextvars
import gc
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import types
import warnings

# The time that handing a call to a thread and back takes.
HANDOVER = 0.001
# How often a loop may look for something to do before a program counts as endless.
TURNS = 3000
# Seconds of real time for one program.
LIMIT = 4.0

Event = list

real_sleep = time.sleep


class Stuck(BaseException):
    """No program catches this by mistake."""


class World:
    """What the one program that runs can see of time, and what is seen of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.turns = 0
        self.timers = 0
        self.blocked: float | None = None
        self.log: list[Event] = []
        self.loops: list[asyncio.AbstractEventLoop] = []

    def note(self, kind: str, text: str) -> None:
        """Add an event to the log."""
        self.log.append([round(self.now, 3), kind, text])

    def block(self, seconds: float) -> None:
        """Let time pass: for everybody, or in a worker thread for the thread only."""
        if self.blocked is None:
            self.now += seconds
        else:
            self.blocked += seconds


world = World()


class Alarm:
    """Ends a program that does not end by itself."""

    rung = 0

    def __call__(self, *_: object) -> None:
        self.rung += 1
        if self.rung > 3:
            # It swallows the exception.
            os._exit(3)
        raise Stuck("endless")


class VirtualSelector(selectors.DefaultSelector):
    """Finds what is ready at once, and lets the time pass for which it should have waited."""

    def select(self, timeout: float | None = None) -> list:
        world.turns += 1
        if world.turns > TURNS:
            raise Stuck("endless")
        ready = super().select(0)
        if not ready and timeout is None:
            raise Stuck("everything waits, and for nothing")
        if not ready and timeout:
            world.now = round(world.now + timeout, 5)
        return ready


class NumberedTask(asyncio.Task):
    """A task whose place in a set does not depend on where it lies in memory."""

    numbers = itertools.count()

    def __init__(self, *args: object, **options: object) -> None:
        self.number = next(NumberedTask.numbers)
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self.number

    @classmethod
    def made(cls, loop: asyncio.AbstractEventLoop, coro: object, **options: object) -> "NumberedTask":
        """What the event loop calls."""
        return cls(coro, loop=loop, **options)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        super().__init__(VirtualSelector())
        self._clock_resolution = 1e-5
        self.set_task_factory(NumberedTask.made)
        world.loops.append(self)

    def time(self) -> float:
        return world.now

    def call_at(self, when: float, callback: object, *args: object, context: object = None) -> asyncio.TimerHandle:
        # Of what is due at the same moment, what was asked for first comes first: asyncio's heap says nothing about that,
        # and rounding less.
        world.timers += 1
        return super().call_at(round(when, 4) + world.timers * 1e-10, callback, *args, context=context)

    def call_exception_handler(self, context: dict) -> None:
        if self._exception_handler is not None:
            super().call_exception_handler(context)
        else:
            error = context.get("exception")
            world.note("loop", f"{context.get('message')}: {described(error) if error else None}")

    def run_until_complete(self, future: object) -> object:
        coroutine = future.get_coro() if isinstance(future, asyncio.Task) else future
        # The end of `asyncio.run` runs the loop, too.
        ours = "shutdown_" not in getattr(coroutine, "__qualname__", "shutdown_")
        try:
            return super().run_until_complete(future)
        finally:
            if ours:
                left = [task.get_coro() for task in asyncio.all_tasks(self)]
                names = sorted(coro.__qualname__ for coro in left if is_of_program(coro))
                world.note("left", " ".join(names))

    def run_in_executor(self, executor: object, function: object, *args: object) -> asyncio.Future:
        self._check_closed()
        future = self.create_future()
        outer, world.blocked = world.blocked, 0.0
        try:
            value, failed = contextvars.Context().run(function, *args), False
        except BaseException as error:  # noqa: BLE001 -- what the thread hands on
            value, failed = error, True
        spent, world.blocked = world.blocked, outer

        def arrive() -> None:
            if not future.done():
                (future.set_exception if failed else future.set_result)(value)

        self.call_later(spent + HANDOVER, arrive)
        return future


class Policy(asyncio.DefaultEventLoopPolicy):
    """Gives every program loops in virtual time."""

    _loop_factory = VirtualLoop


def is_of_program(future: object) -> bool:
    """Whether a coroutine, or that of a task, is one of the program's."""
    if isinstance(future, asyncio.Task):
        future = future.get_coro()
    code = getattr(future, "cr_code", None)
    return code is not None and code.co_filename == "<program>"


def described(error: BaseException) -> str:
    """An exception with what is in it, and what it comes from."""
    if isinstance(error, BaseExceptionGroup):
        inner = ", ".join(described(each) for each in error.exceptions)
        return f"{type(error).__name__}[{inner}]"
    # Messages of the interpreter differ between versions of it, and name what was rewritten.
    text = error.args[0] if error.args and isinstance(error, ValueError | LookupError) else ""
    return f"{type(error).__name__}({text if len(str(text)) < 9 else ''})"


class Limit(asyncio.Timeout):
    """What the package async_timeout gives up to version 4: `expired` is no method."""

    @property
    def expired(self) -> bool:
        return super().expired()


def limited(delay: float | None) -> Limit:
    """`async_timeout.timeout`: no package is installed here, and asyncio's has the same effect on the clock."""
    return Limit(None if delay is None else asyncio.get_running_loop().time() + delay)


def sleep(seconds: float) -> None:
    """Blocks in virtual time; refuses what `time.sleep` refuses."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    world.block(float(seconds))


async def open_connection(*given: object) -> tuple[None, None]:
    """A connection to nobody."""
    await asyncio.sleep(0)
    return None, None


def run_process(command: list[str], **options: object) -> subprocess.CompletedProcess:
    """A process that takes as many seconds as its last argument says, and fails if the first is `false`."""
    world.note("print", f"process {' '.join(command)}")
    world.block(float(command[-1]) if command[-1].replace(".", "").isdigit() else 1.0)
    code = int(command[0] == "false")
    if code and options.get("check"):
        raise subprocess.CalledProcessError(code, command)
    return subprocess.CompletedProcess(command, code, stdout=f"out {command[-1]}", stderr="")


def say(*values: object, sep: str | None = " ", end: str = "", file: object = None, flush: bool = False) -> None:
    """The program's `print`."""
    world.note("print", (" " if sep is None else sep).join(map(str, values)))


def install() -> None:
    """Replace what takes time, and listen to what is only written to standard error."""
    time.sleep = sleep
    asyncio.open_connection = open_connection
    time.monotonic = time.time = time.perf_counter = lambda: world.now
    subprocess.run = run_process
    subprocess.check_output = lambda command, **options: run_process(command, check=True, **options).stdout
    subprocess.check_call = lambda command, **options: run_process(command, check=True, **options).returncode
    subprocess.call = lambda command, **options: run_process(command, **options).returncode
    os.system = lambda command: run_process(command.split()).returncode

    sys.modules["async_timeout"] = types.ModuleType("async_timeout")
    sys.modules["async_timeout"].timeout = limited

    def warn(message: Warning, category: type[Warning], *_: object) -> None:
        if issubclass(category, RuntimeWarning):
            # In debug mode it goes on with the place where it was made.
            world.note("warning", str(message).split("\n", 1)[0])

    every = asyncio.tasks.all_tasks

    def as_made(loop: asyncio.AbstractEventLoop | None = None) -> list[asyncio.Task]:
        numbered = {task: getattr(task, "number", 0) for task in every(loop)}
        return sorted(numbered, key=numbered.__getitem__)

    # What cancels the tasks that are left does so in the order in which they were made.
    asyncio.tasks.all_tasks = as_made
    warnings.showwarning = warn
    warnings.simplefilter("always")
    sys.unraisablehook = lambda it: world.note("unraisable", described(it.exc_value))


def observe(text: str) -> list[Event]:
    """Run a program, and give its log."""
    global world
    world = World()
    NumberedTask.numbers = itertools.count()
    asyncio.set_event_loop_policy(Policy())
    signal.signal(signal.SIGALRM, Alarm())
    scope = types.ModuleType("__main__")
    scope.__dict__["__builtins__"] = {**builtins.__dict__, "print": say}
    signal.setitimer(signal.ITIMER_REAL, LIMIT, 0.5)
    try:
        exec(compile(text, "<program>", "exec", dont_inherit=True), scope.__dict__)  # noqa: S102 -- that is what it is for
        world.note("raised", "ended")
    except Stuck as stuck:
        world.note("stuck", str(stuck))
    except BaseException as error:  # noqa: BLE001 -- whatever ends the program is an event
        world.note("raised", described(error))
        error.__traceback__ = None
        del error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        # What is still there goes now, and may say something.
        scope.__dict__.clear()
        for loop in world.loops:
            loop._ready.clear()
            loop._scheduled.clear()
        asyncio.set_event_loop(None)
        gc.collect()
        for loop in world.loops:
            if not loop.is_closed():
                loop.close()
        world.loops.clear()
        gc.collect()
    except Stuck as stuck:
        world.note("stuck", str(stuck))
    return in_order(world.log)


def in_order(log: list[Event]) -> list[Event]:
    """The log, with warnings that came one after the other sorted: coroutines that lie in a set go in any order."""
    ordered: list[Event] = []
    for kind, group in itertools.groupby(log, key=lambda event: event[1]):
        events = list(group)
        ordered += sorted(events) if kind == "warning" else events
    return ordered


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    install()
    observe("")
    # A collection in the middle of a program would depend on what ran before it.
    gc.collect()
    gc.freeze()
    gc.disable()
    for line in sys.stdin:
        log = observe(json.loads(line)["text"])
        answers.write(json.dumps(log) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
