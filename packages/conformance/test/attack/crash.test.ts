import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const path = (name: string): string =>
  fileURLToPath(new URL(`../../crash/${name}`, import.meta.url));

/** Runs a program with our sources in a separate process. */
function run(program: string, ...args: string[]) {
  const sources = new URL("../../crash/sources.mjs", import.meta.url).href;
  const node = ["--conditions=@upgrade/source", `--import=${sources}`, path(program), ...args];
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(process.execPath, node, { timeout: 20_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : error.code, out, err });
    });
  });
}

// Vitest handles uncaught errors in this process, so the crashes happen in a child process.
describe.each(["client", "server"])("a process whose %s is reset at the switch", (role) => {
  test.concurrent("L9: exits cleanly, without any listeners", async () => {
    const { code, out, err } = await run("reset-at-switch.mjs", role, "guarded");
    expect({ code, out, err }).toEqual({ code: 0, out: "still here\n", err: "" });
  });

  test.concurrent("would crash without the listener that stays on the socket", async () => {
    const { code, out, err } = await run("reset-at-switch.mjs", role, "bare");
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("ECONNRESET");
  });
});

test("importing has no side effects, and waiting connections keep no finished process alive", async () => {
  const started = performance.now();
  const { code, out, err } = await run("import.mjs");
  const [imported, used] = out.split("\n");
  expect([code, err, imported]).toEqual([0, "", "at import: []"]);
  // It would see it if something did.
  expect(used).toBe('in use: ["Instance","Module","setTimeout"]');
  // Less than any deadline in use.
  expect(performance.now() - started).toBeLessThan(20_000);
});
