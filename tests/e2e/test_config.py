"""What each key of config.json does, seen from inside by the probe."""

import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import time

import pytest

from containers import (CAPABILITIES, DEFAULT_CAPS, IS_ROOT, USER, caps_mask, cgroup_dirs, mount_line,
                        mount_options, namespace_config, need, own_caps, status_field, wait_until)


def with_mount(**mount):
    """A change that adds one mount."""
    return lambda config: config["mounts"].append(mount)


def process(**change):
    return {"process": change}


# ---- process ------------------------------------------------------------------------------------

def test_args_env_and_cwd(any_rt):
    bundle = any_rt.bundle(process(env=["A=1", "B=two words", "C=", "PATH=/bin"], cwd="/usr/bin"),
                           args=["probe"])
    seen = json.loads(any_rt.run(bundle).stdout)
    assert seen["args"] == ["probe"]
    assert seen["cwd"] == "/usr/bin"
    ours = [e for e in seen["env"] if not e.startswith(("HOME=", "E2E_TOKEN="))]
    assert ours == ["A=1", "B=two words", "C=", "PATH=/bin"]


def test_home_is_set_from_passwd(any_rt):
    assert "HOME=/root" in any_rt.probe()["env"]


def test_cwd_that_is_missing_is_made_or_named(any_rt):
    result = any_rt.run(any_rt.bundle(process(cwd="/not/there"), args=["/bin/pwd"]), status=None)
    assert result.stdout == "/not/there\n" or "/not/there" in result.stderr


def test_user_group_and_umask(rt):
    seen = rt.probe(process(user={"uid": 1000, "gid": 100, "umask": 0o027,
                                  "additionalGids": [5, 4000]}))
    assert seen["uid"] == [1000] * 3 and seen["gid"] == [100] * 3
    assert seen["groups"] == [5, 4000]
    assert seen["umask"] == 0o027


def test_default_umask_and_groups(rt):
    seen = rt.probe()
    assert seen["umask"] == 0o022 and seen["groups"] == []


def test_ordinary_user_in_the_container_has_no_capabilities(rt):
    seen = rt.probe(process(user={"uid": 1000, "gid": 1000}))
    assert seen["caps"]["effective"] == 0 and seen["caps"]["permitted"] == 0
    assert seen["caps"]["bounding"] == caps_mask(DEFAULT_CAPS)


def test_capabilities_are_exactly_those_named(rt):
    sets = {"bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
            "permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"],
            "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"]}
    seen = rt.probe(process(capabilities=sets, user={"uid": 1000, "gid": 1000}))
    assert seen["caps"]["bounding"] == caps_mask(sets["bounding"])
    assert seen["caps"]["inheritable"] == caps_mask(["CAP_KILL"])
    assert seen["caps"]["ambient"] == caps_mask(["CAP_KILL"])
    # Across exec an ordinary user keeps what is ambient.
    assert seen["caps"]["permitted"] == seen["caps"]["effective"] == caps_mask(["CAP_KILL"])


def test_ambient_capabilities_that_cannot_be_had_are_named(rt, only_ours):
    """`runc spec` writes them, without the inheritable set that the kernel wants."""
    names = ["CAP_CHOWN", "CAP_KILL"]
    sets = {kind: names for kind in ("bounding", "effective", "permitted", "ambient")}
    said = rt.run(rt.bundle(process(capabilities={**sets, "inheritable": ["CAP_CHOWN"]}), args=["/bin/true"])).stderr
    assert 'process.capabilities.ambient="CAP_KILL" cannot be had without the same in permitted and inheritable' in said
    assert "CAP_CHOWN" not in said and "not known" not in said


def test_no_capabilities_key_means_none(rt, only_ours):
    caps = rt.probe(process(capabilities=None))["caps"]
    assert caps["effective"] == caps["permitted"] == caps["bounding"] == caps["ambient"] == 0


def test_all_capabilities_that_we_have(rt):
    names = ["CAP_" + name for n, name in enumerate(CAPABILITIES) if own_caps() >> n & 1]
    seen = rt.probe(process(capabilities={k: names for k in ("bounding", "effective", "permitted")}))
    assert seen["caps"]["effective"] == own_caps() & (1 << len(CAPABILITIES)) - 1


def test_capability_that_cannot_be_granted(rt, only_ours):
    missing = ["CAP_" + name for n, name in enumerate(CAPABILITIES) if not own_caps() >> n & 1]
    if not missing:
        pytest.skip("we have all capabilities here")
    result = rt.run(rt.bundle(process(capabilities={"bounding": missing, "effective": missing,
                                                    "permitted": missing}), args=["/bin/true"]),
                    status=1)
    assert missing[0].removeprefix("CAP_").lower() in result.stderr.lower()


@pytest.mark.parametrize("value", [True, False])
def test_no_new_privileges(any_rt, value):
    assert any_rt.probe(process(noNewPrivileges=value))["noNewPrivileges"] == value


def test_rlimits(any_rt):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    rows = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": min(hard, 200)},
            {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
            {"type": "RLIMIT_FSIZE", "soft": 1 << 40, "hard": 1 << 41}]
    seen = any_rt.probe(process(rlimits=rows))
    assert seen["rlimits"]["RLIMIT_NOFILE"] == [100, min(hard, 200)]
    assert seen["rlimits"]["RLIMIT_CORE"] == [0, 0]
    assert seen["rlimits"]["RLIMIT_FSIZE"] == [1 << 40, 1 << 41]


def test_rlimit_that_cannot_be_raised_is_named(user_rt, only_ours):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    row = {"type": "RLIMIT_NOFILE", "soft": hard + 1, "hard": hard + 1}
    result = user_rt.run(user_rt.bundle(process(rlimits=[row])), status=1)
    assert "RLIMIT_NOFILE" in result.stderr


def test_oom_score(rt):
    assert rt.probe(process(oomScoreAdj=250))["oomScoreAdj"] == 250


def test_scheduler(rt, kind):
    if kind == "runc":
        pytest.skip("younger than Debian's runc")
    seen = rt.probe(process(scheduler={"policy": "SCHED_BATCH", "nice": 5}))
    assert seen["scheduler"]["policy"] == 3 and seen["scheduler"]["nice"] == 5


def test_scheduler_idle_with_flag(rt, only_ours):
    seen = rt.probe(process(scheduler={"policy": "SCHED_IDLE",
                                       "flags": ["SCHED_FLAG_RESET_ON_FORK"]}))
    assert seen["scheduler"]["policy"] == 5 and seen["scheduler"]["flags"] & 1


def test_io_priority(rt, only_ours):
    seen = rt.probe(process(ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6}))
    assert seen["ioprio"] == 2 << 13 | 6


def test_cpu_affinity_of_exec(rt, only_ours):
    need(len(os.sched_getaffinity(0)) >= 2, "needs two processors")
    id = rt.started(rt.bundle(process(execCPUAffinity={"initial": "0", "final": "1"}),
                              args=["/bin/probe", "--wait"]))
    assert rt("exec", id, "/bin/probe").json["cpus"] == [1]


@pytest.mark.parametrize("domain,value,machine", [("LINUX", 0, "x86_64"), ("LINUX32", 8, "i686")])
def test_personality(rt, domain, value, machine, only_ours):
    if os.uname().machine != "x86_64":
        pytest.skip("words of x86")
    seen = rt.probe({"linux": {"personality": {"domain": domain}}})
    assert seen["personality"] == value and seen["machine"] == machine


def test_session_keyring_is_a_new_one(rt, kind):
    first, second = rt.probe()["sessionKeyring"], rt.probe()["sessionKeyring"]
    assert first > 0 and second > 0 and first != second


def test_no_new_keyring(rt):
    mine = subprocess.run(["cat", "/proc/keys"], capture_output=True, text=True, check=False).stdout
    seen = rt.probe(None, "--no-new-keyring")
    assert f"{seen['sessionKeyring']:08x}" in mine or seen["sessionKeyring"] < 0 or not mine


def test_a_null_device_among_the_streams_is_the_containers_own(any_rt):
    """The host's would be a way to a mount of the host, and is what criu does not find again."""
    script = ("exec 9</dev/null; for n in 0 9; do grep mnt_id /proc/self/fdinfo/$n; done; "
              "grep -q ^flags:.*2$ /proc/self/fdinfo/0 && echo may be written")
    for stdin in (subprocess.DEVNULL, None):
        with open("/dev/null", encoding="ascii") as null:
            lines = any_rt.run(any_rt.bundle(args=["/bin/sh", "-c", script]), stdin=stdin or null, status=None).stdout.splitlines()
        assert lines[0] == lines[1], "it is of another mount"
        # As it was opened: for reading alone, or for both.
        assert len(lines) == (3 if stdin else 2)


def test_process_is_not_a_child_of_a_death_signal_and_leads_its_session(any_rt):
    seen = any_rt.probe()
    assert seen["deathSignal"] == 0 and seen["sid"] == seen["pid"]
    assert int(status_field(seen, "SigBlk"), 16) == 0
    assert int(status_field(seen, "SigIgn"), 16) == 0


# ---- names --------------------------------------------------------------------------------------

def test_hostname_and_domainname(any_rt, kind):
    change = {"hostname": "web-1.example"}
    if kind != "runc":
        change["domainname"] = "a-domain"
    seen = any_rt.probe(change)
    assert seen["hostname"] == "web-1.example"
    if kind != "runc":
        assert seen["domainname"] == "a-domain"


# ---- root ---------------------------------------------------------------------------------------

def test_root_is_the_bundles(any_rt):
    seen = any_rt.probe()
    assert {"bin", "dev", "proc", "sys"} <= set(seen["root"]) and "boot" not in seen["root"]


def test_readonly_root(any_rt):
    text = any_rt.shell("touch /x 2>&1; touch /dev/shm/x && echo writable",
                        {"root": {"readonly": True}})
    assert "Read-only file system" in text and "writable" in text


def test_root_by_absolute_and_relative_path(any_rt):
    bundle = any_rt.bundle(args=["/bin/echo", "yes"])
    for path in (str(bundle.rootfs), "./rootfs/../rootfs"):
        bundle.config["root"]["path"] = path
        bundle.write()
        assert any_rt.run(bundle).stdout == "yes\n"


def test_root_that_is_not_there(any_rt):
    bundle = any_rt.bundle({"root": {"path": "nowhere"}})
    result = any_rt.run(bundle, status=1)
    assert "nowhere" in result.stderr and "no such file or directory" in result.stderr.lower()


@pytest.mark.parametrize("flags", [["--no-pivot"]])
def test_no_pivot(rt, flags):
    need((os.statvfs("/").f_flag & 1) == 0, "needs a root that can be moved")
    seen = rt.probe(None, *flags)
    assert "boot" not in seen["root"]


# ---- mounts -------------------------------------------------------------------------------------

def test_default_mounts(any_rt):
    seen = any_rt.probe()
    for target, kind in (("/proc", "proc"), ("/dev", "tmpfs"), ("/dev/pts", "devpts"),
                         ("/dev/shm", "tmpfs"), ("/dev/mqueue", "mqueue"), ("/sys", "sysfs")):
        assert mount_line(seen, target), target
        assert kind in mount_line(seen, target)
    assert {"nosuid", "nodev", "noexec"} <= mount_options(seen, "/proc")[0]
    assert {"ro", "nosuid", "nodev", "noexec"} <= mount_options(seen, "/sys")[0]


@pytest.mark.parametrize("option,shown", [
    ("ro", "ro"), ("nosuid", "nosuid"), ("nodev", "nodev"), ("noexec", "noexec"),
    ("noatime", "noatime"), ("relatime", "relatime"), ("nodiratime", "nodiratime"),
])
def test_mount_attributes(any_rt, option, shown):
    seen = any_rt.probe(with_mount(destination="/m", type="tmpfs", source="t",
                                   options=[option, "size=64k"]))
    per_mount, per_super = mount_options(seen, "/m")
    assert shown in per_mount
    assert "size=64k" in per_super


def test_later_option_wins(any_rt):
    seen = any_rt.probe(with_mount(destination="/m", type="tmpfs", source="t",
                                   options=["ro", "noexec", "rw", "exec", "nosuid"]))
    per_mount = mount_options(seen, "/m")[0]
    assert "rw" in per_mount and "noexec" not in per_mount and "nosuid" in per_mount


@pytest.mark.parametrize("writable", [True, False])
def test_bind_mount(any_rt, writable):
    source = any_rt.dir / "data"
    source.mkdir()
    source.chmod(0o777)
    (source / "file").write_text("content\n")
    options = ["rbind", "rw" if writable else "ro"]
    text = any_rt.shell("cat /data/file; touch /data/new 2>/dev/null && echo wrote; true", with_mount(
        destination="/data", type="bind", source=str(source), options=options))
    assert text == "content\n" + ("wrote\n" if writable else "")


def test_bind_mount_of_a_file_makes_its_place(any_rt):
    source = any_rt.dir / "a-file"
    source.write_text("text\n")
    assert any_rt.shell("cat /deep/er/place", with_mount(
        destination="/deep/er/place", type="bind", source=str(source), options=["bind"])) == "text\n"


def test_bind_mount_relative_to_the_bundle(any_rt):
    bundle = any_rt.bundle(with_mount(destination="/data", type="bind", source="data",
                                      options=["bind"]), args=["/bin/cat", "/data/f"])
    (bundle.path / "data").mkdir()
    (bundle.path / "data/f").write_text("near\n")
    assert any_rt.run(bundle).stdout == "near\n"


def test_source_that_is_missing_is_named(any_rt):
    result = any_rt.run(any_rt.bundle(with_mount(
        destination="/data", type="bind", source="/not/here", options=["bind"])), status=1)
    assert "/not/here" in result.stderr and "no such file or directory" in result.stderr.lower()


def submounts(rt):
    """A directory with a mount below it, in the host's namespace of the test."""
    top = rt.dir / "top"
    (top / "below").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "below", str(top / "below")], check=True)
    return top


@pytest.mark.parametrize("options,top,below", [
    (["rbind", "ro"], "ro", "rw"), (["rbind", "rro"], "ro", "ro"), (["bind"], "rw", None),
    (["rbind", "rnosuid", "rnoexec"], "nosuid", "noexec"),
])
def test_recursive_attributes(rt, options, top, below, kind):
    if kind == "runc" and any(o.startswith("rn") for o in options):
        pytest.skip("younger than Debian's runc")
    source = submounts(rt)
    try:
        seen = rt.probe(with_mount(destination="/data", type="bind", source=str(source),
                                   options=options))
    finally:
        subprocess.run(["umount", str(source / "below")], check=True)
    assert top in mount_options(seen, "/data")[0]
    inner = mount_options(seen, "/data/below")
    assert (inner is None) == (below is None)
    assert below is None or below in inner[0]


def test_tmpcopyup(rt, kind):
    bundle = rt.bundle(with_mount(destination="/etc", type="tmpfs", source="t",
                                  options=["tmpcopyup", "mode=755"]),
                       args=["/bin/sh", "-c", "cat /etc/passwd; echo new >/etc/added"])
    assert "alice" in rt.run(bundle).stdout
    assert not (bundle.rootfs / "etc/added").exists()


@pytest.mark.parametrize("option,mark", [("shared", "shared:"), ("slave", "master:"),
                                         ("private", None), ("unbindable", "unbindable")])
def test_propagation_of_a_mount(rt, option, mark):
    source = rt.dir / "source"
    source.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "--make-shared", "t", str(source)], check=True)
    try:
        seen = rt.probe(with_mount(destination="/data", type="bind", source=str(source),
                                   options=["rbind", option]))
    finally:
        subprocess.run(["umount", str(source)], check=True)
    optional = mount_line(seen, "/data")[6:mount_line(seen, "/data").index("-")]
    if mark:
        assert any(word.startswith(mark) for word in optional)
    else:
        assert optional == []


def test_nothing_that_is_mounted_inside_gets_out(rt):
    caps = [*DEFAULT_CAPS, "CAP_SYS_ADMIN"]
    change = process(capabilities={k: caps for k in ("bounding", "effective", "permitted")})
    bundle = rt.bundle(change, args=["/bin/sh", "-c", "mount -t tmpfs inside-only /tmp && exec sleep 1000"])
    id = rt.started(bundle)
    time.sleep(0.1)
    assert "inside-only" not in pathlib.Path("/proc/self/mountinfo").read_text()
    rt("delete", "--force", id)


def test_destination_through_a_link_stays_inside(any_rt):
    bundle = any_rt.bundle(with_mount(destination="/evil/x", type="tmpfs", source="t", options=[]),
                           args=["/bin/true"])
    outside = any_rt.dir / "outside"
    outside.mkdir()
    (bundle.rootfs / "evil").symlink_to(outside)
    any_rt.run(bundle, status=None)
    assert list(outside.iterdir()) == []
    assert not pathlib.Path(str(outside) + "/x").exists()


def test_mount_type_that_is_unknown_is_named(any_rt):
    result = any_rt.run(any_rt.bundle(with_mount(destination="/m", type="nosuchfs", source="x",
                                                 options=[])), status=1)
    assert "nosuchfs" in result.stderr or "/m" in result.stderr


def test_idmapped_mount(rt, only_ours):
    source = rt.dir / "owned"
    source.mkdir()
    (source / "file").touch()
    os.chown(source / "file", 1000, 1000)
    mapping = [{"containerID": 1000, "hostID": 7000, "size": 10}]
    result = rt.run(rt.bundle(with_mount(destination="/data", type="bind", source=str(source),
                                         options=["bind"], uidMappings=mapping,
                                         gidMappings=mapping),
                              args=["/bin/stat", "-c", "%u:%g", "/data/file"]), status=None)
    need("not supported" not in result.stderr, f"no id-mapped mounts here: {result.stderr}")
    assert result.stdout == "7000:7000\n", result


def test_cgroup_mount(rt):
    seen = rt.probe(lambda config: (
        config["linux"]["namespaces"].append({"type": "cgroup"}),
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup",
                                 "source": "cgroup",
                                 "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]})))
    assert any(line.split()[4].startswith("/sys/fs/cgroup") for line in seen["mounts"])
    assert all(line.rsplit(":", 1)[1] in ("/", "/../..") or rt.token not in line
               for line in seen["cgroup"])


# ---- what is hidden -------------------------------------------------------------------------------

def test_masked_paths(any_rt):
    bundle = any_rt.bundle({"linux": {"maskedPaths": ["/secret", "/secret-dir", "/not-there"]}},
                           args=["/bin/sh", "-c", "cat /secret; ls /secret-dir | wc -l; echo x >/secret-dir/y"])
    (bundle.rootfs / "secret").write_text("hidden")
    (bundle.rootfs / "secret-dir").mkdir()
    (bundle.rootfs / "secret-dir/file").touch()
    assert any_rt.run(bundle, status=None).stdout == "0\n"
    assert not (bundle.rootfs / "secret-dir/y").exists()


def test_readonly_paths(any_rt):
    bundle = any_rt.bundle({"linux": {"readonlyPaths": ["/usr", "/proc/sys", "/not-there"]}},
                           args=["/bin/sh", "-c", "touch /usr/x 2>&1; echo 1 >/proc/sys/kernel/hostname"])
    assert "Read-only" in any_rt.run(bundle, status=1).stdout


def test_readonly_paths_with_what_is_mounted_below(any_rt):
    def change(config):
        for path in ("/data", "/data/below"):
            config["mounts"].append({"destination": path, "type": "tmpfs", "source": "tmpfs"})
        config["linux"]["readonlyPaths"] = ["/data"]

    assert any_rt.shell("for d in /data /data/below /tmp; do touch $d/x 2>/dev/null && echo $d; done", change) == "/tmp\n"


def test_devices(rt):
    extra = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640,
              "uid": 3, "gid": 4}]
    seen = rt.probe({"linux": {"devices": extra}})
    for name, major, minor in (("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8),
                               ("urandom", 1, 9), ("tty", 5, 0)):
        device = seen["devices"][name]
        assert (device["major"], device["minor"]) == (major, minor)
        assert device["mode"] == 0o020666
    mine = seen["devices"]["mine"]
    assert (mine["major"], mine["minor"], mine["uid"], mine["gid"]) == (1, 5, 3, 4)
    assert mine["mode"] == 0o020640
    for name in ("fd", "stdin", "stdout", "stderr", "ptmx"):
        assert seen["devices"][name]["mode"] & 0o170000 == 0o120000, name


def test_devices_of_an_ordinary_user_work(user_rt):
    assert user_rt.shell("echo gone >/dev/null; head -c 3 /dev/zero | wc -c") == "3\n"


# ---- namespaces ---------------------------------------------------------------------------------

KINDS = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt",
         "cgroup": "cgroup", "time": "time"}


@pytest.mark.parametrize("name", [n for n in KINDS if n != "mount"])
def test_namespace_own_or_the_hosts(rt, name, kind):
    if name == "time" and kind == "runc":
        pytest.skip("younger than Debian's runc")
    link = KINDS[name]
    host = os.readlink(f"/proc/self/ns/{link}")

    def change(config, path):
        namespace_config(config, name, path)
        if name == "uts" and path == "":
            del config["hostname"]
    assert rt.probe(lambda c: change(c, None))["namespaces"][link] != host
    if name == "cgroup" and kind == "crun":
        return
    assert rt.probe(lambda c: change(c, ""))["namespaces"][link] == host


@pytest.mark.parametrize("name", ["network", "ipc", "uts", "pid"])
def test_namespace_by_path(rt, name):
    first = rt.started()
    pid = rt.state(first)["pid"]
    path = f"/proc/{pid}/ns/{KINDS[name]}"

    def change(config):
        namespace_config(config, name, path)
        if name == "uts":
            del config["hostname"]
    assert rt.probe(change)["namespaces"][KINDS[name]] == os.readlink(path)


@pytest.mark.parametrize("path", ["/not/there", "/etc/hostname", "/proc/self/ns/mnt"])
def test_namespace_path_that_is_none_of_its_kind(rt, path, only_ours):
    result = rt.run(rt.bundle(lambda c: namespace_config(c, "network", path)), status=1)
    assert path in result.stderr


def test_network_has_lo_up_and_nothing_else(any_rt):
    seen = any_rt.probe()
    assert [line.split(":")[0].strip() for line in seen["netDevices"][2:]
            if not re.match(r"\s*(tunl|gre|erspan|ip_vti|ip6|sit|gretap)", line)] == ["lo"]
    assert "UP" in any_rt.shell("ip link show lo")


def test_user_namespace_with_ranges(rt):
    maps = [{"containerID": 0, "hostID": 100000, "size": 1000}]

    def change(config):
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"].update(uidMappings=maps, gidMappings=maps)
    bundle = rt.bundle(change)
    subprocess.run(["chown", "-hR", "100000:100000", str(bundle.path)], check=True)
    seen = json.loads(rt.run(bundle).stdout)
    assert seen["uidMap"][0].split() == ["0", "100000", "1000"]
    assert seen["gidMap"][0].split() == ["0", "100000", "1000"]
    assert seen["uid"] == [0, 0, 0]


def test_maps_of_an_ordinary_user(user_rt):
    seen = user_rt.probe()
    uid = USER if IS_ROOT else os.getuid()
    assert seen["uidMap"][0].split() == ["0", str(uid), "1"]
    assert seen["uid"] == [0, 0, 0]


def test_ordinary_user_with_many_ids(user_rt, kind):
    """newuidmap and newgidmap write the maps; their files are ours alone, in a mount namespace."""
    need(IS_ROOT and shutil.which("newuidmap"), "needs root and uidmap, to prepare /etc/subuid")
    files = {"subuid": f"tester:300000:1000\n{USER}:300000:1000\n", "subgid": None, "passwd":
             pathlib.Path("/etc/passwd").read_text() + f"tester:x:{USER}:{USER}::/:/bin/sh\n"}
    files["subgid"] = files["subuid"]
    for name, text in files.items():
        (user_rt.dir / name).write_text(text)
    script = "for f in subuid subgid passwd; do touch /etc/$f; mount --bind $0/$f /etc/$f; done; exec \"$@\""
    plain = user_rt.argv
    user_rt.argv = lambda *args: ["unshare", "--mount", "--propagation", "private", "sh", "-c", script,
                                  str(user_rt.dir), *plain(*args)]
    maps = [{"containerID": 0, "hostID": USER, "size": 1},
            {"containerID": 1, "hostID": 300000, "size": 1000}]
    seen = user_rt.probe({"linux": {"uidMappings": maps, "gidMappings": maps},
                          "process": {"user": {"uid": 5, "gid": 6,
                                              "additionalGids": [] if kind == "runc" else [7]}}})
    assert [line.split() for line in seen["uidMap"]] == [["0", str(USER), "1"], ["1", "300000", "1000"]]
    assert seen["uid"] == [5] * 3 and seen["gid"] == [6] * 3 and seen["groups"] == ([] if kind == "runc" else [7])


def test_idmapped_mounts_of_a_user(user_rt, only_ours):
    """The kernel allows them on file systems of one's own user namespace: the rest says why, and what to do instead."""
    data = user_rt.dir / "data"
    data.mkdir()
    os.chown(data, USER, USER)
    maps = [{"containerID": 0, "hostID": 0, "size": 1}]

    def change(source, own=True):
        def do(config):
            config["mounts"].append({"destination": "/t", "type": "bind", "source": str(source), "options": ["bind"],
                                     "uidMappings": maps, "gidMappings": maps})
            if not own:
                config["linux"]["namespaces"] = [s for s in config["linux"]["namespaces"] if s["type"] != "user"]
                del config["linux"]["uidMappings"], config["linux"]["gidMappings"]
        return do
    result = user_rt.run(user_rt.bundle(change(data)), status=1)
    assert "at /t needs root on the host" in result.stderr and "--userns keep-id" in result.stderr
    # As an engine of an ordinary user is: root of a user namespace that has file systems of its own.
    argv = user_rt.argv
    script = 'mount -t tmpfs none /mnt && touch /mnt/file; exec "$@"'
    user_rt.argv = lambda *args: ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "unshare", "--user",
                                  "--map-root-user", "--mount", "sh", "-c", script, "sh",
                                  *argv(*args)[argv(*args).index(user_rt.program):]]
    seen = user_rt.shell("stat -c %u /t/file; grep ' /t ' /proc/self/mountinfo", change("/mnt", own=False))
    assert seen.startswith("0\n") and "idmapped" in seen
    result = user_rt.run(user_rt.bundle(change(data, own=False)), status=1)
    assert "mounted in another user namespace" in result.stderr and "--userns keep-id" in result.stderr


def with_userns(config):
    """A user namespace of root's."""
    namespace_config(config, "user")
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 300000, "size": 1000}]


def test_a_mount_point_that_the_ids_may_not_make_is_explained(rt, only_ours):
    bundle = rt.bundle(lambda config: (with_userns(config), config["mounts"].append(
        {"destination": "/new", "type": "tmpfs", "source": "tmpfs"})))
    said = rt.run(bundle, status=1).stderr
    assert "mount tmpfs on /new" in said and "permission denied" in said
    assert "give the files to the ids that it maps" in said


@pytest.mark.parametrize("who", ["root", "root with a user namespace", "user"])
def test_time_offsets(request, who, kind):
    if kind == "runc":
        pytest.skip("younger than Debian's runc")
    rt = request.getfixturevalue("user_rt" if who == "user" else "rt")
    offset = 1_000_000

    def change(config):
        namespace_config(config, "time")
        if "with" in who:
            with_userns(config)
        config["linux"]["timeOffsets"] = {"monotonic": {"secs": offset, "nanosecs": 0},
                                          "boottime": {"secs": 2 * offset, "nanosecs": 5}}
    seen = rt.probe(change)
    assert abs(seen["monotonic"] - time.clock_gettime(time.CLOCK_MONOTONIC) - offset) < 10
    assert abs(seen["boottime"] - time.clock_gettime(time.CLOCK_BOOTTIME) - 2 * offset) < 10
    uptime = float(rt.shell("cat /proc/uptime", change).split()[0])
    assert abs(uptime - time.clock_gettime(time.CLOCK_BOOTTIME) - 2 * offset) < 10


@pytest.mark.parametrize("key,value", [("net.ipv4.ip_forward", "1"), ("net/ipv4/ip_forward", "1"),
                                       ("kernel.msgmax", "4096"),
                                       ("net.ipv4.ping_group_range", "0\t5")])
def test_sysctl(rt, key, value):
    path = "/proc/sys/" + key.replace(".", "/")
    assert rt.shell(f"cat {path}", {"linux": {"sysctl": {key: value}}}).strip() == value


@pytest.mark.parametrize("key", ["kernel.pid_max_not", "vm.swappiness", "../../etc/passwd",
                                 "kernel.hostname/../../x", "fs.file-max"])
def test_sysctl_of_the_host_is_refused(rt, key):
    result = rt.run(rt.bundle({"linux": {"sysctl": {key: "1"}}}), status=1)
    assert key.split("/")[-1] in result.stderr


@pytest.mark.parametrize("value,mark", [("shared", "shared:"), ("slave", "master:"),
                                        ("private", None), ("rprivate", None)])
def test_rootfs_propagation(rt, value, mark, kind):
    if mark == "shared:" and kind == "runc":
        pytest.skip("Debian's runc does not do that")
    seen = rt.probe({"linux": {"rootfsPropagation": value}})
    words = mount_line(seen, "/")
    optional = words[6:words.index("-")]
    if mark == "shared:":
        assert any(word.startswith(mark) for word in optional)
    if mark is None:
        assert optional == []


def test_apparmor_or_selinux_that_is_not_here_is_an_error(rt, only_ours):
    lsm = pathlib.Path("/sys/kernel/security/lsm")
    if lsm.exists() and "apparmor" in lsm.read_text():
        pytest.skip("AppArmor is here")
    result = rt.run(rt.bundle(process(apparmorProfile="some-profile")), status=1)
    assert "apparmor" in result.stderr.lower()


# ---- seccomp --------------------------------------------------------------------------------------

def seccomp(default, *rules, **more):
    rows = [{"names": names, "action": action, **extra} for names, action, extra in rules]
    return {"linux": {"seccomp": {"defaultAction": default, "syscalls": rows, **more}}}


def test_seccomp_denies_with_the_number_that_is_asked_for(any_rt):
    change = seccomp("SCMP_ACT_ALLOW", (["mkdir", "mkdirat"], "SCMP_ACT_ERRNO", {"errnoRet": 28}))
    assert "No space left" in any_rt.shell("mkdir /tmp/x 2>&1; true", change)


def test_seccomp_default_number(any_rt):
    change = seccomp("SCMP_ACT_ALLOW", (["mkdir", "mkdirat"], "SCMP_ACT_ERRNO", {}))
    assert "not permitted" in any_rt.shell("mkdir /tmp/x 2>&1; true", change)


def test_seccomp_kills(any_rt):
    change = seccomp("SCMP_ACT_ALLOW", (["sync"], "SCMP_ACT_KILL_PROCESS", {}))
    bundle = any_rt.bundle(change, args=["/bin/sync"])
    any_rt.run(bundle, status=128 + 31)


def test_seccomp_argument(any_rt):
    change = seccomp("SCMP_ACT_ALLOW", (["kill"], "SCMP_ACT_ERRNO", {
        "errnoRet": 11, "args": [{"index": 1, "value": 12, "op": "SCMP_CMP_EQ"}]}))
    text = any_rt.shell("kill -12 $$ 2>&1; kill -0 $$ && echo zero", change)
    assert "temporarily unavailable" in text and "zero" in text


def test_seccomp_is_on_and_exec_has_it_too(any_rt):
    id = any_rt.started(any_rt.bundle(seccomp("SCMP_ACT_ALLOW", (["mkdir", "mkdirat"],
                                                                 "SCMP_ACT_ERRNO", {})),
                                      args=["/bin/probe", "--wait"]))
    seen = any_rt("exec", id, "/bin/probe").json
    assert seen["seccomp"] == 2 and status_field(seen, "Seccomp") == "2"
    any_rt("exec", id, "/bin/mkdir", "/tmp/x", status=1)


def test_seccomp_without_no_new_privileges(rt):
    change = seccomp("SCMP_ACT_ALLOW", (["mkdir", "mkdirat"], "SCMP_ACT_ERRNO", {}))
    change["process"] = {"noNewPrivileges": False}
    seen = rt.probe(change)
    assert seen["seccomp"] == 2 and seen["noNewPrivileges"] == 0


# ---- cgroups ------------------------------------------------------------------------------------

def test_cgroups_path(rt):
    id = rt.started()
    pid = rt.state(id)["pid"]
    lines = pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    assert any(rt.token in line for line in lines)
    # In every hierarchy that takes part it is the same place.
    assert len({line.split(":", 2)[2] for line in lines if rt.token in line}) == 1


@pytest.mark.parametrize("path", ["relative/{token}", "/{token}/deeper/still"])
def test_cgroups_path_forms(rt, path, kind):
    bundle = rt.bundle({"linux": {"cgroupsPath": path.format(token=rt.token)}})
    rt.run(bundle)
    # Parents may stay, for they may be another's; but empty.
    for left in sorted(cgroup_dirs(rt.token), reverse=True):
        assert not left.endswith("still")
        for base, _names, _files in os.walk(left, topdown=False):
            os.rmdir(base)


def controller_exists(name):
    """Whether a cgroup controller is there, in v1 or v2."""
    listing = pathlib.Path("/sys/fs/cgroup/cgroup.controllers")
    return os.path.isdir(f"/sys/fs/cgroup/{name}") or \
        listing.exists() and name in listing.read_text().split()


def test_pids_limit(rt):
    if not controller_exists("pids"):
        pytest.skip("no pids controller here")
    text = rt.shell("for i in 1 2 3 4 5 6 7 8; do sleep 1 & done 2>&1; true",
                    {"linux": {"resources": {"pids": {"limit": 5}}}}, status=None)
    assert "fork" in text or "unavailable" in text


# ---- hooks --------------------------------------------------------------------------------------

HOST_HOOKS = ["prestart", "createRuntime", "poststart", "poststop"]


def hook(rt, name, *lines, **more):
    """A host program that writes down where and with what it ran."""
    path = rt.dir / f"hook-{name}"
    output = rt.dir / f"said-{name}"
    body = "\n".join(lines) or f"cat >{output}; echo >>{output}; pwd >>{output}; env >>{output}"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return {"path": str(path), "args": [f"the-{name}", "second"], "env": [f"KIND={name}"], **more}


def said(rt, name):
    lines = (rt.dir / f"said-{name}").read_text().splitlines()
    end = next(n for n in range(len(lines), 0, -1) if lines[:n] and is_json("\n".join(lines[:n])))
    return json.loads("\n".join(lines[:end])), [line for line in lines[end:] if line]


def is_json(text):
    try:
        json.loads(text)
        return True
    except ValueError:
        return False


@pytest.mark.parametrize("name,status", [("prestart", {"creating", "created"}),
                                         ("createRuntime", {"creating", "created"}),
                                         ("poststart", {"running"}), ("poststop", {"stopped"})])
def test_host_hooks_get_the_state(any_rt, name, status, kind):
    bundle = any_rt.bundle({"hooks": {name: [hook(any_rt, name)]},
                            "annotations": {"a": "b"}}, args=["/bin/probe", "--wait"])
    id = any_rt.create(bundle)
    any_rt("start", id)
    any_rt("delete", "--force", id)
    state, rest = said(any_rt, name)
    assert state["id"] == id and state["bundle"] == str(bundle.path)
    assert state["annotations"] == {"a": "b"}
    assert state["status"] in status or kind == "runc" and name == "poststart"
    if name != "poststop":
        assert state["pid"] > 0
    assert f"KIND={name}" in rest


@pytest.mark.parametrize("name", ["prestart", "poststop"])
def test_hooks_get_exactly_their_environment(any_rt, name, only_ours):
    any_rt.run(any_rt.bundle({"hooks": {name: [hook(any_rt, name)]}}, args=["/bin/true"]))
    _state, rest = said(any_rt, name)
    names = {line.split("=")[0] for line in rest if "=" in line}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"KIND"}


def test_container_hooks_run_in_its_namespaces(any_rt, kind):
    """createContainer sees the host's files still, startContainer those of the container."""
    bundle = any_rt.bundle({"hooks": {
        "createContainer": [hook(any_rt, "cc", f"readlink /proc/self/ns/mnt >{any_rt.dir}/said-cc")],
        "startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "cat >/tmp/state; hostname >/tmp/name"]}],
    }}, args=["/bin/true"])
    any_rt.run(bundle)
    assert (any_rt.dir / "said-cc").read_text().strip() != os.readlink("/proc/self/ns/mnt")
    assert (bundle.rootfs / "tmp/name").read_text() == "e2e\n"
    assert json.loads((bundle.rootfs / "tmp/state").read_text())["status"] in ("created", "creating")


def test_hooks_run_in_their_order(any_rt):
    log = any_rt.dir / "order"
    hooks = {name: [hook(any_rt, f"{name}{n}", f"echo {name}{n} >>{log}") for n in (1, 2)]
             for name in (*HOST_HOOKS, "createContainer")}
    any_rt.run(any_rt.bundle({"hooks": hooks}, args=["/bin/true"]))
    order = ["prestart", "createRuntime", "createContainer", "poststart", "poststop"]
    assert log.read_text().split() == [f"{name}{n}" for name in order for n in (1, 2)]


@pytest.mark.parametrize("name", ["prestart", "createRuntime", "createContainer"])
def test_failing_hook_fails_create(any_rt, name):
    bundle = any_rt.bundle({"hooks": {name: [hook(any_rt, name, "echo its reason >&2; exit 3")]}},
                           args=["/bin/true"])
    result = any_rt("create", "--bundle", bundle.path, any_rt.new_id(), status=1)
    assert "hook" in result.stderr
    assert any_rt.states() == []


def test_failing_start_container_hook(any_rt, only_ours):
    bundle = any_rt.bundle({"hooks": {"startContainer": [
        {"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}}, args=["/bin/touch", "/tmp/ran"])
    id = any_rt.create(bundle)
    any_rt("start", id, status=1)
    assert not (bundle.rootfs / "tmp/ran").exists()


def test_failing_poststop_hook_is_only_a_warning(any_rt, only_ours):
    bundle = any_rt.bundle({"hooks": {"poststop": [hook(any_rt, "poststop", "exit 3")]}},
                           args=["/bin/echo", "out"])
    result = any_rt.run(bundle)
    assert result.stdout == "out\n" and "poststop" in result.stderr


def test_failing_poststart_hook_ends_the_container(any_rt, only_ours):
    bundle = any_rt.bundle({"hooks": {"poststart": [hook(any_rt, "poststart", "exit 3")]}},
                           args=["/bin/probe", "--wait"])
    id = any_rt.create(bundle)
    assert "poststart" in any_rt("start", id, status=1).stderr
    any_rt.wait_status(id, "stopped")


@pytest.mark.parametrize("name", ["prestart", "createContainer"])
def test_hook_timeout(any_rt, name):
    bundle = any_rt.bundle({"hooks": {name: [hook(any_rt, name, "exec sleep 1000", timeout=1)]}},
                           args=["/bin/true"])
    begin = time.monotonic()
    any_rt("create", "--bundle", bundle.path, any_rt.new_id(), status=1, timeout=20)
    assert 0.5 < time.monotonic() - begin < 10
    assert any_rt.states() == []


def hooks_that_sleep():
    return subprocess.run(["pgrep", "-f", "^sleep 77777"], check=False, capture_output=True, text=True).stdout.split()


def test_hook_ends_with_who_waits_for_it(any_rt):
    """On the host, where nothing else would end it, and in the container's namespaces."""
    for name in ("createRuntime", "createContainer"):
        bundle = any_rt.bundle({"hooks": {name: [hook(any_rt, name, "exec sleep 77777")]}}, args=["/bin/true"])
        id = any_rt.new_id()
        process = any_rt.popen("run", "--bundle", bundle.path, id)
        wait_until(hooks_that_sleep, what=f"{name} runs")
        process.kill()
        process.wait()
        any_rt("delete", "--force", id)
        wait_until(lambda: not hooks_that_sleep(), 5, f"{name} has ended")


def test_hook_that_is_missing_is_named(any_rt):
    bundle = any_rt.bundle({"hooks": {"createRuntime": [{"path": "/no/such/hook"}]}})
    result = any_rt.run(bundle, status=1)
    assert "/no/such/hook" in result.stderr


# ---- network devices ----------------------------------------------------------------------------

def test_net_devices(rt, only_ours):
    need(shutil.which("ip"), "iproute2 is not installed")
    name = "e2e" + str(os.getpid() % 100000)
    made = subprocess.run(["ip", "link", "add", name, "type", "dummy"], capture_output=True,
                          check=False)
    if made.returncode != 0:
        pytest.skip("no dummy devices in this kernel")
    try:
        assert "inner0" in rt.shell("ip link", {"linux": {"netDevices": {name: {"name": "inner0"}}}})
    finally:
        subprocess.run(["ip", "link", "del", name], capture_output=True, check=False)


# ---- unknown keys ---------------------------------------------------------------------------------

def test_unknown_keys_are_ignored_and_named_with_debug(any_rt, only_ours):
    bundle = any_rt.bundle({"somethingNew": {"x": 1}, "process": {"alsoNew": True}},
                           args=["/bin/echo", "ran"])
    result = any_rt("--debug", "run", "--bundle", bundle.path, any_rt.new_id())
    assert result.stdout == "ran\n"
    assert "somethingNew" in result.stderr and "process.alsoNew" in result.stderr
    assert "somethingNew" not in any_rt.run(bundle).stderr
