import { relative } from 'node:path';
import { connectEngine, type Engine } from '../../platform/swarm/engine/engine.js';
import { buildImages } from '../../platform/swarm/images/build-images.js';
import type { NodeEngine } from '../../platform/swarm/images/distribute.js';
import type { ImageProgress } from '../../platform/swarm/images/engine-images.js';
import { exitCode } from '../exit-code.js';
import type { Host } from '../host.js';
import { collectValues } from '../options/option-parsers.js';
import { packageRoot } from '../package-root.js';
import { givenEnvironment } from '../stack/load-stack.js';
import { writeImagesFile } from '../stack/state-folder.js';
import { withEngine } from '../stack/with-engine.js';
import { bytes, duration } from '../terminal/quantity.js';
import { table } from '../terminal/table.js';
import type { CliCommand } from './command.js';

interface Options {
  readonly load: readonly string[];
  readonly push?: string;
  readonly json?: boolean;
}

export const images: CliCommand = {
  examples: [
    'swarmbench images',
    'swarmbench images --load ssh://root@node2 --load tcp://10.0.0.3:2376',
    'swarmbench images --push registry.example.org:5000/bench',
    'NODE_IMAGE=my-registry/node:24 swarmbench images   build on another image with Node.js',
  ],
  declare(command, host, finish) {
    command
      .option(
        '--load <docker host>',
        'also load the images into the engine of this node, written as for DOCKER_HOST (repeatable)',
        collectValues,
        [],
      )
      .option('--push <registry>', 'push the images to this registry, from which all nodes can pull')
      .option('--json', 'print one JSON object on stdout')
      .action(async (options: Options) => {
        finish(
          await withEngine(host, { json: options.json === true }, (engine, signal) =>
            makeImages(engine, options, host, signal),
          ),
        );
      });
  },
};

async function makeImages(
  engine: Engine,
  { load, push, json }: Options,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  const began = performance.now();
  await engine.info(signal);
  const nodes = await Promise.all(load.map((address) => nodeAt(address, host, signal)));
  const made = await buildImages({
    docker: engine.docker,
    packageRoot: packageRoot(),
    base: givenEnvironment([], host).NODE_IMAGE,
    load: nodes,
    ...(push === undefined ? {} : { push }),
    env: host.env,
    signal,
    onProgress: (progress) => {
      const line = progressLine(progress);
      if (line !== undefined) host.stderr.write(`${line}\n`);
    },
  });
  const file = writeImagesFile(host.cwd, made.environment);
  if (json === true) {
    host.stdout.write(`${JSON.stringify({ ...made, file }, undefined, 2)}\n`);
    return exitCode.passed;
  }
  const rows = table(
    made.images.map(({ name, sizeBytes, cached, seconds }) => [
      `  ${name}`,
      bytes(sizeBytes),
      cached ? 'unchanged' : `built in ${duration(seconds * 1000)}`,
    ]),
    [1],
  );
  const summary = `done in ${duration(performance.now() - began)}; \`swarmbench up\` reads the names from`;
  host.stdout.write(`${rows.join('\n')}\n${summary} ${relative(host.cwd, file)}\n`);
  return exitCode.passed;
}

async function nodeAt(address: string, host: Host, signal: AbortSignal): Promise<NodeEngine> {
  const engine = connectEngine({ ...host.env, DOCKER_HOST: address });
  return { name: (await engine.info(signal)).Name, docker: engine.docker };
}

function progressLine(progress: ImageProgress): string | undefined {
  switch (progress.kind) {
    case 'making':
      return `building ${progress.image}`;
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
        : `loaded ${progress.images} images into ${progress.node} in ${duration(progress.seconds * 1000)}`;
  }
}
