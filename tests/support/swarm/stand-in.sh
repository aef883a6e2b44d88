#!/bin/sh
# Stand-ins for the stack's public images, for machines that cannot pull: Debian's own builds of the programs at the
# paths of the official images. Installs nothing on this machine, needs no root and no Docker engine.
#
#   stand-in.sh key NAME...    a line each that changes when the content would: versions of programs and of this script
#   stand-in.sh rootfs NAME    the root file system as a tar on stdout
#
# NAME: node haproxy prometheus node-exporter alertmanager nettools registry. Commands and users of the images are in
# stand-ins.ts beside this file, which imports what this writes.
#
#   NODE_BINARY   the node program to pack (default: the one in PATH)
set -eu

verb=${1:-}
[ $# -eq 0 ] || shift
die() { printf 'stand-in: %s\n' "$*" >&2; exit 1; }

packages() {
  case $1 in
    node) echo 'busybox' ;;
    haproxy) echo 'busybox haproxy liblua5.3-0 libopentracing-c-wrapper0 libopentracing1' ;;
    prometheus) echo 'busybox prometheus' ;;
    node-exporter) echo 'busybox prometheus-node-exporter' ;;
    alertmanager) echo 'busybox prometheus-alertmanager' ;;
    registry) echo 'busybox docker-registry' ;;
    nettools)
      echo 'busybox iproute2 iptables nftables conntrack libnftables1 libxtables12 libip4tc2 libip6tc2 libnftnl11
        libnfnetlink0 libnetfilter-conntrack3 libmnl0 libjansson4 libedit2 libbpf1 libelf1 libbsd0 libcap2 libtirpc3
        libdb5.3 libgmp10'
      ;;
    *) die "no recipe for \`$1\`" ;;
  esac
}

# `PACKAGE VERSION` lines of everything that the given names need. One call for all: apt reads its lists each time.
versions() {
  wanted=$(for each in "$@"; do packages "$each"; done)
  # shellcheck disable=SC2086
  apt-cache --no-all-versions show $wanted 2>/dev/null |
    awk '$1 == "Package:" { name = $2 } $1 == "Version:" { print name, $2 }' | sort -u
}

keys() {
  known=$(versions "$@")
  # Without package lists nothing is known. Fetching them is the only thing here that may need root.
  if [ -z "$known" ]; then
    apt-get -qq update >&2
    known=$(versions "$@")
  fi
  for each in "$@"; do
    {
      for package in $(packages "$each"); do printf '%s\n' "$known" | awk -v name="$package" '$1 == name'; done
      uname -m
      [ "$each" != node ] || "$node" --version
      cat "$0"
      [ "$each" != nettools ] || { cat "$nfqdelay"; command -v cc >/dev/null 2>&1 && echo compiled; }
    } | sha256sum | cut -d ' ' -f 1
  done
}

command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 ||
  die 'stand-ins are made from Debian packages: this needs Debian or a distribution like it'
# Delays packets where the kernel has no netem; left out where nothing can compile it.
nfqdelay=$(dirname "$(readlink -f "$0")")/../../../swarm/nfqdelay/nfqdelay.c
node=$(readlink -f "${NODE_BINARY:-$(command -v node)}")

case "$verb $#" in
  'key '[1-9]*) keys "$@"; exit ;;
  'rootfs 1') name=$1 ;;
  *) die 'usage: stand-in.sh key NAME... | rootfs NAME' ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
debs=$work/debs unpacked=$work/unpacked root=$work/root
mkdir -p "$debs" "$unpacked" "$root"

download() {
  # apt runs downloads as a user of its own where it can, who may not write here.
  chmod 777 "$work" "$debs"
  # shellcheck disable=SC2046
  (cd "$debs" && apt-get -qq -o APT::Sandbox::User="$(id -un)" download $(packages "$name") >&2)
  for deb in "$debs"/*.deb; do dpkg-deb -x "$deb" "$unpacked"; done
}

# What any program expects: busybox (sh, wget, nc ...), certificates, users, name lookup.
base() {
  for folder in bin sbin lib64 usr/bin usr/sbin usr/local/bin usr/local/sbin \
    etc/ssl/certs run proc sys dev home/node root; do
    mkdir -p "$root/$folder"
  done
  mkdir -m 1777 "$root/tmp"
  chmod 777 "$root/home/node"
  put "$unpacked/bin/busybox" /bin/busybox
  "$unpacked/bin/busybox" --list |
    while read -r applet; do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
  printf '%s\n' root:x:0:0:root:/root:/bin/sh node:x:1000:1000::/home/node:/bin/sh haproxy:x:99:99::/:/bin/false \
    nobody:x:65534:65534:nobody:/:/bin/false >"$root/etc/passwd"
  printf '%s\n' root:x:0: node:x:1000: haproxy:x:99: nogroup:x:65534: >"$root/etc/group"
}

# put PROGRAM PATH: a program and the shared libraries it needs, which the loader finds where this machine has them.
put() {
  install -D -m 755 "$1" "$root$2"
  unpacked_libraries=$(find "$unpacked" -name '*.so*' -printf '%h\n' | sort -u | paste -sd: -)
  { LD_LIBRARY_PATH=$unpacked_libraries ldd "$1" 2>/dev/null || true; } | while read -r library arrow path rest; do
    # `libm.so.6 => /lib/... (0x...)`, and the loader itself: `/lib64/ld-linux-x86-64.so.2 (0x...)`
    if [ "$arrow" = '=>' ]; then
      case $path in not) die "$1 needs $library, which is in none of: $(packages "$name")" ;; esac
      copy_library "$path" "${path#"$unpacked"}"
    else
      case $library in /*) copy_library "$library" "$library" ;; esac
    fi
  done
}

copy_library() {
  [ -e "$root$2" ] || install -D -m 755 "$(readlink -f "$1")" "$root$2"
}

programs() {
  case $name in
    node)
      put "$node" /usr/local/bin/node
      # glibc loads the resolver at run time; ldd does not know.
      for library in libnss_dns.so.2 libnss_files.so.2 libresolv.so.2; do
        path=$(ldconfig -p | sed -n "s|.*$library .*=> ||p" | head -n 1)
        [ -z "$path" ] || copy_library "$path" "$path"
      done ;;
    haproxy)
      put "$unpacked/usr/sbin/haproxy" /usr/local/sbin/haproxy
      mkdir -p "$root/usr/local/etc/haproxy" ;;
    prometheus)
      put "$unpacked/usr/bin/prometheus" /bin/prometheus
      put "$unpacked/usr/bin/promtool" /bin/promtool
      mkdir -p "$root/etc/prometheus"
      # A new volume takes over the mode of the folder it covers; we cannot give the folder to `nobody` without root.
      mkdir -m 777 "$root/prometheus" ;;
    node-exporter) put "$unpacked/usr/bin/prometheus-node-exporter" /bin/node_exporter ;;
    alertmanager)
      put "$unpacked/usr/bin/prometheus-alertmanager" /bin/alertmanager
      # Debian's build reads its templates from here; upstream's has them inside.
      mkdir -p "$root/usr/share/prometheus" "$root/etc/alertmanager"
      cp -R "$unpacked/usr/share/prometheus/alertmanager" "$root/usr/share/prometheus/"
      mkdir -m 777 "$root/alertmanager" ;;
    registry)
      put "$unpacked/usr/bin/docker-registry" /bin/registry
      mkdir -p "$root/etc/docker/registry" "$root/var/lib/registry"
      # Not the package's own configuration: that one asks for a password.
      printf '%s\n' 'version: 0.1' 'log: { level: warn }' \
        'storage: { filesystem: { rootdirectory: /var/lib/registry } }' 'http: { addr: ":5000" }' \
        >"$root/etc/docker/registry/config.yml" ;;
    nettools)
      for applet in ip ss tc; do rm -f "$root/bin/$applet"; done
      put "$unpacked/bin/ip" /usr/sbin/ip
      put "$unpacked/bin/ss" /usr/sbin/ss
      put "$unpacked/sbin/tc" /usr/sbin/tc
      for program in nft conntrack xtables-nft-multi xtables-legacy-multi; do
        put "$unpacked/usr/sbin/$program" "/usr/sbin/$program"
      done
      for tool in iptables ip6tables iptables-save iptables-restore; do
        ln -s xtables-nft-multi "$root/usr/sbin/$tool"
        ln -s xtables-legacy-multi "$root/usr/sbin/$(echo "$tool" | sed 's/tables/tables-legacy/')"
      done
      (cd "$unpacked" && find . -path '*/xtables/*.so' -exec cp --parents {} "$root" ';')
      ! command -v cc >/dev/null 2>&1 || cc -O2 -static -o "$root/usr/sbin/nfqdelay" "$nfqdelay" ;;
  esac
}

download
base
programs
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -c .
