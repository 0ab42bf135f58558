//! Tasks that are seen to be kept before the file is parsed: most are, and most files with tasks hold
//! no other.
//!
//! Each answer here is one of `place::of`, from less: that something has the task, or that the name
//! which it is bound to is read.

use engine::{End, Sighting, Skimmed, is_keyword, is_part, is_whole, split_last_word};

/// Whether nothing is called there, or something has the task that the call gives.
pub(super) fn is_kept(sighting: &Sighting<'_>) -> bool {
    if !sighting.may_be_called() {
        return true;
    }
    let Some(before) = sighting.before() else {
        return false;
    };
    let before = before.trim_ascii_end();
    if let Some(target) = before.strip_suffix(b"=") {
        return is_kept_in(sighting, target);
    }
    match split_last_word(before) {
        (rest, b"await" | b"def" | b"return" | b"yield") => rest.last() != Some(&b'.'),
        _ => is_in_brackets(before),
    }
}

/// Whether what stands before is an open bracket of arguments, of a subscript, or of a display that
/// something is set to, and maybe more brackets.
fn is_in_brackets(before: &[u8]) -> bool {
    let is_opening = |byte: &u8| matches!(byte, b'(' | b'[' | b'{' | b'*' | b' ');
    let start = before.iter().rposition(|byte| !is_opening(byte));
    let (before, opened) = before.split_at(start.map_or(0, |at| at + 1));
    let opened = opened.trim_ascii_start();
    match opened.first() {
        Some(b'(' | b'[') if before.last().is_some_and(|it| is_part(*it)) => {
            let (_, word) = split_last_word(before);
            !word.first().is_some_and(u8::is_ascii_digit) && !is_keyword(word)
        }
        Some(b'[' | b'{') => before.last() == Some(&b'='),
        _ => false,
    }
}

/// Whether what is assigned to `target`, which is what stands in the line before the last `=`, is
/// kept.
fn is_kept_in(sighting: &Sighting<'_>, target: &[u8]) -> bool {
    let indentation = target.len() - target.trim_ascii_start().len();
    let (indentation, target) = target.split_at(indentation);
    let target = target.trim_ascii_end();
    // A comparison, or an assignment that reads what it binds; `:=` is another matter.
    if let Some(b'=' | b'!' | b'<' | b'>' | b'+' | b'|') = target.last() {
        return true;
    }
    let (target, annotation) = match target.iter().position(|it| *it == b':') {
        Some(at) => (target[..at].trim_ascii_end(), &target[at + 1..]),
        None => (target, &b""[..]),
    };
    let is_simple = |byte: &u8| is_part(*byte) || matches!(byte, b'.' | b'[' | b']' | b'"' | b'\'');
    let depth = |depth: i32, byte: &u8| match byte {
        b'[' => depth + 1,
        b']' => depth - 1,
        _ => depth,
    };
    if !target.first().is_some_and(|it| is_part(*it))
        || !target.iter().all(is_simple)
        || target.iter().fold(0, depth) != 0
        || annotation.contains(&b'=')
    {
        return false;
    }
    let is_name = target.iter().all(|it| is_part(*it));
    !is_name || is_read(sighting, indentation, target)
}

/// Lines after the assignment that are looked at. Whether it stands in brackets is seen at their end.
const MOST_LINES: usize = 40;

/// Whether the call stands in brackets, where `name=` is an argument, or a line below, in the same
/// block and its inner blocks, reads the name.
fn is_read(sighting: &Sighting<'_>, indentation: &[u8], name: &[u8]) -> bool {
    let Skimmed { code, mut end } = sighting.rest();
    if code.contains(&b';') {
        return false;
    }
    for _ in 0..MOST_LINES {
        let start = match end {
            End::Bracket => return true,
            End::Unclear => return false,
            End::Line(start) => start,
        };
        let line = sighting.line_at(start);
        if line.end == End::Line(start) {
            return false; // the end of the file
        }
        end = line.end;
        if !matches!(end, End::Line(_)) {
            continue; // whose code may be of a comprehension
        }
        let code = line.code.trim_ascii();
        if code.is_empty() {
            continue;
        }
        if !line.code.starts_with(indentation) {
            return false; // the block ends
        }
        let words = || {
            code.split(|it| !is_part(*it))
                .filter(|word| !word.is_empty())
        };
        // Another scope, and what follows may be in it.
        if code.starts_with(b"@") || words().any(|word| matches!(word, b"class" | b"def")) {
            return false;
        }
        let binds = matches!(
            words().next(),
            Some(b"case" | b"del" | b"from" | b"global" | b"import" | b"nonlocal" | b"type")
        );
        // Another scope, or the name of its loop.
        let may_be_another = words().any(|word| matches!(word, b"for" | b"lambda"));
        if !binds && !may_be_another && reads(code, name) {
            return true;
        }
    }
    false
}

/// Whether a line of code reads a name: after a word that an expression follows, as the first argument
/// of a call, as what is set to something, or before an attribute.
fn reads(code: &[u8], name: &[u8]) -> bool {
    let windows = code.windows(name.len()).enumerate();
    let mut places = windows.filter(|(_, window)| *window == name);
    places.any(|(start, _)| {
        let end = start + name.len();
        let before = code[..start].trim_ascii_end();
        let after = code[end..].trim_ascii_start();
        if !is_whole(code, &(start..end)) || before.last() == Some(&b'.') {
            return false;
        }
        match after {
            [b'.', ..] => return true,
            [b':', b'=', ..] => return false,
            [b'=', b'=', ..] => {}
            [b'=', ..] => return false,
            _ => {}
        }
        if let Some(call) = before.strip_suffix(b"(") {
            let (_, word) = split_last_word(call.trim_ascii_end());
            return word.first().is_some_and(|it| !it.is_ascii_digit()) && !is_keyword(word);
        }
        if before.last() == Some(&b'=') {
            return matches!(after.first(), None | Some(b')' | b']' | b'}'));
        }
        let (_, word) = split_last_word(before);
        matches!(
            word,
            b"and"
                | b"assert"
                | b"await"
                | b"elif"
                | b"else"
                | b"if"
                | b"in"
                | b"is"
                | b"not"
                | b"or"
                | b"return"
                | b"while"
                | b"yield"
        )
    })
}

#[cfg(test)]
mod tests {
    use engine::Prefilter;

    /// Whether a file with these lines of a coroutine has to be parsed.
    fn is_looked_at(lines: &str) -> bool {
        let body = lines.replace('\n', "\n    ");
        let text = format!("import asyncio\nasync def f(self, x):\n    {body}\n");
        Prefilter::new(&[&super::super::CODEMOD]).may_match(text.as_bytes())
    }

    #[test]
    fn whatever_may_drop_the_task_is_looked_at() {
        for lines in [
            "asyncio.create_task(g())",
            "(asyncio.create_task)(g())",
            "asyncio.create_task (g())",
            "asyncio.create_task(g()).add_done_callback(h)",
            "_ = asyncio.create_task(g())",
            "t = asyncio.create_task(g())\nprint('t')",
            "t = asyncio.create_task(g())  # await t",
            "t = asyncio.create_task(g())\n'''\nawait t\n'''",
            "t = asyncio.create_task(g())\nreturn [\nawait t\nfor t in x]",
            "t = asyncio.create_task(g())\nr = lambda t: h(t)",
            "t = asyncio.create_task(g())\ndef h(t):\n    return t",
            "t = asyncio.create_task(g())\nh(t=1)",
            "t = asyncio.create_task(g())\nh(t := 1)",
            "t = asyncio.create_task(g())\nself.t.cancel()",
            "t = asyncio.create_task(g())\nfrom t import u",
            "t = asyncio.create_task(g())\nmatch x:\n    case h(t):\n        pass",
            "t = asyncio.create_task(g())\nx = t = 1",
            "t = asyncio.create_task(g())\nx = t, u = 1, 2",
            "t = asyncio.create_task(g())\ndel (t)",
            "t = asyncio.create_task(g())\nwith x as (t):\n    pass",
            "t: asyncio.Task = asyncio.create_task(g())",
            "t: \\\n    asyncio.Task = asyncio.create_task(g())",
            "t: list[\n    int] = asyncio.create_task(g())",
            "if x: t = asyncio.create_task(g())",
            "(t := asyncio.create_task(g()))",
            "x and asyncio.create_task(g())",
            "x or(asyncio.create_task(g()))",
            "1if x else(asyncio.create_task(g()))",
            "x if x else asyncio.create_task(g())",
            "[asyncio.create_task(g()) for _ in x]",
            "{1: asyncio.create_task(g())}",
            "h(lambda: asyncio.create_task(g()))",
            "f'{x}'; asyncio.create_task(g())",
            "x = 1; asyncio.create_task(g())",
            "x.call(1)(2).create_task(g())",
            "from asyncio import create_task as c\nc(g())",
            "from asyncio import (create_task  # why\n    as c)\nc(g())",
            "asyncio.gather(g())",
        ] {
            assert!(is_looked_at(lines), "{lines}");
        }
    }

    #[test]
    fn a_task_that_is_seen_to_be_kept_is_not() {
        for lines in [
            "await asyncio.create_task(g())",
            "return asyncio.get_running_loop().create_task(g())",
            "self.t = asyncio.create_task(g())",
            "self.t: asyncio.Task[int] = asyncio.create_task(g())",
            "self.ts['a'] = asyncio.create_task(g())",
            "self.ts.append(asyncio.create_task(g()))",
            "await asyncio.wait([asyncio.create_task(g()), x])",
            "x[asyncio.create_task(g())] = 1",
            "ts = [asyncio.create_task(g()) for _ in x]",
            "ts += asyncio.create_task(g()),",
            "h(\n    task=asyncio.create_task(g('a')),\n)",
            "t = asyncio.create_task(g())\nawait t",
            "t = asyncio.create_task(\n    g(')')\n)\n\n# why\ntry:\n    return t\nfinally:\n    pass",
            "t = asyncio.create_task(g())\nself.t = t",
            "t: asyncio.Task = asyncio.create_task(g())\nt.add_done_callback(h)",
            "t = asyncio.create_task(g())\nself.ts.add(t)",
            "x = asyncio.create_task",
            "tg.create_task\nhelp('asyncio.create_task')",
            "await asyncio.gather(g())",
        ] {
            assert!(!is_looked_at(lines), "{lines}");
        }
    }

    #[test]
    fn in_an_encoding_whose_characters_hold_ascii_nothing_is_dismissed() {
        let prefilter = Prefilter::new(&[&super::super::CODEMOD]);
        let text = b"import asyncio\nasync def f():\n    t = asyncio.create_task(g('\x95\\'))\n    await t\n";
        assert!(prefilter.may_match(text));
    }
}
