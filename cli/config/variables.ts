import type { ConfigProblem } from '../../src/config/check.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

// `$${` stands for a literal `${`; the last alternative catches what was meant as a reference and is none.
const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

interface Filled {
  readonly text: string;
  /** Values taken from the environment. */
  readonly used: readonly string[];
  readonly problems: readonly Omit<ConfigProblem, 'path'>[];
}

/** Fills in `${VAR}` and `${VAR:-default}`; as in a shell, the default also serves for a variable that is empty. */
export function fillVariables(text: string, environment: Environment): Filled {
  const used: string[] = [];
  const problems: Omit<ConfigProblem, 'path'>[] = [];
  const filled = text.replace(REFERENCE, (match: string, name?: string, fallback?: string) => {
    if (match === '$${') return '${';
    if (name === undefined) {
      problems.push({
        message: '"${" begins no variable reference',
        fix: 'write ${NAME}, ${NAME:-default}, or $${ for a literal ${',
      });
      return '';
    }
    const value = environment[name];
    if (value !== undefined && (value !== '' || fallback === undefined)) {
      used.push(value);
      return value;
    }
    if (fallback !== undefined) return fallback;
    problems.push({ message: `the variable ${name} is not set`, fix: `set it, or give a default: \${${name}:-…}` });
    return '';
  });
  return { text: filled, used, problems };
}
