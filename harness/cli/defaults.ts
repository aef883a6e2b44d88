/** Defaults that several commands share. */

/** Where `swarmbench serve` listens, also inside the stack. */
export const DEFAULT_PORT = 8888;

export const DEFAULT_STACK = 'bench';

export const RESULTS_FOLDER = 'results';
