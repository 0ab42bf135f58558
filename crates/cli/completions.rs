//! Scripts that complete arguments in shells, made from the definition of the command line.
//!
//! What `clap_complete` writes is mended where a shell was seen to do without (version 4.6).

use std::fmt::Write;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, Command};
use clap_complete::Shell;

use crate::arguments::{GROUPS, command};

/// A script that completes arguments in the shell.
pub fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    let mut command = with_names(command());
    clap_complete::generate(shell, &mut command, "asyncfix", &mut script);
    let text = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => mended_bash(&text).into_bytes(),
        Shell::Fish => mended_fish(&text, &command).into_bytes(),
        Shell::Zsh => mended_zsh(&text, &command).into_bytes(),
        _ => script,
    }
}

/// The script for zsh takes the first word for a path, so that no subcommand gets its arguments, and
/// the second for a subcommand. Here a subcommand is the first word, and all others are paths.
fn mended_zsh(script: &str, command: &Command) -> String {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let (arguments, paths) = (
        "    _arguments \"${_arguments_options[@]}\" : \\\n",
        "'::paths -- ",
    );
    let (state, moved, list) = (
        "    case $state in\n",
        "        words=($line[2] \"${words[@]}\")\n        (( CURRENT += 1 ))\n",
        "(( $+functions[_asyncfix_commands] )) ||\n",
    );
    let parts = (
        script.split_once(arguments),
        script.find(paths).zip(script.find(state)),
    );
    let (Some((head, _)), Some((paths, state))) = parts else {
        return script.to_string(); // another version writes another script
    };
    let options = script.get(head.len()..paths).unwrap_or_default();
    let rest = script.get(state..).unwrap_or_default();
    let rest = rest.replacen(moved, "", 1).replace("$line[2]", "$line[1]");
    let rest = rest.replacen(list, &format!("{ZSH_PATHS}{list}"), 1);
    let names = names.join(" ");
    format!(
        "{head}    if (( CURRENT > 2 )) && [[ \" {names} \" == *\" $words[2] \"* ]]; then
        line=(\"$words[2]\")
        state=asyncfix
        shift words
        (( CURRENT -= 1 ))
    else
{options}'*: :_asyncfix_paths' \\
&& ret=0
    fi
{rest}"
    )
}

/// Completes a word that is no option.
const ZSH_PATHS: &str = "_asyncfix_paths() {
    local ret=1
    (( CURRENT > 2 )) || _asyncfix_commands && ret=0
    _files && ret=0
    return ret
}
";

/// Bash hands `--option=value` over as three words, which the script does not reckon with.
fn mended_bash(script: &str) -> String {
    let mended = "    prev=\"$3\"
    if [[ \"${cur}\" == \"=\" ]]; then
        cur=\"\"
    elif [[ \"${prev}\" == \"=\" ]]; then
        prev=\"${COMP_WORDS[COMP_CWORD-2]}\"
    fi
";
    script.replacen("    prev=\"$3\"\n", mended, 1)
}

/// The script for fish gives up on a line whose last option still waits for its value, and knows no
/// values of what is no option.
fn mended_fish(script: &str, command: &Command) -> String {
    let given_up = "-- $cmd 2>/dev/null\n    or return\n";
    let mut script = script.replacen(given_up, "-- $cmd 2>/dev/null\n    or return 0\n", 1);
    for subcommand in command.get_subcommands() {
        let name = subcommand.get_name();
        for value in subcommand
            .get_positionals()
            .flat_map(Arg::get_possible_values)
        {
            let what = value.get_help().map(ToString::to_string);
            let _ = writeln!(
                script,
                "complete -c asyncfix -n \"__fish_asyncfix_using_subcommand {name}\" -f -a {} -d {}",
                quoted(value.get_name()),
                quoted(&what.unwrap_or_default()),
            );
        }
    }
    script
}

/// A word for fish that means nothing but itself.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{text}'")
}

/// The command with the names of codemods as the values of what takes them. That is for the
/// scripts: when arguments are read, an unknown name gets a shorter answer than all of them.
fn with_names(command: Command) -> Command {
    let codemod = |codemod: &&'static engine::Codemod| {
        PossibleValue::new(codemod.name).help(codemod.title().replace('`', ""))
    };
    let names = || codemods::ALL.iter().map(codemod);
    let groups = || names().chain(GROUPS.map(PossibleValue::new));
    let mut command = command.mut_subcommand("explain", |explain| {
        explain.mut_arg("codemod", |argument| {
            argument.value_parser(PossibleValuesParser::new(names()))
        })
    });
    for argument in ["select", "extend_select", "ignore"] {
        command = command.mut_arg(argument, |argument| {
            argument.value_parser(PossibleValuesParser::new(groups()))
        });
    }
    command
}
