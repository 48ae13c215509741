#!/usr/bin/env python3
"""Writes config.json and options of each case below; test_golden.c makes the plan of each.

One case shows one decision, so each starts from the smallest container there is and changes one
thing. A name says what is shown. Run it after a change here, then UPDATE_GOLDEN=1 for the plans.
"""
import copy
import json
import pathlib
import shutil

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "data"

MINIMAL = {
    "ociVersion": "1.3.0",
    "process": {"args": ["/bin/true"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "root": {"path": "rootfs"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]},
}
MAPS = {
    "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
    "gidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
}
OWN_ID = {
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1}],
}
SUB_IDS = {
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 1},
                    {"containerID": 1, "hostID": 100000, "size": 65536}],
    "gidMappings": [{"containerID": 0, "hostID": 1000, "size": 1},
                    {"containerID": 1, "hostID": 100000, "size": 65536}],
}
FEW_CAPS = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
FILTER = {
    "defaultAction": "SCMP_ACT_ERRNO",
    "architectures": ["SCMP_ARCH_X86_64"],
    "syscalls": [{"names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW"}],
}
LIMITS = {
    "memory": {"limit": 268435456, "swap": 536870912, "reservation": 134217728},
    "cpu": {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0-1", "mems": "0"},
    "pids": {"limit": 100},
}

cases = {}


def namespaces(*types):
    return {"namespaces": [{"type": "mount"}] + [
        t if isinstance(t, dict) else {"type": t} for t in types]}


def mount(destination, kind=None, source=None, *options, **more):
    entry = {"destination": destination}
    if kind:
        entry["type"] = kind
    if source:
        entry["source"] = source
    if options:
        entry["options"] = list(options)
    return entry | more


def case(name, *options, mounts=(), data=None, **changes):
    """Keyword arguments are merged into the sections of config.json of that name."""
    config = copy.deepcopy(MINIMAL)
    if data:
        config = json.loads((DATA / f"{data}.json").read_text())
    for section, value in changes.items():
        if isinstance(value, dict):
            config.setdefault(section, {}).update(copy.deepcopy(value))
        else:
            config[section] = value
    config["mounts"] += list(mounts)
    assert name not in cases, name
    cases[name] = (config, options)


def caps(*names, ambient=()):
    sets = {kind: list(names) for kind in ("bounding", "effective", "permitted")}
    return {"capabilities": sets | ({"ambient": list(ambient), "inheritable": list(ambient)}
                                    if ambient else {})}


# ---- whole containers ---------------------------------------------------------------------------
case("whole-minimal")
case("whole-docker", data="docker")
case("whole-docker-v1", "facts=v1-root", data="docker")
case("whole-docker-hybrid", "facts=hybrid-root", data="docker")
case("whole-docker-run", "run", "facts=v2-root-seed", data="docker")
case("whole-podman", "facts=userns-root", data="podman")
case("whole-runc-spec", "run", data="runc-spec")
case("whole-runc-spec-rootless", "run", "facts=rootless", data="runc-spec-rootless", linux=OWN_ID)

# ---- namespaces ---------------------------------------------------------------------------------
case("ns-all-new", linux=namespaces("pid", "network", "ipc", "uts", "cgroup", "time"))
case("ns-few-share-those-of-the-host", linux=namespaces())
case("ns-network-before-sysfs", linux=namespaces("pid", "network"),
     mounts=[mount("/sys", "sysfs", "sysfs", "ro")])
case("ns-network-after-dev", linux=namespaces("pid", "network"),
     mounts=[mount("/dev", "tmpfs", "tmpfs"), mount("/sys", "sysfs", "sysfs", "ro"),
             mount("/etc/hosts", "bind", "/srv/hosts", "bind"),
             mount("/dev/pts", "devpts", "devpts", "newinstance")])
case("ns-network-before-a-bound-device", linux=namespaces("pid", "network"),
     mounts=[mount("/dev", "tmpfs", "tmpfs"), mount("/sys", "sysfs", "sysfs", "ro"),
             mount("/dev/log", "bind", "/srv/log", "bind"),
             mount("/dev/pts", "devpts", "devpts", "newinstance")])
case("ns-network-before-a-device-elsewhere", linux=namespaces("pid", "network") | {
         "devices": [{"path": "/srv/tun", "type": "c", "major": 10, "minor": 200}]},
     mounts=[mount("/dev", "tmpfs", "tmpfs"), mount("/sys", "sysfs", "sysfs", "ro"),
             mount("/srv", "bind", "/srv/data", "bind")])
case("ns-network-before-a-later-dev", linux=namespaces("pid", "network"),
     mounts=[mount("/sys", "sysfs", "sysfs", "ro"), mount("/dev", "tmpfs", "tmpfs"),
             mount("/dev/pts", "devpts", "devpts", "newinstance")])
case("ns-network-joined", linux=namespaces(
    "pid", {"type": "network", "path": "/run/netns/blue"}))
case("ns-network-without-ptrace", "facts=root-of-a-container", linux=namespaces("pid", "network"),
     mounts=[mount("/sys", "sysfs", "sysfs", "ro")])
case("ns-pid-joined", linux=namespaces({"type": "pid", "path": "/proc/77/ns/pid"}))
case("ns-ipc-and-uts-joined", linux=namespaces(
    "pid", {"type": "ipc", "path": "/proc/77/ns/ipc"}, {"type": "uts", "path": "/proc/77/ns/uts"}))
case("ns-user-joined", linux=namespaces(
    "pid", {"type": "user", "path": "/proc/77/ns/user"},
    {"type": "network", "path": "/proc/77/ns/net"}))
case("ns-time-with-offsets", linux=namespaces("pid", "time") | {
    "timeOffsets": {"monotonic": {"secs": 3600}, "boottime": {"secs": -5, "nanosecs": 7}}})
case("ns-time-with-offsets-of-a-user", "facts=rootless", linux=namespaces("pid", "time", "user") | OWN_ID | {
    "timeOffsets": {"monotonic": {"secs": 3600}, "boottime": {"secs": -5, "nanosecs": 7}}})
case("ns-time-joined", linux=namespaces("pid", {"type": "time", "path": "/proc/77/ns/time"}))
case("ns-mount-missing-is-refused", linux={"namespaces": [{"type": "pid"}]})
case("ns-mount-joined-is-refused", linux={
    "namespaces": [{"type": "mount", "path": "/proc/77/ns/mnt"}]})
case("ns-cgroup-after-joining-it", linux=namespaces("pid", "cgroup") | {"cgroupsPath": "/c1"})

# ---- user namespaces ----------------------------------------------------------------------------
case("user-maps-by-root", linux=namespaces("pid", "user") | MAPS)
case("user-maps-with-network", linux=namespaces("pid", "user", "network") | MAPS)
case("user-own-id-by-anyone", "facts=rootless", linux=namespaces("pid", "user") | OWN_ID)
case("user-sub-ids-by-helper", "facts=rootless", linux=namespaces("pid", "user") | SUB_IDS)
case("user-none-as-anyone", "facts=rootless")
case("user-nested", "facts=userns-root", linux=namespaces("pid", "user") | {
    "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1000}],
    "gidMappings": [{"containerID": 0, "hostID": 0, "size": 1000}]})
case("user-limits-by-the-parent", linux=namespaces("pid", "user") | MAPS, process={
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}], "oomScoreAdj": -500})
case("user-root-is-opened-by-the-host", linux=namespaces("pid", "user") | MAPS,
     mounts=[mount("/data", "bind", "/srv/data", "rbind")])
case("user-root-is-opened-by-init-without-ptrace", "facts=root-of-a-container", linux=namespaces("pid", "user") | MAPS,
     mounts=[mount("/data", "bind", "/srv/data", "rbind")])

# ---- root file system ---------------------------------------------------------------------------
case("root-readonly", root={"readonly": True})
case("root-absolute", root={"path": "/srv/root"})
case("root-shared", linux={"rootfsPropagation": "shared"})
case("root-slave", linux={"rootfsPropagation": "slave"})
case("root-private", linux={"rootfsPropagation": "private"})
case("root-unbindable", linux={"rootfsPropagation": "unbindable"})
case("root-no-pivot", "no-pivot")
case("root-no-pivot-private-is-refused", "no-pivot", linux={"rootfsPropagation": "private"})
case("root-seed-namespace", "facts=v2-root-seed")
case("root-seed-not-with-hooks", "facts=v2-root-seed",
     hooks={"createRuntime": [{"path": "/usr/bin/hook"}]})
case("paths-masked", linux={"maskedPaths": ["/proc/kcore", "/sys/firmware"]})
case("paths-readonly", linux={"readonlyPaths": ["/proc/sys", "/proc/bus"]})
case("paths-both-read-only-first", linux={"maskedPaths": ["/proc/kcore"],
                                          "readonlyPaths": ["/proc/sys"]})

# ---- mounts -------------------------------------------------------------------------------------
case("mount-bind", mounts=[mount("/data", "bind", "/srv/data", "bind")])
case("mount-bind-by-option-only", mounts=[mount("/data", None, "/srv/data", "rbind", "ro")])
case("mount-bind-relative-to-the-bundle", mounts=[mount("/data", "bind", "data", "bind")])
case("mount-bind-flags", mounts=[
    mount("/data", "bind", "/srv/data", "bind", "ro", "nosuid", "nodev", "noexec", "noatime")])
case("mount-bind-recursively-readonly", mounts=[
    mount("/data", "bind", "/srv/data", "rbind", "rro", "rnosuid")])
case("mount-bind-of-a-user", "facts=rootless", linux=namespaces("pid", "user") | OWN_ID,
     mounts=[mount("/data", "bind", "/home/me/data", "rbind", "ro")])
case("mount-propagation", mounts=[
    mount("/a", "bind", "/srv/a", "rbind", "rshared"), mount("/b", "bind", "/srv/b", "bind", "slave"),
    mount("/c", "bind", "/srv/c", "rbind", "rprivate")])
case("mount-tmpfs", mounts=[
    mount("/tmp", "tmpfs", "tmpfs", "nosuid", "nodev", "mode=1777", "size=64m")])
case("mount-tmpfs-with-a-copy", mounts=[mount("/etc", "tmpfs", "tmpfs", "tmpcopyup")])
case("mount-tmpfs-read-only-at-last", mounts=[
    mount("/run", "tmpfs", "tmpfs", "ro"), mount("/run/lock", "tmpfs", "tmpfs")])
case("mount-dev", mounts=[
    mount("/dev", "tmpfs", "tmpfs", "nosuid", "mode=755"),
    mount("/dev/pts", "devpts", "devpts", "newinstance", "ptmxmode=0666", "gid=5"),
    mount("/dev/shm", "tmpfs", "shm", "nosuid", "size=65536k"),
    mount("/dev/mqueue", "mqueue", "mqueue", "nosuid")])
case("mount-dev-read-only-after-devices", mounts=[mount("/dev", "tmpfs", "tmpfs", "ro")])
case("mount-dev-of-the-host", mounts=[mount("/dev", "bind", "/dev", "rbind")])
case("mount-id-mapped", mounts=[
    mount("/data", "bind", "/srv/data", "bind", "idmap", **MAPS)])
case("mount-mapped-without-the-option", mounts=[
    mount("/data", "bind", "/srv/data", "bind", **MAPS)])
case("mount-id-mapped-without-maps-is-refused", mounts=[
    mount("/data", "bind", "/srv/data", "bind", "idmap")])
case("mount-id-mapped-recursively", mounts=[
    mount("/data", "bind", "/srv/data", "rbind", "ridmap", **MAPS)])
case("mount-id-mapped-as-the-container", linux=namespaces("pid", "user") | MAPS,
     mounts=[mount("/data", "bind", "/srv/data", "bind", "idmap")])
case("mount-id-mapped-by-a-user-is-refused", "facts=rootless",
     linux=namespaces("pid", "user") | OWN_ID,
     mounts=[mount("/data", "bind", "/home/me", "bind", "idmap", **OWN_ID)])
OVERLAY = [mount("/o", "overlay", "overlay", "lowerdir=/srv/low", "upperdir=/srv/up", "workdir=/srv/work"),
           mount("/d", "bind", "/srv/data", "rbind", "tmpoverlay", "nosuid")]
case("mount-overlay-of-a-user", "facts=rootless", linux=namespaces("pid", "user") | OWN_ID, mounts=OVERLAY)
case("mount-overlay-of-a-user-with-fuse", "facts=rootless-fuse", linux=namespaces("pid", "user") | OWN_ID,
     mounts=OVERLAY)
case("mount-overlay-of-root-without-dac-override", "facts=few-caps-fuse", linux=namespaces("pid", "user") | MAPS,
     mounts=OVERLAY)
case("mount-overlay-with-options-is-the-kernels", "facts=rootless-fuse", linux=namespaces("pid", "user") | OWN_ID,
     mounts=[mount("/o", "overlay", "overlay", "lowerdir=/srv/low:/srv/more", "xino=on")])
case("mount-overlay-in-pids-of-others-is-the-kernels", "facts=rootless-fuse", linux=namespaces("user") | OWN_ID,
     mounts=OVERLAY)
case("mount-remount", mounts=[mount("/proc", "proc", "proc", "remount", "ro")])
case("mount-proc-file", mounts=[mount("/proc/cpuinfo", "bind", "/srv/cpuinfo", "bind")])
case("mount-below-proc-is-refused", mounts=[mount("/proc/sys", "tmpfs", "tmpfs")])
case("mount-other-at-proc-is-refused", mounts=[mount("/proc", "tmpfs", "tmpfs")])
case("mount-over-root-is-refused", mounts=[mount("/", "tmpfs", "tmpfs")])
case("mount-unmapped-gid-is-refused", "facts=rootless", linux=namespaces("pid", "user") | OWN_ID,
     mounts=[mount("/dev/pts", "devpts", "devpts", "gid=5")])
case("mount-cgroup-v2", linux=namespaces("pid", "cgroup"),
     mounts=[mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro", "nosuid")])
case("mount-cgroup-v1", "facts=v1-root", linux=namespaces("pid", "cgroup"),
     mounts=[mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro")])
case("mount-cgroup-without-its-namespace",
     mounts=[mount("/sys/fs/cgroup", "cgroup", "cgroup", "ro")])
case("mount-label", "facts=v2-root-selinux", linux={"mountLabel": "system_u:object_r:c_t:s0"},
     mounts=[mount("/tmp", "tmpfs", "tmpfs"), mount("/dev/mqueue", "mqueue", "mqueue")])
case("mount-label-without-selinux-is-refused", linux={"mountLabel": "system_u:object_r:c_t:s0"})

# ---- devices ------------------------------------------------------------------------------------
FUSE = {"type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438}
case("device-made", linux={"devices": [FUSE | {"uid": 7, "gid": 8}]})
case("device-bound-in-a-user-namespace", linux=namespaces("pid", "user") | MAPS | {
    "devices": [FUSE]})
case("device-fifo-elsewhere", linux={"devices": [{"type": "p", "path": "/run/pipe"}]})

# ---- hooks --------------------------------------------------------------------------------------
HOOK = {"path": "/usr/bin/hook", "args": ["hook", "x"], "env": ["A=1"], "timeout": 5}
for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
             "poststop"):
    case(f"hook-{kind}", hooks={kind: [HOOK]})
case("hook-createRuntime-in-order", hooks={"prestart": [HOOK], "createRuntime": [HOOK, HOOK],
                                           "createContainer": [HOOK]})
case("hook-createRuntime-after-network", linux=namespaces("pid", "network"),
     hooks={"createRuntime": [HOOK]})

# ---- cgroups ------------------------------------------------------------------------------------
for host in ("v2", "v1", "hybrid"):
    case(f"cgroup-limits-{host}", f"facts={host}-root",
         linux={"cgroupsPath": "/pool/c1", "resources": LIMITS})
case("cgroup-without-a-path")
case("cgroup-relative-path", linux={"cgroupsPath": "pool/c1"})
case("cgroup-none-on-the-host", "facts=no-cgroups")
case("cgroup-limits-without-cgroups", "facts=no-cgroups", linux={"resources": LIMITS})
case("cgroup-of-a-user", "facts=rootless", linux=namespaces("pid", "user") | OWN_ID)
case("cgroup-limits-of-a-user", "facts=rootless",
     linux=namespaces("pid", "user") | OWN_ID | {"resources": {"pids": {"limit": 10}}})
case("cgroup-device-rules-v2", linux={"resources": {"devices": [
    {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229,
                                        "access": "rw"}]}})
case("cgroup-device-rules-v1", "facts=v1-root", linux={"resources": {"devices": [
    {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229,
                                        "access": "rw"}]}})
case("cgroup-unified", linux={"resources": {"unified": {"memory.high": "1000000"}}})
case("cgroup-unified-on-v1-is-refused", "facts=v1-root",
     linux={"resources": {"unified": {"memory.high": "1000000"}}})
case("cgroup-huge-pages", linux={"resources": {"hugepageLimits": [
    {"pageSize": "2MB", "limit": 4194304}]}})
case("cgroup-block-io-v2", linux={"resources": {"blockIO": {
    "weight": 500, "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1048576}]}}})
case("cgroup-block-io-v1", "facts=v1-root", linux={"resources": {"blockIO": {
    "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1048576}]}}})
case("cgroup-by-systemd", "systemd-cgroup")
case("cgroup-by-systemd-limits", "systemd-cgroup",
     linux={"cgroupsPath": "machine.slice:libpod:0a1b", "resources": LIMITS},
     annotations={"org.systemd.property.TimeoutStopSec": "5"})
case("cgroup-by-systemd-v1", "facts=v1-root\nsystemd-cgroup", linux={"resources": {"pids": {"limit": 10}}})
case("cgroup-by-systemd-of-a-user", "facts=rootless\nsystemd-cgroup",
     linux=namespaces("pid", "user") | OWN_ID | {"resources": {"pids": {"limit": 10}}})
case("cgroup-by-systemd-needs-a-slice", "systemd-cgroup", linux={"cgroupsPath": "/pool/c1"})
case("cgroup-by-systemd-bad-property-is-refused", "systemd-cgroup",
     annotations={"org.systemd.property.CollectMode": "inactive"})
case("cgroup-disabled", "no-cgroup", linux=namespaces("pid", "user") | OWN_ID)
case("cgroup-disabled-devices-are-not-limited", "no-cgroup", process=caps("CAP_MKNOD"))
case("cgroup-disabled-limits-are-refused", "no-cgroup", linux={"resources": LIMITS})

# ---- process ------------------------------------------------------------------------------------
case("process-user", process={"user": {"uid": 1000, "gid": 1001, "additionalGids": [5, 6],
                                       "umask": 63}})
case("process-searched-in-path", process={"args": ["true"], "env": ["PATH=/opt/bin:/bin"]})
case("process-searched-in-the-usual-places", process={"args": ["true"]})
case("process-capabilities", process=caps(*FEW_CAPS))
case("process-capabilities-ambient", process={"user": {"uid": 1000, "gid": 1000}} | caps(
    *FEW_CAPS, ambient=["CAP_KILL"]))
case("process-capabilities-we-lack-are-refused", "facts=few-caps", process=caps(*FEW_CAPS))
case("process-capabilities-of-a-user-namespace", "facts=rootless",
     linux=namespaces("pid", "user") | OWN_ID, process=caps(*FEW_CAPS))
case("process-no-new-privileges", process={"noNewPrivileges": True})
case("process-limits", process={
    "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}], "oomScoreAdj": 100})
case("process-scheduler", process={"scheduler": {"policy": "SCHED_BATCH", "nice": 5}})
case("process-io-priority", process={"ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4}})
case("process-exec-affinity-is-for-exec", process={
    "execCPUAffinity": {"initial": "0", "final": "1"}})
case("process-personality", linux={"personality": {"domain": "LINUX32"}})
case("process-memory-policy", linux={"memoryPolicy": {
    "mode": "MPOL_INTERLEAVE", "nodes": "0-1,3", "flags": ["MPOL_F_STATIC_NODES"]}})
case("process-home-is-set", process={"env": ["HOME=/home/x"]})
case("process-apparmor", "facts=v2-root-apparmor", process={"apparmorProfile": "docker-default"})
case("process-apparmor-missing-is-refused", process={"apparmorProfile": "docker-default"})
case("process-selinux", "facts=v2-root-selinux", process={"selinuxLabel": "system_u:r:c_t:s0"})
case("process-no-new-keyring", "no-new-keyring")
case("process-descriptors", "preserve-fds=2")
case("process-listens", "listen-fds=3")

# ---- seccomp ------------------------------------------------------------------------------------
case("seccomp-last-with-no-new-privileges", linux={"seccomp": FILTER}, process={
    "noNewPrivileges": True} | caps(*FEW_CAPS))
case("seccomp-while-privileged", linux={"seccomp": FILTER}, process={
    "user": {"uid": 1000, "gid": 1000}} | caps(*FEW_CAPS))
case("seccomp-with-an-agent", linux={"seccomp": FILTER | {
    "listenerPath": "/run/agent.sock", "listenerMetadata": "m",
    "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}]}})

# ---- names and settings -------------------------------------------------------------------------
case("names", hostname="box", domainname="example.org", linux=namespaces("pid", "uts"))
case("names-without-namespace-are-refused", hostname="box")
case("sysctl", linux=namespaces("pid", "network", "ipc") | {
    "sysctl": {"net.ipv4.ip_forward": "1", "kernel.msgmax": "65536"}})
case("sysctl-of-a-named-device", linux=namespaces("pid", "network") | {
    "sysctl": {"net/ipv4/conf/eth0.100/forwarding": "1"}})
case("sysctl-of-the-host-is-refused", linux={"sysctl": {"net.ipv4.ip_forward": "1"}})

# ---- network devices, resctrl -------------------------------------------------------------------
case("net-device", linux=namespaces("pid", "network") | {
    "netDevices": {"eth7": {"name": "eth0"}, "eth8": {}}})
case("net-device-into-a-joined-namespace", linux=namespaces(
    "pid", {"type": "network", "path": "/run/netns/blue"}) | {"netDevices": {"eth7": {}}})
case("net-device-without-namespace-is-refused", linux={"netDevices": {"eth7": {}}})
case("resctrl-own-group", linux={"intelRdt": {"l3CacheSchema": "L3:0=f"}})
case("resctrl-named-group", linux={"intelRdt": {"closID": "gold", "schemata": ["MB:0=20"],
                                                "enableMonitoring": True}})

# ---- terminal -----------------------------------------------------------------------------------
case("terminal-of-an-engine", "console-socket=/run/console.sock", process={
    "terminal": True, "consoleSize": {"height": 40, "width": 120}})
case("terminal-of-ours", "run", process={"terminal": True})
case("terminal-of-nobody-is-refused", process={"terminal": True})
case("terminal-detached-is-refused", "run", "detach", process={"terminal": True})
case("terminal-socket-alone-is-refused", "console-socket=/run/console.sock")

# ---- how it is started --------------------------------------------------------------------------
case("start-run-has-no-gate", "run")
case("start-run-detached", "run", "detach", "pid-file=/run/c1.pid")
case("start-create-waits", "pid-file=/run/c1.pid")
case("start-pidfd-socket", "pidfd-socket=/run/pidfd.sock")
case("start-notify-socket", "notify-socket=/run/systemd/notify")
case("start-executable-hidden-beside-init", "run", "view=5")
case("start-executable-hidden-before-init", "run", "view=5",
     linux=namespaces({"type": "pid", "path": "/proc/77/ns/pid"}))

# ---- checkpoint and restore ----------------------------------------------------------------------
case("criu-checkpoint", "checkpoint")
case("criu-checkpoint-lazy-pages", "checkpoint", "lazy-pages")
case("criu-checkpoint-id-mapped-mount-is-refused", "checkpoint",
     mounts=[mount("/data", "bind", "/data", "bind", "idmap", **MAPS)])
case("criu-checkpoint-joined-user-namespace-is-refused", "checkpoint",
     linux=namespaces("pid", {"type": "user", "path": "/proc/77/ns/user"}))
case("criu-restore", "restore", "run", "detach")
case("criu-restore-in-a-user-namespace", "restore", "run", "detach", linux=namespaces("pid", "user") | MAPS,
     mounts=[mount("/data", "bind", "/secret/data", "rbind")])
case("criu-restore-by-systemd", "restore", "run", "detach", "systemd-cgroup", linux={"resources": LIMITS})


def main():
    for old in HERE.iterdir():
        if old.is_dir() and old.name not in cases:
            shutil.rmtree(old)
    for name, (config, options) in cases.items():
        folder = HERE / name
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        (folder / "options").unlink(missing_ok=True)
        if options:
            (folder / "options").write_text("\n".join(options) + "\n")


main()
