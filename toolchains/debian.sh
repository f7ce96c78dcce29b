# What toolchains/xnnpack.sh and toolchains/sysroot.sh share: their words, the cache folder, and the Debian archive
# read with lists and settings of their own. To be sourced by bash.

say() { echo "figment: $*" >&2; }
fail() { say "$*"; exit 1; }

cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set, so there is no cache folder; set XDG_CACHE_HOME}/.cache}/figment

# Writes the machine's own apt entry for the Debian archive into folder $1, as a .sources (deb822) or a .list file,
# asking for $2 (deb, deb-src) of the suites $3.
copy_apt_entry() {
  local codename stanza line suite
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ -n "$codename" ] || return 1
  # One paragraph with Types deb, this release among its suites, main among its components. Archives
  # of other makers may use the same suite name, so one whose address ends in /debian goes first.
  stanza=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | grep -v '^#' |
    awk -v codename="$codename" -v RS= '
      /(^|\n)Types:[^\n]*deb/ && $0 ~ "(^|\n)Suites:([^\n]* )?" codename "( |\n|$)" &&
      /(^|\n)Components:[^\n]*main/ && !/(^|\n)Enabled: *no/ {
        if ($0 ~ /(^|\n)URIs:[^\n]*\/debian\/?( |\n|$)/) { if (!best) best = $0 }
        else if (!other) other = $0
      }
      END { print best ? best : other }') || true
  if [ -n "$stanza" ]; then
    sed -e "s/^Types:.*/Types: $2/" -e "s/^Suites:.*/Suites: $3/" \
      -e 's/^Components:.*/Components: main/' -e '/^Architectures:/d' <<<"$stanza" >"$1/debian.sources"
    return 0
  fi
  line=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
    awk -v codename="$codename" '
      $1 == "deb" {
        entry = $0; sub(/^deb +/, "", entry); option = ""
        if (entry ~ /^\[/) { option = entry; sub(/\].*/, "] ", option); sub(/^\[[^]]*\] */, "", entry) }
        split(entry, field, / +/)
        if (field[2] != codename || entry !~ / main( |$)/) next
        found = option field[1]
        if (field[1] ~ /\/debian\/?$/) { if (!best) best = found } else if (!other) other = found
      }
      END { print best ? best : other }') || true
  [ -n "$line" ] || return 1
  for suite in $3; do echo "$2 $line $suite main"; done >"$1/debian.list"
}

# use_apt_apart FOLDER TYPE SUITES: makes apt_options, with which apt-get and apt-cache read TYPE (deb, deb-src) of
# the Debian archive's SUITES with lists and caches in FOLDER: the machine's own package lists stay as they are, and
# no root is needed.
use_apt_apart() {
  [ "$(. /etc/os-release 2>/dev/null && echo "${ID:-}")" = debian ] && command -v apt-get >/dev/null || return 1
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
  copy_apt_entry "$1" "$2" "$3" || { echo "no apt entry of the Debian archive was found"; return 1; }
  apt_options=(-oDir::Etc::sourcelist="$(echo "$1"/debian.*)" -oDir::Etc::sourceparts=-
    -oDir::State::Lists="$1/lists" -oDir::Cache="$1/cache" -oAPT::Sandbox::User="$(id -un)"
    -oAcquire::Languages=none -oAcquire::Retries=3)
}
