/** Paths as the CLI resolves them on Linux, where a Windows path may still be meant for a Windows node. */
import { posix } from 'node:path';

/** Absolute paths stay as they are; others are joined to `folder` and cleaned. */
export function absolutePath(folder: string, path: string): string {
  if (posix.isAbsolute(path)) return path;
  const joined = posix.join(folder, path);
  return joined.length > 1 && joined.endsWith('/') ? joined.slice(0, -1) : joined;
}

/** `C:\x`, `C:/x` and `\\server\share\x`. */
export function isWindowsAbsolute(path: string): boolean {
  return /^[a-z]:[\\/]/i.test(path) || /^[\\/]{2}[^\\/.][^\\/]*[\\/][^\\/.][^\\/]*[\\/]/.test(path);
}
