import { expect, test } from "vitest";
import { RECORDER } from "../recorder/compiled.mjs";
import { compileRecorder } from "../scripts/compile-recorder.mjs";

test("compiled.mjs is what recorder.ts compiles to", async () => {
  const compiled = Buffer.from(await compileRecorder()).toString("base64");
  expect(RECORDER, "run: node packages/core/scripts/compile-recorder.mjs").toBe(compiled);
}, 60_000);
