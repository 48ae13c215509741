"""Rights that a container has not, numbers that are none, and what belongs to others; see test_escapes.py."""

import contextlib
import ctypes
import errno
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

from containers import (CAPABILITIES, TREE, Receiver, ignore_all_signals, namespace_config, need, own_caps, read_terminal,
                        status_field, wait_until)
from escapes import (RACE_SECONDS, attack, attack_program, bind, box, caps, results, victim, with_mounts,  # noqa: F401
                     without_mount)


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


def test_devices_that_were_not_given_cannot_be_opened(box):
    """It is the cgroup that says no: with a rule for the device, the twin, the kernel has another answer."""
    numbers = ((1, 11), (4, 0), (4, 64), (5, 1), (5, 3), (7, 0), (10, 200), (10, 229), (10, 232), (29, 0), (226, 0))
    need(own_caps("CapEff") >> CAPABILITIES.index("SYSLOG") & 1, "the tests themselves lack CAP_SYSLOG")

    def opens(*rules):
        script = "".join(f"/bin/attack mknod c {major} {minor} | grep ^open; " for major, minor in numbers)
        resources = {"linux": {"resources": {"devices": [{"allow": False, "access": "rwm"}, *rules]}}}
        words = box.shell(script, {**resources, **caps("CAP_SYSLOG")}).split()
        assert len(words) == 2 * len(numbers)
        return [int(word == str(errno.EPERM)) for word in words[1::2]]

    assert opens() == [1] * len(numbers)
    for major, minor in numbers:
        rule = {"allow": True, "type": "c", "major": major, "minor": minor, "access": "rwm"}
        assert opens(rule) == [int(number != (major, minor)) for number in numbers]


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
        found["exec"] = results(box("exec", box.started(), "/bin/attack", "key", key).stdout)
        found["shared"] = results(box.run(box.bundle(args=["/bin/attack", "key", str(key)]),
                                          "--no-new-keyring").stdout)

    thread = threading.Thread(target=in_a_session)
    thread.start()
    thread.join()
    assert found["none"]["search"] == found["exec"]["search"] == "ENOKEY", found
    assert found["shared"]["search"] == "ok" and found["shared"]["read"] == "ok"


def test_keys_of_one_container_are_not_read_by_another_of_the_same_owner(box):
    """Without a user namespace they all are root's: what is possessed by one is found by its processes, and read by no others."""
    libc = ctypes.CDLL(None, use_errno=True)
    nr = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    need(nr, "system call numbers of this machine are not known here")
    ids = [box.started(), box.started()]
    first, second = (box("exec", id, "/bin/probe").json["sessionKeyring"] for id in ids)
    assert first > 0 and second > 0 and first != second
    assert box("exec", ids[0], "/bin/probe").json["sessionKeyring"] == first, "the container has one for all its processes"
    assert libc.syscall(nr, 6, first, None, 0) > 0  # KEYCTL_DESCRIBE
    assert libc.syscall(nr, 11, first, None, 0) < 0 and ctypes.get_errno() == errno.EACCES  # KEYCTL_READ


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
    asked = first["caps"]["bounding"] | 1 << CAPABILITIES.index("SYS_PTRACE")
    assert [more["caps"][kind] for kind in ("bounding", "permitted", "effective", "inheritable", "ambient")] == [asked] * 3 + [0] * 2


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
mount --make-shared /; mount --bind {shared} {shared}; mount --make-shared {shared}; mkdir -p {shared}/in {shared}/below
mount -t tmpfs below {shared}/below; mount --make-shared {shared}/below; mkdir {shared}/below/in
mount --bind $BUNDLE $BUNDLE; mount --make-shared $BUNDLE
before=$(wc -l </proc/self/mountinfo)
"$@"
echo $(($(wc -l </proc/self/mountinfo) - before))
"""
    options = ["rbind"] + ([propagation] if propagation else [])

    def runs(options, where="/vol/in"):
        change = caps("CAP_SYS_ADMIN")
        bundle = box.bundle(change, args=["/bin/attack", "mount", where])
        bundle.config["mounts"].append({"destination": "/vol", "type": "bind", "source": str(shared), "options": options})
        bundle.config["linux"]["rootfsPropagation"] = "rshared" if "rshared" in options else "rslave"
        bundle.write()
        result = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                                 *box.argv("run", "--bundle", bundle.path, box.new_id())],
                                env=box.environment({"BUNDLE": str(bundle.path)}), capture_output=True, text=True, timeout=30, check=True)
        assert "mount ok" in result.stdout, result
        return int(result.stdout.split()[-1])

    assert runs(options) == 0
    # "slave" is about the volume alone: what is mounted below stays as it is, as mount(8) has it.
    if propagation != "slave":
        assert runs(options, "/vol/below/in") == 0
    if propagation is None:
        assert runs(["rbind", "rshared"]) >= 1 and runs(["rbind", "rshared"], "/vol/below/in") >= 1


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
    elif trap == "absolute link":
        path.symlink_to(victim / "passwd")
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


@pytest.mark.parametrize("trap", ["fifo", "device", "link", "absolute link", "magic", "directory", "loop", "huge", "long line", "binary"])
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
                                 "net/../kernel/core_pattern", "net.ipv4.ip_forward\0x", "kernel.modprobe", "fs.mqueue.../../kernel.core_pattern",
                                 "kernel.panic", "kernel.hostname", "kernel.shmmnix", "kernel.keys.maxkeys", "fs.file-max",
                                 "fs.suid_dumpable", "fs.binfmt_misc.register", "user.max_user_namespaces", "vm.mmap_min_addr"])
def test_sysctl_cannot_leave_its_namespace(rt, key):
    """CVE-2022-0811: a sysctl that is not namespaced is the host's."""
    before = pathlib.Path("/proc/sys/kernel/core_pattern").read_text()
    result = rt.run(rt.bundle({"linux": {"sysctl": {key: before.strip()}}}, args=["/bin/true"]), status=1)
    assert "linux.sysctl: " in result.stderr or "\0" in key, "it is refused before anything is tried"
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


@pytest.mark.controllers
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
    fresh = {"preexec": ignore_all_signals}
    for seen in (box.probe(**fresh), box("exec", box.started(**fresh), "/bin/probe", **fresh).json):
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


def existing_tests():
    """All of tests/e2e, whole files of it, and the parts of unit tests and of the virtual machine's scripts."""
    there = set()
    for path in (TREE / "tests/e2e").glob("test_*.py"):
        there |= {path.name, *re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)}
    for path in (TREE / "tests/unit").glob("test_*.c"):
        there |= {f"{path.name}: {name}" for name in re.findall(r"cmocka_unit_test\((\w+)\)", path.read_text())}
    for path in (TREE / "tests/vm").glob("*.sh"):
        there |= {f"{path.name}: {name}" for name in re.findall(r"^test_(\w+)\(\)", path.read_text(), re.MULTILINE)}
    return there


def test_threat_model_names_a_test_that_exists_for_each_attack():
    text = (TREE / "docs/threat-model.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ") and line.count(" | ") == 2]
    attacks = [row for row in rows if "Attack" not in row[0] and "Who" not in row[0] and not re.match(r"\| [A-E]:", row[0])]
    there = existing_tests()
    assert len(attacks) > 30
    for attack_, mitigation, shown in attacks:
        named = set(re.findall(r"`([\w.]+(?:: \w+)?)`", shown))
        assert mitigation.strip() and named, f"no test is named: {attack_}"
        assert named <= there, f"{attack_}: there is no {named - there}"
