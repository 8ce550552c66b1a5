/** `twinrank doctor`: looks at machine, engine, indices, vectors, model and services, and says what to do. */
import { availableParallelism, cpus, freemem, loadavg } from 'node:os';
import { readInputText } from '../../evaluate/read-input.js';
import { defaultBundleFolder } from '../../model/default-bundle.js';
import { createEngineClient, withoutCredentials } from '../../search-engine/client.js';
import type { CatalogEntry } from '../catalog.js';
import type { Command, CommandIo } from '../command.js';
import { countFindings, exitCodeOf, type Finding } from '../doctor/finding.js';
import { createFindingWriter, wantsColour } from '../doctor/finding-text.js';
import type { MachineFacts } from '../doctor/machine.js';
import { diagnose, type Asked } from '../doctor/run.js';
import { DOCTOR_OPTIONS, type DoctorValues } from '../doctor-options.js';
import { strayVariables } from '../effective-options.js';
import { refuseTlsContradictions } from '../engine-options.js';
import { poolSize } from '../model-options.js';
import { neededNode } from '../version.js';

/** @param entries every command, whose options say which variables are read */
export function doctorCommand(entries: () => readonly CatalogEntry[]): Command<typeof DOCTOR_OPTIONS> {
  return {
    usage: 'doctor',
    summary: 'Look at machine, engine, indices, model and services, and say what to do. Changes nothing.',
    options: DOCTOR_OPTIONS,
    run: (values, _positionals, io) => run(values, strayVariables(process.env, entries()), io),
  };
}

async function run(values: DoctorValues, stray: readonly string[], io: CommandIo): Promise<number> {
  refuseTlsContradictions(values.upstream, values);
  // A file that is not there is told before anything is asked.
  if (values.ca !== undefined) await readInputText(values.ca);
  const clients: Asked[] = [];
  const asked = (url: URL): Asked => {
    const isHttps = url.protocol === 'https:';
    const tls = isHttps ? { caFile: values.ca, insecure: values.insecure } : {};
    clients.push({ url, client: createEngineClient(url, { ...tls, timeoutMs: values.timeout }) });
    return clients.at(-1) as Asked;
  };
  const perhaps = (url: URL | undefined): Asked | undefined => (url === undefined ? undefined : asked(url));
  const input = {
    machine: machineFacts(stray),
    engine: asked(values.upstream),
    insecure: values.insecure,
    proxy: perhaps(values.proxy),
    proxyAdmin: perhaps(values.proxyAdmin),
    sidecar: perhaps(values.sidecar),
    sidecarAdmin: perhaps(values.sidecarAdmin),
    indices: values.index.flatMap((names) => names.split(',')).filter((name) => name !== ''),
    purposes: values.purposes.length > 0 ? values.purposes : (['proxy', 'sidecar'] as const),
    sample: values.sample,
    budgetMs: values.budget,
    skipModel: values.skipModel,
    bundle: values.model ?? defaultBundleFolder(),
    queryThreads: values.threads ?? poolSize('query').threadsPerWorker,
    documentWorkers: values.workers ?? poolSize('document').workers,
    advice: { to: withoutCredentials(values.upstream), model: values.model },
  };
  const inColour = wantsColour(io.stdout.isTTY === true, process.env['NO_COLOR']);
  const writer = createFindingWriter((text) => void io.stdout.write(text), inColour);
  const findings: Finding[] = [];
  try {
    for await (const finding of diagnose(input, io.signal)) {
      findings.push(finding);
      if (!values.json) writer.finding(finding);
    }
  } finally {
    for (const { client } of clients) await client.close();
  }
  const code = exitCodeOf(findings, values.strict);
  if (values.json)
    io.stdout.write(`${JSON.stringify({ ok: code === 0, counts: countFindings(findings), findings })}\n`);
  else writer.end(findings);
  return code;
}

function machineFacts(stray: readonly string[]): MachineFacts {
  return {
    nodeVersion: process.versions.node,
    neededNode: neededNode(),
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    load: loadavg()[0] ?? 0,
    availableMemory: availableMemory(),
    strayVariables: stray,
  };
}

/** What a container may have, where this Node can tell. */
function availableMemory(): number {
  const ofProcess = (process as { availableMemory?: () => number }).availableMemory;
  return ofProcess === undefined ? freemem() : ofProcess();
}
