"""What `speedsign doctor` gathers from the kernel's files: from a made tree, whatever stands in it."""

from __future__ import annotations

import fcntl
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.doctor.certificate import secret_facts
from speedsign.doctor.clock import clock_facts
from speedsign.doctor.disk import disk_facts, mount_of
from speedsign.doctor.files import programs, there
from speedsign.doctor.memory import memory_facts
from speedsign.doctor.port_facts import Surroundings, User, _consoles, locker_of, port_facts, user_named

NOW = datetime(2026, 11, 22, tzinfo=UTC)
ANNA = User("anna", 12_345, frozenset({12_345}))


def put(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def around(root: Path, **more: object) -> Surroundings:
    given: dict[str, object] = {
        "me": ANNA,
        "service": None,
        "sign_pid": None,
        "stable_names": {},
        "known": (),
        "holders": lambda _p: [],
    }
    return Surroundings(**{**given, "root": root, **more})  # type: ignore[arg-type]


# --------------------------------------------------------------------------- disk

MOUNTS = [
    "20 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw",
    "30 20 0:22 / /run rw,nosuid - tmpfs tmpfs rw,size=1k",
    "31 20 179:3 / /var/lib rw - ext4 /dev/mmcblk0p3 ro,errors=remount-ro",
    r"32 20 8:1 / /mnt/my\040disk rw - vfat /dev/sda1 rw",
    "nonsense",
    "33 20 0:40 / /over rw - overlay overlay rw,lowerdir=/a,upperdir=/run/up,workdir=/w",
]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("/etc/a", "/dev/mmcblk0p2"),
        ("/var/lib/speedsign/a.db", "/dev/mmcblk0p3"),
        ("/var/library", "/dev/mmcblk0p2"),
        ("/mnt/my disk/a", "/dev/sda1"),
        ("/run", "tmpfs"),
    ],
)
def test_the_mount_of_a_path(path: str, source: str) -> None:
    found = mount_of(MOUNTS, path)
    assert found is not None
    assert found.source == source


def test_an_overlay_is_what_it_writes_to() -> None:
    found = mount_of(MOUNTS, "/over/a")
    assert found is not None
    assert found.upper is not None
    assert found.upper.kind == "tmpfs"


@given(st.lists(st.text()), st.text())
def test_any_mountinfo_is_survived(lines: list[str], path: str) -> None:
    mount_of(lines, path)


def test_errors_and_wear_of_a_card(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/mountinfo", "20 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n")
    put(tmp_path, "sys/fs/ext4/mmcblk0p2/errors_count", "4\n")
    put(tmp_path, "sys/block/mmcblk0/device/life_time", "0x01 0x0b\n")
    put(tmp_path, "sys/block/mmcblk0/device/pre_eol_info", "0x02\n")
    facts = disk_facts(tmp_path, tmp_path / "not" / "there" / "a.db")
    assert (facts.ext4_errors, facts.life_time, facts.pre_eol) == (4, (1, 11), 2)
    assert facts.free_mb is not None


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    facts = disk_facts(tmp_path, tmp_path / "a.db")
    assert (facts.mount, facts.ext4_errors, facts.life_time) == (None, None, ())
    assert memory_facts(tmp_path).available_mb is None
    assert programs(tmp_path) == {}
    put(tmp_path, "sys/block/mmcblk0/device/life_time", "what?")
    put(tmp_path, "proc/meminfo", "MemTotal: many kB")
    assert memory_facts(tmp_path).total_mb is None


def test_memory(tmp_path: Path) -> None:
    put(tmp_path, "proc/meminfo", "MemTotal:  948304 kB\nMemAvailable:  512000 kB\n")
    put(tmp_path, "proc/vmstat", "nr_free_pages 7\noom_kill 2\n")
    assert memory_facts(tmp_path).available_mb == 500
    assert memory_facts(tmp_path).killed == 2


def test_who_sets_the_clock(tmp_path: Path) -> None:
    put(tmp_path, "proc/12/comm", "chronyd\n")
    put(tmp_path, "proc/13/comm", "gpsd\n")
    put(tmp_path, "sys/class/rtc/rtc0/since_epoch", "1790000000\n")
    put(tmp_path, "etc/fake-hwclock.data", "2026-11-22 10:00:00\n")
    (tmp_path / "etc/localtime").symlink_to("/usr/share/zoneinfo/Europe/Riga")
    facts = clock_facts(tmp_path, NOW, synchronised=True)
    assert (facts.setters, facts.gps, facts.rtc_s, facts.fake_rtc) == (("chrony",), True, 1_790_000_000, True)
    assert facts.zone == "Europe/Riga"
    bare = clock_facts(tmp_path / "nothing", NOW, synchronised=False)
    assert (bare.setters, bare.gps, bare.rtc_s, bare.fake_rtc, bare.zone) == ((), False, None, False, "")


# --------------------------------------------------------------------------- ports


def test_what_is_at_a_port(tmp_path: Path) -> None:
    root = tmp_path
    (tmp_path / "gone").symlink_to(tmp_path / "away")
    file = put(tmp_path, "file", "x")
    for name, kind in (("nowhere", "missing"), ("gone", "broken"), ("file", "no_tty")):
        assert port_facts("radar", str(tmp_path / name), around(root)).kind == kind
    assert port_facts("panel", "tcp://host:502", around(root)).kind == "network"
    assert port_facts("panel", str(file.parent), around(root)).kind == "no_tty"


def test_a_device_its_stable_name_and_who_has_it(tmp_path: Path) -> None:
    inode = Path("/dev/null").stat().st_ino
    put(
        tmp_path,
        "proc/locks",
        f"1: FLOCK  ADVISORY  WRITE 712 00:05:{inode} 0 EOF\n2: POSIX  ADVISORY  READ 9 00:05:{inode} 0 1\n",
    )
    put(tmp_path, "proc/712/comm", "screen\n")
    put(tmp_path, "proc/consoles", "null -W- (EC p a) 1:3\ntty0 -WU 4:7\n")
    near = around(
        tmp_path,
        stable_names={"/dev/serial/by-id/x": "/dev/null"},
        holders=lambda _p: [f"me ({os.getpid()})", "a (5)"],
    )
    facts = port_facts("radar", "/dev/null", near)
    assert (facts.kind, facts.device, facts.stable) == ("device", "/dev/null", "/dev/serial/by-id/x")
    assert facts.holders == ("a (5)", "screen (712)")
    assert facts.may
    assert not facts.console
    own = port_facts("radar", "/dev/null", around(tmp_path, sign_pid=712))
    assert own.sign_has_it
    assert own.holders == ()


def test_a_serial_line_that_is_the_system_s_console(tmp_path: Path) -> None:
    put(tmp_path, "proc/consoles", "ttyAMA0 -W- (EC p a) 204:64\ntty0 -WU (E) 4:7\n")
    units = tmp_path / "run/systemd/units"
    units.mkdir(parents=True)
    (units / "invocation:serial-getty@ttyS0.service").symlink_to("abc")
    assert _consoles(tmp_path) == {"ttyAMA0", "ttyS0"}


def test_who_holds_a_lock_is_told_by_the_kernel(tmp_path: Path) -> None:
    file = put(tmp_path, "a.lock", "")
    with file.open("r+") as held:
        assert locker_of(Path("/"), file.stat()) == []
        fcntl.flock(held, fcntl.LOCK_EX)
        assert locker_of(Path("/"), file.stat()) == [os.getpid()]


def _stat(mode: int, uid: int, gid: int) -> os.stat_result:
    return os.stat_result((stat.S_IFCHR | mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "may"),
    [
        (0o660, 0, 12_345, True),
        (0o660, 0, 20, False),
        (0o600, 12_345, 0, True),
        (0o060, 12_345, 12_345, False),  # the owner's bits count, not the group's
        (0o666, 0, 0, True),
        (0o640, 0, 12_345, False),
    ],
)
def test_permission_by_the_bits(mode: int, uid: int, gid: int, *, may: bool) -> None:
    assert ANNA.may(_stat(mode, uid, gid)) is may
    assert User("root", 0, frozenset()).may(_stat(0, 5, 5))


def test_a_user_has_the_groups_that_its_service_gives_it() -> None:
    plain, more = user_named("nobody"), user_named("nobody", ["dialout", "no-such-group", "4711"])
    assert plain is not None
    assert more is not None
    assert more.gids > plain.gids
    assert 4711 in more.gids
    assert user_named("no-such-user") is None


def test_a_secret_in_a_folder_that_lets_nobody_in(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    secret = put(folder, "password", "x")
    secret.chmod(0o644)
    folder.chmod(0o700)
    assert secret_facts("password_file", secret, ANNA).sign_may is False
    assert secret_facts("password_file", tmp_path / "none", ANNA).there is False


def test_a_folder_that_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As /var/lib/speedsign for an ordinary user: what is in it is not known, and its disk is that above."""
    store = tmp_path / "closed" / "sign.db"
    usual = Path.stat

    def closed(path: Path, **more: bool) -> os.stat_result:
        if path == store:
            raise PermissionError(13, "Permission denied", str(path))
        return usual(path, **more)

    store.parent.mkdir()
    monkeypatch.setattr(Path, "stat", closed)
    assert there(store)
    assert not there(tmp_path / "none")
    assert disk_facts(Path("/"), store).free_mb is not None
