#!/usr/bin/env bash
# Runs the tests with every Python that acsgen claims to work with, each in an environment of its own.
#
#   scripts/test_pythons.sh -m unit     what follows is for pytest
#
# Environment: PYTHONS (default: those of pyproject.toml's classifiers), PIP_ARGS (for pip install).
# An interpreter is python3.N on the PATH, or the newest one of pyenv. One that is not there is told, and
# is no failure; none at all is one. The environments stay, in .venv-python, so that a second run starts at once.
set -euo pipefail
cd "$(dirname "$0")/.."

listed="$(sed -n 's/^ *"Programming Language :: Python :: \(3\.[0-9]*\)",$/\1/p' pyproject.toml)"
read -r -a versions <<<"$(echo ${PYTHONS:-$listed})"

say() { printf 'test-pythons: %s\n' "$*"; }

# The path of a Python of version $1; nothing where there is none.
interpreter() {
    local candidate
    for candidate in "python$1" \
        $(ls -d "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python 2>/dev/null | sort -rV); do
        if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
}

passed=() failed=() absent=()
for version in "${versions[@]}"; do
    python="$(interpreter "$version")"
    if [ -z "$python" ]; then
        absent+=("$version")
        continue
    fi
    say "Python $version: $python"
    venv=".venv-python/$version"
    if PYTHON="$python" VENV="$venv" scripts/setup.sh test && "$venv/bin/python" -m pytest "$@"; then
        passed+=("$version")
    else
        failed+=("$version")
    fi
done

say "passed: ${passed[*]:-none}"
[ "${#absent[@]}" -eq 0 ] || say "no interpreter, not tested: ${absent[*]}"
[ "${#failed[@]}" -eq 0 ] || say "failed: ${failed[*]}"
[ "${#failed[@]}" -eq 0 ] && [ "${#passed[@]}" -gt 0 ]
