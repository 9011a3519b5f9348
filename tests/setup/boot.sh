#!/bin/bash
# A machine of its own, in namespaces: this one's files under a layer in memory, systemd as process 1, loopback alone.
#
#     unshare --mount boot.sh FOLDER CHECKOUT [LAYER]
#
# FOLDER/machine and FOLDER/upper show its files and what differs, to whoever looks through /proc/PID/root of this
# process. FOLDER/pid holds process 1 as seen from outside; the machine ends with it. CHECKOUT stands in /srv/modemd,
# LAYER is a tar file of an earlier FOLDER/upper.
set -euo pipefail
folder=$1 checkout=$2 layer=${3-}

files() {
    mount -t tmpfs -o mode=755 tmpfs "$folder"
    mkdir "$folder"/{cgroup,machine,upper,work}
    [ -z "$layer" ] || tar --xattrs --xattrs-include='*' -xpf "$layer" -C "$folder/upper"
    mount -t overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$folder/machine"
    cd "$folder/machine"
    [ -n "$layer" ] && return
    # What else this machine serves, and an installation that it has already, are not there.
    rm -rf etc/systemd/system/*.wants/* etc/rc?.d/S* etc/systemd/system/modemd* opt/modemd etc/modemd var/lib/modemd \
        var/backups/modemd var/log/journal usr/local/bin/modemd
    ln -sf /lib/systemd/system/multi-user.target etc/systemd/system/default.target
    ln -s /dev/null etc/systemd/system/modprobe@.service
    ln -s /dev/null etc/systemd/system/systemd-modules-load.service
    echo modemd-test >etc/hostname
    mkdir -p srv/modemd
}

devices() {
    mount -t tmpfs -o mode=755 tmpfs dev
    mkdir dev/{pts,shm}
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
    while read -r name major minor; do
        mknod -m 666 "dev/$name" c "$major" "$minor"
    done <<<$'null 1 3\nzero 1 5\nfull 1 7\nrandom 1 8\nurandom 1 9\ntty 5 0'
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
}

kernel() { # nothing of it can be changed from inside: what is read-only, systemd leaves alone
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs sysfs sys
    mount -o remount,bind,ro sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
}

boot() {
    cd "$folder/machine"
    read -r pid _ </proc/self/stat
    kernel
    devices
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=1777 tmpfs tmp
    mount --bind "$checkout" srv/modemd
    echo "$pid" >"$folder/pid"
    pivot_root . mnt
    umount -l /mnt
    exec env -i container=modemd-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --log-target=journal --show-status=no
}

if [ "${BOOT-}" = inner ]; then
    boot
fi

files
cd /
mount -t cgroup2 cgroup2 "$folder/cgroup"
ours=$folder/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
group=$ours/modemd-test-$$
mkdir "$group"
echo $$ >"$group/cgroup.procs"
BOOT=inner setpriv --pdeathsig KILL \
    unshare --cgroup --fork --ipc --kill-child --mount --net --pid --uts "$0" "$@" || true # as it ends
echo $$ >"$ours/cgroup.procs"
find "$group" -depth -type d -exec rmdir {} +
