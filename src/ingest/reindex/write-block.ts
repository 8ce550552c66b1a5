/** The block under which an index takes no writes, so that a copy can catch up with it. */
import { TwinrankError } from '../../errors.js';
import type { EngineClient } from '../../search-engine/client.js';
import { encodeExpression } from '../../search-engine/index-settings.js';
import { asRecord } from '../../search-engine/json-value.js';
import { mustSucceed } from './expect-success.js';

const BLOCK = 'index.blocks.write';

/** Concrete indices behind the expression that have no write block. */
export async function openForWrites(
  client: EngineClient,
  expression: string,
  signal: AbortSignal,
): Promise<string[]> {
  const answer = await mustSucceed(client, `show the settings of "${expression}"`, {
    method: 'GET',
    // An index with none of the settings asked for may be left out of the answer; each has a uuid.
    path: `/${encodeExpression(expression)}/_settings/index.uuid,${BLOCK}?flat_settings=true`,
    signal,
  });
  return Object.entries(asRecord(answer.body)).flatMap(([index, entry]) => {
    const settings = asRecord(asRecord(entry)['settings']);
    return settings[BLOCK] === 'true' || settings[BLOCK] === true ? [] : [index];
  });
}

/**
 * Closes indices to writes; resolves when no write is under way any more that could still succeed. Can be repeated.
 */
export async function blockWrites(
  client: EngineClient,
  indices: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const index of indices) {
    // The block API waits for writes under way, as setting the block by hand does not.
    const answer = await client.request({
      method: 'PUT',
      path: `/${encodeExpression(index)}/_block/write`,
      signal,
    });
    if (answer.status === 200) continue;
    await setBlock(client, index, true, signal);
  }
}

/** Opens them again. An index that is gone needs nothing. Can be repeated. */
export async function unblockWrites(
  client: EngineClient,
  indices: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const index of indices) {
    try {
      await setBlock(client, index, null, signal);
    } catch (error) {
      if (!(error instanceof TwinrankError) || !error.message.includes('index_not_found')) throw error;
    }
  }
}

async function setBlock(
  client: EngineClient,
  index: string,
  value: true | null,
  signal: AbortSignal,
): Promise<void> {
  await mustSucceed(
    client,
    `${value === true ? 'close' : 'open'} "${index}" ${value === true ? 'to' : 'for'} writes`,
    {
      method: 'PUT',
      path: `/${encodeExpression(index)}/_settings`,
      body: { [BLOCK]: value },
      signal,
    },
  );
}
