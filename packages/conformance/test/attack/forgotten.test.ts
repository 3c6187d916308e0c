import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const path = (name: string): string =>
  fileURLToPath(new URL(`../../crash/${name}`, import.meta.url));

interface Kept {
  readonly heap: readonly string[];
  readonly wasm: readonly string[];
  readonly chunks: number;
}

interface Report {
  readonly before: Kept;
  readonly after: { readonly [end: string]: Kept };
  readonly isOtherOpen: boolean;
}

/** What a fresh process still holds of its messages. */
function keep(role: string) {
  const sources = new URL("../../crash/sources.mjs", import.meta.url).href;
  const program = [path("what-is-kept.mjs"), role];
  const node = ["--conditions=@upgrade/source", `--import=${sources}`, ...program];
  return new Promise<Report>((resolve, reject) => {
    execFile(process.execPath, node, { timeout: 60_000 }, (error, out) => {
      if (error === null) resolve(JSON.parse(out));
      else reject(error);
    });
  });
}

const NOTHING = { heap: [], wasm: [], chunks: 0 };
const AFTER = { close: NOTHING, abort: NOTHING, switch: NOTHING, fault: NOTHING };

test.each([
  { role: "server", heap: "setcookie", wasm: "authorization" },
  { role: "client", heap: "target", wasm: "setcookie" },
])(
  "nothing a $role has read or sent stays in memory after its end, while another connection is still open",
  async ({ role, heap, wasm }) => {
    const { before, after, isOtherOpen } = await keep(role);
    expect({ after, isOtherOpen }).toEqual({ after: AFTER, isOtherOpen: true });
    // It would see it if something did.
    expect(before.heap).toContain(heap);
    expect(before.wasm).toContain(wasm);
    expect(before.chunks).toBeGreaterThan(0);
  },
  60_000,
);
