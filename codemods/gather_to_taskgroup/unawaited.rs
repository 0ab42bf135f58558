//! Gathers that are seen to be no site before the file is parsed.
//!
//! Each answer here is one of `awaited`, from less.

use engine::{Sighting, is_part, split_last_word};

/// Whether nothing is called there, or what the call gives is not awaited at once, or the children
/// are told to go on.
pub(super) fn is_not_ours(sighting: &Sighting<'_>) -> bool {
    if !sighting.may_be_called() {
        return true;
    }
    let before = sighting.before().map(<[u8]>::trim_ascii_end);
    before.is_some_and(is_unawaited) || goes_on(&sighting.rest().code)
}

/// Whether what stands before takes the future.
fn is_unawaited(before: &[u8]) -> bool {
    if let Some(target) = before.strip_suffix(b"=") {
        // `wait_for(fut=...)`
        return split_last_word(target.trim_ascii_end()).1 != b"fut";
    }
    let (rest, word) = split_last_word(before);
    matches!(word, b"def" | b"return" | b"yield") && rest.last() != Some(&b'.')
}

/// Whether the arguments, at the start of `code`, hold `return_exceptions` that is not `False`.
fn goes_on(code: &[u8]) -> bool {
    const KEYWORD: &[u8] = b"return_exceptions";
    let mut depth = 0;
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 1 => return false,
            b')' | b']' | b'}' => depth -= 1,
            b'r' if depth == 1 && !is_part(code[at - 1]) && code[at..].starts_with(KEYWORD) => {
                let rest = code[at + KEYWORD.len()..].trim_ascii_start();
                let value = rest.strip_prefix(b"=").map(<[u8]>::trim_ascii_start);
                let is_told = |value: &[u8]| {
                    !matches!(value, [] | [b'=', ..]) && !value.starts_with(b"False")
                };
                if value.is_some_and(is_told) {
                    return true;
                }
            }
            _ if depth == 0 && !byte.is_ascii_whitespace() => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use engine::Prefilter;

    fn is_looked_at(line: &str) -> bool {
        let text = format!("import asyncio\nasync def f(x):\n    {line}\n");
        Prefilter::new(&[&super::super::CODEMOD]).may_match(text.as_bytes())
    }

    #[test]
    fn whatever_may_be_awaited_is_looked_at() {
        for line in [
            "await asyncio.gather(g(), h())",
            "await (asyncio.gather)(g(), h())",
            "await asyncio.wait_for(asyncio.gather(g(), h()), 1)",
            "await asyncio.wait_for(timeout=1, fut=asyncio.gather(g(), h()))",
            "await (\n    asyncio.gather(g(), h()))",
            "await asyncio.gather(g(), return_exceptions=False)",
            "await asyncio.gather(g(), return_exceptions==x)",
            "await asyncio.gather(g('return_exceptions=True'))",
            "await asyncio.gather(g(return_exceptions=True))",
            "await asyncio.gather(g())  # return_exceptions=True",
            "await asyncio.gather(g()), h(return_exceptions=True)",
            "from asyncio import gather as many; await many(g())",
        ] {
            assert!(is_looked_at(line), "{line}");
        }
    }

    #[test]
    fn a_gather_that_is_not_awaited_or_goes_on_is_not() {
        for line in [
            "future = asyncio.gather(g(), h())",
            "return asyncio.gather(g(), h())",
            "await asyncio.gather(\n        g(')'), *x, return_exceptions=True)",
            "await asyncio.gather(g(), return_exceptions = x)",
            "x(asyncio.gather)",
        ] {
            assert!(!is_looked_at(line), "{line}");
        }
    }
}
