import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { formatProblem, parseConfig } from '../../../cli/config/load.ts';

const ARTICLE = readFileSync(new URL('../../fixtures/article.yaml', import.meta.url), 'utf8');
const SECRET = 'sk-very-secret-value';

function problemsOf(text: string, environment: Record<string, string> = {}): string[] {
  const parsed = parseConfig(text, environment);
  return parsed.ok ? [] : parsed.error.map((problem) => formatProblem('f.yaml', problem));
}

function warningsOf(text: string): string[] {
  const parsed = parseConfig(text, {});
  if (!parsed.ok) throw new Error(parsed.error.map((problem) => formatProblem('f.yaml', problem)).join('\n'));
  return parsed.value.warnings.map((warning) => formatProblem('f.yaml', warning));
}

const level = (name: string, of: string): string => `${name}: &${name} [${`*${of},`.repeat(9)}*${of}]\n`;

const SERVERS = 'mcp:\n  servers:\n    - { name: a, type: http, url: http://127.0.0.1:1/mcp }\n';

describe('the introductory configuration', () => {
  const environment = { GITHUB_TOKEN: 'g', LINEAR_MCP_URL: 'https://linear.test/mcp', LINEAR_TOKEN: 'l' };

  it('loads as it stands', () => {
    const parsed = parseConfig(ARTICLE, environment);
    if (!parsed.ok) throw new Error('does not load');
    const { mcp, virtual_keys: keys } = parsed.value.document;
    expect(mcp.servers.map(({ name, type }) => `${name} ${type}`)).toEqual([
      'github-mcp stdio',
      'linear-mcp http',
      'filesystem stdio',
    ]);
    expect(mcp.servers[0]).toMatchObject({ env: { GITHUB_TOKEN: 'g' } });
    expect(mcp.servers[1]).toMatchObject({ url: 'https://linear.test/mcp', headers: { Authorization: 'Bearer l' } });
    expect(keys.map(({ key }) => key)).toEqual(['vk-cc-eng', 'vk-cc-write']);
    expect(keys[0]?.mcp_clients[1]).toEqual({
      name: 'filesystem',
      allowed_tools: ['read_text_file', 'list_directory', 'search_files'],
    });
    expect([...parsed.value.filledIn]).toEqual(['g', 'https://linear.test/mcp', 'l']);
  });

  it('warns of what has no effect', () => {
    const parsed = parseConfig(ARTICLE, environment);
    expect(parsed.ok && parsed.value.warnings.map((warning) => formatProblem('f.yaml', warning))).toEqual([
      'f.yaml:21: mcp.code_mode.enabled: code mode has no effect yet in this version',
      'f.yaml:22: mcp.code_mode.sandbox: sandbox: starlark means quickjs here',
    ]);
  });

  it('names every variable that is not set', () => {
    const problems = problemsOf(ARTICLE);
    expect(problems).toHaveLength(3);
    expect(problems[1]).toBe(
      'f.yaml:11: mcp.servers[1].url: the variable LINEAR_MCP_URL is not set (set it, or give a default: ${LINEAR_MCP_URL:-…})',
    );
  });
});

describe('problems', () => {
  it.each<[string, string, string[]]>([
    ['a misspelt field', 'mcp:\n  serverz: []\n', ['f.yaml:2: mcp.serverz: unknown field (did you mean servers?)']],
    [
      'a field like no other',
      'zzzzzzzzzzzz: 1\n',
      [
        'f.yaml:1: zzzzzzzzzzzz: unknown field (known here: mcp, providers, customers, teams, virtual_keys, audit, limits, health, alerts)',
      ],
    ],
    [
      'a field of the other kind of server',
      'mcp:\n  servers:\n    - name: a\n      type: http\n      url: http://a.test/\n      comand: [x]\n',
      [
        'f.yaml:6: mcp.servers[0].comand: unknown field (known here: name, timeout, tool_cost_usd, budgets, rate_limit, tool_rate_limits, auto_execute, disabled, trust, scan, sessions, url, headers, auth, era, type)',
      ],
    ],
    [
      'a missing field, at the line of what misses it',
      'mcp:\n  servers:\n    - { name: a, type: stdio, command: [x] }\n    - name: b\n      type: stdio\n',
      ['f.yaml:4: mcp.servers[1].command: is required and must be a list'],
    ],
    [
      'a server of unknown type, and its other problems',
      'mcp:\n  servers:\n    - name: a\n      type: htpp\n      url: ftp://a.test/\n',
      [
        'f.yaml:4: mcp.servers[0].type: must be one of stdio, http, sse, openapi (did you mean http?)',
        'f.yaml:5: mcp.servers[0].url: must be an http:// or https:// URL without user name or password',
      ],
    ],
    [
      'a server without type',
      'mcp:\n  servers:\n    - name: a\n      command: [x]\n',
      ['f.yaml:3: mcp.servers[0].type: is required and must be one of stdio, http, sse, openapi (add type: stdio)'],
    ],
    [
      'a command as text',
      'mcp:\n  servers:\n    - name: a\n      type: stdio\n      command: npx foo\n',
      ['f.yaml:5: mcp.servers[0].command: must be a list (write ["…", "…"])'],
    ],
    [
      'a section without value',
      'mcp:\nteams:\n',
      [
        'f.yaml:1: mcp: has no value (give it a mapping or remove the line)',
        'f.yaml:2: teams: has no value (give it a list or remove the line)',
      ],
    ],
    [
      'a number where text must be',
      'virtual_keys:\n  - key_name: a\n    key: 1234567890\n',
      ['f.yaml:3: virtual_keys[0].key: must be text (put quotes around the value)'],
    ],
    [
      'a short key',
      'virtual_keys:\n  - key_name: a\n    key: short\n',
      ['f.yaml:3: virtual_keys[0].key: must have at least 8 characters'],
    ],
    [
      'a date without zone',
      'virtual_keys:\n  - key_name: a\n    expires_at: 2027-01-01\n',
      ['f.yaml:3: virtual_keys[0].expires_at: must be a date and time with a zone (write it as 2027-01-01T00:00:00Z)'],
    ],
    [
      'a bad duration and size',
      'health: { interval: soon }\nlimits:\n  request_bytes: big\n',
      [
        'f.yaml:1: health.interval: must be a duration such as 500ms, 30s, 5m or 1h',
        'f.yaml:3: limits.request_bytes: must be a size such as 512KiB or 20MiB',
      ],
    ],
    [
      'a header that is none',
      'providers:\n  - name: openai\n    headers:\n      "a b": c\n',
      ['f.yaml:4: providers[0].headers["a b"]: is not a valid header name'],
    ],
    [
      'a provider of a kind without a known address',
      'providers:\n  - name: antropic\n  - { name: local, type: vllm }\n  - { name: mine, base_url: "http://127.0.0.1:1/v1" }\n',
      [
        'f.yaml:2: providers[0].name: "antropic" is not a type of provider whose address is known (add a base_url, or set the type to "anthropic")',
        'f.yaml:3: providers[1].type: "vllm" is not a type of provider whose address is known (add a base_url, or set the type to one of openai, anthropic, gemini, groq, mistral, deepseek, openrouter, xai, together, fireworks, perplexity, cerebras, ollama, echo)',
      ],
    ],
    [
      'a negative limit',
      'teams:\n  - name: t\n    rate_limit: { requests: -1 }\n',
      ['f.yaml:3: teams[0].rate_limit.requests: must be more than 0'],
    ],
    [
      'a star in the middle',
      `${SERVERS}virtual_keys:\n  - key_name: k\n    mcp_clients:\n      - { name: a, allowed_tools: ["a*b"] }\n`,
      ['f.yaml:7: virtual_keys[0].mcp_clients[0].allowed_tools[0]: "*" may stand alone or at the end only'],
    ],
  ])('%s', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it.each<[string, string, string]>([
    [
      'an unknown server',
      'mcp_clients: [{ name: b, allowed_tools: ["*"] }]',
      'mcp_clients[0].name: no server is named "b"',
    ],
    ['an unknown tool group', 'tool_groups: [g]', 'tool_groups[0]: no tool group is named "g"'],
    ['an unknown provider', 'providers: [{ name: openai }]', 'providers[0].name: no provider is named "openai"'],
    ['an unknown team', 'team: eng', 'team: no team is named "eng"'],
    ['an unknown customer', 'customer: acme', 'customer: no customer is named "acme"'],
    [
      'a fallback to an unknown provider',
      'fallbacks: ["openai/gpt-4o"]',
      'fallbacks[0]: no provider is named "openai"',
    ],
  ])('%s', (_name, grant, problem) => {
    const problems = problemsOf(`${SERVERS}virtual_keys:\n  - key_name: k\n    ${grant}\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`f.yaml:6: virtual_keys[0].${problem}`);
  });

  it('names that stand twice, each at its second place', () => {
    const text = [
      'mcp:',
      '  servers:',
      '    - { name: a, type: http, url: "http://a.test/" }',
      '    - { name: a, type: http, url: "http://a.test/" }',
      '  tool_groups:',
      '    - { name: g, tools: {} }',
      '    - { name: g, tools: {} }',
      '    - { name: a, tools: { nope: ["*"] } }',
      'providers: [{ name: echo }, { name: echo }]',
      'customers: [{ name: c }, { name: c }]',
      'teams: [{ name: t }, { name: t, customer: d }]',
      'virtual_keys:',
      '  - { key_name: k, key: same-key-twice }',
      '  - { key_name: k, key: same-key-twice }',
    ];
    const problems = problemsOf(text.join('\n'));
    expect(problems.map((problem) => problem.replace(/ \(.*$/, ''))).toEqual([
      'f.yaml:4: mcp.servers[1].name: another server is named "a" already',
      'f.yaml:7: mcp.tool_groups[1].name: another tool group is named "g" already',
      'f.yaml:8: mcp.tool_groups[2].name: a server is named "a" too, and both would be served at /mcp/a',
      'f.yaml:8: mcp.tool_groups[2].tools.nope: no server is named "nope"',
      'f.yaml:9: providers[1].name: another provider is named "echo" already',
      'f.yaml:10: customers[1].name: another customer is named "c" already',
      'f.yaml:11: teams[1].name: another team is named "t" already',
      'f.yaml:11: teams[1].customer: no customer is named "d"',
      'f.yaml:14: virtual_keys[1].key_name: another virtual key is named "k" already',
      'f.yaml:14: virtual_keys[1].key: another virtual key has the same key',
    ]);
  });

  it('suggests the nearest name', () => {
    const [problem] = problemsOf(
      `${SERVERS.replace('name: a', 'name: github')}virtual_keys:\n  - key_name: k\n    mcp_clients: [{ name: gihub, allowed_tools: [] }]\n`,
    );
    expect(problem).toMatch(/no server is named "gihub" \(did you mean "github"\?\)$/);
  });

  it('are all told at once, in the order of their lines', () => {
    const text =
      'teamz: []\nvirtual_keys:\n  - key_name: k\n    team: t\n    team: u\n    key: ${NOPE}\n    mode: odd\n';
    expect(problemsOf(text)).toEqual([
      'f.yaml:1: teamz: unknown field (did you mean teams?)',
      'f.yaml:4: virtual_keys[0].team: no team is named "u" (add a team of that name or remove the reference)',
      'f.yaml:5: yaml: the key team is given twice (keep one of them)',
      'f.yaml:6: virtual_keys[0].key: the variable NOPE is not set (set it, or give a default: ${NOPE:-…})',
      'f.yaml:7: virtual_keys[0].mode: must be one of direct, search, code, auto',
    ]);
  });

  it.each([
    ['an open bracket', `a: 1\nproviders: [{ name: "${SECRET}"\nb: 2\n`],
    ['a bad escape', `providers:\n  - name: "${SECRET}\\q"\n`],
    ['a stray value', `providers: x\n "${SECRET}": : y\n`],
    ['a tab', `mcp:\n\tservers: ${SECRET}\n`],
    ['two documents', `mcp: {}\n---\nmcp: ${SECRET}\n`],
    ['an alias of nothing', `mcp: *${SECRET}\n`],
    ['an unknown tag', `mcp: !${SECRET} {}\n`],
    [
      'wrong values everywhere',
      `providers:\n  - name: "${SECRET}!"\n    base_url: ${SECRET}\n    timeout: ${SECRET}\n    keys: ${SECRET}\n`,
    ],
    ['one key twice', `virtual_keys:\n  - { key_name: a, key: ${SECRET} }\n  - { key_name: b, key: ${SECRET} }\n`],
  ])('never quote a value: %s', (_name, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.join('\n')).not.toContain(SECRET);
    for (const problem of problems) expect(problem).toMatch(/^f\.yaml:\d+: \S+: \S/);
  });

  it('a bomb of aliases is refused', () => {
    expect(problemsOf(`a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}`)).toEqual([
      'f.yaml:1: yaml: too many aliases (use at most 100)',
    ]);
  });
});

describe('what is accepted', () => {
  it('an empty file, anchors and merge keys', () => {
    expect(problemsOf('')).toEqual([]);
    const text =
      'virtual_keys:\n  - &base { key_name: a, team: t }\n  - { <<: *base, key_name: b }\nteams: [{ name: t }]\n';
    expect(problemsOf(text)).toEqual([]);
  });

  it('with a warning wherever something has no effect', () => {
    const text = [
      'customers: [{ name: c, budgets: [{ limit_usd: 1, period: 1d }] }]',
      'teams:',
      '  - name: t',
      '    rate_limit: { requests: 1 }',
      'providers:',
      '  - name: echo',
      '    retries: 2',
      'mcp:',
      '  servers:',
      '    - { name: a, type: http, url: "http://a.test/", auth: oauth }',
      '    - { name: b, type: stdio, command: [b], tool_cost_usd: { x: 1 } }',
      'limits: { concurrent_requests: 5 }',
      'virtual_keys:',
      '  - key_name: k',
      '    mode: search',
      '    fallbacks: [echo/m]',
      '    budgets: [{ limit_usd: 1, period: 1d }]',
      '    providers:',
      '      - name: echo',
      '        rate_limit: { tokens: 1 }',
    ];
    expect(warningsOf(text.join('\n')).map((warning) => warning.replace(/ \(.*$/, ''))).toEqual([
      'f.yaml:7: providers[0].retries: retries are accepted but not made by this version',
      'f.yaml:10: mcp.servers[0].auth: auth: oauth is accepted but not served by this version',
      'f.yaml:15: virtual_keys[0].mode: mode: search is accepted but not served by this version',
      'f.yaml:16: virtual_keys[0].fallbacks: fallbacks are accepted but not followed by this version',
    ]);
    expect(warningsOf('virtual_keys: [{ key_name: k, mode: direct, budgets: [] }]')).toEqual([]);
  });
});
