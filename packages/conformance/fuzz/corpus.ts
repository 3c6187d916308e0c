import { LocalProtocolError, resolveLimits } from "@upgrade/core";
import { blockOctets } from "../src/stories/octet-text.ts";
import { type Case, readFixtures } from "../src/stories/read-fixtures.ts";
import type { Ask, Situation } from "./oracle.ts";

/** An input, one character per octet, and the situation it is read in. */
export interface Seed {
  readonly text: string;
  readonly situation: Situation;
}

const PLAIN: Ask = { method: "GET", offers: [], last: false, withheld: false };

/** The requests a client may have sent; several only if they may be pipelined. */
export const ASKS: readonly (readonly Ask[])[] = [
  [PLAIN],
  [{ ...PLAIN, method: "HEAD" }],
  [PLAIN, PLAIN],
  [{ ...PLAIN, method: "HEAD" }, PLAIN, { ...PLAIN, last: true }],
  [{ ...PLAIN, last: true }],
  [{ ...PLAIN, method: "CONNECT" }],
  [{ ...PLAIN, offers: ["websocket"] }],
  [{ ...PLAIN, offers: ["x", "y/1"] }],
  [{ ...PLAIN, offers: ["websocket"], withheld: true }],
  [{ ...PLAIN, method: "POST", withheld: true }],
];

/** Every input of the stories, with its situation. */
export function readSeeds(folder: URL): Seed[] {
  return readFixtures(folder).flatMap(({ cases }) => cases.flatMap(seedsOf));
}

/** The inputs of one story, individually and concatenated. */
export function seedsOf(story: Case): Seed[] {
  const inputs = story.blocks
    .filter(({ kind }) => kind === "http")
    .map(({ lines }) => Buffer.from(blockOctets(lines)).toString("latin1"));
  const texts = new Set([...inputs, inputs.join("")].filter((text) => text !== ""));
  return [...texts].map((text) => ({ text, situation: situationOf(story) }));
}

function situationOf(story: Case): Situation {
  const ended = story.blocks.some(({ lines }) => lines.includes("end-of-file"));
  const accepts = story.blocks.some(({ lines }) => lines.some((line) => / 101| 2\d\d/.test(line)));
  const bounds = boundsOf(story.limits);
  const asks = story.role === "server" ? [] : [askOf(story.asks ?? "GET")];
  return { role: story.role, asks, accepts, bounds, ended };
}

function askOf(words: string): Ask {
  const [method = "GET", protocol] = words.split("+");
  return { ...PLAIN, method, offers: protocol === undefined ? [] : [protocol] };
}

function boundsOf(limits: Case["limits"]): Situation["bounds"] {
  try {
    return resolveLimits(limits);
  } catch (error) {
    if (error instanceof LocalProtocolError) return resolveLimits();
    throw error;
  }
}

/** The limits in use: first the defaults, then some that are reached quickly. */
export const BOUNDS = [
  {},
  { maxHeadBytes: 60 },
  { maxHeadBytes: 120, maxTargetBytes: 3 },
  { maxHeaders: 2 },
  { maxBodyBytes: 4 },
  { maxChunkExtensionBytes: 2, maxTrailers: 1 },
  { maxTrailerBytes: 6, maxInterimResponses: 1 },
].map((limits) => resolveLimits(limits));
