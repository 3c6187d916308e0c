// Programs of the machine that some tests use, since npm has none of them.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { beforeAll, beforeEach } from "vitest";

interface Program {
  /** Debian's package, which `.ci/run` installs. */
  readonly debian: string;
  /** Where it may be: a path, or a name on PATH. */
  readonly candidates: readonly string[];
  /** Arguments with which it succeeds; without them, a path is enough. */
  readonly succeeds?: readonly string[];
}

export const PROGRAMS = {
  "Chromium": {
    debian: "chromium",
    // Not run: on Windows, Chrome opens a window whatever its arguments are.
    candidates: [
      "/usr/bin/chromium",
      "/usr/bin/google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
      "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ],
  },
  "Python's websockets": {
    debian: "python3-websockets",
    // Another python3 may come before Debian's on PATH.
    candidates: ["python3", "python", "/usr/bin/python3"],
    succeeds: ["-c", "import websockets"],
  },
  "curl": { debian: "curl", candidates: ["curl"], succeeds: ["--version"] },
  "nginx": { debian: "nginx-light", candidates: ["nginx"], succeeds: ["-v"] },
  "haproxy": { debian: "haproxy", candidates: ["haproxy"], succeeds: ["-v"] },
  "squid": { debian: "squid", candidates: ["squid"], succeeds: ["-v"] },
} as const satisfies { readonly [name: string]: Program };

export type ProgramName = keyof typeof PROGRAMS;

/** Its path, or its name on PATH; undefined if it is not installed. */
function locate({ candidates, succeeds }: Program): string | undefined {
  return candidates.find((candidate) =>
    succeeds === undefined
      ? existsSync(candidate)
      : spawnSync(candidate, succeeds, { stdio: "ignore" }).status === 0,
  );
}

/**
 * What happens to a test without its program: it is skipped, with a reason. Where CI is set it fails,
 * since a test that never runs proves nothing.
 */
export function doWithout(name: ProgramName, ci: string | undefined, skip: (why: string) => void) {
  const { debian } = PROGRAMS[name];
  const why = `${name} is not installed; on Debian: apt-get install ${debian}`;
  if (ci) throw new Error(`${why}, as .ci/run does`);
  skip(why);
}

/** The program of a block of tests, which are skipped, or fail, without it. Call the result in a test. */
export function installed(name: ProgramName): () => string {
  let path: string | undefined;
  beforeAll(() => {
    path = locate(PROGRAMS[name]);
  });
  beforeEach(({ skip }) => {
    if (path === undefined) doWithout(name, process.env.CI, skip);
  });
  return () => path!;
}
