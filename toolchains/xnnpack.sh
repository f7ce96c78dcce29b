#!/usr/bin/env bash
# Finds or builds XNNPACK and prints the folder that holds its include/ and lib/ as the last line.
#
# In this order: the system's libxnnpack-dev when it is new enough; the user's cache folder; a build
# from Debian's source packages (checked by SHA-256), or, where Debian is not the system or its archive
# has moved on, from the same commits of the upstream repositories. A build is made beside its final
# place and renamed, under a lock, so that two checkouts never see half of it.
#
# Environment: CC, CXX (default cc, c++), FIGMENT_TOOLCHAIN_FILE (CMake toolchain for a cross build) and
# FIGMENT_FLAGS (the flags that it gives the compiler: a build each), XDG_CACHE_HOME,
# FIGMENT_XNNPACK_SOURCE=upstream (skips the system's library and Debian's archive).
set -euo pipefail

# The one list of what XNNPACK is made of: Debian source package, version, SHA-256 of its orig tarball,
# upstream repository, commit.
kSources='
xnnpack     0.0~git20241108.4ea82e5 90bde2caef0f880f627bab0dc805a86c4b8070cd98e3243db3046ab3f3be1a99 https://github.com/google/XNNPACK.git     4ea82e595b36106653175dcb04b2aa532660d0d8
pthreadpool 0.0~git20251020.0e6ca13 7a385b6585abe8f8658952c50b44a1dabe200de2c88eabe65d15168b8a82295c https://github.com/google/pthreadpool.git 0e6ca13779b57d397a5ba6bfdcaa8a275bc8ea2e
cpuinfo     0.0~git20250905.877328f 557ca404a3836b9f335a3a06b65ff9fe9dbaaefab7fb5c0185f53d9f33615a10 https://github.com/pytorch/cpuinfo.git    877328f188a3c7d1fa855871a278eb48d530c4c0
fxdiv       0.0~git20200417.b408327 7953482badaf4cb34026c3487c257b8e4ab2df061c019bd6fabbbc12ad52c44b https://github.com/Maratyszcza/FXdiv.git  b408327ac2a15ec3e43352421954f5b1967701d1
fp16        0.0~git20200514.4dfe081 7d7782b37b74136e0e12593a2a93ccbe7db831f4374cc408e44623d9b708b54e https://github.com/Maratyszcza/FP16.git   4dfe081cf6bcd15db339cf2680b9281b8451eeb3
'
kOldest='0.0~git20241108'
# The Debian suites that carry those sources.
kSuites='trixie forky'
# Counts up when the options below change, so that an older build in the cache is not taken for this one.
kRecipe=1

. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

# --- the system's own ---------------------------------------------------------------------------

if [ -z "${FIGMENT_TOOLCHAIN_FILE:-}" ] && [ -z "${FIGMENT_XNNPACK_SOURCE:-}" ] &&
    command -v dpkg-query >/dev/null; then
  installed=$(dpkg-query -W -f='${Version}' libxnnpack-dev 2>/dev/null || true)
  if [ -n "$installed" ] && dpkg --compare-versions "$installed" ge "$kOldest"; then
    echo /usr
    exit 0
  fi
fi

# --- the cache ----------------------------------------------------------------------------------

CC=${CC:-cc}
CXX=${CXX:-c++}
command -v "$CC" >/dev/null || fail "there is no C compiler '$CC'; install one, or set CC."
if "$CC" --version | sed -n 1p | grep -i clang >/dev/null; then compiler=clang; else compiler=gcc; fi
version=$("$CC" -dumpfullversion -dumpversion 2>/dev/null || "$CC" -dumpversion)
target=$("$CC" -dumpmachine)
read -r -a flags <<<"${FIGMENT_FLAGS:-}" # without the blanks around them
if [ ${#flags[@]} -gt 0 ]; then target=$target-$(sha256sum <<<"${flags[*]}" | cut -c 1-8); fi
prefix=$cache/xnnpack-20241108-$kRecipe-$compiler-$version-$target

finish_if_built() {
  if [ -f "$prefix/include/xnnpack.h" ]; then
    echo "$prefix"
    exit 0
  fi
}
finish_if_built

mkdir -p "$cache"
if command -v flock >/dev/null; then
  exec 9>"$prefix.lock"
  flock -n 9 || { say "waiting for another build of XNNPACK"; flock 9; }
  finish_if_built # another run may have built it while this one waited
fi

command -v cmake >/dev/null || fail "CMake is missing; install the package cmake."
work=$(mktemp -d "$prefix.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$prefix.log

# --- its sources --------------------------------------------------------------------------------

# Fetches the orig tarballs into $cache/downloads through apt, with lists and settings of its own, so
# that the machine's package lists stay as they are. Needs no root.
download_from_debian() {
  local downloads=$cache/downloads wanted=() package upstream
  mkdir -p "$downloads"
  use_apt_apart "$work/apt" deb-src "$kSuites" || return 1
  # A hook of the machine's own settings may fail for want of rights; the lists have come all the same.
  apt-get "${apt_options[@]}" update || true
  while read -r package upstream _; do
    [ -n "$package" ] || continue
    # The Debian revision differs between suites; the upstream part of the version is what counts.
    wanted+=("$package=$(apt-cache "${apt_options[@]}" showsrc "$package" |
      awk -v upstream="$upstream-" '$1 == "Version:" && index($2, upstream) == 1 { print $2; exit }')")
  done <<<"$kSources"
  # Some mirrors carry the orig tarballs without the .dsc files. apt then reports an error although
  # everything needed has come: the check sums decide.
  (cd "$downloads" && apt-get "${apt_options[@]}" source --download-only "${wanted[@]}") || true
}

unpack_debian() {
  local package upstream checksum tarball
  while read -r package upstream checksum _; do
    [ -n "$package" ] || continue
    tarball=$cache/downloads/${package}_$upstream.orig.tar.xz
    echo "$checksum  $tarball" | sha256sum --check --strict --status 2>/dev/null || return 1
    mkdir -p "$work/$package"
    tar -xf "$tarball" -C "$work/$package"
    # Some tarballs hold one folder, some hold the files.
    if [ ! -f "$work/$package/CMakeLists.txt" ]; then
      mv "$work/$package" "$work/$package.outer"
      mv "$work/$package.outer"/* "$work/$package"
    fi
  done <<<"$kSources"
}

# The same commits from upstream; git checks what it receives against the commit's own hash.
fetch_from_upstream() {
  local package repository commit
  command -v git >/dev/null || { echo "git is missing"; return 1; }
  while read -r package _ _ repository commit; do
    [ -n "$package" ] || continue
    rm -rf "${work:?}/$package"
    git init --quiet "$work/$package"
    git -C "$work/$package" fetch --quiet --depth 1 "$repository" "$commit" || return 1
    git -C "$work/$package" checkout --quiet --detach FETCH_HEAD || return 1
  done <<<"$kSources"
}

started=$SECONDS
say "getting XNNPACK's sources (log: $log)"
: >"$log"
origin=debian
if [ -n "${FIGMENT_XNNPACK_SOURCE:-}" ] ||
    ! { unpack_debian || { download_from_debian && unpack_debian; }; } >>"$log" 2>&1; then
  origin=upstream
  fetch_from_upstream >>"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "XNNPACK's sources could be had neither from Debian's archive nor from github.com; see $log."
  }
fi

# --- its build ----------------------------------------------------------------------------------

say "building XNNPACK once for $compiler $version, $target (from $origin; about 4 minutes on 2 cores)"
options=(-DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON
  -DCMAKE_INSTALL_PREFIX="$work/install" -DCMAKE_INSTALL_LIBDIR=lib -DBUILD_SHARED_LIBS=OFF
  -DXNNPACK_LIBRARY_TYPE=static -DXNNPACK_BUILD_TESTS=OFF -DXNNPACK_BUILD_BENCHMARKS=OFF
  -DXNNPACK_BUILD_ALL_MICROKERNELS=OFF -DXNNPACK_ENABLE_KLEIDIAI=OFF
  -DCPUINFO_LIBRARY_TYPE=static -DCPUINFO_BUILD_TOOLS=OFF -DCPUINFO_BUILD_UNIT_TESTS=OFF
  -DCPUINFO_BUILD_MOCK_TESTS=OFF -DCPUINFO_BUILD_BENCHMARKS=OFF -DCPUINFO_BUILD_PKG_CONFIG=OFF
  -DPTHREADPOOL_LIBRARY_TYPE=static -DPTHREADPOOL_BUILD_TESTS=OFF -DPTHREADPOOL_BUILD_BENCHMARKS=OFF
  -DFXDIV_BUILD_TESTS=OFF -DFXDIV_BUILD_BENCHMARKS=OFF -DFP16_BUILD_TESTS=OFF -DFP16_BUILD_BENCHMARKS=OFF
  -DCPUINFO_SOURCE_DIR="$work/cpuinfo" -DPTHREADPOOL_SOURCE_DIR="$work/pthreadpool"
  -DFXDIV_SOURCE_DIR="$work/fxdiv" -DFP16_SOURCE_DIR="$work/fp16")
if command -v ninja >/dev/null; then options+=(-G Ninja); fi
# GCC has SME, ARM's instructions for matrices, from 14 on.
if [ "$compiler" = gcc ] && [ "${version%%.*}" -lt 14 ]; then
  options+=(-DXNNPACK_ENABLE_ARM_SME=OFF -DXNNPACK_ENABLE_ARM_SME2=OFF)
fi
if [ -n "${FIGMENT_TOOLCHAIN_FILE:-}" ]; then
  options+=(-DCMAKE_TOOLCHAIN_FILE="$FIGMENT_TOOLCHAIN_FILE")
else
  options+=(-DCMAKE_C_COMPILER="$CC" -DCMAKE_CXX_COMPILER="$CXX")
fi
# Not as options, which would take the place of the toolchain file's own.
export CFLAGS='-ffunction-sections -fdata-sections -w' CXXFLAGS='-ffunction-sections -fdata-sections -w'
{
  cmake -S "$work/xnnpack" -B "$work/build" "${options[@]}" &&
    cmake --build "$work/build" --parallel "$(nproc)" &&
    cmake --install "$work/build"
} >>"$log" 2>&1 || {
  grep -m 5 -i -A 5 'error' "$log" >&2 || tail -n 20 "$log" >&2
  fail "XNNPACK did not build; see $log."
}
# cpuinfo and the micro-kernels are left out of the install step by some versions of their build files.
find "$work/build" -name '*.a' -exec cp -n {} "$work/install/lib/" \;
for file in include/xnnpack.h include/pthreadpool.h lib/libXNNPACK.a lib/libpthreadpool.a lib/libcpuinfo.a; do
  [ -f "$work/install/$file" ] || fail "XNNPACK was built without $file; see $log."
done
mkdir -p "$work/install/share/licenses"
for package in xnnpack pthreadpool cpuinfo fxdiv fp16; do
  cp "$work/$package/LICENSE" "$work/install/share/licenses/$package"
done
mv -T "$work/install" "$prefix"
say "XNNPACK is ready ($((SECONDS - started)) s)"
echo "$prefix"
