#!/bin/sh
# Installs Debian packages that the demo and the tests need, where they are missing: install-debian.sh PACKAGE...
# A server among them is wanted as a program only, so no system service is started or enabled on this machine.
set -eu

policy=/usr/sbin/policy-rc.d
policy_mark='written by post-msg install-debian.sh'

main() {
  missing=$(missing_of "$@")
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    fail "this is not Debian (there is no apt-get); install these by hand, then try again:" "$missing"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "you are not root and there is no sudo; as root, run: sh $0" "$missing"
    echo "Installing from Debian, with sudo:" $missing
    exec sudo sh "$0" "$@"
  fi
  trap allow_starts EXIT
  trap 'exit 130' HUP INT TERM
  forbid_starts
  before=$(installed)
  install_packages $missing
  disable_services_of "$(installed | without "$before")"
}

missing_of() {
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

installed() {
  dpkg-query -W -f '${db:Status-Status} ${binary:Package}\n' | sed -n 's/^installed //p'
}

without() {
  grep -Fxv -e "$1" || true
}

# Debian's maintainer scripts ask policy-rc.d before they start a service; 101 means no.
forbid_starts() {
  grep -qs "$policy_mark" "$policy" && rm -f "$policy"
  if [ -e "$policy" ]; then
    for package in $missing; do
      status=0
      "$policy" "$package" start >/dev/null 2>&1 </dev/null || status=$?
      [ "$status" -eq 101 ] ||
        fail "$policy exists and would let services start; install these by hand, then try again:" "$missing"
    done
  else
    printf '#!/bin/sh\n# %s\nexit 101\n' "$policy_mark" >"$policy"
    chmod 755 "$policy"
  fi
}

allow_starts() {
  grep -qs "$policy_mark" "$policy" && rm -f "$policy"
  return 0
}

install_packages() {
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
  log=$(mktemp)
  echo "Installing from Debian:" "$@"
  {
    # A list that cannot be refreshed is no reason to stop; whether the packages can be had is.
    apt-get update || true
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
  } >"$log" 2>&1 </dev/null || {
    cat "$log" >&2
    rm -f "$log"
    fail "apt-get could not install:" "$*"
  }
  rm -f "$log"
}

# Their maintainer scripts have enabled them for the next boot: for systemd, and for init.d.
disable_services_of() {
  for package in $1; do
    for file in $(dpkg-query -L "$package" | grep -E '^(/usr)?/lib/systemd/system/[^/]+$|^/etc/init\.d/[^/]+$'); do
      name=$(basename "$file")
      case $file in
      /etc/init.d/*) disable_init_script "$name" ;;
      *) disable_unit "$name" ;;
      esac
    done
  done
}

disable_init_script() {
  command -v update-rc.d >/dev/null || return 0
  update-rc.d "$1" disable >/dev/null 2>&1 || true
  for link in /etc/rc[2-5].d/S[0-9][0-9]"$1"; do
    [ ! -L "$link" ] || fail "the init script $1, which was just installed, is enabled and could not be disabled"
  done
}

disable_unit() {
  ! command -v deb-systemd-helper >/dev/null || deb-systemd-helper disable "$1" >/dev/null 2>&1 || true
  ! command -v systemctl >/dev/null || systemctl --no-reload disable "$1" >/dev/null 2>&1 || true
  for link in /etc/systemd/system/*.wants/"$1" /etc/systemd/system/*.requires/"$1"; do
    [ ! -L "$link" ] || fail "the unit $1, which was just installed, is enabled and could not be disabled"
  done
}

fail() {
  echo "install-debian.sh:" "$@" >&2
  exit 1
}

main "$@"
