/** `twinrank model pull REPO[@REV]`: fetches a bundle from the Hub into the cache, and prints its folder. */
import { join, resolve } from 'node:path';
import { TwinrankError } from '../../../errors.js';
import { createHub } from '../../../hub/hub-client.js';
import { cachedBundle, pullBundle, type PullDeps, type Pulled } from '../../../hub/pull-bundle.js';
import { parseReference, type Reference } from '../../../hub/reference.js';
import { createTransport } from '../../../hub/transport.js';
import { cacheFolder } from '../../cache-folder.js';
import type { Command, CommandIo } from '../../command.js';
import { proxiesOf, tokenOf } from '../../hub-environment.js';
import { flag, httpUrl, text, type OptionTable, type OptionValues } from '../../options.js';
import { createProgressBar, createProgressLines, type Progress, type ProgressState } from '../../progress.js';

const BACK_OFF = { retries: 5, firstDelay: 500, maxDelay: 30_000 };
const LOCK = { staleMs: 20_000, everyMs: 1_000 };
const SILENCE_MS = 30_000;
const BAR_EVERY_MS = 200;
const LINES_EVERY_MS = 2_000;

const OPTIONS = {
  endpoint: {
    flag: 'endpoint',
    env: 'HF_ENDPOINT',
    help: 'Address of the Hub or of a mirror of it; there is none built in. A token is read from HF_TOKEN or the token file.',
    parse: endpoint,
  },
  cache: {
    flag: 'cache',
    env: 'TWINRANK_CACHE',
    help: 'Folder of what twinrank keeps; bundles go to "models" in it. Left out: the user\'s cache folder.',
    parse: text,
  },
  offline: {
    flag: 'offline',
    env: 'HF_HUB_OFFLINE',
    help: 'Use no network: give what was pulled before.',
    default: 'false',
    boolean: true,
    parse: hubSwitch,
  },
  json: {
    flag: 'json',
    env: null,
    help: 'Print progress and a summary as JSON lines on standard output.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
} satisfies OptionTable;

type Values = OptionValues<typeof OPTIONS>;

export const modelPullCommand: Command<typeof OPTIONS> = {
  usage: 'pull <repository>',
  summary: 'Fetch a bundle from a Hub by OWNER/NAME or OWNER/NAME@REVISION, and print its folder.',
  options: OPTIONS,
  run: async (values, [name = ''], io) => {
    const reference = referenceOf(name);
    const root = join(resolve(values.cache ?? cacheFolder()), 'models');
    const pulled = values.offline
      ? await cachedBundle(root, reference)
      : await pull(values, reference, root, io);
    report(pulled, reference, values.json, io);
    return 0;
  },
};

async function pull(values: Values, reference: Reference, root: string, io: CommandIo): Promise<Pulled> {
  if (values.endpoint === undefined) {
    throw new TwinrankError(
      'bad_config',
      'No Hub is named, and none is built in. Give its address (https and the host, as your browser shows it) with --endpoint, or set HF_ENDPOINT.',
    );
  }
  const token = await tokenOf(process.env);
  const { hostname, protocol } = values.endpoint;
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  if (token !== null && protocol === 'http:' && !isLocal)
    io.stderr.write('Warning: the token is sent unencrypted, since the endpoint is http:.\n');
  const transport = createTransport(proxiesOf(process.env), SILENCE_MS);
  let state: ProgressState = { done: 0, total: 0, count: 0, failed: 0 };
  const deps: PullDeps = {
    root,
    backOff: BACK_OFF,
    lock: LOCK,
    random: Math.random,
    onTrouble: (message) => {
      if (values.json) io.stdout.write(`${JSON.stringify({ event: 'trouble', reason: message })}\n`);
      else io.stderr.write(`Waiting: ${message}\n`);
    },
    onProgress: (done, total) => {
      // Until the manifest has come nobody knows of how much.
      state = { done: total === 0 ? 0 : done, total, count: done, failed: 0 };
    },
  };
  const progress = showProgress(() => state, reference, values.json, io);
  try {
    const hub = createHub({ endpoint: values.endpoint, token }, { ...deps, transport, now: Date.now });
    return await pullBundle(deps, hub, reference, io.signal);
  } finally {
    progress.stop();
    await transport.close();
  }
}

/** A bar on a terminal; JSON lines on standard output with `json`, else on standard error. */
function showProgress(
  read: () => ProgressState,
  { repository, revision }: Reference,
  json: boolean,
  io: CommandIo,
): Progress {
  const options = { label: repository, unit: 'bytes', extra: { repository, revision } };
  if (!json && io.stderr.isTTY === true) {
    const inKilobytes = (): ProgressState => ({ ...read(), count: Math.round(read().count / 1000) });
    return createProgressBar(io.stderr, inKilobytes, { ...options, unit: 'kB', everyMs: BAR_EVERY_MS });
  }
  return createProgressLines(json ? io.stdout : io.stderr, read, { ...options, everyMs: LINES_EVERY_MS });
}

function report(
  { bundle, commit, fetched }: Pulled,
  { repository, revision }: Reference,
  json: boolean,
  io: CommandIo,
): void {
  const { folder, manifest, fingerprint } = bundle;
  if (json) {
    const summary = { event: 'summary', repository, revision, commit, folder, name: manifest.name };
    io.stdout.write(
      `${JSON.stringify({ ...summary, version: manifest.version, fingerprint, files_fetched: fetched })}\n`,
    );
    return;
  }
  const how = fetched === 0 ? 'was there already' : `${fetched} files fetched`;
  io.stderr.write(
    `${manifest.name} ${manifest.version}, licence ${manifest.license}, commit ${commit}: ${how}, verified.\n`,
  );
  // Alone on standard output, for --model "$(twinrank model pull ...)".
  io.stdout.write(`${folder}\n`);
}

function referenceOf(name: string): Reference {
  try {
    return parseReference(name);
  } catch (error) {
    throw new TwinrankError('bad_config', `REPO[@REV]: ${(error as Error).message}`, { cause: error });
  }
}

function endpoint(value: string): URL {
  const url = httpUrl(value);
  if (url.username !== '' || url.password !== '')
    throw new Error('expected an address without user and password; put a token into HF_TOKEN.');
  return url;
}

/** The words that the Hub's own tools take for a switch. */
function hubSwitch(value: string): boolean {
  if (/^(1|on|yes|true|)$/i.test(value)) return true;
  if (/^(0|off|no|false)$/i.test(value)) return false;
  throw new Error(`expected 1 or 0, got "${value}".`);
}
