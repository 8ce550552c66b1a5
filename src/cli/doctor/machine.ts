/** What doctor says of the machine that it runs on. Pure. */
import type { Finding } from './finding.js';

export interface MachineFacts {
  readonly nodeVersion: string;
  /** The oldest that will do, as in package.json: `>=20.19`. */
  readonly neededNode: string;
  readonly cores: number;
  readonly cpu: string;
  /** Programs that want a core, over the last minute. */
  readonly load: number;
  /** Bytes that this process may still take. */
  readonly availableMemory: number;
  /** Variables that nothing reads, a sentence each. */
  readonly strayVariables: readonly string[];
}

const MB = 1024 * 1024;
/** A service with the model that comes with twinrank takes about this much. */
const NEEDED_MEMORY = 600 * MB;
/** Load a core from which on times are those of the neighbours. */
const BUSY = 0.75;

export function machineFindings(facts: MachineFacts): readonly Finding[] {
  return [nodeFinding(facts), coresFinding(facts), memoryFinding(facts), environmentFinding(facts)];
}

function nodeFinding({ nodeVersion, neededNode }: MachineFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = neededNode.replace(/^\D*/, '').split('.').map(Number);
  const isNewEnough = major > neededMajor || (major === neededMajor && minor >= neededMinor);
  if (isNewEnough) return { check: 'node', status: 'ok', message: `Node ${nodeVersion}.` };
  return {
    check: 'node',
    status: 'fail',
    message: `Node ${nodeVersion} is too old.`,
    remedy: `Install Node ${neededMajor}.${neededMinor} or newer.`,
  };
}

function coresFinding({ cores, cpu, load }: MachineFacts): Finding {
  const what = `${cores} ${cores === 1 ? 'core' : 'cores'} (${cpu}), load ${load.toFixed(1)}`;
  if (load > BUSY * cores)
    return {
      check: 'cores',
      status: 'warn',
      message: `${what}: other programs keep this machine busy, so the times below are longer than they could be.`,
      remedy: 'Run doctor again when the machine is idle, or give twinrank cores of its own.',
    };
  return { check: 'cores', status: 'ok', message: `${what}.` };
}

function memoryFinding({ availableMemory }: MachineFacts): Finding {
  const what = `${Math.round(availableMemory / MB)} MB of memory are free`;
  if (availableMemory >= NEEDED_MEMORY) return { check: 'memory', status: 'ok', message: `${what}.` };
  return {
    check: 'memory',
    status: 'warn',
    message: `${what}; a service takes about ${NEEDED_MEMORY / MB} MB.`,
    remedy: 'Give the machine or the container more memory, or fewer --workers.',
  };
}

function environmentFinding({ strayVariables }: MachineFacts): Finding {
  if (strayVariables.length === 0)
    return { check: 'environment', status: 'ok', message: 'Every TWINRANK_ variable is one that is read.' };
  return {
    check: 'environment',
    status: 'warn',
    message: strayVariables.join(' '),
    remedy: 'Correct the name or unset it; "twinrank config print COMMAND" shows what is in force.',
  };
}
