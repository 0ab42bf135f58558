#!/usr/bin/env bash
# Installs asyncfix into an environment of its own, and says where, in the output `bin` of the step.
#
# ASYNCFIX_VERSION: the input `version`; the rest is the runner's.
# It runs with bash 3.2, which macOS has.
set -euo pipefail

fail() {
    echo "::error title=asyncfix::$1"
    exit 2
}

case "$ASYNCFIX_VERSION" in
    "")
        own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/Cargo.toml")
        what=(asyncfix-cli=="$own")
        ;;
    latest) what=(--upgrade asyncfix-cli) ;;
    source)
        command -v cargo > /dev/null || fail "version: source needs Rust, and there is no cargo on this runner"
        what=("$GITHUB_ACTION_PATH")
        ;;
    # Not an option of pip, nor the address of something else.
    [0-9]*)
        case "$ASYNCFIX_VERSION" in
            *[!0-9A-Za-z.]*) fail "the version is not one: write it as 0.1.0, or latest, or source" ;;
        esac
        what=(asyncfix-cli=="$ASYNCFIX_VERSION")
        ;;
    *) fail "the version is not one: write it as 0.1.0, or latest, or source" ;;
esac

python=$(command -v python3 || command -v python) || fail "there is no Python on this runner: use actions/setup-python before"

# Isolated (-I), since the working directory holds the code of the pull request, and may hold a module `pip`.
environment="$RUNNER_TEMP/asyncfix"
"$python" -I -m venv "$environment"
scripts="$environment/bin"
[ -d "$scripts" ] || scripts="$environment/Scripts"
PIP_DISABLE_PIP_VERSION_CHECK=1 "$scripts/python" -I -m pip install --quiet "${what[@]}"

"$scripts/asyncfix" --version
echo "bin=$scripts/asyncfix" >> "$GITHUB_OUTPUT"
