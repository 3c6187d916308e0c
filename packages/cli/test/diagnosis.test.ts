import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { installed } from "../../conformance/src/installed.ts";
import { argumentsFor, ROWS, type Row } from "../diagnosis/rows.ts";
import { Stage } from "../diagnosis/stage.ts";
import { EXIT_CODES } from "../src/exit-codes.ts";
import { VERDICTS } from "../src/verdicts/verdicts.ts";
import { ran } from "./command-line.ts";

let stage = new Stage();
afterEach(async () => {
  await stage.close();
  stage = new Stage();
});

async function play({ arrange, verdicts }: Row): Promise<void> {
  const { exit, out } = await ran([...argumentsFor(await arrange(stage)), "--json"]);
  const { verdict } = JSON.parse(out);
  expect(verdicts).toContain(verdict.id);
  expect(exit).toBe(EXIT_CODES[VERDICTS[verdicts[0]!].exit]);
}

const played = ROWS.filter(({ waits }) => waits === undefined);

describe("the cause is named", () => {
  const own = played.filter(({ needs }) => needs === undefined);
  test.each(own.map((row) => [row.title, row] as const))("%s", (_, row) => play(row));
});

describe.each(["nginx", "haproxy", "squid"] as const)("through %s", (name) => {
  installed(name);
  const own = played.filter(({ needs }) => needs === name);
  test.each(own.map((row) => [row.title, row] as const))("%s", (_, row) => play(row));
});

test("the record has every row, with the verdicts of today", () => {
  const file = new URL("../diagnosis/recorded.json", import.meta.url);
  const { rows } = JSON.parse(readFileSync(file, "utf8")) as {
    rows: readonly { title: string; verdict: string; exit: number }[];
  };
  expect(rows.map(({ title }) => title)).toEqual(ROWS.map(({ title }) => title));
  for (const [index, { verdict, exit }] of rows.entries()) {
    const { verdicts } = ROWS[index]!;
    expect(verdicts).toContain(verdict);
    expect(exit).toBe(EXIT_CODES[VERDICTS[verdicts[0]!].exit]);
  }
});
