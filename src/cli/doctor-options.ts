/** The options of `twinrank doctor`. */
import { DEFAULT_RERANK_OPTIONS } from '../rerank/context.js';
import { PURPOSES } from './doctor/permissions.js';
import { TLS_OPTIONS } from './engine-options.js';
import { MODEL_OPTIONS } from './model-options.js';
import { flag, httpUrl, integer, oneOf, text, type OptionTable, type OptionValues } from './options.js';

export const DOCTOR_OPTIONS = {
  upstream: {
    flag: 'upstream',
    env: 'TWINRANK_UPSTREAM',
    help: 'Address of the engine; it may hold credentials, those that the services or reindex are to have.',
    required: true,
    parse: httpUrl,
  },
  index: {
    flag: 'index',
    env: 'TWINRANK_DOCTOR_INDEX',
    help: 'Index, alias or data stream to look at; may be given several times. All that are set up, if left out.',
    many: true,
    parse: text,
  },
  proxy: {
    flag: 'proxy',
    env: 'TWINRANK_DOCTOR_PROXY',
    help: 'Address of the rerank proxy; it may hold credentials of someone who may search.',
    parse: httpUrl,
  },
  proxyAdmin: {
    flag: 'proxy-admin',
    env: 'TWINRANK_DOCTOR_PROXY_ADMIN',
    help: 'Address of its admin port.',
    parse: httpUrl,
  },
  sidecar: {
    flag: 'sidecar',
    env: 'TWINRANK_DOCTOR_SIDECAR',
    help: 'Address of the ingest sidecar.',
    parse: httpUrl,
  },
  sidecarAdmin: {
    flag: 'sidecar-admin',
    env: 'TWINRANK_DOCTOR_SIDECAR_ADMIN',
    help: 'Address of its admin port.',
    parse: httpUrl,
  },
  purposes: {
    flag: 'for',
    env: 'TWINRANK_DOCTOR_FOR',
    help: `What the credentials are for: ${PURPOSES.join(', ')}; may be given several times. Left out: proxy and sidecar.`,
    many: true,
    parse: oneOf(...PURPOSES),
  },
  sample: {
    flag: 'sample',
    env: 'TWINRANK_DOCTOR_SAMPLE',
    help: 'Documents of each index whose vectors are looked at.',
    default: '200',
    parse: integer(1, 10_000),
  },
  budget: {
    flag: 'budget',
    env: 'TWINRANK_BUDGET',
    help: "The proxy's --budget, to which the time of a query's vector is held.",
    default: String(DEFAULT_RERANK_OPTIONS.budgetMs),
    parse: integer(1, 60_000),
  },
  skipModel: {
    flag: 'skip-model',
    env: 'TWINRANK_DOCTOR_SKIP_MODEL',
    help: 'Only read what the model is; neither prove nor measure it, which takes most of the time.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  timeout: {
    flag: 'timeout',
    env: 'TWINRANK_DOCTOR_TIMEOUT',
    help: 'Milliseconds for which an answer is waited.',
    default: '10000',
    parse: integer(100, 600_000),
  },
  strict: {
    flag: 'strict',
    env: 'TWINRANK_DOCTOR_STRICT',
    help: 'Exit with 1 for warnings too.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  json: {
    flag: 'json',
    env: null,
    help: 'The findings as one JSON document.',
    default: 'false',
    boolean: true,
    parse: flag,
  },
  model: MODEL_OPTIONS.model,
  workers: MODEL_OPTIONS.workers,
  threads: MODEL_OPTIONS.threads,
  ...TLS_OPTIONS,
} satisfies OptionTable;

export type DoctorValues = OptionValues<typeof DOCTOR_OPTIONS>;
