import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { copySettings, settingsToRestore } from '../../../src/ingest/reindex/prepare-dest.js';
import { swapActions, type AliasesByIndex } from '../../../src/ingest/reindex/swap.js';

function present(aliases: Record<string, Record<string, Record<string, unknown>>>): AliasesByIndex {
  return new Map(Object.entries(aliases).map(([index, own]) => [index, new Map(Object.entries(own))]));
}

const SWAP = { alias: 'shop', source: 'old', dest: 'new', deleteSource: false };

describe('the actions of a swap', () => {
  it('move the alias and nothing else', () => {
    const before = present({ old: { shop: { filter: { a: 1 } }, other: {} }, new: {}, third: { shop: {} } });
    assert.deepEqual(swapActions(SWAP, before), [
      { remove: { index: 'old', alias: 'shop' } },
      { add: { index: 'new', alias: 'shop', filter: { a: 1 } } },
    ]);
  });

  it('are none where all is done', () => {
    assert.deepEqual(swapActions(SWAP, present({ old: {}, new: { shop: {} } })), []);
    const deleting = { ...SWAP, alias: 'old', deleteSource: true };
    assert.deepEqual(swapActions(deleting, present({ new: { old: {} } })), []);
  });

  it('delete the source where told to, and keep its other aliases', () => {
    const before = present({ old: { other: { index_routing: 'r' } }, new: {} });
    assert.deepEqual(swapActions({ ...SWAP, alias: 'old', deleteSource: true }, before), [
      { remove_index: { index: 'old' } },
      { add: { index: 'new', alias: 'other', index_routing: 'r' } },
      { add: { index: 'new', alias: 'old' } },
    ]);
  });

  it('make an alias that there was not', () => {
    assert.deepEqual(swapActions(SWAP, present({ old: {}, new: {} })), [
      { add: { index: 'new', alias: 'shop' } },
    ]);
  });

  it('are refused where the name is taken', () => {
    assert.throws(
      () => swapActions({ ...SWAP, alias: 'old' }, present({ old: {}, new: {} })),
      /--delete-source/,
    );
    assert.throws(
      () => swapActions(SWAP, present({ old: {}, new: {}, third: { shop: {} } })),
      /belongs to third/,
    );
    assert.throws(
      () => swapActions({ ...SWAP, alias: 'third' }, present({ old: {}, new: {}, third: {} })),
      /is an index/,
    );
    assert.throws(
      () => swapActions({ ...SWAP, alias: 'new' }, present({ old: {}, new: {} })),
      /name of the new index/,
    );
  });
});

describe('the settings of a copy', () => {
  const flat = {
    'index.uuid': 'u',
    'index.version.created': '1',
    'index.creation_date': '2',
    'index.provided_name': 'old',
    'index.blocks.write': 'true',
    'index.resize.source.name': 'x',
    'index.routing.allocation.initial_recovery._id': 'x',
    'index.history.uuid': 'x',
    'index.number_of_shards': '3',
    'index.number_of_replicas': '2',
    'index.auto_expand_replicas': '0-1',
    'index.analysis.analyzer.own.tokenizer': 'standard',
    'index.default_pipeline': 'p',
  };

  it('are those of the source that are not its alone, without what slows the copying down', () => {
    assert.deepEqual(copySettings(flat), {
      'index.number_of_shards': '3',
      'index.analysis.analyzer.own.tokenizer': 'standard',
      'index.default_pipeline': 'p',
      'index.number_of_replicas': '0',
      'index.refresh_interval': '-1',
      'index.final_pipeline': '_none',
    });
  });

  it('are completed at its end', () => {
    assert.deepEqual(settingsToRestore(flat), {
      'index.number_of_replicas': '2',
      'index.refresh_interval': null,
      'index.final_pipeline': null,
      'index.auto_expand_replicas': '0-1',
    });
  });
});
