import type { Problem } from '../measure/failure.js';

/** How operations fail that are in flight when their session ends, or loses its connections on purpose. */

export const CLOSED_IN_FLIGHT: Problem = {
  category: 'aborted_by_us',
  detail: 'the session was closed while this request was in flight',
};
export const DISCONNECTED_IN_FLIGHT: Problem = {
  category: 'aborted_by_us',
  detail: 'the connection was closed on purpose while this request was in flight',
};
export const LOST_IN_FLIGHT: Problem = {
  category: 'session_lost',
  detail: 'the session was lost while this request was in flight',
};
/** The outcome of `open` when `close` comes first. */
export const CLOSED_BEFORE_OPEN: Problem = {
  category: 'aborted_by_us',
  detail: 'the session was closed before it was open',
};
