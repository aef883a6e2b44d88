/** Text that fits any file: no control characters (a server's answer may hold any), no lone surrogates, bounded. */
export function tidy(text: string, limit = 2048): string {
  return (
    clip(text, limit)
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g, picture)
      // Lone surrogates, C1 controls, line separators, and the marks that change the direction of text.
      .replaceAll(/[\ud800-\udfff\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, '\ufffd')
  );
}

/** U+2400 and following: pictures of the control characters, so that a reader sees that something was there. */
function picture(control: string): string {
  return String.fromCharCode(0x2400 + control.charCodeAt(0));
}

/** The same on one line. */
export function oneLine(text: string, limit = 500): string {
  return tidy(text, limit).replaceAll(/\s+/g, ' ').trim();
}

/** Text from a server may have any length; the report shows a bounded part of it. */
export function clip(text: string, limit: number): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
}
