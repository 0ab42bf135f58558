"""What each codemod may change in a log: one predicate for each, which says what is wrong, or nothing.

A predicate is given the logs of a program before and after the rewrite. That equal logs are right is decided before it is
asked. `safe` fixes change nothing: no predicate is asked about them, but that what failed before may now go on (`repaired`).

The programs that grammar.py and shapes.py make speak of themselves in these words:

  WHO     `main` and `program`; `H1`, `H1x`: what main runs; `a`, `i3`: coroutines that run among others, `r1`, `k3` where they
          are gathered; `q3_main_2`: those of a list that may be limited; `z`: somebody beside
  start   such a coroutine began      end     it came to its end      fails      it raises next
  cancelled, finally, cleaned         in a handler or `finally`: what is left of it runs
  sleeps, blocks                      a call that blocks comes next
  cleanup                             the `finally` of an asynchronous generator; it may have to wait, and is over then
  late                                a time limit was over
  var                                 what a context variable holds
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Collection
from typing import NamedTuple


class Event(NamedTuple):
    """Something that could be observed."""

    time: float
    kind: str
    text: str

    @property
    def who(self) -> str:
        """Whom the event is about: one of those that print, or the kind of event."""
        return self.text.split(" ", 1)[0] if self.kind == "print" else f"({self.kind})"

    @property
    def what(self) -> str:
        """What happened to them."""
        return self.text.split(" ", 1)[1] if self.kind == "print" and " " in self.text else self.text


Log = list[Event]
Predicate = Callable[[Log, Log], str | None]

GATHERED = re.compile(r"[k-or]\d+")
CHILD = re.compile(r"[a-t](\d+(_\w+)?)?")
# What an asynchronous generator says when it is closed.
CLEANUP = ("cleanup", "cleanup waits", "cleanup over")
# What somebody who was cancelled may still say.
LAST_WORDS = ("cancelled", "finally", "cleaned", *CLEANUP, "closed", "called back")
# What happens at a time, and to those who are there at that time.
TROUBLE = ("fails", "failed", "cancelled", "saw cancelled", "late")
EPSILON = 0.01


def log_of(events: list[list]) -> Log:
    """A log as it comes from the interpreter."""
    return [Event(*event) for event in events]


def is_child(event: Event) -> bool:
    """Whether it is about a coroutine that runs among others."""
    return event.kind == "print" and CHILD.fullmatch(event.who) is not None


def by_actor(log: Log) -> dict[str, Log]:
    """The events of each, in their order."""
    actors: dict[str, Log] = {}
    for event in log:
        actors.setdefault(event.who, []).append(event)
    return actors


def said(log: Log) -> list[str]:
    """The events without their times."""
    return [f"{event.kind}: {event.text}" for event in log]


def first_difference(before: list, after: list) -> int | None:
    """The index of the first element that differs; none where the lists are equal."""
    for index, (one, other) in enumerate(zip(before, after, strict=False)):
        if one != other:
            return index
    return None if len(before) == len(after) else min(len(before), len(after))


def without(log: Log, *whats: str) -> Log:
    """The log without the events of which is said just that."""
    return [event for event in log if event.what not in whats]


def shown(log: Log, index: int) -> str:
    """An event for people."""
    return " ".join(map(str, log[index])) if index < len(log) else "nothing"


def equal(before: Log, after: Log) -> str | None:
    """Nothing changes."""
    index = first_difference(before, after)
    return None if index is None else f"was: {shown(before, index)}; is: {shown(after, index)}"


# ------------------------------------------------------------------ the predicates


def gather_to_taskgroup(
    before: Log, after: Log, normal: Callable[[str], str] | None = None, some: bool = False
) -> str | None:
    """When a child fails, its siblings are cancelled and awaited, and the failure leaves as an ExceptionGroup.

    When the coroutine is cancelled, its children are a turn of the loop later, and are awaited.

    Until something fails or is cancelled, nothing changes. From there on: whoever ran among others says last words only, and
    before `main` and others hear of it; what those say is the same, but for the group around the exception; and so is what
    others say that begin after that. `some` says that another gather in the program is withheld, whose children go on.
    """
    found = first_trouble(before)
    if found is None:
        return equal(before, after)
    trouble, seen = found
    index = first_difference(before[:trouble], after[:trouble])
    if index is not None:
        return f"before anything failed; was: {shown(before, index)}; is: {shown(after, index)}"
    early = by_actor([event for event in before[:trouble] if is_child(event)])
    ended = {who for who, log in early.items() if log[-1].what in ("end", "unharmed")}
    # Of two who are called the same nobody knows which one goes on.
    starts = Counter(event.who for event in after if event.what == "start")
    running = {who for who in early.keys() - ended if GATHERED.fullmatch(who) and starts[who] < 2}
    if fails_as_well(before[trouble:], after[trouble:]):
        return None
    problem = None if some else goes_on(after[trouble:], running)
    problem = problem or same_for_others(before[trouble:], after[trouble:], normal or ungrouped_as(before))
    # Who began at that moment may be a sibling of whom it failed.
    begun = {event.who for event in before[:seen] if is_child(event)}
    return problem or same_for_new(before[trouble:], after[trouble:], begun)


def first_trouble(log: Log) -> tuple[int, int] | None:
    """From where on things may be different, and what tells of it: a child fails, or something is cancelled.

    The first is the first event of the moment, where nobody says that it fails.
    """
    for index, event in enumerate(log):
        if is_child(event) and event.what == "fails":
            return index, index
        raised = event.kind == "raised" and event.text != "ended"
        if raised or event.what in (*TROUBLE, "gone") or event.what.startswith("caught"):
            # Several are cancelled at a time, and some of them before the first handler runs.
            start = index
            while start > 0 and log[start - 1].time >= event.time - EPSILON:
                start -= 1
            return start, index
    return None


def same_for_new(before: Log, after: Log, early: Collection[str]) -> str | None:
    """Whether those that begin later say the same, as far as they come."""
    was, is_now = by_actor(before), by_actor(after)
    for who in sorted(was.keys() & is_now.keys()):
        one, other = said(was[who]), said(is_now[who])
        if not CHILD.fullmatch(who) or who in early or any(event.what in TROUBLE for event in was[who] + is_now[who]):
            continue
        index = first_difference(one, other)
        if index is not None and index < min(len(one), len(other)):
            return f"was: {one[index]}; is: {other[index]}"
    return None


def goes_on(rest: Log, running: set[str]) -> str | None:
    """Whether one of those that were cancelled goes on as if nothing was."""
    again: set[str] = set()
    heard = False
    for event in rest:
        if not is_child(event):
            # The handler of whoever waited runs when all of them are gone.
            heard = heard or event.what.startswith(("failed", "caught", "saw", "late")) or event.kind == "raised"
        elif event.what == "start":
            again.add(event.who)
        elif event.who in running - again and heard:
            return f"still there when the failure is handled: {event.text}"
    return None


def ungrouped(text: str) -> str:
    """A text in which an exception stands without the group around it."""
    while (group := re.search(r"(?:Base)?ExceptionGroup\[", text)) is not None:
        # The first that failed is what `gather` raises.
        text = text[: group.start()] + text[group.end() :].split(")", 1)[0] + ")"
    return text


def ungrouped_as(before: Log) -> Callable[[str], str]:
    """Like `ungrouped`; but of several that failed at a time, that which left before.

    A `gather` in a `gather` hands a failure on a turn of the loop later.
    """
    texts = {f"{event.kind}: {event.text}" for event in before}

    def normal(text: str) -> str:
        group = re.search(r"(?:Base)?ExceptionGroup\[([^\[\]]*)\]", text)
        members = re.findall(r"\w+\([^()]*\)", group[1]) if group else []
        alone = (text[: group.start()] + member + text[group.end() :] for member in members)
        return next((it for it in alone if it in texts), ungrouped(text))

    return normal


def fails_as_well(before: Log, after: Log) -> bool:
    """Whether somebody else fails at the moment of the trouble, with which the logs begin, who was cancelled before.

    A failure leaves a few turns of the loop later, when the siblings are gone, and what they held is free. Meanwhile another
    one may fail who waits for the same lock, and would have been cancelled for the first failure. From there on nothing is
    compared: their children have the same names.
    """

    def failing(log: Log) -> list[str]:
        end = log[0].time + EPSILON if log else 0
        return [event.who for event in log if event.time <= end and event.what == "failed" and not is_child(event)]

    was, is_now = failing(before), failing(after)
    silent = {who for who in is_now if all(event.what in LAST_WORDS for event in before if event.who == who)}
    return bool(was) and is_now[: len(was)] == was and set(is_now[len(was) :]) <= silent and len(is_now) > len(was)


def same_for_others(before: Log, after: Log, normal: Callable[[str], str]) -> str | None:
    """Whether `main`, and what it runs, say the same in the same order."""

    def told(log: Log) -> list[str]:
        ours = [event for event in log if not is_child(event) and event.who != "z"]
        return [normal(f"{event.kind}: {event.text}") for event in ours if event.kind in ("print", "raised", "stuck")]

    was, is_now = told(before), told(after)
    index = first_difference(was, is_now)
    if index is None:
        return None
    return f"was: {(was[index:] or ['nothing'])[0]}; is: {(is_now[index:] or ['nothing'])[0]}"


def others_run(mark: str) -> Predicate:
    """Other tasks run, and a cancellation can arrive, during a call that blocked before, which `mark` announces.

    Each says the same in the same order, and nobody later than before; but those who take turns at a lock, which they would
    not have asked for at a time, are not later than the last of them was. Who is cancelled during the call says last words,
    and from then on anything may be different for others, too.
    """

    def predicate(before: Log, after: Log) -> str | None:
        if not any(event.what == mark for event in before):
            return equal(before, after)
        was, is_now = cut_off(before, after)
        first_call = min(event.time for event in before if event.what == mark)
        arrived = arrivals(was, is_now, mark, first_call)
        turns = {event.who for event in before if event.what == "held"}
        # A generator that nobody closed is closed at the end of the run, or by a task of its own that is cut off there.
        end = next((index for index, event in enumerate(before) if event.kind == "left"), len(before))
        abandoned = {event.who for event in before[end:] if event.what == "cleanup"}
        last_turn = max((log[-1].time for who, log in was.items() if who in turns), default=0.0)
        for who in sorted(was.keys() | is_now.keys()):
            if who in ("(left)", "(loop)", "(warning)", "(unraisable)", "z"):
                continue
            one, other = was.get(who, []), is_now.get(who, [])
            if who in abandoned:
                one, other = without(one, *CLEANUP), without(other, *CLEANUP)
            index = first_difference(said(one), said(other))
            times = zip(one[:index], other[:index], strict=False)
            for earlier, later in times:
                latest = last_turn if len(turns) > 1 and who in turns else earlier.time
                if later.time > latest + EPSILON * 3 and (arrived is None or earlier.time < arrived):
                    return f"{earlier.text}: at {later.time}, was at {earlier.time}"
            if index is None:
                continue
            moments = [log[index].time for log in (one, other) if index < len(log)]
            if arrived is None or min(moments) < arrived - EPSILON:
                return f"{who}: was: {shown(one, index)}; is: {shown(other, index)}"
        return None

    return predicate


def cut_off(before: Log, after: Log) -> tuple[dict[str, Log], dict[str, Log]]:
    """The events of each; without what comes after somebody was cut off by the end of a run.

    Who had no turn while the others blocked was left over before, and may come to its end now; who had turns for as long as
    the run was kept up by blocking may be left over now.
    """
    was, is_now = by_actor(before), by_actor(after)
    for log, cut, other in ((before, was, is_now), (after, is_now, was)):
        ends = [index for index, event in enumerate(log) if event.kind == "left" and event.text]
        for who in list(cut) if ends else ():
            if CHILD.fullmatch(who):
                until = [event for event in log[: ends[0]] if event.who == who]
                if len(until) < len(cut[who]) or len(until) < len(other.get(who, [])):
                    cut[who], other[who] = until, other.get(who, [])[: len(until)]
    return was, is_now


def arrivals(was: dict[str, Log], is_now: dict[str, Log], mark: str, first: float) -> float | None:
    """When the first cancellation arrived in the middle of a call; or was not sent, because a limit was kept."""
    found = []
    # Who says nothing more was cancelled only if somebody notices, or if it was left at the end of the run.
    noticed = any(
        event.what in TROUBLE or (event.kind == "left" and event.text) for log in is_now.values() for event in log
    )
    for who in was.keys() | is_now.keys():
        one, other = was.get(who, []), is_now.get(who, [])
        index = first_difference(said(one), said(other))
        if index is None:
            continue
        cancelled = index < len(other) and other[index].what in (*LAST_WORDS, "late", "saw cancelled", "failed")
        cut = noticed and index == len(other) and index > 0 and other[index - 1].what == mark
        spared = index < len(one) and one[index].what in ("late", "cancelled", "saw cancelled")
        if cancelled or cut or spared:
            found += [log[index].time for log in (one, other) if index < len(log)]
            found += [other[index - 1].time] if cut else []
    return min(found) if found and min(found) >= first - EPSILON else None


def run_until_complete_to_run(before: Log, after: Log) -> str | None:
    """At the end of the run leftover tasks are cancelled, asynchronous generators and the executor are shut down.

    Until the run is over nothing changes. From there on the program says the same, and others only last words.
    """
    runs = [index for index, event in enumerate(before) if event.kind == "left"]
    if not runs:
        return equal(before, after)
    end = runs[0] + 1
    index = first_difference(before[:end], after[:end])
    if index is not None:
        return f"during the run; was: {shown(before, index)}; is: {shown(after, index)}"
    left = before[runs[0]].text
    rest = [event for event in after[end:] if event.kind == "print" and event.who != "program"]
    if not left and len(runs) == 1 and any(event.what not in (*CLEANUP, "closed") for event in rest):
        return f"nothing was left running; is: {rest[0].text}"
    if len(runs) == 1:
        cancelled: set[str] = set()
        for event in rest:
            if event.what == "cancelled":
                cancelled.add(event.who)
            # One whose cancellation was swallowed comes to its end: up to 3.11 `wait_for` does that at the last moment.
            is_end = event.what == "end" or (event.what == "goes on" and event.who in cancelled)
            if event.what not in LAST_WORDS and not is_end:
                return f"after the run: {event.text}"
        return same_for_program(before[end:], after[end:])
    # Several runs share the loop: `Runner` shuts it down behind the last.
    last = runs[-1] + 1
    return equal(before[:last], after[:last]) or same_for_program(before[last:], after[last:])


def same_for_program(before: Log, after: Log) -> str | None:
    """Whether what stands around the run says the same."""

    def told(log: Log) -> list[str]:
        return said([event for event in log if event.who in ("program", "(raised)", "(stuck)")])

    was, is_now = told(before), told(after)
    index = first_difference(was, is_now)
    return None if index is None else f"was: {was[index:][:1]}; is: {is_now[index:][:1]}"


def close_async_generator(before: Log, after: Log) -> str | None:
    """The generator's cleanup runs when the loop is left, in the same task: the cleanup moves there, and nothing else does.

    The cleanup is said to be of whoever goes through the generator. Where it waits, others may run meanwhile, and are there
    earlier than after a call that blocks; nobody is later.
    """
    cut = interrupted(before, after)
    if cut is not None:
        before, after = ([event for event in log if event.time < cut] for log in (before, after))
    waits = any(event.what == "cleanup over" for event in after)
    was, is_now = by_actor(before), by_actor(after)
    for who in sorted(was.keys() | is_now.keys()):
        # A generator that nobody closed was closed by a task of its own, which may be left, or destroyed.
        if who in ("(left)", "(loop)", "(warning)", "(unraisable)") or (who == "z" and waits):
            continue
        one, other = was.get(who, []), is_now.get(who, [])
        compare = not_later if waits else equal
        problem = compare(without(one, *CLEANUP), without(other, *CLEANUP))
        if problem:
            return f"{who}: {problem}"
        if said(one).count(f"print: {who} cleanup") > said(other).count(f"print: {who} cleanup"):
            return f"{who} is not cleaned up any more"
        rest = without(other, *CLEANUP)
        # What was there at that moment before has not moved: a generator that is cancelled while it waits cleans up as well.
        for place, _ in cleanups(other) - cleanups(one):
            if not (place and rest[place - 1].what.startswith("number")):
                return f"{who}: cleaned up after {rest[place - 1].text if place else 'nothing'}"
    return None


def not_later(before: Log, after: Log) -> str | None:
    """The same happens in the same order, and nothing later."""
    index = first_difference(said(before), said(after))
    if index is not None:
        return f"was: {shown(before, index)}; is: {shown(after, index)}"
    times = zip(before, after, strict=True)
    return next(
        (
            f"{one.text}: at {other.time}, was at {one.time}"
            for one, other in times
            if other.time > one.time + EPSILON * 3
        ),
        None,
    )


def cleanups(log: Log) -> Counter[tuple[int, float]]:
    """How many cleanups there are behind so many other events of one who goes through a generator, and when."""
    places: Counter[tuple[int, float]] = Counter()
    others = 0
    for event in log:
        if event.what == "cleanup":
            places[others, event.time] += 1
        elif event.what not in CLEANUP:
            others += 1
    return places


def interrupted(before: Log, after: Log) -> float | None:
    """When a cancellation came in the middle of a cleanup that waits; none where each came to its end, or did not before.

    Before, the end of the run may have cut it short as well, and nobody sees that.
    """
    end = next((index for index, event in enumerate(before) if event.kind == "left"), len(before))
    cut = cut_short(after) - cut_short(before[:end])
    noticed = any(event.what in ("saw cancelled", "late") for event in after)
    return min(time for _, time in cut) if cut and noticed else None


def cut_short(log: Log) -> Counter[tuple[str, float]]:
    """The cleanups that waited and never came to their end: whose, and since when."""
    waiting: Counter[tuple[str, float]] = Counter()
    for who, theirs in by_actor(log).items():
        since: list[float] = []
        for event in theirs:
            if event.what == "cleanup waits":
                since.append(event.time)
            elif event.what == "cleanup over" and since:
                since.pop()
        waiting.update((who, time) for time in since)
    return waiting


def await_coroutine(before: Log, after: Log) -> str | None:
    """The coroutine, which never ran before, runs: nobody else says anything else, but for the result.

    What is true of a coroutine need not be true of what it gives. It takes time: what takes time may be late, or cancelled.
    """
    was, is_now = cut_off(before, after)
    new = [event for event in after if is_child(event) and event.who not in was]
    if not new and any("was never awaited" in event.text for event in after):
        return "it still does not run"
    end = min((event.time for event in after if event.what in TROUBLE), default=float("inf"))
    results = re.compile(r"(true|not|equal|length|size|got|slept|cleanup)\b.*")
    for who, log in was.items():
        if who == "z" or who.startswith("("):
            continue
        told = [event.text for event in log if not results.fullmatch(event.what)]
        now = [event.text for event in is_now.get(who, []) if event.time < end and not results.fullmatch(event.what)]
        index = first_difference(told, now)
        if index is not None and (index < len(now) or end == float("inf")):
            return f"{who}: was: {told[index:][:1]}; is: {now[index:][:1]}"
    return None


def wait_for_to_timeout(before: Log, after: Log) -> str | None:
    """The awaited coroutine runs in the caller's task and context: everybody says the same at the same time.

    That is one task fewer, and fewer turns of the loop: what happens at one moment may happen in another order, and before or
    after the end of the run, if that is the moment. And what is set in a context variable stays set. Up to CPython 3.11,
    `wait_for` forgets the time limit when it is cancelled, and `timeout` does not: a cleanup that takes longer is cut short.
    And it swallows a cancellation at the moment at which the awaited ends: who is left over then may keep up the end.
    """
    ends = [event.time for event in before if event.kind == "left"]
    is_left = any(event.kind == "left" and event.text for event in before)
    was, is_now = by_actor(before), by_actor(after)
    cut = cleanup_cut(was, is_now)
    if cut is not None:
        problem = same_for_others(before, after, str)
        before, after = ([event for event in log if event.time < cut] for log in (before, after))
        return problem or wait_for_to_timeout(before, after)
    for who in sorted(was.keys() | is_now.keys()):
        one, other = (
            sorted(event for event in log.get(who, []) if not event.what.startswith("var ")) for log in (was, is_now)
        )
        if (CHILD.fullmatch(who) or who == "(left)") and ends:
            one, other = ([event for event in log if event.time < ends[-1]] for log in (one, other))
        if who == "(loop)":
            # Who failed in that moment, in the place of being left over, waited for nobody.
            other = without_failures_of_left(one, other, was, is_now)
        if who == "(raised)" and is_left and [event.time for event in other] <= [event.time for event in one]:
            one, other = ([event._replace(time=0) for event in log] for log in (one, other))
        problem = equal(one, other)
        if problem:
            return f"{who}: {problem}"
    return None


def without_failures_of_left(one: Log, other: Log, was: dict[str, Log], is_now: dict[str, Log]) -> Log:
    """`other` without the failures that nobody asked for, beyond those of `one`, of as many as are left over no more."""
    left_over = [len(" ".join(event.text for event in log.get("(left)", [])).split()) for log in (was, is_now)]
    spared = left_over[0] - left_over[1]
    kept = []
    for event in other:
        if spared > 0 and event not in one and "exception was never retrieved" in event.text:
            spared -= 1
        else:
            kept.append(event)
    return kept


def cleanup_cut(was: dict[str, Log], is_now: dict[str, Log]) -> float | None:
    """When the first was cancelled whose cleanup, but for that, came to its end, and does not any more."""
    found = []
    for who in filter(CHILD.fullmatch, was.keys() & is_now.keys()):
        one, other = said(was[who]), said(is_now[who])
        rest = was[who][len(other) :]
        if (
            rest
            and one[: len(other)] == other
            and all(event.what in ("cleaned", "cleanup over", "finally") for event in rest)
        ):
            found += [event.time for event in is_now[who] if event.what == "cancelled"][-1:]
    return min(found, default=None)


def executor_to_thread(before: Log, after: Log) -> str | None:
    """The function sees the caller's context variables."""
    index = first_difference(
        [event._replace(text=re.sub(" var .*", " var", event.text)) for event in before],
        [event._replace(text=re.sub(" var .*", " var", event.text)) for event in after],
    )
    return None if index is None else f"was: {shown(before, index)}; is: {shown(after, index)}"


def limit_concurrency(before: Log, after: Log, limit: int = 2) -> str | None:
    """At most two of the coroutines run at a time; each says what it said, and the results are the same.

    That takes longer, so that a time limit around it may be over.
    """

    def is_trouble(event: Event) -> bool:
        return event.what in TROUBLE or "TimeoutError" in event.text

    running: dict[str, set[str]] = {}
    for event in after:
        if is_trouble(event):
            # Whoever is not cancelled then runs on, and it may all be tried again.
            break
        together = running.setdefault(event.who.partition("_")[2], set())
        if not event.who.startswith("q"):
            continue
        if event.what == "start":
            together.add(event.who)
            if len(together) > limit:
                return f"{len(together)} run at a time: {' '.join(sorted(together))}"
        elif event.what in ("end", "early"):
            together.discard(event.who)
    if any(map(is_trouble, before + after)):
        # What came next depends on who failed first, or was late.
        return None
    was, is_now = by_actor(before), by_actor(after)
    for who in sorted(was.keys() | is_now.keys()):
        if who not in ("z", "(left)", "(loop)"):
            index = first_difference(said(was.get(who, [])), said(is_now.get(who, [])))
            if index is not None:
                return f"{who}: was: {shown(was.get(who, []), index)}; is: {shown(is_now.get(who, []), index)}"
    return None


def since_cancelled(log: Log, who: str) -> list[str]:
    """What everybody says from where `who` is first cancelled to the last that it says."""
    theirs = [index for index, event in enumerate(log) if event.who == who]
    start = next((index for index in theirs if log[index].what == "cancelled"), len(log))
    return said(log[start : theirs[-1] + 1]) if theirs else []


def reraise_cancelled(before: Log, after: Log) -> str | None:
    """A cancellation leaves the coroutine after its handler ran.

    Until a handler has it, nothing changes. From there on whoever had it says last words only, and who waits hears of it.
    """
    starts = [index for index, event in enumerate(before) if is_child(event) and event.what == "cancelled"]
    if not starts:
        return equal(before, after)
    index = first_difference(before[: starts[0] + 1], after[: starts[0] + 1])
    if index is not None:
        return f"before any cancellation; was: {shown(before, index)}; is: {shown(after, index)}"
    handled: set[str] = set()
    for event in after[starts[0] :]:
        if event.what == "cancelled":
            handled.add(event.who)
        elif event.what in ("start", "tries"):
            handled.discard(event.who)
        elif (
            event.who in handled
            and is_child(event)
            and event.what not in LAST_WORDS
            # A handler that is withheld goes on as it did, and nobody notices anything.
            and since_cancelled(before, event.who) != since_cancelled(after, event.who)
        ):
            return f"after its cancellation: {event.text}"
    for who, log in by_actor(before).items():
        if who in ("program", "(stuck)") and said(log) != said(by_actor(after).get(who, [])):
            return f"{who} says something else"
    return None


def run_debug(before: Log, after: Log) -> str | None:
    """asyncio's debug mode is on, and the program says so where it is asked."""
    on = [event._replace(text=event.text.replace("debug False", "debug True")) for event in before]
    return equal(on, after)


def keep_task_reference(before: Log, after: Log) -> str | None:
    """None: the task is no longer lost. What asyncio logs of one that failed comes when nothing refers to it any more.

    The set refers to it for one turn of the loop longer than nobody.
    """

    def seen(log: Log) -> Log:
        return [event for event in log if event.kind != "loop"]

    def logged(log: Log) -> list[str]:
        return sorted(event.text for event in log if event.kind == "loop")

    if logged(before) != logged(after):
        return f"logged was: {logged(before)}; is: {logged(after)}"
    return equal(seen(before), seen(after))


EFFECTS: dict[str, Predicate] = {
    "gather-to-taskgroup": gather_to_taskgroup,
    "gather-to-taskgroup of some": functools.partial(gather_to_taskgroup, some=True),
    "gather-to-taskgroup unwrapped": functools.partial(gather_to_taskgroup, normal=str),
    "gather-to-taskgroup unwrapped of some": functools.partial(gather_to_taskgroup, normal=str, some=True),
    "run-until-complete-to-run": run_until_complete_to_run,
    "await-sleep": others_run("sleeps"),
    "limit-concurrency": limit_concurrency,
    "limit-concurrency of some": functools.partial(limit_concurrency, limit=1000),
    "run-debug": run_debug,
    "close-async-generator": close_async_generator,
    "blocking-to-thread": others_run("blocks"),
    "wait-for-to-timeout": wait_for_to_timeout,
    "executor-to-thread": executor_to_thread,
    "reraise-cancelled": reraise_cancelled,
    "await-coroutine": await_coroutine,
    "keep-task-reference": keep_task_reference,
    # None, on what generated programs do: nothing is marked as a coroutine function, no task factory is set.
    "inspect-iscoroutinefunction": equal,
    "task-to-create-task": equal,
}

# Where safe fixes are safe but for that: no other run of a loop ends as the one by hand, and what holds a task holds it.
SAFE: dict[str, Predicate] = {
    "run-until-complete-to-run": run_until_complete_to_run,
    "keep-task-reference": keep_task_reference,
    # A generator that nobody closed was closed by a task of its own, which may have been destroyed.
    "close-async-generator": close_async_generator,
}

# What a codemod repairs failed so, wherever it was reached.
REPAIRS: dict[str, tuple[str, ...]] = {
    "async-with": ("TypeError",),
    "await-coroutine": ("TypeError",),
    "await-nested-run": ("RuntimeError",),
    "coroutine-to-async-def": ("AttributeError", "ImportError"),
    "drop-loop-argument": ("TypeError",),
    "task-method-to-function": ("AttributeError",),
    "wait-on-tasks": ("TypeError",),
}


def is_failure(event: Event) -> bool:
    """Whether somebody saw a failure, without its type."""
    return event.what.startswith(("failed", "caught")) or (event.what.startswith("gathered") and "True" in event.what)


def repaired(errors: tuple[str, ...]) -> Predicate:
    """What failed with one of these errors goes on."""

    def predicate(before: Log, after: Log) -> str | None:
        index = first_difference(before, after)
        if not any(is_failure(event) or any(error in event.text for error in errors) for event in before):
            return f"nothing failed; was: {shown(before, index)}; is: {shown(after, index)}"
        return None

    return predicate


def judged(codemod: str, applied: set[str], before: Log, after: Log, option: str = "") -> str | None:
    """What is wrong with the second log, if fixes of these applicabilities were applied; none where all is right."""
    if before == after:
        return None
    if applied == {"safe"}:
        predicate = repaired(REPAIRS[codemod]) if codemod in REPAIRS else SAFE.get(codemod, equal)
        return predicate(before, after)
    predicate = EFFECTS.get(f"{codemod} {option}") or EFFECTS.get(codemod)
    predicates = [predicate] if predicate else []
    if codemod in REPAIRS:
        predicates.append(repaired(REPAIRS[codemod]))
    if not predicates:
        return equal(before, after)
    problems = [problem for predicate in predicates if (problem := predicate(before, after)) is not None]
    return problems[0] if len(problems) == len(predicates) else None
