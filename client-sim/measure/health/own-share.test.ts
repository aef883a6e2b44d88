import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addOwnTime, OwnShare, type ThreadClocks, threadClocks } from './own-share.js';

/** A clock, an event loop and a kernel of which a test decides everything. */
class FakeThread {
  nowMs = 1_000;
  idleMs = 0;
  turn = 0;
  waitedMs = 0;
  onProcessorMs = 0;
  readonly own: OwnShare;

  constructor(clocks: Partial<ThreadClocks> = {}) {
    this.own = new OwnShare(
      {
        idleMs: () => this.idleMs,
        turns: () => this.turn,
        readSchedule: (into) => Object.assign(into, { waitedMs: this.waitedMs, onProcessorMs: this.onProcessorMs }),
        ...clocks,
      },
      () => this.nowMs,
    );
  }

  run(ms: number): void {
    this.nowMs += ms;
    this.onProcessorMs += ms;
  }

  /** Sleeps until something is readable, then waits for a processor. */
  sleep(ms: number, waitedMs = 0): void {
    this.turn++;
    this.nowMs += ms + waitedMs;
    this.idleMs += ms + waitedMs;
    this.waitedMs += waitedMs;
  }

  enter(): number {
    this.own.enter(this.nowMs);
    return this.own.sinceMs;
  }
}

describe('what is read now became readable after', () => {
  test('the thread fell asleep and slept, less what it waited for a processor', () => {
    const thread = new FakeThread();
    thread.enter();
    thread.run(0.5);
    thread.sleep(0.8, 30);
    // Answered 0.8 ms into the sleep, read 30 ms later. It fell asleep no earlier than its last mark.
    expect(thread.enter()).toBeCloseTo(1_000 + 0.8, 6);
  });

  test('the mark, when the sleep is too short to ask the kernel, or longer than any timer allows', () => {
    const thread = new FakeThread();
    thread.enter();
    thread.sleep(0.05);
    expect(thread.enter()).toBe(1_000);
    thread.sleep(2_000);
    expect(thread.enter()).toBeCloseTo(1_000.05, 6);
    expect(thread.own.take()?.stoppedMs).toBeGreaterThan(1_990);
  });

  test('the mark, where the kernel does not count the wait', () => {
    const thread = new FakeThread({ readSchedule: undefined });
    thread.enter();
    thread.sleep(0.9);
    expect(thread.enter()).toBe(1_000);
  });

  test('the beat before, in a thread that never sleeps; not when two beats come in one turn', () => {
    const thread = new FakeThread();
    thread.enter();
    thread.run(5);
    thread.turn++;
    thread.own.beat(thread.nowMs);
    thread.run(5);
    thread.own.beat(thread.nowMs);
    expect(thread.own.sinceMs).toBe(1_000);
    thread.turn++;
    thread.run(5);
    thread.own.beat(thread.nowMs);
    expect(thread.own.sinceMs).toBe(1_010);
  });

  test('stretches without a look at the sockets are summed, unless they are as short as a sleep may be', () => {
    const thread = new FakeThread();
    thread.enter();
    for (let turn = 0; turn < 20; turn++) {
      thread.run(1);
      thread.enter();
      thread.sleep(1);
      thread.enter();
    }
    expect(thread.own.blindMs).toBe(0);
    thread.run(30);
    thread.enter();
    thread.sleep(1);
    thread.enter();
    expect(thread.own.blindMs).toBeCloseTo(30, 6);
    // Stopped while asleep: it may have been so from the mark on, and that is known when it looks again.
    thread.sleep(500);
    thread.enter();
    thread.sleep(1);
    thread.enter();
    expect(thread.own.blindMs).toBeCloseTo(530, 6);
  });

  test('nothing that is known, without an idle clock', () => {
    const { own } = new FakeThread({ idleMs: undefined });
    expect(own.known).toBe(false);
    expect(own.take()).toBeUndefined();
  });

  test('never later than what is read now, and it never goes back', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('run' as const), ms: fc.double({ min: 0, max: 20, noNaN: true }) }),
      fc.record({
        kind: fc.constant('sleep' as const),
        ms: fc.double({ min: 0, max: 5, noNaN: true }),
        wait: fc.double({ min: 0, max: 50, noNaN: true }),
      }),
      fc.record({ kind: fc.constant('beat' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const thread = new FakeThread();
        let before = thread.own.sinceMs;
        for (const one of steps) {
          if (one.kind === 'run') thread.run(one.ms);
          else if (one.kind === 'beat') thread.own.beat(thread.nowMs);
          else {
            const wokenMs = thread.nowMs + one.ms;
            thread.sleep(one.ms, one.wait);
            // The answer that ended the sleep was readable from then on.
            expect(thread.enter()).toBeLessThanOrEqual(wokenMs + 1e-9);
          }
          expect(thread.own.sinceMs).toBeGreaterThanOrEqual(before);
          before = thread.own.sinceMs;
        }
      }),
    );
  });
});

test('the time of an interval is divided into processor, waiting, stopped; what is left, it slept', () => {
  const thread = new FakeThread();
  thread.own.take();
  thread.run(100);
  thread.sleep(1, 20);
  thread.enter();
  // Stopped while it was awake: no clock but time goes on.
  thread.nowMs += 500;
  thread.own.addOut(1, 3, 3, 0);
  thread.own.addIn(1, 1);
  thread.own.addIn(1, 7);
  expect(thread.own.take()).toMatchObject({
    elapsedMs: 621,
    onProcessorMs: 100,
    waitedMs: 20,
    sent: 1,
    outSumMs: 3,
    outMaxMs: 3,
    answered: 2,
    inSumMs: 8,
    inMaxMs: 7,
  });
  expect(thread.own.take()).toMatchObject({ elapsedMs: 0, sent: 0, outMaxMs: 0, inSumMs: 0 });
});

test('of several threads, sums are added and the worst is kept', () => {
  const one = { sent: 1, moved: 1, outSumMs: 2, outMaxMs: 2, answered: 1, inSumMs: 1, inMaxMs: 1, elapsedMs: 1000 };
  expect(addOwnTime(undefined, one)).toEqual(one);
  expect(
    addOwnTime(one, { ...one, moved: 0, outMaxMs: 9, outSumMs: 9, waitedMs: 5, onProcessorMs: 1, stoppedMs: 0 }),
  ).toEqual({
    ...{ sent: 2, moved: 1, outSumMs: 11, outMaxMs: 9, answered: 2, inSumMs: 2, inMaxMs: 1, elapsedMs: 1000 },
    ...{ waitedMs: 5, onProcessorMs: 1, stoppedMs: 0 },
  });
});

/**
 * The assumption about libuv: it looks for what is readable before it sleeps, and counts as idle only a sleep before
 * which nothing was. A peer thread writes at random times and says when each write was over, which is when its bytes
 * were readable at the latest. No bound may be later than that. Without the kernel's run queue, which a virtual machine
 * may count late, the bound is exact, however busy the machine is. The socket is a local one: bytes of TCP, even over
 * loopback, are delivered by the kernel when it gets to it, which on a busy machine may be after the write.
 */
describe('libuv polls before it sleeps', () => {
  let stop: (() => Promise<void>) | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'swarmbench-test-'));
  afterEach(async () => {
    await stop?.();
    stop = undefined;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const peerProgram = `
    const { parentPort, workerData } = require('node:worker_threads');
    const net = require('node:net');
    const now = () => Number(process.hrtime.bigint()) / 1e6;
    const writtenMs = [];
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      let left = 400;
      // Before that, the reader does not look at its socket yet.
      socket.once('data', function next() {
        const end = now() + Math.random() * 1.5;
        // Half of the writes come from a thread that spins, so that they fall at any moment of the reader's turn.
        if (Math.random() < 0.5) while (now() < end);
        socket.write(Buffer.from([left & 255]));
        writtenMs.push(now());
        if (--left > 0) return void (Math.random() < 0.5 ? setImmediate(next) : setTimeout(next, 1));
        socket.end();
        parentPort.postMessage(writtenMs);
      });
    });
    server.listen(workerData, () => parentPort.postMessage('listens'));`;

  test.each(['sleeps', 'is busy with timers', 'is busy with immediates'] as const)(
    'in a thread that %s',
    async (how) => {
      const path = join(folder, `${how.replaceAll(' ', '-')}.sock`);
      const peer = new Worker(peerProgram, { eval: true, workerData: path });
      stop = async () => void (await peer.terminate());
      await once(peer, 'message');
      const written = once(peer, 'message') as Promise<[number[]]>;
      const toShared = Number(process.hrtime.bigint()) / 1e6 - performance.now();
      const own = new OwnShare({ ...threadClocks(), readSchedule: undefined });
      const sinceMs: number[] = [];
      const buffer = Buffer.alloc(65_536);
      const socket = net.connect({
        path,
        onread: {
          buffer,
          callback: (length) => {
            own.enter(performance.now());
            for (let at = 0; at < length; at++) sinceMs.push(own.sinceMs + toShared);
            return true;
          },
        },
      });
      socket.once('connect', () => socket.write('begin'));
      const spin = (): void => {
        const end = performance.now() + Math.random() * 2;
        while (performance.now() < end);
      };
      const timer = setInterval(() => {
        own.enter(performance.now());
        if (how === 'is busy with timers') spin();
        own.beat(performance.now());
      }, 1);
      let immediate: NodeJS.Immediate | undefined;
      const turn = (): void => {
        if (how !== 'is busy with immediates') return;
        immediate = setImmediate(turn);
        own.enter(performance.now());
        spin();
      };
      turn();
      await once(socket, 'close');
      clearInterval(timer);
      clearImmediate(immediate);
      const [writtenMs] = await written;
      expect(sinceMs.length).toBe(writtenMs.length);
      // The two clocks of the threads are one; a microsecond is what their conversion to numbers loses.
      const tooLate = sinceMs.filter((since, at) => since > (writtenMs[at] as number) + 0.001);
      expect(tooLate).toEqual([]);
      // It is a bound worth having: later than the start, and moving.
      expect(new Set(sinceMs).size).toBeGreaterThan(20);
      await sleep(0);
    },
  );
});
