/** Calls of a reindex that must succeed, and what is said where they do not. */
import { TwinrankError } from '../../errors.js';
import {
  reasonOf,
  type EngineAnswer,
  type EngineBytes,
  type EngineClient,
  type EngineRequest,
} from '../../search-engine/client.js';
import { patientRead, refusalCode } from './patient-read.js';

/**
 * Makes a call, again while the engine is busy or away, and throws `upstream_answer` where it is refused,
 * `not_ready` where it stayed busy.
 * Only for calls that can be repeated.
 * @param what for the message, after "would not"
 */
export async function mustSucceed(
  client: EngineClient,
  what: string,
  request: EngineRequest & { readonly signal: AbortSignal },
): Promise<EngineAnswer> {
  const answer = await patientRead(client, request);
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw refusal(`${client.address} would not ${what}`, answer);
}

/** The error for an answer that is no success: `what`, and the engine's own words for the reason. */
export function refusal(what: string, { status, body, headers }: EngineAnswer | EngineBytes): TwinrankError {
  const reason = reasonOf({ status, body: Buffer.isBuffer(body) ? parsed(body) : body, headers });
  return new TwinrankError(refusalCode(status), `${what}: ${reason}.`);
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
