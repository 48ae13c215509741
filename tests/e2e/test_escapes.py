"""Published escapes from containers, each tried: the image, the volumes and all processes inside are the attacker's.

Every test has its twin, in the same test or beside it: what is legitimate and looks the same still works.
docs/threat-model.md says which attack is met by what; tests/probe/attack.c is the attacker.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import time

import pytest

from containers import Receiver, namespace_config, need, read_terminal, wait_until
from escapes import (RACE_SECONDS, attack, attack_program, bind, box, caps, results, victim, with_mounts,  # noqa: F401
                     without_mount)


# ---- the runtime's own program: CVE-2019-5736 ------------------------------------------------------

@pytest.fixture
def own_program(box):
    """A copy of the runtime that may be lost."""
    path = box.dir / ("own-" + os.path.basename(box.program))
    shutil.copy2(box.program, path)
    whole, box.program = box.program, str(path)
    before = hashlib.sha256(path.read_bytes()).digest()
    yield path
    box.program = whole
    assert hashlib.sha256(path.read_bytes()).digest() == before, "the runtime was overwritten"


def hunter(box, seconds, change=None, how="hunt"):
    """A container whose first process lies in wait."""
    bundle = box.bundle(change, args=["/bin/sh", "-c", f"/bin/attack {how} {seconds} >/tmp/prey; sleep 100"])
    (bundle.rootfs / "bin/evil").write_text("#!/proc/self/exe\n")
    (bundle.rootfs / "bin/evil").chmod(0o755)
    id = box.started(bundle)
    prey = bundle.rootfs / "tmp/prey"
    wait_until(lambda: prey.exists() and "ready" in prey.read_text(), what="the attacker is ready")
    return id, lambda: results(prey.read_text())


@pytest.mark.parametrize("more", [(), ("CAP_SYS_ADMIN", "CAP_SYS_PTRACE")], ids=["default", "admin"])
def test_runtime_as_interpreter_cannot_be_overwritten(box, own_program, more):
    """#!/proc/self/exe makes the runtime run inside, by exec and as the first process."""
    id, prey = hunter(box, 3, caps(*more), "snatch")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        box("exec", id, "/bin/evil", status=None)
    time.sleep(0.3)
    found = prey()
    if found.get("met") != "ok" or found.get("exe") != "ok":
        # It is a race that a busy machine can lose; that proves nothing either way.
        pytest.skip(f"the attacker never had the program in its hand: {found}")
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
        # To look for the program in a thousand places takes a while, at the moment when it has no more rights.
        path = "PATH=" + ":".join(f"/none/{n}" for n in range(1000)) + ":/bin"
        while time.monotonic() < end:
            box("exec", "--env", path, id, "true", env={"HOST_SECRET": "1"}, pass_fds=(held.fileno(),))
            n += 1
        time.sleep(0.3)
    found = prey()
    assert n > 20
    if found.get("met") != "ok":
        pytest.skip(f"the attacker never saw it, so the test shows nothing: {found}")
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

    # CVE-2026-41579: what a /dev needs is removed and made anew, here in a directory of the host.
    (victim / "ptmx").write_text("of the host")
    script = "cat /tmp/secret /etc/secret /dev/secret; grep -c -E ' - (proc|tmpfs|devpts|mqueue|sysfs) ' /proc/self/mountinfo; true"
    bundle = box.bundle(change, args=["/bin/sh", "-c", script])
    where = bundle.rootfs / name
    if where.exists():
        shutil.rmtree(where)
    where.symlink_to(link.format(victim=victim))
    result = box.run(bundle, status=None)
    assert "host secret" not in str(result)
    assert (victim / "ptmx").read_text() == "of the host"
    (victim / "ptmx").unlink()
    if result.stdout:
        assert int(result.stdout) >= len(bundle.config["mounts"]), "something was mounted outside"


@pytest.mark.parametrize("name", ["proc", "sys"])
def test_a_link_in_the_place_of_a_file_system_of_the_kernel_is_refused(box, name):
    """CVE-2019-19921: what is hidden of it would be hidden in another place than where it is."""
    bundle = box.bundle(args=["/bin/true"])
    (bundle.rootfs / name).rmdir()
    (bundle.rootfs / "elsewhere").mkdir()
    (bundle.rootfs / name).symlink_to("elsewhere")
    result = box.run(bundle, status=1)
    assert re.search(rf"mount \w+ on /{name} .*symbolic link", result.stderr), result


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
    (volume / "l").symlink_to(victim)
    source = box.dir / "source"
    source.mkdir()
    (source / "mark").write_text("mine\n")

    def check(result):
        if result.status == 0:
            assert " - tmpfs esc" in result.stdout, result
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
        assert result.status != 0 or " - tmpfs esc" in result.stdout, "it was mounted outside"

    race(box, volume, "d", "l",
         with_mounts(bind(volume, "/vol"),
                     {"destination": "/vol/d", "type": "tmpfs", "source": "esc", "options": ["tmpcopyup"]}),
         ["/bin/sh", "-c", "cat /vol/*/secret /vol/*/inner/file $(grep ' - tmpfs esc' /proc/self/mountinfo | cut -d' ' -f5)/secret 2>/dev/null; "
          "cat /proc/self/mountinfo"], check)


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


@pytest.mark.parametrize("inside", [False, True], ids=["outside", "inside"])
@pytest.mark.parametrize("readonly", [False, True], ids=["writable", "read-only"])
def test_console_that_is_a_link_of_the_image_leads_nowhere(box, readonly, inside):
    """CVE-2026-88264: nothing is mounted at /dev, whose console is the image's link to a file that is not there."""
    def change(config):
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev/pts")]
        config["process"]["terminal"] = True
        config["root"]["readonly"] = readonly

    bundle = box.bundle(change, args=["/bin/stat", "-c", "%F", "/dev/console"])
    made = bundle.rootfs / "made" if inside else box.dir / "made"
    (bundle.rootfs / "dev/console").symlink_to("../made" if inside else made)
    receiver = Receiver(box.dir / "tty")
    id = box.new_id()
    box("create", "--bundle", bundle.path, "--console-socket", receiver.path, id)
    receiver.take()
    box("start", id)
    assert read_terminal(receiver.fd).strip() == "character special file", "the link is covered, not followed"
    box("delete", "--force", id)
    receiver.close()
    assert not made.exists()


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


@pytest.mark.parametrize("trap", ["link", "file", "fifo"])
def test_standard_streams_stay_with_the_real_null_device(box, victim, trap):
    """CVE-2026-88265: what the image has at /dev/null is neither opened as a stream nor given to the process's user."""
    def change(config):
        config["mounts"] = [m for m in config["mounts"] if not m["destination"].startswith("/dev")]
        config["mounts"].append(bind(victim, "/vol"))
        config["linux"]["maskedPaths"] = []
        config["linux"]["devices"] = []

    bundle = box.bundle(change, args=["/bin/sleep", "100"])
    id = box.started(bundle)
    null = bundle.rootfs / "dev/null"
    null.unlink(missing_ok=True)
    if trap == "link":
        null.symlink_to("/vol/secret")
    elif trap == "file":
        null.write_text("image's own")
    else:
        os.mkfifo(null)
    before = (victim / "secret").stat(), null.lstat()
    for user in ("0", "1000:1000"):
        seen = box("exec", "--user", user, id, "/bin/stat", "-L", "-c", "%t:%T", "/proc/self/fd/0",
                   stdin=subprocess.DEVNULL)
        assert seen.stdout == "1:3\n"
    after = (victim / "secret").stat(), null.lstat()
    assert [(st.st_uid, st.st_gid, st.st_mode, st.st_size) for st in before] == \
        [(st.st_uid, st.st_gid, st.st_mode, st.st_size) for st in after]


def test_masking_looks_at_the_null_device_of_the_host_too(box, tmp_path):
    """Where it is none, what hides a file would show another."""
    other = tmp_path / "other"
    other.write_text("not null\n")
    bundle = box.bundle({"linux": {"maskedPaths": ["/etc/passwd"]}}, args=["cat", "/etc/passwd"])
    argv = ["unshare", "-m", "--propagation", "private", "sh", "-c", 'mount --bind "$0" /dev/null && exec "$@"', other,
            *box.argv("run", "--bundle", bundle.path, box.new_id())]
    result = subprocess.run(argv, env=box.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert result.returncode == 1 and "/dev/null of the host" in result.stderr and result.stdout == ""
    assert box.run(bundle).stdout == ""


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


@pytest.mark.parametrize("target", ["/proc/sys", "/proc/sys/kernel", "/proc/self/attr", "/proc/1", "/proc/../proc/self", "/proc/kcore/x"])
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_nothing_is_mounted_in_procfs(box, target, kind):
    """Nor by its name; the twin: single files that say something of the machine may be replaced, as lxcfs does."""
    (box.dir / "cpuinfo").write_text("one processor\n")
    (box.dir / "fake").mkdir()
    mount = bind(box.dir / "fake", target) if kind == "bind" else {"destination": target, "type": "tmpfs", "source": "tmpfs"}
    result = box.run(box.bundle(with_mounts(mount), args=["/bin/true"]), status=1)
    assert "cannot be mounted because it is inside /proc" in result.stderr
    assert box.shell("cat /proc/cpuinfo", with_mounts(bind(box.dir / "cpuinfo", "/proc/cpuinfo"))) == "one processor\n"


@pytest.mark.parametrize("trap", ["link", "node"])
def test_multiplexer_of_the_image_does_not_stay(box, trap):
    """Where /dev is the image's, its ptmx would lead to terminals of another devpts."""
    def change(config):
        config["mounts"] = [m for m in config["mounts"] if m["destination"] in ("/proc", "/dev/pts")]

    bundle = box.bundle(change, args=["/bin/readlink", "/dev/ptmx"])
    (bundle.rootfs / "dev/pts").mkdir(exist_ok=True)
    if trap == "link":
        (bundle.rootfs / "dev/ptmx").symlink_to("/elsewhere/ptmx")
    else:
        os.mknod(bundle.rootfs / "dev/ptmx", stat.S_IFCHR | 0o666, os.makedev(5, 2))
    assert box.run(bundle).stdout == "pts/ptmx\n"


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


def test_container_in_the_same_pid_namespace_cannot_seize_one_with_a_user_namespace(box):
    """In a pod: who is root outside the new user namespace owns it, and sees its first process before its maps."""
    id, prey = hunter(box, 4)
    bare = box.bundle(args=["/bin/probe"])

    def change(config):
        namespace_config(config, "pid", f"/proc/{box.state(id)['pid']}/ns/pid")
        namespace_config(config, "user")
        config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
            {"containerID": 0, "hostID": 0, "size": 65536}]
        # Its user namespace does not own the pid namespace, so a procfs of it is the host's to give.
        without_mount(config, "/proc")
        config["linux"].update(maskedPaths=[], readonlyPaths=[])

    pod = box.bundle(change, args=["/bin/true"])
    end = time.monotonic() + 4
    while time.monotonic() < end:
        box.run(pod)
    time.sleep(0.3)
    found = prey()
    if found.get("met") != "ok":
        pytest.skip(f"the attacker never saw it, so the test shows nothing: {found}")
    assert set(found) == {"ready", "met"}, found
    assert box.run(bare).json["pid"] == 1
