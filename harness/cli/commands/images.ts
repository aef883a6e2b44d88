import { relative } from 'node:path';

import { packageRoot } from '../package-root.js';
import { connectEngine, type Engine } from '../../platform/swarm/engine/engine.js';
import { buildImages, type ImageProgress } from '../../platform/swarm/images/build-images.js';
import type { NodeEngine } from '../../platform/swarm/images/distribute.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues } from '../load-options.js';
import { writeImagesFile } from '../stack/state-folder.js';
import { withEngine } from '../stack/with-engine.js';
import { bytes, duration } from '../terminal/quantity.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly offline?: boolean;
  readonly load: readonly string[];
  readonly push?: string;
  readonly json?: boolean;
}

export const images: CliCommand = {
  examples: [
    'swarmbench images',
    'swarmbench images --offline                            stand-ins from Debian packages for everything that would be pulled',
    'swarmbench images --load ssh://root@node2 --load tcp://10.0.0.3:2376',
    'swarmbench images --push registry.example.org:5000/bench',
  ],
  declare(command, host, finish) {
    command
      .option('--offline', 'make stand-ins from Debian packages for what would be pulled')
      .option(
        '--load <docker host>',
        "another node's engine that gets the images too, as DOCKER_HOST names it (repeatable)",
        collectValues,
        [],
      )
      .option('--push <registry>', 'a registry that all nodes can pull from')
      .option('--json', 'one JSON object on stdout')
      .action(async (options: Options) => {
        finish(
          await withEngine(host, { json: options.json === true }, (engine, signal) =>
            make(engine, options, host, signal),
          ),
        );
      });
  },
};

async function make(
  engine: Engine,
  { offline = false, load, push, json }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  await engine.info(signal);
  const nodes = await Promise.all(load.map((address) => nodeAt(address, host, signal)));
  const made = await buildImages({
    docker: engine.docker,
    packageRoot: packageRoot(),
    offline,
    load: nodes,
    ...(push === undefined ? {} : { push }),
    env: host.env,
    signal,
    onProgress: (progress) => {
      const line = words(progress);
      if (line !== undefined) host.stderr.write(`${line}\n`);
    },
  });
  const file = writeImagesFile(host.cwd, made.environment);
  if (json === true) host.stdout.write(`${JSON.stringify({ ...made, file }, undefined, 2)}\n`);
  else {
    const rows = table(
      made.images.map(({ name, sizeBytes, cached, seconds }) => [
        `  ${name}`,
        bytes(sizeBytes),
        cached ? 'as it was' : `made in ${duration(seconds * 1000)}`,
      ]),
      [1],
    );
    host.stdout.write(
      `${rows.join('\n')}\nin ${duration(performance.now() - began)}; \`swarmbench up\` takes their names from ${relative(host.cwd, file)}\n`,
    );
  }
  return exitCode.passed;
}

async function nodeAt(address: string, host: Host, signal: AbortSignal): Promise<NodeEngine> {
  const engine = connectEngine({ ...host.env, DOCKER_HOST: address });
  return { name: (await engine.info(signal)).Name, docker: engine.docker };
}

function words(progress: ImageProgress): string | undefined {
  switch (progress.kind) {
    case 'making':
      return `making ${progress.image}`;
    case 'pulling':
      return `pulling ${progress.image}`;
    case 'pushing':
      return `pushing ${progress.image}`;
    case 'made':
      return undefined;
    case 'pushed':
      return `pushed ${progress.image} in ${duration(progress.seconds * 1000)}`;
    case 'loading':
      return `loading images into ${progress.node}`;
    case 'loaded':
      return progress.images === 0
        ? `${progress.node} has all images already`
        : `${progress.images} images loaded into ${progress.node} in ${duration(progress.seconds * 1000)}`;
  }
}
