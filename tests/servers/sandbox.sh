# Lays an unpacked server over the system, for this process and its children alone, furnishes it,
# and keeps it until standard input closes. Runs as the first process of a mount namespace and a
# process namespace, so that everything ends with it.
#
#   sandbox.sh LAYER FOLDER
#
# FOLDER is seen at the same path inside. FOLDER/furnish is run there, and may leave daemons.
set -e
layer=$1
folder=$2
area=$folder/area
root=$area/root

mkdir "$area"
mount -t tmpfs -o mode=755 tmpfs "$area"
mkdir "$area/changes" "$area/work" "$root"
cp -a "$layer/." "$area/changes"
mount -t overlay -o "lowerdir=/,upperdir=$area/changes,workdir=$area/work" overlay "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
# The system's sockets are there, its log's among them.
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root$folder"
mount --bind "$folder" "$root$folder"

chroot "$root" /bin/sh -e "$folder/furnish" "$folder" </dev/null >"$folder/log" 2>&1
echo ready
exec cat >/dev/null
