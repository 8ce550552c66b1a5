import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findJava, majorVersion, runMaven } from '../../../scripts/engine/java.js';

describe('the Java of the local engine', () => {
  it('is read from the banner of old and new versions', () => {
    assert.equal(majorVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime'), 17);
    assert.equal(majorVersion('java version "1.8.0_402"'), 8);
    assert.equal(majorVersion('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "25" 2025-09-16'), 25);
    assert.equal(majorVersion('The operation could not be completed.'), undefined);
  });

  it('is asked for in plain words where it is missing', async () => {
    await withEnvironment({ JAVA_HOME: '/no/such/folder' }, async () => {
      await assert.rejects(
        findJava(17, 'The engine'),
        /needs Java.*does not run.*Install a JDK 17.*test:unit/s,
      );
    });
  });

  it('is not looked for elsewhere when its own variable names none', async () => {
    await withEnvironment({ JAVA17_HOME: '/no/such/folder' }, async () => {
      await assert.rejects(findJava(17, 'The engine'), /"[^"]+" does not run \(JAVA17_HOME\)/);
    });
  });

  it('is told by what was found where nothing is new enough', async () => {
    await assert.rejects(findJava(999, 'The engine'), /needs Java 999 or newer, and there is none: "java" /);
  });

  it('leaves Maven to be asked for in plain words too', async () => {
    await withEnvironment({ PATH: '/no/such/folder' }, async () => {
      await assert.rejects(runMaven(['-v'], 'the engine'), /no "mvn" on the PATH.*Install Maven.*test:unit/s);
    });
  });
});

async function withEnvironment(changes: Record<string, string>, body: () => Promise<void>): Promise<void> {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
