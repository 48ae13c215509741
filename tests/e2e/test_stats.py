"""containr stats and containr top: that the numbers are the kernel's, of each container and of all in one pass."""

import json
import os
import pathlib
import re
import socket
import subprocess
import time

import pytest

from containers import need, open_terminal, wait_until

CGROUP = pathlib.Path("/sys/fs/cgroup")
PURE_V2 = (CGROUP / "cgroup.controllers").exists()
MIB = 1 << 20
BUSY = ("/bin/sh", "-c", "while :; do :; done")
IDLE = ("/bin/sleep", "1000")


@pytest.fixture
def people(rt, containr, only_ours):
    """The program for people over the same state."""
    def run(*args, status=0, **more):
        program, rt.program = rt.program, containr
        try:
            return rt(*args, status=status, **more)
        finally:
            rt.program = program
    return run


def start(rt, args=IDLE, resources=None):
    linux = {"resources": resources} if resources else {}
    return rt.started(rt.bundle({"linux": linux}, args=args))


def rows(text):
    """A table as a list of {title: cell}."""
    titles, *lines = [re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines()]
    return [dict(zip(titles, line)) for line in lines]


def stats(people, *args):
    return people("stats", "--no-stream", "--format", "json", *args).json


# ---- stats --------------------------------------------------------------------------------------

def test_each_container_has_a_row(rt, people):
    ids = [start(rt) for _ in range(3)]
    table = rows(people("stats", "--no-stream").stdout)
    assert [row["NAME"] for row in table] == sorted(ids)
    assert list(table[0]) == ["NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET IO", "BLOCK IO", "PIDS"]
    assert [row["NAME"] for row in rows(people("stats", "--no-stream", ids[1]).stdout)] == [ids[1]]


def test_json_has_podmans_keys(rt, people):
    item, = stats(people, start(rt))
    assert list(item)[:10] == ["id", "name", "cpu_time", "cpu_percent", "avg_cpu", "mem_usage", "mem_percent",
                               "net_io", "block_io", "pids"]
    assert people("stats", "--no-stream", "--json").json[0]["id"] == item["id"]


def test_memory_and_pids_are_the_kernels(rt, people):
    need(PURE_V2 or (CGROUP / "memory").is_dir(), "no memory controller")
    if PURE_V2 and "memory" not in (CGROUP / "cgroup.controllers").read_text():
        pytest.skip("v2 has no memory controller here: see tests/vm/resources.sh")
    hog = "x=$(busybox head -c 8000000 /dev/zero | busybox tr '\\0' x); sleep 1000 & sleep 1000 & wait"
    id = start(rt, ("/bin/sh", "-c", hog.replace("busybox", "/bin/busybox")),
               {"memory": {"limit": 64 * MIB}, "pids": {"limit": 20}})
    # Those that make the text are three for a moment, too.
    wait_until(lambda: stats(people, id)[0]["pids"] == "3" and stats(people, id)[0]["mem_bytes"] > 8 * 10**6,
               what="three processes and the memory of the first")
    item, = stats(people, id)
    assert item["mem_limit_bytes"] == 64 * MIB and item["pids_limit"] == 20
    assert 8 * 10**6 < item["mem_bytes"] < 40 * MIB
    assert re.fullmatch(r"[\d.]+MiB / 64MiB", item["mem_usage"])
    assert abs(float(item["mem_percent"][:-1]) - 100 * item["mem_bytes"] / (64 * MIB)) < 0.01


def test_a_container_without_a_limit_has_the_machines(rt, people):
    total = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1]) * 1024
    item, = stats(people, start(rt))
    assert "mem_limit_bytes" not in item
    assert float(item["mem_usage"].split(" / ")[1].rstrip("GMiB")) == pytest.approx(total / 2**30, rel=0.01)


def test_a_busy_container_has_used_more(rt, people):
    busy, idle = start(rt, BUSY), start(rt)
    time.sleep(0.5)
    first = {item["id"]: item for item in stats(people)}
    assert float(first[busy]["cpu_percent"][:-1]) > 1
    assert first[busy]["cpu_nanos"] > 2 * first[idle]["cpu_nanos"]
    time.sleep(0.3)
    again = {item["id"]: item for item in stats(people)}
    assert again[busy]["cpu_nanos"] > first[busy]["cpu_nanos"]


def test_tables_follow_until_the_container_ends(rt, containr, only_ours):
    """An idle phase after a busy one: only what is between two tables counts."""
    id = start(rt, ("/bin/sh", "-c", "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; sleep 1000; true"))
    wait_until(lambda: len(rt("ps", "--format", "json", id).json) == 2, 20, "the busy phase is over")
    rt.program = containr
    process = rt.popen("stats", "--interval", "300ms", "--format", "json", id)
    first, *more = [json.loads(process.stdout.readline())[0] for _ in range(3)]
    assert float(first["cpu_percent"][:-1]) == float(first["avg_cpu"][:-1]) > 1
    assert all(float(item["cpu_percent"][:-1]) < 1 < float(item["avg_cpu"][:-1]) for item in more), more
    rt.program = str(pathlib.Path(containr).parent / "containr-oci")
    rt("kill", id, "KILL")
    process.stdout.read()
    assert process.wait(10) == 0


def test_stopped_containers_are_shown_when_asked_for(rt, people):
    id = start(rt, ("/bin/true",))
    rt.wait_status(id, "stopped")
    assert rows(people("stats", "--no-stream").stdout) == []
    assert [row["NAME"] for row in rows(people("stats", "--no-stream", "--all").stdout)] == [id]


def test_a_container_that_is_not_there(people):
    assert "does not exist" in people("stats", "--no-stream", "nobody", status=125).stderr


@pytest.mark.parametrize("flags, said", [
    (["--interval", "x"], "--interval x: expected a duration"),
    (["--interval", "0"], "--interval 0s: expected a duration of 1ms"),
    (["--format", "{{.Name}}"], "expected table or json"),
])
def test_bad_flags_are_refused(people, flags, said):
    assert said in people("stats", "--no-stream", *flags, status=125).stderr


def test_traffic_of_its_own_network_counts(rt, people):
    """What it says to itself does not; a container in the host's network has none of its own."""
    host = rt.started(rt.bundle(lambda c: c["linux"]["namespaces"].remove({"type": "network"}), args=IDLE))
    own = start(rt)
    seen = {item["id"]: item for item in stats(people)}
    assert "net_rx_bytes" not in seen[host] and seen[host]["net_io"] == "-- / --"
    assert seen[own]["net_rx_bytes"] == 0
    pid = rt.state(own)["pid"]
    peer = f"v{os.getpid() % 100000}"
    subprocess.run(["ip", "link", "add", peer, "type", "veth", "peer", "name", "eth7", "netns", str(pid)], check=True)
    try:
        subprocess.run(["ip", "addr", "add", "10.99.7.1/30", "dev", peer], check=True)
        subprocess.run(["ip", "link", "set", peer, "up"], check=True)
        subprocess.run(["nsenter", "-t", str(pid), "-n", "ip", "link", "set", "eth7", "up"], check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(b"x", ("10.99.7.2", 9))  # asks by broadcast who that is
        wait_until(lambda: stats(people, own)[0]["net_rx_bytes"] > 0, what="bytes came in")
    finally:
        subprocess.run(["ip", "link", "del", peer], check=False)


def test_hundreds_are_read_by_threads(rt, people):
    """More than one thread's share, one with a state that is broken; those without processes cost no time to make."""
    id = start(rt)
    state = json.loads((rt.root / id / "state.json").read_text())
    others = [f"{rt.token}x{n:03}" for n in range(150)]
    for name in others:
        (rt.root / name).mkdir(mode=0o700)
        (rt.root / name / "state.json").write_text(json.dumps({**state, "id": name, "cgroups": []}) + "\n")
    (rt.root / others[3] / "state.json").write_text("{}\n")
    try:
        seen = stats(people, "--all")
        assert [item["id"] for item in seen] == sorted([id, *others[:3], *others[4:]])
        assert [item["id"] for item in seen if item["status"] == "running"] == [id]
    finally:
        for name in others:
            (rt.root / name / "state.json").unlink()
            (rt.root / name).rmdir()


def test_an_ordinary_user_sees_his_own(user_rt, containr, only_ours):
    id = user_rt.started(user_rt.bundle(args=IDLE))
    program, user_rt.program = user_rt.program, containr
    item, = user_rt("stats", "--no-stream", "--json").json
    table = rows(user_rt("top").stdout)
    user_rt.program = program
    assert item["id"] == id and item["status"] == "running"
    assert [row["NAME"] for row in table] == [id]


# ---- top ----------------------------------------------------------------------------------------

def test_the_busiest_is_first(rt, people):
    ids = [start(rt), start(rt, BUSY), start(rt)]
    time.sleep(0.5)
    table = rows(people("top").stdout)
    assert table[0]["NAME"] == ids[1] and sorted(row["NAME"] for row in table) == sorted(ids)
    assert {row["STATUS"] for row in table} == {"running"}
    assert table[0]["PID"] == str(rt.state(ids[1])["pid"])


def test_top_knows_who_is_paused(rt, people):
    id = start(rt)
    rt("pause", id)
    assert rows(people("top").stdout)[0]["STATUS"] == "paused"
    rt("resume", id)


def test_top_tells_of_limits_that_were_met(rt, people):
    need(PURE_V2 or (CGROUP / "pids").is_dir(), "no pids controller")
    if PURE_V2 and "pids" not in (CGROUP / "cgroup.controllers").read_text():
        pytest.skip("v2 has no pids controller here: see tests/vm/resources.sh")
    id = start(rt, ("/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8; do (sleep 1000 &) ; done; sleep 1000"),
               {"pids": {"limit": 4}})
    wait_until(lambda: stats(people, id)[0]["pids_refused"] > 0, what="a fork was refused")
    assert re.search(r"pids:\d", people("top").stdout)


def test_top_of_one_lists_its_processes(rt, people):
    id = start(rt, ("/bin/sh", "-c", "sleep 1001 & sleep 1002; true"))
    wait_until(lambda: len(people("top", id).stdout.splitlines()) == 4, what="three processes")
    text = people("top", id).stdout
    assert text.split()[:2] == ["UID", "PID"] and "sleep 1001" in text and "sleep 1002" in text
    assert people("top", id, "-o", "pid,comm").stdout.split()[:2] == ["PID", "COMMAND"]


def test_on_a_terminal_tables_replace_one_another(rt, containr, only_ours):
    start(rt)
    rt.program, program = containr, rt.program
    ours, theirs = open_terminal()
    process = rt.popen("top", "--interval", "100ms", stdout=theirs)
    os.close(theirs)
    text = b""
    while text.count(b"\033[H\033[J") < 3:
        text += os.read(ours, 4096)
    process.kill()
    os.close(ours)
    rt.program = program
    assert text.count(b"NAME") >= 2
