/**
 * Dates as Go's yaml.v3 recognises them and as Go prints them (`2020-01-01 00:00:00 +0000 UTC`). Facts: resolve.go,
 * time.Time.String.
 */

const TIME = new RegExp(
  '^(?<year>\\d{4})-(?<month>\\d{1,2})-(?<day>\\d{1,2})' +
    '((?<separator>[Tt ])(?<hour>\\d{1,2}):(?<minute>\\d{1,2}):(?<second>\\d{1,2})(\\.(?<fraction>\\d{1,9}))?(?<zone>Z|[-+]\\d\\d:\\d\\d)?)?$',
);

/** Go's text for a date or time, or undefined when `text` is none. */
export function goTime(text: string): string | undefined {
  const parts = TIME.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const {
    year = '',
    month = '',
    day = '',
    separator,
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zone,
  } = parts;
  // With `T` a zone must follow; with a space none may.
  if (separator !== undefined && (separator === ' ') !== (zone === undefined)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const date = new Date(Date.UTC(2000, 0, 1));
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  const seconds = `${two(second)}${fraction.replace(/0+$/, '').replace(/^(?=\d)/, '.')}`;
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${seconds} ${zoneText(zone)}`;
}

function zoneText(zone: string | undefined): string {
  const offset = zone === undefined || zone === 'Z' ? '+0000' : zone.replace(':', '');
  return /^[-+]0000$/.test(offset) ? '+0000 UTC' : `${offset} ${offset}`;
}

function two(digits: string): string {
  return digits.padStart(2, '0');
}
