# Sourced by the other scripts: the virtual environment, the locked requirements and what Debian must bring.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# Runs a command as root: directly, or through a sudo that asks nothing. Fails where neither is possible.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@" 2>/dev/null
  fi
}

# install_debian PACKAGE...: installs what is missing, or prints the exact line and fails.
install_debian() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing with apt: ${missing[*]}"
  if command -v apt-get >/dev/null && as_root true; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update >/dev/null 2>&1 || true
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null 2>&1; then
      return 0
    fi
  fi
  say "These packages are missing. Install them with:"
  say "  sudo apt-get install ${missing[*]}"
  return 1
}

find_python() {
  local name
  for name in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    if [ -n "$name" ] && command -v "$name" >/dev/null &&
      "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$name"
      return 0
    fi
  done
  die "Python 3.11, 3.12 or 3.13 is needed and was not found (PYTHON=/path/to/python3 names one)."
}

make_venv() {
  # A copied or half made environment, or one of a Python that is gone, is made anew.
  .venv/bin/python -c 'import pip, sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && return 0
  local python
  python=$(find_python)
  say "Making the virtual environment with $("$python" --version)"
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    install_debian python3-venv || exit 1
  fi
  rm -rf .venv
  "$python" -m venv .venv || die "The virtual environment could not be made."
}

# install_lock FILE...: installs the locked requirements, hashes checked; does nothing where the files did not change.
install_lock() {
  local mark sum
  mark=".venv/.installed-$(basename "${1%.txt}")"
  sum=$(cat "$@" | sha256sum)
  [ -f "$mark" ] && [ "$(cat "$mark")" = "$sum" ] && return 0
  say "Installing the locked requirements (a minute or two the first time)"
  local options=() file
  for file in "$@"; do options+=(-r "$file"); done
  # One dot per package; what goes wrong comes on stderr and stays readable.
  .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off --require-hashes "${options[@]}" |
    awk '/^Collecting/ { printf "."; fflush() } /^Installing collected/ { printf " unpacking"; fflush() } END { print "" }' >&2 ||
    die "The requirements could not be installed; the lines above say why."
  printf '%s' "$sum" >"$mark"
}

PANGO_PACKAGES=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core)

has_pango() {
  .venv/bin/python -c 'from ctypes.util import find_library as f; raise SystemExit(not (f("pango-1.0") and f("pangoft2-1.0")))'
}
