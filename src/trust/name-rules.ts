// Tool names that another server's tools bear, or seem to bear.
import { excerptAround } from './excerpt.ts';
import type { Finding } from './finding.ts';
import { plainWords } from './plain-words.ts';

/** Server → wire names of its tools. */
export type ToolNames = ReadonlyMap<string, readonly string[]>;
export type FindNames = (name: string) => Finding[];

interface Bearer {
  readonly server: string;
  readonly name: string;
}

/** @param others the tools of every other server */
export function nameScanner(others: ToolNames): FindNames {
  const bearers = new Map<string, Bearer>();
  for (const [server, names] of others) for (const name of names) bearers.set(appearance(name), { server, name });
  return (name) => {
    const bearer = bearers.get(appearance(name));
    if (bearer === undefined) return [];
    const same = bearer.name === name;
    // Names are shown with their server's in front, so that one that two servers share is common and confuses nobody.
    // Of two that only look the same, the one that spells it in other letters is the imitation.
    if (!same && plainWords(name) === name.toLowerCase() && !/[01]/.test(name)) return [];
    const shown = excerptAround(name);
    return [
      {
        rule: same ? 'shared_name' : 'imitated_name',
        severity: same ? 'low' : 'high',
        tool: shown,
        where: 'name',
        excerpt: `${shown} and ${excerptAround(bearer.name)} of the server "${bearer.server}"`,
      },
    ];
  };
}

/** Equal for names that a person takes for one another. */
function appearance(name: string): string {
  return plainWords(name).replaceAll('0', 'o').replaceAll('1', 'l');
}
