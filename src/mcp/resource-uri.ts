// The only converter between an upstream's URIs and those shown where several upstreams share one list. Most are shown as
// they are; one that does not lead back to its server by itself becomes `mcp+<server>+<uri>`. An `ui://` resource of an
// MCP App stays one, for its hosts know no other scheme: `ui://mcp+<server>+<rest>`.

const UI_SCHEME = 'ui://';
const MARK = 'mcp+';
/** Upstream names hold no plus sign, so the first one after the name ends it. */
const QUALIFIED = /^(ui:\/\/)?mcp\+([a-z0-9-]+)\+(.*)$/s;
const EXPRESSION = /\{[^{}]*\}/;

export interface QualifiedUri {
  readonly upstream: string;
  /** The upstream's own. */
  readonly uri: string;
}

/** Of URI templates too: what is added holds no expression. */
export function qualifyUri(upstream: string, uri: string): string {
  const scheme = uri.startsWith(UI_SCHEME) ? UI_SCHEME : '';
  return `${scheme}${MARK}${upstream}+${uri.slice(scheme.length)}`;
}

export function parseQualifiedUri(shown: string): QualifiedUri | undefined {
  const [, scheme = '', upstream, rest] = QUALIFIED.exec(shown) ?? [];
  return upstream === undefined || rest === undefined ? undefined : { upstream, uri: scheme + rest };
}

/** The text of a template around its expressions. */
export type TemplateLiterals = readonly string[];

export function literalsOf(uriTemplate: string): TemplateLiterals {
  return uriTemplate.split(EXPRESSION);
}

/**
 * Whether the URI may be an expansion of the template: its literals occur in their order, from the beginning to the end.
 * That says yes too often rather than too rarely. A regular expression made of an upstream's template would be exact, and
 * its backtracking a way to keep this process busy.
 */
export function mayExpandTo(literals: TemplateLiterals, uri: string): boolean {
  const [first = '', ...others] = literals;
  const last = others.pop();
  if (last === undefined) return uri === first;
  if (!uri.startsWith(first)) return false;
  let from = first.length;
  for (const literal of others) {
    const found = uri.indexOf(literal, from);
    if (found === -1) return false;
    from = found + literal.length;
  }
  return uri.length - last.length >= from && uri.endsWith(last);
}

/** Whether some URI may be an expansion of both. Errs as `mayExpandTo` does. */
export function mayOverlap([one = '']: TemplateLiterals, [other = '']: TemplateLiterals): boolean {
  return one.startsWith(other) || other.startsWith(one);
}
