#!/usr/bin/env bash
# usage: absolute-links.sh FILE
#
# Writes links of a page to files of this repository as addresses at GitHub, for where only the page is shown, as on
# PyPI. GITHUB_SERVER_URL, GITHUB_REPOSITORY and GITHUB_SHA say which.
set -euo pipefail

root="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/blob/$GITHUB_SHA"
# Not what has a scheme, nor a place in the page itself.
sed -E "s|\]\(([^():#][^():]*)\)|](${root}/\1)|g" "$1" > "$1.new"
mv "$1.new" "$1"
