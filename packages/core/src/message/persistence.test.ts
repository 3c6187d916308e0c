import { expect, test } from "vitest";
import { inspect } from "./facts.ts";
import { Headers } from "./headers.ts";
import { persists } from "./persistence.ts";
import type { Version } from "./version.ts";

test.each<[Version, string | undefined, boolean]>([
  ["1.1", undefined, true],
  ["1.1", "close", false],
  ["1.1", "keep-alive", true],
  ["1.1", "keep-alive, close", false],
  ["1.1", "Close", false],
  ["1.1", "closed", true],
  ["1.0", undefined, false],
  ["1.0", "keep-alive", true],
  ["1.0", "Keep-Alive, X", true],
  ["1.0", "close, keep-alive", false],
  ["1.0", "upgrade", false],
])("I09: HTTP/%s with Connection: %s persists: %s", (version, connection, expected) => {
  const headers = Headers.from(connection === undefined ? {} : { Connection: connection });
  expect(persists(version, inspect(headers))).toBe(expected);
});

test("close wins, whichever line it is in", () => {
  const lines = ["Connection", "close", "Connection", "keep-alive"];
  expect(persists("1.0", inspect(Headers.fromFlat(lines)))).toBe(false);
});
