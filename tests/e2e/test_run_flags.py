"""What each flag of `containr run` becomes in config.json. `plan --config` needs no privileges and does nothing."""

import json
import os
import shlex
import subprocess

import pytest

from containers import IS_ROOT
from people import config_of, refused

MB = 1024 * 1024
#: What Landlock knows of names: what is made, moved, removed, listed and executed.
NAMES = {"execute", "read_dir", "remove_dir", "remove_file", "make_char", "make_dir", "make_reg", "make_sock", "make_fifo",
         "make_block", "make_sym", "refer"}


def get(config, path):
    """The value at "linux.resources.memory.limit", or None."""
    for key in path.split("."):
        if not isinstance(config, dict) or key not in config:
            return None
        config = config[key]
    return config


#: flags, where it goes, what it is there
FRAGMENTS = [
    ("--hostname foo", "hostname", "foo"),
    ("-h foo --domainname bar", "domainname", "bar"),
    ("--annotation a=b --annotation c=d=e", "annotations.c", "d=e"),
    ("-l a=b -l a=c", "annotations.a", "c"),
    ("-l marked", "annotations.marked", ""),
    ("-w /srv", "process.cwd", "/srv"),
    ("-t", "process.terminal", True),
    ("", "process.terminal", False),
    ("--umask 0027", "process.user.umask", 0o027),
    ("-u 5", "process.user.uid", 5),
    ("-u 5:6", "process.user.gid", 6),
    ("-u root", "process.user.uid", 0),
    ("--group-add 7 --group-add 8 --group-add 7", "process.user.additionalGids", [7, 8]),
    ("--oom-score-adj 500", "process.oomScoreAdj", 500),
    ("--ulimit nofile=10:20", "process.rlimits",
     [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}]),
    ("--ulimit core=0 --ulimit core=5", "process.rlimits",
     [{"type": "RLIMIT_CORE", "soft": 5, "hard": 5}]),
    ("--ulimit stack=-1", "process.rlimits",
     [{"type": "RLIMIT_STACK", "soft": 2**64 - 1, "hard": 2**64 - 1}]),
    ("--ulimit host", "process.rlimits", []),
    ("", "process.noNewPrivileges", True),
    ("--security-opt no-new-privileges=false", "process.noNewPrivileges", False),
    ("--security-opt no-new-privileges:false --security-opt no-new-privileges",
     "process.noNewPrivileges", True),
    ("--privileged", "process.noNewPrivileges", False),
    ("--privileged --security-opt no-new-privileges", "process.noNewPrivileges", True),
    ("--entrypoint /bin/echo", "process.args", ["/bin/echo", "true"]),
    ("--personality LINUX32", "linux.personality.domain", "LINUX32"),
    ("--sysctl net.ipv4.ip_forward=1", "linux.sysctl", {"net.ipv4.ip_forward": "1"}),
    ("--read-only", "root.readonly", True),
    ("-m 100m", "linux.resources.memory.limit", 100 * MB),
    ("-m 1.5g", "linux.resources.memory.limit", 1536 * MB),
    ("--memory 65536", "linux.resources.memory.limit", 65536),
    ("-m512kb", "linux.resources.memory.limit", 512 * 1024),
    ("-m 2GiB", "linux.resources.memory.limit", 2048 * MB),
    ("-m 0", "linux.resources.memory.limit", None),
    ("-m 100m --memory-swap -1", "linux.resources.memory.swap", -1),
    ("-m 100m --memory-swap 150m", "linux.resources.memory.swap", 150 * MB),
    ("--memory-reservation 10m", "linux.resources.memory.reservation", 10 * MB),
    ("--memory-swappiness 7", "linux.resources.memory.swappiness", 7),
    ("--memory-swappiness -1", "linux.resources.memory.swappiness", None),
    ("--oom-kill-disable", "linux.resources.memory.disableOOMKiller", True),
    ("--cpus 1.5", "linux.resources.cpu.quota", 150000),
    ("--cpus 0.25", "linux.resources.cpu.period", 100000),
    ("--cpus 0", "linux.resources.cpu.quota", None),
    ("-c 512", "linux.resources.cpu.shares", 512),
    ("--cpu-period 5000 --cpu-quota 2500", "linux.resources.cpu.quota", 2500),
    ("--cpuset-cpus 0-3,5", "linux.resources.cpu.cpus", "0-3,5"),
    ("--cpuset-mems 0", "linux.resources.cpu.mems", "0"),
    ("--pids-limit 50", "linux.resources.pids.limit", 50),
    ("--pids 50", "linux.resources.pids.limit", 50),
    ("--pids-limit -1", "linux.resources.pids.limit", None),
    ("--blkio-weight 300", "linux.resources.blockIO.weight", 300),
    ("--cgroup-conf memory.high=123", "linux.resources.unified", {"memory.high": "123"}),
    ("--cgroup-parent /mine --name ab", "linux.cgroupsPath", "/mine/ab"),
    ("--security-opt seccomp=unconfined", "linux.seccomp", None),
    ("--privileged", "linux.seccomp", None),
    ("--security-opt systempaths=unconfined", "linux.maskedPaths", []),
    ("--privileged", "linux.readonlyPaths", []),
    ("--security-opt unmask=ALL", "linux.maskedPaths", []),
    ("--monotonic 5", "linux.timeOffsets.monotonic.secs", 5),
    ("--timens private --boottime -3", "linux.timeOffsets.boottime.secs", -3),
    ("--security-opt seccomp=unconfined --security-opt seccomp=auto", "linux.seccomp.defaultAction", "SCMP_ACT_ERRNO"),
]


@pytest.mark.parametrize("flags,path,want", FRAGMENTS, ids=[f"{f} {p}" for f, p, _ in FRAGMENTS])
def test_flag_becomes(containr, flags, path, want):
    if not IS_ROOT and flags.startswith(("-u 5", "--group-add")):
        pytest.skip("an ordinary user has one id")
    assert get(config_of(containr, *shlex.split(flags)), path) == want


#: flags, and what the message must say
REFUSED = [
    ("--memry 1g", "did you mean --memory?"),
    ("--red-only", "did you mean --read-only?"),
    ("-m 5x", "--memory 5x: expected a size"),
    ("-m -5", "--memory -5: expected a size"),
    ("-m 99999999999999g", "--memory 99999999999999g: expected a size"),
    ("-m 100m --memory-swap 50m", "--memory-swap 50m"),
    ("--cpus two", "--cpus two: expected a number"),
    ("--cpus 0.001", "--cpus 0.001"),
    ("--cpus 1 --cpu-quota 5", "expected one of them"),
    ("--pids-limit many", "--pids-limit many: expected a whole number"),
    ("--cap-add NET_ADMN", "did you mean NET_ADMIN?"),
    ("--cap-drop cap_chwon", "did you mean CHOWN?"),
    ("--cap-add ALL --cap-drop ALL", "expected one of them"),
    ("--ulimit nofil=1", "did you mean nofile?"),
    ("--ulimit nofile=5:1", "soft is above hard"),
    ("--ulimit nofile=x", "--ulimit nofile=x"),
    ("-u nosuchuser", "--user nosuchuser: there is no such name"),
    ("-u 4294967295", "--user 4294967295: expected a number up to 4294967294"),
    ("-u -1", "--user -1"),
    ("-u 99999999999", "--user 99999999999"),
    ("--group-add nosuchgroup", "--group-add nosuchgroup"),
    ("--umask 8", "--umask 8: expected an octal mode"),
    ("-w here", "--workdir here: expected an absolute path"),
    ("-e =x", "--env =x: expected NAME=VALUE"),
    ("--env-file /nonexistent/file", "--env-file /nonexistent/file: no such file"),
    ("--network bridge", "--network bridge: is not supported"),
    ("--network hots", "--network hots: expected none, host"),
    ("--pid mine", "--pid mine: expected private, host"),
    ("--pid container:nosuch", "--pid container:nosuch: container nosuch does not exist"),
    ("--userns other", "--userns other: expected host, auto"),
    ("--uts host -h x", "--hostname: would change the host's name"),
    ("-v data:/data", "named volumes are not supported"),
    ("-v /data", "expected HOST:CONTAINER"),
    ("-v /nonexistent/dir:/data", "/nonexistent/dir: no such file or directory"),
    ("-v /tmp:data", "must be absolute"),
    ("-v /tmp:/", "must be absolute and not /"),
    ("-v /tmp:/data:r0", "unknown option r0"),
    ("-v /tmp:/data:U", "U is not supported"),
    ("--mount src=/tmp,dst=/x", "type=bind or type=tmpfs"),
    ("--mount type=volume,src=a,dst=/x", "type volume is not supported"),
    ("--mount type=bind,src=/tmp", "dst=PATH"),
    ("--mount type=tmpfs,dst=/x,tmpfs-mode=9", "octal"),
    ("--tmpfs tmp", "must be absolute"),
    ("--device /dev/nosuch", "/dev/nosuch: no such file or directory"),
    ("--device /etc/passwd", "is not a device"),
    ("--device /dev/null:/dev/x:q", "expected HOST[:CONTAINER][:rwm]"),
    ("--device-cgroup-rule nonsense", "expected a rule such as 'c 1:3 rwm'"),
    ("--sysctl kernel.panic=1", "--sysctl: linux.sysctl"),
    ("--sysctl net.x", "--sysctl net.x: expected NAME=VALUE"),
    ("--security-opt secomp=x", "did you mean seccomp?"),
    ("--security-opt seccomp=/nonexistent", "--security-opt seccomp"),
    ("--security-opt seccomp=default,+ptrce", "did you mean +ptrace?"),
    ("--security-opt systempaths=open", "expected unconfined"),
    ("--security-opt mask=proc", "expected absolute paths"),
    ("--security-opt proc-opts", "expected a value"),
    ("--security-opt proc-opts=hidepid=2 --userns=auto --pid=host", "/proc is the host's own"),
    ("--security-opt label=types:x", "label=types:x: expected disable, or user:"),
    ("--timens mine", "--timens mine: expected private, host"),
    ("--timens host --boottime 5", "--monotonic or --boottime"),
    ("--boottime now", "--boottime now: expected a whole number"),
    ("--secure paranoid", "--secure paranoid: expected strict, default or dev"),
    ("--landlock read=etc", "expected an absolute path"),
    ("--landlock connect=70000", "a port up to 65535"),
    ("--landlock everything", "expected default"),
    ("--rootfs /nonexistent/root", "--rootfs /nonexistent/root"),
    ("--rootfs /", "the whole host"),
    ("--name x/y", "--name x/y"),
    ("--name -x", "--name -x"),
    ("--blkio-weight 5", "expected 10 to 1000"),
    ("--device-read-bps /dev/null:1mb", "is no block device"),
    ("--read-only=maybe", "expected true or false"),
    ("--rm --keep", "expected one of them"),
    ("--annotation novalue", "expected NAME=VALUE"),
    ("--uidmap 0", "--uidmap 0: expected INSIDE:OUTSIDE"),
]


#: Bad limits: the flag, the value and what is allowed (tests/unit/test_bad_resources.c has those of config.json).
BAD_LIMITS = [
    ("--memory 1k", "--memory: linux.resources.memory.limit: 1024 bytes", "at least 98304"),
    ("--memory 5mib5", "--memory 5mib5", "a size such as 512m"),
    ("--memory-reservation x", "--memory-reservation x", "a size such as 512m"),
    ("--memory-swap x", "--memory-swap x", "a size such as 512m"),
    ("--kernel-memory x", "--kernel-memory x", "a size such as 512m"),
    ("--memory-swappiness 101", "--memory-swappiness 101", "-1 to 100"),
    ("--memory-swappiness x", "--memory-swappiness x", "-1 to 100"),
    ("--cpus -1", "--cpus -1", "a number such as 2 or 1.5"),
    ("--cpus 99999999999999", "--cpus 99999999999999", "a number such as"),
    ("--cpu-shares -1", "--cpu-shares -1", "from 0 on"),
    ("--cpu-shares 1", "--cpu-shares: linux.resources.cpu.shares: 1", "2 to 262144"),
    ("--cpu-shares 262145", "--cpu-shares: linux.resources.cpu.shares: 262145", "2 to 262144"),
    ("--cpu-period 5", "--cpu-period: linux.resources.cpu.period: 5", "1000 to 1000000 microseconds"),
    ("--cpu-period 2000000", "--cpu-period: linux.resources.cpu.period: 2000000", "1000 to 1000000"),
    ("--cpu-quota 5", "linux.resources.cpu.quota: 5", "at least 1000 microseconds, or -1"),
    ("--cpu-quota x", "--cpu-quota x", "a whole number"),
    ("--cpu-rt-runtime x", "--cpu-rt-runtime x", "a whole number"),
    ("--cpu-rt-period -1", "--cpu-rt-period -1", "from 0 on"),
    ("--cpuset-cpus 3-1", '--cpuset-cpus: linux.resources.cpu.cpus: "3-1"', '"0-3,7"'),
    ("--cpuset-mems 0,", '--cpuset-mems: linux.resources.cpu.mems: "0,"', '"0-3,7"'),
    ("--pids-limit 99999999", "--pids-limit: linux.resources.pids.limit: 99999999", "at most 4194304, or -1"),
    ("--pids-limit -2", "--pids-limit -2", "from -1 on"),
    ("--blkio-weight 1001", "--blkio-weight 1001", "0 to 1000"),
    ("--blkio-weight-device /dev/sda", "--blkio-weight-device /dev/sda", "DEVICE:NUMBER"),
    ("--device-read-bps x", "--device-read-bps x", "DEVICE:RATE"),
    ("--device-write-bps /nowhere:1m", "--device-write-bps /nowhere:1m", "no such file"),
    ("--device-read-iops /dev/null:x", "--device-read-iops /dev/null:x", "is no block device"),
    ("--cgroup-conf memory.high", "--cgroup-conf memory.high", "FILE=VALUE"),
    ("--cgroup-conf memory=5", '--cgroup-conf: linux.resources.unified: "memory"', '"memory.high"'),
    ("--cgroup-conf ../x.y=5", '--cgroup-conf: linux.resources.unified: "../x.y"', '"memory.high"'),
]


@pytest.mark.controllers
@pytest.mark.parametrize("flags,value,allowed", BAD_LIMITS, ids=[row[0] for row in BAD_LIMITS])
def test_bad_limits_name_flag_value_and_range(containr, flags, value, allowed):
    message = refused(containr, *shlex.split(flags))
    assert value in message and allowed in message, message


@pytest.mark.parametrize("flags,says", REFUSED, ids=[f for f, _ in REFUSED])
def test_refused_with_the_flag_named(containr, flags, says):
    message = refused(containr, *shlex.split(flags))
    assert says in message
    assert "config.json:" not in message


@pytest.mark.parametrize("flag", ["-p 80:80", "-P", "--publish 1:1", "--dns 1.1.1.1", "--init", "--restart always",
                                  "--ip 1.2.3.4", "--health-cmd x", "--detach-keys a", "--attach stdout",
                                  "--gpus all", "--volumes-from x", "--add-host a:1.1.1.1"])
def test_what_is_not_there_yet_is_refused_by_name(containr, flag):
    run = subprocess.run([containr, "run", *shlex.split(flag), "true"], capture_output=True, text=True, check=False)
    assert run.returncode == 125
    assert "is not supported" in run.stderr


# ---- more than one place ------------------------------------------------------------------------

def caps(config, kind):
    return set(config["process"]["capabilities"][kind])


FOURTEEN = {f"CAP_{name}" for name in """CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP
    NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE""".split()}


def test_capabilities_of_root(containr):
    config = config_of(containr)
    assert caps(config, "bounding") == caps(config, "effective") == caps(config, "permitted") == FOURTEEN
    assert caps(config, "inheritable") == caps(config, "ambient") == set()


@pytest.mark.parametrize("flags,want", [
    ("--cap-drop ALL", set()),
    ("--cap-drop all --cap-add chown", {"CAP_CHOWN"}),
    ("--cap-add CAP_NET_ADMIN", FOURTEEN | {"CAP_NET_ADMIN"}),
    ("--cap-add cap_net_admin --cap-drop=Mknod,NET_RAW", FOURTEEN - {"CAP_MKNOD", "CAP_NET_RAW"} | {"CAP_NET_ADMIN"}),
])
def test_capabilities_by_flags(containr, flags, want):
    assert caps(config_of(containr, *shlex.split(flags)), "bounding") == want


def test_only_added_capabilities_reach_another_user(as_root, containr):
    config = config_of(containr, "-u", "1000", "--cap-add", "NET_RAW", "--cap-add", "NET_ADMIN")
    added = {"CAP_NET_RAW", "CAP_NET_ADMIN"}
    assert caps(config, "bounding") == FOURTEEN | added
    for kind in ("effective", "permitted", "inheritable", "ambient"):
        assert caps(config, kind) == added


def mounts(config):
    return {mount["destination"]: mount for mount in config["mounts"]}


def test_a_mount_that_is_asked_for_replaces_the_usual_one(containr, tmp_path):
    config = config_of(containr, "--tmpfs", "/tmp:size=1m", "-v", f"{tmp_path}:/dev/shm", "-v", f"{tmp_path}:/a/b/c",
                       "-v", f"{tmp_path}:/a")
    assert len(mounts(config)) == len(config["mounts"])
    assert "size=1m" in mounts(config)["/tmp"]["options"]
    assert mounts(config)["/dev/shm"]["type"] == "bind"
    order = [mount["destination"] for mount in config["mounts"]]
    assert order.index("/a") < order.index("/a/b/c")


def test_volumes_give_no_privileges_unless_asked(containr, tmp_path):
    plain = mounts(config_of(containr, "-v", f"{tmp_path}:/v"))["/v"]["options"]
    assert plain == ["rbind", "nosuid", "nodev"]
    asked = mounts(config_of(containr, "-v", f"{tmp_path}:/v:ro,suid,rslave"))["/v"]["options"]
    assert asked == ["rbind", "nosuid", "nodev", "rro", "suid", "rslave"]


def test_of_the_host_only_programs_are_there(containr):
    sources = {mount["source"] for mount in config_of(containr)["mounts"] if mount["type"] == "bind"}
    assert "/usr" in sources
    assert all(source == "/usr" or source.startswith(("/etc/", "/bin", "/sbin", "/lib", "/nix/", "/gnu/"))
               for source in sources)
    for secret in ("shadow", "ssh", "sudoers", "private", "passwd", "machine-id"):
        assert not any(secret in source for source in sources)
    for mount in config_of(containr)["mounts"]:
        if mount["type"] == "bind":
            assert {"rro", "rnosuid", "rnodev"} <= set(mount["options"])


def namespaces(config):
    return {row["type"]: row.get("path") for row in config["linux"]["namespaces"]}


def test_namespaces(containr):
    fresh = namespaces(config_of(containr))
    assert {"pid", "mount", "network", "ipc", "uts", "cgroup"} <= set(fresh)
    assert not any(fresh.values()) and "time" not in fresh
    assert namespaces(config_of(containr, "--timens=private"))["time"] is None
    assert namespaces(config_of(containr, "--timens=ns:/run/time"))["time"] == "/run/time"
    shared = namespaces(config_of(containr, "--pid=host", "--net=host", "--ipc=host", "--uts=host", "--cgroupns=host"))
    assert set(shared) - {"user"} == {"mount"}
    joined = namespaces(config_of(containr, "--network", "ns:/run/netns/x"))
    assert joined["network"] == "/run/netns/x"


def test_root_takes_a_range_of_its_own_for_userns_auto(as_root, containr):
    one = config_of(containr, "--userns=auto", "--name", "one")["linux"]["uidMappings"]
    two = config_of(containr, "--userns=auto", "--name", "two")["linux"]["uidMappings"]
    assert one[0]["size"] == 65536 and one[0]["hostID"] >= 0x80000
    assert one != two


def test_environment(containr, tmp_path):
    (tmp_path / "env").write_text("# comment\nA=1\nB=2 and more\n\nPASSED_ON\n")
    run = subprocess.run([containr, "plan", "--config", "--env-file", tmp_path / "env", "-e", "A=3", "-e", "NOT_SET", "x"],
                         env={"PASSED_ON": "yes", "SECRET": "no", "PATH": os.environ["PATH"]}, capture_output=True,
                         text=True, check=True)
    env = dict(entry.split("=", 1) for entry in json.loads(run.stdout)["process"]["env"])
    assert env["A"] == "3" and env["B"] == "2 and more" and env["PASSED_ON"] == "yes"
    assert "SECRET" not in env and "NOT_SET" not in env
    assert env["PATH"].startswith("/usr/local/sbin:")


def test_devices_are_denied_but_for_those_asked_for(as_root, containr):
    config = config_of(containr, "--device", "/dev/null:/dev/other:r", "--device-cgroup-rule", "c 10:* rwm")
    rules = config["linux"]["resources"]["devices"]
    assert rules[0] == {"allow": False, "access": "rwm"}
    assert {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"} in rules
    assert {"allow": True, "type": "c", "major": 10, "minor": -1, "access": "rwm"} in rules
    assert config["linux"]["devices"][0]["path"] == "/dev/other"


#: Of Docker (moby/profiles, 29) and podman, whatever this kernel has.
MASKED = """/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug
            /proc/scsi /proc/timer_list /proc/timer_stats /sys/dev/block /sys/devices/virtual/powercap /sys/firmware
            /sys/fs/selinux""".split()
READ_ONLY = "/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger".split()


def test_hidden_paths_are_at_least_those_of_docker_and_podman(containr):
    linux = config_of(containr)["linux"]
    assert set(MASKED) <= set(linux["maskedPaths"])
    assert set(READ_ONLY) <= set(linux["readonlyPaths"])


def test_thermal_counters_of_every_processor_are_hidden(as_root, containr, tmp_path):
    cpus = ["cpu0", "cpu1", "cpu11"]
    for cpu in cpus:
        (tmp_path / cpu / "thermal_throttle").mkdir(parents=True)
    (tmp_path / "possible").write_text("0-1,10-11\n")
    run = subprocess.run(["unshare", "--mount", "sh", "-c", f"mount --bind {tmp_path} /sys/devices/system/cpu && "
                          f"{containr} plan --config true"], capture_output=True, text=True, check=True)
    masked = json.loads(run.stdout)["linux"]["maskedPaths"]
    assert [p for p in masked if "thermal" in p] == [f"/sys/devices/system/cpu/{cpu}/thermal_throttle" for cpu in cpus]


def test_hidden_paths_can_be_added_and_taken_back(containr):
    usual = config_of(containr)["linux"]["maskedPaths"]
    assert {"/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/acpi"} <= set(usual)
    changed = config_of(containr, "--security-opt", "mask=/a:/b", "--security-opt", "unmask=/proc/k*")["linux"]
    assert set(changed["maskedPaths"]) == set(usual) - {"/proc/kcore", "/proc/keys"} | {"/a", "/b"}


def test_seccomp_profile_is_resolved_for_the_capabilities(containr):
    def allowed(*flags):
        rows = config_of(containr, *flags)["linux"]["seccomp"]["syscalls"]
        assert not any("includes" in row or "excludes" in row for row in rows)
        return {name for row in rows if row["action"] == "SCMP_ACT_ALLOW" for name in row["names"]}

    assert "bpf" not in allowed() and "read" in allowed()
    assert "bpf" in allowed("--cap-add", "BPF")
    edited = allowed("--security-opt", "seccomp=default,+bpf,-mkdir")
    assert "bpf" in edited and "mkdir" not in edited
    assert "io_uring_setup" not in allowed("--security-opt", "seccomp=docker-default")


def test_seccomp_profile_of_a_file(containr, tmp_path):
    profile = tmp_path / "p.json"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["ptrace"], "action": "SCMP_ACT_KILL"}]}')
    assert config_of(containr, "--security-opt", f"seccomp={profile}")["linux"]["seccomp"]["defaultAction"] == "SCMP_ACT_ALLOW"
    profile.write_text('{"defaultAction": "SCMP_ACT_ALOW"}')
    message = refused(containr, "--security-opt", f"seccomp={profile}")
    assert "p.json:1:19" in message and "SCMP_ACT_ALOW" in message


# ---- presets ------------------------------------------------------------------------------------

@pytest.mark.parametrize("preset", ["default", "strict", "dev"])
def test_a_preset_is_its_flags(containr, tmp_path, preset):
    line = subprocess.run([containr, "plan", "--flags", "--secure", preset, "--name", "ab", "-e", "A=b c", "--", "true", "x"],
                          capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    words = shlex.split(line.replace("\\\n", ""))
    assert words[:2] == ["containr", "run"] and words[-2:] == ["true", "x"]
    assert not any(word.startswith("--secure") for word in words)
    plain = subprocess.run([containr, "plan", "--config", *words[2:]], capture_output=True, text=True, check=True).stdout
    preset = subprocess.run([containr, "plan", "--config", "--secure", preset, "--name", "ab", "-e", "A=b c", "true", "x"],
                            capture_output=True, text=True, check=True, cwd=tmp_path).stdout
    assert json.loads(plain) == json.loads(preset)


def test_strict_is_stricter(containr):
    config = config_of(containr, "--secure=strict")
    assert caps(config, "bounding") == set()
    assert "noexec" in mounts(config)["/tmp"]["options"]
    names = {n for row in config["linux"]["seccomp"]["syscalls"] if row["action"] == "SCMP_ACT_ALLOW" for n in row["names"]}
    assert not names & {"ptrace", "io_uring_setup", "keyctl", "personality"}


@pytest.mark.parametrize("preset,handled", [("strict", {"all"}), ("default", NAMES), ("dev", NAMES)])
def test_landlock_of_the_presets(containr, preset, handled):
    """Strict rules out what the mounts rule out, once more; the others only names and programs."""
    rules = json.loads(config_of(containr, "--secure", preset)["annotations"]["run.containr.landlock"])
    assert set(rules["ruleset"]["handledAccessFS"]) == handled
    writable = {path for row in rules["rules"]["pathBeneath"] if "all" in row["allowedAccess"] for path in row["paths"]}
    assert {"/tmp", "/dev", "/proc"} <= writable and not writable & {"/", "/usr", "/etc", "/sys", "/sys/fs/cgroup"}


def test_flags_win_over_the_preset_wherever_they_stand(containr):
    config = config_of(containr, "--cap-add", "CHOWN", "--umask", "0022", "--secure", "strict")
    assert caps(config, "bounding") == {"CAP_CHOWN"}
    assert config["process"]["user"]["umask"] == 0o022


def test_the_same_flags_give_the_same_plan(containr):
    def plan():
        return subprocess.run([containr, "plan", "--rootfs", "/usr", "true"], capture_output=True, text=True, check=True).stdout
    assert plan() == plan()
    assert "seccomp filter" in plan()


def test_options_end_at_the_command(containr):
    assert config_of(containr, command=["ls", "--hostname", "-m"])["process"]["args"] == ["ls", "--hostname", "-m"]
    assert config_of(containr, "--", command=["--version"])["process"]["args"] == ["--version"]


def test_what_is_not_utf8_is_refused(containr):
    run = subprocess.run([os.fsencode(containr), b"plan", b"echo", b"\xff"], capture_output=True, check=False)
    assert run.returncode == 125 and b"is not UTF-8" in run.stderr
