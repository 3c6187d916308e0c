import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { compileRecorder } from "../scripts/compile-recorder.mjs";

test("recorder.wasm is what recorder.ts compiles to", async () => {
  const kept = readFileSync(new URL("../recorder/recorder.wasm", import.meta.url));
  const compiled = Buffer.from(await compileRecorder());
  expect(compiled.equals(kept), "run: node packages/core/scripts/compile-recorder.mjs").toBe(true);
}, 60_000);
