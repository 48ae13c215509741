"""`containr run` for people, as root and as an ordinary user: what the probe sees inside, and what is left."""

import glob
import json
import os
import resource
import signal
import socket
import subprocess
import time

import pytest

from containers import (IS_ROOT, caps_mask, mount_options, need, open_terminal, own_caps, read_terminal,
                        status_field, wait_until)
from people import config_of
from test_landlock import abi as landlock_abi

FOURTEEN = """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE
    SYS_CHROOT KILL AUDIT_WRITE""".split()
#: What nobody sees, and what nobody changes, on kernels that have it; every processor's thermal counters, too.
HIDDEN = """/proc/acpi /proc/allocinfo /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats
    /proc/pagetypeinfo /proc/sched_debug /proc/scsi /proc/slabinfo /proc/timer_list /proc/timer_stats /proc/vmallocinfo
    /sys/dev/block /sys/devices/virtual/powercap /sys/firmware /sys/fs/selinux""".split()
THERMAL = "/sys/devices/system/cpu/cpu"
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()


# ---- default ------------------------------------------------------------------------------------

def test_default_is_confined(anyone):
    seen = anyone.seen()
    assert seen["pid"] == 1 and seen["uid"] == [0, 0, 0]
    assert seen["noNewPrivileges"] == 1
    assert status_field(seen, "Seccomp") == "2"
    assert seen["openFds"] == [0, 1, 2]
    for kind in ("CapBnd", "CapEff", "CapPrm"):
        assert int(status_field(seen, kind), 16) == caps_mask(FOURTEEN)
    for kind in ("CapInh", "CapAmb"):
        assert int(status_field(seen, kind), 16) == 0
    assert "ro" in mount_options(seen, "/")[0]
    assert {"ro", "nosuid", "nodev"} <= mount_options(seen, "/usr")[0]
    assert "ro" in mount_options(seen, "/sys")[0]


def test_of_the_host_only_programs_can_be_seen(anyone):
    secret = anyone.dir / "secret"
    secret.write_text("of the host")
    assert set(anyone.sh("ls -A /").split()) <= set("bin dev etc home lib lib32 lib64 libx32 nix gnu proc root run sbin "
                                                     "sys tmp usr var".split())
    assert anyone.sh("ls -A /tmp /run /home /root /var/tmp | grep -v : | grep .", status=None) == ""
    for path in (secret, "/etc/shadow", "/etc/ssh", "/etc/ssl/private", "/boot", "/etc/sudoers", "/etc/machine-id"):
        assert anyone.sh(f"test ! -e {path} && echo gone") == "gone\n"
    assert anyone.sh("cut -d: -f1 /etc/passwd") == "root\nnobody\n"


def test_only_private_places_can_be_written(anyone):
    script = "for d in / /etc /usr /usr/bin /sys /proc/sys/kernel; do (echo x > $d/new) 2>/dev/null && echo $d; done; " \
             "for d in /tmp /run /home /root /var/tmp /dev/shm; do echo x > $d/new && echo $d; done"
    assert anyone.sh(script).split() == "/tmp /run /home /root /var/tmp /dev/shm".split()
    assert anyone.sh("ls -A /tmp") == ""


def test_there_is_no_network_but_loopback(anyone):
    assert anyone.sh("ls /sys/class/net") == "lo\n"
    assert "127.0.0.1" in anyone.sh("cat /etc/hosts")


def test_environment_is_made_anew(anyone):
    names = {line.split("=")[0] for line in anyone.sh("env", env={"SECRET": "x"}).splitlines()}
    assert names <= {"PATH", "HOME", "HOSTNAME", "E2E_TOKEN", "PWD", "SHLVL", "_"}


def test_host_name_is_the_container_name(anyone):
    assert anyone.sh("hostname; cat /etc/hostname", "--name", "abc").split() == ["abc", "abc"]


def test_programs_of_the_host_run(anyone):
    assert anyone.do(command=["python3", "-c", "import ssl, json; print(6 * 7)"]).stdout == "42\n"


# ---- stricter, wider ------------------------------------------------------------------------------

def test_strict(anyone):
    seen = anyone.seen("--secure", "strict")
    assert int(status_field(seen, "CapBnd"), 16) == 0
    assert "noexec" in mount_options(seen, "/tmp")[0]
    assert anyone.sh("cp /usr/bin/true /tmp/t; /tmp/t && echo ran", "--secure", "strict", status=None) == ""
    assert anyone.sh("umask; ulimit -n", "--secure", "strict").split() == ["0077", "1024"]


def test_strict_keeps_to_the_mounts_in_one_more_layer(anyone):
    need("landlock" in open("/sys/kernel/security/lsm").read() if os.path.exists("/sys/kernel/security/lsm") else True,
         "no Landlock")
    # A file that is there already and writable by its mode and mount, but not in a place to write.
    (anyone.dir / "d").mkdir()
    (anyone.dir / "d").chmod(0o777)
    script = "echo x > /d/new && echo wrote"
    flags = ["-v", f"{anyone.dir}/d:/d"]
    assert anyone.sh(script, *flags) == "wrote\n"
    assert anyone.sh(script, *flags, "--landlock", "exec=/", status=None) == ""


def test_privileged_opens_and_says_so(anyone):
    result = anyone.do("--privileged", "-v", f"{anyone.probe_program}:/run/probe:ro", command=["/run/probe"])
    assert "warning: --privileged opens: all capabilities" in result.stderr
    seen = json.loads(result.stdout)
    assert seen["noNewPrivileges"] == 0
    assert status_field(seen, "Seccomp") == "0"
    if anyone.user is None and IS_ROOT:
        assert int(status_field(seen, "CapEff"), 16) == own_caps("CapEff")
    assert anyone.sh("mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted", "--privileged") == "mounted\n"
    assert anyone.sh("mkdir /tmp/m && mount -t tmpfs none /tmp/m && echo mounted", status=None) == ""


def test_capabilities_by_hand(anyone):
    seen = anyone.seen("--cap-drop", "ALL", "--cap-add", "net_bind_service")
    assert int(status_field(seen, "CapEff"), 16) == caps_mask(["NET_BIND_SERVICE"])


def test_added_capabilities_work_for_other_users(root):
    seen = root.seen("--user", "1000", "--cap-add", "NET_RAW")
    assert seen["uid"] == [1000, 1000, 1000]
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(status_field(seen, kind), 16) == caps_mask(["NET_RAW"])
    plain = root.seen("--user", "1000")
    assert int(status_field(plain, "CapEff"), 16) == 0


def test_what_the_caller_lacks_is_named(root):
    missing = caps_mask(["SYS_RESOURCE"]) & ~own_caps("CapEff")
    need(missing, "this root has all capabilities")
    result = root.do("--cap-add", "SYS_RESOURCE", status=125)
    assert "CAP_SYS_RESOURCE" in result.stderr and "operation not permitted" in result.stderr


def test_seccomp_edits_are_in_force(anyone):
    assert anyone.sh("mkdir /tmp/x && echo made", "--security-opt", "seccomp=default,-mkdir,-mkdirat", status=None) == ""
    assert anyone.sh("mkdir /tmp/x && echo made") == "made\n"
    unshare = "unshare -U true && echo made"
    assert anyone.sh(unshare, status=None) == ""
    assert anyone.sh(unshare, "--security-opt", "seccomp=default,+unshare") == "made\n"


def test_sockets_that_exploits_began_with_are_denied(anyone):
    """AF_ALG (CVE-2026-31431: writes to the page cache of the host), AF_VSOCK (to the hypervisor), AF_TIPC, AF_RDS."""
    script = """if True:
        import errno, socket, sys
        for family, kind in ((38, 5), (40, 1), (30, 2), (21, 5), (1, 1), (2, 1), (16, 3)):
            try: socket.socket(family, kind, 0); print(family, "made")
            except OSError as e: print(family, errno.errorcode[e.errno])"""
    said = anyone.do(command=["python3", "-c", script]).stdout.splitlines()
    assert said == ["38 EPERM", "40 EPERM", "30 EPERM", "21 EPERM", "1 made", "2 made", "16 made"]
    open_to_all = anyone.do("--security-opt", "seccomp=unconfined", command=["python3", "-c", script]).stdout
    assert "EPERM" not in open_to_all


def test_hidden_paths(anyone):
    assert anyone.sh("cat /proc/keys | wc -l; ls /sys/firmware | wc -l").split() == ["0", "0"]
    assert anyone.sh("ls /sys/firmware | wc -l", "--security-opt", "unmask=/sys/firmware").strip() == \
        str(len(os.listdir("/sys/firmware")))
    assert anyone.sh("cat /proc/version", "--security-opt", "mask=/proc/version") == ""


def test_every_hidden_path_shows_nothing(anyone):
    # What is not there on this kernel needs no hiding; a directory is empty, a file is a null device.
    there = [p for p in HIDDEN if os.path.exists(p)]
    assert len(there) > 3
    assert anyone.sh(f"for p in {' '.join(there)}; do if [ -d $p ]; then ls -A $p; else cat $p; fi; done") == ""


def test_paths_of_other_kernels_are_hidden_too(containr):
    for flags in ([], ["--secure", "strict"], ["--secure", "dev"]):
        linux = config_of(containr, *flags)["linux"]
        assert [p for p in linux["maskedPaths"] if not p.startswith(THERMAL)] == HIDDEN
        assert len(linux["maskedPaths"]) - len(HIDDEN) == len(glob.glob(THERMAL + "[0-9]*/thermal_throttle"))
        assert linux["readonlyPaths"] == READ_ONLY


def test_no_read_only_path_can_be_written(root):
    paths = [p for p in READ_ONLY if os.path.exists(p)]
    assert len(paths) > 3
    flags = ["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--landlock", "none"]
    said = root.do(*flags, command=["sh", "-c", f"for p in {' '.join(paths)}; do findmnt -no OPTIONS $p | "
                                                "grep -q '^ro' && echo $p; done"]).stdout
    assert said.split() == paths
    assert "Read-only" in root.do(*flags, command=["sh", "-c", "echo 1 >/proc/sys/vm/drop_caches"], status=None).stderr
    assert root.sh("echo 5 >/proc/sys/kernel/shmmni && echo wrote", "--security-opt", "unmask=/proc/sys") == "wrote\n"


def test_options_of_proc(anyone):
    assert anyone.sh("ls -d /proc/1; ls /proc/sys /proc/meminfo 2>/dev/null | wc -l", "--security-opt",
                     "proc-opts=subset=pid").split() == ["/proc/1", "0"]
    assert anyone.sh("cat /proc/meminfo | grep -c MemTotal") == "1\n"


def test_processes_of_others_can_be_hidden(root):
    script = "setpriv --reuid 5 --regid 5 --clear-groups ls -d /proc/1 2>/dev/null; echo end"
    assert root.sh(script, "--security-opt", "proc-opts=hidepid=2") == "end\n"
    assert root.sh(script) == "/proc/1\nend\n"


def test_clocks_can_be_moved(anyone):
    up = time.clock_gettime(time.CLOCK_BOOTTIME)

    def seconds(*flags):
        return float(anyone.sh("cut -d' ' -f1 /proc/uptime", *flags))

    assert seconds("--boottime", "1000000") > up + 999_000
    assert abs(seconds("--timens", "private") - up) < 60


@pytest.mark.parametrize("userns", ["keep-id", "auto", "nomap"])
def test_clocks_can_be_moved_in_any_user_namespace(ranged, userns):
    up = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert float(ranged.sh("cut -d' ' -f1 /proc/uptime", "--userns", userns, "--boottime", "1000000")) > up + 999_000


def test_strict_leaves_no_core_behind(anyone):
    assert anyone.sh("ulimit -c; ulimit -Hc", "--secure", "strict").split() == ["0", "0"]
    assert anyone.sh("ulimit -c 5 && echo raised", "--secure", "strict", status=None) == ""


@pytest.mark.parametrize("option", ["apparmor", "label", "seccomp"])
def test_auto_is_what_the_host_has(anyone, option):
    """What is asked for and not there is an error; who asks for what there is gets that."""
    assert anyone.sh("echo ran", "--security-opt", f"{option}=auto") == "ran\n"


@pytest.mark.parametrize("option,switch", [("apparmor=containr-default", "/sys/module/apparmor/parameters/enabled"),
                                           ("label=type:container_t", "/sys/fs/selinux/enforce"),
                                           ("label=level:s0:c1,c2", "/sys/fs/selinux/enforce")])
def test_what_the_host_lacks_is_an_error(anyone, option, switch):
    need(not os.path.exists(switch), "tests/vm is for hosts that have it")
    result = anyone.do("--security-opt", option, command=["echo", "ran"], status=125)
    assert "is not active on this host" in result.stderr and "ran" not in result.stdout


def test_what_no_namespace_separates_landlock_does(anyone):
    """With the host's processes and sockets in sight, signals and connections do not leave the container (Linux 6.12)."""
    if landlock_abi() < 6:
        pytest.skip("scopes need Landlock ABI 6")
    other = subprocess.Popen(["sleep", "100"], user=anyone.user)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{anyone.token}")
        server.listen()
        script = f"""if True:
            import os, socket
            for name, act in (("signal", lambda: os.kill({other.pid}, 0)),
                              ("socket", lambda: socket.socket(socket.AF_UNIX).connect("\\0{anyone.token}"))):
                try: act(); print(name)
                except PermissionError: pass"""
        flags = ["--pid=host", "--network=host"]
        assert anyone.do(*flags, command=["python3", "-c", script]).stdout == ""
        assert anyone.do(*flags, "--landlock", "none", command=["python3", "-c", script]).stdout.split() == ["signal", "socket"]
    other.kill()
    other.wait()


def test_default_landlock_leaves_standard_streams_alone(root):
    # They are files of the host here, which programs open again by name.
    result = root.do(command=["sh", "-c", "echo out > /dev/stdout; echo err > /dev/stderr"])
    assert result.stdout == "out\n" and "err" in result.stderr


# ---- users --------------------------------------------------------------------------------------

def test_user_has_a_home_and_a_name(root):
    lines = root.sh("id -u; id -g; cd; pwd; touch x && echo wrote", "-u", "4321:99").split()
    assert lines == ["4321", "99", "/home/user", "wrote"]


def test_names_of_users_are_those_of_the_root(root):
    bundle = root.bundle()
    flags = ["--rootfs", bundle.rootfs, "-u", "alice"]
    assert root.sh("id -u; id -g; id -G", *flags).split() == ["1000", "1000", "1000", "100"]
    assert root.sh("id -G", "--rootfs", bundle.rootfs, "-u", "alice:users", "--group-add", "users").split() == ["100"]
    result = root.do("--rootfs", bundle.rootfs, "-u", "bob", status=125)
    assert "--user bob: there is no such name in /etc/passwd" in result.stderr


@pytest.mark.parametrize("trap", ["fifo", "link", "directory"])
def test_a_hostile_passwd_does_not_hang_nor_lead_outside(root, trap):
    bundle = root.bundle()
    passwd = bundle.rootfs / "etc/passwd"
    passwd.unlink()
    outside = root.dir / "outside"
    outside.write_text("mallory:x:0:0::/:/bin/sh\n")
    if trap == "fifo":
        os.mkfifo(passwd)
    elif trap == "link":
        passwd.symlink_to(f"../../../../../../..{outside}")
    else:
        passwd.mkdir()
    result = root.do("--rootfs", bundle.rootfs, "-u", "mallory", status=125, timeout=10)
    assert "no such name" in result.stderr


def test_one_id_is_explained(user):
    need(not os.path.exists("/etc/subuid") or f"{user.uid()}:" not in open("/etc/subuid").read(), "has a range of ids")
    result = user.do("-u", "1000", status=125)
    assert "has one id" in result.stderr and "--add-subuids" in result.stderr


def test_root_maps_to_the_user_itself(user):
    assert user.sh("cat /proc/self/uid_map").split() == ["0", str(user.uid()), "1"]


def test_userns_of_root_owns_nothing_of_the_host(root):
    first = int(root.sh("cat /proc/self/uid_map", "--userns=auto").split()[1])
    assert first >= 0x80000
    # What belongs to the host's root is nobody's.
    assert root.sh("stat -c %u /usr", "--userns=auto") == "65534\n"


def test_ranges_of_userns_auto_are_systemds_for_containers(root):
    """524288 to 1879048191 (UIDS-GIDS): no user of the host is among them, whatever the container is called."""
    firsts = set()
    for n in range(40):
        linux = config_of(root.program, "--userns=auto", "--name", f"{root.token}.range{n}")["linux"]
        assert linux["uidMappings"] == linux["gidMappings"] and len(linux["uidMappings"]) == 1
        firsts.add(linux["uidMappings"][0]["hostID"])
    assert len(firsts) > 30 and all(0x80000 <= first <= 0x6fff0000 and (first - 0x80000) % 0x10000 == 0 for first in firsts)


# ---- files --------------------------------------------------------------------------------------

def test_volumes(anyone):
    data = anyone.dir / "data"
    data.mkdir(mode=0o777)
    data.chmod(0o777)
    anyone.sh("echo x > /data/f", "-v", f"{data}:/data")
    assert (data / "f").read_text() == "x\n"
    assert anyone.sh("(echo y > /data/f) 2>/dev/null || echo denied", "-v", f"{data}:/data:ro") == "denied\n"
    assert anyone.sh("cat /deep/er/f", "--mount", f"type=bind,src={data}/f,dst=/deep/er/f,readonly") == "x\n"
    assert not (data / "new").exists()


def test_tmpfs(anyone):
    seen = anyone.seen("--tmpfs", "/scratch:size=1m,mode=700", "--mount", "type=tmpfs,dst=/other,tmpfs-size=2m")
    assert {"nosuid", "nodev", "noexec"} <= mount_options(seen, "/scratch")[0]
    assert "size=1024k" in mount_options(seen, "/scratch")[1]
    assert "size=2048k" in mount_options(seen, "/other")[1]


def test_read_only_root_with_places_to_write(anyone):
    bundle = anyone.bundle()
    flags = ["--rootfs", bundle.rootfs]
    assert anyone.sh("echo x > /new && echo wrote", *flags) == "wrote\n"
    script = "echo x > /another && echo wrote; echo x > /tmp/t && echo tmp"
    assert anyone.sh(script, *flags, "--read-only", status=None) == "tmp\n"
    assert anyone.sh("(echo x > /tmp/t) 2>/dev/null || echo no", *flags, "--read-only", "--read-only-tmpfs=false") == "no\n"


def test_devices(root):
    assert root.sh("test -c /dev/fuse && echo there", "--device", "/dev/fuse") == "there\n" \
        if os.path.exists("/dev/fuse") else True
    assert root.sh("head -c 2 /dev/other | wc -c", "--device", "/dev/zero:/dev/other") == "2\n"
    assert root.sh("mknod /tmp/d b 254 0 && cat /tmp/d", "--cap-add", "MKNOD", status=None) == ""


# ---- namespaces ---------------------------------------------------------------------------------

def test_host_namespaces(anyone):
    script = "readlink /proc/self/ns/pid /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts"
    ours = [os.readlink(f"/proc/self/ns/{kind}") for kind in ("pid", "net", "ipc", "uts")]
    assert anyone.sh(script, "--pid=host", "--network=host", "--ipc=host", "--uts=host").split() == ours
    assert not set(anyone.sh(script).split()) & set(ours)


def test_namespaces_of_another_container(root):
    root.do("-d", "--name", "first", command=["sleep", "60"])
    try:
        pid = root.sh("cat /proc/1/comm", "--pid", "container:first")
        assert pid == "sleep\n"
        script = "readlink /proc/self/ns/net /proc/self/ns/ipc"
        same = [root.sh(script, "--network", "container:first", "--ipc", "container:first") for _ in range(2)]
        assert same[0] == same[1]
    finally:
        root.delete("first")


# ---- limits -------------------------------------------------------------------------------------

def test_limits_of_processes_stay_below_the_callers(anyone):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    assert anyone.sh("ulimit -Hn", "--ulimit", f"nofile=100:{hard}") == f"{hard}\n"
    result = anyone.do("--ulimit", "nofile=100:2000000000", status=125)
    assert "RLIMIT_NOFILE" in result.stderr and "at most 2000000000" in result.stderr
    assert "hint: only CAP_SYS_RESOURCE may go above" in result.stderr


@pytest.mark.controllers
def test_limits_are_set(root):
    def read(*names):
        for name in names:
            if os.path.exists(f"/sys/fs/cgroup/{name.split('/')[0]}") or "/" not in name:
                return root.sh(f"cat /sys/fs/cgroup/{name}", "-m", "64m", "--pids-limit", "20", "--cpus", "0.5").strip()
        raise AssertionError(names)
    assert read("memory/memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert read("pids/pids.max", "pids.max") == "20"
    assert read("cpu/cpu.cfs_quota_us", "cpu.max") in ("50000", "50000 100000")


@pytest.mark.controllers
def test_default_limit_holds(root):
    assert root.sh("cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max") == "2048\n"


@pytest.mark.controllers
def test_without_cgroups_there_is_one_warning(user):
    result = user.do()
    assert result.stderr.count("warning") == 1 and "no limit on processes" in result.stderr
    strict = user.do("--secure", "strict")
    assert strict.stderr.count("warning") == 1 and "no limit on processes and memory: /sys/fs/cgroup" in strict.stderr
    assert "warning" not in user.do("--pids-limit", "-1").stderr
    asked = user.do("-m", "64m", status=125)
    assert "permission denied" in asked.stderr and "leave the limit out" in asked.stderr


# ---- status, streams, names -----------------------------------------------------------------------

@pytest.mark.parametrize("command,status,says", [
    (["sh", "-c", "exit 7"], 7, ""),
    (["sh", "-c", "sh -c 'kill -9 $$'"], 137, ""),
    (["no-such-program"], 127, "executable file not found in $PATH"),
    (["/no/such/program"], 127, "no such file or directory"),
    (["/etc/passwd"], 126, "permission denied"),
    (["/usr"], 126, ""),
])
def test_status(anyone, command, status, says):
    assert says in anyone.do(command=command, status=status).stderr


def test_status_of_our_own_failures(anyone):
    assert anyone("run", "--nonsense", "true", status=125)
    assert anyone("nonsense", status=125)
    assert anyone.do("--rootfs", "/nonexistent", status=125)


def test_standard_input_is_passed_on_when_asked(anyone):
    def feed(*flags):
        read, write = os.pipe()
        os.write(write, b"hello\n")
        os.close(write)
        try:
            return anyone.do(*flags, command=["cat"], stdin=read).stdout
        finally:
            os.close(read)
    assert feed() == ""
    assert feed("-i") == "hello\n"


def test_terminal(anyone):
    try:
        master, slave = open_terminal()
    except OSError as error:
        pytest.skip(f"no terminals here: {error}")
    anyone.popen(*anyone.words(["-it"], ["sh", "-c", "tty; test -t 0 && echo is a terminal; echo $TERM"]), stdin=slave,
                 stdout=slave, stderr=slave)
    os.close(slave)
    text = read_terminal(master)
    os.close(master)
    assert "/dev/pts/0" in text and "is a terminal" in text


def test_shell_by_default(anyone):
    read, write = os.pipe()
    os.write(write, b"echo $0 $((6 * 7))\n")
    os.close(write)
    try:
        assert anyone("run", "-e", f"E2E_TOKEN={anyone.token}", stdin=read).stdout == "/bin/sh 42\n"
    finally:
        os.close(read)


def test_summary_says_what_is_in_force(anyone):
    text = anyone.do("--summary").stderr
    for words in ("read-only", "network       none", "capabilities  14 kept: chown", "no new ones can be gained",
                  "allowed, by the seccomp profile default", "paths of /proc and /sys", "namespaces"):
        assert words in text
    assert "confined" not in anyone.do().stderr
    privileged = anyone.do("--summary", "--privileged").stderr
    assert "all (no seccomp profile)" in privileged and "can be gained" in privileged


def test_detached_container_runs_on(root):
    start = time.monotonic()
    name = root.do("-d", "--name", "later", "--cidfile", root.dir / "cid", command=["sleep", "60"]).stdout.strip()
    try:
        assert time.monotonic() - start < 20
        assert name == "later" and (root.dir / "cid").read_text() == "later"
        again = root.do("--name", "later", status=125)
        assert "later" in again.stderr and "take another name, or remove it" in again.stderr
    finally:
        root.delete("later")


@pytest.mark.controllers
def test_detached_container_holds_nobody_up(root):
    # Pipes end when the command does, not when the container does.
    run = subprocess.run(root.argv(*root.words(["-d", "--name", "quiet"], ["sleep", "60"])), capture_output=True,
                         stdin=subprocess.DEVNULL, env=root.environment(), timeout=20, check=True)
    root.delete("quiet")
    assert run.stdout == b"quiet\n" and run.stderr == b""
    failed = root.do("-d", command=["no-such-program"], status=127)
    assert "no-such-program" in failed.stderr


def test_cidfile_of_another_is_left_alone(anyone):
    (anyone.dir / "cid").write_text("precious")
    result = anyone.do("--cidfile", anyone.dir / "cid", status=125)
    assert "file exists" in result.stderr
    assert (anyone.dir / "cid").read_text() == "precious"


def test_signals_reach_the_program(anyone):
    process = anyone.popen(*anyone.words([], ["sh", "-c", "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done"]))
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 3
    assert process.stdout.read() == b"caught\n"


def test_killed_runtime_leaves_what_delete_removes(root):
    process = root.popen(*root.words(["--name", "orphan"], ["sleep", "60"]))
    wait_until(lambda: (root.root / "orphan/init").exists(), 10, "it runs")
    process.kill()
    process.wait()
    root.delete("orphan")


def test_kept_container_can_be_deleted(root):
    root.do("--keep", "--name", "kept")
    assert (root.root / "kept").exists()
    root.delete("kept")


def test_config_runs_with_the_other_program(root, program):
    bundle = root.bundle()
    text = subprocess.run([root.program, "plan", "--config", "--rootfs", bundle.rootfs, "-e", f"E2E_TOKEN={root.token}",
                           "echo", "from a bundle"], capture_output=True, text=True, check=True).stdout
    (bundle.path / "config.json").write_text(text)
    run = subprocess.run([program, "--root", root.root, "run", "--bundle", bundle.path, f"{root.token}.x"],
                         capture_output=True, text=True, check=True)
    assert run.stdout == "from a bundle\n"


def test_plan_does_nothing(anyone):
    before = sorted(os.listdir(anyone.root))
    text = anyone("plan", "--secure", "strict", "true").stdout
    assert "make an empty root file system in memory" in text and "load the seccomp filter" in text
    assert sorted(os.listdir(anyone.root)) == before
    assert anyone("plan", "--format", "json", "true").json
