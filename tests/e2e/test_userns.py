"""Ids of user namespaces: ranges of /etc/subuid by newuidmap, one's own id alone, and podman's words for --userns."""

import concurrent.futures
import itertools
import pathlib

import pytest

from containers import USER
from people import refused

MAP = "cat /proc/self/uid_map"


def rows(text):
    """The lines of an id map as numbers."""
    return [tuple(map(int, line.split())) for line in text.splitlines()]


# ---- what is mapped -----------------------------------------------------------------------------

def test_own_id_and_ranges(ranged):
    assert rows(ranged.sh("cat /proc/self/uid_map")) == [(0, USER, 1), (1, 2000000, 65536)]
    assert rows(ranged.sh("cat /proc/self/gid_map")) == [(0, USER, 1), (1, 2000000, 65536)]
    ranged.ranges(f"{USER}:2000000:100\nother:5000000:65536\n{ranged.NAME}:3000000:50\n")
    assert rows(ranged.sh(MAP)) == [(0, USER, 1), (1, 2000000, 100), (101, 3000000, 50)]


def test_files_belong_to_ids_of_the_range(ranged):
    data = ranged.dir / "data"
    data.mkdir()
    data.chmod(0o777)
    ranged.do("-v", f"{data}:/data", "-u", "1000:1000", command=["touch", "/data/file"])
    assert (data / "file").stat().st_uid == 2000999
    ranged.do("-v", f"{data}:/data", "--userns", "keep-id", command=["touch", "/data/own"])
    assert (data / "own").stat().st_uid == USER


@pytest.mark.parametrize("mode,user,expected", [
    ("keep-id", (USER, USER), [(0, 2000000, USER), (USER, USER, 1), (USER + 1, 2000000 + USER, 65536 - USER)]),
    ("keep-id:uid=1000,gid=100", (1000, 100), [(0, 2000000, 1000), (1000, USER, 1), (1001, 2001000, 64536)]),
    ("keep-id:uid=5,gid=5,size=10", (5, 5), [(0, 2000000, 5), (5, USER, 1), (6, 2000005, 4)]),
    ("nomap", (0, 0), [(0, 2000000, 65536)]),
    ("auto", (0, 0), [(0, 2000000, 65536)]),
    ("private", (0, 0), [(0, USER, 1), (1, 2000000, 65536)]),
])
def test_modes(ranged, mode, user, expected):
    text = ranged.sh(f"id -u; id -g; {MAP}", f"--userns={mode}")
    assert tuple(map(int, text.split()[:2])) == user
    assert rows("\n".join(text.splitlines()[2:])) == expected


def test_auto_gives_containers_different_ids(ranged):
    maps = [rows(ranged.sh(MAP, "--userns=auto:size=1000"))[0] for _ in range(8)]
    assert all(row[0] == 0 and row[2] == 1000 for row in maps)
    assert all(2000000 <= row[1] and row[1] + 1000 <= 2065536 for row in maps)
    assert len({row[1] for row in maps}) > 1


def test_auto_of_root(root):
    (inside, outside, size), = rows(root.sh(MAP, "--userns=auto:size=4096"))
    assert inside == 0 and outside >= 0x80000 and size == 4096


def outside(rt, name):
    """The ids that a container has on the host."""
    pid = rt("inspect", name).json[0]["State"]["Pid"]
    (_inside, first, size), = rows(pathlib.Path(f"/proc/{pid}/uid_map").read_text())
    return range(first, first + size)


def detached(rt, name, *flags, **more):
    rt.ids.append(name)
    return rt.do("-d", "--name", name, *flags, command=["sleep", "1000"], **more)


def fnv(name):
    """Where the search for free ids begins."""
    h = 2166136261
    for byte in name.encode():
        h = (h ^ byte) * 16777619 & 0xffffffff
    return h


def test_auto_of_root_gives_no_ids_twice(root):
    first = f"{root.token}.a"
    same = next(name for name in (f"{root.token}.{n}" for n in itertools.count()) if fnv(name) % 28664 == fnv(first) % 28664)
    for name in (first, same):
        detached(root, name, "--userns=auto")
    one, other = (outside(root, name) for name in (first, same))
    assert len(one) == len(other) == 65536 and one[-1] < other[0]


def test_auto_with_a_size_gives_no_ids_twice(ranged):
    """Four at the same moment, of four places; then there are none, until one is given back."""
    names = [f"{ranged.token}.{n}" for n in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda name: detached(ranged, name, "--userns=auto:size=16384"), names))
    assert sorted(outside(ranged, name)[0] for name in names) == [2000000 + 16384 * n for n in range(4)]
    assert "all of the 4 times 16384 ids" in ranged.do("--userns=auto:size=16384", status=125).stderr
    assert ranged.sh(MAP, "--userns=auto").split()[1] == "2000000"  # all of them: nothing is said of others
    gone = outside(ranged, names[2])
    ranged("rm", "-f", names[2])
    assert rows(ranged.sh(MAP, "--userns=auto:size=16384"))[0][1] == gone[0]


def test_few_ids_have_a_terminal_all_the_same(ranged):
    """Group 5, tty, is not among them."""
    assert ranged.do("-t", "--userns=auto:size=3", command=["tty"]).stdout.startswith("/dev/pts/")


# ---- the caller's groups stay outside -----------------------------------------------------------

@pytest.mark.parametrize("flags", [[], ["--userns=auto"], ["--userns=nomap"], ["--userns=keep-id"]])
def test_groups_of_the_caller_stay_outside(ranged, flags):
    ranged.groups = [27, 4]
    assert "65534" not in ranged.sh("id -G", *flags).split()


def test_groups_of_the_caller_stay_outside_in_exec(ranged):
    ranged.groups = [27, 4]
    ranged.do("-d", "--name", f"{ranged.token}.run", command=["sleep", "1000"])
    ranged.ids.append(f"{ranged.token}.run")
    ranged.program, program = ranged.oci, ranged.program
    try:
        assert ranged("exec", f"{ranged.token}.run", "id", "-G").stdout.split() == ["0"]
        ranged("delete", "--force", f"{ranged.token}.run")
    finally:
        ranged.program = program


# ---- what is wrong ------------------------------------------------------------------------------

@pytest.mark.parametrize("uids,mode,says", [
    ("e2e-user:foo:65536\n", "auto", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT"),
    ("x:1:1\n\ne2e-user:100000\n", "keep-id", "/etc/subuid:3: is not in the form NAME:FIRST:COUNT"),
    ("other:100000:65536\n", "nomap", "/etc/subuid gives this user no ids"),
    ("e2e-user:100000:10\nx:7:1\ne2e-user:100005:9\n", "private",
     "/etc/subuid:3: 100005 to 100013 shares ids with 100000 to 100009 of a line before"),
    (f"e2e-user:{USER - 4}:10\n", "private", f"/etc/subuid:1: {USER - 4} to {USER + 5} has the user's own id {USER}"),
    ("e2e-user:0:65536\n", "private", "/etc/subuid:1: gives e2e-user the id 0, which is the host's root"),
])
def test_wrong_ranges_are_named(ranged, uids, mode, says):
    ranged.ranges(uids, f"{ranged.NAME}:2000000:65536\n")
    assert says in ranged.do(f"--userns={mode}", status=125).stderr


def test_wrong_groups_are_named(ranged):
    ranged.ranges(f"{ranged.NAME}:2000000:65536\n", f"{ranged.NAME}:0:9\n")
    assert "/etc/subgid:1: gives e2e-user the id 0" in ranged.do(status=125).stderr


@pytest.mark.parametrize("mode,says", [
    ("keep-id:uid=x", "expected uid,gid,size=N"), ("keep-id:uid=70000", "up to 65535"),
    ("keep-id:name=5", "expected uid,gid,size=N"), ("keep-id:uid=10,size=10", "size has to be above the uid 10"),
    ("keep-id:", "expected"), ("auto:size=0", "expected size=N, with N from 1 up to 65536"),
    ("auto:uid=5", "expected size=N, with N from 1 up to 65536"),
    ("auto:size=65537", "up to 65536"), ("nomap:x", "expected host, auto"), ("autox", "expected host, auto"),
    ("keep-idx", "expected host, auto"),
])
def test_wrong_modes_are_named(ranged, mode, says):
    stderr = ranged.do(f"--userns={mode}", status=125).stderr
    assert f"--userns {mode}: " in stderr and says in stderr


def test_too_many_ids(ranged):
    ranged.ranges(f"{ranged.NAME}:2000000:1000\n")
    assert "there are 1000 ids" in ranged.do("--userns=auto:size=1001", status=125).stderr
    assert "there are 1000:1000" in ranged.do("--userns=keep-id", status=125).stderr


def test_modes_for_ordinary_users_are_refused_to_root(containr, as_root):
    for mode in ("keep-id", "nomap", "keep-id:uid=5"):
        assert "is for ordinary users" in refused(containr, f"--userns={mode}")


def test_without_ranges_there_is_one_id(user):
    assert rows(user.sh(MAP)) == [(0, user.uid(), 1)]
    for mode in ("auto", "nomap", "keep-id"):
        result = user.do(f"--userns={mode}", status=125)
        assert "needs more ids than one's own" in result.stderr and "--add-subuids" in result.stderr
