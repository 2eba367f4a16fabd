#!/bin/sh
# An image with compilers from a Debian mirror, for machines that reach one but no registry. Run as root.
#
#     docker/debootstrap.sh [TAG] [SUITE] [MIRROR]
set -eu

tag=${1:-proofgym-sandbox:languages} suite=${2:-bookworm} mirror=${3:-}
packages=python3-minimal,python3-numpy,python3-pytest,python3-pytest-timeout,gcc,g++,libc6-dev,rustc,golang-go

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
debootstrap --variant=minbase --include="$packages" "$suite" "$tree" ${mirror:+"$mirror"}
find "$tree" -xdev -perm /6000 -type f -exec chmod a-s {} +
rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/doc "$tree"/usr/share/man
mkdir -p "$tree/opt/proofgym" "$tree/box"
ln -s /usr/lib/python3/dist-packages "$tree/opt/proofgym/site"
ln -s /tmp "$tree/box/tmp"
tar -C "$tree" --exclude='./dev/*' -c . | docker import --change 'ENV PATH=/usr/local/bin:/usr/bin:/bin' - "$tag"
