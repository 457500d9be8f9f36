#!/bin/sh
# The tests talk to a real broker (mosquitto), and a Modbus client that is not ours talks to them (mbpoll).
# Reports are looked at in a real browser (chromium).
# Nothing is done where all are there already.
PATH="$PATH:/usr/sbin:/usr/local/sbin"

missing() {
    for tool in mosquitto mbpoll chromium; do
        command -v "$tool" >/dev/null 2>&1 || echo "$tool"
    done
}

wanted=$(missing | xargs)
[ -z "$wanted" ] && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null && sudo="sudo -n"
    fi
    if [ "$(id -u)" -eq 0 ] || [ -n "$sudo" ]; then
        echo "Installing what the tests use: $wanted"
        # shellcheck disable=SC2086  # several words are meant
        $sudo apt-get update -q >/dev/null &&
            $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $wanted >/dev/null
        wanted=$(missing | xargs)
        [ -z "$wanted" ] && exit 0
    fi
fi
echo "The tests need the packages mosquitto (version 2), mbpoll and chromium; missing: $wanted. Install them and run make test again." >&2
exit 1
