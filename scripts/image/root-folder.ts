/**
 * A folder as the root of a file system, without containers: the kernel's own namespaces (util-linux's `unshare`) show
 * a program that folder as "/", with this machine's /usr and libraries in the place of the base image's.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { dirname } from 'node:path';

export interface InRoot {
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folders of this machine that are seen at the same path, written to as well. */
  readonly shared?: readonly string[];
  /** Seen read-only, as this user without any capability, with these folders in memory. */
  readonly confined?: { readonly uid: number; readonly gid: number; readonly inMemory: readonly string[] };
}

const IS_ROOT = process.getuid?.() === 0;
/** Made once for each program; the words after it are the program. */
const ENTER = `set -e
root=$1 workdir=$2 shared=$3 confined=$4 uid=$5 gid=$6
shift 6
mount --bind "$root" "$root"
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
for name in usr bin sbin lib lib32 lib64 libx32 etc opt; do
  if [ -L "/$name" ]; then ln -sfn "$(readlink "/$name")" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir -p "$root/$name"
    mount --rbind "/$name" "$root/$name"
    mount -o remount,bind,ro "$root/$name" 2>/dev/null || true
  fi
done
for path in $shared; do
  mkdir -p "$root$path"
  mount --rbind "$path" "$root$path"
done
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
if [ -n "$confined" ]; then
  for path in $confined; do mount -t tmpfs -o "mode=700,uid=$uid,gid=$gid" tmpfs "$root$path"; done
  mount -o remount,bind,ro "$root"
fi
cd "$root$workdir"
if [ -z "$uid" ]; then exec chroot "$root" /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"; fi
exec chroot "$root" setpriv ${IS_ROOT ? '--reuid "$uid" --regid "$gid" --clear-groups' : ''} --no-new-privs --bounding-set -all --inh-caps -all \\
  /bin/sh -c 'cd "$0" && exec "$@"' "$workdir" "$@"`;

/** Why this machine cannot do it; undefined where it can. */
export function whyNot(): string | undefined {
  const tried = spawnSync('unshare', [...namespaces(), 'true'], { encoding: 'utf8' });
  if (tried.error !== undefined) return 'there is no unshare (util-linux)';
  return tried.status === 0 ? undefined : `unshare: ${tried.stderr.trim()}`;
}

/** Starts a program in the root folder. */
export function startIn(where: InRoot, command: readonly string[], stdio: 'inherit' | 'pipe'): ChildProcess {
  const { root, workdir, env, shared = [], confined } = where;
  // Node may lie elsewhere than in /usr.
  const seen = process.execPath.startsWith('/usr/')
    ? shared
    : [...shared, dirname(dirname(process.execPath))];
  // Not being root, the one user that can be had is one's own, which the namespace calls 0.
  const ids = IS_ROOT || confined === undefined ? confined : { uid: 0, gid: 0 };
  const words = [
    root,
    workdir,
    seen.join(' '),
    confined?.inMemory.join(' ') ?? '',
    String(ids?.uid ?? ''),
    String(ids?.gid ?? ''),
  ];
  return spawn('unshare', [...namespaces(), 'sh', '-c', ENTER, 'enter', ...words, ...command], {
    env: { ...env },
    stdio: ['ignore', stdio, stdio],
  });
}

function namespaces(): string[] {
  return ['--mount', ...(IS_ROOT ? [] : ['--user', '--map-root-user'])];
}
