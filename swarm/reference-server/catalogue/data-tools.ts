import { z } from 'zod';
import { defineTool, type Tool, text, toolError } from './contract.js';
import type { SeededSequences } from './random.js';
import { filler, largestFillerBytes } from './resources.js';
import type { Topics } from './topics.js';

/** Tools whose answer is known in advance, and the two that change something. */
export function dataTools(
  sequences: SeededSequences,
  defaultSeed: number,
  topics: Topics,
  resetCounters: () => void,
): readonly Tool[] {
  return [echo, payload, fail(sequences, defaultSeed), publish(topics), reset(resetCounters)];
}

const echo = defineTool({
  name: 'echo',
  description: 'Answers with the message.',
  input: z.strictObject({ message: z.string() }),
  call: ({ message }) => text(message),
});

const payload = defineTool({
  name: 'payload',
  description: 'Answers with a text of exactly this many bytes.',
  input: z.strictObject({ bytes: z.int().min(0).max(largestFillerBytes) }),
  call: ({ bytes }) => text(filler(bytes)),
});

function fail(sequences: SeededSequences, defaultSeed: number): Tool {
  return defineTool({
    name: 'fail',
    description: 'Answers with isError at this rate (0 to 1, default 1). The seed names the sequence of draws.',
    input: z.strictObject({ rate: z.number().min(0).max(1).default(1), seed: z.int().default(defaultSeed) }),
    annotations: { idempotentHint: false },
    call: ({ rate, seed }) => (sequences.of(seed)() < rate ? toolError('failed as asked') : text('not this time')),
  });
}

function publish(topics: Topics): Tool {
  return defineTool({
    name: 'publish',
    description:
      'Sets the text of bench://topic/{topic} and tells its subscribers; ' +
      'the stamp goes out with the notification, as it came.',
    input: z.strictObject({
      topic: z.union([z.string().regex(/^[\w.-]{1,64}$/), z.int().min(0)]),
      message: z.string().max(65_536).default(''),
      stamp: z.string().max(200).optional(),
    }),
    annotations: { readOnlyHint: false, idempotentHint: false },
    call({ topic, message, stamp }) {
      const version = topics.publish(String(topic), message, stamp);
      return { ...text(`published version ${version} of ${topic}`), structuredContent: { version } };
    },
  });
}

function reset(resetCounters: () => void): Tool {
  return defineTool({
    name: 'reset_counters',
    description: 'Forgets everything GET /stats has counted and starts the seeded sequences again.',
    input: z.strictObject({}),
    annotations: { readOnlyHint: false, destructiveHint: true },
    call() {
      resetCounters();
      return text('counters reset');
    },
  });
}
