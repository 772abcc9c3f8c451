# Resolves packages with the base's own apt and keys, against the indices below $1, and changes
# nothing. The rest of the arguments: the packages. Exit codes: 41 no apt, 42 an archive that apt
# does not take. What apt chose goes to standard output, what it says to standard error.
set -u
here=$1
shift
command -v apt-get >/dev/null 2>&1 || exit 41
mkdir -p "$here/lists/partial" "$here/cache/archives/partial"
export APT_CONFIG="$here/apt.conf" LC_ALL=C DEBIAN_FRONTEND=noninteractive
apt-get -q update >&2 || exit 42

# Pins of the base itself hold; those of the last lock go before them.
cat "$here/pins" /etc/apt/preferences >"$here/preferences" 2>/dev/null
if [ -s "$here/pins" ]; then
    apt-get -q -s -o "Dir::Etc::preferences=$here/preferences" install -- "$@" \
        >"$here/chosen" 2>/dev/null && exec cat "$here/chosen"
fi
exec apt-get -q -s install -- "$@"
