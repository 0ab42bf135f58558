//! Changes to a file's bytes, whatever they stand for.

use crate::chance::Chance;

/// What a file may begin with.
const HEADS: &[&[u8]] = &[
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"# -*- coding: utf-8 -*-\n",
    b"# coding: latin-1\n",
    b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n",
    b"# coding: ascii\r\n",
    b"# coding: gb18030\n",
    b"# coding: shift_jis\n",
    b"# coding: iso2022_jp\n",
    b"# coding: utf-7\n",
    b"# coding: utf-16\n",
    b"# coding: \xff\n",
    b"\x0c# coding: koi8-r\r",
    b"\n# coding: euc-jp\n",
];

/// What may come into it.
const SCRAPS: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x0c",
    b"\x1a",
    b"\xff",
    b"\x80",
    b"\xc3",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    b"\\",
    b"\\\r",
    b"\"",
    b"'''",
    b"f\"{",
    b"{{",
    b"(",
    b")",
    b"]",
    b"#",
    b":",
    b";",
    b",",
    b"*",
    b"@",
    b"await ",
    b"async ",
    b"lambda:",
    b"yield ",
    b"$",
    b"?",
    b"!",
    b"%%time\n",
    b"!ls\n",
];

/// The bytes with a few changes.
pub fn change(chance: &mut Chance, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(5) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(9)).min(bytes.len());
        match chance.below(10) {
            0 => drop(bytes.drain(at..end)),
            1 => bytes.truncate(at),
            2 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            4 | 5 => {
                let head = chance.of(HEADS).copied().unwrap_or_default();
                bytes.splice(0..0, head.iter().copied());
            }
            _ => {
                let scrap = chance.of(SCRAPS).copied().unwrap_or_default();
                bytes.splice(at..at, scrap.iter().copied());
            }
        }
    }
    bytes
}
