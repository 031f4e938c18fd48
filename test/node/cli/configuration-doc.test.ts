// docs/configuration.md claims to hold every field with its default.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../../cli/config/load.ts';
import { gatewayDocument, settingsDocument } from '../../../src/config/document.ts';

const TEXT = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');
const YAML = /```yaml\n([\s\S]*?)```/.exec(TEXT)?.[1] ?? '';
const ENVIRONMENT = Object.fromEntries(
  Array.from(YAML.matchAll(/\$\{(\w+)\}/g), ([, name]) => [name ?? '', 'c2VjcmV0LW9mLXdlYmhvb2tz']),
);

function* fieldsOf(schema: unknown): Generator<string> {
  if (schema instanceof z.ZodObject) {
    for (const [name, field] of Object.entries(schema.shape)) {
      yield name;
      yield* fieldsOf(field);
    }
  } else if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    yield* fieldsOf(schema.unwrap());
  } else if (schema instanceof z.ZodArray) yield* fieldsOf(schema.element);
  else if (schema instanceof z.ZodRecord) yield* fieldsOf(schema.valueType);
  else if (schema instanceof z.ZodPipe) yield* fieldsOf(schema.in);
  else if (schema instanceof z.ZodUnion) for (const option of schema.options) yield* fieldsOf(option);
}

it('has an example that loads, its warnings apart', () => {
  const parsed = parseConfig(YAML, ENVIRONMENT);
  expect(parsed.ok ? [] : parsed.error).toEqual([]);
  expect(parsed.ok ? parsed.value.warnings : []).toEqual([]);
});

it('names every field that there is', () => {
  const fields = new Set(fieldsOf(gatewayDocument));
  expect(fields.size).toBeGreaterThan(90);
  // What the command line makes of `spec`.
  const inside = new Set(['document', 'gzip', 'file', 'base', 'tiers', 'start', 'price']);
  const missing = [...fields].filter((field) => !inside.has(field) && !new RegExp(`\\b${field}\\b`).test(TEXT));
  expect(missing).toEqual([]);
});

it('shows the settings at their defaults', () => {
  const parsed = parseConfig(YAML, ENVIRONMENT);
  if (!parsed.ok) throw new Error('does not load');
  const { audit, limits, health, mcp } = parsed.value.document;
  const { alerts: _alerts, ...defaults } = settingsDocument.parse({});
  expect({ audit, limits, health, sessions: mcp.sessions, code_mode: mcp.code_mode }).toEqual(defaults);
});
