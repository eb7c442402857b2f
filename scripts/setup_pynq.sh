#!/usr/bin/env bash
# Makes .venv-pynq in the repository: the environment of the tests that drive the engine through the
# real pynq package. It is apart from .venv because pynq needs numpy 1.
#
# Environment: PYTHON (default: that of .venv, else another that is there; 3.10 to 3.12, because numpy 1
# has no wheels for later ones), PIP_ARGS (more arguments for pip).
# Does nothing that is already done. Exit status 3 if no package index can be reached.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=tests/host/requirements-pynq.txt
venv=.venv-pynq
stamp=$venv/.ready

say() { printf 'setup: %s\n' "$*"; }

suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' \
        2>/dev/null
}

exec 9>"${TMPDIR:-/tmp}/acsgen-setup-pynq.$(id -u).lock"
flock 9
if cmp -s "$requirements" "$stamp"; then
    touch "$stamp"
    exit 0
fi

python=
for candidate in ${PYTHON:-.venv/bin/python python3 python3.12 python3.11 python3.10}; do
    if suits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    say "pynq needs Python 3.10 to 3.12 with venv; set PYTHON to one" >&2
    exit 1
fi

say "installing pynq into $venv (about a minute)"
rm -rf "$venv"
"$python" -m venv "$venv"
log=$venv/install.log
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
if ! PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --retries 1 \
    ${PIP_ARGS:-} --requirement "$requirements" >"$log" 2>&1; then
    if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|SSLError|ReadTimeoutError' "$log"; then
        say "no package index can be reached: the tests through pynq will be skipped"
        rm -rf "$venv"
        exit 3
    fi
    cat "$log" >&2
    rm -rf "$venv"
    exit 1
fi
cp "$requirements" "$stamp"
