import { expect, test } from "vitest";
import { compileScanner } from "../scripts/compile-scanner.mjs";
import { SCANNER } from "../wasm/scanner/compiled.mjs";

test("compiled.mjs is up to date", async () => {
  const compiled = Buffer.from(await compileScanner()).toString("base64");
  expect(SCANNER, "run: node packages/core/scripts/compile-scanner.mjs").toBe(compiled);
}, 60_000);
