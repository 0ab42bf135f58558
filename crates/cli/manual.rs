//! The manual page, made from the definition of the command line.

use std::io;

use clap::Command;
use clap_mangen::Man;

use crate::arguments::command;

/// The manual page, in roff. There is one for all: each subcommand has a section in it.
pub fn man() -> io::Result<Vec<u8>> {
    let mut whole = command();
    whole.build();
    let man = Man::new(whole.clone()).date("").manual("asyncfix");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    // Its own one would name each of the options.
    page.extend_from_slice(synopsis(&mut whole).as_bytes());
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    for subcommand in whole.get_subcommands() {
        let heading = format!("asyncfix {}", subcommand.get_name());
        let section = subcommand.clone().mut_args(|argument| {
            let is_help = argument.get_id() == "help";
            argument.help_heading(heading.clone()).hide(is_help)
        });
        Man::new(section).render_options_section(&mut page)?;
    }
    man.render_extra_section(&mut page)?;
    man.render_version_section(&mut page)?;
    let mut text = String::from_utf8_lossy(&page).replace(".SH EXTRA", ".SH USE");
    for subcommand in whole.get_subcommands() {
        let name = subcommand.get_name();
        // It has no page of its own.
        let own = format!("asyncfix\\-{name}(1)");
        text = text.replace(&own, &format!("asyncfix {name}"));
    }
    Ok(with_lists(&text).into_bytes())
}

fn synopsis(command: &mut Command) -> String {
    let usage = command.render_usage().to_string();
    let lines = usage.trim_start_matches("Usage:").lines();
    let lines: Vec<String> = lines.map(|line| line.trim().replace('-', "\\-")).collect();
    format!(".SH SYNOPSIS\n{}\n", lines.join("\n.br\n"))
}

/// The page with the lists of the help text, `  NAME   what it is`, as lists of roff, which would
/// run them together.
fn with_lists(page: &str) -> String {
    let mut text = String::new();
    let mut in_list = false;
    for line in page.lines() {
        let item = line.strip_prefix("  ").and_then(|it| it.split_once("  "));
        if let Some((name, what)) = item {
            text.extend([".TP\n", name, "\n", what.trim_start(), "\n"]);
            in_list = true;
        } else if line.starts_with(".SH") {
            text.extend([line, "\n"]);
            in_list = false;
        } else if in_list && line.is_empty() {
            text.push_str(".PP\n");
            in_list = false;
        } else {
            text.extend([line, "\n"]);
        }
    }
    text
}
