#!/usr/bin/env bash
# Makes an environment of the tests beside .venv, in the repository: .venv-NAME.
#
#   scripts/setup_environment.sh pynq         the real pynq package, which needs numpy 1
#   scripts/setup_environment.sh board-3.8    Python and numpy as on a PYNQ 2.7 image, nothing of acsgen
#   scripts/setup_environment.sh board-3.10   likewise, of PYNQ 3.0.1 and 3.1
#
# The packages are those of tests/host/requirements-NAME.txt. A fitting Python is taken where it is:
# in .venv, on the PATH, in pyenv, and in the folder of tools of GitHub's runners.
#
# Environment: PYTHON (the Python to take), PIP_ARGS (more arguments for pip).
# Does nothing that is already done. Exit status 3 if no package index can be reached, 4 if there is no
# fitting Python here.
set -euo pipefail
cd "$(dirname "$0")/.."

name=${1:-}
case "$name" in
    # numpy 1 has no wheels for Python 3.13 and later.
    pynq) versions="3.10 3.11 3.12" ;;
    board-3.8) versions="3.8" ;;
    # Python 3.9 stands in: numpy 1.21 has wheels for it, too.
    board-3.10) versions="3.10 3.9" ;;
    *)
        echo "setup: which environment? pynq, board-3.8 or board-3.10" >&2
        exit 2
        ;;
esac
requirements=tests/host/requirements-$name.txt
venv=.venv-$name
stamp=$venv/.ready

say() { printf 'setup: %s\n' "$*"; }

# A command that is there may still not start: pyenv has one for every version that it knows of.
suits() {
    "$1" -c "import sys, venv, ensurepip
sys.exit('%d.%d' % sys.version_info[:2] not in '$versions'.split())" 2>/dev/null
}

candidates() {
    if [ -n "${PYTHON:-}" ]; then
        echo "$PYTHON"
        return
    fi
    echo .venv/bin/python
    echo python3
    local version root
    for version in $versions; do
        echo "python$version"
        for root in "${PYENV_ROOT:-$HOME/.pyenv}/versions" "${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}/Python"; do
            # The newest of a version first.
            printf '%s\n' "$root/$version".*/bin/"python$version" "$root/$version".*/x64/bin/"python$version" | sort -rV
        done
    done
}

exec 9>"${TMPDIR:-/tmp}/acsgen-setup-$name.$(id -u).lock"
flock 9
if cmp -s "$requirements" "$stamp"; then
    touch "$stamp"
    exit 0
fi

python=
while read -r candidate; do
    if suits "$candidate"; then
        python=$candidate
        break
    fi
done < <(candidates)
if [ -z "$python" ]; then
    say "no Python ${versions// / or } with venv here: none on the PATH, none in pyenv; set PYTHON to one" >&2
    exit 4
fi

say "making $venv with $("$python" --version) (about a minute)"
rm -rf "$venv"
"$python" -m venv "$venv"
log=$venv/install.log
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
if ! PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet --retries 1 \
    ${PIP_ARGS:-} --requirement "$requirements" >"$log" 2>&1; then
    if grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ProxyError|SSLError|ReadTimeoutError' "$log"; then
        say "no package index can be reached: the tests in $venv will be skipped"
        rm -rf "$venv"
        exit 3
    fi
    cat "$log" >&2
    rm -rf "$venv"
    exit 1
fi
cp "$requirements" "$stamp"
