#!/bin/sh
# Installs post-msg from the folder that this script is in, below $DESTDIR$PREFIX (/usr/local); with "remove" it takes
# the same files away. A configuration that is there is never touched, and none is removed.
set -eu

PREFIX=${PREFIX:-/usr/local}
DESTDIR=${DESTDIR:-}
BINDIR=${BINDIR:-$PREFIX/bin}
SHAREDIR=${SHAREDIR:-$PREFIX/share}
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
ZSHDIR=${ZSHDIR:-$SHAREDIR/zsh/site-functions}
# Where the program looks by itself; below another folder, it has to be told with --config, as the unit does.
SYSCONFDIR=${SYSCONFDIR:-/etc}
# Where systemd looks.
SYSTEMD_UNIT_PATH=${SYSTEMD_UNIT_PATH:-/etc/systemd/system:/usr/local/lib/systemd/system:/usr/lib/systemd/system:/lib/systemd/system}

main() {
  cd "$(dirname "$0")"
  case ${1:-install} in
  install)
    files | while read -r mode from to; do place "$mode" "$from" "$to"; done
    place_configuration
    [ -n "$DESTDIR" ] || say_what_comes_next
    ;;
  remove) files | while read -r mode from to; do rm -f "$DESTDIR$to"; done ;;
  *)
    echo "install.sh: takes nothing, or \"remove\"; not \"$1\"" >&2
    exit 2
    ;;
  esac
}

files() {
  cat <<LIST
755 post-msg $BINDIR/post-msg
644 post-msg.service $UNITDIR/post-msg.service
644 man/post-msg.1 $SHAREDIR/man/man1/post-msg.1
644 man/post-msg.toml.5 $SHAREDIR/man/man5/post-msg.toml.5
644 completions/post-msg.bash $SHAREDIR/bash-completion/completions/post-msg
644 completions/_post-msg $ZSHDIR/_post-msg
644 completions/post-msg.fish $SHAREDIR/fish/vendor_completions.d/post-msg.fish
644 post-msg.toml $SHAREDIR/doc/post-msg/examples/post-msg.toml
644 prometheus/post-msg.rules.yml $SHAREDIR/doc/post-msg/examples/prometheus/post-msg.rules.yml
644 fail2ban/filter.d/post-msg.conf $SHAREDIR/doc/post-msg/examples/fail2ban/filter.d/post-msg.conf
644 fail2ban/jail.d/post-msg.conf $SHAREDIR/doc/post-msg/examples/fail2ban/jail.d/post-msg.conf
LIST
  for document in *.md LICENSE *.txt docs/*.md; do
    [ ! -e "$document" ] || echo "644 $document $SHAREDIR/doc/post-msg/$document"
  done
}

place() {
  [ "$2" != post-msg.service ] || [ "$(uname)" != Darwin ] || return 0
  install -d "$DESTDIR$(dirname "$3")"
  # Under a name of its own first: a program that runs cannot be written over, but it can be replaced.
  install -m "$1" "$2" "$DESTDIR$3.new"
  [ "$2" != post-msg.service ] || sed "s|/usr/bin/post-msg|$BINDIR/post-msg|; s|/etc/post-msg/|$SYSCONFDIR/post-msg/|" "$2" >"$DESTDIR$3.new"
  mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}

place_configuration() {
  file=$SYSCONFDIR/post-msg/post-msg.toml
  is_new=no
  if [ -e "$DESTDIR$file" ] || [ -L "$DESTDIR$file" ]; then
    echo "$DESTDIR$file is there already and stays as it is; a fresh one: $SHAREDIR/doc/post-msg/examples/post-msg.toml"
  else
    install -d "$DESTDIR$SYSCONFDIR/post-msg"
    install -m 644 post-msg.toml "$DESTDIR$file"
    is_new=yes
    echo "To be edited next: $DESTDIR$file"
  fi
}

# Not for what is packed, which somebody else installs.
say_what_comes_next() {
  echo "Then:"
  echo "  $BINDIR/post-msg check --connect --config $file    # is it good, and the server well?"
  case ":$SYSTEMD_UNIT_PATH:$(command -v systemctl || true):" in
  *":$UNITDIR:"*systemctl:)
    echo "  systemctl daemon-reload"
    if [ "$is_new" = yes ]; then echo "  systemctl enable --now post-msg"; else echo "  systemctl restart post-msg"; fi
    echo "  journalctl -u post-msg    # what it says"
    ;;
  *) echo "  $BINDIR/post-msg serve --config $file" ;;
  esac
}

main "$@"
