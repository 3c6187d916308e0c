// options → [kinds]: what the options of several functions may be

import { isToken, type Kind } from "@upgrade/core/io";

export const COUNT: Kind = {
  says: "a whole number",
  fits: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

export const OBJECT: Kind = {
  says: "an object",
  fits: (value) => typeof value === "object" && value !== null,
};

/** A string. */
export const TEXT: Kind = { says: "a string", fits: (value) => typeof value === "string" };

/** A name in `Via` and `Proxy-Status`. */
export const PSEUDONYM: Kind = {
  says: 'a token, such as "edge"',
  fits: (value) => typeof value === "string" && isToken(value),
};
