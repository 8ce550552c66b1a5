/** One index with vectors of two numbers, as the proxy knows it, and a head for them. */
import { createHead } from '../../../src/model/head.js';
import type { SettingsReader } from '../../../src/search-engine/index-settings.js';
import type { IndexSettings } from '../../../src/search-engine/mapping-meta.js';

export const SETTINGS: IndexSettings = {
  textFields: ['title'], vectorField: 'vec', codec: 'f32', dimensions: 2, model: 'm', fingerprint: '0123456789abcdef', window: 5,
}; // prettier-ignore

export const settings: SettingsReader = {
  forSearch: () =>
    Promise.resolve({ byIndex: new Map([['i', SETTINGS]]), maxResultWindow: 10_000, sourcesAreWhole: true }),
  forWrite: () => Promise.reject(new Error('not asked for in a search')),
};

/** The log-odds of a hit are its vector's first number. */
export const head = createHead([[0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]], [0, 0], 2); // prettier-ignore
