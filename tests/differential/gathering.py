"""Several coroutines at a time: what `gather` and `wait` are given, and what is done with what they give."""

from grammar import Lines, Maker, indented


def failing(make: Maker) -> str:
    """Whether a coroutine is to fail, as text; rarely, and only in programs that may fail."""
    return "True" if make.failing and make.chance(0.4) else "False"


def call(make: Maker, method: bool, label: str | None = None, quiet: bool = False) -> str:
    """A call of a coroutine function that says what it does."""
    child = make.child(method and make.chance(0.6))
    return child(label or make.label(), "False" if quiet else failing(make))


def several(make: Maker, method: bool) -> tuple[Lines, list[str], int | None]:
    """Coroutines as arguments of `gather`: what has to stand before, the arguments, and how many results there are."""
    match make.rng.randrange(14):
        case 0 | 1 | 2:
            count = make.rng.randint(1, 4)
            return [], [call(make, method) for _ in range(count)], count
        case 3 | 4 | 5:
            return [], [f"*{comprehension(make, method)}"], -1
        case 6:
            return [], [call(make, method), f"*{comprehension(make, method)}", call(make, method)], -1
        case 7:
            name = make.fresh("coros")
            return [f"{name} = {comprehension(make, method, '[]')}"], [f"*{name}"], -1
        case 8:
            name, fails = make.fresh("tasks"), failing(make)
            made = make.child(method and make.chance(0.5))("label", fails)
            given = make.pick(made, f"$create_task({made})")
            lines = [f"{name} = []", f"for label in {labels(make)}:", f"    {name}.append({given})"]
            if make.chance(0.3):
                lines.insert(2, '    print("main", "making")')
            return lines, [f"*{name}"], -1
        case 9:
            name = make.fresh("tasks")
            element = comprehension(make, method, "[]", wrap="$create_task({})")
            return [f"{name} = {element}"], [f"*{name}"], -1
        case 10:
            first, second = make.fresh("task"), make.fresh("task")
            lines = [f"{each} = $create_task({call(make, method)})" for each in (first, second)]
            return lines, [first, second], 2
        case 11:
            wrap = make.pick("$create_task({})", "$ensure_future({})")
            return [], [wrap.format(call(make, method)), call(make, method)], 2
        case 12:
            inside = f"$gather({call(make, method)}, {call(make, method)})"
            return [], [inside, call(make, method)], 2
        case _:
            limited = make.pick(f"$wait_for({call(make, method)}, {make.pick('5', '0.63')})", '$sleep(0.5, "slept")')
            return [], [limited, call(make, method)], 2


def labels(make: Maker) -> str:
    """Something that gives labels."""
    prefix = make.pick(*("klmno" if make.gathering else "efghi"))
    count = make.rng.randint(1, 4)
    listed = [f'"{prefix}{number}"' for number in range(count)]
    return make.pick(
        f"[{', '.join(listed)}]",
        f"({', '.join(listed)},)",
        f'[f"{prefix}{{number}}" for number in range({count})]',
        f"{{{', '.join(f'{each}: 1' for each in listed)}}}",
        f'map("{prefix}{{}}".format, range({count}))',
    )


def comprehension(make: Maker, method: bool, brackets: str = "", wrap: str = "{}") -> str:
    """Coroutines made by a comprehension, or by `map`."""
    child = make.child(method and make.chance(0.5))
    if child.mappable and wrap == "{}" and not brackets and make.chance(0.3):
        return f"map({child.name}, {labels(make)})"
    fails = "False"
    if make.failing and make.chance(0.5):
        fails = make.pick('label.endswith("1")', 'label.endswith("0")', "True")
    variable = make.pick("label", "label", "name", "each")
    element = wrap.format(child(variable, fails.replace("label", variable)))
    condition = make.pick("", "", f' if {variable} != "k1"')
    opening, closing = brackets or make.pick("[]", "[]", "()")
    return f"{opening}{element} for {variable} in {labels(make)}{condition}{closing}"


def laid_out(make: Maker, function: str, arguments: list[str]) -> str:
    """A call on one line, or on one for each argument, with comments among them."""
    if not arguments or make.chance(0.75):
        return f"{function}({', '.join(arguments)})"
    lines = [f"    {argument},{make.pick('', '', '  # as it is')}" for argument in arguments]
    if make.chance(0.2):
        lines.insert(0, "    # all of them")
    return "\n".join([f"{function}(", *lines, ")"])


def gather(make: Maker, who: str, method: bool) -> Lines:
    """`await gather(...)`."""
    make.gathering = True
    before, arguments, count = several(make, method)
    make.gathering = False
    if make.chance(0.06):
        arguments.append(make.pick("return_exceptions=False", "return_exceptions=True"))
    expr = laid_out(make, "$gather", arguments)
    limit = make.pick("5", "20", "0.44", "limit_of_time")
    if make.chance(0.12):
        if limit == "limit_of_time":
            make.shared(limit, "3")
        expr = f"$wait_for({expr}, {limit})"
    used = make.use(f"await {expr}", who, None if count == -1 else count, short=make.chance(0.5))
    used = [part for line in used for part in continued(line)]
    if before and make.chance(0.2):
        used = [f"if {arguments[0].removeprefix('*')}:", *indented(used)]
    return [*before, *used]


def continued(line: str) -> Lines:
    """The lines of a statement that goes over several, at the depth of the first."""
    first, *rest = line.split("\n")
    depth = len(first) - len(first.lstrip())
    return [first, *(" " * depth + each for each in rest)]


def limit_concurrency(make: Maker, who: str, method: bool) -> Lines:
    """A list of unknown length that is gathered."""
    # The codemod asks for a name that says that there may be many of it.
    jobs = make.fresh("urls")
    child = make.child(method and make.chance(0.4))
    variable = make.pick("url", "label")
    # It asks, too, for what reaches the outside.
    visit = make.fresh("visit")
    header = f"async def {visit}({'self, ' * child.method}name, fails):"
    lines = ['await $open_connection("localhost", 80)', f"return await {child('name', 'fails')}"]
    (make.methods if child.method else make.definitions).append([header, *indented(lines)])
    fails = f"{variable}.endswith('1')" if make.failing and make.chance(0.3) else "False"
    element = f"{'self.' * child.method}{visit}({variable}, {fails})"
    if make.chance(0.15):
        element = f"$wait_for({element}, 30)"
    brackets = make.pick("[]", "[]", "()")
    # It says where the place is; what a person would write there is not compared.
    expr = f"await «limit-concurrency:‖»$gather(*{brackets[0]}{element} for {variable} in {jobs}{brackets[1]})"
    count = make.rng.randint(0, 6)
    # Who is counted together says so.
    given = f'["q" + str(number) + "_" + {who} + "_{jobs[4:]}" for number in range({count})]'
    function = make.fresh("run_all")
    body = make.use(expr, who, 0, short=True)
    return [f"async def {function}({jobs}):", *indented(body), f"await {function}({given})"]


def wait_on_tasks(make: Maker, who: str, method: bool) -> Lines:
    """`wait` on coroutines, which fails."""

    def task(text: str) -> str:
        return f"«wait-on-tasks:{text}‖$$create_task({text})»"

    extra = make.pick("", "", ", timeout=50", ", return_when=$ALL_COMPLETED")
    match make.rng.randrange(4):
        case 0:
            items = [task(call(make, method)) for _ in range(make.rng.randint(1, 3))]
            given = f"[{', '.join(items)}]"
        case 1:
            given = f"[{task(make.child(False)('label', failing(make)))} for label in {labels(make)}]"
        case 2:
            given = f"{{{task(call(make, method))}}}"
        case _:
            given = f"[{task(call(make, method))}, $create_task({call(make, method)})]"
    done = make.fresh("done")
    return make.pick(
        [f"await $wait({given}{extra})"],
        [
            f"{done}, pending = await $wait({given}{extra})",
            f'print({who}, "done", len({done}), len(pending))',
        ],
        [f"{done}, _ = await $wait({given}{extra})", f'print({who}, "done", len({done}))'],
    )
