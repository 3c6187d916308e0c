// driver → [forget] → parser, serializer: no message outlives its connection in the memory of the process

import { forgetFacts } from "./facts.ts";
import { forgetHeaders } from "./headers.ts";
import { forgetText } from "./octets.ts";
import { forgetSlice } from "./parser/llhttp-module.ts";
import { forgetWindow } from "./parser/scanner-module.ts";
import { forgetHeads } from "./serializer/head-memo.ts";
import { forgetOffer } from "./switching.ts";
import { forgetHost } from "./target.ts";

/**
 * Forgets the messages of all connections: what was sent last, in case the next is the same, and
 * what was read last, which is still in WebAssembly's memory. The next message of any connection
 * costs a little more; nothing else changes.
 *
 * The driver calls this at the end of each connection. If you use `HttpConnection` without a driver,
 * call it when a connection is over.
 */
export function forget(): void {
  forgetHeads();
  forgetHeaders();
  forgetText();
  forgetHost();
  forgetOffer();
  forgetFacts();
  forgetWindow();
  forgetSlice();
  // The platform remembers the text in which an expression was found last.
  /^/.test("");
}
