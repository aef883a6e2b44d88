import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { minimal, planOf, problemsOf } from '../../../tests/support/scenarios/files.js';
import type { PlanRequest } from '../load-plan.js';
import type { Plan } from '../plan.js';
import { redactPlan } from '../redact.js';

const url = 'http://localhost:7/mcp';

interface Written {
  /** The text of the file, or its value as JSON. */
  readonly text: string | object;
  readonly file?: string;
  readonly server?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, string>>;
  /** Other files, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

function requestOf({
  text,
  file = 'mcp.json',
  server,
  env = {},
  inputs,
  files = {},
}: Written): readonly [Partial<PlanRequest>, Readonly<Record<string, string>>] {
  const request = {
    mcpConfig: { file, ...(server === undefined ? {} : { server }) },
    env,
    ...(inputs === undefined ? {} : { inputs }),
  };
  return [request, { [file]: typeof text === 'string' ? text : JSON.stringify(text), ...files }];
}

function planWith(written: Written): Plan {
  return planOf(minimal, ...requestOf(written));
}

function problemsWith(written: Written): string {
  return problemsOf(minimal, ...requestOf(written));
}

/** The url, headers or command of the plan, and the transport of its clients. */
function readAs(written: Written): object {
  const { target, profiles } = planWith(written);
  const transport = profiles[0]?.transport;
  if (target.kind === 'url') return { url: target.urls[0], headers: target.headers, transport };
  if (target.kind !== 'command') return target;
  const { command, env, cwd } = target.server;
  return { command, env, cwd, transport };
}

const here = resolve('.');
const overHttp = { url, headers: {}, transport: 'streamable-http' };
const overSse = { ...overHttp, transport: 'sse' };
const started = { command: ['node', 'x.js'], env: { KEY: 'k' }, cwd: undefined, transport: 'stdio' };

describe('servers are found in the files of', () => {
  test.each<[string, Written, object]>([
    [
      'Claude Desktop and Cursor',
      { text: { mcpServers: { a: { command: 'node', args: ['x.js'], env: { KEY: 'k' } } } } },
      started,
    ],
    ['Claude Code', { text: { mcpServers: { a: { type: 'http', url: '${U:-http://localhost:7}/mcp' } } } }, overHttp],
    ['VS Code', { file: '.vscode/mcp.json', text: { inputs: [], servers: { a: { type: 'http', url } } } }, overHttp],
    [
      'VS Code, among its settings',
      { text: { 'editor.x': 1, mcp: { inputs: [], servers: { a: { type: 'sse', url } } } } },
      overSse,
    ],
    [
      'a workspace of VS Code',
      { file: 'a.code-workspace', text: { folders: [], settings: { mcp: { servers: { a: { url } } } } } },
      overHttp,
    ],
    ['Windsurf', { text: { mcpServers: { a: { serverUrl: url, disabledTools: ['x'] } } } }, overHttp],
    ['Gemini CLI', { text: { mcpServers: { a: { httpUrl: url, trust: true, includeTools: ['x'] } } } }, overHttp],
    [
      'Cline',
      { text: { mcpServers: { a: { url, type: 'streamableHttp', disabled: false, autoApprove: [] } } } },
      overHttp,
    ],
    [
      'Copilot CLI',
      {
        text: {
          mcpServers: { a: { type: 'local', command: 'node', args: ['x.js'], env: { KEY: 'k' }, tools: ['*'] } },
        },
      },
      started,
    ],
    [
      'Zed',
      { text: { context_servers: { a: { source: 'custom', command: 'node', args: ['x.js'], env: { KEY: 'k' } } } } },
      started,
    ],
    [
      'Zed, its older form',
      { text: { context_servers: { a: { command: { path: 'node', args: ['x.js'], env: { KEY: 'k' } } } } } },
      started,
    ],
    [
      'opencode',
      {
        env: { K: 'k' },
        text: {
          $schema: 'x',
          mcp: { a: { type: 'local', command: ['node', 'x.js'], environment: { KEY: '{env:K}' }, enabled: true } },
        },
      },
      started,
    ],
    [
      'opencode, elsewhere',
      { env: { K: 'k' }, text: { mcp: { a: { type: 'remote', url, headers: { A: 'Bearer {env:K}' } } } } },
      { ...overHttp, headers: { A: 'Bearer k' } },
    ],
    ['Amp', { text: { 'amp.mcpServers': { a: { url } } } }, overHttp],
    [
      'a plugin of Claude Code',
      { file: '.mcp.json', text: { a: { command: 'node', args: ['x.js'], env: { KEY: 'k' } } } },
      started,
    ],
    [
      'Continue',
      {
        file: 'a.yaml',
        text: `mcpServers:\n  - name: a\n    type: http\n    url: ${url}\n    requestOptions: { headers: { A: b } }\n`,
      },
      { ...overHttp, headers: { A: 'b' } },
    ],
    [
      'Continue, with secrets',
      {
        file: 'a.yaml',
        env: { K: 'k' },
        text: 'mcpServers:\n  - name: a\n    command: node\n    args: [x.js]\n    env: { KEY: "${{ secrets.K }}" }\n',
      },
      started,
    ],
    [
      'Continue, its older form',
      {
        text: {
          experimental: {
            modelContextProtocolServers: [
              { transport: { type: 'stdio', command: 'node', args: ['x.js'], env: { KEY: 'k' } } },
            ],
          },
        },
      },
      started,
    ],
    [
      'LibreChat',
      { file: 'librechat.yaml', text: `mcpServers:\n  a:\n    type: websocket\n    url: ws://localhost:7/mcp\n` },
      { url: 'ws://localhost:7/mcp', headers: {}, transport: 'websocket' },
    ],
    [
      'Codex',
      {
        file: 'config.toml',
        env: { KEY: 'k' },
        text: 'model = "x"\n[mcp_servers.a]\ncommand = "node"\nargs = ["x.js"]\nenv_vars = ["KEY"]\n',
      },
      started,
    ],
    [
      'Codex, elsewhere',
      {
        file: 'config.toml',
        env: { T: 't', H: 'h' },
        text:
          `[mcp_servers.a]\nurl = "${url}"\nbearer_token_env_var = "T"\n` +
          'http_headers = { X = "x" }\nenv_http_headers.Y = "H"\n',
      },
      { ...overHttp, headers: { X: 'x', Y: 'h', Authorization: 'Bearer t' } },
    ],
    [
      'Goose',
      {
        file: 'config.yaml',
        text:
          'extensions:\n  developer: { type: builtin, enabled: true }\n' +
          '  a: { type: stdio, cmd: node, args: [x.js], envs: { KEY: k }, enabled: true }\n',
      },
      started,
    ],
  ])('%s', (_, written, expected) => {
    expect(readAs(written)).toEqual(expected);
    expect(planWith(written).warnings).toEqual([]);
  });
});

test.each([
  ['http', 'streamable-http'],
  ['HTTP', 'streamable-http'],
  ['streamable_http', 'streamable-http'],
  ['streamableHttp', 'streamable-http'],
  ['streamable-http', 'streamable-http'],
  ['SSE', 'sse'],
])('a transport may be written as %s, under `type` and under `transport`', (written, transport) => {
  for (const key of ['type', 'transport', 'transportType'])
    expect(readAs({ text: { mcpServers: { a: { [key]: written, url } } } })).toEqual({ ...overHttp, transport });
});

describe('JSON as editors write it', () => {
  test.each([
    ['line comments', `{\n  // "b": 1\n  "mcpServers": { // "c": {}\n "a": { "url": "${url}" } }\n}`],
    ['block comments', `{\n  /* one\n two */\n  "mcpServers": { /* "c": {}, */ "a": { "url": "${url}" } }\n}`],
    ['trailing commas', `{ "mcpServers": { "a": { "url": "${url}", }, }, }`],
    ['tabs', `{\n\t"mcpServers": {\n\t\t"a": {\n\t\t\t"url": "${url}"\n\t\t}\n\t}\n}`],
    ['a byte order mark, and line ends of Windows', `\uFEFF{ "mcpServers": {\r\n"a": { "url": "${url}" } } }\r\n`],
    ['a comment before everything', `// mine\n{ "mcpServers": { "a": { "url": "${url}" } } }`],
    [
      'keys without a value',
      `{"mcpServers":{"a":{"command":null,"args":null,"env":null,"headers":null,"url":"${url}"}}}`,
    ],
    ['a url with slashes in a comment', `{"mcpServers":{"a":{"url":"${url}" // http://x/\n}}}`],
  ])('may have %s', (_, text) => {
    expect(readAs({ text })).toEqual(overHttp);
  });

  test('a server in a comment is none', () => {
    expect(problemsWith({ text: `{ "mcpServers": {\n// "prod": { "url": "${url}" }\n} }` })).toContain(
      '`mcpServers` has no servers',
    );
  });

  test.each([
    ['{\n  "mcpServers": {\n    "a" { "url": 1 }\n  }\n}', 'mcp.json:3:9: colon expected'],
    [
      '{ "mcpServers": { "a": { "url": "x", "url": "y" } } }',
      'mcp.json:1:38: this key is already given in the same map',
    ],
    [`${'['.repeat(100_000)}`, 'mcp.json:1:1: the file is nested too deeply'],
  ])('%# says where it is wrong', (text, problem) => {
    expect(problemsWith({ text })).toContain(problem);
  });
});

describe('TOML', () => {
  test.each([
    ['[mcp_servers.a]\nurl = \n', 'c.toml:3:1: unspecified values are invalid'],
    ['[mcp_servers.a]\nurl = 5\n', 'c.toml:2:7: expected text, not number `5`'],
    ['[mcp_servers.a]\ntype = "x"\nurl = "http://localhost/"\n', 'c.toml:2:8: `x` is not a known transport'],
    ['[mcp_servers.a]\nenv = {}\n', 'c.toml:1:14: server `a` has neither a url nor a command'],
    ['[mcp_servers]\n', 'c.toml:1:2: `mcp_servers` has no servers'],
  ])('%j', (text, problem) => {
    expect(problemsWith({ file: 'c.toml', text })).toContain(problem);
  });

  test('tables, inline tables, dotted keys and lists of tables are the same', () => {
    const expected = { command: ['node', '--port', '8'], env: { A: '1', B: 'true' }, cwd: '/x', transport: 'stdio' };
    for (const text of [
      '[mcp_servers.a]\ncommand = "node"\nargs = ["--port", 8]\ncwd = "/x"\n[mcp_servers.a.env]\nA = 1\nB = true\n',
      'mcp_servers.a = { command = "node", args = ["--port", 8], cwd = "/x", env = { A = 1, B = true } }\n',
      '[mcp_servers]\na.command = "node"\na.args = ["--port", "8"]\na.cwd = "/x"\na.env.A = "1"\na.env.B = true\n',
      '[[mcp_servers]]\nname = "a"\ncommand = "node"\nargs = ["--port", 8]\ncwd = "/x"\nenv = { A = 1, B = true }\n',
    ])
      expect(readAs({ file: 'c.toml', text, server: 'a' })).toEqual(expected);
  });
});

describe('variables', () => {
  const withCommand = (entry: object, more: Partial<Written> = {}): object =>
    readAs({ text: { mcpServers: { a: { command: 'node', ...entry } } }, ...more });

  test('are filled in in every text of a server', () => {
    const env = { BIN: 'node', ARG: 'x.js', K: 'k', D: '/d' };
    expect(
      withCommand(
        { command: '${BIN}', args: ['${env:ARG}', '-${K}-${NO:-none}'], env: { KEY: '$K' }, cwd: '${D}/e' },
        { env },
      ),
    ).toEqual({ command: ['node', 'x.js', '-k-none'], env: { KEY: 'k' }, cwd: '/d/e', transport: 'stdio' });
    const remote = { url: '${BASE:-http://localhost:${PORT:-7}}/mcp', headers: { A: 'Bearer ${env:K}', B: 'a$K' } };
    expect(readAs({ text: { mcpServers: { a: remote } }, env })).toEqual({
      ...overHttp,
      headers: { A: 'Bearer k', B: 'a$K' },
    });
  });

  test('of folders follow from where the file is', () => {
    const entry = { args: ['${workspaceFolder}/x.js', '${userHome}', '${workspaceFolderBasename}'], cwd: 'sub' };
    const text = { servers: { a: { command: 'node', ...entry } } };
    expect(readAs({ file: '/p/proj/.vscode/mcp.json', text, env: { HOME: '/h' } })).toMatchObject({
      command: ['node', '/p/proj/x.js', '/h', 'proj'],
      cwd: '/p/proj/sub',
    });
    expect(readAs({ file: 'mcp.json', text, env: { HOME: '/h' } })).toMatchObject({ cwd: join(here, 'sub') });
  });

  test('of files hold what is in the file', () => {
    expect(
      withCommand({ env: { K: '${file:~/key}' } }, { env: { HOME: '/h' }, files: { '/h/key': 'secret\n' } }),
    ).toMatchObject({
      env: { K: 'secret' },
    });
  });

  const asking = {
    text: {
      inputs: [
        { type: 'promptString', id: 'tok', description: 'API token', password: true },
        { type: 'pickString', id: 'level', default: 'low' },
      ],
      servers: { a: { command: 'node', env: { T: '${input:tok}', L: '${input:level}' } } },
    },
  };

  test('that the file asks for are given by --input, or have a default', () => {
    expect(readAs({ ...asking, inputs: { tok: 'secret' } })).toMatchObject({ env: { T: 'secret', L: 'low' } });
    expect(readAs({ ...asking, inputs: { tok: 's', level: 'high' } })).toMatchObject({ env: { T: 's', L: 'high' } });
  });

  test.each<[string, Written, string]>([
    ['an input', asking, 'the input `tok` (API token) has no value\n    hint: --input tok=VALUE'],
    [
      'an input that is not declared',
      { text: { servers: { a: { url: 'http://x/${input:y}' } } } },
      'mcp.json:1:24: the input `y` has no value',
    ],
    [
      'what only an editor knows',
      { text: { servers: { a: { command: '${command:x}' } } } },
      'does not know what `${command:x}` stands for',
    ],
    [
      'an unset variable of a whole text',
      { text: { servers: { a: { command: '$BIN' } } } },
      'the environment variable BIN is not set',
    ],
    [
      'two unset variables',
      { text: { servers: { a: { command: '${A}${env:B}' } } } },
      'the environment variable A, B is not set',
    ],
    [
      'a file that is not there',
      { text: { servers: { a: { command: '${file:/no/such}' } } } },
      'there is no file /no/such, which `${file:/no/such}` names',
    ],
    [
      'a default that does not end',
      { text: { servers: { a: { command: '${A:-b' } } } },
      '`${A:-` has no closing brace',
    ],
    [
      'a secret',
      { file: 'a.yaml', text: 'mcpServers: [{ command: "${{ secrets.K }}" }]' },
      'the input `K` has no value',
    ],
  ])('%s without a value is refused by name', (_, written, problem) => {
    expect(problemsWith(written)).toContain(problem);
  });

  test('what is no variable stays', () => {
    expect(withCommand({ args: ['$', '${', '$HOME/x', '${}', '${a b}', '$$', '{x}', '{env:X}'] })).toMatchObject({
      command: ['node', '$', '${', '$HOME/x', '${}', '${a b}', '$$', '{x}', '{env:X}'],
    });
  });

  test('in arguments are secret', () => {
    const plan = planWith({
      text: { servers: { a: { command: 'node', args: ['--key=${K}'] } } },
      env: { K: 'very-secret' },
    });
    expect(JSON.stringify(plan)).toContain('very-secret');
    expect(JSON.stringify(redactPlan(plan))).not.toContain('very-secret');
    expect(redactPlan(plan).target).toMatchObject({ server: { command: ['node', '--key=${K}'] } });
  });
});

describe('envFile', () => {
  const entry = { command: 'node', envFile: '${workspaceFolder}/.env', env: { B: 'own' } };
  const text = { servers: { a: entry } };

  test('is read, and `env` is over it', () => {
    const files = { [join(here, '.env')]: 'A=1 # one\nB="file"\nexport C=\'c c\'\n' };
    expect(readAs({ text, files })).toMatchObject({ env: { A: '1', B: 'own', C: 'c c' } });
  });

  test('that is not there is refused', () => {
    expect(problemsWith({ text })).toContain(`there is no file ${join(here, '.env')}`);
  });
});

describe('which server', () => {
  const two = { mcpServers: { a: { disabled: true, url }, b: { url: 'http://localhost:8/' } } };

  test.each<[Written, string]>([
    [{ text: { mcpServers: { a: { disabled: true, url } } } }, 'mcp.json:1:16: server `a` is disabled in the file'],
    [{ text: { mcp: { a: { enabled: false, type: 'remote', url } } } }, 'server `a` is disabled in the file'],
    [{ text: two, server: 'a' }, 'hint: enable it there, or choose another one: b'],
  ])('a disabled one is refused: %j', (written, problem) => {
    expect(problemsWith(written)).toContain(problem);
  });

  test('the only one that is enabled needs no name', () => {
    expect(readAs({ text: two })).toMatchObject({ url: 'http://localhost:8/' });
  });
});

describe('a key that is not used is named, when it could matter', () => {
  test.each([
    [{ url, hedaers: { A: 'b' } }, 'the key `hedaers` of server `a` is not used: did you mean `headers`?'],
    [{ url, oauth: {} }, 'the key `oauth` of server `a` is not used: for a token, use headers or --auth-token-file'],
    [{ url, timeout: 5 }, 'is not used: `timeout` of a profile decides how long an answer may take'],
    [{ url, httpUrl: 'http://localhost:9/' }, 'the key `url` of server `a` is not used'],
    [{ command: 'x', sandbox: { enabled: true } }, 'mcp.json:1:35: the key `sandbox` of server `a` is not used'],
  ])('%j', (entry, warning) => {
    expect(planWith({ text: { mcpServers: { a: entry } } }).warnings.join()).toContain(warning);
  });

  test.each([{ url, description: 'x', autoApprove: [], disabledTools: [], icon: 'i' }])('%j', (entry) => {
    expect(planWith({ text: { mcpServers: { a: entry } } }).warnings).toEqual([]);
  });
});

describe('an mcpServers file', () => {
  const file = `{

  "theme": "dark",
  "mcpServers": {
    "web": { "type": "http", "url": "http://localhost:7/mcp", "headers": { "Authorization": "Bearer \${KEY}" } },
    "shell": { "command": "node", "args": ["x.js"] },
    "old": { "type": "sse", "url": "http://localhost:8/sse", "disabled": false },
    "nowhere": {}
  },
}`;
  const config = (server?: string, env = { KEY: 'k' }) => ({
    request: { mcpConfig: { file: 'mcp.json', ...(server === undefined ? {} : { server }) }, env },
    files: { 'mcp.json': file },
  });
  const problems = (server?: string) => {
    const { request, files } = config(server);
    return problemsOf(minimal, request, files);
  };

  test('gives url and headers, and may hold keys of other programs', () => {
    const { request, files } = config('web');
    expect(planOf(minimal, request, files).target).toEqual({
      kind: 'url',
      urls: ['http://localhost:7/mcp'],
      headers: { Authorization: 'Bearer k' },
      era: 'auto',
    });
  });

  test('needs no name when it has one server', () => {
    const files = { 'mcp.json': '{"mcpServers":{"a":{"url":"http://localhost:7/mcp"}}}' };
    expect(planOf(minimal, { mcpConfig: { file: 'mcp.json' } }, files).target).toMatchObject({
      urls: ['http://localhost:7/mcp'],
    });
  });

  test('a server with a command is started, and profiles reach it over stdio by default', () => {
    const files = {
      'mcp.json': '{"mcpServers":{"a":{"command":"node","args":["x.js","--y"],"env":{"KEY":"${K}","Z":"z"}}}}',
    };
    const env = { K: 'very-secret', PATH: '/bin', OTHER: 'ours' };
    const plan = planOf(minimal, { mcpConfig: { file: 'mcp.json' }, env }, files);
    expect(plan.target).toEqual({
      kind: 'command',
      server: {
        command: ['node', 'x.js', '--y'],
        env: { KEY: 'very-secret', Z: 'z' },
        inherited: { PATH: '/bin' },
        startTimeoutMs: 60_000,
      },
      era: 'auto',
    });
    expect(plan.profiles.map(({ transport }) => transport)).toEqual(['stdio']);
    expect(JSON.stringify(redactPlan(plan))).not.toContain('very-secret');
    expect(
      problemsOf(
        minimal.replace('{}', '{ transport: streamable-http }'),
        { mcpConfig: { file: 'mcp.json' }, env },
        files,
      ),
    ).toContain('starts no server, and the target is a command');
  });

  test('its headers replace those of the scenario, which may be there although a command has none', () => {
    const scenario = `${minimal}target: { server: { url: "http://localhost/" }, headers: { x: y } }\n`;
    const { request, files } = config('web');
    expect(planOf(scenario, request, files).target).toMatchObject({ headers: { Authorization: 'Bearer k' } });
    const shell = config('shell');
    expect(planOf(scenario, shell.request, shell.files).target).toMatchObject({ kind: 'command' });
  });

  test('a server of type sse is reached over HTTP+SSE', () => {
    const { request, files } = config('old');
    const plan = planOf(minimal, request, files);
    expect([plan.target, plan.profiles[0]?.transport]).toMatchObject([
      { kind: 'url', urls: ['http://localhost:8/sse'] },
      'sse',
    ]);
  });

  test.each([
    ['nowhere', 'mcp.json:8:5: server `nowhere` has neither a url nor a command'],
    ['wbe', 'mcp.json:4:17: the file has no server `wbe`\n    hint: did you mean "web"?'],
    [
      undefined,
      'mcp.json:4:17: the file has 4 servers: choose one\n    hint: --server NAME, one of: web, shell, old, nowhere',
    ],
  ])('%s', (server, expected) => {
    expect(problems(server)).toBe(expected);
  });

  test('an unset variable is named', () => {
    const { request, files } = config('web', {} as { KEY: string });
    expect(problemsOf(minimal, request, files)).toBe(
      'mcp.json:5:93: the environment variable KEY is not set\n    hint: export KEY=...',
    );
  });

  test.each([
    ['{}', 'mcp.json:1:1: the file has no `mcpServers`'],
    ['{"mcpServers": {}}', 'mcp.json:1:16: `mcpServers` has no servers\n    hint: add one: { "mcpServers": '],
    ['{"mcp_server": {}}', 'mcp.json:1:1: the file has no `mcpServers`, only mcp_server'],
    ['{"mcpServers": {"a": {"url": 5}}}', 'mcp.json:1:30: expected text, not number `5`'],
    ['{', 'mcp.json:1:2: '],
    ['', 'mcp.json:1:1: the file is empty'],
  ])('%j', (text, expected) => {
    expect(problemsOf(minimal, { mcpConfig: { file: 'mcp.json', server: 'a' } }, { 'mcp.json': text })).toContain(
      expected,
    );
  });

  test('is refused when it does not exist, and beside --target', () => {
    expect(problemsOf(minimal, { mcpConfig: { file: 'gone.json' } })).toBe('--config:1:1: there is no file gone.json');
    const { request, files } = config('web');
    expect(problemsOf(minimal, { ...request, targets: ['http://localhost/'] }, files)).toContain(
      '--target and --config both name the server',
    );
  });
});
