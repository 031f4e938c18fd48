// Finds the program of a command before it is started, so that its absence is told in words.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';

/** Why the command cannot be started, or undefined where it can. `path` is the PATH it will run under. */
export async function commandProblem(command: string, path: string, cwd: string): Promise<string | undefined> {
  if (!(await isDirectory(cwd))) return `the working directory ${cwd} does not exist; correct \`cwd\``;
  if (command.includes('/')) {
    return (await isExecutable(resolve(cwd, command)))
      ? undefined
      : `${command} does not exist or is not executable; correct \`command\``;
  }
  for (const folder of path.split(delimiter)) {
    if (await isExecutable(resolve(cwd, join(folder, command)))) return undefined;
  }
  return `command "${command}" was not found on PATH (${path}); install it, or give its full path in \`command\``;
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    // Absent, or not ours to run: the same to whoever wants to start it.
    return false;
  }
}
