#!/usr/bin/env bash
# Makes .venv in the repository and installs acsgen into it, with the packages that it needs from the system.
#
#   scripts/setup.sh            everything `make demo` and `make test` need
#   scripts/setup.sh dev        the linters and pre-commit as well
#
# Environment: PYTHON (default python3), VENV (default .venv), PIP_ARGS (more arguments for pip install).
# Does nothing that is already done; safe to run again after an interruption.
set -euo pipefail
cd "$(dirname "$0")/.."

extra="${1:-test}"
python="${PYTHON:-python3}"
venv="${VENV:-.venv}"

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 2; }

# Debian and Ubuntu packages, through root or sudo; otherwise a message names them.
install_packages() {
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null 2>&1; then
            root=(sudo)
        else
            die "missing: $*. Install with: apt-get install $* (as root), or ask your administrator."
        fi
    fi
    command -v apt-get >/dev/null 2>&1 ||
        die "missing: $*. Install the packages of these names with your system's package manager."
    say "installing $*"
    "${root[@]}" apt-get update -qq ||
        say "apt-get update failed; going on with the package lists that are there"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "$@" >/dev/null || die "apt-get could not install: $*"
}

needed=()
command -v "$python" >/dev/null 2>&1 || needed+=(python3 python3-venv)
command -v g++ >/dev/null 2>&1 || needed+=(g++ libc6-dev)
# The RTL's simulation: Verilator writes C++ and makefiles; its FST waves are packed by zlib.
command -v verilator >/dev/null 2>&1 || needed+=(verilator)
command -v make >/dev/null 2>&1 || needed+=(make)
# The checks of the HLS engine's claims read LLVM IR.
command -v clang++ >/dev/null 2>&1 || needed+=(clang)
{ command -v opt && command -v llvm-link; } >/dev/null 2>&1 || needed+=(llvm)
# The scripts for Vivado run under a Tcl interpreter.
command -v tclsh >/dev/null 2>&1 || needed+=(tcl)
command -v g++ >/dev/null 2>&1 && echo '#include <zlib.h>' | g++ -E -x c++ - >/dev/null 2>&1 ||
    needed+=(zlib1g-dev)
if [ "${#needed[@]}" -gt 0 ]; then install_packages "${needed[@]}"; fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die "$("$python" --version) is too old: acsgen needs Python 3.10 or later (set PYTHON=...)"
# Debian splits venv's bootstrap from python3: the package is named after the version.
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
    install_packages python3-venv
    "$python" -c 'import venv, ensurepip' || die "$python has no working venv module"
fi

# An environment that was moved or left half made does not start its own pip: make it again.
here="$(pwd -P)/$venv"
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    ! "$venv/bin/python" -c "import sys, pathlib
sys.exit(pathlib.Path(sys.prefix).resolve() != pathlib.Path('$here'))" ||
    ! grep -qs "VIRTUAL_ENV=.*$here" "$venv/bin/activate"; then
    say "creating $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv"
fi

say "installing acsgen[$extra] into $venv"
# shellcheck disable=SC2086  # PIP_ARGS is a list of words
PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip install --quiet \
    --constraint constraints.txt ${PIP_ARGS:-} --editable ".[$extra]"
say "done"
