"""Broken config.json files: each is refused with a message and status 1, and leaves nothing.

They run in a jail (see the script of that name): a mutated cgroupsPath or mount must not meet the host.
"""

import copy
import json
import os
import random
import re
import subprocess

import pytest

from containers import Runtime, base_config, processes_with, need, wait_until

pytestmark = pytest.mark.usefixtures("only_ours")


def full_config():
    """Every key that a configuration can have, each with a good value."""
    config = base_config()
    config["domainname"] = "example"
    config["annotations"] = {"org.example": "x"}
    config["root"]["readonly"] = False
    config["process"].update(
        consoleSize={"height": 24, "width": 80},
        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 64, "hard": 64}],
        apparmorProfile="", selinuxLabel="", oomScoreAdj=0,
        scheduler={"policy": "SCHED_OTHER", "nice": 1, "priority": 0, "flags": [],
                   "runtime": 0, "deadline": 0, "period": 0},
        ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 4},
        execCPUAffinity={"initial": "0", "final": "0"})
    config["process"]["user"].update(umask=18, additionalGids=[5])
    config["hooks"] = {kind: [{"path": "/bin/true", "args": ["true"], "env": ["A=b"], "timeout": 5}]
                       for kind in ("prestart", "createRuntime", "createContainer",
                                    "startContainer", "poststart", "poststop")}
    config["linux"].update(
        devices=[{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "fileMode": 438,
                  "uid": 0, "gid": 0}],
        sysctl={"net.ipv4.ip_forward": "1"}, cgroupsPath="/bad", rootfsPropagation="private",
        mountLabel="", timeOffsets={},
        personality={"domain": "LINUX", "flags": []},
        seccomp={"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
                 "architectures": ["SCMP_ARCH_X86_64"], "flags": [],
                 "syscalls": [{"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2,
                               "args": [{"index": 0, "value": 1, "valueTwo": 0,
                                         "op": "SCMP_CMP_EQ"}]}]},
        resources={"devices": [{"allow": False, "type": "a", "access": "rwm"}],
                   "memory": {"limit": 1 << 30, "reservation": 1 << 29, "swap": 1 << 31,
                              "swappiness": 10, "disableOOMKiller": False},
                   "cpu": {"shares": 512, "quota": 100000, "period": 100000, "cpus": "0",
                           "mems": "0", "idle": 0},
                   "pids": {"limit": 100}, "unified": {"memory.high": "max"},
                   "blockIO": {"weight": 100,
                               "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1000}]},
                   "hugepageLimits": [{"pageSize": "2MB", "limit": 0}],
                   "network": {"classID": 1, "priorities": [{"name": "lo", "priority": 1}]},
                   "rdma": {"mlx5": {"hcaHandles": 1, "hcaObjects": 1}}})
    return config


def paths(value, path=()):
    """Yields the path of everything in a document."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from paths(value[key], (*path, key))
    elif isinstance(value, list) and value:
        yield from paths(value[0], (*path, 0))


def put(document, path, value):
    """The document with something else at the path."""
    document = copy.deepcopy(document)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def get(document, path):
    for key in path:
        document = document[key]
    return document


WRONG = {bool: ["true", 1, {}], int: ["5", 1.5, True, []], str: [5, True, ["x"]],
         list: [{}, "x"], dict: [[], "x"]}


def wrong_types():
    """Each key with values of other types, and with null."""
    good = full_config()
    for path in paths(good):
        old = get(good, path)
        for new in [*WRONG[type(old)], None]:
            name = ".".join(map(str, path)) + "=" + json.dumps(new)
            yield name, json.dumps(put(good, path, new), indent=1), str(path[-1]) if isinstance(
                path[-1], str) else str(path[-2])


def wrong_values():
    """Values of the right type that mean nothing."""
    good = full_config()
    table = [
        ("ociVersion", ["", "2.0.0", "one", "1", "1.0.0.0.0x"]),
        ("process.cwd", ["", "relative", "with\0nul"]),
        ("process.args", [[], [""], ["a\0b"]]),
        ("process.env", [["A\0B=c"]]),
        ("process.user.uid", [-1, 4294967295, 4294967296, 1 << 64, 10 ** 30]),
        ("process.user.gid", [-1, 4294967295, 1 << 40]),
        ("process.user.umask", [-1, 0o10000]),
        ("process.user.additionalGids", [[-1], [4294967295]]),
        ("process.rlimits.0.type", ["RLIMIT_NOTHING", "", "NOFILE"]),
        ("process.rlimits.0.soft", [-1, 65, 1 << 65]),
        ("process.oomScoreAdj", [1001, -1001]),
        ("process.scheduler.policy", ["SCHED_NOTHING", ""]),
        ("process.scheduler.nice", [40, -40]),
        ("process.ioPriority.class", ["IOPRIO_CLASS_NOTHING"]),
        ("process.ioPriority.priority", [8, -1]),
        ("process.execCPUAffinity.initial", ["a", "0-", "3-1", "-1"]),
        ("root.path", ["", "nul\0"]),
        ("hostname", ["x" * 65, "nul\0"]),
        ("mounts.0.destination", ["", "/a\0b"]),
        ("hooks.prestart.0.path", ["", "relative"]),
        ("hooks.prestart.0.timeout", [-1, 0]),
        ("linux.namespaces.0.type", ["nothing", "", "PID"]),
        ("linux.namespaces.0.path", ["relative", "/x\0"]),
        ("linux.devices.0.path", ["", "relative", "/dev/../../x\0"]),
        ("linux.devices.0.type", ["x", "", "cc"]),
        ("linux.devices.0.major", [-2, 1 << 33]),
        ("linux.devices.0.fileMode", [-1, 1 << 33]),
        ("linux.rootfsPropagation", ["nothing", "rshare"]),
        ("linux.cgroupsPath", ["/a/../../b", "/a\0b", "../../x"]),
        ("linux.personality.domain", ["LINUX64", ""]),
        ("linux.seccomp.defaultAction", ["SCMP_ACT_NOTHING", ""]),
        ("linux.seccomp.architectures", [["SCMP_ARCH_NOTHING"]]),
        ("linux.seccomp.flags", [["SECCOMP_FILTER_FLAG_NOTHING"]]),
        ("linux.seccomp.defaultErrnoRet", [-1, 5000]),
        ("linux.seccomp.syscalls.0.action", ["SCMP_ACT_NOTHING"]),
        ("linux.seccomp.syscalls.0.names", [[]]),
        ("linux.seccomp.syscalls.0.args.0.index", [6, -1]),
        ("linux.seccomp.syscalls.0.args.0.op", ["SCMP_CMP_NOTHING"]),
        ("linux.seccomp.syscalls.0.args.0.value", [-1, 1 << 64]),
        ("linux.resources.devices.0.access", ["x", "rwx"]),
        ("linux.resources.devices.0.type", ["x"]),
        ("linux.resources.memory.swappiness", [101, -1]),
        ("linux.resources.blockIO.weight", [70000, -1]),
    ]
    for dotted, values in table:
        path = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
        document = good
        if path[:2] != ("linux", "resources"):
            # What the jail has no controllers for would be found first.
            document = copy.deepcopy(good)
            del document["linux"]["resources"]
        for value in values:
            text = json.dumps(value)
            # A NUL is refused where it stands, before anybody knows what the string is for.
            key = None if "\\u0000" in text else [part for part in path if isinstance(part, str)][-1]
            yield f"{dotted}={text[:40]}", json.dumps(put(document, path, value), indent=1), key


def missing_keys():
    """Keys that the specification requires."""
    good = full_config()
    for dotted in ("ociVersion", "process.cwd", "process.user.uid", "process.user.gid",
                   "process.args", "root.path", "mounts.0.destination",
                   "linux.namespaces.0.type", "linux.devices.0.path", "linux.devices.0.type",
                   "process.rlimits.0.type", "process.rlimits.0.soft", "process.rlimits.0.hard",
                   "hooks.prestart.0.path", "linux.seccomp.defaultAction",
                   "linux.seccomp.syscalls.0.names", "linux.seccomp.syscalls.0.action"):
        path = tuple(int(part) if part.isdigit() else part for part in dotted.split("."))
        document = copy.deepcopy(good)
        del get(document, path[:-1])[path[-1]]
        yield f"without {dotted}", json.dumps(document, indent=1), path[-1]


def broken_texts():
    """What is not JSON, or is more than one may read."""
    text = json.dumps(full_config(), indent=1)
    yield "empty", "", None
    yield "only space", "  \n", None
    yield "not an object", "[]", None
    for n in range(1, 40):
        yield f"cut at {n}/40", text[:len(text) * n // 40], None
    yield "something behind", text + "x", None
    yield "two documents", text + text, None
    yield "duplicate key", text.replace('"hostname"', '"hostname": "a", "hostname"', 1), "hostname"
    yield "duplicate, escaped", text.replace('"hostname"', '"hostnam\\u0065": "a", "hostname"', 1), "hostname"
    yield "deep", "[" * 100000, None
    yield "deep inside", text.replace('"org.example": "x"', '"org.example": ' + "[" * 5000), None
    yield "comment", "// hello\n" + text, None
    yield "trailing comma", text[:text.rindex("}")].rstrip() + ",}", None
    yield "single quotes", text.replace('"', "'"), None
    yield "control character", text.replace("e2e", "e\x01e", 1), None
    yield "lone surrogate", text.replace("e2e", "\\ud800", 1), None
    yield "bad escape", text.replace("e2e", "\\x41", 1), None
    yield "not UTF-8", text.replace("e2e", "e\udcffe", 1), None
    yield "number like 01", text.replace('"oomScoreAdj": 0', '"oomScoreAdj": 01'), None
    yield "number like 1e400", text.replace('"oomScoreAdj": 0', '"oomScoreAdj": 1e400'), None
    yield "NaN", text.replace('"oomScoreAdj": 0', '"oomScoreAdj": NaN'), None


@pytest.fixture(scope="module")
def jail(work, program, template):
    """A runtime of which each command runs in the jail."""
    need(os.geteuid() == 0, "needs root")
    runtime = Runtime(program, template)
    unified = "/sys/fs/cgroup/unified" if os.path.isdir("/sys/fs/cgroup/unified") else "/sys/fs/cgroup"
    group = f"{unified}/{runtime.token}-jail"
    os.mkdir(group)
    inside = runtime.dir / "program"
    inside.write_bytes(open(program, "rb").read())
    inside.chmod(0o755)
    keeper = subprocess.Popen([os.path.join(os.path.dirname(__file__), "jail"), group, str(runtime.dir),
                               "sh", "-c", "echo ready; exec sleep 100000"], stdout=subprocess.PIPE,
                              env=runtime.environment())
    assert keeper.stdout.readline() == b"ready\n"
    # The init of the jail: the child of unshare.
    pid = wait_until(lambda: open(f"/proc/{keeper.pid}/task/{keeper.pid}/children").read().split())[0]
    plain = runtime.argv

    def argv(*args):
        return ["nsenter", "-t", pid, "-a", "-r", "-w", str(inside), *plain(*args)[1:]]
    runtime.argv = argv
    runtime.keeper = {keeper.pid, int(pid)}
    yield runtime
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not processes_with(runtime.token), what="the jail is empty")
    empty_group(group)
    runtime.argv = plain
    runtime.close()


def empty_group(group):
    """Ends and removes what a broken runtime has left below."""
    with open(f"{group}/cgroup.kill", "w", encoding="ascii") as file:
        file.write("1")
    wait_until(lambda: "populated 0" in open(f"{group}/cgroup.events").read())
    for where, _names, _files in os.walk(group, topdown=False):
        os.rmdir(where)


def left_in(jail, group_before):
    left = [f"process {pid}" for pid in processes_with(jail.token) if pid not in jail.keeper]
    left += [str(path) for path in jail.states()]
    return left + sorted(groups(jail) - group_before)


def groups(jail):
    pid = max(jail.keeper)
    root = f"/proc/{pid}/root/sys/fs/cgroup"
    return {os.path.join(where, name) for where, names, _files in os.walk(root) for name in names}


def check(jail, cases, place):
    """Runs each case; collects what was wrong with how it was refused."""
    bundle = jail.bundle()
    problems, count, before = [], 0, groups(jail)
    for name, text, word in cases:
        count += 1
        (bundle.path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        id = jail.new_id()
        result = jail("run", "--bundle", bundle.path, id, status=None)
        if result.status != 1:
            problems.append(f"{name}: status {result.status}, {result.stderr[:200]!r}")
        elif not re.search(place, result.stderr) or word and word not in result.stderr:
            problems.append(f"{name}: the message does not say where: {result.stderr.strip()[:200]!r}")
        if left := left_in(jail, before):
            problems.append(f"{name}: left: {left}")
            jail("delete", "--force", id, status=None)
    assert not problems, f"{len(problems)} of {count}:\n" + "\n".join(problems[:60])
    return count


PLACE = r"config\.json:\d+:\d+: "


def test_there_are_enough():
    total = sum(1 for make in (wrong_types, wrong_values, missing_keys, broken_texts) for _ in make())
    assert total >= 400


def test_wrong_types(jail):
    check(jail, wrong_types(), PLACE)


def test_wrong_values(jail):
    check(jail, wrong_values(), r"config\.json")


def test_missing_keys(jail):
    check(jail, missing_keys(), r"config\.json")


def test_broken_texts(jail):
    check(jail, broken_texts(), r"config\.json")


@pytest.mark.slow
def test_random_bytes_never_crash_it(jail):
    """Mutated at random, from a fixed seed: run or refused, but never a crash or a leftover."""
    bundle = jail.bundle(args=["/bin/true"])
    good = (bundle.path / "config.json").read_bytes()
    before, dice, problems = groups(jail), random.Random(1), []
    for n in range(300):
        text = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(text))
            kind = dice.randrange(4)
            if kind == 0:
                text[at] = dice.randrange(256)
            elif kind == 1:
                del text[at:at + dice.randint(1, 20)]
            elif kind == 2:
                text[at:at] = bytes(dice.choice(b'{}[],:"0-9\\nult') for _ in range(dice.randint(1, 5)))
            else:
                other = dice.randrange(len(text))
                text[at:at] = text[other:other + dice.randint(1, 60)]
        (bundle.path / "config.json").write_bytes(text)
        id = jail.new_id()
        result = jail("run", "--bundle", bundle.path, id, status=None, timeout=20)
        if not 0 <= result.status < 128 or result.status != 0 and not result.stderr:
            problems.append(f"{n}: {result}")
        jail("delete", "--force", id, status=None)
        left = [line for line in left_in(jail, before) if not line.startswith("/proc/")]
        if left:
            problems.append(f"{n}: left: {left}")
    assert not problems, "\n".join(problems[:20])
