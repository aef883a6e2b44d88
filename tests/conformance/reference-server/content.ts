/** The smallest possible: one red pixel, and a WAV without a sample. */
export const pngBase64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
export const wavBase64 = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

export function text(value: string): { type: 'text'; text: string } {
  return { type: 'text', text: value };
}
export const image = { type: 'image' as const, data: pngBase64, mimeType: 'image/png' };
