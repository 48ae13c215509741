"""Published escapes from containers, each tried: the image, the volumes and all processes inside are the attacker's.

Every test has its twin, in the same test or beside it: what is legitimate and looks the same still works.
docs/threat-model.md says which attack is met by what; tests/probe/attack.c is the attacker.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import pathlib
import pty
import re
import shutil
import socket
import stat
import subprocess
import threading
import time

import pytest

from containers import (DEFAULT_CAPS, TREE, build_static, mount_line, namespace_config, need, own_caps,
                        read_terminal, status_field, wait_until, Receiver)

RACE_SECONDS = float(os.environ.get("CONTAINR_RACE_SECONDS", "2.5"))


@pytest.fixture(scope="session")
def attack_program(work):
    build_static(TREE / "tests/probe/attack.c", work / "attack")
    return work / "attack"


@pytest.fixture
def box(rt, attack_program):
    """The runtime, with the attacker's program in every root file system."""
    make = rt.bundle

    def bundle(change=None, args=None, config=None):
        made = make(change, args, config)
        shutil.copy2(attack_program, made.rootfs / "bin/attack")
        return made

    rt.bundle = bundle
    return rt


def results(text):
    """The attacker's lines: name to "ok" or the name of the error."""
    found = {}
    for line in text.splitlines():
        name, _, result = line.rpartition(" ")
        if name:
            found[name] = errno.errorcode.get(int(result), result) if result.isdigit() else result
    return found


def attack(box, *args, change=None, **more):
    return results(box.run(box.bundle(change, args=["/bin/attack", *map(str, args)]), **more).stdout)


def caps(*more):
    names = [*DEFAULT_CAPS, *more]
    return {"process": {"capabilities": {kind: names for kind in ("bounding", "effective", "permitted")}}}


def with_mounts(*mounts, **change):
    def apply(config):
        config["mounts"] += mounts
        for key, value in change.items():
            config[key].update(value)
    return apply


def bind(source, destination, *options):
    return {"type": "bind", "source": str(source), "destination": destination,
            "options": ["rbind", "rprivate", *options]}


def without_mount(config, destination):
    config["mounts"] = [m for m in config["mounts"] if m["destination"] != destination]


def tree_of(path):
    """All that is at and below a directory of the host: what an attack would change."""
    return sorted((str(p), p.lstat().st_mode, p.lstat().st_size) for p in pathlib.Path(path).rglob("*"))


@pytest.fixture
def victim(rt):
    """A directory of the host that nobody gave to a container."""
    path = rt.dir / "victim"
    path.mkdir()
    (path / "secret").write_text("host secret\n")
    before = tree_of(path)
    yield path
    assert tree_of(path) == before, "an attack has changed files of the host"
    assert not any(str(path) in line for line in open("/proc/self/mountinfo")), "mounted on the host"


# ---- the runtime's own program: CVE-2019-5736 ------------------------------------------------------

@pytest.fixture
def own_program(box):
    """A copy of the runtime that may be lost."""
    path = box.dir / ("own-" + os.path.basename(box.program))
    shutil.copy2(box.program, path)
    box.program = str(path)
    before = hashlib.sha256(path.read_bytes()).digest()
    yield path
    assert hashlib.sha256(path.read_bytes()).digest() == before, "the runtime was overwritten"


def hunter(box, seconds, change=None):
    """A container whose first process lies in wait."""
    bundle = box.bundle(change, args=["/bin/sh", "-c", f"/bin/attack hunt {seconds} >/tmp/prey; sleep 100"])
    (bundle.rootfs / "bin/evil").write_text("#!/proc/self/exe\n")
    (bundle.rootfs / "bin/evil").chmod(0o755)
    id = box.started(bundle)
    prey = bundle.rootfs / "tmp/prey"
    wait_until(lambda: prey.exists() and "ready" in prey.read_text(), what="the attacker is ready")
    return id, lambda: results(prey.read_text())


@pytest.mark.parametrize("more", [(), ("CAP_SYS_ADMIN", "CAP_SYS_PTRACE")], ids=["default", "admin"])
def test_runtime_as_interpreter_cannot_be_overwritten(box, own_program, more):
    """#!/proc/self/exe makes the runtime run inside, by exec and as the first process."""
    id, prey = hunter(box, 3, caps(*more))
    end = time.monotonic() + 3
    while time.monotonic() < end:
        box("exec", id, "/bin/evil", status=None)
    time.sleep(0.3)
    found = prey()
    assert found.get("met") == "ok", "the attacker did not see it"
    if found.get("exe") == "ok":
        assert found["write"] in ("EROFS", "EPERM", "EACCES", "ETXTBSY"), found
        assert "ok" not in (found["setattr"], found["remount"], found["clone"], found["chmod"]), found
    evil = box.bundle(args=["/bin/evil"])
    (evil.rootfs / "bin/evil").write_text("#!/proc/self/exe\n")
    (evil.rootfs / "bin/evil").chmod(0o755)
    box.run(evil, status=None)
    assert box("exec", id, "/bin/echo", "still").stdout == "still\n"


def test_a_script_with_an_interpreter_runs(box):
    bundle = box.bundle(args=["/bin/good"])
    (bundle.rootfs / "bin/good").write_text("#!/bin/sh\necho good\n")
    (bundle.rootfs / "bin/good").chmod(0o755)
    assert box.run(bundle).stdout == "good\n"


def test_the_attack_on_a_program_works_where_it_is_allowed(box):
    """The twin: the same writes succeed on a program of the container's own, so the tests above mean something."""
    bundle = box.bundle(args=["/bin/attack", "exe", "/bin/mine"])
    shutil.copy2(bundle.rootfs / "bin/attack", bundle.rootfs / "bin/mine")
    found = results(box.run(bundle).stdout)
    assert found["write"] == "ok" and found["overwritten"] == "ok"


# ---- exec into a container that waits for it: CVE-2016-9962, CVE-2024-21626 -----------------------------

def test_process_that_enters_gives_nothing_away(box):
    """No descriptor, memory, environment, root or ptrace of the entering process, at any moment."""
    secret = box.dir / "secret"
    secret.write_text("x")
    with open(secret, encoding="ascii") as held:
        id, prey = hunter(box, 4)
        end = time.monotonic() + 4
        n = 0
        while time.monotonic() < end:
            box("exec", id, "/bin/true", env={"HOST_SECRET": "1"}, pass_fds=(held.fileno(),))
            n += 1
        time.sleep(0.3)
    found = prey()
    assert n > 20
    assert found.get("met") == "ok", "the attacker never saw it: the test shows nothing"
    assert set(found) == {"ready", "met"}, found


def test_ptrace_inside_works_where_it_is_granted(box):
    """The twin: a debugger in the container sees the container's own processes."""
    text = box.shell("sleep 5 & cat /proc/$!/environ | tr '\\0' '\\n'; ls -l /proc/$!/fd/0 /proc/$!/exe",
                     caps("CAP_SYS_PTRACE"))
    assert "E2E_TOKEN" in text and "busybox" in text


def directory_fds(rt):
    """Descriptors of the caller to directories of the host, not closed on exec: a sloppy engine."""
    fds = [os.open("/", os.O_RDONLY | os.O_DIRECTORY), os.open("/sys/fs/cgroup", os.O_RDONLY | os.O_DIRECTORY)]
    for fd in fds:
        os.set_inheritable(fd, True)
    return fds


@pytest.mark.parametrize("how", ["create", "exec", "process"])
def test_working_directory_cannot_be_a_descriptor_of_the_host(box, how):
    """CVE-2024-21626: every number is tried as cwd, while the caller leaks directories, too."""
    fds = directory_fds(box)
    try:
        id = box.started()
        for n in range(3, 24):
            cwd = f"/proc/self/fd/{n}" if how != "process" else f"/proc/thread-self/fd/{n}/../.."
            if how == "create":
                result = box.run(box.bundle({"process": {"cwd": cwd}}, args=["/bin/sh", "-c", "pwd; ls"]),
                                 status=None, pass_fds=fds)
            else:
                result = box("exec", "--cwd", cwd, id, "/bin/sh", "-c", "pwd; ls", status=None, pass_fds=fds)
            assert "home" not in result.stdout and "memory" not in result.stdout, (n, result)
    finally:
        for fd in fds:
            os.close(fd)


def test_working_directory_by_a_link_inside_works(box):
    bundle = box.bundle({"process": {"cwd": "/link"}}, args=["/bin/pwd"])
    (bundle.rootfs / "link").symlink_to("usr/bin")
    assert box.run(bundle).stdout.strip() in ("/usr/bin", "/link")


def test_no_directory_of_the_host_is_open_inside(box):
    """Neither in the first process nor in one of exec, whatever the caller had open."""
    fds = directory_fds(box)
    try:
        assert box.probe(pass_fds=fds)["openFds"] == [0, 1, 2]
        id = box.started(pass_fds=fds)
        assert box("exec", id, "/bin/probe", pass_fds=fds).json["openFds"] == [0, 1, 2]
    finally:
        for fd in fds:
            os.close(fd)


def test_hooks_get_no_descriptor_of_ours(box):
    out = box.dir / "fds"
    script = box.dir / "hook"
    script.write_text(f"#!/bin/sh\nls -l /proc/self/fd >>{out}; env >>{out}\n")
    script.chmod(0o755)
    hook = [{"path": str(script), "env": ["PATH=/usr/bin:/bin"]}]
    names = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
    fds = directory_fds(box)
    try:
        box.run(box.bundle({"hooks": {name: hook for name in names}}, args=["/bin/true"]),
                env={"HOST_SECRET": "1"}, pass_fds=fds)
    finally:
        for fd in fds:
            os.close(fd)
    text = out.read_text()
    assert text.count("PATH=/usr/bin:/bin") == len(names)
    assert "HOST_SECRET" not in text
    numbers = {int(n) for n in re.findall(r" (\d+) -> ", text)}
    assert numbers <= {0, 1, 2, 3}, text  # 3 is the directory that ls reads


def test_environment_of_the_caller_stays_outside(box):
    env = {"HOST_SECRET": "1", "LD_PRELOAD": "", "AWS_SECRET": "2"}
    seen = box.probe(env=env)
    id = box.started(env=env)
    inside = box("exec", "--env", "MINE=1", id, "/bin/probe", env=env).json
    for words in (seen["env"], inside["env"]):
        assert not any(word.startswith(("HOST_SECRET", "LD_PRELOAD", "AWS_")) for word in words)
    assert "MINE=1" in inside["env"]


def test_runtime_needs_no_library_and_no_interpreter(box, only_ours):
    """CVE-2019-14271: what is loaded after the container is entered is the container's. Nothing is loaded."""
    text = subprocess.run(["readelf", "-lW", box.program], capture_output=True, text=True, check=False).stdout
    need(text, "readelf is not installed")
    if "libasan" in subprocess.run(["readelf", "-d", box.program], capture_output=True, text=True, check=False).stdout:
        pytest.skip("a test build")
    assert "INTERP" not in text


# ---- paths that the attacker owns: CVE-2021-30465, CVE-2023-27561, CVE-2019-19921, CVE-2024-45310 ------------

LINKS = ["{victim}", "../../../../../../../../../..{victim}", "/proc/self/root{victim}", "/proc/1/root{victim}"]


@pytest.mark.parametrize("name", ["dev", "proc", "sys", "etc", "dev/pts", "tmp"])
@pytest.mark.parametrize("link", LINKS[:2])
def test_links_for_directories_of_the_image_lead_nowhere(box, victim, name, link):
    """What the runtime mounts, makes and reads is the container's or an error, never the host's."""
    def change(config):
        if name == "dev/pts":
            without_mount(config, "/dev")
        config["mounts"].append({"destination": "/etc/sub/deep", "type": "tmpfs", "source": "x"})
        config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["tmpcopyup"]})

    bundle = box.bundle(change, args=["/bin/sh", "-c", "cat /tmp/secret /etc/secret /dev/secret; true"])
    where = bundle.rootfs / name
    if where.exists():
        shutil.rmtree(where)
    where.symlink_to(link.format(victim=victim))
    assert "host secret" not in str(box.run(bundle, status=None))


def test_links_within_the_image_work(box):
    """The twin: /var/run -> /run, /lib -> usr/lib and links to what is not there yet."""
    bundle = box.bundle(with_mounts({"destination": "/var/run/app", "type": "tmpfs", "source": "x"},
                                    {"destination": "/later/data", "type": "tmpfs", "source": "x"}),
                        args=["/bin/sh", "-c", "grep -c -e /run/app -e /opt/x/data /proc/self/mountinfo"])
    (bundle.rootfs / "var/run").rmdir() if (bundle.rootfs / "var/run").exists() else None
    (bundle.rootfs / "var/run").symlink_to("/run")
    (bundle.rootfs / "later").symlink_to("/opt/x")
    assert box.run(bundle).stdout.strip() == "2"


@pytest.mark.parametrize("link", LINKS)
def test_mount_below_a_link_makes_nothing_on_the_host(box, victim, link):
    """CVE-2024-45310 and CVE-2021-30465 without the race."""
    volume = box.dir / "volume"
    volume.mkdir()
    (volume / "d").symlink_to(link.format(victim=victim))
    bundle = box.bundle(with_mounts(bind(volume, "/vol"),
                                    {"destination": "/vol/d/sub", "type": "tmpfs", "source": "esc"}),
                        args=["/bin/cat", "/proc/self/mountinfo"])
    result = box.run(bundle, status=None)
    if result.status == 0:
        assert " - tmpfs esc" in result.stdout, "it was mounted outside"


class Swapper:
    """Another container, with the same volume, that exchanges two names without pause."""

    def __init__(self, box, volume, a, b, seconds):
        bundle = box.bundle(with_mounts(bind(volume, "/vol")),
                            args=["/bin/attack", "swap", str(seconds), f"/vol/{a}", f"/vol/{b}"])
        self.process = box.popen("run", "--bundle", bundle.path, box.new_id())
        assert self.process.stdout.readline().startswith(b"ready")

    def alive(self):
        return self.process.poll() is None


def race(box, volume, a, b, change, args, check):
    """Starts containers while the names are exchanged; returns how many started and how many did not."""
    swapper = Swapper(box, volume, a, b, RACE_SECONDS)
    done = [0, 0]
    bundle = box.bundle(change, args=args)
    while swapper.alive():
        result = box.run(bundle, status=None)
        done[result.status != 0] += 1
        check(result)
    assert sum(done) >= 5, "too slow to show anything"
    assert done[0], "not one start went well"
    return done


@pytest.mark.parametrize("where", ["/vol/d", "/vol/d/sub", "/vol/d/a/b/c"])
def test_race_for_a_mount_point_in_a_shared_volume(box, victim, where):
    """CVE-2021-30465, CVE-2024-45310: a directory and a link to the host's take turns."""
    volume = box.dir / "volume"
    (volume / "d").mkdir(parents=True)
    (volume / "l").symlink_to(f"../../../../../../../../..{victim}")
    source = box.dir / "source"
    source.mkdir()
    (source / "mark").write_text("mine\n")

    def check(result):
        if result.status == 0:
            assert f"{where.rsplit('/', 1)[0]}" and " - tmpfs esc" in result.stdout, result
            assert len([line for line in result.stdout.splitlines() if str(source) in line]) == 1, result

    race(box, volume, "d", "l",
         with_mounts(bind(volume, "/vol"), {"destination": where, "type": "tmpfs", "source": "esc"},
                     bind(source, where + "x")),
         ["/bin/cat", "/proc/self/mountinfo"], check)


def test_race_for_what_is_copied_up(box, victim):
    """tmpcopyup reads the image's directory: never the host's instead."""
    volume = box.dir / "volume"
    (volume / "d/inner").mkdir(parents=True)
    (volume / "d/inner/file").write_text("of the volume\n")
    (volume / "l").symlink_to(str(victim))

    def check(result):
        assert "host secret" not in result.stdout
        assert result.status != 0 or "of the volume" in result.stdout or result.stdout == ""

    race(box, volume, "d", "l",
         with_mounts(bind(volume, "/vol"),
                     {"destination": "/vol/d", "type": "tmpfs", "source": "esc", "options": ["tmpcopyup"]}),
         ["/bin/sh", "-c", "cat /vol/d/secret /vol/d/inner/file 2>/dev/null; true"], check)


def test_race_for_proc(box):
    """CVE-2019-16884, CVE-2019-19921, CVE-2023-27561: /proc of the image is a directory or a link to another.

    Whoever owns the image can move its /proc away afterwards; what counts is where the runtime wrote.
    """
    def change(config):
        config["mounts"].append({"destination": "/real", "type": "proc", "source": "proc"})
        config["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1"}

    bundle = box.bundle(change, args=["/bin/cat", "/real/sys/net/ipv4/ip_forward"])
    fake = bundle.rootfs / "fake/sys/net/ipv4/ip_forward"
    fake.parent.mkdir(parents=True)
    fake.write_text("fake\n")
    (bundle.rootfs / "l").symlink_to("fake")
    swapper = Swapper(box, bundle.rootfs, "proc", "l", RACE_SECONDS)
    started = 0
    while swapper.alive():
        result = box.run(bundle, status=None)
        assert fake.read_text() == "fake\n"
        if result.status == 0:
            started += 1
            assert result.stdout == "1\n", result
    assert started, "not one start went well"


def test_race_for_the_console(box, victim):
    """CVE-2025-52565: /dev/console is made and covered while /dev is the attacker's."""
    dev = box.dir / "dev"
    dev.mkdir()
    for name in ("pts", "shm", "mqueue"):
        (dev / name).mkdir()
    (dev / "console").write_text("")
    (dev / "l").symlink_to(victim / "secret")

    def change(config):
        without_mount(config, "/dev")
        config["mounts"].insert(1, bind(dev, "/dev"))
        config["process"]["terminal"] = True

    bundle = box.bundle(change, args=["/bin/sh", "-c", "grep -c -e ' /dev/console ' -e ' /dev/l ' /proc/self/mountinfo"])
    swapper = Swapper(box, dev, "console", "l", RACE_SECONDS)
    started = total = 0
    while swapper.alive():
        total += 1
        receiver = Receiver(box.dir / f"tty{total}")
        id = box.new_id()
        result = box("create", "--bundle", bundle.path, "--console-socket", receiver.path, id, status=None)
        if result.status == 0:
            receiver.take()
            box("start", id)
            assert read_terminal(receiver.fd).strip() == "1"
            started += 1
        box("delete", "--force", id)
        receiver.close()
    assert total >= 3 and started, "not one start went well"


# ---- what is masked stays masked: CVE-2025-31133, CVE-2025-52881 ------------------------------------------

@pytest.mark.parametrize("trap", ["link", "file", "directory", "nothing"])
def test_masking_does_not_trust_the_null_device_of_the_image(box, victim, trap):
    def change(config):
        without_mount(config, "/dev")
        config["mounts"] = [m for m in config["mounts"] if not m["destination"].startswith("/dev")]
        config["linux"]["maskedPaths"] = ["/proc/keys", "/proc/sysrq-trigger", "/secret"]

    bundle = box.bundle(change, args=["/bin/sh", "-c", "cat /secret; stat -c %t:%T /secret /proc/keys; cat /dev/null"])
    (bundle.rootfs / "secret").write_text("hidden\n")
    null = bundle.rootfs / "dev/null"
    if trap == "link":
        null.symlink_to("/proc/sys/kernel/core_pattern")
    elif trap == "file":
        null.write_text("image's own")
    elif trap == "directory":
        null.mkdir()
    result = box.run(bundle, status=None)
    assert "hidden" not in result.stdout
    if result.status == 0:
        assert result.stdout.split() == ["1:3", "1:3"], "only the real device may be the cover"
    assert (result.status == 0) == (trap == "nothing"), result


def test_a_null_device_that_the_image_brings_is_accepted(box):
    """The twin: images have real device files, and they are used."""
    def change(config):
        config["mounts"] = [m for m in config["mounts"] if not m["destination"].startswith("/dev")]

    bundle = box.bundle(change, args=["/bin/sh", "-c", "cat /dev/null; echo x >/dev/null && echo fine"])
    os.mknod(bundle.rootfs / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (bundle.rootfs / "dev/null").chmod(0o666)
    assert box.run(bundle).stdout == "fine\n"


@pytest.mark.parametrize("target", ["/proc/sys/net", "/proc/self/attr", "/proc", "/proc/1/../self"])
def test_volume_cannot_be_put_over_procfs_by_a_link(box, target):
    """CVE-2019-16884: a fake procfs makes the runtime write labels and sysctls to nowhere."""
    volume = box.dir / "volume"
    (volume / "ipv4").mkdir(parents=True)
    (volume / "ipv4/ip_forward").write_text("fake\n")
    bundle = box.bundle(with_mounts(bind(volume, "/data"), linux={"sysctl": {"net.ipv4.ip_forward": "1"}}),
                        args=["/bin/cat", "/proc/sys/net/ipv4/ip_forward"])
    (bundle.rootfs / "data").symlink_to(target)
    result = box.run(bundle, status=None)
    assert result.status == 1 and "/data" in result.stderr
    assert (volume / "ipv4/ip_forward").read_text() == "fake\n"


def test_sysctl_goes_to_the_real_procfs(box, only_ours):
    """CVE-2025-52881: a volume that looks like a procfs stands at /proc; the write reaches the kernel all the same."""
    fake = box.dir / "fake"
    (fake / "sys/net/ipv4").mkdir(parents=True)
    (fake / "sys/net/ipv4/ip_forward").write_text("fake\n")

    def change(config):
        without_mount(config, "/proc")
        config["mounts"] = [bind(fake, "/proc"), *config["mounts"],
                            {"destination": "/real", "type": "proc", "source": "proc"}]
        config["linux"].update(sysctl={"net.ipv4.ip_forward": "1"}, maskedPaths=[], readonlyPaths=[])

    bundle = box.bundle(change, args=["/bin/cat", "/real/sys/net/ipv4/ip_forward"])
    result = box.run(bundle, status=None)
    assert (fake / "sys/net/ipv4/ip_forward").read_text() == "fake\n"
    assert result.status != 0 or result.stdout == "1\n"


PROTECTED = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/keys", "/proc/kcore", "/proc/irq/default_smp_affinity",
             "/sys/kernel/uevent_helper", "/sys/kernel/mm/ksm/run", "/proc/sys/kernel/modprobe", "/proc/sys/fs/binfmt_misc/register",
             "/sys/fs/cgroup/memory/release_agent", "/sys/fs/cgroup/release_agent"]


def test_files_that_command_the_kernel_are_out_of_reach(box):
    found = attack(box, "write", *PROTECTED, "/proc/self/comm", "/proc/self/oom_score_adj")
    # Those that are masked are the null device.
    assert {name for name in PROTECTED if found[name] == "ok"} <= {"/proc/keys", "/proc/kcore"}
    assert box.shell("stat -c %t:%T /proc/keys; cat /proc/keys | wc -c").split() == ["1:3", "0"]
    # The twin: what is the process's own stays writable.
    assert found["/proc/self/comm"] == "ok" and found["/proc/self/oom_score_adj"] == "ok"


@pytest.mark.parametrize("more", [(), ("CAP_SYS_ADMIN",)], ids=["default", "admin"])
def test_user_namespace_inside_does_not_uncover_anything(box, more):
    """CVE-2022-0492: whole procfs, sysfs and a writable release_agent are one unshare(2) away, or not."""
    found = attack(box, "userns", change=caps(*more))
    assert found["unshare"] == "ok" and found["tmpfs"] == "ok", "the twin: user namespaces work inside"
    assert found["proc"] == "EPERM", "a procfs without the masks"
    assert found["unmask"] in ("EINVAL", "EPERM")
    assert found["remount"] == "EPERM" and found["setattr"] == "EPERM"
    assert found.get("release_agent") != "ok" and found["core_pattern"] != "ok"


def test_user_namespace_inside_may_mount_procfs_where_nothing_is_masked(box):
    """The twin: an unmasked /proc allows nested containers to have their own."""
    found = attack(box, "userns", change={"linux": {"maskedPaths": [], "readonlyPaths": []}})
    assert found["proc"] == "ok"


# ---- rights that a container has not --------------------------------------------------------------

def test_open_by_handle(box):
    """"shocker" of 2014: CAP_DAC_READ_SEARCH is never given unless asked for."""
    assert attack(box, "handle", "/")["handle"] == "EPERM"
    assert attack(box, "handle", "/", change=caps("CAP_DAC_READ_SEARCH"))["handle"] == "ok"


def test_disk_of_the_host_cannot_be_opened(box):
    node = next((d for d in sorted(pathlib.Path("/sys/class/block").iterdir())), None)
    need(node, "no block device here")
    major, minor = (node / "dev").read_text().strip().split(":")
    found = attack(box, "mknod", "b", major, minor)
    assert found["open"] == "EPERM", found
    rules = [{"allow": True, "type": "b", "major": int(major), "minor": int(minor), "access": "rwm"}]
    allowed = attack(box, "mknod", "b", major, minor, change={"linux": {"resources": {"devices": rules}}})
    assert allowed["mknod"] == "ok" and allowed["open"] != "EPERM"
    assert attack(box, "mknod", "c", 1, 5)["open"] == "ok"


def test_kernel_memory_devices_cannot_be_opened(box):
    for minor in (1, 2, 4, 11):
        assert attack(box, "mknod", "c", 1, minor)["open"] == "EPERM"


def test_keys_of_the_caller_are_out_of_reach(box):
    """The container has a session keyring of its own; with --no-new-keyring, the twin, the caller's."""
    libc = ctypes.CDLL(None, use_errno=True)
    nr = {"x86_64": (248, 250), "aarch64": (217, 219)}.get(os.uname().machine)
    need(nr, "system call numbers of this machine are not known here")
    found = {}

    def in_a_session():
        libc.syscall(nr[1], 1, b"e2e-session")  # KEYCTL_JOIN_SESSION_KEYRING, of this thread alone
        key = libc.syscall(nr[0], b"user", b"e2e-secret", b"host", 4, -3)
        libc.syscall(nr[1], 5, key, 0x3f3f3f3f)  # KEYCTL_SETPERM: the ids alone do not protect it
        found["none"] = attack(box, "key", key)
        found["shared"] = results(box.run(box.bundle(args=["/bin/attack", "key", str(key)]),
                                          "--no-new-keyring").stdout)

    thread = threading.Thread(target=in_a_session)
    thread.start()
    thread.join()
    assert found["none"]["search"] == "ENOKEY", found
    assert found["shared"]["search"] == "ok" and found["shared"]["read"] == "ok"


def test_terminal_of_the_caller_cannot_be_typed_into(box):
    """TIOCSTI (CVE-2016-2568, CVE-2017-5226): the container is not in the caller's session."""
    for args in (None, "exec"):
        master, slave = pty.openpty()
        id = box.started() if args else None

        def control():
            os.setsid()
            import fcntl
            import termios
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        bundle = box.bundle(args=["/bin/attack", "tty", "id\n"])
        shutil.copy2(bundle.rootfs / "bin/attack", box.dir / "attack")
        command = ["exec", id, "/bin/attack", "tty", "id\n"] if args else ["run", "--bundle", bundle.path, box.new_id()]
        child = subprocess.run(box.argv(*command), env=box.environment(), stdin=slave, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, preexec_fn=control, timeout=20, check=False, start_new_session=False)
        found = results(child.stdout.decode())
        os.close(slave)
        os.close(master)
        assert found["tty"] != "ok", "the caller's terminal is its controlling terminal"
        assert found["tiocsti"] in ("EPERM", "EIO"), found


def test_own_terminal_is_the_controlling_one(box):
    """The twin: with a terminal of its own the container has job control."""
    receiver = Receiver(box.dir / "tty")
    id = box.create(box.bundle({"process": {"terminal": True}}, args=["/bin/attack", "tty", "x"]),
                    "--console-socket", receiver.path)
    receiver.take()
    box("start", id)
    assert "tty ok" in read_terminal(receiver.fd)
    receiver.close()


def test_abstract_sockets_of_the_host_are_not_there(box):
    """CVE-2020-15257: with a network namespace of its own; without one, the twin, they are shared as the host's network is."""
    name = f"e2e-{box.token}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        server.listen(4)
        assert attack(box, "abstract", name)["connect"] == "ECONNREFUSED"
        assert attack(box, "abstract", name, change=lambda c: (
            namespace_config(c, "network", ""), without_mount(c, "/sys")))["connect"] == "ok"


def test_runtime_listens_on_no_abstract_socket(box):
    box.started()
    assert box.token not in pathlib.Path("/proc/net/unix").read_text().replace(str(box.root), "")


def test_groups_of_the_caller_stay_outside(box):
    """runc#3376 and others: supplementary groups of whoever calls open files inside."""
    bundle = box.bundle(args=["/bin/attack", "groups"])
    argv = ["setpriv", "--groups", "0,4,6,27", *box.argv("run", "--bundle", bundle.path, box.new_id())]
    text = subprocess.run(argv, env=box.environment(), capture_output=True, text=True, check=True).stdout
    assert text == "count 0\n"
    bundle = box.bundle({"process": {"user": {"additionalGids": [77]}}}, args=["/bin/attack", "groups"])
    argv[-3:] = ["--bundle", bundle.path, box.new_id()]
    text = subprocess.run(argv, env=box.environment(), capture_output=True, text=True, check=True).stdout
    assert text == "77 ok\ncount 1\n"


def test_exec_has_no_more_rights_than_the_container(box):
    """CVE-2022-29162, CVE-2022-24769: nothing inheritable; and no_new_privs, filter and bounding set hold for exec."""
    id = box.started()
    seen = box("exec", id, "/bin/probe").json
    first = box.probe()
    assert seen["caps"] == first["caps"] and seen["caps"]["inheritable"] == seen["caps"]["ambient"] == 0
    assert seen["noNewPrivileges"] == 1 and seen["securebits"] == first["securebits"]
    user = box("exec", "--user", "1000:1000", id, "/bin/probe").json
    assert user["caps"]["effective"] == user["caps"]["permitted"] == user["caps"]["ambient"] == 0
    more = box("exec", "--cap", "CAP_SYS_PTRACE", id, "/bin/probe").json
    assert more["caps"]["inheritable"] == 0 and more["caps"]["effective"] != first["caps"]["effective"]


def test_cgroup_namespace_shows_no_path_of_the_host(box):
    def change(config):
        namespace_config(config, "cgroup")
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                                 "options": ["ro", "nosuid", "noexec", "nodev", "relatime"]})

    seen = box.probe(change)
    id = box.started(box.bundle(change, args=["/bin/probe", "--wait"]))
    inside = box("exec", id, "/bin/probe").json
    for one in (seen, inside):
        assert all(line.endswith(":/") for line in one["cgroup"]), one["cgroup"]
        assert not any(box.token in line and " - cgroup" in line for line in one["mounts"])
    # The twin: without the namespace the path is told, as asked for.
    assert any(box.token in line for line in box.probe()["cgroup"])


def test_cgroups_of_the_container_are_read_only_where_asked(box):
    def change(config):
        namespace_config(config, "cgroup")
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                                 "options": ["ro", "nosuid", "noexec", "nodev"]})

    text = box.shell("find /sys/fs/cgroup -name release_agent; for f in $(find /sys/fs/cgroup -name cgroup.procs | head -3); do "
                     "echo 1 >$f && echo wrote $f; done 2>/dev/null; find /sys/fs/cgroup -name cgroup.procs | wc -l",
                     lambda c: (change(c), c["process"].update(caps("CAP_SYS_ADMIN")["process"])))
    assert "release_agent" not in text and "wrote" not in text
    assert int(text.split()[-1]) > 0


# ---- mounts ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("propagation", [None, "slave", "rprivate", "rslave"])
def test_mounts_inside_do_not_come_back(box, propagation):
    """In a volume, at the root, and in what is shared on the host; a shared volume, the twin, passes them on."""
    shared = box.dir / "shared"
    shared.mkdir()
    script = f"""
mount --bind {shared} {shared}; mount --make-shared {shared}; mkdir -p {shared}/in
"$@"
grep -c ' - tmpfs attack' /proc/self/mountinfo
true
"""
    options = ["rbind"] + ([propagation] if propagation else [])

    def runs(options):
        change = caps("CAP_SYS_ADMIN")
        bundle = box.bundle(change, args=["/bin/attack", "mount", "/vol/in"])
        bundle.config["mounts"].append({"destination": "/vol", "type": "bind", "source": str(shared), "options": options})
        bundle.config["linux"]["rootfsPropagation"] = "rshared" if "rshared" in options else "rslave"
        bundle.write()
        result = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                                 *box.argv("run", "--bundle", bundle.path, box.new_id())],
                                env=box.environment(), capture_output=True, text=True, timeout=30, check=True)
        assert "mount ok" in result.stdout, result
        return int(result.stdout.split()[-1])

    assert runs(options) == 0
    if propagation is None:
        assert runs(["rbind", "rshared"]) == 1


def test_root_by_a_link_is_the_root_that_it_leads_to(box, victim):
    """An engine may give a link; what counts is where it leads when it is opened. The host's own root it is not."""
    bundle = box.bundle(args=["/bin/sh", "-c", "echo made >/tmp/made; ls /"])
    os.rename(bundle.rootfs, bundle.path / "real")
    bundle.rootfs.symlink_to("real")
    assert "home" not in box.run(bundle).stdout
    assert (bundle.path / "real/tmp/made").read_text() == "made\n"
    bundle.rootfs.unlink()
    bundle.rootfs.symlink_to("nowhere")
    assert "rootfs" in box.run(bundle, status=1).stderr


def test_volume_whose_source_is_a_link(box, victim):
    """A link that is the source leads where the host's owner says; one inside the volume stays inside."""
    volume = box.dir / "volume"
    volume.mkdir()
    (volume / "out").symlink_to(victim)
    (volume / "own").write_text("mine\n")
    (box.dir / "alias").symlink_to("volume")
    text = box.shell("cat /vol/own; cat /vol/out/secret 2>/dev/null; true", with_mounts(bind(box.dir / "alias", "/vol")))
    assert text == "mine\n"


@contextlib.contextmanager
def passwd_trap(bundle, trap, victim):
    path = bundle.rootfs / "etc/passwd"
    path.unlink()
    if trap == "fifo":
        os.mkfifo(path)
    elif trap == "device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    elif trap == "link":
        path.symlink_to(f"../../../../../../../..{victim}/passwd")
    elif trap == "magic":
        path.symlink_to("/proc/self/fd/0")
    elif trap == "directory":
        path.mkdir()
    elif trap == "loop":
        path.symlink_to("passwd")
    elif trap == "huge":
        with open(path, "wb") as file:
            file.truncate(1 << 40)
    elif trap == "long line":
        path.write_text("root:x:0:0:" + "x" * 100000 + ":/evil:/bin/sh\nroot:x:0:0::/" + "y" * 9000 + ":/\n")
    elif trap == "binary":
        path.write_bytes(os.urandom(65536) + b"\nroot\0:x:0:0::/ev\0il:/bin/sh\n")
    yield


@pytest.mark.parametrize("trap", ["fifo", "device", "link", "magic", "directory", "loop", "huge", "long line", "binary"])
def test_hostile_passwd(rt, trap):
    outside = rt.dir / "outside"
    outside.mkdir()
    (outside / "passwd").write_text("root:x:0:0::/from-the-host:/bin/sh\n")
    bundle = rt.bundle(args=["/bin/probe"])
    with passwd_trap(bundle, trap, outside):
        before = time.monotonic()
        seen = rt.run(bundle, timeout=10).json
        id = rt.started(rt_bundle_wait(rt, trap, outside))
        rt("exec", id, "/bin/true", timeout=10)
    assert time.monotonic() - before < 5
    home = [word for word in seen["env"] if word.startswith("HOME=")]
    assert home in (["HOME=/"], []), home


def rt_bundle_wait(rt, trap, outside):
    bundle = rt.bundle(args=["/bin/probe", "--wait"])
    with passwd_trap(bundle, trap, outside):
        return bundle


def test_passwd_that_is_honest_gives_a_home(rt):
    assert "HOME=/root" in rt.probe()["env"]


# ---- numbers and names -------------------------------------------------------------------------------

@pytest.mark.parametrize("uid", ["5", -1, 4294967295, 4294967296, 1.5, None, True, [0], "root"])
def test_user_that_is_no_number_is_refused(rt, uid):
    """In crun "5" was root, in runc 4294967296 was."""
    bundle = rt.bundle(args=["/bin/id"])
    bundle.config["process"]["user"]["uid"] = uid
    bundle.write()
    result = rt.run(bundle, status=1)
    assert "uid" in result.stderr and result.stdout == ""


@pytest.mark.parametrize("user", ["-1", "4294967295", "4294967296", "0x0", "root", "", " 0", "1:-1", "1:4294967295", "1:", "99999999999999999999"])
def test_exec_user_that_is_no_number_is_refused(rt, user):
    id = rt.started()
    result = rt("exec", "--user", user, id, "/bin/id", status=255)
    assert result.stdout == ""


def test_users_that_are_numbers_work(rt):
    assert rt.run(rt.bundle({"process": {"user": {"uid": 4294967294, "gid": 4294967294}}},
                            args=["/bin/id", "-u"])).stdout == "4294967294\n"
    id = rt.started()
    assert rt("exec", "--user", "5:6", id, "/bin/id", "-u").stdout == "5\n"


@pytest.mark.parametrize("key", ["kernel.core_pattern", "kernel/core_pattern", "net.ipv4.../../../kernel/core_pattern",
                                 "net/../kernel/core_pattern", "net.ipv4.ip_forward\0x", "kernel.modprobe", "fs.mqueue.../../kernel.core_pattern"])
def test_sysctl_cannot_leave_its_namespace(rt, key):
    """CVE-2022-0811: a sysctl that is not namespaced is the host's."""
    before = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    result = rt.run(rt.bundle({"linux": {"sysctl": {key: before.strip()}}}, args=["/bin/true"]), status=1)
    assert "sysctl" in result.stderr or "\0" in key
    assert pathlib.Path("/proc/sys/kernel/core_pattern").read_text() == before


# ---- state, cgroups and pids of others -----------------------------------------------------------------

@contextlib.contextmanager
def somebody(rt, hierarchy=None):
    """A process of somebody else, in a cgroup of its own or in ours."""
    process = subprocess.Popen(["sleep", "60"])
    dirs = []
    try:
        if hierarchy:
            for top in pathlib.Path("/sys/fs/cgroup").iterdir():
                if (top / "cgroup.procs").exists() and top.name not in ("cpuset",):
                    path = top / hierarchy
                    path.mkdir()
                    dirs.append(path)
                    (path / "cgroup.procs").write_text(str(process.pid))
        yield process
        assert process.poll() is None, "somebody else's process was killed"
    finally:
        process.kill()
        process.wait()
        for path in dirs:
            wait_until(lambda p=path: remove_dir(p), what=f"removal of {path}")


def remove_dir(path):
    try:
        path.rmdir()
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def test_cgroup_of_somebody_else_is_not_taken(rt):
    """A cgroupsPath with processes in it is refused, and delete --force does not kill them."""
    name = f"{rt.token}-others"
    with somebody(rt, name):
        bundle = rt.bundle({"linux": {"cgroupsPath": f"/{name}"}}, args=["/bin/probe", "--wait"])
        id = rt.new_id()
        result = rt("create", "--bundle", bundle.path, id, status=1)
        assert "not empty" in result.stderr, result
        rt("delete", "--force", id)
    # The twin: one that is empty is used.
    for top in pathlib.Path("/sys/fs/cgroup").iterdir():
        if (top / "cgroup.procs").exists() and top.name != "cpuset":
            (top / name).mkdir()
    rt.run(rt.bundle({"linux": {"cgroupsPath": f"/{name}"}}, args=["/bin/true"]))
    for top in pathlib.Path("/sys/fs/cgroup").iterdir():
        remove_dir(top / name)


@pytest.mark.parametrize("path", ["/", "", "../..", "/..", "/../../tmp", "."])
def test_root_of_the_cgroups_is_never_the_containers(rt, path):
    bundle = rt.bundle({"linux": {"cgroupsPath": path}}, args=["/bin/cat", "/proc/self/cgroup"])
    with somebody(rt):
        result = rt.run(bundle, status=None)
        if result.status == 0:
            # Nothing given means a place of its own.
            lines = [line.split(":", 2)[2] for line in result.stdout.splitlines()]
            assert "/" not in lines or path == "", lines


def init_file(rt, id):
    return rt.root / id / "init"


def test_process_that_has_our_pid_now_is_not_killed(rt, only_ours):
    """Pids come again; the start time tells whose it is."""
    id = rt.started()
    time.sleep(0.05)  # start times are told in hundredths of a second
    with somebody(rt) as other:
        file = init_file(rt, id)
        real = file.read_text()
        file.write_text(f"{other.pid} {real.split()[1]}\n")
        assert "not running" in rt("kill", id, "KILL", status=1).stderr
        assert rt.state(id)["status"] == "stopped"
        rt("exec", id, "/bin/true", status=255)
        file.write_text(real)
    rt("kill", id, "KILL")
    rt.wait_status(id, "stopped")


@pytest.mark.parametrize("trap", ["mode", "owner", "link", "other id"])
def test_state_that_others_planted_is_not_believed(rt, only_ours, trap):
    id = rt.started()
    where = rt.root / id
    if trap == "mode":
        where.chmod(0o777)
    elif trap == "owner":
        os.chown(where, 12345, 12345)
    elif trap == "link":
        os.rename(where, rt.dir / "elsewhere")
        where.symlink_to(rt.dir / "elsewhere")
    else:
        os.rename(where, rt.root / "renamed")
    name = "renamed" if trap == "other id" else id
    for command in (["kill", name, "KILL"], ["delete", "--force", name], ["exec", name, "/bin/true"], ["state", name]):
        result = rt(*command, status=None)
        assert result.status != 0, (command, result)
    if trap == "mode":
        where.chmod(0o700)
    elif trap == "owner":
        os.chown(where, 0, 0)
    elif trap == "link":
        where.unlink()
        os.rename(rt.dir / "elsewhere", where)
    else:
        os.rename(rt.root / "renamed", where)
    assert rt.state(id)["status"] == "running"
    rt("delete", "--force", id)


@pytest.mark.parametrize("id", ["..", "../x", "a/b", "/etc", "", "-x", "a\nb", "a b"])
def test_id_is_no_path(rt, id):
    for command in (["state", "--", id], ["delete", "--force", "--", id], ["kill", "--", id, "KILL"]):
        assert rt(*command, status=None).status != 0


# ---- exec while the container changes under it -----------------------------------------------------------

def test_exec_while_the_container_bends_its_mounts(box, victim):
    """The first process has moved to namespaces of its own and put its files where procfs and devices were."""
    script = ("mkdir -p /tmp/fake/self/attr /tmp/fake/sys; mount --bind /tmp/fake /proc; mount --bind /tmp/fake /dev; "
              "touch /tmp/done; sleep 100")
    bundle = box.bundle(caps("CAP_SYS_ADMIN"), args=["/bin/sh", "-c", script])
    id = box.started(bundle)
    wait_until((bundle.rootfs / "tmp/done").exists)
    result = box("exec", "--cwd", "/tmp", id, "/bin/sh", "-c", "pwd; ls /", status=None)
    assert "home" not in result.stdout and result.status == 0, result
    receiver = Receiver(box.dir / "tty")
    result = box("exec", "-t", "-d", "--console-socket", receiver.path, id, "/bin/true", status=None)
    assert result.status != 0 and "ptmx" in result.stderr, "no terminal can come from there"
    receiver.close()


def test_exec_while_the_container_makes_namespaces(box, victim):
    """The first process goes on into new namespaces: exec enters what is the container's, without rights outside."""
    bundle = box.bundle(args=["/bin/sh", "-c", "unshare -U -m -r sh -c 'touch /tmp/done; exec sleep 100' & wait"])
    id = box.started(bundle)
    wait_until((bundle.rootfs / "tmp/done").exists)
    seen = box("exec", id, "/bin/probe").json
    first = box.probe()
    assert seen["caps"] == first["caps"] and seen["uidMap"] == first["uidMap"]


def test_race_for_proc_during_exec(box, victim):
    """The container mounts and unmounts over its /proc while exec enters."""
    script = ("mkdir -p /tmp/fake; touch /tmp/done; end=$(($(date +%s 2>/dev/null || echo 0)+5)); "
              "i=0; while [ $i -lt 3000 ]; do mount --bind /tmp/fake /proc; umount /proc; i=$((i+1)); done; sleep 100")
    bundle = box.bundle(caps("CAP_SYS_ADMIN"), args=["/bin/sh", "-c", script])
    id = box.started(bundle)
    wait_until((bundle.rootfs / "tmp/done").exists)
    end = time.monotonic() + RACE_SECONDS
    n = 0
    while time.monotonic() < end:
        seen = box("exec", id, "/bin/sh", "-c", "echo in; ls /", status=None)
        assert "home" not in seen.stdout
        n += seen.stdout.startswith("in")
    assert n > 5


# ---- what the process inherits ---------------------------------------------------------------------------

def test_process_begins_fresh(box):
    """No ignored or blocked signal, no parent's death signal, scheduling or limit of the runtime's own."""
    for seen in (box.probe(), box("exec", box.started(), "/bin/probe").json):
        assert int(status_field(seen, "SigIgn"), 16) == 0 and int(status_field(seen, "SigBlk"), 16) == 0
        assert seen["deathSignal"] == 0 and seen["dumpable"] == 1
        assert seen["openFds"] == [0, 1, 2]


def test_oom_score_of_a_protected_engine_is_not_kept_when_one_is_given(box):
    """The container's own score holds for exec, too; who gives none inherits, as runtime-spec says."""
    change = {"process": {"oomScoreAdj": 300}}
    assert box.probe(change)["oomScoreAdj"] == 300
    id = box.started(box.bundle(change, args=["/bin/probe", "--wait"]))
    assert box("exec", id, "/bin/probe").json["oomScoreAdj"] == 300


def test_no_new_privileges_holds_against_a_setuid_program(box):
    """A setuid program of the image gives nothing; without the flag, the twin, it does."""
    def change(value):
        return {"process": {"noNewPrivileges": value, "user": {"uid": 1000, "gid": 1000}}}

    for value, want in ((True, 1000), (False, 0)):
        bundle = box.bundle(change(value), args=["/bin/suid"])
        shutil.copy2(bundle.rootfs / "bin/probe", bundle.rootfs / "bin/suid")
        (bundle.rootfs / "bin/suid").chmod(0o4755)
        assert box.run(bundle).json["uid"][1] == want
