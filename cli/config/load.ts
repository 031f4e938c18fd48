// Reads sallyport.yaml: text → YAML → variables filled in → checked document, keeping the line of every problem.
import {
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Scalar,
  type YAMLError,
} from 'yaml';
import type { GatewayDocument } from '../../src/config/document.ts';
import { formatConfigPath, parseGatewayDocument, type ConfigPath, type ConfigProblem } from '../../src/config/check.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import { inlineSpecFiles } from './spec-files.ts';
import { fillVariables, type Environment } from './variables.ts';
import { syntaxProblem } from './yaml-syntax.ts';

/** A billion laughs in YAML is aliases of aliases; a real file has a handful. */
const MAX_ALIASES = 100;

export interface LocatedProblem {
  readonly line: number;
  /** As `mcp.servers[2].url`. */
  readonly where: string;
  readonly message: string;
  readonly fix?: string;
}

export interface LoadedConfig {
  readonly document: GatewayDocument;
  readonly warnings: readonly LocatedProblem[];
  /** What came from the environment: never to appear in a log. */
  readonly filledIn: ReadonlySet<string>;
  /** OpenAPI descriptions that it names: absolute path → content. */
  readonly specFiles: ReadonlyMap<string, string>;
}

/**
 * All problems at once, in the order of their lines.
 * @param folder which the files that it names are relative to
 */
export function parseConfig(
  text: string,
  environment: Environment,
  folder = '.',
): Result<LoadedConfig, readonly LocatedProblem[]> {
  const lines = new LineCounter();
  // `prettyErrors` would quote the source, secrets and all.
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const locate = ({ path, message, fix }: ConfigProblem): LocatedProblem => ({
    line: lines.linePos(offsetOf(yaml, path)).line,
    where: formatConfigPath(path),
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  const problems = [...yaml.errors, ...yaml.warnings].map((error) => locateSyntax(error, text, lines));
  // A key given twice leaves the rest of the document readable; what does not parse does not.
  if (yaml.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return err(inOrder(problems));

  const filledIn = new Set<string>();
  // What an unset variable left behind is not reported a second time as a bad value.
  const unset = new Set<string>();
  visit(yaml, {
    Scalar(key, scalar, ancestors) {
      if (key === 'key' || typeof scalar.value !== 'string') return;
      const filled = fillVariables(scalar.value, environment);
      for (const value of filled.used) filledIn.add(value);
      scalar.value = filled.text;
      if (filled.problems.length === 0) return;
      const path = pathOf(scalar, ancestors);
      unset.add(formatConfigPath(path));
      problems.push(...filled.problems.map((problem) => locate({ ...problem, path })));
    },
  });

  let data: unknown;
  try {
    // An empty file is a gateway without anything in it, not a mistake.
    data = yaml.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
  } catch {
    return err([
      ...problems,
      { line: 1, where: 'yaml', message: 'too many aliases', fix: `use at most ${MAX_ALIASES}` },
    ]);
  }
  const specs = inlineSpecFiles(data, folder);
  problems.push(...specs.problems.map(locate));
  const checked = parseGatewayDocument(specs.data);
  if (!checked.ok) {
    const found = checked.error.map(locate);
    problems.push(...found.filter(({ where }) => !unset.has(where)));
  }
  if (!checked.ok || problems.length > 0) return err(inOrder(problems));
  const { document, warnings } = checked.value;
  return ok({
    document,
    warnings: inOrder([...warnings, ...specs.warnings].map(locate)),
    filledIn,
    specFiles: specs.contents,
  });
}

/** `sallyport.yaml:12: mcp.servers[0].url: must be … (fix)` */
export function formatProblem(file: string, { line, where, message, fix }: LocatedProblem): string {
  return `${file}:${line}: ${where}: ${message}${fix === undefined ? '' : ` (${fix})`}`;
}

function inOrder(problems: readonly LocatedProblem[]): readonly LocatedProblem[] {
  return problems.toSorted((a, b) => a.line - b.line);
}

function locateSyntax(error: YAMLError, text: string, lines: LineCounter): LocatedProblem {
  const [offset] = error.pos;
  return { line: lines.linePos(offset).line, where: 'yaml', ...syntaxProblem(error.code, text, offset) };
}

/** Where a path begins in the text: at its last key or list item that is there. */
function offsetOf(yaml: Document.Parsed, path: ConfigPath): number {
  let node: unknown = yaml.contents;
  let offset = startOf(node) ?? 0;
  for (const step of path) {
    if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = startOf(pair.key) ?? offset;
      node = pair.value;
    } else {
      return offset;
    }
  }
  return offset;
}

/** @param ancestors from the document down, as the visitor gives them */
function pathOf(scalar: Scalar, ancestors: readonly unknown[]): ConfigPath {
  const nodes = [...ancestors, scalar];
  return nodes.flatMap((node, index): ConfigPath => {
    if (isSeq(node)) return [node.items.indexOf(nodes[index + 1])];
    return isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [];
  });
}

function startOf(node: unknown): number | undefined {
  return (isScalar(node) || isMap(node) || isSeq(node)) && Array.isArray(node.range) ? node.range[0] : undefined;
}
