// Budgets, rate limits, prices and alerts as they are written, and as they are refused.
import { describe, expect, it } from 'vitest';
import { formatProblem, parseConfig } from '../../../cli/config/load.ts';
import type { GatewayDocument } from '../../../src/config/document.ts';

function problemsOf(text: string): string[] {
  const parsed = parseConfig(text, {});
  return parsed.ok ? [] : parsed.error.map((problem) => formatProblem('f.yaml', problem));
}

function documentOf(text: string): GatewayDocument {
  const parsed = parseConfig(text, {});
  if (!parsed.ok) throw new Error(parsed.error.map((problem) => formatProblem('f.yaml', problem)).join('\n'));
  expect(parsed.value.warnings).toEqual([]);
  return parsed.value.document;
}

const team = (fields: string): string => `teams:\n  - name: t\n    ${fields}\n`;
const server = (fields: string): string =>
  `mcp:\n  servers:\n    - name: s\n      type: http\n      url: http://h.test/\n      ${fields}\n`;
const payers = (key: string, ofTeam = ', customer: a'): string =>
  `customers: [{ name: a }, { name: b }]\nteams: [{ name: t${ofTeam} }]\nvirtual_keys:\n  - { key_name: k, ${key} }\n`;
const provider = (prices: string): string => `providers:\n  - name: openai\n    prices: ${prices}\n`;
const alerts = (webhook: string): string => `alerts:\n  webhook: ${webhook}\n`;
const AT_TEAM = 'f.yaml:3: teams[0]';
const AT_SERVER = 'f.yaml:6: mcp.servers[0]';

describe('budgets', () => {
  it.each([
    ['0', '1m'],
    ['0.000000001', '1h'],
    ['9000000', '1Y'],
    ['2999999.123456789', '10Y'],
    ['1e2', '9999m'],
  ])('may be %s over %s', (limit, period) => {
    const { teams } = documentOf(team(`budgets: [{ limit_usd: ${limit}, period: ${period} }]`));
    expect(teams[0]?.budgets).toEqual([{ limit_usd: Number(limit), period }]);
  });

  it.each<[string, string, string]>([
    ['negative', 'limit_usd: -1, period: 1d', '.limit_usd: must be at least 0'],
    ['no number', 'limit_usd: .nan, period: 1d', '.limit_usd: must be a number'],
    ['endless', 'limit_usd: .inf, period: 1d', '.limit_usd: must be a number'],
    ['more than can be counted', 'limit_usd: 9000000.01, period: 1d', '.limit_usd: must be at most 9000000'],
    ['finer than a nano-dollar', 'limit_usd: 0.0000000001, period: 1d', '.limit_usd: must have at most nine decimals'],
    ['text', 'limit_usd: ten, period: 1d', '.limit_usd: must be a number'],
    ['over no time', 'limit_usd: 1, period: 0m', '.period: must not be zero: over no time nothing can be counted'],
    [
      'over no time at all',
      'limit_usd: 1, period: 000Y',
      '.period: must not be zero: over no time nothing can be counted',
    ],
    ['over a negative time', 'limit_usd: 1, period: -1d', '.period: must be a period such as 1m, 1h, 1d, 1w, 1M or 1Y'],
    ['over seconds', 'limit_usd: 1, period: 30s', '.period: must be a period such as 1m, 1h, 1d, 1w, 1M or 1Y'],
    ['over a lifetime', 'limit_usd: 1, period: 11Y', '.period: must be at most 10Y'],
    ['without a period', 'limit_usd: 1', ': is required and must be text'],
    [
      'by a calendar that nobody has',
      'limit_usd: 1, period: 2d, calendar: true',
      '.period: must be one of 1m, 1h, 1d, 1w, 1M, 1Y where calendar is true (take one of them, or remove calendar: true)',
    ],
    ['alerting at nothing', 'limit_usd: 1, period: 1d, alert_at: [0]', '.alert_at[0]: must be more than 0'],
    ['alerting above all', 'limit_usd: 1, period: 1d, alert_at: [0.8, 95]', '.alert_at[1]: must be at most 1'],
  ])('are not %s', (_case, budget, problem) => {
    const [found, ...more] = problemsOf(team(`budgets: [{ ${budget} }]`));
    expect(found).toContain(`${AT_TEAM}.budgets[0]`);
    expect(found?.endsWith(problem)).toBe(true);
    expect(more).toEqual([]);
  });

  it('of one place bound each time once, however it is written', () => {
    const day = '{ limit_usd: 1, period: 1d }';
    const again = 'another budget here bounds the same over the same time (keep one of them)';
    expect(problemsOf(team(`budgets: [${day}, { limit_usd: 2, period: 1d }]`))).toEqual([
      `${AT_TEAM}.budgets[1].period: ${again}`,
    ]);
    expect(problemsOf(team(`budgets: [${day}, { limit_usd: 2, period: 24h, calendar: false }]`))).toEqual([
      `${AT_TEAM}.budgets[1].period: ${again}`,
    ]);
    expect(problemsOf(team(`budgets: [${day}, { limit_usd: 2, period: 1d, calendar: true }]`))).toEqual([]);
    expect(problemsOf(team(`budgets: [${day}, { limit_usd: 2, period: 1w }]`))).toEqual([]);
  });
});

describe('rate limits', () => {
  it('are one or several', () => {
    const { teams } = documentOf(team('rate_limit: { requests: 5, tokens: 6, concurrent: 7 }'));
    expect(teams[0]?.rate_limit).toEqual([{ requests: 5, tokens: 6, concurrent: 7, period: '1m' }]);
    const several = documentOf(
      team('rate_limit: [{ requests: 5 }, { requests: 6, period: 1h, calendar: true }, { concurrent: 7 }]'),
    );
    expect(several.teams[0]?.rate_limit).toEqual([
      { requests: 5, period: '1m' },
      { requests: 6, period: '1h', calendar: true },
      { concurrent: 7, period: '1m' },
    ]);
  });

  it.each<[string, string, string[]]>([
    ['of nothing', '{}', [': bounds nothing (add requests, tokens or concurrent)']],
    ['of nothing but time', '[{ period: 1h }]', ['[0]: bounds nothing (add requests, tokens or concurrent)']],
    ['of zero requests', '{ requests: 0 }', ['.requests: must be more than 0']],
    ['of parts of tokens', '{ tokens: 1.5 }', ['.tokens: must be a whole number']],
    ['of text', '{ concurrent: "many" }', ['.concurrent: must be a number']],
    ['over no time', '{ requests: 1, period: 0h }', ['.period: must not be zero: over no time nothing can be counted']],
    ['misspelt', '{ tokens: 1, request: 1 }', ['.request: unknown field (did you mean requests?)']],
    [
      'misspelt in a list',
      '[{ requests: 1 }, { concurrent: 1, token: 1 }]',
      ['[1].token: unknown field (did you mean tokens?)'],
    ],
    ['that is a number', '100', [': must be a mapping or a list']],
    [
      'by a calendar that nobody has',
      '{ requests: 1, period: 15m, calendar: true }',
      [
        '.period: must be one of 1m, 1h, 1d, 1w, 1M, 1Y where calendar is true (take one of them, or remove calendar: true)',
      ],
    ],
    [
      'on the same over the same time',
      '[{ requests: 1, tokens: 1, period: 1h }, { requests: 2, period: 60m }, { tokens: 5 }]',
      ['[1].requests: another rate limit here bounds the same over the same time (keep one of them)'],
    ],
    [
      'on running requests twice',
      '[{ concurrent: 1 }, { concurrent: 2, period: 1h }]',
      ['[1].concurrent: another rate limit here bounds the same over the same time (keep one of them)'],
    ],
  ])('are refused %s', (_case, limit, problems) => {
    expect(problemsOf(team(`rate_limit: ${limit}`))).toEqual(
      problems.map((problem) => `${AT_TEAM}.rate_limit${problem}`),
    );
  });
});

describe('limits on MCP servers', () => {
  it('stand at servers and at the keys’ entries for them, for all tools and for some', () => {
    const limits =
      'budgets: [{ limit_usd: 1, period: 1d }], rate_limit: { requests: 9, concurrent: 2 }, tool_rate_limits: { "get_*": { requests: 1 }, x: [{ concurrent: 1 }] }';
    const text = `mcp: { servers: [{ name: s, type: http, url: "http://h/", ${limits} }] }\nvirtual_keys: [{ key_name: k, mcp_clients: [{ name: s, allowed_tools: [], ${limits} }] }]`;
    const { mcp, virtual_keys: keys } = documentOf(text);
    const expected = {
      budgets: [{ limit_usd: 1, period: '1d' }],
      rate_limit: [{ requests: 9, concurrent: 2, period: '1m' }],
      tool_rate_limits: { 'get_*': [{ requests: 1, period: '1m' }], x: [{ concurrent: 1, period: '1m' }] },
    };
    expect(mcp.servers[0]).toMatchObject(expected);
    expect(keys[0]?.mcp_clients[0]).toMatchObject(expected);
  });

  it.each<[string, string, string]>([
    ['tokens', 'rate_limit: { tokens: 5 }', '.rate_limit.tokens: bounds nothing here: only calls of models use tokens'],
    [
      'tokens of a tool',
      'tool_rate_limits: { x: [{ requests: 1, tokens: 5 }] }',
      '.tool_rate_limits.x[0].tokens: bounds nothing here: only calls of models use tokens',
    ],
    [
      'tools by no pattern',
      'tool_rate_limits: { "a*b": { requests: 1 } }',
      '.tool_rate_limits["a*b"]: "*" may stand alone or at the end only',
    ],
    ['a cost below nothing', 'tool_cost_usd: { x: -1 }', '.tool_cost_usd.x: must be at least 0'],
    ['a cost of no number', 'tool_cost_usd: { x: .nan }', '.tool_cost_usd.x: must be a number'],
    [
      'a cost finer than a nano-dollar',
      'tool_cost_usd: { x: 0.00000000015 }',
      '.tool_cost_usd.x: must have at most nine decimals',
    ],
  ])('are not %s', (_case, fields, problem) => {
    expect(problemsOf(server(fields))).toEqual([`${AT_SERVER}${problem}`]);
  });

  it('name each tool once', () => {
    const text = server('tool_rate_limits:\n        x: { requests: 1 }\n        x: { requests: 2 }');
    expect(problemsOf(text)).toEqual(['f.yaml:8: yaml: the key x is given twice (keep one of them)']);
  });
});

describe('who pays', () => {
  it('is one customer for all of a team', () => {
    expect(problemsOf(payers('team: t, customer: b'))).toEqual([
      'f.yaml:4: virtual_keys[0].customer: "b" is not the customer of the team "t", which is "a" (remove it: a key is paid for by the customer of its team)',
    ]);
    expect(problemsOf(payers('team: t, customer: b', ''))).toEqual([
      'f.yaml:4: virtual_keys[0].customer: the team "t" has no customer, and what it spends cannot be kept with that of "b" (set customer: b at the team)',
    ]);
  });

  it.each(['team: t, customer: a', 'team: t', 'customer: b'])('may be said with %s', (key) => {
    expect(problemsOf(payers(key))).toEqual([]);
  });
});

describe('prices', () => {
  it('are rates, tiers of rates, or what a model can take and say', () => {
    const { providers } = documentOf(
      provider(
        '{ "gpt-*": { input_mtok: 1.25, output_mtok: { base: 10, tiers: [{ start: 200000, price: 15 }] }, requests_kcount: 0 }, own: { max_output_tokens: 8192, context_window: 32768 } }',
      ),
    );
    expect(providers[0]?.prices).toEqual({
      'gpt-*': {
        input_mtok: 1.25,
        output_mtok: { base: 10, tiers: [{ start: 200_000, price: 15 }] },
        requests_kcount: 0,
      },
      own: { max_output_tokens: 8192, context_window: 32_768 },
    });
  });

  it.each<[string, string, string]>([
    ['negative', '{ m: { input_mtok: -1, output_mtok: 1 } }', '.m.input_mtok: must be at least 0'],
    ['no number', '{ m: { input_mtok: .nan, output_mtok: 1 } }', '.m.input_mtok: must be a number or a mapping'],
    ['too fine', '{ m: { input_mtok: 0.0000001, output_mtok: 1 } }', '.m.input_mtok: must have at most six decimals'],
    ['misspelt', '{ m: { input_mtoks: 1 } }', '.m.input_mtoks: unknown field (did you mean input_mtok?)'],
    [
      'tiers that cost less than nothing',
      '{ m: { input_mtok: 1, output_mtok: { base: 1, tiers: [{ start: 5, price: -1 }] } } }',
      '.m.output_mtok.tiers[0].price: must be at least 0',
    ],
    [
      'half of a price',
      '{ m: { input_mtok: 1 } }',
      '.m.output_mtok: is required where any price is given: it stands in the place of the whole entry of the price list (set it to 0 where it costs nothing)',
    ],
    ['nothing', '{ m: {} }', '.m: says nothing (add input_mtok and output_mtok, in US dollars per million tokens)'],
    [
      'of a pattern that is none',
      '{ "a*b": { context_window: 1 } }',
      '["a*b"]: "*" may stand alone or at the end only',
    ],
  ])('are not %s', (_case, prices, problem) => {
    expect(problemsOf(provider(prices))).toContain(`f.yaml:3: providers[0].prices${problem}`);
  });
});

describe('alerts', () => {
  const SECRET = 'c2VjcmV0LW9mLXdlYmhvb2tz';

  it('are posted to a webhook', () => {
    expect(documentOf(alerts(`{ url: "https://h.test/x", secret: ${SECRET} }`)).alerts).toEqual({
      webhook: { url: 'https://h.test/x', secret: SECRET, allow_private: false },
    });
    expect(documentOf('').alerts).toBeUndefined();
  });

  it.each([
    ['{ url: "https://h.test/x" }', 'webhook.secret: is required and must be text'],
    ['{ url: "https://h.test/x", secret: c2hvcnQ= }', 'webhook.secret: must have at least 16 characters'],
    [
      `{ url: "file:///etc", secret: ${SECRET} }`,
      'webhook.url: must be an http:// or https:// URL without user name or password',
    ],
    [`{ url: "https://h.test/x", secret: ${SECRET}, private: true }`, 'webhook.private: unknown field'],
  ])('are refused with %s', (webhook, problem) => {
    const [found, ...more] = problemsOf(alerts(webhook));
    expect(found).toContain(`f.yaml:2: alerts.${problem}`);
    expect(found).not.toContain(SECRET);
    expect(more).toEqual([]);
  });
});
