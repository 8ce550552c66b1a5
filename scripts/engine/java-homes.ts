/** Where JDKs usually are on a machine. */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Folders whose entries are JDKs, each with the way from an entry to its home. */
function shelves(): readonly (readonly [folder: string, ...toHome: string[]])[] {
  if (process.platform === 'darwin') {
    return [
      ['/Library/Java/JavaVirtualMachines', 'Contents', 'Home'],
      [join(homedir(), 'Library', 'Java', 'JavaVirtualMachines'), 'Contents', 'Home'],
      ['/opt/homebrew/opt', 'libexec', 'openjdk.jdk', 'Contents', 'Home'],
    ];
  }
  if (process.platform === 'win32') {
    const programs = process.env['ProgramFiles'] ?? 'C:\\Program Files';
    return ['Java', 'Eclipse Adoptium', 'Microsoft', 'Zulu'].map((name) => [join(programs, name)] as const);
  }
  return [['/usr/lib/jvm'], ['/usr/java'], ['/opt/java']];
}

/** Java programs in the usual folders, SDKMAN's and the IDEs' among them; newest name first. */
export async function installedJavas(): Promise<readonly string[]> {
  const own = [[join(homedir(), '.sdkman', 'candidates', 'java')], [join(homedir(), '.jdks')]] as const;
  const found: string[] = [];
  for (const [folder, ...toHome] of [...shelves(), ...own]) {
    const names = await readdir(folder).catch(() => []);
    // Links and packages' own files stand among them under a dot.
    const jdks = names
      .filter((name) => /\d/.test(name))
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    found.push(...jdks.map((name) => join(folder, name, ...toHome, 'bin', 'java')));
  }
  return found;
}
