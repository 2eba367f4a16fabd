# Sourced by .ci/run: a Docker daemon with our image, without a registry. Sets REQUIRE_DOCKER=1, so that tests which need
# Docker fail rather than skip. Returns 1, with the reason, when that cannot be had. Touches no daemon that is not ours.
#
#     PYTHON=/path/to/python           # an interpreter in which proofgym[docker] is installed; else python3
#     . .ci/docker.sh

proofgym_ci_docker() {
    export REQUIRE_DOCKER=1

    if ! command -v dockerd >/dev/null 2>&1 || ! command -v debootstrap >/dev/null 2>&1; then
        if [ "$(id -u)" -ne 0 ]; then
            echo "docker: dockerd is not installed, and only root can install it" >&2
            return 1
        fi
        echo "docker: installing docker.io and debootstrap"
        apt-get update -qq >/dev/null &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                docker.io debootstrap iproute2 iptables >/dev/null || return 1
    fi

    if ! docker info >/dev/null 2>&1; then
        if [ "$(id -u)" -ne 0 ]; then
            echo "docker: no daemon answers, and only root can start one" >&2
            return 1
        fi
        _log=${TMPDIR:-/tmp}/dockerd-$$.log
        echo "docker: starting dockerd (log: $_log)"
        setsid dockerd >"$_log" 2>&1 </dev/null &
        export PROOFGYM_CI_DOCKERD=$!
        _left=120
        until docker info >/dev/null 2>&1; do
            _left=$((_left - 1))
            if [ "$_left" -le 0 ]; then
                echo "docker: dockerd did not start:" >&2
                tail -n 20 "$_log" >&2
                return 1
            fi
            sleep 0.5
        done
    fi

    "${PYTHON:-python3}" -c 'from proofgym.sandboxes.image import build_image; print("docker:", build_image())' || return 1
}

proofgym_ci_docker
