"""Seccomp from inside: the calls are really made, on every ABI that the kernel has.

What a profile says is worked out here from its JSON, rule by rule; numbers are those of the table
from which the compiler takes them (a unit test holds it against libseccomp). A denial counts only
where the same call with the same arguments does something else without the filter.
"""

import errno
import json
import os
import re
import shutil
import subprocess

import pytest

from containers import CAPABILITIES, IS_ROOT, TREE, build_static, need, own_caps

pytestmark = [
    pytest.mark.skipif(os.uname().machine != "x86_64", reason="the ABIs of x86_64"),
    pytest.mark.skipif(not IS_ROOT, reason="denials are told apart with the capabilities of root"),
]

ABIS = ("x86_64", "x86", "x32")
CLONE_NEWUSER = 0x10000000

#: Where -1 for every argument would not do: arguments that the filter denies, and for which the
#: kernel itself has another answer.
ARGUMENTS = {
    "personality": "0x40000",
    "socket": "38,5,0",
    # CLONE_FS beside CLONE_NEWNS: nothing comes of it.
    "clone": f"{0x00020000 | 0x00000200},0,0,0,0",
}
#: These do not come back, and shall not.
NEVER_MADE = {"exit", "exit_group", "pause", "rt_sigreturn", "sigreturn"}
#: The kernel asks no filter about these (uretprobe since 6.14, uprobe since 6.18): they only work
#: from a trampoline of its own.
NOT_FILTERED = {"uprobe", "uretprobe"}


# ---- what a profile means -----------------------------------------------------------------------

def read_table():
    """{abi: {name: number}} from src/seccomp/syscalls.inc."""
    text = (TREE / "src/seccomp/syscalls.inc").read_text(encoding="ascii")
    names = re.findall(r'"(\w+)\\0"', text)
    numbers = re.search(r"numbers\[[^=]*= \{(.*?)\n\};", text, re.S).group(1)
    rows = re.findall(r"\{([^{}]*)\}", numbers)
    assert len(names) == len(rows)
    table = {abi: {} for abi in ABIS}
    for name, row in zip(names, rows):
        values = [int(v, 0) if v.strip() != "NONE" else 0xffff for v in row.split(",") if v.strip()]
        for column, abi in enumerate(ABIS):
            if values[column] != 0xffff:
                table[abi][name] = values[column]
    return table


TABLE = read_table()
PROFILE = json.loads((TREE / "data/seccomp/default.json").read_text(encoding="utf-8"))


def applies(rule, caps):
    """Whether a rule holds on x86_64 for these capabilities, on a kernel of this decade."""
    includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
    if not set(includes.get("caps", [])) <= caps or set(excludes.get("caps", [])) & caps:
        return False
    return "amd64" in includes.get("arches", ["amd64"]) and "amd64" not in excludes.get("arches", [])


def verdicts(abi, caps=frozenset()):
    """{name: 0, an errno or "arguments"} for all calls of the ABI."""
    found, known = {}, 0
    for rule in PROFILE["syscalls"]:
        if not applies(rule, caps):
            continue
        code = {"SCMP_ACT_ALLOW": 0, "SCMP_ACT_ERRNO": rule.get("errnoRet", 1)}[rule["action"]]
        for name in rule["names"]:
            if name not in TABLE[abi]:
                continue
            known = max(known, TABLE[abi][name])
            if found.get(name, "arguments") == "arguments":
                found[name] = "arguments" if "args" in rule else code
    for name, number in TABLE[abi].items():
        found.setdefault(name, errno.ENOSYS if number > known else PROFILE["defaultErrnoRet"])
    return found


def gated():
    """{capability: names of calls that only it opens}."""
    closed, found = verdicts("x86_64"), {}
    for cap in sorted({cap for rule in PROFILE["syscalls"] for cap in rule.get("includes", {}).get("caps", [])}):
        opened = verdicts("x86_64", frozenset([cap]))
        found[cap] = [name for name in opened if opened[name] == 0 and closed[name] != 0]
    return found


GATED = gated()


#: Without a capability never, whatever the profile says of itself: the kernel's own code and time, mounts and
#: namespaces, keys that are not namespaced, rings, and what most escapes of the last years began with.
NEVER = """acct add_key bpf clock_settime create_module delete_module fanotify_init finit_module fsconfig fsmount fsopen
    fspick init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl
    lookup_dcookie mount mount_setattr move_mount nfsservctl open_by_handle_at open_tree perf_event_open pivot_root
    process_madvise quotactl quotactl_fd reboot request_key set_mempolicy_home_node setdomainname sethostname setns
    settimeofday swapoff swapon syslog umount umount2 unshare uselib userfaultfd vhangup vm86 vm86old""".split()


# ---- making calls -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def calls_program(work):
    """The program that makes them."""
    build_static(TREE / "tests/probe/calls.c", work / "calls")
    return work / "calls"


@pytest.fixture
def make_calls(rt, calls_program):
    """Makes calls in a container and returns what came of each, as text."""
    def make(words, seccomp, caps):
        change = {"process": {"capabilities": {kind: caps for kind in ("bounding", "effective", "permitted")}},
                  "linux": {"seccomp": seccomp}}
        bundle = rt.bundle(change, args=["/bin/calls", *words])
        shutil.copy2(calls_program, bundle.rootfs / "bin/calls")
        lines = rt.run(bundle, timeout=120).stdout.splitlines()
        assert lines[0] == f"Seccomp:\t{0 if seccomp is None else 2}"
        assert len(lines) == len(words) + 1
        return [line.split(" ", 1)[1] for line in lines[1:]]
    return make


@pytest.fixture
def profile(containr):
    """`containr profile` with these arguments."""
    def run(*args, status=0, **more):
        result = subprocess.run([containr, "profile", *args], capture_output=True, text=True, check=False, **more)
        assert result.returncode == status, (args, result.returncode, result.stdout[-2000:], result.stderr)
        return result
    return run


@pytest.fixture
def oci(profile):
    """A profile as linux.seccomp of a config.json."""
    def resolve(name, *caps):
        flags = [word for cap in caps for word in ("--cap", cap)]
        return json.loads(profile("show", name, "--format", "oci", *flags).stdout)
    return resolve


def all_caps():
    """What the tests' own process has, and so can give."""
    return [f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if own_caps() >> bit & 1]


def word(abi, name):
    """One call as the program takes it."""
    args = ARGUMENTS.get(name)
    return f"{abi}:{TABLE[abi][name]}" + (f":{args}" if args else "")


def with_filter_and_without(make_calls, words, seccomp, caps):
    """[(without, with)] for each call."""
    return list(zip(make_calls(words, None, caps), make_calls(words, seccomp, caps)))


# ---- the profile `default` ----------------------------------------------------------------------

@pytest.mark.parametrize("abi", ABIS)
def test_each_denied_call_is_denied(make_calls, oci, abi):
    """Also for a process that has all capabilities, so that it is the filter that says no."""
    denied = {name: code for name, code in verdicts(abi).items() if code not in (0, "arguments") and name not in NOT_FILTERED}
    denied |= {name: errno.EPERM for name in ("personality", "socket", "clone")}
    names = sorted(denied)
    assert len(names) > 60
    results = with_filter_and_without(make_calls, [word(abi, n) for n in names], oci("default"), all_caps())
    wrong = {n: result for n, result in zip(names, results) if result[1] != str(denied[n])}
    assert not wrong, f"(without, with the filter): {wrong}"
    # Only a call that this kernel does not have may look the same without the filter.
    same = {n: result[0] for n, result in zip(names, results) if result[0] == result[1]}
    assert all(code == str(errno.ENOSYS) for code in same.values()), same
    if abi == "x86_64":
        assert len(same) <= 5, same


@pytest.mark.parametrize("abi", ABIS)
def test_what_is_never_allowed(abi):
    """The tests below take the profile's word for what is denied; this one does not."""
    wrong = {name: code for name, code in verdicts(abi).items() if name in NEVER and code in (0, "arguments")}
    assert not wrong
    assert len(set(NEVER) & set(verdicts(abi))) > 40


@pytest.mark.parametrize("cap", sorted(GATED))
def test_a_capability_opens_its_calls(make_calls, oci, cap):
    """With the capability the kernel itself answers, as without a filter; without it the filter does."""
    need(cap in all_caps(), f"the tests themselves lack {cap}")
    words, names = [], []
    for abi in ABIS:
        for name in GATED[cap]:
            if name in TABLE[abi] and name not in NEVER_MADE:
                words.append(word(abi, name))
                names.append(f"{abi} {name}")
    if cap == "CAP_NET_RAW":
        words, names = ["x86_64:41:17,3,0"], ["socket"]
    assert words
    opened = with_filter_and_without(make_calls, words, oci("default", cap), [cap])
    closed = make_calls(words, oci("default"), [cap])
    for name, (free, filtered), denied in zip(names, opened, closed):
        assert free == filtered, f"{name}: without a filter {free}, with it {filtered}"
        assert denied in (str(errno.EPERM), str(errno.ENOSYS)), name
        # Without x32 in the kernel its clone3 is ENOSYS anyhow; syslog wants CAP_SYSLOG since 2.6.39.
        if (cap, name) not in (("CAP_SYS_ADMIN", "x32 clone3"), ("CAP_SYS_ADMIN", f"{name.split()[0]} syslog")):
            assert filtered != denied, f"{name} cannot be told apart"


@pytest.mark.parametrize("abi", ABIS)
def test_each_allowed_call_reaches_the_kernel(make_calls, oci, abi):
    """What is allowed is not hindered: the answers are those of a run without a filter."""
    names = sorted(n for n, code in verdicts(abi).items() if code == 0 and n not in NEVER_MADE)
    assert len(names) > 290
    # Those that answer with something else each time, or leave this process in another state.
    names = [n for n in names if n not in ("seccomp", "prctl", "vfork", "fork")]
    results = with_filter_and_without(make_calls, [word(abi, n) for n in names], oci("default"), ["CAP_CHOWN"])
    wrong = {n: result for n, result in zip(names, results) if result[0] != result[1]}
    assert not wrong, f"(without, with the filter): {wrong}"


def test_conditions_on_arguments(make_calls, oci):
    """Values around those that are allowed, with upper bits that the kernel would not look at."""
    eperm = str(errno.EPERM)
    socket, personality, clone = (TABLE["x86_64"][n] for n in ("socket", "personality", "clone"))
    closed = [f"x86_64:{socket}:{family},1,0" for family in (0, 3, 9, 11, 15, 17, 38, 40, 0x100000001, 0x100000026)]
    closed += [f"x86_64:{personality}:{value}" for value in (1, 0x40000, 0x0400000, 0x100000000, -1)]
    closed += [f"x86_64:{clone}:{flags | 17},0,0,0,0" for flags in (CLONE_NEWUSER, 0x20000, 0x02000000, 0x7e020000,
                                                                    CLONE_NEWUSER | 1 << 32)]
    opened = [f"x86_64:{socket}:{family}" for family in ("1,1,0", "2,1,0", "10,1,0", "16,3,0")]
    opened += [f"x86_64:{personality}:{value}" for value in (0, 8, 0x20000, 0x20008, 0xffffffff)]
    opened += [f"x86_64:{clone}:17,0,0,0,0"]
    assert set(make_calls(closed, oci("default"), [])) == {eperm}
    assert eperm not in make_calls(opened, oci("default"), [])


# ---- other profiles -----------------------------------------------------------------------------

def test_multiplexed_calls(make_calls, oci):
    """socketcall and ipc do not give back what was taken; their other calls stay."""
    words = ["x86:102:1,[1;1;0]", "x86:359:1,1,0", "x86:117:2,0,1,0", "x86:393:0,1,0", "x86_64:41:1,1,0",
             "x86:102:2,[-1;0;0]", "x86:117:3,-1,0,0"]
    for name in ("unconfined,-socket,-semget", "default,-socket,-semget", "docker-default,-socket,-@sysvipc,+semctl"):
        free, filtered = zip(*with_filter_and_without(make_calls, words, oci(name), []))
        assert free[:5] == ("0",) * 5
        assert filtered[:5] == (str(errno.EPERM),) * 5, name
        # bind of no descriptor, semctl of no semaphore: the kernel answers.
        assert filtered[5:] == free[5:], name
        assert str(errno.EPERM) not in filtered[5:]


def test_edits_hold(make_calls, oci):
    """+ and - of calls and groups, in all forms that 32-bit programs have."""
    seccomp = oci("default,+@io_uring,-ptrace,-chown,-clone3")
    words = [word(abi, name) for abi in ("x86_64", "x86") for name in ("io_uring_setup", "ptrace", "chown", "clone3")]
    words.append(word("x86", "chown32"))
    free, filtered = zip(*with_filter_and_without(make_calls, words, seccomp, all_caps()))
    eperm, enosys = str(errno.EPERM), str(errno.ENOSYS)
    for at in (0, 4):
        assert filtered[at] == free[at] != eperm
        assert filtered[at + 1:at + 4] == (eperm, eperm, enosys)
        assert free[at + 1] != eperm and free[at + 2] != eperm and free[at + 3] != enosys
    assert filtered[8] == eperm != free[8]


def test_an_architecture_that_is_not_listed_kills(make_calls):
    """A program cannot leave the filter through int 0x80 or the x32 bit."""
    words = ["x86:20", f"x32:{TABLE['x32']['getpid']}", f"x86_64:{TABLE['x86_64']['getpid']}"]
    seccomp = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
               "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_ERRNO"}]}
    assert make_calls(words, seccomp, []) == ["signal 31", "signal 31", "0"]


def test_bubblewrap_takes_the_compiled_filter(profile, calls_program, tmp_path):
    need(shutil.which("bwrap"), "bubblewrap is not installed")
    out = tmp_path / "default.bpf"
    profile("compile", "default,-getcwd", "-o", str(out))
    with open(out, "rb") as file:
        text = subprocess.run(
            ["bwrap", "--bind", "/", "/", "--proc", "/proc", "--seccomp", str(file.fileno()), calls_program,
             word("x86_64", "getcwd"), word("x86_64", "keyctl"), word("x86_64", "getpid")],
            pass_fds=[file.fileno()], capture_output=True, text=True, check=True).stdout
    assert text.splitlines() == ["Seccomp:\t2", "x86_64:79 1", "x86_64:250 1", "x86_64:39 0"]


# ---- the command --------------------------------------------------------------------------------

def test_profile_list_and_show(profile):
    names = [row["name"] for row in json.loads(profile("list", "--format", "json").stdout)]
    assert names == ["default", "docker-default", "unconfined"]
    assert [line.split()[0] for line in profile("list").stdout.splitlines()] == names
    assert json.loads(profile("show", "default", "--format", "json").stdout) == PROFILE
    table = profile("show", "default").stdout
    assert "  EPERM; with CAP_SYS_ADMIN or CAP_BPF: allowed (1)\n    bpf\n" in table
    assert "bpf\n" not in profile("show", "default", "--cap", "bpf").stdout.split("allowed (", 1)[0]
    assert profile("show", "default", "--format", "oci").stdout == profile(
        "show", "default", "--format", "oci", "--arch", "amd64").stdout


def test_profile_diff_tells_by_its_status(profile):
    assert profile("diff", "default", "default").stdout == ""
    assert profile("diff", "default", "default,-ptrace", status=1).stdout == (
        "x86_64\n  ptrace\n    - allowed\n    + EPERM\n")
    rows = json.loads(profile("diff", "default", "docker-default", "--format", "json", status=1).stdout)
    assert {"arch": "x86_64", "call": "modify_ldt", "a": "EPERM", "b": "allowed"} in rows


def test_profile_lint_names_the_place(profile, tmp_path):
    assert "warning" not in profile("lint", "default").stdout
    file = tmp_path / "p.json"
    file.write_text('{"defaultAction": "SCMP_ACT_ERRNO",\n "syscalls": [{"names": ["raed"], '
                    '"action": "SCMP_ACT_ALLOW"}]}')
    text = profile("lint", str(file), status=1).stdout
    assert f'{file}:2:26: warning: syscalls[0].names[0]: "raed" is the name of no system call' in text
    rows = json.loads(profile("lint", str(file), "--format", "json", status=1).stdout)
    assert {"check", "level", "path", "line", "column", "text"} == set(rows[0])


@pytest.mark.parametrize("args, message", [
    ((), "requires list, show, diff, lint or compile"),
    (("frob",), "profile frob"),
    (("show",), "usage: containr profile show PROFILE"),
    (("show", "defualt"), "did you mean default?"),
    (("show", "default,+raed"), "did you mean +read?"),
    (("show", "default", "--format", "xml"), "expected table, json, oci or bpf"),
    (("show", "default", "--arch", "vax"), "--arch vax"),
    (("show", "default", "--cap", "CAP_ALL"), "--cap CAP_ALL"),
    (("compile", "default"), "-o FILE"),
    (("compile", "default", "-o", "/nowhere/x"), "/nowhere/x"),
    (("lint", "/nowhere.json"), "/nowhere.json"),
])
def test_profile_mistakes(profile, args, message):
    assert message in profile(*args, status=125).stderr


def test_compile_is_what_show_prints(profile, tmp_path):
    out = tmp_path / "x.bpf"
    profile("compile", "default", "-o", str(out))
    assert 8 * 100 < out.stat().st_size < 8 * 450
    with open(tmp_path / "y.bpf", "wb") as file:
        subprocess.run([*profile("list").args[:1], "profile", "show", "default", "--format", "bpf"],
                       stdout=file, check=True)
    assert (tmp_path / "y.bpf").read_bytes() == out.read_bytes()
    profile("compile", "default", "--arch", "s390x", "-o", str(out))
    assert out.read_bytes()[:8] == bytes([0, 0x20, 0, 0, 0, 0, 0, 4])  # load the architecture, big-endian
