// Words for what the YAML parser refuses. Its own texts may quote the source, and the source may hold secrets.
import type { ErrorCode } from 'yaml';
import type { ConfigProblem } from '../../src/config/check.ts';

const WORDS: Partial<Record<ErrorCode, Omit<ConfigProblem, 'path'>>> = {
  BAD_ALIAS: { message: 'an alias (*name) has no anchor (&name) before it' },
  BAD_DQ_ESCAPE: { message: 'an escape in "…" that YAML does not know', fix: "use '…' or write \\\\" },
  BAD_INDENT: { message: 'wrong indentation', fix: 'indent with spaces, alike for all items of one level' },
  BAD_SCALAR_START: { message: 'a value must not begin with this character', fix: 'put quotes around it' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a list or mapping stands where a key must',
    fix: 'check the indentation and the ":"',
  },
  MISSING_CHAR: { message: 'a quote, bracket, comma or ":" is missing' },
  MULTILINE_IMPLICIT_KEY: { message: 'a key must stand on one line', fix: 'is a ":" missing?' },
  MULTIPLE_DOCS: { message: 'more than one document', fix: 'remove the "---" in the middle' },
  TAB_AS_INDENT: { message: 'a tab is used for indentation', fix: 'use spaces' },
  TAG_RESOLVE_FAILED: { message: 'an unknown tag (!name)', fix: 'remove it' },
  UNEXPECTED_TOKEN: { message: 'something unexpected stands here', fix: 'check quotes, brackets and indentation' },
};

export function syntaxProblem(code: ErrorCode, text: string, offset: number): Omit<ConfigProblem, 'path'> {
  if (code === 'DUPLICATE_KEY') {
    const name = /^[\w-]+/.exec(text.slice(offset, offset + 100))?.[0];
    return { message: `the key ${name ?? 'here'} is given twice`, fix: 'keep one of them' };
  }
  return WORDS[code] ?? { message: `is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})` };
}
