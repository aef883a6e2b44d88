/** A pattern for text that has these parts in this order. */
export function inOrder(...parts: readonly string[]): RegExp {
  return new RegExp(parts.map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('[^]*'));
}
