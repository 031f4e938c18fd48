// How often the scanner is right, and what it is wrong about. docs/trust.md reports these numbers.
import { describe, expect, it } from 'vitest';
import { nameScanner } from '../../../src/trust/name-rules.ts';
import { scanDefinition } from '../../../src/trust/scan.ts';
import corpus from '../../fixtures/trust/mcpproxy_security_corpus_v1.json';
import secondOpinion from '../../fixtures/trust/second_opinion.json';
import catalog from '../../fixtures/trust/livemcp_508.json';

interface Labelled {
  readonly id: string;
  readonly label: string;
  readonly description: string;
}

interface Measure {
  readonly precision: number;
  readonly recall: number;
  readonly missed: readonly string[];
  readonly falseAlarms: readonly string[];
}

/** An alarm is what `scan: block` withholds. */
function hasAlarm(description: string): boolean {
  const definition = { name: 'tool', description, inputSchema: { type: 'object' } };
  return scanDefinition(definition).some(({ severity }) => severity === 'high');
}

function measure(entries: readonly Labelled[]): Measure {
  const [malicious, benign] = ['malicious', 'benign'].map((label) => entries.filter((entry) => entry.label === label));
  const missed = (malicious ?? []).filter(({ description }) => !hasAlarm(description)).map(({ id }) => id);
  const falseAlarms = (benign ?? []).filter(({ description }) => hasAlarm(description)).map(({ id }) => id);
  const hits = (malicious ?? []).length - missed.length;
  return {
    precision: hits / (hits + falseAlarms.length),
    recall: hits / (malicious ?? []).length,
    missed,
    falseAlarms,
  };
}

describe('the scanner', () => {
  it('on the labelled corpus: 20 of 20 attacks, no false alarm among 23', () => {
    expect(corpus.entries).toHaveLength(43);
    const { precision, recall, missed, falseAlarms } = measure(corpus.entries);
    expect({ missed, falseAlarms }).toEqual({ missed: [], falseAlarms: [] });
    expect(precision).toBeGreaterThanOrEqual(1);
    expect(recall).toBeGreaterThanOrEqual(1);
  });

  it('on descriptions in other words: 18 of 20, no false alarm among 16; it knows English only', () => {
    expect(secondOpinion.entries).toHaveLength(36);
    const { precision, recall, missed, falseAlarms } = measure(secondOpinion.entries);
    expect({ missed, falseAlarms }).toEqual({ missed: ['so_14', 'so_15'], falseAlarms: [] });
    expect(precision).toBeGreaterThanOrEqual(1);
    expect(recall).toBeGreaterThanOrEqual(0.9);
  });

  it('on 508 tools of real servers: one alarm, named', () => {
    expect(catalog).toHaveLength(508);
    const found = catalog.flatMap((tool) =>
      scanDefinition(tool).map(({ severity, rule }) => `${severity} ${rule} ${tool.server} ${tool.name}`),
    );
    expect(found).toEqual(['high alters_other_tool sequential-thinking sequentialthinking']);
  });

  it('on their names, each server’s against the others’: no imitation, and those that are shared', () => {
    const names = Map.groupBy(catalog, ({ server }) => server);
    const found = [...names].flatMap(([server, tools]) => {
      const others = [...names].filter(([other]) => other !== server);
      const find = nameScanner(new Map(others.map(([other, theirs]) => [other, theirs.map(({ name }) => name)])));
      return tools.flatMap(({ name }) => find(name));
    });
    expect(found.filter(({ severity }) => severity !== 'low')).toEqual([]);
    expect([...new Set(found.map(({ tool }) => tool))].toSorted()).toEqual([
      'add_table',
      'create_directory',
      'fetch',
      'get_file_info',
      'get_price_history',
      'list_directory',
      'move_file',
      'read_file',
      'read_multiple_files',
      'search',
      'search_files',
      'write_file',
    ]);
  });
});
