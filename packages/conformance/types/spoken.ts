// The types of protocols that are listed one by one, which need no inference from a list. Compiled
// against the sources and against the published declarations.
import type { Duplex } from "node:stream";
import type { Protocol } from "@upgrade/core";
import { type Service, type Spoken, switching } from "@upgrade/server";

declare const counting: Protocol<{ readonly from: number }>;

const count: Spoken<Duplex, typeof counting> = [
  counting,
  ({ io }, agreement) => {
    const out: Same<typeof io, Duplex> = true;
    const seen: Same<typeof agreement, { readonly from: number }> = true;
    void [out, seen];
  },
];
const plain: Spoken<Duplex, string> = [
  "plain",
  (_, agreement) => void (agreement satisfies undefined),
];

export const service: Service<Duplex> = switching([count, plain]);
