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

export const OBJECT: Kind = {
  says: "an object",
  fits: (value) => typeof value === "object" && value !== null,
};

export const PORT: Kind = {
  says: "a whole number from 0 to 65535 (Number() converts a string)",
  fits: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
};
