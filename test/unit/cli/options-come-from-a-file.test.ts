/** The configuration file: its place among the sources, what it may hold, and what is said of a slip in it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configSection } from '../../../src/cli/config-file.js';
import { nearestWord } from '../../../src/cli/nearest-word.js';
import { flag, httpUrl, integer, readOptions, text, type OptionTable } from '../../../src/cli/options.js';
import { TwinrankError } from '../../../src/errors.js';

const UPSTREAM = { flag: 'upstream', env: 'UPSTREAM', help: 'The engine.', required: true, parse: httpUrl };
const RERANK = {
  upstream: { ...UPSTREAM, required: true },
  window: { flag: 'max-window', env: 'MAX_WINDOW', help: 'How many.', default: '10', parse: integer(1, 100) },
  name: { flag: 'name', env: 'NAME', help: 'A name.', default: 'none', parse: text },
  strict: { flag: 'strict', env: 'STRICT', help: 'Be strict.', default: 'false', boolean: true, parse: flag },
  fields: { flag: 'text', env: 'TEXT', help: 'Fields.', many: true, parse: text },
} satisfies OptionTable;
const REINDEX = {
  batch: { flag: 'batch', env: 'BATCH', help: 'How many.', default: '5', parse: integer(1, 100) },
  force: { flag: 'force', env: null, help: 'Do it.', default: 'false', boolean: true, parse: flag },
} satisfies OptionTable;
const KNOWN = new Map<string, OptionTable>([
  ['rerank', RERANK],
  ['model bench', REINDEX],
]);

const read = (
  content: string,
  argv: Record<string, unknown> = {},
  env: Record<string, string> = {},
): ReturnType<typeof readOptions<typeof RERANK>> =>
  readOptions(RERANK, argv, env, configSection(content, 'c.yaml', 'rerank', KNOWN));
function refusal(content: string): string {
  try {
    read(content);
  } catch (error) {
    assert.ok(error instanceof TwinrankError && error.code === 'bad_config');
    assert.ok(!error.message.includes('\n'));
    return error.message;
  }
  return assert.fail('was accepted');
}

const YAML = 'upstream: http://h:1\nmax-window: 20\nname: top\nrerank:\n  max-window: 30\n  strict: true\n';

describe('a configuration file', () => {
  it('goes behind flags and environment, and before defaults', () => {
    const { upstream, window, name, strict } = read(YAML);
    assert.deepEqual([upstream.host, window, name, strict], ['h:1', 30, 'top', true]);
    assert.equal(read(YAML, {}, { MAX_WINDOW: '40' }).window, 40);
    assert.equal(read(YAML, { 'max-window': '50' }, { MAX_WINDOW: '40' }).window, 50);
    assert.equal(read('upstream: http://h:1').window, 10);
  });

  it('gives one command its own values, and leaves the others those at the top', () => {
    const content = 'upstream: http://h:1\nbatch: 7\nmodel bench:\n  batch: 8\n';
    const bench = configSection(content, 'c.yaml', 'model bench', KNOWN);
    assert.equal(readOptions(REINDEX, {}, {}, bench).batch, 8);
    assert.equal(read(content).upstream.host, 'h:1');
  });

  it('may be JSON, with tabs and escapes', () => {
    const values = read(
      '{\n\t"upstream": "http:\\/\\/h:1",\n\t"rerank": {"max-window": 5, "text": ["a", "b,c"]}\n}',
    );
    assert.deepEqual([values.window, values.fields], [5, ['a', 'b,c']]);
  });

  it('keeps texts as they are written', () => {
    const { name, fields } = read('upstream: http://h:1\nname: 0123\ntext: [007, true, 1.50]\n');
    assert.deepEqual([name, fields], ['0123', ['007', 'true', '1.50']]);
  });

  it('may be empty', () => {
    assert.match(refusal(''), /--upstream is missing/);
    assert.match(refusal('# nothing\n'), /or "upstream" in the configuration file/);
  });

  for (const [name, content, message] of [
    [
      'a slip at the top',
      'upstraem: http://h',
      /c\.yaml: "upstraem" is not an option of any command.*mean "upstream"\?/,
    ],
    [
      'a slip in a command',
      'rernak:\n  name: x',
      /"rernak" is not an option of any command, nor a command.*"rerank"/,
    ],
    [
      'a slip below a command',
      'rerank:\n  max-windw: 3',
      /c\.yaml, rerank: "max-windw" .* of rerank\..*"max-window"/,
    ],
    ['an option of another command', 'rerank:\n  batch: 3', /"batch" is not an option of rerank/],
    [
      'a slip in a section that is not ours',
      'model bench:\n  bach: 3',
      /c\.yaml, model bench: "bach".*"batch"/,
    ],
    ['what no word resembles', 'x1y2z3q4: 3', /"x1y2z3q4" is not an option of any command, nor a command\.$/],
    ['__proto__', '__proto__: {polluted: 1}', /"__proto__" is not an option/],
    ['what destroys', 'force: true', /"force" belongs on the command line alone.*--force/],
    [
      'what destroys, in a section',
      'model bench: {force: true}',
      /"force" belongs on the command line alone/,
    ],
    ['a command without its options', 'rerank: fast', /"rerank" is a command; write its options below it/],
    ['options below an option', 'name: {a: 1}', /c\.yaml: name: expected one value/],
    ['nothing after a key', 'name:\n', /c\.yaml: name: expected one value/],
    ['a list for one value', 'name: [a, b]', /c\.yaml: name: expected one value/],
    ['a list of lists', 'text: [[a]]', /c\.yaml: text: expected a value or a list of values/],
    ['a key that comes twice', 'name: a\nname: b\n', /neither JSON nor YAML: .*line 2/],
    ['a file of another kind', '{"name": ', /neither JSON nor YAML/],
    ['a list', '- a\n- b\n', /c\.yaml must hold options by their names/],
    [
      'a value out of bounds',
      'upstream: http://h\nmax-window: 1000\n',
      /^c\.yaml: max-window: expected a whole/,
    ],
    [
      'an address with a password',
      'upstream: "http://u:secret@"\n',
      /^(?!.*secret)c\.yaml: upstream: expected an/,
    ],
  ] as const)
    it(`with ${name} is refused by name`, () => {
      assert.match(refusal(content), message);
    });

  it('harms nobody with references that multiply', () => {
    const bomb = Array.from(
      { length: 20 },
      (_, n) => `a${n}: &a${n} [${n === 0 ? 'x' : `*a${n - 1},`.repeat(9)}]`,
    );
    assert.ok(refusal(bomb.join('\n')).length < 500);
  });
});

describe('the nearest word', () => {
  it('is the one with the fewest letters to change, within reason', () => {
    const words = ['listen', 'list', 'upstream', 'max-window'];
    assert.equal(nearestWord('lisetn', words), 'listen');
    assert.equal(nearestWord('upsteam', words), 'upstream');
    assert.equal(nearestWord('window', words), undefined);
    assert.equal(nearestWord('xyz', words), undefined);
  });
});
