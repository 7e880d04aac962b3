#!/bin/busybox sh
# The first process of the guest: the machine's own file system becomes its root, with a layer in memory that takes what
# is written, and /out is a folder of the machine that really is written to. Then the agent runs, until it ends.
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t 9p -o trans=virtio,version=9p2000.L,cache=loose,ro,msize=524288 root /below
mount -t tmpfs -o size=60% tmpfs /layer
mkdir -p /layer/above /layer/work
mount -t overlay -o lowerdir=/below,upperdir=/layer/above,workdir=/layer/work overlay /new
mkdir -p /new/proc /new/sys /new/dev /new/out
for folder in proc sys dev; do mount --move /$folder /new/$folder; done
mkdir -p /new/dev/shm /new/dev/pts
mount -t tmpfs tmpfs /new/dev/shm
mount -t devpts devpts /new/dev/pts
mount -t tracefs tracefs /new/sys/kernel/tracing
mount -t cgroup2 cgroup2 /new/sys/fs/cgroup
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288 out /new/out
ifconfig lo 127.0.0.1 up
chroot /new /bin/bash /out/start
echo "lab: the agent has ended"
reboot -f
