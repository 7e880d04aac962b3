import { PagepulseError } from '../core/errors.js';
import { CGROUP_ROOT, type CgroupLine, cgroupLines } from '../kernel/cgroup.js';

/**
 * Container engines name the cgroup of a container after its ID: `docker-ID.scope`, `cri-containerd-ID.scope`,
 * `libpod-ID.scope` and `crio-ID.scope` under systemd, plain `ID` without (`/docker/ID`, `/kubepods/burstable/podUID/ID`),
 * and `SLICE:cri-containerd:ID` if containerd confuses the two. The `conmon` beside a container supervises it and is not a
 * part of it.
 *
 * An ID is 64 hex digits or at least the first 12 of them; with Amazon ECS on Fargate 32 and a decimal number
 * (`/ecs/TASK/ID`); with Cloud Foundry and Mesos groups of hex digits as in a UUID (`/garden/ID`, `/mesos/ID`).
 */
const CONTAINER =
  /^(?:(?![\s\S]*conmon-)[a-z][a-z-]*-)?([0-9a-f]{12,64}|[0-9a-f]{32}-\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{4,12})(?:\.scope)?$/;

/** The start of any of these. */
const ID_PREFIX = /^(?:[0-9a-f]{1,64}|[0-9a-f]{32}-\d{0,31}|[0-9a-f]{8}-[0-9a-f-]{0,27})$/;

/**
 * A cgroup as `isInCgroup` compares it: with a slash at the start, none at the end, and without /sys/fs/cgroup. The root is
 * empty.
 *
 * @throws PagepulseError `ATTRS`
 */
export function cgroupPath(given: string): string {
  if (given.trim() === '') {
    throw new PagepulseError(
      'ATTRS',
      'the cgroup is empty; give its path, as in /system.slice/nginx.service',
    );
  }
  const path = `/${given}`.replace(/\/+/g, '/').replace(/\/$/, '');
  return path === CGROUP_ROOT || path.startsWith(`${CGROUP_ROOT}/`) ? path.slice(CGROUP_ROOT.length) : path;
}

/**
 * The prefix of a container's ID, also as `kubectl` writes it (containerd://...).
 *
 * @throws PagepulseError `ATTRS`
 */
export function containerId(given: string): string {
  const id = given.replace(/^[\w-]+:\/\//, '').toLowerCase();
  if (ID_PREFIX.test(id)) return id;
  throw new PagepulseError(
    'ATTRS',
    `'${given}' is not the start of a container ID; give its first hex digits, as \`docker ps\` or \`crictl ps\` shows them`,
  );
}

/**
 * Whether a process is in a cgroup or in one below it, in any hierarchy.
 *
 * @param text of /proc/PID/cgroup
 * @param path as `cgroupPath` makes it; of version 1 with or without the folder of the hierarchy (/memory/foo, /foo), of a
 *   version 2 beside it with or without /unified
 */
export function isInCgroup(text: string, path: string): boolean {
  return linesOf(text).some(
    ({ controllers, path: own }) =>
      isBelow(own, path) ||
      mountNames(controllers).some((name) => isBelow(`/${name}${own === '/' ? '' : own}`, path)),
  );
}

/** Whether a process is in a container with this ID prefix, or in a container inside it. */
export function isInContainer(text: string, idPrefix: string): boolean {
  return linesOf(text).some(({ path }) =>
    path.split(/[/:]/).some((name) => CONTAINER.exec(name)?.[1]?.startsWith(idPrefix)),
  );
}

function isBelow(own: string, path: string): boolean {
  return own.startsWith(path) && (own.length === path.length || own[path.length] === '/');
}

/** Folders of /sys/fs/cgroup where a hierarchy is usually mounted: by all its controllers together, and by each. */
function mountNames(controllers: string): string[] {
  if (controllers === '') return ['unified'];
  const names = controllers.replace('name=', '');
  return [names, ...(names.includes(',') ? names.split(',') : [])];
}

function linesOf(text: string): CgroupLine[] {
  return cgroupLines(text).map(({ controllers, path }) => ({
    controllers,
    path: path.replace(/ \(deleted\)$/, ''),
  }));
}
