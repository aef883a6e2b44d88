/**
 * Makes calls over the SDK's client on one session, ten at a time, as a program of its own: jest hides the warnings of
 * Node. Arguments: URL, era, calls. Prints one line of JSON.
 */
import { compileRequest } from '../../../client-sim/mcp/compile-request.js';
import type { Channel } from '../../../client-sim/transport/channel.js';
import { createProfileShared } from '../../../client-sim/transport/shared.js';
import { transportMap } from '../../../client-sim/transports.js';

const [url = '', era = 'legacy', calls = '0'] = process.argv.slice(2);
const pinned =
  era === 'modern'
    ? ({ era, version: '2026-07-28', sessions: false } as const)
    : ({ era: 'legacy', version: '2025-11-25', sessions: true } as const);
const operation = {
  name: 'echo',
  method: 'tools/call',
  params: { kind: 'constant', json: '{"name":"echo","arguments":{}}' },
  target: 'echo',
  weight: 1,
} as const;
const template = compileRequest(operation, 0, pinned);
const warnings: string[] = [];
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`));
/** How many listeners each signal has for its abort. */
const onSignals = new Map<EventTarget, number>();
const { addEventListener, removeEventListener } = EventTarget.prototype;
EventTarget.prototype.addEventListener = function add(this: EventTarget, ...args: Parameters<typeof addEventListener>) {
  if (args[0] === 'abort') onSignals.set(this, (onSignals.get(this) ?? 0) + 1);
  addEventListener.apply(this, args);
};
EventTarget.prototype.removeEventListener = function remove(
  this: EventTarget,
  ...args: Parameters<typeof removeEventListener>
) {
  if (args[0] === 'abort') onSignals.set(this, (onSignals.get(this) ?? 0) - 1);
  removeEventListener.apply(this, args);
};
function listeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}
let sent = 0;
let correct = 0;
let failed = 0;
let before = 0;

function fill(): void {
  while (channel.room > 0 && sent < Number(calls)) channel.send(template, { seed: 1, slot: 0, sequence: sent }, sent++);
  channel.flush();
}
const channel: Channel = transportMap.sdk.createChannel(
  { endpoint: { url, headers: {} }, pinned, connections: 10, pipeline: 1 },
  {
    onOpen: () => {
      before = listeners();
      fill();
    },
    onOpenFailed: (failure) => {
      throw new Error(failure.detail);
    },
    onAnswer: (_ticket, _nowMs, failure) => {
      if (failure === undefined) correct++;
      else failed++;
      if (correct + failed < Number(calls)) return fill();
      // Warnings are emitted a tick later.
      setImmediate(() => {
        process.stdout.write(
          `${JSON.stringify({
            correct,
            failed,
            warnings,
            moreListeners: listeners() - before,
            mostOnOneSignal: Math.max(...onSignals.values()),
          })}\n`,
        );
        channel.close('delete');
      });
    },
    onRoom: fill,
    onClosed: () => undefined,
  },
  createProfileShared(),
);
channel.open();
