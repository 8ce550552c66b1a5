/** Option tables: flags over environment over defaults, and one clear line for what cannot be used. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  flag,
  httpUrl,
  integer,
  listenAddress,
  oneOf,
  readOptions,
  text,
  type OptionTable,
} from '../../../src/cli/options.js';
import { TwinrankError } from '../../../src/errors.js';

const TABLE = {
  size: { flag: 'size', env: 'SIZE', help: 'How many.', default: '10', parse: integer(1, 100) },
  upstream: { flag: 'upstream', env: 'UPSTREAM', help: 'The engine.', required: true, parse: httpUrl },
  name: { flag: 'name', env: null, help: 'A name.', parse: text },
  force: { flag: 'force', env: 'FORCE', help: 'Do it.', default: 'false', boolean: true, parse: flag },
  fields: { flag: 'text', env: 'TEXT', help: 'Fields.', many: true, parse: text },
  codec: { flag: 'codec', env: 'CODEC', help: 'Codec.', default: 'f16', parse: oneOf('f16', 'f32') },
} satisfies OptionTable;
const UPSTREAM = 'http://127.0.0.1:9200';

const read = (
  argv: Record<string, unknown>,
  env: Record<string, string> = {},
): ReturnType<typeof readOptions<typeof TABLE>> => readOptions(TABLE, { upstream: UPSTREAM, ...argv }, env);
const refusal = (argv: Record<string, unknown>, env: Record<string, string> = {}): string => {
  try {
    readOptions(TABLE, argv, env);
  } catch (error) {
    assert.ok(error instanceof TwinrankError && error.code === 'bad_config');
    assert.ok(!error.message.includes('\n'));
    return error.message;
  }
  return assert.fail('was accepted');
};

describe('options', () => {
  it('take flags over the environment over defaults', () => {
    assert.equal(read({ size: 5 }, { SIZE: '7' }).size, 5);
    assert.equal(read({}, { SIZE: '7' }).size, 7);
    assert.equal(read({}).size, 10);
    assert.equal(read({}).name, undefined);
    assert.equal(readOptions(TABLE, {}, { UPSTREAM }).upstream.href, `${UPSTREAM}/`);
  });

  it('treat an empty variable as not set', () => {
    const values = read({}, { SIZE: '', TEXT: '', CODEC: '' });
    assert.deepEqual([values.size, values.fields, values.codec], [10, [], 'f16']);
    assert.match(refusal({}, { UPSTREAM: '' }), /--upstream is missing/);
  });

  it('may be given several times where the table says so', () => {
    assert.deepEqual(read({ text: ['a', 'b'] }).fields, ['a', 'b']);
    assert.deepEqual(read({ text: 'a' }, { TEXT: 'x,y' }).fields, ['a']);
    assert.deepEqual(read({}, { TEXT: 'x,y' }).fields, ['x', 'y']);
    assert.match(refusal({ upstream: UPSTREAM, size: [1, 2] }), /--size is given 2 times; give it once/);
  });

  it('are switches where given without a value', () => {
    for (const [given, value] of [
      [true, true],
      ['', true],
      ['true', true],
      [false, false],
      ['0', false],
    ] as const)
      assert.equal(read({ force: given }).force, value);
    assert.match(
      refusal({ upstream: UPSTREAM, force: 'maybe' }),
      /--force: expected true or false, got "maybe"/,
    );
  });

  it('name the flag or the variable that is wrong, and what was expected', () => {
    assert.match(refusal({}), /--upstream is missing: The engine\. Give --upstream \(or set UPSTREAM, /);
    assert.match(
      refusal({ upstream: UPSTREAM, size: 0 }),
      /--size: expected a whole number from 1 to 100, got "0"/,
    );
    assert.match(refusal({ upstream: UPSTREAM }, { SIZE: 'many' }), /^SIZE: expected a whole number/);
    assert.match(refusal({ upstream: UPSTREAM, codec: 'f8' }), /--codec: expected f16 or f32, got "f8"/);
    assert.match(refusal({ upstream: UPSTREAM, name: ' ' }), /--name: expected a text/);
    assert.match(refusal({ upstream: UPSTREAM, text: ['a', ''] }), /--text: expected a text/);
    assert.match(
      refusal({ upstream: 'http://user:secret@' }),
      /^(?!.*secret)--upstream: expected an address/,
    );
  });

  it('are frozen', () => {
    assert.ok(Object.isFrozen(read({})) && Object.isFrozen(read({ text: ['a'] }).fields));
  });
});

describe('parsers', () => {
  it('of whole numbers take nothing else', () => {
    assert.equal(integer(-5, 5)('-5'), -5);
    for (const value of ['', ' 1', '1.0', '1e1', '0x1', '6', '-6', 'NaN', '9007199254740993'])
      assert.throws(() => integer(-5, 5)(value), /whole number from -5 to 5/, value);
  });

  it('of addresses take http and https with a path, no more', () => {
    assert.equal(httpUrl('https://u:p@h:1/prefix').pathname, '/prefix');
    for (const value of ['', 'h:9200', '127.0.0.1:9200', 'ftp://h', 'http://h?x', 'http://h#x', 'http://'])
      assert.throws(() => httpUrl(value), /expected/, value);
  });

  it('of places to listen', () => {
    for (const [value, host, port] of [
      ['9201', '127.0.0.1', 9201],
      ['0.0.0.0:0', '0.0.0.0', 0],
      ['localhost:65535', 'localhost', 65535],
      ['[::1]:80', '::1', 80],
    ] as const)
      assert.deepEqual(listenAddress(value), { host, port });
    for (const value of ['', ':', ':80', 'host', 'host:', 'h:65536', 'h:-1', '::1:80', 'http://h:1', 'h:1:2'])
      assert.throws(() => listenAddress(value), /expected HOST:PORT/, value);
  });
});
