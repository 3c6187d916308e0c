// options → [kinds]: what the options of several functions may be

import type { Kind } from "@upgrade/core/io";

export const COUNT: Kind = {
  says: "a whole number of 1 or more",
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};

export const TEXT: Kind = {
  says: "a string with a character or more",
  fits: (value) => typeof value === "string" && value !== "",
};

// Of the address of a Unix socket. Of a longer path, Node would use the beginning without a word.
const MAX_PATH_BYTES = { linux: 107, win32: 256 } as Readonly<Record<string, number>>;
const maxPathBytes = MAX_PATH_BYTES[process.platform] ?? 103;

export const SOCKET_PATH: Kind = {
  says: `a path of 1 to ${maxPathBytes} bytes without NUL`,
  fits: (value) =>
    TEXT.fits(value) &&
    Buffer.byteLength(value as string) <= maxPathBytes &&
    // The name of an abstract socket of Linux begins with one.
    !(value as string).includes("\0", 1),
};

export const OBJECT: Kind = {
  says: "an object",
  fits: (value) => typeof value === "object" && value !== null,
};

export const PORT: Kind = {
  says: "a whole number from 0 to 65535 (Number() converts a string)",
  fits: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
};
