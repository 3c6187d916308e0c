import { afterAll, describe, expect, test } from "vitest";
import { CLIENTS } from "../../samples/clients.ts";
import { EXAMPLES } from "../../samples/examples.ts";
import { PROGRAMS } from "../../samples/programs.ts";
import { PROXIES } from "../../samples/proxies.ts";
import { SERVERS } from "../../samples/servers.ts";
import { nameOf, readSamples } from "../../src/samples/samples.ts";
import { Stage } from "../../src/samples/stage.ts";
import { Rehearsal, type Story, type Way } from "../../src/samples/story.ts";

const PLAYED: readonly Story[] = [...SERVERS, ...PROXIES, ...EXAMPLES, ...CLIENTS];
const WAYS: readonly Way[] = ["reset", "FIN", "stall"];

// A separate process, shared by many stories: it is slow to start on a busy machine.
const BOUND = { timeout: 240_000 };
let stage: Stage | undefined;
afterAll(() => stage?.end());

async function rehearse(story: Story, act: (rehearsal: Rehearsal) => Promise<void>): Promise<void> {
  stage ??= new Stage();
  try {
    await act(new Rehearsal(story, stage));
  } catch (error) {
    // A failure here must not affect the next story.
    stage.end();
    stage = undefined;
    throw error;
  }
}

const RUN_ELSEWHERE = [
  // The same code as in transports-suite.test.ts, except for the runner.
  "docs/guides/own-transport.md: Testing your transport",
  // Only from Node 22 on.
  "docs/coming-from/undici.md: There and here",
];

test("every sample in the docs is run", () => {
  const covered = [...PLAYED, ...PROGRAMS].map(({ sample }) => sample).concat(RUN_ELSEWHERE);
  expect(new Set(covered)).toEqual(new Set(readSamples().map(nameOf)));
});

describe.each(PROGRAMS)("$sample", (story) => {
  test("behaves as documented", BOUND, () =>
    rehearse(story, async (rehearsal) => {
      expect(await rehearsal.alone()).toBe(story.prints ?? "");
    }),
  );
});

describe.each(PLAYED)("$sample", (story) => {
  test("behaves as documented", BOUND, () =>
    rehearse(story, async (rehearsal) => {
      expect(await rehearsal.well()).toBeGreaterThan(0);
      if (story.prints !== undefined) expect(rehearsal.stage.printed).toBe(story.prints);
    }),
  );

  test.each(WAYS)("survives and leaves no socket: %s of either peer, at any moment", BOUND, (way) =>
    rehearse(story, async (rehearsal) => {
      await rehearsal.withFailures(way);
    }),
  );
});
