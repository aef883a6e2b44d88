import { type AnswerReader, CONTROL_TICKET } from './answer-reader.js';
import type { ConnectionOwner } from './connection-owner.js';
import type { Control } from './control.js';
import type { TicketRing } from './ticket-ring.js';

/**
 * A request whose event stream is over before its answer, on a server that numbers its events: the rest can be asked
 * for (2025-11-25, "Resumability and Redelivery").
 */
export interface BrokenCall {
  /** `CONTROL_TICKET`: it is `control` that waits. */
  readonly ticket: number;
  readonly control: Control | undefined;
  /** Of the JSON-RPC answer awaited. */
  readonly id: number;
  readonly template: number;
  readonly slot: number;
  readonly sequence: number;
  readonly lastEventId: string;
  /** From `retry:`; -1: never said. */
  readonly retryMs: number;
}

/** The oldest request of the ring as a broken call; undefined: nothing to take up again, or nobody who waits for it. */
function brokenCall(ring: TicketRing, reader: AnswerReader): BrokenCall | undefined {
  const { brokenAt: lastEventId, retryMs } = reader;
  if (lastEventId === '' || ring.abandoned) return undefined;
  const { ticket, template, slot, sequence } = ring;
  const control = ticket === CONTROL_TICKET ? reader.nextControl : undefined;
  const id = ticket === CONTROL_TICKET ? control?.id : ring.id;
  return id === undefined ? undefined : { ticket, control, id, template, slot, sequence, lastEventId, retryMs };
}

/**
 * What broke off short of its answer may be got by another way. @returns whether the oldest request waits here no
 * longer
 */
export function handOver(reader: AnswerReader, owner: ConnectionOwner): boolean {
  const call = owner.onBroken === undefined ? undefined : brokenCall(reader.ring, reader);
  if (call === undefined || owner.onBroken?.(call) !== true) return false;
  if (call.control !== undefined) reader.takeControl();
  reader.ring.shift();
  return true;
}
