import { resolve } from 'node:path';
import { Argument, type Command } from 'commander';
import { type Role, roles, TokenBook } from '../../api/tokens.js';
import { messageOf } from '../../support/error-message.js';
import { CliError } from '../cli-error.js';
import { RESULTS_FOLDER } from '../defaults.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { ensureWritable } from '../run-controller.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly out: string;
  readonly name: string;
  readonly json?: boolean;
}

export const token: CliCommand = {
  examples: [
    'swarmbench token list',
    "swarmbench token add viewer --name 'dashboard in the hall'",
    'swarmbench token revoke tXb3kQ9z1',
  ],
  declare(command, host, finish) {
    addOptions(
      command
        .addArgument(new Argument('<action>', 'what to do').choices(['list', 'add', 'revoke']))
        .argument(
          '[what]',
          `add: the role, one of ${roles.join(', ')}; revoke: the id of a token, as the list shows it`,
        )
        .option('--name <text>', 'add: who or what the token is for', ''),
    ).action((action: string, what: string | undefined, options: Options) => {
      const folder = resolve(host.cwd, options.out);
      if (action === 'list') list(bookIn(folder), options, host);
      else if (action === 'add') add(folder, roleOf(what), options, host);
      else revoke(bookIn(folder), what, host);
      finish(exitCode.passed);
    });
  },
};

function addOptions(command: Command): Command {
  return command
    .option('--out <folder>', 'results folder of the controller', RESULTS_FOLDER)
    .option('--json', 'print one JSON object on stdout');
}

/** @throws CliError TOKENS_UNREADABLE */
function bookIn(folder: string): TokenBook {
  try {
    const book = new TokenBook(folder);
    book.list();
    return book;
  } catch (error) {
    throw new CliError({
      code: 'TOKENS_UNREADABLE',
      message: messageOf(error),
      hint: 'run it as the user of the controller, and name its results folder with --out',
    });
  }
}

function list(book: TokenBook, { json }: Options, host: Host): void {
  const tokens = book.list();
  if (json === true) {
    host.stdout.write(`${JSON.stringify({ tokens }, undefined, 2)}\n`);
    return;
  }
  const rows = tokens.map(({ id, role, createdAt = '', name }) => [id, role, createdAt.slice(0, 10), name]);
  if (rows.length === 0) host.stdout.write('no tokens; `swarmbench token add operator` makes one\n');
  else host.stdout.write(`${table(rows).join('\n')}\n`);
}

function add(folder: string, role: Role, { name, json }: Options, host: Host): void {
  ensureWritable(folder);
  const { token: made, secret } = bookIn(folder).add(role, name);
  if (json === true) host.stdout.write(`${JSON.stringify({ ...made, secret }, undefined, 2)}\n`);
  else host.stdout.write(`${secret}\n`);
  if (json !== true) host.stderr.write(`this is token ${made.id} with the role ${role}; it is shown only now\n`);
}

function revoke(book: TokenBook, id: string | undefined, host: Host): void {
  if (id !== undefined && book.revoke(id)) {
    host.stderr.write(`revoked ${id}\n`);
    return;
  }
  throw new CliError({
    code: 'TOKEN_NOT_FOUND',
    message: id === undefined ? 'revoke needs the id of a token' : `there is no token ${id}`,
    hint: '`swarmbench token list` shows the ids',
  });
}

function roleOf(text: string | undefined): Role {
  const role = roles.find((each) => each === text);
  if (role !== undefined) return role;
  throw new CliError({
    code: 'USAGE',
    message: text === undefined ? 'add needs a role' : `there is no role \`${text}\``,
    hint: `the roles are ${roles.join(', ')}`,
  });
}
