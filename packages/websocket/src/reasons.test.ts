import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { REASONS } from "./handshake-error.ts";
import { REFUSALS } from "./refusals.ts";

const guide = readFileSync(new URL("../../../docs/guides/websocket.md", import.meta.url), "utf8");

/** The rows of the table under a heading: the reasons, and the rest. */
function rows(heading: string): [reason: string, rest: string][] {
  const [, section = ""] = guide.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  return [...own.matchAll(/^\| (`[^|]*) \|(.*)\|$/gm)].flatMap(([, reasons = "", rest = ""]) =>
    [...reasons.matchAll(/`([^`]+)`/g)].map(([, reason]) => [reason!, rest] as [string, string]),
  );
}

test("the guide lists every refusal of a server with its status", () => {
  const listed = rows("What a server refuses").map(([reason, rest]) => [
    reason,
    rest.trim().slice(0, 3),
  ]);
  const all = Object.entries(REFUSALS).map(([reason, { status }]) => [reason, String(status)]);
  expect(listed.sort()).toEqual(all.sort());
});

test("the guide lists every reason for which a client rejects", () => {
  const listed = rows("What a client rejects").map(([reason]) => reason);
  expect(listed.sort()).toEqual(Object.keys(REASONS).sort());
});
