"""Limits: that they bite, can be changed and watched, and what people are told when they are reached."""

import concurrent.futures
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from containers import need, wait_until

CGROUP = pathlib.Path("/sys/fs/cgroup")
PURE_V2 = (CGROUP / "cgroup.controllers").exists()


def hierarchies():
    """Where hierarchies are mounted, those of v1 by their directory."""
    return [CGROUP] if PURE_V2 else [path for path in sorted(CGROUP.iterdir()) if path.is_dir()]


def has_v1(controller):
    return not PURE_V2 and (CGROUP / controller / "cgroup.procs").exists()


def need_v1(controller):
    """v2's controllers do not exist where v1 has them; tests/vm/resources.sh has those."""
    if not has_v1(controller):
        pytest.skip(f"no hierarchy of v1 has {controller}: see tests/vm/resources.sh")


def disk():
    """A block device, as MAJOR:MINOR."""
    device = next((path.read_text().strip() for path in sorted(pathlib.Path("/sys/block").glob("*/dev"))
                   if not path.parent.name.startswith(("loop", "ram"))), None)
    need(device, "no block device")
    return device


class Container:
    """A container that waits, and its cgroups."""

    def __init__(self, rt, resources=None, args=("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1; done")):
        linux = {"resources": resources} if resources else {}
        self.bundle = rt.bundle({"linux": linux}, args=args)
        self.name = self.bundle.config["linux"]["cgroupsPath"].strip("/")
        self.id = rt.started(self.bundle)
        self.rt = rt

    def dir(self, controller=None):
        if PURE_V2:
            return CGROUP / self.name
        return CGROUP / (controller or "unified") / self.name

    def read(self, controller, file):
        return (self.dir(controller) / file).read_text(encoding="ascii").strip()

    def pid(self):
        return self.rt.state(self.id)["pid"]


def cgroups_of(text):
    """/proc/PID/cgroup as {controllers: path}."""
    rows = [line.split(":", 2) for line in text.splitlines()]
    return {row[1]: row[2] for row in rows if row[1] == "" or not PURE_V2}


# ---- exec into a cgroup below -------------------------------------------------------------------

@pytest.fixture
def box(rt, only_ours):
    return Container(rt)


def make_below(box, name, controllers=None):
    for mount in hierarchies():
        if (mount / box.name).is_dir() and (controllers is None or mount.name in controllers):
            path = mount / box.name / name
            path.mkdir()
            for file in ("cpuset.cpus", "cpuset.mems"):
                if not PURE_V2 and (path / file).exists():
                    (path / file).write_text((path.parent / file).read_text())


def test_exec_goes_where_the_container_is(rt, box):
    seen = cgroups_of(rt("exec", box.id, "cat", "/proc/self/cgroup").stdout)
    assert all(path.endswith("/" + box.name) for path in seen.values()), seen


def test_exec_goes_into_a_cgroup_below(rt, box):
    make_below(box, "jobs")
    seen = cgroups_of(rt("exec", "--cgroup", "jobs", box.id, "cat", "/proc/self/cgroup").stdout)
    assert all(path.endswith(f"/{box.name}/jobs") for path in seen.values()), seen


def test_exec_goes_below_in_one_controller(rt, box):
    need_v1("pids")
    make_below(box, "jobs", ["pids", "memory"])
    seen = cgroups_of(rt("exec", "--cgroup", "pids,memory:/jobs/", box.id, "cat",
                         "/proc/self/cgroup").stdout)
    for controllers, path in seen.items():
        below = "/jobs" if controllers in ("pids", "memory") else ""
        assert path.endswith(f"/{box.name}{below}"), (controllers, path)


@pytest.mark.parametrize("given, said", [
    (["../other"], '".." is not allowed'),
    (["jobs/../../.."], '".." is not allowed'),
    (["/../jobs"], '".." is not allowed'),
    (["missing"], "no such file or directory"),
    (["nonsense:jobs"], 'no cgroup of a controller "nonsense"'),
    ([":jobs"], 'no cgroup of a controller ""'),
    (["one", "two"], "expected CONTROLLER:PATH"),
])
def test_exec_refuses_what_is_not_below(rt, box, given, said):
    flags = [word for one in given for word in ("--cgroup", one)]
    result = rt("exec", *flags, box.id, "true", status=255)
    assert said in result.stderr


def test_exec_refuses_a_controller_twice(rt, box):
    need_v1("pids")
    result = rt("exec", "--cgroup", "pids:a", "--cgroup", "memory,pids:b", box.id, "true", status=255)
    assert "pids is named twice" in result.stderr


def test_exec_follows_no_link_out_of_the_cgroup(rt, box):
    # cgroups have no symbolic links; what could be one is a mount. A path through it is refused.
    result = rt("exec", "--cgroup", "cgroup.procs", box.id, "true", status=255)
    assert "not a directory" in result.stderr


def v2_controllers(box):
    """The container's directory in v2, and the controllers that it could give on."""
    unified = box.dir()
    need(unified.exists(), "no cgroup v2 on this host")
    # The root of the view with v2 alone is ours to change; that of the host is not.
    for name in (CGROUP / "cgroup.controllers").read_text().split() if PURE_V2 else ():
        (CGROUP / "cgroup.subtree_control").write_text("+" + name)
    controllers = (unified / "cgroup.controllers").read_text().split()
    need(controllers, "v2 has no controller that could be given on here")
    return unified, controllers


def test_exec_follows_init_where_the_container_gives_controllers_on(rt, box):
    unified, controllers = v2_controllers(box)
    below = unified / "init"
    below.mkdir()
    for pid in (unified / "cgroup.procs").read_text().split():
        (below / "cgroup.procs").write_text(pid)
    (unified / "cgroup.subtree_control").write_text("+" + controllers[0])
    seen = cgroups_of(rt("exec", box.id, "cat", "/proc/self/cgroup").stdout)
    assert seen[""].endswith(f"/{box.name}/init"), seen


def test_exec_does_not_follow_init_out_of_the_container(rt, box):
    unified, controllers = v2_controllers(box)
    other = unified.parent / (box.name + "-other")
    other.mkdir()
    try:
        for pid in (unified / "cgroup.procs").read_text().split():
            (other / "cgroup.procs").write_text(pid)
        (unified / "inner").mkdir()
        (unified / "cgroup.subtree_control").write_text("+" + controllers[0])
        result = rt("exec", box.id, "cat", "/proc/self/cgroup", status=None)
        assert "-other" not in result.stdout
    finally:
        os.kill(box.pid(), signal.SIGKILL)
        wait_until(lambda: not (other / "cgroup.procs").read_text(), what="the cgroup is empty")
        other.rmdir()


# ---- update -------------------------------------------------------------------------------------

MIB = 1 << 20

UPDATES = [
    ("memory", ["--memory", "64m"], "memory.limit_in_bytes", str(64 * MIB)),
    ("memory", ["--memory", "-1"], "memory.limit_in_bytes", "9223372036854771712"),
    ("memory", ["--memory-reservation", "8m"], "memory.soft_limit_in_bytes", str(8 * MIB)),
    ("cpu", ["--cpu-share", "512"], "cpu.shares", "512"),
    ("cpu", ["--cpu-quota", "20000"], "cpu.cfs_quota_us", "20000"),
    ("cpu", ["--cpu-period", "50000"], "cpu.cfs_period_us", "50000"),
    ("cpu", ["--cpu-quota", "20000", "--cpu-burst", "10000"], "cpu.cfs_burst_us", "10000"),
    ("cpu", ["--cpu-idle", "1"], "cpu.idle", "1"),
    ("cpuset", ["--cpuset-cpus", "0"], "cpuset.cpus", "0"),
    ("cpuset", ["--cpuset-mems", "0"], "cpuset.mems", "0"),
    ("pids", ["--pids-limit", "7"], "pids.max", "7"),
    ("pids", ["--pids-limit", "-1"], "pids.max", "max"),
]


@pytest.mark.parametrize("controller, flags, file, value", UPDATES, ids=lambda v: str(v))
def test_update_writes(rt, box, controller, flags, file, value):
    need_v1(controller)
    rt("update", *flags, box.id)
    assert box.read(controller, file) == value


def test_update_by_json(rt, box):
    need_v1("memory")
    text = json.dumps({"memory": {"limit": 32 * MIB}, "pids": {"limit": 9}, "cpu": {"shares": 256},
                       "devices": [{"allow": False, "access": "rwm"}]})
    path = rt.dir / "resources.json"
    path.write_text(text)
    with open(path, encoding="ascii") as stdin:
        rt("update", "--resources", "-", box.id, stdin=stdin)
    assert box.read("memory", "memory.limit_in_bytes") == str(32 * MIB)
    rt("update", "-r", str(path), box.id)
    assert box.read("pids", "pids.max") == "9"
    # Devices are not for update: null is still there.
    rt("exec", box.id, "sh", "-c", "echo x >/dev/null")


def test_update_finds_the_order_that_the_kernel_wants(rt, box):
    """memory <= memory and swap at any time: up, swap goes first; down, memory does."""
    need_v1("memory")
    for size in (64, 32, 128, 16):
        rt("update", "--memory", f"{size}m", "--memory-swap", f"{size + 8}m", box.id)
        assert box.read("memory", "memory.limit_in_bytes") == str(size * MIB)
        assert box.read("memory", "memory.memsw.limit_in_bytes") == str((size + 8) * MIB)


def test_update_is_all_or_nothing(rt, box):
    need_v1("cpuset")
    rt("update", "--memory", "64m", "--pids-limit", "30", "--cpuset-cpus", "0", box.id)
    before = [box.read(*file) for file in STATE]
    result = rt("update", "--memory", "32m", "--pids-limit", "20", "--cpu-share", "300",
                "--cpuset-cpus", "4000", box.id, status=1)
    assert "nothing was changed" in result.stderr
    assert "cpuset.cpus" in result.stderr and "4000" in result.stderr
    assert [box.read(*file) for file in STATE] == before


STATE = [("memory", "memory.limit_in_bytes"), ("pids", "pids.max"), ("cpu", "cpu.shares"),
         ("cpuset", "cpuset.cpus")]


def test_update_throttles_a_device_and_takes_it_back(rt, box):
    need_v1("blkio")
    device = disk()
    major, minor = map(int, device.split(":"))
    rule = {"major": major, "minor": minor, "rate": 1 * MIB}

    def update(resources, status=0):
        path = rt.dir / "r.json"
        path.write_text(json.dumps(resources))
        return rt("update", "-r", path, box.id, status=status)

    update({"blockIO": {"throttleReadBpsDevice": [rule]}})
    assert box.read("blkio", "blkio.throttle.read_bps_device") == f"{device} {MIB}"
    update({"blockIO": {"throttleReadBpsDevice": [dict(rule, rate=5 * MIB)],
                        "throttleWriteBpsDevice": [rule]}, "cpu": {"cpus": "4000"}}, status=1)
    assert box.read("blkio", "blkio.throttle.read_bps_device") == f"{device} {MIB}"
    assert box.read("blkio", "blkio.throttle.write_bps_device") == ""


def test_update_looks_before_it_lowers_memory(rt, box):
    need_v1("memory")
    path = rt.dir / "r.json"
    path.write_text(json.dumps({"memory": {"limit": 4096, "checkBeforeUpdate": True}}))
    before = box.read("memory", "memory.limit_in_bytes")
    result = rt("update", "-r", path, box.id, status=1)
    assert "is below what the container uses now" in result.stderr
    assert box.read("memory", "memory.limit_in_bytes") == before


def test_update_of_huge_pages_on_v2(rt, box):
    unified, controllers = v2_controllers(box)
    need("hugetlb" in controllers, "no hugetlb in v2")
    path = rt.dir / "r.json"
    path.write_text(json.dumps({"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]}))
    rt("update", "-r", path, box.id)
    assert (unified / "hugetlb.2MB.max").read_text().strip() == str(4 * MIB)
    path.write_text(json.dumps({"hugepageLimits": [{"pageSize": "2MB", "limit": 8 * MIB},
                                                   {"pageSize": "64MB", "limit": 0}]}))
    result = rt("update", "-r", path, box.id, status=1)
    assert "nothing was changed" in result.stderr and "hugetlb.64MB" in result.stderr
    assert (unified / "hugetlb.2MB.max").read_text().strip() == str(4 * MIB)


@pytest.mark.parametrize("flags, said", [
    (["--memory", "lots"], "--memory lots: expected a size"),
    (["--memory", "-2"], "--memory -2: expected"),
    (["--cpu-quota", "1.5"], "--cpu-quota 1.5: expected a whole number"),
    (["--cpu-period", "2000000"], "--cpu-period 2000000: expected a whole number from 0 to 1000000"),
    (["--cpu-idle", "2"], "--cpu-idle 2: expected a whole number from 0 to 1"),
    (["--blkio-weight", "2000"], "--blkio-weight 2000: expected a whole number from 0 to 1000"),
    (["--pids-limit", "many"], "--pids-limit many: expected a whole number"),
    (["--memory-reservation", "x"], "--memory-reservation x: expected a size"),
    (["--memory-swap", "1.5.5g"], "--memory-swap 1.5.5g: expected a size"),
    (["--kernel-memory-tcp", "x"], "--kernel-memory-tcp x: expected a size"),
    (["--cpu-share", "262145"], "--cpu-share 262145: expected a whole number from 0 to 262144"),
    (["--cpu-burst", "-1"], "--cpu-burst -1: expected a whole number from 0 on"),
    (["--cpu-rt-period", "x"], "--cpu-rt-period x: expected a whole number from 0 on"),
    (["--cpu-rt-runtime", "-2"], "--cpu-rt-runtime -2: expected a whole number from -1 on"),
    (["--cpu-quota", "5"], "cpu.quota: 5, expected at least 1000 microseconds, or -1 for no limit"),
    (["--cpuset-cpus", "3-1"], '"3-1" is no list, expected ascending numbers'),
    (["--cpuset-mems", "x"], '"x" is no list, expected ascending numbers'),
    (["--pids-limit", "4194305"], "pids.limit: 4194305, expected at most 4194304"),
    (["--blkio-weight", "5"], "weight: 5, expected 10 to 1000"),
    (["--resources", "/does/not/exist"], "open /does/not/exist: no such file"),
    (["--l3-cache-schema", "L3:0=f"], "no resctrl group of its own"),
])
def test_update_refuses(rt, box, flags, said):
    assert said in rt("update", *flags, box.id, status=1).stderr


def test_update_of_what_has_stopped(rt, box):
    os.kill(box.pid(), signal.SIGKILL)
    rt.wait_status(box.id, "stopped")
    assert "container not running" in rt("update", "--memory", "64m", box.id, status=1).stderr
    assert "does not exist" in rt("update", "--memory", "64m", "nobody", status=1).stderr


# ---- events -------------------------------------------------------------------------------------

#: What runc's events always has (its types/events.go); the rest is left out when it is 0.
ALWAYS = {
    "cpu": {"usage", "throttling"},
    "cpuset": {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
               "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level"},
    "memory": {"usage", "swap", "kernel", "kernelTCP"},
    "pids": set(), "blkio": set(), "hugetlb": set(), "intel_rdt": set(), "network_interfaces": set(),
}
SOMETIMES = {
    "cpu": {"psi"}, "cpuset": {"cpus", "mems"}, "memory": {"cache", "raw", "psi"},
    "pids": {"current", "limit"},
    "blkio": {"psi", "ioServiceBytesRecursive", "ioServicedRecursive", "ioQueueRecursive",
              "ioServiceTimeRecursive", "ioWaitTimeRecursive", "ioMergedRecursive", "ioTimeRecursive",
              "sectorsRecursive"},
    "hugetlb": None, "intel_rdt": set(), "network_interfaces": set(),
}


def check_keys(data):
    assert list(data) == list(ALWAYS)
    for name, part in data.items():
        keys = set(part or ())
        assert ALWAYS[name] <= keys, (name, keys)
        assert SOMETIMES[name] is None or keys <= ALWAYS[name] | SOMETIMES[name], (name, keys)
    assert {"kernel", "user"} <= set(data["cpu"]["usage"]) <= \
        {"total", "percpu", "percpu_kernel", "percpu_user", "kernel", "user"}
    for entry in ("usage", "swap", "kernel", "kernelTCP"):
        assert {"limit", "failcnt"} <= set(data["memory"][entry]) <= {"limit", "usage", "max", "failcnt"}


def test_stats_have_the_keys_of_runc(rt, box):
    line = rt("events", "--stats", box.id).stdout
    assert line.count("\n") == 1
    event = json.loads(line)
    assert (event["type"], event["id"]) == ("stats", box.id)
    check_keys(event["data"])


def test_stats_are_the_kernels_numbers(rt, only_ours):
    need_v1("memory")
    box = Container(rt, {"memory": {"limit": 64 * MIB}, "pids": {"limit": 20},
                         "cpu": {"quota": 50000, "period": 100000}})
    data = rt("events", "--stats", box.id).json["data"]
    assert data["memory"]["usage"]["limit"] == 64 * MIB
    assert 0 < data["memory"]["usage"]["usage"] <= 64 * MIB
    assert data["memory"]["usage"]["max"] <= 64 * MIB
    assert data["memory"]["raw"]["hierarchical_memory_limit"] == 64 * MIB
    assert data["pids"]["limit"] == 20 and data["pids"]["current"] >= 1
    cpus = os.cpu_count()
    assert len(data["cpu"]["usage"]["percpu"]) >= cpus
    assert sum(data["cpu"]["usage"]["percpu"]) <= int(box.read("cpuacct", "cpuacct.usage"))
    assert data["cpuset"]["mems"] == [0]
    assert set(data["cpuset"]["cpus"]) == os.sched_getaffinity(0) or len(data["cpuset"]["cpus"]) >= 1


def test_stats_have_pressure(rt, box):
    need((box.dir() / "memory.pressure").exists(), "the kernel tells no pressure by cgroup")
    data = rt("events", "--stats", box.id).json["data"]
    for part in ("cpu", "memory", "blkio"):
        assert set(data[part]["psi"]) == {"some", "full"}
        assert set(data[part]["psi"]["some"]) == {"avg10", "avg60", "avg300", "total"}


def test_stats_of_huge_pages(rt, only_ours):
    box = Container(rt)
    _unified, controllers = v2_controllers(box)
    need("hugetlb" in controllers, "no hugetlb in v2")
    data = rt("events", "--stats", box.id).json["data"]
    assert data["hugetlb"]["2MB"] == {"failcnt": 0}


def test_events_come_in_time_and_end_with_the_container(rt, box):
    process = rt.popen("events", "--interval", "50ms", box.id)
    lines = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert {line["type"] for line in lines} == {"stats"}
    totals = [line["data"]["cpu"]["usage"].get("total", 0) for line in lines]
    assert totals == sorted(totals)
    rt("kill", box.id, "KILL")
    process.stdout.read()
    assert process.wait(10) == 0


HOG = "sleep 1; x=x; while :; do x=$x$x$x$x; done"


def test_events_tell_of_a_shortage_of_memory(rt, only_ours):
    need_v1("memory")
    box = Container(rt, {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}},
                    args=("/bin/sh", "-c", f"while [ ! -e /go ]; do sleep 0.1; done; {HOG}"))
    process = rt.popen("events", "--interval", "1h", box.id)
    time.sleep(0.3)
    (box.bundle.rootfs / "go").touch()
    lines = [json.loads(line) for line in process.stdout.read().splitlines()]
    assert {"type": "oom", "id": box.id} in lines, lines
    assert process.wait(10) == 0


@pytest.mark.parametrize("interval", ["0s", "-1s", "5", "s", "1x", "", "1e3s", "999999999h"])
def test_events_refuse_an_interval(rt, box, interval):
    result = rt("events", f"--interval={interval}", box.id, status=1)
    assert f"--interval {interval}: expected a duration" in result.stderr


def test_events_of_what_is_not_running(rt, box):
    assert "does not exist" in rt("events", "--stats", "nobody", status=1).stderr
    os.kill(box.pid(), signal.SIGKILL)
    rt.wait_status(box.id, "stopped")
    assert "is not running" in rt("events", "--stats", box.id, status=1).stderr


# ---- limits that bite, and what is said of it ---------------------------------------------------

def test_a_memory_hog_is_killed_and_reported(rt, only_ours):
    need_v1("memory")
    bundle = rt.bundle({"linux": {"resources": {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}}}},
                       args=("/bin/sh", "-c", HOG.removeprefix("sleep 1; ")))
    result = rt.run(bundle, status=137)
    assert "out of memory: the kernel killed 1 process (limit 16 MiB, peak 16 MiB)" in result.stderr


def test_a_hog_below_init_is_reported_too(rt, only_ours):
    need_v1("memory")
    script = f"sh -c '{HOG.removeprefix('sleep 1; ')}'; echo status $?"
    bundle = rt.bundle({"linux": {"resources": {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}}}},
                       args=("/bin/sh", "-c", script))
    result = rt.run(bundle)
    assert "status 137" in result.stdout
    assert "warning: out of memory: the kernel killed 1 process" in result.stderr


def logged(cgroup):
    """Whether the kernel said whom it killed there: it does so of ten in five seconds at most."""
    text = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace", check=False).stdout
    return any("oom-kill:" in line and f"/{cgroup}," in line for line in text.splitlines())


def test_who_was_killed_is_said(rt, only_ours):
    """The first process survives: what was killed is not what people started."""
    need_v1("memory")
    script = f"sh -c '{HOG.removeprefix('sleep 1; ')}'; exit 0"
    bundle = rt.bundle({"linux": {"resources": {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}}}},
                       args=("/bin/sh", "-c", script))
    result = rt.run(bundle)
    if not logged(bundle.config["linux"]["cgroupsPath"].strip("/")):
        pytest.skip("the kernel killed too many lately to tell of all")
    assert re.search(r"\(limit 16 MiB, peak 16 MiB\): sh \(pid \d+\)", result.stderr), result.stderr


def test_a_quota_that_throttles_is_said(rt, only_ours, containr):
    need_v1("cpu")
    quota = {"linux": {"resources": {"cpu": {"quota": 1000, "period": 50000}}}}
    busy = ("/bin/sh", "-c", "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done")
    result = rt.run(rt.bundle(quota, args=busy))
    said = re.search(r"the CPU limit slowed it down in (\d+) of (\d+) periods: it waited \d+\.\d s", result.stderr)
    assert said and 10 <= int(said[1]) <= int(said[2]), result.stderr
    enough = {"linux": {"resources": {"cpu": {"quota": 100000, "period": 100000}}}}
    assert rt.run(rt.bundle(enough, args=("/bin/true",))).stderr == ""
    box = Container(rt, quota["linux"]["resources"], args=BUSY)
    rt.program, runtime = containr, rt.program
    try:
        # The kernel counts the time at the end of a wait.
        wait_until(lambda: rt("state", box.id).json.get("limitsReached", {}).get("cpuThrottledNanos"),
                   what="it was held up")
        seen = rt("state", box.id).json["limitsReached"]
    finally:
        rt.program = runtime
    assert 0 < seen["cpuThrottledPeriods"] <= seen["cpuPeriods"]


def test_a_fork_bomb_is_stopped_and_reported(rt, only_ours):
    need_v1("pids")
    script = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; ps | wc -l; kill -9 -1"
    bundle = rt.bundle({"linux": {"resources": {"pids": {"limit": 8}}}},
                       args=("/bin/sh", "-c", f"({script}) 2>&1"))
    result = rt.run(bundle, status=None)
    assert "the limit of 8 processes was reached: " in result.stderr


def test_nothing_is_said_without_a_reason(rt, only_ours):
    bundle = rt.bundle({"linux": {"resources": {"memory": {"limit": 64 * MIB}, "pids": {"limit": 50}}}}
                       if has_v1("memory") else {}, args=("/bin/true",))
    assert rt.run(bundle).stderr == ""


@pytest.mark.parametrize("limit", [1, 4096, 98303])
def test_too_little_memory_is_refused_with_the_number(rt, only_ours, limit):
    need_v1("memory")
    bundle = rt.bundle({"linux": {"resources": {"memory": {"limit": limit}}}}, args=("/bin/true",))
    result = rt.run(bundle, status=1)
    assert f"linux.resources.memory.limit: {limit} bytes are less than" in result.stderr
    assert "at least 98304" in result.stderr


@pytest.mark.parametrize("command", ["run", "create"])
@pytest.mark.parametrize("kib, mounts", [(96, 0), (96, 60), (120, 60), (160, 60)])
def test_too_little_memory_for_the_start_is_told_and_does_not_kill_us(rt, only_ours, command, kib, mounts):
    """Init borrows the runtime's memory, but not where the kernel could kill both for it."""
    need_v1("memory")

    def change(config):
        config["linux"]["resources"] = {"memory": {"limit": kib * 1024}}
        config["mounts"] += [{"destination": f"/tmp/{n}", "type": "tmpfs", "source": "tmpfs"}
                             for n in range(mounts)]

    id = rt.new_id()
    result = rt(command, "--bundle", rt.bundle(change, args=("/bin/true",)).path, id, status=None)
    if command == "create" and result.status == 0:
        result = rt("start", id, status=None)
    assert result.status in (0, 1, 137)
    if result.status != 0:
        assert "out of memory: the kernel killed 1 process (limit " in result.stderr or command == "create"
    if mounts == 60 and kib < 160:
        assert result.status == 1 and "was killed before it could: " in result.stderr


def test_state_for_people_has_the_limits_that_were_met(rt, only_ours, containr):
    need_v1("memory")
    box = Container(rt, {"memory": {"limit": 16 * MIB, "swap": 16 * MIB}, "pids": {"limit": 7}},
                    args=("/bin/sh", "-c", HOG))
    rt.wait_status(box.id, "stopped")
    assert "limitsReached" not in rt("state", box.id).json
    runtime, rt.program = rt.program, containr
    try:
        seen = rt("state", box.id).json
    finally:
        rt.program = runtime
    assert seen["limitsReached"]["oomKills"] == 1
    assert seen["limitsReached"]["memoryLimit"] == 16 * MIB
    assert 0 < seen["limitsReached"]["memoryPeak"] <= 16 * MIB
    if logged(box.name):
        assert seen["limitsReached"]["oomKilled"]["name"] == "sh"


BUSY = ("/bin/sh", "-c", "while :; do :; done")


def cpu_time(box):
    return int(box.read("cpuacct", "cpuacct.usage"))


def test_cpu_shares_divide_a_cpu(rt, only_ours):
    """Two containers on one CPU, 1024 and 256 shares: four times as much for the one."""
    need_v1("cpuacct")
    cpu = str(min(os.sched_getaffinity(0)))
    boxes = [Container(rt, {"cpu": {"shares": shares, "cpus": cpu}}, args=BUSY) for shares in (1024, 256)]
    begin = [cpu_time(box) for box in boxes]
    time.sleep(2)
    large, small = (cpu_time(box) - was for box, was in zip(boxes, begin))
    assert 2.8 < large / small < 5.5, (large, small)
    rt("update", "--cpu-share", "256", boxes[0].id)
    begin = [cpu_time(box) for box in boxes]
    time.sleep(2)
    one, other = (cpu_time(box) - was for box, was in zip(boxes, begin))
    assert 0.7 < one / other < 1.4, (one, other)


def test_a_cpu_quota_throttles(rt, only_ours):
    need_v1("cpuacct")
    box = Container(rt, {"cpu": {"quota": 10000, "period": 100000}}, args=BUSY)
    begin, at = cpu_time(box), time.monotonic()
    time.sleep(1.5)
    share = (cpu_time(box) - begin) / (time.monotonic() - at) / 1e9
    assert 0.02 < share < 0.15, share
    data = rt("events", "--stats", box.id).json["data"]["cpu"]["throttling"]
    assert data["periods"] >= data["throttledPeriods"] > 5 and data["throttledTime"] > 0


def test_a_cpuset_keeps_to_its_cpus(rt, only_ours):
    need_v1("cpuset")
    cpus = sorted(os.sched_getaffinity(0))
    need(len(cpus) > 1, "one CPU")
    bundle = rt.bundle({"linux": {"resources": {"cpu": {"cpus": str(cpus[1]), "mems": "0"}}}},
                       args=("/bin/sh", "-c", "grep -E 'Cpus_allowed_list|Mems_allowed_list' /proc/self/status"))
    assert rt.run(bundle).stdout.split() == ["Cpus_allowed_list:", str(cpus[1]), "Mems_allowed_list:", "0"]


def test_a_device_is_refused_unless_a_rule_allows_it(rt, only_ours):
    """On v1 by a list, on v2 by a program: the same answers."""
    need(os.path.exists("/dev/net/tun"), "no /dev/net/tun")
    script = "for m in 10:200 1:5; do mknod /tmp/d$m c ${m%:*} ${m#*:} || exit 9; " \
             "dd if=/tmp/d$m of=/dev/null bs=1 count=0 2>/dev/null && echo $m opens; done; echo end"

    def run(rules):
        return rt.run(rt.bundle({"linux": {"resources": {"devices": rules}}}, args=("/bin/sh", "-c", script))).stdout

    deny = {"allow": False, "access": "rwm"}
    tun = {"allow": True, "type": "c", "major": 10, "minor": 200, "access": "r"}
    assert run([deny]) == "1:5 opens\nend\n"
    assert run([deny, tun]) == "10:200 opens\n1:5 opens\nend\n"
    assert run([deny, dict(tun, access="w")]) == "1:5 opens\nend\n"


def test_huge_pages_are_limited_on_v2(rt, only_ours):
    box = Container(rt)
    _unified, controllers = v2_controllers(box)
    need("hugetlb" in controllers, "no hugetlb in v2")
    box = Container(rt, {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]})
    assert box.read(None, "hugetlb.2MB.max") == str(4 * MIB)
    assert box.read(None, "hugetlb.2MB.rsvd.max") == str(4 * MIB)


def test_unified_keys_reach_v2(rt, only_ours):
    need((CGROUP / ("" if PURE_V2 else "unified") / "cgroup.procs").exists(), "no cgroup v2 on this host")
    if not PURE_V2:
        result = rt.run(rt.bundle({"linux": {"resources": {"unified": {"memory.high": "1"}}}}, args=("/bin/true",)),
                        status=1)
        assert 'unified["memory.high"]' in result.stderr and "cgroup v1" in result.stderr
    box = Container(rt, {"unified": {"cgroup.max.descendants": "3", "cgroup.max.depth": "2"}})
    assert box.read(None, "cgroup.max.descendants") == "3"
    for name in "abc":
        (box.dir() / name).mkdir()
    with pytest.raises(OSError):
        (box.dir() / "d").mkdir()


def test_swap_is_limited_with_memory(rt, only_ours):
    need_v1("memory")
    box = Container(rt, {"memory": {"limit": 16 * MIB, "swap": 24 * MIB, "reservation": 4 * MIB, "swappiness": 0}})
    assert box.read("memory", "memory.memsw.limit_in_bytes") == str(24 * MIB)
    assert box.read("memory", "memory.soft_limit_in_bytes") == str(4 * MIB)
    assert box.read("memory", "memory.swappiness") == "0"


def throttle(key, number):
    """That of blockIO, with a device that there is."""
    return lambda device: {"blockIO": {key: [{"major": int(device.split(":")[0]), "minor": int(device.split(":")[1]),
                                              "rate": number}]}}


#: linux.resources and what the kernel's file then has, "DEV" being a device that there is. What has a test of its own
#: above is not repeated.
KEYS_OF_V1 = [
    ({"memory": {"limit": 16 * MIB}}, "memory.limit_in_bytes", str(16 * MIB)),
    ({"memory": {"limit": -1}}, "memory.memsw.limit_in_bytes", "9223372036854771712"),
    ({"memory": {"kernelTCP": 2 * MIB}}, "memory.kmem.tcp.limit_in_bytes", str(2 * MIB)),
    ({"memory": {"disableOOMKiller": True}}, "memory.oom_control", "oom_kill_disable 1"),
    ({"memory": {"useHierarchy": True}}, "memory.use_hierarchy", "1"),
    ({"cpu": {"shares": 300}}, "cpu.shares", "300"),
    ({"cpu": {"quota": 30000, "period": 60000, "burst": 1000}}, "cpu.cfs_burst_us", "1000"),
    ({"cpu": {"quota": 30000, "period": 60000}}, "cpu.cfs_period_us", "60000"),
    ({"cpu": {"idle": 1}}, "cpu.idle", "1"),
    ({"cpu": {"realtimePeriod": 500000}}, "cpu.rt_period_us", "500000"),
    ({"cpu": {"realtimeRuntime": 0}}, "cpu.rt_runtime_us", "0"),
    ({"pids": {"limit": 33}}, "pids.max", "33"),
    (throttle("throttleReadBpsDevice", MIB), "blkio.throttle.read_bps_device", f"DEV {MIB}"),
    (throttle("throttleWriteBpsDevice", MIB), "blkio.throttle.write_bps_device", f"DEV {MIB}"),
    (throttle("throttleReadIOPSDevice", 50), "blkio.throttle.read_iops_device", "DEV 50"),
    (throttle("throttleWriteIOPSDevice", 60), "blkio.throttle.write_iops_device", "DEV 60"),
    ({"network": {"classID": 0x100001}}, "net_cls.classid", str(0x100001)),
    ({"network": {"priorities": [{"name": "lo", "priority": 7}]}}, "net_prio.ifpriomap", "lo 7"),
]


@pytest.fixture
def network_rt(rt):
    """Commands run where the hierarchy of the network controllers is, beside that of devices."""
    script = ("mount -t tmpfs none /sys/fs/cgroup && cd /sys/fs/cgroup && mkdir devices net_cls,net_prio && "
              "mount -t cgroup -o devices none devices && "
              'mount -t cgroup -o net_cls,net_prio none net_cls,net_prio || exit 9; exec "$@"')
    argv = rt.argv
    rt.argv = lambda *args: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", *argv(*args)]
    yield rt
    rt.argv = argv

    # The kernel lets the hierarchy go with its last mount, a little later, if the container's cgroup is gone for good then.
    def is_gone():
        subprocess.run(["unshare", "--mount", "sh", "-c", "mount -t cgroup -o net_cls,net_prio none /mnt && umount /mnt"],
                       check=True)
        time.sleep(0.3)
        return "net_cls" not in pathlib.Path("/proc/self/cgroup").read_text()
    wait_until(is_gone, what="the hierarchy of the network controllers is gone")


@pytest.mark.parametrize("resources, file, value", KEYS_OF_V1, ids=lambda value: value if isinstance(value, str) else "")
def test_keys_reach_their_files_on_v1(request, only_ours, resources, file, value):
    controller = file.split(".")[0]
    is_network = controller.startswith("net_")
    if is_network:
        need_v1("devices")
        need(controller in pathlib.Path("/proc/cgroups").read_text(), f"the kernel has no {controller}")
    else:
        need_v1(controller)
    rt = request.getfixturevalue("network_rt" if is_network else "rt")
    if callable(resources):
        device = disk()
        resources, value = resources(device), value.replace("DEV", device)
    if controller == "cpu" and "rt_" in file:
        need((CGROUP / "cpu" / file).exists(), "the kernel has no groups of realtime processes")

    def change(config):
        config["linux"]["resources"] = resources
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                                 "options": ["ro", "nosuid", "nodev", "noexec"]})
    seen = rt.shell(f"cat /sys/fs/cgroup/*{controller}*/{file}", change)
    assert value in (line.strip() for line in seen.splitlines()), seen


@pytest.mark.parametrize("resources, said", [
    ({"cpu": {"cpus": "4000"}}, 'set cpuset.cpus to "4000"'),
    ({"hugepageLimits": [{"pageSize": "3MB", "limit": 0}]}, "hugetlb.3MB"),
])
def test_what_this_machine_does_not_have_leaves_nothing_behind(rt, only_ours, resources, said):
    need_v1("cpuset")
    result = rt.run(rt.bundle({"linux": {"resources": resources}}, args=("/bin/true",)), status=1)
    assert said in result.stderr


@pytest.mark.parametrize("resources, key, remedy", [
    ({"pids": {"limit": 100}}, "pids.limit", "boot with systemd.unified_cgroup_hierarchy=1"),
    ({"memory": {"limit": 64 * MIB}}, "memory.limit", "boot with systemd.unified_cgroup_hierarchy=1"),
    ({"hugepageLimits": [{"pageSize": "2MB", "limit": 0}]}, "hugepageLimits", "systemd-run --user --scope -p Delegate=yes"),
])
def test_limits_of_a_user_without_a_cgroup_are_errors(user_rt, only_ours, resources, key, remedy):
    """Neither dropped nor a bare "permission denied": whose the cgroup is, and how one gets it."""
    if remedy.startswith("boot"):
        need_v1(key.split(".")[0])
    user_rt.shell("true")
    result = user_rt.run(user_rt.bundle({"linux": {"resources": resources}}), status=1)
    said = re.search(r"hint: linux\.resources\.(\S+) needs it, and (/sys/fs/cgroup\S*) is (root's|not yours)", result.stderr)
    assert said and said[1] == key and pathlib.Path(said[2]).is_dir(), result
    assert remedy in result.stderr and "leave the limit out" in result.stderr


# ---- many ---------------------------------------------------------------------------------------

def test_a_thousand_containers_leave_nothing(rt, only_ours):
    """Eight at a time, below parents that come with the first of them and go with the last, again and again."""
    sanitized = b"__asan_init" in pathlib.Path(rt.program).read_bytes()
    resources = {"pids": {"limit": 100}, "cpu": {"shares": 100}} if has_v1("pids") and has_v1("cpu") else {}

    bundles = [rt.bundle({"linux": {"resources": resources}}, args=["/bin/true"]) for _ in range(8)]

    def lives(worker):
        bundle = bundles[worker]
        for n in range(125 if not sanitized else 12):
            bundle.config["linux"]["cgroupsPath"] = f"/{rt.token}-top/middle/{worker}-{n}"
            bundle.write()
            rt.run(bundle, id=f"{rt.token}.{worker}.{n}")
        return True
    with concurrent.futures.ThreadPoolExecutor(8) as workers:
        assert all(workers.map(lives, range(8)))
    assert rt.leftovers() == []
