"""What the end-to-end tests are written with: bundles, a runtime, and a look for what was left.

The runtime under test is the program in $CONTAINR_OCI (default build/src/cli/containr-oci). The
tests speak runc's command line, so runc and crun can stand in for it where a test itself is in doubt.
"""

import array
import copy
import ctypes
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

TREE = pathlib.Path(__file__).resolve().parents[2]
MUST = os.environ.get("CONTAINR_MUST") == "1"
IS_ROOT = os.geteuid() == 0
#: An ordinary user without an entry in passwd: nothing of the machine needs to change for it.
USER = int(os.environ.get("CONTAINR_TEST_UID", "61234"))
TIMEOUT = float(os.environ.get("CONTAINR_TEST_TIMEOUT", "30"))

APPLETS = (
    "sh cat echo env false true id kill ls mkdir mount ping ps pwd rm sed sleep stat test touch umount "
    "grep head ip hostname readlink tty stty dd mknod chmod chown wc seq unshare nc sync df nslookup"
).split()

CAPABILITIES = """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE
SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE""".split()
DEFAULT_CAPS = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_KILL",
                "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
                "CAP_SYS_CHROOT", "CAP_MKNOD"]


def need(condition, why):
    """Skips the test; with CONTAINR_MUST=1, as in CI, a skip of this kind is a failure."""
    if condition:
        return
    if MUST:
        pytest.fail(f"CONTAINR_MUST=1: {why}")
    pytest.skip(why)


def wait_until(condition, seconds=10, what="condition"):
    """Waits for a condition of the outside world, looking every few milliseconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"still not after {seconds} s: {what}")


def ignore_all_signals():
    """For a child before its exec: by system calls, since libraries refuse to touch signals of their own."""
    ignore = (ctypes.c_uint64 * 4)(signal.SIG_IGN)
    for number in set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP}:
        assert ctypes.CDLL(None).syscall(13, number, ignore, None, 8) == 0  # rt_sigaction


def caps_mask(names):
    """A list of CAP_… as the number that the probe reports."""
    return sum(1 << CAPABILITIES.index(name.removeprefix("CAP_")) for name in names)


def own_caps(field="CapBnd"):
    """The capabilities of this process, as a number."""
    for line in open("/proc/self/status", encoding="ascii"):
        if line.startswith(field):
            return int(line.split()[1], 16)
    raise AssertionError(field)


# ---- configurations -----------------------------------------------------------------------------

def base_config():
    """A small container in the manner of an engine: all namespaces, the usual mounts, few rights."""
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/probe"],
            "env": ["PATH=/bin:/usr/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {kind: list(DEFAULT_CAPS)
                             for kind in ("bounding", "effective", "permitted")},
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs"},
        "hostname": "e2e",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc",
             "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
             "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs",
             "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list",
                            "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                              "/proc/sysrq-trigger"],
        },
    }


def rootless_config(uid, gid):
    """The same for an ordinary user: one id is mapped, the host's network and /sys are bound."""
    config = base_config()
    linux = config["linux"]
    linux["namespaces"].append({"type": "user"})
    linux["uidMappings"] = [{"containerID": 0, "hostID": uid, "size": 1}]
    linux["gidMappings"] = [{"containerID": 0, "hostID": gid, "size": 1}]
    for mount in config["mounts"]:
        mount["options"] = [o for o in mount["options"] if not o.startswith("gid=")]
    return config


def merge(base, change):
    """`change` over `base`, objects key by key; None removes a key."""
    for key, value in change.items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = copy.deepcopy(value)
    return base


def namespace_config(config, kind, path=None):
    """Adds or changes one namespace; path "" takes it away."""
    rows = [row for row in config["linux"]["namespaces"] if row["type"] != kind]
    if path != "":
        rows.append({"type": kind, "path": str(path)} if path else {"type": kind})
    config["linux"]["namespaces"] = rows


def build_static(source, target, *flags):
    """Compiles one C file into a static program, with musl where it is installed."""
    compiler = ["musl-gcc", "-idirafter", "/usr/include",
                "-idirafter", f"/usr/include/{os.uname().machine}-linux-gnu"]
    if not shutil.which("musl-gcc"):
        compiler = ["gcc"]
    subprocess.run([*compiler, "-D_GNU_SOURCE", "-std=gnu17", "-O1", "-Wall", "-static", *flags,
                    "-o", target, source], check=True)


def make_rootfs(target, probe):
    """A root file system of busybox and the probe; hard links, so a copy costs nothing."""
    busybox = shutil.which("busybox")
    need(busybox, "busybox-static is not installed")
    for name in "bin dev etc proc sys tmp root usr/bin var run".split():
        (target / name).mkdir(parents=True, exist_ok=True)
    (target / "tmp").chmod(0o1777)
    shutil.copy2(busybox, target / "bin/busybox")
    shutil.copy2(probe, target / "bin/probe")
    for applet in APPLETS:
        (target / "bin" / applet).symlink_to("busybox")
    (target / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n")
    (target / "etc/group").write_text("root:x:0:\nalice:x:1000:\nusers:x:100:alice\n")


def copy_tree(source, target):
    """Copies a root file system; programs are hard links."""
    subprocess.run(["cp", "-a", "--link", "--", str(source), str(target)], check=True)
    for name in ("etc/passwd", "etc/group"):
        text = (target / name).read_text()
        (target / name).unlink()
        (target / name).write_text(text)


class Bundle:
    """A directory with config.json and rootfs."""

    def __init__(self, path, config):
        self.path = pathlib.Path(path)
        self.config = config
        self.rootfs = self.path / "rootfs"
        self.write()

    def write(self):
        (self.path / "config.json").write_text(json.dumps(self.config, indent=1))


# ---- what is there on the host ------------------------------------------------------------------

def cgroup_dirs(needle):
    """The directories of cgroups, in every hierarchy, whose name contains `needle`."""
    found = []
    for where, names, _files in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(where, name) for name in names if needle in name]
    return found


def mount_lines(needle):
    """The lines of mountinfo that name `needle`."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        return [line for line in file if needle in line]


def processes_with(token):
    """The pids of processes whose environment or command line contains `token`, but not ours."""
    found = []
    needle = token.encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as file:
                if needle in file.read():
                    found.append(int(name))
        except OSError:
            continue
    return found


def describe(pid):
    """One line about a process, for a message."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().replace(b"\0", b" ").decode(errors="replace")
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            state = file.read().rsplit(")", 1)[1].split()[0]
        return f"{pid} {state} {words}"
    except OSError:
        return f"{pid} (gone)"


# ---- the runtime --------------------------------------------------------------------------------

class Result:
    """What a command of the runtime did."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    @property
    def json(self):
        return json.loads(self.stdout)

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.stdout}\nstderr: {self.stderr}"


class Runtime:
    """Runs commands of the program under test, for root or for an ordinary user.

    Each test has one with a state directory, a scratch directory and a token of its own. The token
    is in the environment of everything it starts; close() uses it to look for what was left.
    """

    def __init__(self, program, template, as_user=None):
        self.program = str(program)
        self.template = template
        self.user = as_user
        # Short, below /tmp: paths of sockets have an end at 107 bytes.
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctr-"))
        self.dir.chmod(0o755)
        self.token = "e2e" + self.dir.name[4:].replace("_", "-")
        self.root = self.dir / "state"
        self.root.mkdir(mode=0o700)
        self.ids = []
        self.children = []
        self.count = 0
        if as_user is not None:
            os.chown(self.dir, as_user, as_user)
            os.chown(self.root, as_user, as_user)

    # -- bundles

    def new_id(self):
        self.count += 1
        name = f"{self.token}.{self.count}"
        self.ids.append(name)
        return name

    def bundle(self, change=None, args=None, config=None):
        """A new bundle: base configuration, with `change` merged over it, running `args`."""
        self.count += 1
        path = self.dir / f"b{self.count}"
        path.mkdir()
        copy_tree(self.template, path / "rootfs")
        if config is None:
            config = base_config() if self.user is None and IS_ROOT else \
                rootless_config(self.uid(), self.gid())
        if args is not None:
            config["process"]["args"] = list(args)
        if change is not None:
            if callable(change):
                change(config)
            else:
                merge(config, change)
        # Below the hierarchy's root (or where the test itself is), and with a name to search for.
        config["linux"].setdefault("cgroupsPath", f"/{self.token}-{self.count}")
        if config["linux"]["cgroupsPath"] is Ellipsis or self.user is not None or not IS_ROOT:
            del config["linux"]["cgroupsPath"]
        if "process" in config and "env" in config["process"]:
            config["process"]["env"].append(f"E2E_TOKEN={self.token}")
        bundle = Bundle(path, config)
        if self.user is not None:
            subprocess.run(["chown", "-Rh", f"{self.user}:{self.user}", str(path)], check=True)
        return bundle

    def uid(self):
        return self.user if self.user is not None else os.getuid()

    def gid(self):
        return self.user if self.user is not None else os.getgid()

    # -- commands

    def argv(self, *args):
        prefix = []
        if self.user is not None:
            prefix = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups"]
        return [*prefix, self.program, "--root", str(self.root), *map(str, args)]

    def environment(self, env=None):
        keep = {k: v for k, v in os.environ.items()
                if k in ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LANG", "TMPDIR")}
        return {**keep, "E2E_TOKEN": self.token, **(env or {})}

    def __call__(self, *args, status=0, env=None, stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                 pass_fds=(), fds_from_3=(), cwd=None, text=True, preexec=None):
        """Runs one command; a status other than the one expected (None: any) fails the test.

        Output goes through files: a container that is left running would hold pipes open. The
        command finds the descriptors `fds_from_3` at 3, 4, …
        """
        argv = self.argv(*args)
        if fds_from_3:
            pass_fds = (*pass_fds, *fds_from_3)
            moves = " ".join(f"{3 + n}<&{fd}" for n, fd in enumerate(fds_from_3))
            # LISTEN_PID is that of the program which gets the descriptors.
            argv = ["bash", "-c", f'LISTEN_PID=$$ exec "$@" {moves}', "sh", *argv]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            process = subprocess.Popen(
                argv, stdin=stdin, stdout=out, stderr=error, env=self.environment(env),
                pass_fds=pass_fds, cwd=cwd or self.dir, start_new_session=True, preexec_fn=preexec)
            try:
                code = process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                code = "timeout"
            out.seek(0)
            error.seek(0)
            stdout, stderr = out.read(), error.read()
        if text:
            stdout, stderr = stdout.decode(errors="replace"), stderr.decode(errors="replace")
        result = Result(code, stdout, stderr)
        marks = ("AddressSanitizer", "LeakSanitizer", "runtime error:")
        shown = stderr if text else stderr.decode(errors="replace")
        assert not any(mark in shown for mark in marks), f"a sanitizer's finding:\n{shown}"
        assert code != "timeout", f"{args}: no end after {timeout} s\n{result}"
        if status is not None:
            assert code == status, f"{' '.join(map(str, args))}: expected status {status}\n{result}"
        return result

    def popen(self, *args, env=None, **more):
        """Starts a command and leaves it running; the end of the test ends it."""
        more.setdefault("stdin", subprocess.DEVNULL)
        more.setdefault("stdout", subprocess.PIPE)
        more.setdefault("stderr", subprocess.PIPE)
        process = subprocess.Popen(self.argv(*args), env=self.environment(env), cwd=self.dir,
                                   start_new_session=True, **more)
        self.children.append(process)
        return process

    def run(self, bundle, *flags, id=None, **more):
        """`run` of a bundle to its end."""
        return self("run", "--bundle", bundle.path, *flags, id or self.new_id(), **more)

    def probe(self, change=None, *flags, **more):
        """Runs the probe and returns what it saw."""
        text = self.run(self.bundle(change, args=["/bin/probe"]), *flags, **more).stdout
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            raise AssertionError(f"the probe said: {text!r}") from error

    def shell(self, script, change=None, *flags, **more):
        """Runs a line of shell inside and returns what it printed."""
        return self.run(self.bundle(change, args=["/bin/sh", "-c", script]), *flags, **more).stdout

    def create(self, bundle=None, *flags, id=None, **more):
        """`create`; returns the id."""
        bundle = bundle or self.bundle(args=["/bin/probe", "--wait"])
        id = id or self.new_id()
        self("create", "--bundle", bundle.path, *flags, id, **more)
        return id

    def started(self, bundle=None, *flags, **more):
        """`create` and `start`; returns the id of a container that runs."""
        id = self.create(bundle, *flags, **more)
        self("start", id)
        return id

    def state(self, id):
        return self("state", id).json

    def wait_status(self, id, status, seconds=10):
        wait_until(lambda: self.state(id)["status"] == status, seconds, f"{id} {status}")

    # -- the end

    def leftovers(self):
        """What is still on the host after everything was deleted."""
        left = []
        for pid in processes_with(self.token):
            left.append(f"process {describe(pid)}")
        left += [f"cgroup {path}" for path in cgroup_dirs(self.token)]
        left += [f"mount {line.strip()}" for line in mount_lines(str(self.dir))]
        left += [f"state {path}" for path in self.states()]
        return left

    def states(self):
        """What the state directory has about containers."""
        return sorted(self.root.iterdir())

    def close(self, check=True):
        """Deletes what is there, and fails if anything stays."""
        problems = []
        for process in self.children:
            if process.poll() is None:
                process.kill()
            for stream in (process.stdout, process.stderr):
                if stream:
                    stream.close()
            process.wait()
        for id in self.ids:
            if (self.root / id).exists():
                result = self("delete", "--force", id, status=None)
                if result.status != 0:
                    problems.append(f"delete --force {id}: {result}")
        end = time.monotonic() + 5
        while (left := self.leftovers()) and time.monotonic() < end:
            time.sleep(0.01)
        self.sweep()
        if check:
            assert not problems and not left, "left behind:\n" + "\n".join(problems + left)

    def sweep(self):
        """Removes whatever a broken runtime left, so that one failure does not cause the next."""
        self.sweep_all()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sweep_all(self):
        """Ends all processes, and removes cgroups, mounts and states of this test."""
        for _ in range(100):
            pids = processes_with(self.token)
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                        if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                            break
                except OSError:
                    pass
            time.sleep(0.01)
        for path in sorted(cgroup_dirs(self.token), reverse=True):
            for base, _names, _files in os.walk(path, topdown=False):
                try:
                    freezer = os.path.join(base, "freezer.state")
                    if os.path.exists(freezer):
                        pathlib.Path(freezer).write_text("THAWED")
                    os.rmdir(base)
                except OSError:
                    pass
        for line in reversed(mount_lines(str(self.dir))):
            subprocess.run(["umount", "-l", line.split()[4]], check=False)
        for path in self.root.iterdir() if self.root.exists() else ():
            shutil.rmtree(path, ignore_errors=True)


# ---- receivers ----------------------------------------------------------------------------------

class Receiver:
    """A listening socket that takes one descriptor from the runtime, as an engine does."""

    def __init__(self, path, owner=None):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(self.path)
        if owner is not None:
            os.chown(self.path, owner, owner)
        self.socket.listen(1)
        self.socket.settimeout(TIMEOUT)
        self.fd = None
        self.message = None
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()

    def _take(self):
        try:
            peer, _ = self.socket.accept()
            peer.settimeout(TIMEOUT)
            fds = array.array("i")
            self.message, control, _flags, _from = peer.recvmsg(4096, socket.CMSG_SPACE(8 * 4))
            for level, kind, data in control:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds.frombytes(data[:len(data) - len(data) % fds.itemsize])
            self.fd = fds[0] if fds else None
            peer.close()
        except OSError:
            pass

    def take(self):
        """The descriptor that came."""
        self.thread.join(TIMEOUT)
        assert self.fd is not None, "no descriptor came over the socket"
        return self.fd

    def close(self):
        self.socket.close()
        if self.fd is not None:
            os.close(self.fd)


def read_terminal(fd, seconds=10):
    """All that a terminal prints until its last user closes it."""
    import select
    text = b""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ready, _, _ = select.select([fd], [], [], 0.1)
        if not ready:
            continue
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    return text.decode(errors="replace")


def open_terminal():
    """A pair of pseudo terminal ends, for tests that give the runtime one."""
    return pty.openpty()


def mount_options(seen, target):
    """The options (of the mount, of the super block) of the topmost mount on `target`."""
    for line in reversed(seen["mounts"]):
        words = line.split()
        if words[4] == target:
            dash = words.index("-")
            return set(words[5].split(",")), set(words[dash + 3].split(","))
    return None


def mount_line(seen, target):
    """The words of the topmost mount on `target`."""
    for line in reversed(seen["mounts"]):
        if line.split()[4] == target:
            return line.split()
    return None


def status_field(seen, name):
    """A field of /proc/self/status as the probe saw it."""
    for line in seen["status"]:
        if re.match(rf"{name}:", line):
            return line.split(":", 1)[1].strip()
    return None
