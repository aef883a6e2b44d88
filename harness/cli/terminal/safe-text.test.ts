import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ESC, forTerminal } from './safe-text.js';
import { styleFor } from './style.js';

const BIDI_AND_HIDDEN = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0xfeff];

describe('text for a terminal', () => {
  test.each([
    ['colours', '\x1b[31mred', '\\u001b[31mred'],
    ['the title of the window', '\x1b]0;owned\x07', '\\u001b]0;owned\\u0007'],
    ['the same with controls of one byte', '\x9d0;owned\x9c', '\\u009d0;owned\\u009c'],
    ['a carriage return over what was written', 'failed\rpassed', 'failed\\u000dpassed'],
    ['backspaces', 'ab\b\bcd', 'ab\\u0008\\u0008cd'],
    ['NUL and DEL', 'a\0b\x7f', 'a\\u0000b\\u007f'],
    ['text that runs backwards', 'a\u202egnp.exe', 'a\\u202egnp.exe'],
    ['text hidden in tags', `x${String.fromCodePoint(0xe0041)}`, 'x\\udb40\\udc41'],
    ['an order to GitHub', '::error::no', '\\u003a:error::no'],
    ['an indented one', 'a\n \t::set-output name=x::y', 'a\n \t\\u003a:set-output name=x::y'],
    ['one behind CRLF', 'a\r\n::error::no', 'a\n\\u003a:error::no'],
    ['orders to GitHub of old, Azure and TeamCity', '##[error] ##vso[task] ##teamcity[x]', undefined],
  ])('has no %s', (_name, text, expected) => {
    const shown = forTerminal(text);
    if (expected !== undefined) expect(shown).toBe(expected);
    expect(shown).not.toMatch(/##(\[|vso|teamcity)/);
  });

  test.each([['tabs\tand\nlines\n'], ['größe 😀 👩‍👧 日本語'], ['std::vector and ## headings'], ['http://h:1/a']])(
    'keeps %j',
    (text) => expect(forTerminal(text)).toBe(text),
  );

  test('our own colours are in effect; those of others are not', () => {
    const { red } = styleFor({ isTTY: true, columns: () => 80, write: () => undefined }, {});
    expect(forTerminal(red('a\x1b[2J'))).toBe('\x1b[31ma\\u001b[2J\x1b[39m');
  });

  test('JSON still means the same', () => {
    const value = { text: `\x1b\x9b\u202e\r\n##[error]${ESC.slice(0, 3)}`, ':': ['::'] };
    for (const indent of [undefined, 2])
      expect(JSON.parse(forTerminal(JSON.stringify(value, undefined, indent)))).toEqual(value);
  });

  test('no code unit below U+00A0 but tab and line feed, and no bidi mark, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const shown = forTerminal(text);
        expect(shown).not.toMatch(/[^\t\n\u0020-\u007e\u00a0-\uffff]/);
        for (const code of BIDI_AND_HIDDEN) expect(shown).not.toContain(String.fromCodePoint(code));
        expect(shown).not.toMatch(/^\s*::/m);
      }),
    );
  });
});
