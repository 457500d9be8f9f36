#!/bin/sh
# The tests talk to a real broker. Nothing is done where it is there already.
PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v mosquitto >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null && sudo="sudo -n"
    fi
    if [ "$(id -u)" -eq 0 ] || [ -n "$sudo" ]; then
        echo "Installing mosquitto, the broker that the tests use"
        $sudo apt-get update -q >/dev/null &&
            DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -q --no-install-recommends mosquitto >/dev/null
        command -v mosquitto >/dev/null 2>&1 && exit 0
    fi
fi
echo "The tests need the Mosquitto broker, version 2: install the package 'mosquitto' and run make test again." >&2
exit 1
