/** Calls of a reindex that must succeed. */
import { TwinrankError } from '../../errors.js';
import {
  reasonOf,
  type EngineAnswer,
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
  throw new TwinrankError(
    refusalCode(answer.status),
    `${client.address} would not ${what}: ${reasonOf(answer)}.`,
  );
}
