// verdict + facts → [json] → scripts: one object, whose names stay

import type { Facts } from "../facts.ts";
import type { Verdict } from "../verdicts/verdicts.ts";
import { hopsOf } from "./picture.ts";

/** Increased when a name or a meaning changes; new names may be added without. */
const FORMAT = 1;

export function toJson(facts: Facts, verdict: Verdict): string {
  return `${JSON.stringify({ format: FORMAT, verdict, hops: hopsOf(facts), facts }, undefined, 2)}\n`;
}
