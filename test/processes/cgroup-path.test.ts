import test from 'ava';
import { cgroupPath, containerId, isInCgroup, isInContainer } from '../../src/processes/cgroup-path.js';

const ID = '4f1e0c9a7b3d5e6f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7';
const V2 = '0::/system.slice/nginx.service\n';
const V1 = '9:name=systemd:/init\n4:memory:/web/blue\n2:cpu,cpuacct:/\n0::/\n';

for (const given of ['/sys/fs/cgroup/a/b', 'a/b', '/a/b/', '//a//b']) {
  test(`${given} is the cgroup /a/b`, (t) => t.is(cgroupPath(given), '/a/b'));
}

test('the root is everything', (t) => {
  t.is(cgroupPath('/sys/fs/cgroup/'), '');
  t.true(isInCgroup(V1, cgroupPath('/')));
});

test('an empty cgroup is refused', (t) => {
  t.like(
    t.throws(() => cgroupPath(' ')),
    { code: 'ATTRS' },
  );
});

for (const [text, path, is] of [
  [V2, '/system.slice/nginx.service', true],
  [V2, '/sys/fs/cgroup/system.slice', true],
  [V2, 'unified/system.slice', true],
  [V2, '/system', false],
  [V2, '/nginx.service', false],
  [V1, '/sys/fs/cgroup/memory/web', true],
  [V1, 'memory/web/blue', true],
  [V1, '/web', true],
  [V1, '/web/blue/deep', false],
  [V1, '/cpu', true],
  [V1, '/cpu,cpuacct', true],
  [V1, '/cpu/web', false],
  [V1, 'systemd/init', true],
  ['0::/gone (deleted)\n', '/gone', true],
  ['0::/with:colon\n', '/with:colon', true],
  ['', '/web', false],
] as const) {
  test(`${JSON.stringify(text)} is ${is ? 'in' : 'not in'} ${path}`, (t) => {
    t.is(isInCgroup(text, cgroupPath(path)), is);
  });
}

for (const [path, is] of [
  [`/system.slice/docker-${ID}.scope`, true],
  [`/docker/${ID}`, true],
  [`/docker/${ID}/init`, true],
  [`/kubepods.slice/kubepods-pod12.slice/cri-containerd-${ID}.scope`, true],
  [`/kubepods/burstable/pod0a1b/${ID}`, true],
  [`/kubepods.slice/crio-${ID}.scope/container`, true],
  [`/machine.slice/libpod-${ID}.scope/container`, true],
  [`/system.slice/containerd.service/kubepods-pod12.slice:cri-containerd:${ID}`, true],
  [`/machine.slice/libpod-conmon-${ID}.scope`, false],
  [`/kubepods.slice/crio-conmon-${ID}.scope`, false],
  ['/system.slice/4f1e.service', false],
  ['/4f1e', false],
] as const) {
  test(`${path} is ${is ? 'in' : 'not in'} the container`, (t) => {
    t.is(isInContainer(`0::${path}\n`, containerId(ID.slice(0, 12))), is);
    t.false(isInContainer(`0::${path}\n`, 'ffff'));
  });
}

const TASK = '4f1e0c9a7b3d5e6f8091a2b3c4d5e6f7';
const UUID = '4f1e0c9a-7b3d-5e6f-8091';

for (const [path, id] of [
  [`/ecs/${TASK}/${TASK}-2495160603`, `${TASK}-2495160603`],
  [`/ecs/0123456789abcdef0123456789abcdef/${TASK}-2495160603`, `${TASK}-2495160603`],
  [`/docker/${TASK}-0527074092`, `${TASK}-0527074092`],
  [`/ecs/cluster/${TASK}/${ID}`, ID],
  [`/ecstasks.slice/ecstasks-${TASK}.slice/docker-${ID}.scope`, ID],
  [`/system.slice/nerdctl-${ID}.scope`, ID],
  [`/kubepods/besteffort/pod0a1b2c3d-0000-1111-2222-333344445555/crio-${ID}`, ID],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`, ID],
  [`/machine.slice/libpod-payload-${ID}`, ID],
  [`/actions_job/${ID}`, ID],
  [`/garden/${UUID}-a2b3`, `${UUID}-a2b3`],
  [`/mesos/${UUID}-a2b3c4d5e6f7`, `${UUID}-a2b3c4d5e6f7`],
] as const) {
  test(`${path} is in its container, by its whole id and any start of it`, (t) => {
    for (const length of [4, 9, 12, 32, 33, 36, id.length]) {
      const prefix = id.slice(0, length);
      t.true(isInContainer(`0::${path}\n`, containerId(prefix)), prefix);
    }
    t.false(isInContainer(`0::${path}\n`, containerId(`${id.slice(0, -1)}${id.endsWith('1') ? 2 : 1}`)));
  });
}

test('a pod, a service with a number and a slice are no containers', (t) => {
  for (const path of [
    '/kubepods/burstable/pod4f1e0c9a-7b3d-5e6f-8091-a2b3c4d5e6f7',
    '/kubepods.slice/kubepods-pod4f1e0c9a_7b3d_5e6f_8091_a2b3c4d5e6f7.slice',
    `/ecstasks.slice/ecstasks-${TASK}.slice`,
    '/system.slice/4f1e0c9a-7.service',
  ]) {
    t.false(isInContainer(`0::${path}\n`, containerId('4f1e')), path);
  }
});

test('a container id is taken as docker and kubectl write it, and a name is refused', (t) => {
  t.is(containerId(`containerd://${ID}`), ID);
  t.is(containerId('4F1E'), '4f1e');
  for (const given of ['web', '', `${ID}0`, 'cafe-bad', `${TASK}-12x`, '-4f1e']) {
    t.like(
      t.throws(() => containerId(given)),
      { code: 'ATTRS' },
    );
  }
});
