/** Image, compose file, Kubernetes manifests and systemd units: nothing runs as root or writes where it need not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { isInContext, lastOf, stagesOf, wordsOf } from '../../../scripts/image/dockerfile.js';
import { PROJECT_ROOT as ROOT } from '../../../scripts/project-root.js';

interface Node {
  readonly [key: string]: unknown;
}
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Node | undefined)?.[key], value);

describe('The image', () => {
  const stages = stagesOf(read('Dockerfile'));
  const image = stages.at(-1);
  assert.ok(image);

  it('is built in stages, runs as a user by number, and has a health check that is there', () => {
    assert.ok(stages.length > 1);
    assert.match(lastOf(image, 'USER') ?? '', /^[1-9]\d*:[1-9]\d*$/);
    const [, check = ''] = wordsOf(lastOf(image, 'HEALTHCHECK') ?? '');
    assert.ok(existsSync(join(ROOT, check.replace('/app/dist', 'dist'))), check);
  });

  it('copies what the context holds, the model among it', () => {
    const sources = stages
      .flatMap(({ instructions }) => instructions)
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    assert.ok(sources.includes('models'));
    for (const source of sources) {
      assert.ok(isInContext(source, read('.dockerignore')), `.dockerignore leaves ${source} out`);
      assert.ok(existsSync(join(ROOT, source)), source);
    }
  });
});

describe('docker-compose.yml', () => {
  const file = parse(read('docker-compose.yml'), { merge: true }) as Node;
  const services = file['services'] as Record<string, Node>;

  it('has engine, sidecar, proxy, Prometheus and Grafana, published on this machine only', () => {
    assert.deepEqual(Object.keys(services), ['engine', 'sidecar', 'proxy', 'prometheus', 'grafana']);
    for (const [name, service] of Object.entries(services))
      for (const port of service['ports'] as string[]) assert.match(port, /^127\.0\.0\.1:/, name);
  });

  it('gives our services a root that is not written to and no rights', () => {
    for (const name of ['sidecar', 'proxy']) {
      const service = services[name];
      assert.equal(at(service, 'read_only'), true);
      assert.deepEqual(at(service, 'cap_drop'), ['ALL']);
      assert.deepEqual(at(service, 'security_opt'), ['no-new-privileges:true']);
    }
  });

  it('mounts and names only what is there', () => {
    for (const service of Object.values(services))
      for (const volume of (service['volumes'] ?? []) as string[]) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('./')) assert.ok(existsSync(join(ROOT, from)), from);
        else assert.ok(Object.hasOwn(file['volumes'] as Node, from), from);
      }
  });

  it('has Prometheus ask the admin ports of both services', () => {
    const targets = at(
      parse(read('deploy/prometheus/prometheus.yml')),
      'scrape_configs',
      0,
      'static_configs',
    );
    assert.deepEqual(
      (targets as Node[]).flatMap((one) => one['targets']),
      ['sidecar:9210', 'proxy:9210'],
    );
  });
});

describe('Kubernetes manifests', () => {
  const files = readdirSync(join(ROOT, 'deploy/kubernetes'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => `deploy/kubernetes/${file}`)
    .sort();
  const documents = files.flatMap((file) =>
    parseAllDocuments(read(file)).map((document) => {
      assert.deepEqual(document.errors, [], file);
      return { file, object: document.toJS() as Node };
    }),
  );
  const kinds = new Set(documents.map(({ object }) => object['kind']));

  it('scale, survive disruptions, and are cut off from the network', () => {
    for (const kind of [
      'Deployment',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'NetworkPolicy',
      'Job',
    ])
      assert.ok(kinds.has(kind), kind);
  });

  for (const { file, object } of documents) {
    const pod =
      at(object, 'spec', 'template', 'spec') ?? at(object, 'spec', 'jobTemplate', 'spec', 'template', 'spec');
    if (pod === undefined) continue;
    it(`confine every container of ${file}`, () => {
      const containers = [at(pod, 'initContainers'), at(pod, 'containers')].flatMap(
        (list) => (list ?? []) as Node[],
      );
      assert.ok(containers.length > 0);
      for (const container of containers) {
        const context = container['securityContext'];
        assert.equal(at(context, 'readOnlyRootFilesystem'), true);
        assert.equal(at(context, 'allowPrivilegeEscalation'), false);
        assert.deepEqual(at(context, 'capabilities', 'drop'), ['ALL']);
        assert.equal(at(context, 'runAsNonRoot') ?? at(pod, 'securityContext', 'runAsNonRoot'), true);
        const profile: unknown =
          at(context, 'seccompProfile') ?? at(pod, 'securityContext', 'seccompProfile');
        assert.deepEqual(profile, { type: 'RuntimeDefault' });
        assert.ok(at(container, 'resources', 'limits', 'memory'), 'no limit of memory');
      }
    });
  }

  const kubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
  for (const folder of ['proxy', 'reindex', 'writer-example'])
    it(`are put together by kustomize: ${folder}`, { skip: !kubectl && 'there is no kubectl' }, () => {
      const { status, stdout, stderr } = spawnSync(
        'kubectl',
        ['kustomize', join(ROOT, 'deploy/kubernetes', folder)],
        {
          encoding: 'utf8',
        },
      );
      assert.equal(status, 0, stderr);
      if (folder === 'writer-example') assert.match(stdout, /name: twinrank-ingest/);
    });
});

describe('systemd units', () => {
  const units = ['ingest', 'rerank'].map((name) => `deploy/systemd/twinrank-${name}.service`);
  const analyze = spawnSync('systemd-analyze', ['--version']).status === 0;
  const skip = !analyze && 'there is no systemd-analyze';

  for (const unit of units) {
    it(`${unit} confines the service`, () => {
      for (const line of [
        'DynamicUser=yes',
        'ProtectSystem=strict',
        'NoNewPrivileges=yes',
        'CapabilityBoundingSet=',
      ])
        assert.ok(read(unit).split('\n').includes(line), line);
    });
    it(`${unit} is understood by systemd, and little exposed`, { skip }, () => {
      const verified = spawnSync('systemd-analyze', ['verify', join(ROOT, unit)], { encoding: 'utf8' });
      assert.equal(verified.stderr, '');
      assert.equal(verified.status, 0);
      const rated = spawnSync(
        'systemd-analyze',
        ['security', '--offline=true', '--threshold=20', join(ROOT, unit)],
        { encoding: 'utf8' },
      );
      assert.equal(rated.status, 0, rated.stdout.split('\n').slice(-3).join('\n'));
    });
  }
});
