import { documentStoreContract } from '../../contract/document-store.js';
import { createMemoryStore } from './memory-store.js';

documentStoreContract('The store of the unit tests', () => createMemoryStore(() => new Error('away')));
