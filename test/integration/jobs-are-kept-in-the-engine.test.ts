/** The engine's store of job documents against the real engine. */
import { after } from 'node:test';
import { createEngineStore } from '../../src/ingest/reindex/jobs/engine-store.js';
import { createEngineClient } from '../../src/search-engine/client.js';
import { documentStoreContract } from '../contract/document-store.js';
import { engineUrl } from './support/engine.js';

const client = createEngineClient(new URL(engineUrl()));
after(() => client.close());

documentStoreContract('The engine', () => createEngineStore(client));
