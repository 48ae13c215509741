#!/bin/bash
# vm-run.sh - run one command as root inside a throw-away Debian virtual machine.
#
# The machine is QEMU with software emulation (TCG), so neither /dev/kvm nor root is needed to run
# it. Kernel and root file system are plain Debian packages, put together once and kept in a cache.
# Every run starts from the same image: what a run writes is thrown away, except /out (see -o).
#
#   vm-run.sh -m apparmor -d build -- ./tests/apparmor.sh
#   vm-run.sh -m selinux  -d build -s trixie -t 600 -e VERBOSE=1 -- ./tests/selinux.sh
#   vm-run.sh -m systemd  -d build -u tester -o results -- ./tests/rootless.sh
#
# Needs, on Debian 12 or 13: qemu-system-x86 mmdebstrap e2fsprogs cpio busybox-static
# (and uidmap, where the image is built by an ordinary user).
set -euo pipefail

readonly RECIPE=13                      # raise it when the build below changes: old images go stale
readonly SELF=${0##*/}

# Packages of the image. The kernel is added by build_image; docs, manuals and locales are left out.
readonly BASE_PACKAGES=(
	kmod busybox-static procps iproute2 nftables strace jq libcap2-bin uidmap
	systemd-sysv dbus dbus-user-session libpam-systemd
	apparmor selinux-utils policycoreutils secilc selinux-policy-default
	crun runc libseccomp2 libyajl2
)

SUITE=${VM_SUITE:-trixie}                 # the first release whose SELinux policy knows containers
KERNEL=${VM_KERNEL:-linux-image-cloud-amd64}
EXTRA_PACKAGES=${VM_PACKAGES:-}
MIRROR=${VM_MIRROR:-}                   # empty: Debian's servers, with updates and security
CACHE=${VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vm-run}
MEMORY=${VM_MEMORY:-1024}
CPUS=${VM_CPUS:-1}

usage() {
	cat <<-EOF
	usage: $SELF [options] [--] command [argument...]     run a command in the machine
	       $SELF [options] --build                        only make sure that the image exists

	  -m MODE         apparmor  AppArmor, a few lines of shell as PID 1 (the default, fastest)
	                  selinux   SELinux with Debian's policy, enforcing; shell as PID 1
	                  systemd   AppArmor, systemd as PID 1, system and user D-Bus
	  -d DIR          directory copied to /work, where the command starts
	  -o DIR          what the command leaves in /out is put there
	  -e NAME[=VALUE] environment variable for the command (repeatable)
	  -u USER         run as USER instead of root; the image has "tester", uid 1000
	  -t SECONDS      give up after that time (default 300; building is not counted)
	  -s SUITE        Debian release: bookworm (kernel 6.1) or trixie (6.12); default $SUITE
	  -k ARGUMENTS    more kernel arguments: "enforcing=0" and "vm.policy=none" (load no policy)
	                  belong to mode selinux
	  -l FILE         keep the kernel's console output there

	Environment: VM_CACHE, directory of the images; VM_PACKAGES, further packages for the image (each
	set has its own); VM_SUITE, VM_KERNEL, VM_MIRROR; VM_MEMORY (MiB, $MEMORY) and VM_CPUS ($CPUS);
	VM_QUIET=1.
	Exit status: the command's own; 124 timed out; 125 the machine itself failed; 2 wrong usage.
	EOF
}

die()  { echo "$SELF: $*" >&2; exit 125; }
note() { [ -n "${VM_QUIET:-}" ] || echo "$SELF: $*" >&2; }

# ------------------------------------------------------------------------------------------------
# The image: rootfs.ext4, vmlinuz and initrd.gz in one directory of the cache
# ------------------------------------------------------------------------------------------------

image_dir() {
	local key
	key=$(printf '%s\n' "$RECIPE" "$SUITE" "$KERNEL" "$MIRROR" "${BASE_PACKAGES[@]}" "$EXTRA_PACKAGES" |
		sha256sum | cut -c1-12)
	echo "$CACHE/$SUITE-$key"
}

build_image() {
	local dir=$1 tool packages
	[ -e "$dir/done" ] && return
	for tool in mmdebstrap mke2fs debugfs cpio; do
		command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] || die "$tool is missing"
	done
	[ -x /bin/busybox ] || die "busybox-static is missing"
	mkdir -p "$dir"
	[ "$(id -u)" = 0 ] || chmod 777 "$dir"  # mmdebstrap's root is then another user of the host
	exec 9>"$dir/lock"
	flock 9
	[ -e "$dir/done" ] && return

	note "building $dir"
	packages=$(IFS=,; echo "${BASE_PACKAGES[*]}${EXTRA_PACKAGES:+,${EXTRA_PACKAGES// /,}}")
	# The hook runs as root of the new system's user namespace, or as root: both own all files.
	OUT=$dir KERNEL=$KERNEL PATH=$PATH:/usr/sbin:/sbin mmdebstrap --variant=minbase --format=null \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
		--include="$packages" --customize-hook="bash '$SELF_PATH' --in-hook \"\$1\"" \
		"$SUITE" /dev/null ${MIRROR:+"$MIRROR"} >"$dir/build.log" 2>&1 ||
		die "building failed, see $dir/build.log"
	build_initrd "$dir"
	chmod 755 "$dir"
	touch "$dir/done"
	exec 9>&-
	note "built: $(du -sh "$dir" | cut -f1) in $dir"
}

# Runs inside mmdebstrap with the new root as $1: adds the kernel, a user and the image's settings.
customize_root() {
	local root=$1 kernel tmp version unit
	export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
	tmp=$(mktemp -d)
	# Unpacked rather than installed: no initramfs-tools, no boot loader hooks.
	kernel=$(apt-cache depends "$KERNEL" | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p')
	(cd "$tmp" && chmod 755 . && apt-get download "${kernel:-$KERNEL}")
	dpkg-deb -x "$tmp"/linux-image-*.deb "$tmp/x"
	version=$(cd "$tmp"/x/boot && echo vmlinuz-*)
	version=${version#vmlinuz-}
	mkdir -p "$root/usr/lib/modules"
	cp -r "$(find "$tmp/x" -type d -path "*/modules/$version")" "$root/usr/lib/modules/"
	chroot "$root" depmod "$version"
	cp "$tmp/x/boot/vmlinuz-$version" "$OUT/vmlinuz"
	cp "$tmp/x/boot/config-$version" "$OUT/config"
	copy_modules "$root" "$version" "$tmp/m"
	tar -C "$tmp/m" -cf "$OUT/modules.tar" .

	chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash tester
	echo vm >"$root/etc/hostname"
	echo '127.0.0.1 localhost vm' >"$root/etc/hosts"
	# Nothing of the daily housekeeping, of hardware, and no journal on the disk.
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
		e2scrub_all.timer e2scrub_reap.service getty.target apparmor.service \
		dev-hugepages.mount sys-kernel-{debug,tracing}.mount run-lock.mount \
		modprobe@{configfs,dm_mod,drm,efi_pstore,fuse,loop}.service \
		selinux-autorelabel{,-mark}.service systemd-{journal-flush,modules-load,pstore}.service \
		systemd-{random-seed,update-utmp}.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root/var/log/journal" "$tmp"
	mkdir -p "$root/work" "$root/out"

	# A bind mount that is not recursive shows the root without mmdebstrap's /proc, /sys and /dev.
	mkdir "$tmp"
	mount --bind "$root" "$tmp"
	make_ext4 "$tmp" "$OUT/rootfs.ext4" 4096
	umount "$tmp"
	rmdir "$tmp"
	label_image "$root" "$OUT/rootfs.ext4"
}

# Writes SELinux labels straight into the image: needs no privilege, and labelling in the emulated
# machine takes over a minute. setfiles only says what it would do.
label_image() {
	chroot "$1" setfiles -nvF /etc/selinux/default/contexts/files/file_contexts / |
		sed -n 's/^Would relabel \(.*\) from .* to \(.*\)$/ea_set "\1" security.selinux "\2"/p' |
		PATH=$PATH:/usr/sbin:/sbin debugfs -w -f - "$2" >/dev/null 2>&1
}

# make_ext4 DIRECTORY FILE MIB: a sparse file system image; owners, modes and xattrs are kept.
make_ext4() {
	rm -f "$2"
	truncate -s "$3M" "$2"
	PATH=$PATH:/usr/sbin:/sbin mke2fs -q -F -t ext4 -b 4096 -m 0 -O ^has_journal,^metadata_csum,verity \
		-E root_owner=0:0,lazy_itable_init=1 -d "$1" "$2"
}

# Copies the few modules that the initramfs needs, and those that they need, in loading order.
copy_modules() {
	local root=$1 version=$2 to=$3 module
	mkdir "$to"
	for module in virtio_pci virtio_blk virtio_console ext4; do
		chroot "$root" modprobe -a -S "$version" --show-depends "$module" | sed -n 's/^insmod //p'
	done | awk '!seen[$1]++ { print $1 }' | while read -r module; do
		cp "$root$module" "$to/"
		echo "${module##*/}" >>"$to/order"
	done
}

build_initrd() {
	local dir=$1 tmp
	tmp=$(mktemp -d)
	mkdir -p "$tmp"/{bin,dev,proc,sys,new,modules}
	cp /bin/busybox "$tmp/bin/"
	tar -C "$tmp/modules" --no-same-owner -xf "$dir/modules.tar"
	# Debian 13 compresses its modules, busybox' insmod wants them plain.
	find "$tmp/modules" -name '*.xz' -exec busybox unxz {} +
	pack "$tmp" >"$dir/initrd.gz"
	rm -rf "$tmp"
}

pack() { (cd "$1" && find . -print0 | cpio --quiet -0 -o -H newc -R 0:0 | gzip -1); }

# ------------------------------------------------------------------------------------------------
# The guest's side
# ------------------------------------------------------------------------------------------------

# PID 1 of the initramfs: mounts the two disks and goes on to the shell init or to systemd.
guest_initramfs() {
	cat <<-'EOF'
	#!/bin/busybox sh
	/bin/busybox --install -s /bin
	export PATH=/bin
	mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
	for m in $(cat /modules/order); do insmod /modules/${m%.xz}; done
	. /job/settings
	mount -t ext4 -o rw,noatime /dev/vda /new || { echo "no root file system"; poweroff -f; }
	mount -t tmpfs -o mode=755 run /new/run
	mkdir /new/run/vm
	cp -r /job /runner /new/run/vm/
	cp /bin/busybox /new/run/vm/
	for p in /sys/class/virtio-ports/*; do ln -s /dev/${p##*/} /new/run/vm/port.$(cat $p/name); done
	mount --move /dev /new/dev
	mount --move /sys /new/sys
	umount /proc
	if [ "$MODE" = systemd ]; then
	    mkdir -p /new/run/systemd/system
	    cat >/new/run/systemd/system/vm.target <<-UNIT
	[Unit]
	Requires=multi-user.target
	Wants=vm.service
	After=multi-user.target
	AllowIsolate=yes
	UNIT
	    cat >/new/run/systemd/system/vm.service <<-UNIT
	[Unit]
	After=multi-user.target
	[Service]
	ExecStart=/run/vm/runner
	Delegate=yes
	UNIT
	    exec switch_root /new /sbin/init
	fi
	exec switch_root /new /run/vm/runner
	EOF
}

# Runs the command and switches the machine off. PID 1, or a systemd service.
guest_runner() {
	cat <<-'EOF'
	#!/bin/bash
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
	vm=/run/vm
	. $vm/job/settings

	if [ $$ = 1 ] && [ "$1" != labelled ]; then
	    mount -t proc -o nosuid,nodev,noexec proc /proc
	    mount -t securityfs none /sys/kernel/security
	    mount -t cgroup2 -o nsdelegate,memory_recursiveprot none /sys/fs/cgroup
	    mount -t bpf none /sys/fs/bpf
	    mkdir -p /dev/pts /dev/shm /dev/mqueue
	    mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
	    mount -t tmpfs -o mode=1777 shm /dev/shm
	    mount -t mqueue mqueue /dev/mqueue
	    mount -t tmpfs -o mode=1777 tmp /tmp
	    ln -sf /proc/self/fd /dev/fd
	    for n in 0:stdin 1:stdout 2:stderr; do ln -sf /proc/self/fd/${n%:*} /dev/${n#*:}; done
	    hostname vm; ip link set lo up
	    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
	    if [ "$MODE" = selinux ] && ! grep -q vm.policy=none /proc/cmdline; then
	        # The root has its labels (label_image); /dev and the output channels, which every domain
	        # shall be able to write to, get theirs here. PID 1 goes on as the unconfined user.
	        load_policy -i
	        restorecon -F /dev/* /tmp /run
	        chcon -t null_device_t /dev/vport*
	        exec runcon unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 $0 labelled
	    fi
	fi
	if [ "$1" = labelled ]; then
	    grep -q enforcing=0 /proc/cmdline || setenforce 1
	    WORK_LABEL=,defcontext=system_u:object_r:usr_t:s0
	fi
	if [ -e /dev/vdb ]; then mount -o "noatime$WORK_LABEL" /dev/vdb /work; fi
	# What udev would do: these two are for everybody.
	for n in fuse:229 net/tun:200; do
	    mkdir -p /dev/net
	    [ -e /dev/${n%:*} ] || mknod /dev/${n%:*} c 10 ${n#*:}
	    chmod 666 /dev/${n%:*}
	done
	# An interface that leads nowhere: rootless networking wants a default route to copy.
	ip link add eth0 type dummy && ip addr add 192.0.2.2/24 dev eth0 && ip link set eth0 up &&
	    ip route add default via 192.0.2.1
	cd /work
	chown "$RUN_AS" /work /out
	if [ "$RUN_AS" = root ]; then
	    bash $vm/job/command
	else
	    chmod 755 /run/vm $vm/job; chmod 644 $vm/job/command
	    runuser -l "$RUN_AS" -c "cd /work && exec bash $vm/job/command"
	fi </dev/null >$vm/port.stdout 2>$vm/port.stderr
	status=$?
	if [ "$WANT_OUT" = 1 ]; then tar -C /out -cf $vm/port.out .; fi
	echo "exit $status" >$vm/port.status
	exec $vm/busybox poweroff -f
	EOF
}

# ------------------------------------------------------------------------------------------------
# One run
# ------------------------------------------------------------------------------------------------

run_machine() {
	local dir=$1 disk=() status=0 args readers
	shift
	TMP=$(mktemp -d "${TMPDIR:-/tmp}/vm-run.XXXXXX")
	trap '[ -z "${QEMU:-}" ] || kill "$QEMU"; rm -rf "$TMP"' EXIT
	trap 'exit 143' TERM
	trap 'exit 130' INT

	# The job and the guest's scripts go in as a second archive behind that of busybox and modules
	# (compressed, so it may begin at any offset).
	mkdir -p "$TMP/root/job"
	printf 'MODE=%q RUN_AS=%q WANT_OUT=%q\n' "$MODE" "$RUN_AS" "${OUT_DIR:+1}" >"$TMP/root/job/settings"
	{
		[ ${#ENV[@]} = 0 ] || printf 'export %q\n' "${ENV[@]}"
		printf 'exec'
		printf ' %q' "$@"
		echo
	} >"$TMP/root/job/command"
	guest_initramfs >"$TMP/root/init"
	guest_runner >"$TMP/root/runner"
	chmod 755 "$TMP/root/init" "$TMP/root/runner"
	{ cat "$dir/initrd.gz"; pack "$TMP/root"; } >"$TMP/initrd"

	if [ -n "$IN_DIR" ]; then
		local mib
		mib=$(du -sm --apparent-size "$IN_DIR" | cut -f1)
		make_ext4 "$IN_DIR" "$TMP/work.ext4" "$((mib * 5 / 4 + 256))"
		disk=(-drive "file=$TMP/work.ext4,format=raw,if=virtio")
	fi

	args="console=ttyS0 quiet panic=-1 reboot=t $(kernel_arguments) $KERNEL_ARGS"
	mkfifo "$TMP/stdout" "$TMP/stderr"
	cat "$TMP/stdout" & readers=($!)
	cat "$TMP/stderr" >&2 & readers+=($!)
	exec 7>"$TMP/stdout" 8>"$TMP/stderr"    # both end even if QEMU never opens them
	# One thread for all CPUs: with several, QEMU runs code that the kernel is just patching (static
	# keys), and about one boot in a hundred ends in a panic. It costs nearly no time.
	# shellcheck disable=SC2046 # port prints words
	TMPDIR=$TMP timeout -k 5 "$TIMEOUT" qemu-system-x86_64 \
		-machine pc,usb=off -accel tcg,thread=single -cpu max -smp "$CPUS" -m "$MEMORY" \
		-nodefaults -no-user-config -no-reboot -display none -snapshot \
		-kernel "$dir/vmlinuz" -initrd "$TMP/initrd" -append "$args" \
		-drive "file=$dir/rootfs.ext4,format=raw,if=virtio" "${disk[@]}" \
		-serial "file:$TMP/console" -device virtio-serial-pci \
		$(port stdout) $(port stderr) $(port status) $(port out) </dev/null >"$TMP/qemu" 2>&1 &
	QEMU=$!
	wait "$QEMU" || status=$?
	QEMU=
	exec 7>&- 8>&-
	wait "${readers[@]}"
	[ -z "$CONSOLE_LOG" ] || cp "$TMP/console" "$CONSOLE_LOG"

	if [ -n "$OUT_DIR" ] && [ -s "$TMP/out" ]; then
		mkdir -p "$OUT_DIR"
		tar -C "$OUT_DIR" --no-same-owner -xf "$TMP/out"
	fi
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		note "no end after $TIMEOUT s; the console's last lines:"
		tail -n 5 "$TMP/console" >&2
		exit 124
	fi
	if ! grep -q '^exit [0-9]*$' "$TMP/status" 2>/dev/null; then
		note "the machine ended without a result (qemu: $status)"
		cat "$TMP/qemu" >&2
		grep -m 1 'Kernel panic' "$TMP/console" >&2 || tail -n 20 "$TMP/console" >&2
		exit 125
	fi
	exit "$(sed -n 's/^exit //p' "$TMP/status")"
}

# One channel from the guest to a file of this run.
port() { echo "-chardev file,id=$1,path=$TMP/$1 -device virtserialport,chardev=$1,name=$1"; }

kernel_arguments() {
	case $MODE in
	apparmor) echo "lsm=landlock,lockdown,yama,integrity,apparmor,bpf" ;;
	selinux)  echo "lsm=landlock,lockdown,yama,integrity,selinux,bpf" ;;
	systemd)  echo "lsm=landlock,lockdown,yama,integrity,apparmor,bpf systemd.unit=vm.target" \
		"systemd.show_status=0 systemd.condition-needs-update=0" ;;
	esac
}

# ------------------------------------------------------------------------------------------------

SELF_PATH=$(readlink -f "$0")
MODE=apparmor IN_DIR='' OUT_DIR='' RUN_AS=root TIMEOUT=300 KERNEL_ARGS='' CONSOLE_LOG='' ONLY_BUILD=''
ENV=()

if [ "${1:-}" = --in-hook ]; then
	customize_root "$2"
	exit
fi
while [ $# -gt 0 ]; do
	case $1 in
	-m) MODE=${2:?}; shift 2 ;;
	-d) IN_DIR=${2:?}; shift 2 ;;
	-o) OUT_DIR=${2:?}; shift 2 ;;
	-e) case ${2:?} in
	    *=*) ENV+=("$2") ;;
	    *) ENV+=("$2=${!2-}") ;;
	    esac
	    shift 2 ;;
	-u) RUN_AS=${2:?}; shift 2 ;;
	-t) TIMEOUT=${2:?}; shift 2 ;;
	-s) SUITE=${2:?}; shift 2 ;;
	-k) KERNEL_ARGS=${2?}; shift 2 ;;
	-l) CONSOLE_LOG=${2:?}; shift 2 ;;
	--build) ONLY_BUILD=1; shift ;;
	-h|--help) usage; exit 0 ;;
	--) shift; break ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
done
case $MODE in apparmor|selinux|systemd) ;; *) usage >&2; exit 2 ;; esac
[ -n "$ONLY_BUILD" ] || [ $# -gt 0 ] || { usage >&2; exit 2; }
command -v qemu-system-x86_64 >/dev/null || die "qemu-system-x86 is missing"

IMAGE=$(image_dir)
build_image "$IMAGE"
[ -n "$ONLY_BUILD" ] || run_machine "$IMAGE" "$@"
