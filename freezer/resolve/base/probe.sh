# What a base image is, told by its own tools. Any POSIX shell runs this; each line that it prints
# is a keyword and, after a tab, one value.
export LC_ALL=C

say() { printf '%s\t%s\n' "$1" "$2"; }

lines() { # lines KEYWORD FILE: a file's lines, each marked, so that none can pass for a keyword
    while IFS= read -r line || [ -n "$line" ]; do say "$1" "$line"; done <"$2"
}

has() { command -v "$1" >/dev/null 2>&1; }

if [ -r /etc/os-release ]; then lines os-release /etc/os-release; fi

for loader in /lib/ld-musl-*; do
    [ -e "$loader" ] && say musl "$loader"
done
if has getconf && libc=$(getconf GNU_LIBC_VERSION 2>/dev/null); then
    say glibc "${libc#glibc }"
elif has ldd; then
    # The first line ends in the version: "ldd (Debian GLIBC 2.36-9) 2.36".
    ldd --version 2>/dev/null | { IFS= read -r line && say glibc "${line##* }"; }
fi

if has dpkg-query; then
    say has dpkg
    dpkg-query --show --showformat \
        'package\t${db:Status-Status} ${Package} ${Version} ${Architecture}\n' 2>/dev/null
fi
if has apt-get; then say has apt; fi
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -r "$file" ]; then
        say apt-file "$file"
        lines apt-line "$file"
    fi
done

# Version, ABI tag as in a wheel's name, implementation.
facts='import sys
print(".".join(map(str, sys.version_info[:3])), "cp%d%d" % sys.version_info[:2] + getattr(sys, "abiflags", ""), sys.implementation.name, sys.version_info[3])'
seen=:
folders=$PATH:/usr/local/bin:/usr/bin
IFS=:
for folder in $folders; do
    folder=$(cd -P "$folder" 2>/dev/null && pwd -P) || continue
    case $seen in *":$folder:"*) continue ;; esac
    seen="$seen$folder:"
    for python in "$folder"/python3.[0-9] "$folder"/python3.[0-9][0-9]; do
        [ -x "$python" ] && told=$("$python" -I -S -c "$facts" 2>/dev/null) &&
            say python "$told $python"
    done
done
exit 0
