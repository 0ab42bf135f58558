#!/usr/bin/env bash
# Runs asyncfix in one of the modes of the action, and ends with its exit status.
#
# ASYNCFIX_BIN: the program; ASYNCFIX_MODE, ASYNCFIX_PATHS, ASYNCFIX_ARGS: the inputs; the rest is the runner's.
# It runs with bash 3.2, which macOS has.
set -euo pipefail

fail() {
    echo "::error title=asyncfix::$1"
    exit 2
}

# What is withheld fails the step too: it is shown, so that one sees where.
case "$ASYNCFIX_MODE" in
    report) command=("$ASYNCFIX_BIN" --show-withheld --color never) ;;
    annotate) command=("$ASYNCFIX_BIN" --show-withheld --output-format github) ;;
    suggest) command=("$ASYNCFIX_BIN" suggest) ;;
    *) fail "the input \`mode\` is report, annotate or suggest" ;;
esac

# xargs takes the inputs apart as a shell quotes them, and expands and runs nothing.
arguments="$RUNNER_TEMP/asyncfix-arguments.txt"
printf '%s\n' "$ASYNCFIX_ARGS" -- "$ASYNCFIX_PATHS" | xargs printf '%s\n' > "$arguments" ||
    fail "a quote in the input \`args\` or \`paths\` has no end"
command+=("@$arguments")

report="$RUNNER_TEMP/asyncfix-report.txt"
echo "report=$report" >> "$GITHUB_OUTPUT"

# What is printed has lines and names of the code that is looked at: to the runner they are no commands.
# Only annotations are, in which asyncfix escapes them; `suggest` makes some where it may not comment.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
status=0
if [ "$ASYNCFIX_MODE" != report ]; then
    messages="$RUNNER_TEMP/asyncfix-messages.txt"
    "${command[@]}" 2> "$messages" | tee "$report" || status=${PIPESTATUS[0]}
    echo "::stop-commands::$token"
    cat "$messages"
else
    echo "::stop-commands::$token"
    "${command[@]}" 2>&1 | tee "$report" || status=${PIPESTATUS[0]}
fi
echo "::$token::"

echo "status=$status" >> "$GITHUB_OUTPUT"
if [ "$ASYNCFIX_MODE" = report ]; then
    {
        echo "### asyncfix"
        echo
        # Indented, it is code, whatever it holds. A summary may have 1 MiB, the indentation included.
        head -c 500000 "$report" | sed 's/^/    /'
    } >> "$GITHUB_STEP_SUMMARY"
fi
exit "$status"
