// bytes → parser → events → [persistence] → connection: may another message follow? (RFC 9112 §9.3)

import type { Facts } from "./facts.ts";
import type { Version } from "./version.ts";

/** Whether the sender of this head lets the connection persist. `close` wins over `keep-alive`. */
export function persists(version: Version, facts: Facts): boolean {
  if (facts.close) return false;
  return version === "1.1" || facts.keepAlive;
}
