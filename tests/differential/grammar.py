"""What programs are made of whatever they are about: names, coroutines to run, uses of a value, statements around others.

Text that this package generates may hold two things that are no Python:
  $gather                    a name of the standard library, spelled in the way that the program imports it
  «await-sleep:old‖new»      what the program has, and what a person would write in its place to migrate it by hand. A
                             `$$sleep` in the second part is a name that only the migrated program imports.

Programs say what happens by `print(WHO, WHAT, ...)`. WHO is `main`, the name of what is about to happen (`H1`), or the
label of a coroutine that runs among others (`a`, `k3`). What WHAT means to the predicates is said in effects.py.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import Any

Lines = list[str]

MODULES = {
    "time": ("sleep_blocking",),
    "contextlib": ("suppress", "nullcontext", "aclosing", "AsyncExitStack", "asynccontextmanager"),
    "functools": ("partial",),
    "subprocess": ("run_process", "check_output", "check_call", "call"),
    "contextvars": ("ContextVar",),
    "threading": ("ThreadLock",),
    "async_timeout": ("limited",),
}
MODULE_OF = {name: module for module, names in MODULES.items() for name in names}
# Names that would mean something else without their module.
REAL_NAMES = {"sleep_blocking": "sleep", "run_process": "run", "ThreadLock": "Lock", "limited": "timeout"}
NAME = re.compile(r"(?<!\$)\$(\w+)")
ERRORS = ("ValueError", "KeyError", "Broken", "LookupError", "OSError")
DELAYS = ("0", "0.1", "0.2", "0.5", "1", "1.5", "2")


def indented(lines: Sequence[str], levels: int = 1) -> Lines:
    """Lines deeper by so many levels."""
    return [" " * 4 * levels + line if line else line for line in lines]


class Names:
    """How a program spells what it imports: each module in one way, so that imports look as people write them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.styles: dict[str, str] = {}
        self.used: dict[tuple[str, str], None] = {}

    def style(self, module: str) -> str:
        """The way in which the program imports a module."""
        styles = ("plain", "plain", "plain", "alias", "from", "from-as")
        return self.styles.setdefault(module, self.rng.choice(styles))

    def spelled(self, name: str) -> str:
        """A name as the program writes it."""
        module = MODULE_OF.get(name, "asyncio")
        real = REAL_NAMES.get(name, name)
        self.used[module, name] = None
        match self.style(module):
            case "plain":
                return f"{module}.{real}"
            case "alias":
                return f"{self.alias(module)}.{real}"
            case "from" if real not in ("run", "Lock", "timeout") or module == "asyncio":
                return real if module != "time" else "sleep" if self.style("asyncio") != "from" else "pause"
        return f"{real}_{module[0]}"

    @staticmethod
    def alias(module: str) -> str:
        return {"asyncio": "aio", "time": "clock"}.get(module, module + "_")

    def imports(self) -> Lines:
        """The import statements for what was spelled."""
        lines = []
        for module in sorted({module for module, _ in self.used}):
            style = self.style(module)
            if style == "plain":
                lines.append(f"import {module}")
            elif style == "alias":
                lines.append(f"import {module} as {self.alias(module)}")
            else:
                names = sorted(name for its, name in self.used if its == module)
                bound = [(REAL_NAMES.get(name, name), self.spelled(name)) for name in names]
                parts = [real if real == local else f"{real} as {local}" for real, local in bound]
                # Nobody can import that any longer: the migrated program does not.
                gone = [part for part in parts if part.split()[0] == "coroutine"]
                parts = [part for part in parts if part not in gone]
                lines += [f"«coroutine-to-async-def:from asyncio import {part}‖»" for part in gone]
                if not parts:
                    continue
                if len(parts) > 3:
                    lines += [f"from {module} import (", *indented([f"{part}," for part in parts]), ")"]
                else:
                    lines.append(f"from {module} import {', '.join(parts)}")
        return lines


class Maker:
    """Makes the choices of one program, and collects what it needs at module level."""

    def __init__(self, rng: random.Random, failing: bool) -> None:
        self.rng = rng
        self.failing = failing
        self.counts: dict[str, int] = {}
        self.definitions: list[Lines] = []
        self.methods: list[Lines] = []
        self.globals: dict[str, str] = {}
        self.children: list[Callable[..., str]] = []
        self.gathering = False

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, *options: Any) -> Any:
        return self.rng.choice(options)

    def fresh(self, stem: str) -> str:
        """A name that the program does not have yet."""
        self.counts[stem] = number = self.counts.get(stem, 0) + 1
        return stem if number == 1 else f"{stem}{number}"

    def label(self) -> str:
        """The label of a coroutine, as the text of an argument: those that are gathered are `r1`, `r2` and so on."""
        kind = "gathered" if self.gathering else "label"
        self.counts[kind] = number = self.counts.get(kind, 0) + 1
        if self.gathering:
            return f'"r{number}"'
        return f'"{chr(96 + (number - 1) % 10 + 1)}{number // 10 or ""}"'

    def delay(self) -> str:
        return self.pick(*DELAYS)

    def shared(self, name: str, value: str) -> str:
        """A name of the module that is bound to a value."""
        self.globals[name] = value
        return name

    # -------------------------------------------------------------- coroutines that run among others

    def child(self, method: bool) -> Callable[..., str]:
        """A coroutine function, as a function that gives the text of a call of it."""
        known = [child for child in self.children if child.method == method]
        if known and self.chance(0.5):
            return self.pick(*known)
        name = self.fresh(self.pick("work", "fetch", "greet", "handle"))
        form = self.pick("plain", "plain", "keywords", "defaults", "star")
        parameters = {
            "plain": "name, delay, fails",
            "keywords": "name, *, delay=0, fails=False",
            "defaults": "name, delay=0.1, fails=False",
            "star": "name, *given",
        }[form]
        body = ["delay, fails = given"] * (form == "star") + self.child_body()
        header = f"async def {name}({'self, ' * method}{parameters}):"
        (self.methods if method else self.definitions).append([header, *indented(body)])

        def call(label: str, fails: str = "False", delay: str | None = None) -> str:
            delay = delay or self.delay()
            if form == "keywords":
                given = [f"delay={delay}"] + [f"fails={fails}"] * (fails != "False")
                self.rng.shuffle(given)
            elif form == "defaults" and fails == "False" and self.chance(0.5):
                given = []
            else:
                given = [delay, fails]
            return f"{'self.' * method}{name}({', '.join([label, *given])})"

        call.method = method
        call.name = name
        call.mappable = form == "defaults" and not method
        self.children.append(call)
        return call

    def child_body(self) -> Lines:
        """What a coroutine with a label does: it starts, waits in several ways, fails or gives something back."""
        steps = [line for _ in range(self.rng.randint(1, 3)) for line in self.step()]
        error = self.pick(*ERRORS)
        if self.chance(0.2):
            steps += ["if delay > 1:", '    print(name, "early")', f"    return {self.value()}"]
        steps += ["if fails:", '    print(name, "fails")', f"    raise {error}(name)"]
        if error == "Broken":
            self.broken()
        steps += ['print(name, "end")']
        steps += [f"return {self.value()}"] if self.chance(0.8) else []
        match self.pick("none", "none", "cancelled", "cancelled", "slow", "finally", "both", "swallows"):
            case "cancelled":
                guard = ["except $CancelledError:", '    print(name, "cancelled")', "    raise"]
            case "slow":
                guard = ["except $CancelledError:", '    print(name, "cancelled")', "    await $sleep(0.3)"]
                guard += ['    print(name, "cleaned")', "    raise"]
            case "finally":
                guard = ["finally:", '    print(name, "finally")']
            case "both":
                guard = ["except $CancelledError:", '    print(name, "cancelled")', "    raise"]
                guard += ["finally:", '    print(name, "finally")']
            case "swallows":
                guard = ["except $CancelledError:", '    print(name, "cancelled")', "    raise"]
                guard += ["else:", '    print(name, "unharmed")'] if self.chance(0.3) else []
            case _:
                guard = []
        return ['print(name, "start")', *([*["try:"], *indented(steps), *guard] if guard else steps)]

    def broken(self) -> None:
        lines = ["class Broken(Exception):", "    pass"]
        if lines not in self.definitions:
            self.definitions.insert(0, lines)

    def value(self) -> str:
        return self.pick("name", "name", "(name, delay)", "None", "[name] * 2", "{name: delay}", "name.upper()", "0")

    def step(self) -> Lines:
        """Something that a coroutine with `name` and `delay` does, and that takes no time of its own but `delay`."""
        plain = "await $sleep(delay)"
        match self.rng.randrange(16):
            case 0:
                return ["for step in range(2):", "    await $sleep(delay)", '    print(name, "step", step)']
            case 1:
                lock = self.shared("lock", "$Lock()")
                return [f"async with {lock}:", '    print(name, "holds")', f"    {plain}"]
            case 2:
                return self.helper()
            case 3:
                self.ticks()
                return ["async for tick in ticks(2):", '    print(name, "tick", tick)']
            case 4:
                return ["with $suppress(ZeroDivisionError):", f"    {plain}"]
            case 5:
                return [
                    *("try:", "    async with $timeout(0.73):", f"        {plain}"),
                    *("except TimeoutError:", '    print(name, "late")'),
                ]
            case 6:
                return ["await $wait_for($sleep(delay), 5)"]
            case 7:
                return ['print(name, "values", [await $sleep(delay, x) for x in range(2)])']
            case 8:
                return ["await $sleep(0)", "await $sleep(0)"]
            case 9:
                limit = self.shared("limit", "$Semaphore(2)")
                return [f"async with {limit}:", f"    {plain}"]
            case 10:
                return ["queue = $Queue()", "await queue.put(name)", 'print(name, "took", await queue.get())', plain]
            case 11:
                return ["event = $Event()", "$get_running_loop().call_later(delay, event.set)", "await event.wait()"]
            case _:
                return [plain]

    def helper(self) -> Lines:
        if not any(lines[0] == "async def rest(name, delay):" for lines in self.definitions):
            body = ["await $sleep(delay)", 'print(name, "rested")', "return delay"]
            self.definitions.insert(0, ["async def rest(name, delay):", *indented(body)])
        return [self.pick("await rest(name, delay)", "delay = await rest(name, delay)")]

    def ticks(self) -> None:
        if not any(lines[0] == "async def ticks(count):" for lines in self.definitions):
            body = ["for tick in range(count):", "    await $sleep(0.2)", "    yield tick"]
            self.definitions.insert(0, ["async def ticks(count):", *indented(body)])

    # -------------------------------------------------------------- what is done with a value, and what stands around

    def use(self, expr: str, who: str, count: int | None = None, short: bool = False) -> Lines:
        """A statement that evaluates an expression once, in one of the places where expressions stand.

        `count` is the length of the list that it gives, where that is known; None where it gives something else.
        """
        it = self.fresh("value")
        ways: list[Lines] = [
            [expr],
            [expr],
            [f"{it} = {expr}", f'print({who}, "got", {it})'],
            [f"{it} = {expr}", f'print({who}, "got", {it})'],
            [f'print({who}, "got", {expr})'],
            [f"{it}: object = {expr}", f'print({who}, "got", {it})'],
            [f"if {expr}:", f'    print({who}, "true")', "else:", f'    print({who}, "false")'],
            [f"if ({it} := {expr}):", f'    print({who}, "got", {it})'],
            [f"{it} = other_{it} = {expr}", f'print({who}, "got", other_{it})'],
            [f"{it} = {{}}", f'{it}["key"] = {expr}', f'print({who}, "got", {it})'],
            [f'print({who}, "got", str({expr}))'],
            self.inner([f"return {expr}"], f'print({who}, "got", await ', ")"),
            self.inner([f"return {expr}"], f"{it} = await ", ""),
            [f"match {expr}:", f"    case {it}:", f'        print({who}, "got", {it})'],
            [f'print({who}, "got", {expr} if {who} else None)'],
            [f"{it} = not {who} or {expr}", f'print({who}, "got", {it})'],
            [f"{it} = lambda given: given", f'print({who}, "got", {it}({expr}))'],
            [f"def {it}(given={expr}):", "    return given", f'print({who}, "got", {it}())'],
            [f"{it} = [{expr} for _ in range(2)]", f'print({who}, "got", {it})'],
            [f"while not {expr}:", f'    print({who}, "again")', "    break"],
            [f'print({who}, "before") or {expr}'],
            [f"({expr})"],
        ]
        if "'" not in expr and "\n" not in expr and "\\" not in expr and "‖" not in expr:
            ways.append([f"print({who}, f'got {{{expr}}}')"])
        if count:
            names = [f"{it}_{number}" for number in range(count)]
            ways += [
                [f"{', '.join(names)}{',' * (count == 1)} = {expr}", f'print({who}, "got", {", ".join(names)})'],
                [f"{', '.join(names)}{',' * (count == 1)} = {expr}", f'print({who}, "got", {", ".join(names)})'],
                [f"first_{it}, *rest_{it} = {expr}", f'print({who}, "got", first_{it}, rest_{it})'],
                [f"{', '.join(['_', *names[1:]])}{',' * (count == 1)} = {expr}"],
            ]
        if count is not None:
            ways += [
                [f"for {it} in {expr}:", f'    print({who}, "got", {it})'],
                [f'print({who}, "got", [{it} for {it} in {expr}])'],
                [f'print({who}, "got", len({expr}))'],
                [f"{it} = [0]", f"{it} += {expr}", f'print({who}, "got", {it})'],
                [f"{it} = {{str({it}) for {it} in {expr}}}", f'print({who}, "got", sorted({it}))'],
                [f'print({who}, "got", *{expr})'],
            ]
        return self.pick(*ways[: 8 if short else None])

    def inner(self, body: Lines, before: str, after: str) -> Lines:
        """A nested coroutine, and what calls it."""
        name = self.fresh("inner")
        return [f"async def {name}():", *indented(body), f"{before}{name}(){after}"]

    def wrapped(self, lines: Lines, who: str, depth: int | None = None) -> Lines:
        """Statements with others around them, some of which see what is raised."""
        if depth is None:
            depth = self.pick(0, 0, 1, 1, 1, 2, 2, 3)
        for _ in range(depth):
            lines = self.around(lines, who)
        return lines

    def around(self, lines: Lines, who: str) -> Lines:
        """Statements with one other around them."""
        body = indented(lines)
        turn = self.fresh("turn")
        match self.rng.randrange(22):
            case 0 | 1 | 2:
                return self.guarded(body, who)
            case 3:
                return ["try:", *body, "finally:", f'    print({who}, "finally")']
            case 4:
                return [f"if {self.shared('flag', 'True')}:", *body]
            case 5:
                flag = self.shared("flag", "True")
                return [f"if not {flag}:", f'    print({who}, "no")', f"elif {flag}:", *body]
            case 6:
                return [f"for {turn} in range({self.pick(1, 2)}):", *body]
            case 7:
                return ["while True:", *body, "    break"]
            case 8:
                return [f"with $suppress({self.pick('ZeroDivisionError', 'KeyError')}):", *body]
            case 9:
                return ["with $nullcontext():", *body]
            case 10:
                return ["async with $Lock():", *body]
            case 11:
                return [f"async with $timeout({self.pick('50', '9')}):", *body]
            case 12 | 13 | 14:
                return self.inner(lines, "await ", "")
            case 15:
                return [f"for {turn} in range(2):", *body, "else:", f'    print({who}, "through")']
            case 16:
                return ["match 1:", "    case 1:", *indented(body)]
            case 17:
                return ["try:", f"    raise OSError({who})", "except OSError:", *body]
            case 18:
                generator = self.fresh("each")
                made = [f"async def {generator}():", *body, "    yield 1"]
                return [*made, f"async for {turn} in {generator}():", f'    print({who}, "turn", {turn})']
            case 19:
                return [f'print({who}, "before")', *lines, f'print({who}, "after")']
            case 20:
                return ["async with $TaskGroup() as group:", *body]
            case _:
                return [*self.step_before(who), *lines]

    def step_before(self, who: str) -> Lines:
        return self.pick(["await $sleep(0)"], [f"name = {who}", "delay = 0.1", *self.step()], ["pass"])

    def guarded(self, body: Lines, who: str) -> Lines:
        """A `try` around statements."""
        clauses = [
            ["except Exception:", f'    print({who}, "failed")'],
            ["except Exception:", f'    print({who}, "failed")', "    raise"],
            ["except:", f'    print({who}, "failed")', "    raise"],
            ["except BaseException:", f'    print({who}, "failed")', "    raise"],
            ["except ValueError:", f'    print({who}, "failed")'],
            ["except (ValueError, KeyError) as error:", f'    print({who}, "caught", type(error).__name__)'],
            ["except $CancelledError:", f'    print({who}, "cancelled")', "    raise"],
            ["except ZeroDivisionError:", f'    print({who}, "no")'],
            ["except* ValueError:", f'    print({who}, "failed")'],
            ["except Exception as error:", f'    print({who}, "caught", type(error).__name__)'],
        ]
        lines = ["try:", *body, *self.pick(*clauses)]
        if self.chance(0.2):
            lines += ["else:", f'    print({who}, "well")']
        if self.chance(0.2):
            lines += ["finally:", f'    print({who}, "finally")']
        return lines
