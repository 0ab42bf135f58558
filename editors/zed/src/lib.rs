//! Starts `asyncfix server` in Zed: the program that the settings name, else the one in `PATH`.

use zed_extension_api::settings::LspSettings;
use zed_extension_api::{self as zed, LanguageServerId, Result, Worktree};

struct Asyncfix;

impl zed::Extension for Asyncfix {
    fn new() -> Self {
        Self
    }

    fn language_server_command(
        &mut self,
        server: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<zed::Command> {
        let settings = LspSettings::for_worktree(server.as_ref(), worktree)?;
        let binary = settings.binary;
        let named = binary.as_ref().and_then(|binary| binary.path.clone());
        let Some(command) = named.or_else(|| worktree.which("asyncfix")) else {
            return Err("asyncfix is not in PATH: install it, or set lsp.asyncfix.binary.path".into());
        };
        let arguments = binary.and_then(|binary| binary.arguments);
        Ok(zed::Command {
            command,
            args: arguments.unwrap_or_else(|| vec!["server".to_string()]),
            env: worktree.shell_env(),
        })
    }
}

zed::register_extension!(Asyncfix);
